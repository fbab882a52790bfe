"""The widgets for what a project uses: its data sheet, who collected its columns, and its tools."""

from __future__ import annotations

from functools import partial
from html import escape

import ipywidgets

from workbench.analyses.data_sheet import DataSheet, TableUse
from workbench.analyses.provenance import Origin
from workbench.locale import Texts
from workbench.publish import data_sheet as words
from workbench.publish.fold import Fold
from workbench.publish.result import checks, html
from workbench.screens import controls, titles
from workbench.screens.cards import cards, figure_row, minor, part
from workbench.screens.data_sheet import DataSheetState
from workbench.screens.disclosure import disclosure
from workbench.screens.download import Download
from workbench.screens.frame import messages
from workbench.screens.presence import Presence
from workbench.screens.tools_view import tools


def view(state: DataSheetState, t: Texts) -> ipywidgets.Widget:
    """What is used and for what, where it comes from, and what brings it."""
    busy = html("")

    def write(_change: object = None) -> None:
        said = t("The project is being looked over …") if state.looking or state.sheet is None else ""
        busy.value = f'<p class="wb-help" role="status">{escape(said)}</p>' if said else ""

    write()
    state.observe(write, ["looking", "sheet"])
    parts = [
        Presence(state.watch),
        messages(state, t),
        busy,
        _sheet(state, t),
        _origins(state, t),
        tools(state, t),
    ]
    return ipywidgets.VBox(parts).add_class("wb-sheet")


# --- the sheet ------------------------------------------------------------------------------------------


def _sheet(state: DataSheetState, t: Texts) -> ipywidgets.Widget:
    sentence, figures, held, found = html(""), html(""), html(""), html("")
    folds = ipywidgets.VBox().add_class("wb-tight")
    english = Download(partial(state.as_page, "en"), label=t("Download in English"))
    spanish = Download(partial(state.as_page, "es"), label=t("Download in Spanish"))
    plain = Download(lambda: state.as_json(t.language), label=t("Download as JSON"))
    doing = ipywidgets.Box([english, spanish, plain]).add_class("wb-doing")
    whole = ipywidgets.VBox([sentence, figures, doing, held, found, folds])
    known: dict[str, Fold] = {}

    def write(_change: object = None) -> None:
        sheet = state.sheet
        whole.layout.display = "none" if sheet is None else ""
        if sheet is None:
            return
        sentence.value = f'<p class="wb-sentence" role="status">{escape(t(sheet.verdict))}</p>'
        figures.value = _figures(sheet, t)
        rows = words.rows(sheet, titles(t), t)
        wide, numbers = (t("Files"), t("What for"), t("Used by")), (t("Rows"),)
        held.value = part(t("What we use, and for what"), cards(rows, wide=wide, numbers=numbers))
        for one in sheet.tables:
            fold = known.setdefault(one.name, Fold())
            fold.title = t("{table}: {n:count} columns", table=one.name, n=len(one.columns))
            fold.content = _columns(one, t)
        shown = [known[one.name] for one in sheet.tables]
        if list(folds.children) != shown:
            folds.children = shown
        counts = (t("People asked"), t("Agree now"))
        asked = cards(words.consents(sheet, t), numbers=counts)
        kept_out = cards(words.left_out(sheet, t), wide=(t("Left in the file"),))
        found.value = (
            checks(sheet.checks, t)
            + (part(t("What people were asked"), asked) if asked else "")
            + (part(t("What the recipes leave in the files"), kept_out) if kept_out else "")
            + part(t("The columns of each table"))
        )

    write()
    state.observe(write, "sheet")
    return whole


def _figures(sheet: DataSheet, t: Texts) -> str:
    columns = [column for one in sheet.tables for column in one.columns if column.party]
    third = sum(column.party == "third" for column in columns)
    guessed = sum(not column.said for column in columns)
    sensitive = sheet.sensitive
    written = len(sheet.tables) - len(sheet.unexplained)
    cells = [
        (
            t("Tables with a written purpose"),
            t("{n:count} of {all:count}", n=written, all=len(sheet.tables)),
            t("in processing.toml"),
        ),
        (
            t("Columns that others collected"),
            t("{n:count} of {all:count}", n=third, all=len(columns)),
            t("guessed for {n:count}", n=guessed) if guessed else t("all written down"),
        ),
        (
            t("Sensitive columns"),
            t.count(len(sensitive)),
            ", ".join(name.partition(".")[2] for name in sensitive[:4]) or t("none, by their names"),
        ),
    ]
    return figure_row(cells)


