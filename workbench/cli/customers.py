"""Commands about customers: one by one, their contracts, occasions and cohorts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from workbench.cli.shared import in_folder, json_option, open_project, print_json


@click.command()
@in_folder
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--table", help="A table where the project's tables are, instead of FILE.")
@click.option(
    "--model",
    type=click.Choice(["bg-nbd", "mbg-nbd", "pareto-nbd"]),
    default="mbg-nbd",
    show_default=True,
)
@click.option("--horizon-weeks", type=float, default=52, show_default=True)
@click.option("--discount-per-year", type=float, default=0.1, show_default=True)
@click.option("--margin", type=float, default=1.0, show_default=True, help="Share of revenue that is kept.")
@click.option("--quiet-weeks", type=float, default=13, show_default=True, help="For “no_purchase”.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day that is used.")
@json_option
def scores(folder: Path, file: Path | None, until: datetime | None, as_json: bool, **settings: Any) -> None:
    """Write what every customer is expected to do and to bring to FILE (.parquet or .csv), or a table."""
    project, t = open_project(folder)
    told = project.scores(file, until=until.date() if until else None, **settings)
    if as_json:
        print_json(asdict(told))
        return
    click.echo(
        t(
            "{n:count} customers are in {path}: {alive:percent} of them are probably still there; "
            "{purchases:count} purchases are expected, which bring {value:money}.",
            n=told.customers,
            path=told.place,
            alive=told.alive,
            purchases=told.purchases,
            value=told.value,
        )
    )


@click.command()
@in_folder
@click.option("--by", help="A column of customers, a segment, or an experiment for its arms.")
@click.option(
    "--period",
    type=click.Choice(["week", "month", "quarter", "year"]),
    default="month",
    show_default=True,
    help="How often contracts are renewed.",
)
@click.option("--model", type=click.Choice(["best", "sbg", "bdw"]), default="best", show_default=True)
@click.option("--horizon", type=int, default=36, show_default=True, help="Payments that are counted.")
@click.option("--discount-per-year", type=float, default=0.1, show_default=True)
@click.option("--payment", type=float, default=1.0, show_default=True, help="Margin of a payment.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals.")
@json_option
def contracts(folder: Path, as_json: bool, **settings: Any) -> None:
    """Say how long contracts are kept and what they bring."""
    from workbench.charts.contracts import difference_rows, group_rows
    from workbench.charts.picture import in_words

    project, t = open_project(folder)
    found = project.contracts(**settings)
    if as_json:
        print_json({**asdict(found), "sentence": t(found.sentence), "checks": _checks(found, t)})
        return
    click.echo(t(found.sentence))
    for row in [*group_rows(found, t), *difference_rows(found, t)]:
        click.echo(in_words([row]))
    for check in found.checks:
        click.echo(f"{check.status}: {t(check.detail)}")


@click.command()
@in_folder
@click.option(
    "--of", default="orders", show_default=True, help="“orders”, “opened” (messages), or an event’s name."
)
@click.option(
    "--period",
    type=click.Choice(["week", "month", "quarter"]),
    default="month",
    show_default=True,
    help="One occasion each.",
)
@click.option("--by", help="A column of customers, a segment, or an experiment for its arms.")
@click.option("--horizon", type=int, default=6, show_default=True, help="Occasions to come that are counted.")
@click.option("--held-periods", type=int, help="The last ones are held back; a third unless given.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day that is used.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals.")
@json_option
def occasions(folder: Path, until: datetime | None, as_json: bool, **settings: Any) -> None:
    """Say who still takes their occasions, one a period, and how many they will take."""
    from workbench.charts.occasions import difference_rows, group_rows, method_rows
    from workbench.charts.picture import in_words

    project, t = open_project(folder)
    found = project.occasions(until=until.date() if until else None, **settings)
    if as_json:
        print_json({**asdict(found), "sentence": t(found.sentence), "checks": _checks(found, t)})
        return
    for check in found.checks:
        click.echo(f"{check.status}: {t(check.detail)}")
    held = [] if found.foretold is None else method_rows(found.foretold, t)
    for row in held:
        click.echo(in_words([row]))
    click.echo(t(found.sentence))
    for row in [*group_rows(found, t), *difference_rows(found, t)]:
        click.echo(in_words([row]))


@click.command()
@in_folder
@click.option(
    "--start",
    default="first_order",
    show_default=True,
    help="Or “signed_up”, or “exposure:” and an experiment.",
)
@click.option(
    "--period", type=click.Choice(["day", "week", "month", "quarter"]), default="month", show_default=True
)
@click.option("--by", help="A column of customers whose values are the cohorts.")
@click.option("--mix-by", help="A column of customers: what cohorts are made of.")
@click.option("--margin", type=float, default=1.0, show_default=True, help="Share of revenue that is kept.")
@click.option("--compare", nargs=2, help="Two cohorts by name, such as 2025-01-01 2025-06-01.")
@click.option("--age", type=int, help="At which they are compared, in periods from 0.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day that is used.")
@click.option("--project-periods", type=int, default=12, show_default=True, help="How far value is foretold.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals.")
@json_option
def cohorts(folder: Path, until: datetime | None, as_json: bool, **settings: Any) -> None:
    """Say what customers who began together did at the same age, and keep the result."""
    from workbench import report

    project, t = open_project(folder)
    record = project.cohorts(until=until.date() if until else None, **settings)
    if as_json:
        print_json(report.script(record, t))
        return
    click.echo(report.text(record, t))


def _checks(found: Any, t: Any) -> list[dict[str, str]]:
    return [{"name": one.name, "status": one.status, "detail": t(one.detail)} for one in found.checks]


COMMANDS = (scores, contracts, occasions, cohorts)
