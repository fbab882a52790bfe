"""The widgets of “Load and check”."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo

import ipywidgets

from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.result import checks, html, table
from workbench.screens import controls
from workbench.screens.frame import columns, served
from workbench.screens.loading import SHOWN_ROWS, SUMMARY, UNIT, LoadState
from workbench.screens.upload import Upload
from workbench.tables.report import LoadReport
from workbench.tables.schema import TABLES

_LISTED = 200
_UPLOAD = {True: 200, False: 10}  # MB that the page, JupyterLab take in one piece


def view(state: LoadState, t: Texts) -> ipywidgets.Widget:
    """The file on the left; on the right what it holds, what came of it, and what the project holds."""
    load = controls.button(t("Load"), state.load, primary=True)
    asked = ipywidgets.VBox(
        [*_questions(state, t), load],
        layout=controls.full(),
    )
    chosen = ipywidgets.VBox([_mapping(state, t), _preview(state, t)])

    def show(_change: object = None) -> None:
        waiting = state.found is not None and state.report is None
        asked.layout.display = chosen.layout.display = "" if waiting else "none"

    show()
    state.observe(show, ["found", "report"])
    shown = [_report(state, t), chosen, _overview(state, t)]
    return columns(state, [*_file(state, t), asked, controls.meanings(t, _meanings(t))], shown, t)


def _file(state: LoadState, t: Texts) -> list[ipywidgets.Widget]:
    limit = _UPLOAD[served()]
    upload = Upload(
        state.receive,
        label=t("Choose a file"),
        words=t("CSV, TSV or Parquet, packed with gzip if you like; up to {limit:count} MB.", limit=limit),
        sending=t("Sending the file …"),
        too_large=t(
            "The file is larger than {limit:count} MB: put it where this runs, and give its path.",
            limit=limit,
        ),
        limit=limit * 10**6,
    )
    return [
        upload,
        controls.text(
            state, "path", t("Or a path on the computer that runs this"), example="/data/orders.csv"
        ),
        _sample(state, t),
    ]


def _sample(state: LoadState, t: Texts) -> ipywidgets.Widget:
    button = controls.button(t("Load the sample shop"), state.load_sample)

    def show(_change: object = None) -> None:
        button.layout.display = "none" if state.tables or state.found else ""

    show()
    state.observe(show, ["tables", "found"])
    return button


def _questions(state: LoadState, t: Texts) -> list[ipywidgets.Widget]:
    """What one row is, and what the file may leave open."""
    kinds = [
        (t("customer with results"), UNIT),
        (t("variant with totals"), SUMMARY),
        *((name, name) for name in TABLES if name not in ("outcomes", "summaries")),
    ]
    orders = [
        (t("as the file shows"), None),
        (t("day first: 31/12"), "dmy"),
        (t("month first: 12/31"), "mdy"),
    ]
    marks = [(t("as the file shows"), None), (t("point: 1.5"), "."), (t("comma: 1,5"), ",")]
    experiment = controls.text(
        state, "experiment", t("Name of the experiment"), example=t("the name of the file")
    )
    asked = html("")

    def show(_change: object = None) -> None:
        needed = state.takes_experiment and not {"experiment", "experience_id"} & set(state.mapping)
        experiment.layout.display = "" if needed else "none"
        asked.value = "".join(
            f'<p class="wb-notice">{escape(t(question.question))}</p>' for question in state.questions
        )

    show()
    state.observe(show, ["holds", "mapping", "questions"])
    return [
        controls.choice(state, "holds", t("What one row is"), lambda: [(t("choose …"), None), *kinds]),
        experiment,
        asked,
        controls.choice(state, "date_order", t("Order of dates"), lambda: orders),
        controls.choice(state, "decimal", t("Decimal mark"), lambda: marks),
    ]


def _mapping(state: LoadState, t: Texts) -> ipywidgets.Widget:
    """A pick-list for each standard column; those that were not found are under “more”."""
    box = ipywidgets.VBox()

    def pick(name: str, label: str) -> ipywidgets.Dropdown:
        value = state.mapping.get(name)
        names = list(state.found.columns) if state.found else []
        constant = [value] if value and value not in names else []
        widget = ipywidgets.Dropdown(
            options=["–", *names, *(t("“{value}” in every row", value=item) for item in constant)],
            index=[None, *names, *constant].index(value),
            description=label,
            layout=controls.full(),
        )
        widget.observe(lambda change: state.choose(name, [None, *names, *constant][change.new]), "index")
        return widget

    def several(
        label: str, value: Sequence[str], write: Callable[[Sequence[str]], None]
    ) -> ipywidgets.SelectMultiple:
        names = list(state.found.columns) if state.found else []
        widget = ipywidgets.SelectMultiple(
            options=names,
            value=[name for name in value if name in names],
            rows=min(6, len(names)),
            description=label,
            layout=controls.full(),
        )
        widget.observe(lambda change: write(change.new), "value")
        return widget

    def fill(_change: object = None) -> None:
        seen: list[ipywidgets.Widget] = []
        others: list[ipywidgets.Widget] = []
        for column in state.columns():
            label = t("{name} (needed)", name=column.name) if column.required else column.name
            shown = column.required or column.name in state.mapping
            (seen if shown else others).append(pick(column.name, label))
        if state.holds == UNIT:
            seen.append(several(t("Results of each customer"), [*state.outcomes.values()], state.measure))
        if state.takes_attributes:
            seen.append(several(t("Further columns to keep"), [*state.attributes.values()], state.keep))
        title = html(f'<h2 class="wb-part">{escape(t("Which column is which"))}</h2>')
        grid = ipywidgets.Box(seen).add_class("wb-grid")
        rest = [controls.more(t, [ipywidgets.Box(others).add_class("wb-grid")])] if others else []
        box.children = [title, grid, *rest] if seen else []

    fill()
    state.observe(fill, "proposals")
    return box


def _preview(state: LoadState, t: Texts) -> ipywidgets.HTML:
    widget = html("")

    def write(_change: object = None) -> None:
        found = state.found
        if found is None:
            widget.value = ""
            return
        named = {**state.attributes, **state.outcomes, **state.mapping}
        known = {source: name for name, source in named.items()}
        rows = found.rows.slice(0, SHOWN_ROWS).to_pylist()
        head = "".join(
            f'<th scope="col">{escape(name)}<span>{escape(known.get(name, ""))}</span></th>'
            for name in found.columns
        )
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_cell(row[name]))}</td>" for name in found.columns) + "</tr>"
            for row in rows
        )
        title = t("The first {n:count} rows", n=len(rows))
        widget.value = (
            f'<h2 class="wb-part">{escape(title)}</h2><div class="wb-table wb-preview" tabindex="0" '
            f'role="group"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )

    write()
    state.observe(write, ["found", "mapping", "outcomes", "attributes"])
    return widget


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _report(state: LoadState, t: Texts) -> ipywidgets.Widget:
    """What came in of the last file."""
    words, rejected = html(""), Fold()

    def write(_change: object = None) -> None:
        report = state.report
        words.value = "" if report is None else _said(report, t)
        rejected.content = ""
        if report is not None and report.rejected:
            listed = report.rejected[:_LISTED]
            rejected.title = t("The rows that were left out ({n:count})", n=report.rejected_count)
            rows = [
                {
                    t("Line"): t.count(row.line),
                    t("Column"): row.column or "–",
                    t("Why"): t(row.reason),
                    t("In the file"): row.text,
                }
                for row in listed
            ]
            more = report.rejected_count - len(listed)
            rest = t("… and {n:count} more rows left out", n=more) if more > 0 else ""
            rejected.content = table(rows) + f"<p>{escape(rest)}</p>"

    write()
    state.observe(write, "report")
    return ipywidgets.VBox([words, rejected])


def _said(report: LoadReport, t: Texts) -> str:
    values = {"kept": report.rows_kept, "read": report.rows_read}
    sentence = {
        "event": t("{kept:count} of {read:count} rows are in “{table}” now.", **values, table=report.table),
        "unit": t(
            "{kept:count} of {read:count} customers are in, with their variants and results.", **values
        ),
        "summary": t("{kept:count} of {read:count} variants are in, with their totals.", **values),
    }[report.grain]
    notes = [t(note) for note in report.notes] + [
        t(
            "{question} It was taken to be “{assumed}”.",
            question=t(question.question),
            assumed=question.assumed,
        )
        for question in report.questions
    ]
    left = t("No row was left out.")
    if report.rejected_count:
        left = t("{n:count} rows were left out; they are listed below.", n=report.rejected_count)
    items = "".join(f"<li>{escape(note)}</li>" for note in [left, *notes])
    return f'<p class="wb-sentence" role="status">{escape(sentence)}</p><ul>{items}</ul>'


def _overview(state: LoadState, t: Texts) -> ipywidgets.VBox:
    """What the project holds, which screens can answer, and what looking over it brought."""
    words, fine = html(""), Fold()
    zone = ZoneInfo(state.project.settings.timezone)

    def day(second: int) -> str:
        return t.date(datetime.fromtimestamp(second, UTC).astimezone(zone).date())

    def write(_change: object = None) -> None:
        title = f'<h2 class="wb-part">{escape(t("What the project holds"))}</h2>'
        if not state.tables:
            hint = t("Nothing yet: choose a file, or load the sample shop.")
            words.value, fine.content = f"{title}<p>{escape(hint)}</p>", ""
            return
        rows = [
            {
                t("Table"): item.name,
                t("Rows"): t.count(item.rows),
                t("From"): day(item.seconds[0]) if item.seconds else "–",
                t("Until"): day(item.seconds[1]) if item.seconds else "–",
                t("Files"): ", ".join(item.sources),
            }
            for item in state.tables
        ]
        lights = _lights({item.name for item in state.tables}, t)
        open_ones = [finding for finding in state.findings if finding.status != "ok"]
        others = [finding for finding in state.findings if finding.status == "ok"]
        overview = f'<div class="wb-overview">{table(rows)}</div>'
        words.value = title + overview + lights + (checks(open_ones, t) if open_ones else "")
        fine.title = t("{n:count} checks are fine", n=len(others))
        fine.content = checks(others, t) if others else ""

    write()
    state.observe(write, "findings")
    return ipywidgets.VBox([words, fine])


def _lights(there: set[str], t: Texts) -> str:
    """What can be asked of these tables."""
    experiment = (
        "summaries" in there or {"exposures", "outcomes"} <= there or {"exposures", "orders"} <= there
    )
    lights = [
        (t("Segments"), "customers" in there, t("needs customers")),
        (t("Effect lab"), experiment, t("needs exposures and orders, or results by customer or by variant")),
        (t("Lifetime value"), "orders" in there, t("needs orders")),
    ]
    items = "".join(
        f'<li class="wb-{"ok" if ready else "warn"}"><span class="wb-sign" aria-hidden="true">'
        f"{'✓' if ready else '–'}</span><strong>{escape(name)}</strong> "
        f"<span>{escape(t('ready') if ready else needs)}</span></li>"
        for name, ready, needs in lights
    )
    return (
        f'<section class="wb-checks wb-lights"><h2 class="wb-part">{escape(t("What can be asked"))}</h2>'
        f"<ul>{items}</ul></section>"
    )


def _meanings(t: Texts) -> list[tuple[str, str]]:
    return [
        (
            t("Or a path on the computer that runs this"),
            t("For files of any size that are there already; nothing is copied through the page."),
        ),
        (
            t("What one row is"),
            t("Files of single doings (orders, exposures …), of customers, or of totals can all be read."),
        ),
        (t("Name of the experiment"), t("Where no column says which experiment a row belongs to.")),
        (t("Order of dates"), t("How 03/04/2026 is read; the file itself mostly shows it.")),
        (t("Decimal mark"), t("Whether 1.034 is about one or about a thousand.")),
        (
            t("Further columns to keep"),
            t("What is known of a customer beyond the standard columns; you can split results by it."),
        ),
    ]
