"""The widgets of “Load and check”."""

from __future__ import annotations

from html import escape
from zoneinfo import available_timezones

import ipywidgets

from workbench.locale import Texts
from workbench.publish.result import html
from workbench.screens import (
    browsing_view,
    checking_view,
    controls,
    people_view,
    preview_view,
    recipes_view,
    report_view,
)
from workbench.screens.browsing import chosen_files
from workbench.screens.frame import columns, served
from workbench.screens.loading import LoadState
from workbench.screens.mapping_view import mapping
from workbench.screens.reading import EACH, SUMMARY, UNIT
from workbench.screens.upload import Upload
from workbench.tables.schema import TABLES
from workbench.tables.sources.files import ENDINGS

_UPLOAD = {True: 200, False: 10}  # MB that the page, JupyterLab take in one piece
_ENCODINGS = ("utf-8", "cp1252", "iso8859-15", "mac_roman", "utf-16", "cp850")


def view(state: LoadState, t: Texts) -> ipywidgets.Widget:
    """The files on the left; on the right what they hold, what came of them, and what the project holds."""
    zone = state.project.settings.timezone
    report = report_view.view(state.run, state.recipes, t)
    file = ipywidgets.VBox(
        [preview_view.view(state, t), mapping(state, t), preview_view.first_rows(state, t)]
    ).add_class("wb-looked")
    people = people_view.view(state.people, t, zone)
    project = ipywidgets.VBox([checking_view.view(state.checks, t), people])

    def show(_change: object = None) -> None:
        # a file that is looked at has the page to itself
        file.layout.display = "" if state.found is not None else "none"
        project.layout.display = "none" if state.files else ""
        people.layout.display = "" if state.checks.held.tables else "none"

    show()
    state.observe(show, ["found", "files"])
    state.checks.observe(show, "held")
    asked = [
        _ways(state, t),
        _chosen(state, t),
        _sample(state, t),
        _reading(state, t),
        _loading(state, t),
        _more(state, t),
        recipes_view.listed(state.recipes, t),
        controls.meanings(t, _meanings(t)),
    ]
    return columns(state, asked, [report, file, project], t)


def _ways(state: LoadState, t: Texts) -> ipywidgets.Widget:
    """The three ways to a file."""
    limit = _UPLOAD[served()]
    upload = Upload(
        state.receive,
        label=t("Choose files"),
        words=t(
            "CSV, TSV, Excel, JSON or Parquet, packed if you like; up to {limit:count} MB together.",
            limit=limit,
        ),
        sending=t("Sending the file …"),
        too_large=t(
            "The file is larger than {limit:count} MB: put it where this runs, and give its path.",
            limit=limit,
        ),
        limit=limit * 10**6,
        accept=",".join(ENDINGS),
    )
    typed = controls.text(state, "path", t("Or their path there"), example="/data/orders-*.csv")
    box = ipywidgets.VBox(
        [upload, browsing_view.view(state.browser, t, state.project.settings.timezone), typed]
    )

    def show(_change: object = None) -> None:
        box.layout.display = "none" if state.files else ""

    show()
    state.observe(show, "files")
    return box


def _chosen(state: LoadState, t: Texts) -> ipywidgets.Widget:
    """What was chosen, and the way back."""
    words = html("")
    other = controls.button(t("Choose another file"), lambda: state.look([]))
    box = ipywidgets.VBox([words, other]).add_class("wb-tight").add_class("wb-chosen")

    def show(_change: object = None) -> None:
        box.layout.display = "" if state.files else "none"
        if state.files:
            name, rest = chosen_files(state.files, t)
            words.value = f"<strong>{escape(name)}</strong><span>{escape(rest)}</span>"

    show()
    state.observe(show, "files")
    return box


def _sample(state: LoadState, t: Texts) -> ipywidgets.Widget:
    button = controls.button(t("Load the sample shop"), state.load_sample)

    def show(_change: object = None) -> None:
        hidden = state.checks.held.tables or state.files or state.run.active
        button.layout.display = "none" if hidden else ""

    show()
    state.observe(show, "files")
    state.checks.observe(show, "held")
    state.run.observe(show, "active")
    return controls.allowed(button, state.project, "load", t)


def _reading(state: LoadState, t: Texts) -> ipywidgets.Widget:
    """How the file is read: by which recipe, as what, from which sheet, and what it leaves open."""

    def recipes() -> list[controls.Option]:
        return [(t("none: as the file looks"), None), *((name, name) for name in state.recipes.names)]

    def kinds() -> list[controls.Option]:
        return [
            (t("choose …"), None),
            *([(t("each file as it looks"), EACH)] if state.kinds else []),
            *((vendor.title, vendor.name) for vendor in state.vendors),
            (t("customer with results"), UNIT),
            (t("variant with totals"), SUMMARY),
            *((name, name) for name in TABLES if name not in ("outcomes", "summaries")),
        ]

    recipe = controls.choice(state, "recipe", t("Recipe"), recipes, follows="files")
    holds = controls.choice(state, "holds", t("What one row is"), kinds, follows="vendors")
    sheet = controls.choice(
        state, "sheet", t("Sheet"), lambda: [(name, name) for name in state.sheets], follows="sheets"
    )
    experiment = controls.text(
        state, "experiment", t("Name of the experiment"), example=t("the name of the file")
    )
    questions = _questions(state, t, asked=True)
    box = ipywidgets.VBox([recipe, holds, sheet, experiment, questions])

    def show(_change: object = None) -> None:
        box.layout.display = "" if state.files else "none"
        recipe.layout.display = "" if state.recipes.names else "none"
        sheet.layout.display = "" if len(state.sheets) > 1 else "none"
        for widget in (holds, questions):
            widget.layout.display = "" if state.found is not None else "none"
        experiment.layout.display = "" if state.found is not None and state.takes_experiment else "none"

    show()
    state.observe(show, ["files", "found", "sheets", "holds", "mapping"])
    return box


