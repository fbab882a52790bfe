"""Commands about data: projects, files, checks, and the people in them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from workbench import report
from workbench.cli.shared import in_folder, json_option, open_project, print_json
from workbench.locale import LANGUAGES
from workbench.metrics.catalogue import losses
from workbench.project import Project
from workbench.tables import recipe as recipes


@click.command()
@in_folder
@click.option("--name", help="What the project is called; the folder's name if not given.")
@click.option("--currency", default="EUR", show_default=True, help="ISO code of all money.")
@click.option("--timezone", default="UTC", show_default=True, help="IANA name, such as Europe/Madrid.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@json_option
def create(
    folder: Path, name: str | None, currency: str, timezone: str, language: str, as_json: bool
) -> None:
    """Make a new project in DIR."""
    project = Project.create(folder, name=name, currency=currency, timezone=timezone, language=language)
    if as_json:
        print_json({"path": str(project.path), **project.settings.model_dump()})
    else:
        t = project.texts()
        click.echo(t("There is a new project in {path}.", path=str(folder)))


@click.command()
@in_folder
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--table", help="Standard table; guessed if not given.")
@click.option("--grain", type=click.Choice(["event", "unit", "summary"]), help="What one row is.")
@click.option("--vendor", help="System whose export it is, such as ga4; found by its columns if not given.")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Mapping of columns, a JSON file.")
@click.option("--recipe", "recipe_name", help="Name of a recipe of the project, or the file of one.")
@click.option("--save-recipe", metavar="NAME", help="Keep how the files were read, for the next ones.")
@click.option("--experiment", help="Name of the experiment, for files that do not say.")
@click.option("--date-order", type=click.Choice(["day-first", "month-first"]), help="How 05/04 is read.")
@click.option("--decimal", type=click.Choice([".", ","]), help="Decimal mark.")
@click.option("--sheet", help="Sheet of a workbook.")
@click.option("--encoding", help="How the text is written, such as mac_roman; found if not given.")
@json_option
def load(
    folder: Path,
    files: tuple[str, ...],
    map_file: Path | None,
    recipe_name: str | None,
    save_recipe: str | None,
    date_order: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Read FILES into the project in DIR: CSV, TSV, Excel, JSON or Parquet; files, folders or patterns."""
    project, t = open_project(folder)
    given = {key: value for key, value in options.items() if value is not None}
    if date_order:
        given["date_order"] = {"day-first": "dmy", "month-first": "mdy"}[date_order]
    recipe = _recipe(project, recipe_name)
    if map_file:
        mapped = recipes.read(map_file)
        recipe = mapped if recipe is None else recipe.with_settings({"mapping": mapped.mapping})
    with _progress(as_json) as progress:
        loaded = project.load(list(files), recipe=recipe, progress=progress, **given)
    if save_recipe:
        project.recipes[save_recipe] = loaded.recipe
    if as_json:
        print_json(loaded.to_json_dict())
    else:
        for line in report.load_lines(loaded, t):
            click.echo(line)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """A bar on a terminal; nothing where a program reads the output."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1000, file=sys.stderr) as bar:
        yield lambda share: bar.update(round(1000 * share) - bar.pos)


def _recipe(project: Project, name: str | None) -> recipes.Recipe | None:
    """A recipe by its name in the project, or by its file."""
    if name is None:
        return None
    return recipes.read(Path(name)) if name.endswith(".json") else project.recipes[name]


@click.command()
@in_folder
@click.option(
    "--without",
    metavar="TABLE.COLUMN",
    multiple=True,
    help="Say what would be lost without this column, such as one that others collected; may be repeated.",
)
@json_option
def check(folder: Path, without: tuple[str, ...], as_json: bool) -> None:
    """Say what is in the tables of DIR, what does not fit together, and what can be computed from them."""
    project, t = open_project(folder)
    if without:
        lost = losses(project.everything, dict.fromkeys(without, "third"))
        if as_json:
            print_json([report.loss_script(one, t) for one in lost])
        else:
            for line in report.loss_lines(lost, t):
                click.echo(line)
        return
    checks, ready = project.checks(), project.readiness()
    if as_json:
        print_json(report.check_script(checks, ready, t))
    else:
        for line in report.check_lines(checks, ready, t):
            click.echo(line)


@click.command()
@in_folder
@click.argument("person", metavar="ID")
@click.argument("target", metavar="FOLDER", type=click.Path(path_type=Path))
@json_option
def export(folder: Path, person: str, target: Path, as_json: bool) -> None:
    """Write all that DIR holds about the person ID into FOLDER, a CSV file a table."""
    project, t = open_project(folder)
    found = project.people.export(person, target)
    if as_json:
        print_json({"path": str(target), "rows": found})
        return
    for name, rows in found.items():
        click.echo(t("{table}: {n:count} rows are in {path}.", table=name, n=rows, path=str(target)))


@click.command()
@in_folder
@click.argument("person", metavar="ID")
@click.confirmation_option("--yes", prompt="This cannot be undone. Erase this person?")
@json_option
def erase(folder: Path, person: str, as_json: bool) -> None:
    """Erase the person ID from DIR for good; files that are loaded later leave them out."""
    project, t = open_project(folder)
    gone = project.people.erase(person)
    if as_json:
        print_json({"rows": gone})
        return
    if not gone:
        click.echo(t("Nothing was known of that person; they will be left out of later files."))
    for name, rows in gone.items():
        click.echo(t("{table}: {n:count} rows were erased.", table=name, n=rows))


@click.command(name="remove-old")
@in_folder
@json_option
def remove_old(folder: Path, as_json: bool) -> None:
    """Remove the rows of DIR that are older than its processing.toml says they may be."""
    project, t = open_project(folder)
    gone = project.people.remove_due()
    if as_json:
        print_json({"rows": gone})
        return
    if not gone:
        click.echo(t("No row is older than it may be."))
    for name, rows in gone.items():
        click.echo(t("{table}: {n:count} rows were removed.", table=name, n=rows))


@click.command()
@in_folder
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="How many entries.")
@json_option
def log(folder: Path, last: int, as_json: bool) -> None:
    """Show who did what with people's data in DIR, the newest last."""
    project, t = open_project(folder)
    entries, damaged = project.people.access.entries()
    if as_json:
        print_json({"entries": [asdict(entry) for entry in entries[-last:]], "damaged": damaged})
        return
    for entry in entries[-last:]:
        about = ", ".join(f"{name}: {value}" for name, value in entry.details.items())
        click.echo(f"{entry.time}  {entry.user}  {entry.action}  {entry.person or ''}  {about}".rstrip())
    if damaged:
        click.echo(t("Lines of the log that cannot be read: {n:count}.", n=damaged), err=True)


@click.command(name="recipes")
@in_folder
@json_option
def list_recipes(folder: Path, as_json: bool) -> None:
    """List the recipes of DIR: how its files are read."""
    project, t = open_project(folder)
    found = dict(project.recipes)
    if as_json:
        print_json({name: recipe.model_dump(exclude_none=True) for name, recipe in found.items()})
        return
    if not found:
        click.echo(t("There are no recipes yet; load a file with --save-recipe NAME."))
    for name, recipe in found.items():
        click.echo(f"{name}: {recipe.vendor or recipe.table or recipe.grain}  {', '.join(recipe.columns)}")


COMMANDS = (create, load, check, list_recipes, export, erase, remove_old, log)
