"""Commands about customers one by one and about contracts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from workbench.cli.shared import in_folder, json_option, open_project, print_json


@click.command()
@in_folder
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
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
def scores(folder: Path, file: Path, until: datetime | None, as_json: bool, **settings: Any) -> None:
    """Write what every customer is expected to do and to bring to FILE (.parquet or .csv)."""
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
            path=str(told.path),
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


def _checks(found: Any, t: Any) -> list[dict[str, str]]:
    return [{"name": one.name, "status": one.status, "detail": t(one.detail)} for one in found.checks]


COMMANDS = (scores, contracts)