def _questions(state: LoadState, t: Texts, *, asked: bool) -> ipywidgets.VBox:
    """The controls for what a file may leave open: those that it did (`asked`), or the others."""
    offered = {
        "date_order": (
            t("Order of dates"),
            [(t("day first: 31/12"), "dmy"), (t("month first: 12/31"), "mdy")],
        ),
        "decimal": (t("Decimal mark"), [(t("point: 1.5"), "."), (t("comma: 1,5"), ",")]),
        "scale": (t("Possible answers"), [(t("from 0 to 10"), "0-10"), (t("from 1 to 10"), "1-10")]),
    }
    box = ipywidgets.VBox()
    made: dict[str, list[ipywidgets.Widget]] = {}

    def make(name: str) -> list[ipywidgets.Widget]:
        label, choices = offered[name]
        none = t("not said yet") if asked else t("as the file shows")
        pick = controls.choice(state, name, label, lambda: [(none, None), *choices])
        return [html(""), pick] if asked else [pick]

    def fill(_change: object = None) -> None:
        if state.busy:  # several things change together
            return
        wanted = [name for name in offered if (name in state.asked) == asked]
        if not asked and not state.takes_items:
            wanted = [name for name in wanted if name != "scale"]
        for name in wanted:
            made[name] = made.get(name) or make(name)
        open_ones = {question.id: question for question in (state.trial.questions if state.trial else ())}
        for name in wanted if asked else ():
            question = open_ones.get(name)
            words = t(question.question) if question else ""
            made[name][0].value = f'<p class="wb-notice">{escape(words)}</p>' if words else ""
        shown = [widget for name in wanted for widget in made[name]]
        if list(box.children) != shown:
            box.children = shown

    fill()
    state.observe(fill, ["asked", "trial", "holds", "busy"])
    return box


def _loading(state: LoadState, t: Texts) -> ipywidgets.Widget:
    """The button that begins; there is one load at a time."""
    begin = controls.button(t("Load"), state.load, primary=True)

    def show(_change: object = None) -> None:
        begin.layout.display = "" if state.found is not None and not state.run.active else "none"

    show()
    state.observe(show, "found")
    state.run.observe(show, "active")
    return controls.allowed(begin, state.project, "load", t)


def _more(state: LoadState, t: Texts) -> ipywidgets.Widget:
    """How files are read where it goes without saying."""
    zones = sorted(available_timezones())
    own = state.project.settings.timezone
    encoding = controls.choice(
        state,
        "encoding",
        t("Encoding"),
        lambda: [(t("as the file shows"), None), *((name, name) for name in _ENCODINGS)],
    )
    timezone = controls.choice(
        state,
        "timezone",
        t("Zone of times without an offset"),
        lambda: [(t("that of the project: {zone}", zone=own), None), *((zone, zone) for zone in zones)],
    )
    box = controls.more(t, [_questions(state, t, asked=False), timezone, encoding])

    def show(_change: object = None) -> None:
        box.layout.display = "" if state.files else "none"

    show()
    state.observe(show, "files")
    return box


def _meanings(t: Texts) -> list[tuple[str, str]]:
    return [
        (
            t("Or their path there"),
            t("A file, a folder or a pattern with *, of any size; nothing is copied through the page."),
        ),
        (
            t("What one row is"),
            t("Files of single doings (orders, exposures …), of customers, or of totals can all be read."),
        ),
        (t("Recipe"), t("How a file was read before; the next one of its kind then needs one click.")),
        (t("Sheet"), t("A workbook may hold several tables; each is loaded by itself.")),
        (t("Name of the experiment"), t("Where no column says which experiment a row belongs to.")),
        (t("Order of dates"), t("How 03/04/2026 is read; the file itself mostly shows it.")),
        (t("Decimal mark"), t("Whether 1.034 is about one or about a thousand.")),
        (
            t("Possible answers"),
            t("Where nobody answered 0, the answers do not say whether they could have."),
        ),
        (
            t("Zone of times without an offset"),
            t("Where the clock was that wrote times such as 09:30; days are those of the project."),
        ),
        (t("Encoding"), t("To choose where letters such as ñ or € come out wrong.")),
        (
            t("Further columns to keep"),
            t("What is known of a customer beyond the standard columns; you can split results by it."),
        ),
    ]
