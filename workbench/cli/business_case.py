"""The command that makes the business case of a kept result."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench import storage
from workbench.cli.shared import in_folder, json_option, open_project, print_json
from workbench.errors import WorkbenchError
from workbench.locale import LANGUAGES, Texts

if TYPE_CHECKING:
    from workbench.analyses.business_case import BusinessCase


@click.command("business-case")
@in_folder
@click.argument("record", metavar="RECORD")
@click.option("--customers-per-month", type=float, help="As in the experiment’s last weeks if not given.")
@click.option("--share", type=float, default=0.95, show_default=True, help="The rest is held out.")
@click.option("--margin", type=float, default=1.0, show_default=True, help="Share of revenue that is left.")
@click.option("--unit-value", type=float, help="Of one conversion or the like, in money.")
@click.option("--months", type=int, default=12, show_default=True, help="Up to when gains count.")
@click.option("--half-life-months", type=float, help="In which the effect halves; it stays if not given.")
@click.option("--cost-once", type=float, default=0.0, show_default=True)
@click.option("--cost-per-month", type=float, default=0.0, show_default=True)
@click.option("--cost-per-customer", type=float, default=0.0, show_default=True)
@click.option("--discount-per-year", type=float, default=0.1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it: .html or .pdf.")
@click.option("--paper", type=click.Choice(["a4", "letter"]), default="a4", show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), help="Of the page; the project's if not given.")
@json_option
def business_case(
    folder: Path,
    record: str,
    out: Path | None,
    paper: str,
    language: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Make the one-page case for or against paying for what RECORD, a kept result, has found."""
    from workbench.analyses import business_case_words as words
    from workbench.charts.picture import in_words
    from workbench.publish.business_case import document

    project, t = open_project(folder)
    t = project.texts(language) if language else t
    case = project.business_case(record, **settings)
    if out is not None:
        html = document(case)
        if out.suffix.lower() == ".pdf":
            from workbench.publish.pdf import sheet_pdf

            printed = sheet_pdf(html, project.path, language=t.language, paper=paper)
            with storage.replacing(out) as file:
                file.write_bytes(printed)
        elif out.suffix.lower() in (".html", ".htm"):
            storage.write_text(out, html)
        else:
            raise WorkbenchError(
                "{path} is neither a page nor a PDF; let its name end with .html or .pdf.", path=str(out)
            )
    if as_json:
        print_json({**_script(case, t), **({"path": str(out)} if out else {})})
        return
    click.echo(t(words.sentence(case)))
    for figure in words.figures(case, t):
        click.echo(f"{figure.label}: {figure.value}, {figure.detail}")
    for item in (*words.problem(case), *words.plan(case), *words.notes(case)):
        click.echo(t(item))
    for row in words.assumption_rows(case, t):
        click.echo(in_words([row]))
    if out is not None:
        click.echo(t("The page is {path}.", path=str(out)))


def _script(case: BusinessCase, t: Texts) -> dict[str, Any]:
    """The case as plain values, its sentences in the reader's language."""
    from workbench.analyses import business_case_words as words

    customers = case.course.customers
    return {
        "record": case.record.id,
        "verdict": t(words.sentence(case)),
        "outcome": case.outcome,
        "settings": case.settings.model_copy(update={"customers_per_month": customers}).model_dump(),
        "probability_pays": case.pays,
        "asked_probability": case.threshold,
        "net": asdict(case.net),
        "cost": case.cost,
        "return_on_cost": case.roi and asdict(case.roi),
        "break_even_month": case.month,
        "break_even_months": case.month_interval,
        "worst_5_percent": case.worst,
        "perfect_information": case.information,
        "fan": [{"month": month, **asdict(one)} for month, one in enumerate(case.fan)],
        "paid_back_by_month": case.back,
        "limits": [
            {"name": sure.name, "likely": even.limit, "sure": sure.limit, "least": sure.least}
            for even, sure in zip(case.even, case.limits, strict=True)
        ],
        "hold_out": case.hold_out and asdict(case.hold_out),
        "longer": case.longer and asdict(case.longer),
        "plan": [t(item) for item in words.plan(case)],
        "notes": [t(item) for item in words.notes(case)],
    }


COMMANDS = (business_case,)
