"""Commands that answer: segments, effects, lifetime values, pages."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from workbench import report
from workbench.cli.shared import in_folder, json_option, open_project, print_json
from workbench.errors import WorkbenchError
from workbench.locale import Texts
from workbench.records import AnyRecord

_ASSIGNMENT = click.Choice(["random", "adaptive", "rule", "self", "unknown"])
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@in_folder
@click.argument("name", metavar="NAME")
@click.argument("rule", metavar="RULE")
@json_option
def segment(folder: Path, name: str, rule: str, as_json: bool) -> None:
    """Save the segment NAME with its RULE, such as "country == 'ES' and orders_12m >= 3"."""
    project, t = open_project(folder)
    project.segments[name] = rule
    inside, everybody = project.segment_sizes()[name]
    if as_json:
        print_json({"name": name, "rule": rule, "customers": inside, "of": everybody})
    else:
        click.echo(
            t("{name}: {n:count} of {everybody:count} customers.", name=name, n=inside, everybody=everybody)
        )


@click.command()
@in_folder
@click.argument("experiment", metavar="EXPERIMENT")
@click.option("--metric", default="conversion", show_default=True)
@click.option("--by", help="A column of customers, a segment, or “segments” for all that are saved.")
@click.option("--control", help="The arm that the others are held against.")
@click.option("--assignment", type=_ASSIGNMENT)
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals.")
@click.option("--window-days", type=int, default=14, show_default=True, help="After the first exposure.")
@click.option("--prior", default="uniform", show_default=True, help="uniform, jeffreys, or A,B of a Beta.")
@click.option("--rope", type=float, default=0.01, show_default=True, help="Smallest lift that matters.")
@click.option("--split", help="Planned split, such as generic=50,personalised=50.")
@click.option("--lower-is-better", is_flag=True)
@json_option
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
    project, t = open_project(folder)
    record = project.effect(
        experiment, metric, prior=_prior(prior), planned_split=_split(split) if split else None, **settings
    )
    _show(record, t, as_json=as_json)


@click.command("not-random")
@in_folder
@click.argument("name", metavar="NAME")
@click.option("--metric", default="conversion", show_default=True)
@click.option(
    "--treatment",
    type=click.Choice(["experiment", "event", "column"]),
    default="experiment",
    show_default=True,
    help="What NAME is: an experiment, something people did, or a column of customers.",
)
@click.option("--arm", help="Who had it: the arm, or the value in the column.")
@click.option("--control", help="The arm or the value that they are held against.")
@click.option("--assignment", type=_ASSIGNMENT)
@click.option("--landmark", type=_DAY, help="The day from which on everybody is followed.")
@click.option("--since", type=_DAY, help="The first day on which it counts.")
@click.option("--window-days", type=int, default=28, show_default=True, help="After the landmark.")
@click.option("--covariate", "covariates", multiple=True, help="Adjusted for; what is usual without any.")
@click.option(
    "--target",
    type=click.Choice(["overlap", "treated", "everybody"]),
    default="overlap",
    show_default=True,
    help="Of whom it speaks: who could have gone either way, who had it, or everybody.",
)
@click.option("--placebo", help="A number from before it; for outcomes from a file.")
@click.option("--encouragement", help="A randomised experiment that moved people towards it.")
@click.option("--randomised", help="A randomised experiment to hold the answer against.")
@click.option("--split", help="Its planned split, such as generic=50,personalised=50.")
@click.option("--second-opinion", is_flag=True, help="Ask DoubleML too.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals.")
@json_option
def not_random(
    folder: Path,
    name: str,
    metric: str,
    as_json: bool,
    landmark: datetime | None,
    since: datetime | None,
    covariates: tuple[str, ...],
    split: str | None,
    **settings: Any,
) -> None:
    """Hold who had NAME against others where chance did not decide: an association, never an effect."""
    project, t = open_project(folder)
    record = project.not_random(
        name,
        metric,
        landmark=landmark and landmark.date(),
        since=since and since.date(),
        covariates=covariates or None,
        planned_split=_split(split) if split else None,
        **settings,
    )
    _show(record, t, as_json=as_json)


def _show(record: AnyRecord, t: Texts, *, as_json: bool) -> None:
    if as_json:
        print_json(report.script(record, t))
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


@click.command()
@in_folder
@click.option("--by", help="A column of customers, a segment, or an experiment for its arms.")
@click.option("--within", help="A column or a segment in which the arms are compared as well.")
@click.option(
    "--model", type=click.Choice(["bg-nbd", "mbg-nbd", "pareto-nbd"]), default="bg-nbd", show_default=True
)
@click.option(
    "--definition",
    type=click.Choice(["revenue", "margin", "net"]),
    help="What a value is; what is given below says it otherwise.",
)
@click.option(
    "--margin", default="1", show_default=True, help="Share of revenue that is kept, or “measured”."
)
@click.option("--cost-per-order", type=float, default=0.0, help="What a purchase costs, in money.")
@click.option("--service-cost-per-year", type=float, default=0.0, help="Of a customer, in money.")
@click.option("--acquisition-cost", help="Of a customer: an amount, “measured”, or mobile=12,desktop=20.")
@click.option("--first-purchase", is_flag=True, help="Count the first purchase too.")
@click.option("--horizon-weeks", type=int, default=52, show_default=True)
@click.option("--endless", is_flag=True, help="No horizon; needs a discount.")
@click.option("--discount-per-year", type=float, default=0.1, show_default=True)
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals.")
@click.option("--until", type=_DAY, help="Last day that is used.")
@click.option("--confirm", is_flag=True, help="Sample the same posterior with PyMC as well.")
@json_option
def value(
    folder: Path,
    as_json: bool,
    until: datetime | None,
    margin: str,
    acquisition_cost: str | None,
    horizon_weeks: int,
    endless: bool,
    **settings: Any,
) -> None:
    """Estimate what customers are worth, with a posterior, by group."""
    project, t = open_project(folder)
    record = project.lifetime_value(
        until=until.date() if until else None,
        margin=_amount(margin),
        acquisition_cost=None if acquisition_cost is None else _amounts(acquisition_cost),
        horizon_weeks=None if endless else horizon_weeks,
        **settings,
    )
    _show(record, t, as_json=as_json)


def _amount(text: str) -> float | str:
    """A number, or the word that has it measured."""
    try:
        return text if text == "measured" else float(text)
    except ValueError as error:
        raise WorkbenchError("“{amount}” is neither a number nor “measured”.", amount=text) from error


def _amounts(text: str) -> float | str | dict[str, float]:
    """One amount, or one for each group."""
    if "=" not in text:
        return _amount(text)
    pairs = [part.partition("=") for part in text.split(",")]
    try:
        return {name.strip(): float(amount) for name, _, amount in pairs}
    except ValueError as error:
        raise WorkbenchError(
            "The costs “{costs}” are none: write them like mobile=12,desktop=20.", costs=text
        ) from error


COMMANDS = (segment, effect, not_random, value)
