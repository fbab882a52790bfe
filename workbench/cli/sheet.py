"""Commands about what is used and for what, and about how groups of people fare."""

from __future__ import annotations

from pathlib import Path

import click

from workbench import storage
from workbench.cli.shared import in_folder, json_option, open_project, print_json
from workbench.locale import LANGUAGES


@click.command(name="data-sheet")
@in_folder
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it as an HTML page.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Of the page; the project's if not given.")
@json_option
def data_sheet(folder: Path, out: Path | None, language: str | None, as_json: bool) -> None:
    """Say what DIR holds, for what, where it came from, and who collected it."""
    from workbench.analyses import provenance, tools
    from workbench.charts.picture import in_words
    from workbench.publish import data_sheet as words
    from workbench.screens import titles

    project, t = open_project(folder)
    t = project.texts(language) if language else t
    sheet = project.data_sheet()
    if out is not None:
        text = words.document(sheet, titles(t), t, provenance.analyse(project), tools.analyse(project))
        storage.write_text(out, text)
    if as_json:
        print_json({**words.script(sheet, t), **({"path": str(out)} if out else {})})
        return
    click.echo(t(sheet.verdict))
    for row in words.rows(sheet, titles(t), t):
        click.echo(in_words([row]))
    click.echo(t(provenance.analyse(project).verdict))
    for check in sheet.checks:
        click.echo(f"{check.status}: {t(check.detail)}")
    if out is not None:
        click.echo(t("The page is {path}.", path=str(out)))


@click.command()
@in_folder
@click.argument("attribute", metavar="COLUMN")
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals.")
@click.option(
    "--matters", type=float, default=0.02, show_default=True, help="Smallest difference that matters."
)
@click.option("--days", type=int, help="Only so many days before the end of the data.")
@json_option
def fairness(
    folder: Path, attribute: str, level: float, matters: float, days: int | None, as_json: bool
) -> None:
    """Hold the groups of the customers' COLUMN against each other: what they buy, pay and get."""
    from workbench.charts.fairness import rows
    from workbench.charts.picture import in_words

    project, t = open_project(folder)
    found = project.fairness(attribute, level=level, matters=matters, days=days)
    if as_json:
        plain = found.model_dump(mode="json")
        plain["verdict"] = t(found.verdict)
        plain["checks"] = [
            {"name": check.name, "status": check.status, "detail": t(check.detail)} for check in found.checks
        ]
        for shown, measure in zip(plain["measures"], found.measures, strict=True):
            shown["title"], shown["about"] = t(measure.title), t(measure.about)
            for group, result in zip(shown["groups"], measure.groups, strict=True):
                group["refused"] = None if result.refused is None else t(result.refused)
        print_json(plain)
        return
    click.echo(t(found.verdict))
    for row in rows(found.measures, t):
        click.echo(in_words([row]))
    for check in found.checks:
        click.echo(f"{check.status}: {t(check.detail)}")


COMMANDS = (data_sheet, fairness)
