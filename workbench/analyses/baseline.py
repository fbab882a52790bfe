"""What a test can be planned on: what customers do without it, and how many of them come.

Rates are those of the people who came in the last weeks whose window is over; traffic is how many different
people were seen in the last week, the last two weeks, and so on, since many of those who come in a second
week were there in the first one, too. Either can be given by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.analyses.groups import rules_for
from workbench.analyses.planned import LONGEST, DesignSettings
from workbench.clock import DAY
from workbench.decisions import Unit
from workbench.engines import has, span, table
from workbench.errors import DataError, check_between
from workbench.locale import say
from workbench.metrics import actions, base_rates
from workbench.metrics.actions import ORDERED, Timed
from workbench.metrics.base_rates import ARM, WEEK
from workbench.metrics.cells import Cell, ask, fetch_cells
from workbench.metrics.per_customer import histograms
from workbench.models.planning import Period
from workbench.models.stopping import Average, Metric, Share
from workbench.moments import Histogram

if TYPE_CHECKING:
    from workbench.project import Project

HISTORY_WEEKS = 4
"""Weeks in which the people enter of whom rates are taken."""


@dataclass(frozen=True)
class Base:
    """What a customer does without the test, and how many there are.

    Attributes:
        metric: How one customer's value is modelled.
        unit: What it is counted in.
        customers: Of how many the rate was taken; None where it was given by hand.
        reach: Customers who could have entered by the end of each week, from the first.
        known_weeks: Weeks of `reach` that were seen; the rest goes on as the last one.
        histogram: Which values there were; None where the rate was given by hand.
    """

    metric: Metric
    unit: Unit
    customers: int | None
    reach: tuple[float, ...]
    known_weeks: int
    histogram: Histogram | None = field(default=None, compare=False)


def metrics(project: Project) -> list[str]:
    """The metrics that a test can be planned on with the project's own rates."""
    engine = project.engine
    found = list(ORDERED) if has(engine, "orders") else []
    if has(engine, "events"):
        names = ask(engine, actions.names(table(engine, "events"))).to_pylist()
        often = sorted((row for row in names if row["name"]), key=lambda row: (-row["n"], row["name"]))
        for row in often[: actions.MOST_NAMES]:
            found += [f"any:{row['name']}", f"event:{row['name']}"]
    return found


def base_of(project: Project, settings: DesignSettings) -> Base:
    """Rates and traffic, from the project as far as they are not given by hand.

    Raises:
        DataError: there is too little to take them from, or the metric is not one of what customers do.
    """
    timed = Timed.of(settings.metric)
    if timed is None:
        raise DataError(
            "“{metric}” is not something that customers do in this project; plan on conversion, revenue, "
            "orders or an event.",
            metric=settings.metric,
        )
    share = timed.share
    unit: Unit = "share" if share else "money" if timed.name == "revenue" else "number"
    by_hand = settings.mean is not None and (share or settings.sd is not None)
    cell, histogram = Cell(), None
    if not by_hand:
        cell, histogram = _history(project, settings, timed)
    reach, known = _reach(project, settings)
    mean = cell.all.mean if settings.mean is None else settings.mean
    customers = None if by_hand else cell.all.n
    if mean <= 0:
        raise DataError(
            "Of {n:count} customers none has any “{metric}” in {days:count} days; a test cannot be planned "
            "on that. Give a rate by hand, or a longer window.",
            n=cell.all.n,
            metric=settings.metric,
            days=settings.window_days,
        )
    if share:
        return Base(Share(mean, settings.prior), unit, customers, reach, known, histogram)
    sd = (cell.all.variance**0.5 if cell.all.n > 1 else mean) if settings.sd is None else settings.sd
    zeros = 1 - cell.positive.n / cell.all.n if cell.all.n else 0.0
    zeros = zeros if settings.zeros is None else settings.zeros
    return Base(Average(mean, sd, zeros), unit, customers, reach, known, histogram)


def _history(project: Project, settings: DesignSettings, timed: Timed) -> tuple[Cell, Histogram | None]:
    """What those did who came in the last weeks whose window is over."""
    seconds = _seconds(project)
    last = seconds[1] - settings.window_days * DAY
    weeks = min(HISTORY_WEEKS, (last - seconds[0]) // WEEK)
    if weeks < 1:
        raise DataError(
            "The data cover {days:count} days; a rate needs a week of customers and {window:count} days "
            "after it. Give the rate by hand, or a shorter window.",
            days=(seconds[1] - seconds[0]) // DAY,
            window=settings.window_days,
        )
    engine, rules = project.engine, rules_for(project, settings.population)
    entered = base_rates.people(engine, last - weeks * WEEK, last, rules)
    units = base_rates.outcomes(engine, entered, timed, settings.window_days)
    cell = fetch_cells(engine, units, ["arm"]).get((ARM,), Cell())
    return cell, histograms(engine, units).get((ARM,))


def _reach(project: Project, settings: DesignSettings) -> tuple[tuple[float, ...], int]:
    if settings.weekly is not None:
        check_between(settings.weekly, 0, 1e12, say("number of customers a week"), open_low=True)
        return tuple(settings.weekly * (week + 1) for week in range(LONGEST)), LONGEST
    seconds = _seconds(project)
    known = int(min(LONGEST, max(1, (seconds[1] - seconds[0]) // WEEK)))
    rules = rules_for(project, settings.population)
    found: list[float] = [*map(float, base_rates.reach(project.engine, seconds[1], known, rules))]
    if not found[-1]:
        raise DataError(
            "Nobody could have entered a test; choose another population, or give numbers by hand."
        )
    more = found[-1] - found[-2] if known > 1 else 0.0
    if known == 1 and base_rates.seen(project.engine) is not None:
        more = found[-1]
    return (*found, *(found[-1] + more * (week + 1) for week in range(LONGEST - known))), known


def _seconds(project: Project) -> tuple[int, int]:
    seconds = span(project.engine, "orders", "events", "exposures")
    if seconds is None:
        raise DataError(
            "This project has no orders, events or exposures to take rates from; load them, or give the rate "
            "and the customers a week by hand."
        )
    return seconds


def period(project: Project, settings: DesignSettings, days: int) -> Period | None:
    """What customers brought in the last days; None where the data do not go back so far."""
    if not has(project.engine, "orders"):
        return None
    first, last = _seconds(project)
    if last - first < days * DAY - WEEK:  # a year less a few days is still one
        return None
    rules = rules_for(project, settings.population)
    units = base_rates.spent(project.engine, last + 1 - days * DAY, last + 1, rules)
    found = fetch_cells(project.engine, units, ["arm"]).get((ARM,), Cell()).all
    return Period(days, found.n, found.mean, found.variance**0.5) if found.n > 1 and found.m2 else None
