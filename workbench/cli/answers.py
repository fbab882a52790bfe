"""`workbench …`: everything a page can do, for scripts and schedulers.

Each command prints text for people, or with `--json` one object for machines. What a person can put right
ends with one sentence on standard error and exit code 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from workbench import report
from workbench.errors import WorkbenchError
from workbench.locale import LANGUAGES, Texts
from workbench.project import Project


class _Group(click.Group):
    """Turns what a person can put right into one sentence, in the language of the project once it is open."""

    def invoke(self, ctx: click.Context) -> Any:
        ctx.obj = Texts()
        try:
            return super().invoke(ctx)
        except WorkbenchError as error:
            raise click.ClickException(ctx.obj(error.message)) from error


def _open(folder: Path) -> tuple[Project, Texts]:
    """The project in `folder` and its language, in which errors are told from now on."""
    project = Project.open(folder)
    t = project.texts()
    click.get_current_context().find_root().obj = t
    return project, t


def _json_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="personalization-workbench")
def main() -> None:
    """Personalization Workbench: from raw exports to an honest, published answer."""


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", help="What the project is called; the folder's name if not given.")
@click.option("--currency", default="EUR", show_default=True, help="ISO code of all money.")
@click.option("--timezone", default="UTC", show_default=True, help="IANA name, such as Europe/Madrid.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@_json_option
def create(
    folder: Path, name: str | None, currency: str, timezone: str, language: str, as_json: bool
) -> None:
    """Make a new project in DIR."""
    project = Project.create(folder, name=name, currency=currency, timezone=timezone, language=language)
    if as_json:
        _print_json({"path": str(project.path), **project.settings.model_dump()})
    else:
        t = project.texts()
        click.echo(t("There is a new project in {path}.", path=str(folder)))


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--table", help="Standard table; guessed if not given.")
@click.option("--grain", type=click.Choice(["event", "unit", "summary"]), help="What one row is.")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Mapping of columns, a JSON file.")
@click.option("--experiment", help="Name of the experiment, for files that do not say.")
@click.option("--date-order", type=click.Choice(["day-first", "month-first"]), help="How 05/04 is read.")
@click.option("--decimal", type=click.Choice([".", ","]), help="Decimal mark.")
@_json_option
def load(folder: Path, file: Path, map_file: Path | None, as_json: bool, **options: Any) -> None:
    """Read FILE (CSV or Parquet) into the project in DIR."""
    project, t = _open(folder)
    mapping = _read_map(map_file) if map_file else None
    given = {key: value for key, value in options.items() if value is not None}
    loaded = project.load(file, mapping=mapping, **given)
    if as_json:
        _print_json(loaded.to_json_dict())
        return
    click.echo(
        t(
            "{kept:count} of {read:count} rows of {file} are in {table} now.",
            kept=loaded.rows_kept,
            read=loaded.rows_read,
            file=file.name,
            table=loaded.table,
        )
    )
    for note in loaded.notes:
        click.echo(f"  {t(note)}")
    for row in loaded.rejected[:10]:
        click.echo(
            "  "
            + t(
                "line {line}, {column}: {reason} ({text})",
                line=row.line,
                column=row.column or "–",
                reason=t(row.reason),
                text=row.text[:60],
            )
        )
    if loaded.rejected_count > 10:
        click.echo("  " + t("… and {n:count} more rows left out", n=loaded.rejected_count - 10))
    for question in loaded.questions:
        click.echo("? " + t(question.question))


def _read_map(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorkbenchError(
            "The map {file} cannot be read: {reason}.", file=str(file), reason=error.strerror or str(error)
        ) from error
    except ValueError as error:
        raise WorkbenchError(
            "The map {file} is not JSON: {reason}.", file=str(file), reason=str(error)
        ) from error
    if not isinstance(found, dict):
        raise WorkbenchError(
            "The map {file} has to be one JSON object, from our column to the file's.", file=str(file)
        )
    return found


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("name", metavar="NAME")
@click.argument("rule", metavar="RULE")
@_json_option
def segment(folder: Path, name: str, rule: str, as_json: bool) -> None:
    """Save the segment NAME with its RULE, such as "country == 'ES' and orders_12m >= 3"."""
    project, t = _open(folder)
    project.segments[name] = rule
    inside, everybody = project.segment_sizes()[name]
    if as_json:
        _print_json({"name": name, "rule": rule, "customers": inside, "of": everybody})
    else:
        click.echo(
            t("{name}: {n:count} of {everybody:count} customers.", name=name, n=inside, everybody=everybody)
        )


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("experiment", metavar="EXPERIMENT")
@click.option("--metric", default="conversion", show_default=True)
@click.option("--by", help="A column of customers, a segment, or “segments” for all that are saved.")
@click.option("--control", help="The arm that the others are held against.")
@click.option("--assignment", type=click.Choice(["random", "rule", "self", "unknown"]))
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals.")
@click.option("--window-days", type=int, default=14, show_default=True, help="After the first exposure.")
@click.option("--prior", default="uniform", show_default=True, help="uniform, jeffreys, or A,B of a Beta.")
@click.option("--rope", type=float, default=0.01, show_default=True, help="Smallest lift that matters.")
@click.option("--split", help="Planned split, such as generic=50,personalised=50.")
@click.option("--lower-is-better", is_flag=True)
@_json_option
def effect(
    folder: Path,
    experiment: str,
    metric: str,
    as_json: bool,
    prior: str,
    split: str | None,
    **settings: Any,
) -> None:
    """Hold the arms of EXPERIMENT against each other."""
    project, t = _open(folder)
    record = project.effect(
        experiment, metric, prior=_prior(prior), planned_split=_split(split) if split else None, **settings
    )
    if as_json:
        _print_json(report.script(record, t))
    else:
        click.echo(report.text(record, t))


def _prior(text: str) -> tuple[float, float]:
    named = {"uniform": (1.0, 1.0), "jeffreys": (0.5, 0.5)}
    if text.lower() in named:
        return named[text.lower()]
    try:
        a, b = (float(part) for part in text.split(","))
    except ValueError as error:
        raise WorkbenchError(
            "The prior “{prior}” is not one: write uniform, jeffreys, or two numbers such as 2,38.",
            prior=text,
        ) from error
    return a, b


def _split(text: str) -> dict[str, float]:
    try:
        return {arm.strip(): float(share) for arm, share in (part.split("=") for part in text.split(","))}
    except ValueError as error:
        raise WorkbenchError(
            "The split “{split}” is not one: write it like generic=50,personalised=50.", split=text
        ) from error


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--by", help="A column of customers, a segment, or an experiment for its arms.")
@click.option("--model", type=click.Choice(["bg-nbd", "mbg-nbd"]), default="bg-nbd", show_default=True)
@click.option("--horizon-weeks", type=int, default=52, show_default=True)
@click.option("--discount-per-year", type=float, default=0.1, show_default=True)
@click.option("--margin", type=float, default=1.0, show_default=True, help="Share of revenue that is kept.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day that is used.")
@click.option("--confirm", is_flag=True, help="Sample the same posterior with PyMC as well.")
@_json_option
def value(folder: Path, as_json: bool, until: datetime | None, **settings: Any) -> None:
    """Estimate what customers are worth, with a posterior, by group."""
    project, t = _open(folder)
    record = project.lifetime_value(until=until.date() if until else None, **settings)
    if as_json:
        _print_json(report.script(record, t))
    else:
        click.echo(report.text(record, t))


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("records", metavar="RECORD…", nargs=-1, required=True)
@click.option("--title", required=True)
@_json_option
def publish(folder: Path, records: tuple[str, ...], title: str, as_json: bool) -> None:
    """Write a page that shows these records and holds nothing else."""
    project, t = _open(folder)
    bundle = project.publish([project.records[record] for record in records], title)
    if as_json:
        _print_json({"path": str(bundle.path), "slug": bundle.slug, "files": bundle.files})
    else:
        click.echo(t("“{title}” is in {path}.", title=title, path=str(bundle.path)))


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(1, 65535), default=8866, show_default=True)
@click.option("--screens", is_flag=True, help="Serve the analyst's screens as well; they can read the data.")
def serve(folder: Path, port: int, screens: bool) -> None:
    """Show the published pages of DIR on this machine, until Ctrl-C."""
    from workbench.publish.site import serve_project

    project, t = _open(folder)

    def ready(url: str) -> None:
        click.echo(t("The pages are at {url} — stop with Ctrl-C.", url=url))

    serve_project(project, port=port, screens=screens, ready=ready)


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put a new one in the place of an earlier demo.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@_json_option
def demo(folder: Path, replace: bool, language: str, as_json: bool) -> None:
    """Do the main job on the sample data, from files to a published page."""
    from workbench.demo import run

    def progress(text: str) -> None:
        click.echo(text, err=as_json)

    result = run(folder, language=language, replace=replace, progress=progress)
    if as_json:
        _print_json(result)


if __name__ == "__main__":
    main()