def _columns(one: TableUse, t: Texts) -> str:
    computed = ""
    if one.metrics:
        listed = "".join(f"<li>{escape(t(metric))}</li>" for metric in one.metrics)
        computed = f"<p>{escape(t('Computed of it:'))}</p><ul>{listed}</ul>"
    note = f"<p>{escape(one.note)}</p>" if one.note else ""
    numbers = (t("Filled"), t("Metrics that read it"))
    return f"<p>{escape(t(one.about))}</p>{note}{computed}{cards(words.column_rows(one, t), numbers=numbers)}"


# --- who collected what ---------------------------------------------------------------------------------


def _origins(state: DataSheetState, t: Texts) -> ipywidgets.Widget:
    lost = html("")

    def write(_change: object = None) -> None:
        reliance = state.reliance
        if reliance is None:
            lost.value = ""
            return
        wide = (t("Needs"), t("Reads"), t("Answers that go"), t("What it would lack"))
        metrics = cards(words.loss_rows(reliance, t), wide=wide)
        splits = cards(words.lost_rows(reliance, t), wide=wide, numbers=(t("Kept results"),))
        verdict = f"<p>{escape(t(reliance.verdict))}</p>"
        lost.value = (
            part(t("What we would lose without third-party data"), verdict)
            + minor(t("Metrics that read such columns"), metrics)
            + minor(t("Ways to split results that would be gone"), splits)
        )

    write()
    state.observe(write, "reliance")
    return ipywidgets.VBox([lost, disclosure(t("Say who collected which column"), [_picks(state, t)])])


def _picks(state: DataSheetState, t: Texts) -> ipywidgets.Widget:
    """A pick-list a column, of one table at a time."""

    def tables() -> list[controls.Option]:
        return [(name, name) for name in dict.fromkeys(one.table for one in state.origins)]

    pick = controls.choice(state, "table", t("Table"), tables, follows="origins").add_class("wb-short")
    grid = ipywidgets.Box().add_class("wb-grid")
    confirm = controls.button(t("These are right"), state.confirm)
    doing = ipywidgets.Box([controls.allowed(confirm, state.project, "keep", t)]).add_class("wb-doing")
    meaning = t(
        "Told by customers: answers, preferences, consents. Seen by us: visits, orders, what our tools"
        " record. Collected by others: where an advertisement’s link says somebody came from, scores that"
        " are bought, counts of a network. It is kept in provenance.toml."
    )
    help_ = html(f'<p class="wb-help">{escape(meaning)}</p>')
    lists: dict[str, ipywidgets.Dropdown] = {}
    parties = list(words.PARTIES)
    options = [t(words.PARTIES[party]) for party in parties]
    taking = False

    def made(one: Origin) -> ipywidgets.Dropdown:
        widget = ipywidgets.Dropdown(options=options, layout=controls.full())

        def say(change: object) -> None:
            if not taking and widget.index is not None:
                state.say_origin(one.name, parties[widget.index])

        widget.observe(say, "index")
        return widget

    def fill(_change: object = None) -> None:
        nonlocal taking
        taking = True
        try:
            shown = [one for one in state.origins if one.table == state.table]
            for one in shown:
                widget = lists.setdefault(one.name, made(one))
                label = one.column if one.said else t("{column} (guessed)", column=one.column)
                widget.description, widget.index = label, parties.index(one.party)
            children = [lists[one.name] for one in shown]
            if list(grid.children) != children:
                grid.children = children
            confirm.layout.display = "" if any(not one.said for one in shown) else "none"
        finally:
            taking = False

    fill()
    state.observe(fill, ["origins", "table"])
    return ipywidgets.VBox([help_, pick, grid, doing])
