"""The widgets for what came of loading files."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets

from workbench.locale import Texts
from workbench.publish.result import html, table
from workbench.screens.frame import messages
from workbench.screens.load_run import LoadRun
from workbench.screens.long_table import LongTable
from workbench.screens.recipe_list import RecipeList
from workbench.screens.recipes_view import remembering
from workbench.tables.report import LoadReport, Rejection
from workbench.tables.vendors import known_vendors


def view(run: LoadRun, recipes: RecipeList, t: Texts) -> ipywidgets.Widget:
    """What came in of the last files, what did not, and the way to read the next ones alike."""
    words, rejected = html(""), LongTable(t, file="left-out")
    box = ipywidgets.VBox([messages(run, t), words, rejected, remembering(recipes, t)])

    def show(_change: object = None) -> None:
        said = (run.report, run.problem, run.notice, recipes.offered, recipes.notice)
        box.layout.display = "" if any(one is not None for one in said) else "none"

    def write(_change: object = None) -> None:
        report = run.report
        words.value = "" if report is None else _said(report, run.recipe, t)
        listed, count = ((), 0) if report is None else (report.rejected, report.rejected_count)
        show_left_out(rejected, t("The rows that were left out ({n:count})", n=count), listed, count, t)

    write()
    show()
    run.observe(write, "report")
    run.observe(show, ["report", "problem", "notice"])
    recipes.observe(show, ["offered", "notice"])
    return box


def show_left_out(place: LongTable, title: str, rows: Sequence[Rejection], count: int, t: Texts) -> None:
    """Rows that are left out, each with its place and the reason; the title says where not all are listed."""
    several = any(row.file for row in rows)
    listed = [
        {
            **({t("File"): row.file} if several else {}),
            t("Line"): t.count(row.line),
            t("Column"): row.column or "–",
            t("Why"): t(row.reason),
            t("In the file"): row.text,
        }
        for row in rows
    ]
    more = count - len({(row.file, row.line) for row in rows})
    if more > 0:
        title += " – " + t("the first {n:count} are listed", n=count - more)
    place.show(title, listed, values={t("Line"): [row.line for row in rows]})


def _said(report: LoadReport, recipe: str | None, t: Texts) -> str:
    notes = [t("No row was left out.")]
    if report.rejected_count:
        notes = [t("{n:count} rows were left out; they are listed below.", n=report.rejected_count)]
    if recipe:
        notes.append(t("Read as the recipe “{name}” says.", name=recipe))
    notes += [t(note) for note in report.notes]
    notes += [
        t(
            "{question} It was taken to be “{assumed}”.",
            question=t(question.question),
            assumed=question.assumed,
        )
        for question in report.questions
    ]
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        f'<p class="wb-sentence" role="status">{escape(_sentence(report, t))}</p>'
        f"{_added(report, t)}<ul>{items}</ul>"
    )


def _sentence(report: LoadReport, t: Texts) -> str:
    values = {"kept": report.rows_kept, "read": report.rows_read}
    if len(report.files) > 1:
        words = "{kept:count} of {read:count} rows of {files:count} files are in."
        return t(words, **values, files=len(report.files))
    if report.vendor:
        title = known_vendors()[report.vendor].title
        return t("{kept:count} of {read:count} rows of “{title}” are in.", **values, title=title)
    return {
        "event": t("{kept:count} of {read:count} rows are in “{table}” now.", **values, table=report.table),
        "unit": t(
            "{kept:count} of {read:count} customers are in, with their variants and results.", **values
        ),
        "summary": t("{kept:count} of {read:count} variants are in, with their totals.", **values),
    }[report.grain]


def _added(report: LoadReport, t: Texts) -> str:
    """By how much each table has grown."""
    rows = [{t("Table"): name, t("New rows"): t.count(rows)} for name, rows in report.added.items()]
    return table(rows)
