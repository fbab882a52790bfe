"""Cohorts: what customers who began together did at the same age, what is still to come, who differs.

The engine gives sums by day of beginning and by age; here days become cohorts and only customers who have
lived through an age count at it. What is to come is foretold from each customer's own history.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from workbench.analyses.cohort_days import Asked, after, cohort_name, days_until
from workbench.analyses.cohort_value import compare, project_value
from workbench.analyses.cohort_words import cohort_checks, sentence
from workbench.analyses.groups import described
from workbench.analyses.histories import day_of, moment_of
from workbench.clock import day_number, offsets
from workbench.engines import Engine, has, span, table
from workbench.errors import DataError, check_between, check_choice
from workbench.locale import say
from workbench.metrics import cohorts as counting
from workbench.metrics.cells import ask
from workbench.metrics.cohorts import AGES, CELLS, SIZES
from workbench.records import Source, failures_first
from workbench.records.cohorts import (
    EXPOSED,
    FIRST_ORDER,
    SIGNED_UP,
    Cohort,
    CohortCell,
    CohortRecord,
    CohortSettings,
    CohortSummary,
)

if TYPE_CHECKING:
    from workbench.project import Project

MOST_GROUPS = 24
_MEASURED = 0.5  # of the orders carry a margin


def analyse(project: Project, settings: CohortSettings, seed: int = 1) -> CohortRecord:
    """Answer the question in `settings` from the project's orders.

    Raises:
        DataError: without orders or beginnings, or when a column, an experiment or a cohort is not there.
        WorkbenchError: when a setting is out of its range.
    """
    _check(settings)
    engine = project.engine
    asked, grouped = _asked(project, settings)
    sized = ask(engine, counting.sizes(asked.people), SIZES).to_pylist()
    if not sized:
        raise DataError("No customer has begun by then; choose another beginning, or a later day.")
    done = ask(engine, counting.cells(asked.people, asked.orders, **asked.common), CELLS).to_pylist()
    measured = float(sum(row["known"] for row in done) / max(1, sum(row["orders"] for row in done)))
    use_margin = measured >= _MEASURED
    cohorts = _cohorts(sized, done, asked, settings, use_margin=use_margin, grouped=grouped)
    mixes = _mixes(project, settings, asked) if settings.mix_by and not grouped else {}
    ahead = {}
    if settings.start == FIRST_ORDER and not grouped:
        ahead = project_value(project, settings, asked, cohorts, seed, use_margin=use_margin)
    cohorts = [
        one.model_copy(update={"ahead": ahead.get(one.name, ()), "mix": mixes.get(one.name, {})})
        for one in cohorts
    ]
    difference = compare(engine, settings, asked, cohorts, seed, use_margin=use_margin)
    return CohortRecord(
        project=project.header,
        source=_source(project, settings),
        seed=seed,
        settings=settings,
        summary=CohortSummary(
            until=day_of(asked.end_day),
            cohorts=tuple(cohorts),
            measured_margin=measured,
            difference=difference,
        ),
        verdict=sentence(cohorts, difference, settings),
        checks=failures_first(cohort_checks(cohorts, settings, measured, foretold=bool(ahead))),
    )


def _source(project: Project, settings: CohortSettings) -> Source:
    """The tables that were read, and from when until when there are orders."""
    tables = ["orders"]
    if settings.by or settings.mix_by or settings.start == SIGNED_UP:
        tables.append("customers")
    if settings.start.startswith(EXPOSED):
        tables.append("exposures")
    first, last = span(project.engine, "orders") or (0, 0)
    until = datetime.fromtimestamp(last, UTC)
    if settings.until is not None:
        until = min(until, moment_of(settings.until, project.settings.timezone))
    return Source(
        fingerprints=project.fingerprints(*tables), first=datetime.fromtimestamp(first, UTC), until=until
    )


def _check(settings: CohortSettings) -> None:
    check_choice(settings.period, AGES, say("period"))
    check_between(settings.margin, 0, 1, say("margin"), open_low=True)
    check_between(settings.level, 0.5, 1, say("level"), open_low=True, open_high=True)
    check_between(settings.project_periods, 0, 120, say("periods ahead"))


def _asked(project: Project, settings: CohortSettings) -> tuple[Asked, bool]:
    """The question as tables, and whether the cohorts are groups of customers rather than beginnings."""
    engine = project.engine
    orders = table(engine, "orders")
    seconds = span(engine, "orders", "exposures", "events")
    if span(engine, "orders") is None or seconds is None:
        raise DataError("The orders of this project have no times; load them again with their dates.")
    timezone = project.settings.timezone
    clock = offsets(timezone, *seconds)
    last = day_number(seconds[1], timezone)
    if settings.until is not None:
        last = min(last, (settings.until - day_of(0)).days)
    people = _people(engine, orders, clock, settings.start)
    people = people.filter(people.day <= last)
    if settings.by is None:
        people = people.mutate(group=ibis.literal(""))
    else:
        people = _grouped(engine, people, settings.by)
    period = next(one for one in AGES if one == settings.period)
    return Asked(people, orders, clock, period, last), settings.by is not None


def _grouped(engine: Engine, people: Any, by: str) -> Any:
    """`people` with `group`, a column of customers.

    Raises:
        DataError: when there is no such column, or it has too many values.
    """
    columns = [name for name in table(engine, "customers").columns if name != "customer_id"]
    if by not in columns:
        raise DataError(
            "There is no column “{by}” of customers; there are: {known}.",
            by=by,
            known=", ".join(columns) or "–",
        )
    labelled, groups = described(engine, people, by, MOST_GROUPS)
    return labelled.select("customer_id", "day", group=labelled[groups[by]])


def _people(engine: Engine, orders: Any, clock: Any, start: str) -> Any:
    """`customer_id` and `day` of everybody's beginning.

    Raises:
        DataError: when the table, the column or the experiment is not there.
    """
    if start == FIRST_ORDER:
        return counting.first_orders(orders, clock=clock)
    if start == SIGNED_UP:
        customers = table(engine, "customers")
        return counting.beginnings(customers, customers.signed_up, clock=clock)
    name = start.removeprefix(EXPOSED)
    if not start.startswith(EXPOSED) or not has(engine, "exposures"):
        raise DataError(
            "A cohort begins with “first_order”, “signed_up” or “exposure:” and an experiment, not with "
            "“{start}”.",
            start=start,
        )
    return counting.exposed(table(engine, "exposures"), name, clock=clock)


def _cohorts(
    sized: list[dict[str, Any]],
    done: list[dict[str, Any]],
    asked: Asked,
    settings: CohortSettings,
    *,
    use_margin: bool,
    grouped: bool,
) -> list[Cohort]:
    """Days put together; what customers did at an age they have not lived through is left out."""
    period, end = asked.period, asked.end_day
    days: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in sized:
        name = cohort_name(row["group"], row["day"], period, grouped=grouped)
        days[name][row["day"]] += row["n"]
    lived: dict[tuple[str, int], Any] = defaultdict(lambda: np.zeros(4))
    for row in done:
        if row["day"] + days_until(row["age"], period) <= end + 1:
            name = cohort_name(row["group"], row["day"], period, grouped=grouped)
            active, orders, revenue = (float(row[key]) for key in ("active", "orders", "revenue"))
            kept = float(row["margin"]) if use_margin else settings.margin * revenue
            lived[name, row["age"]] += (active, orders, revenue, kept)
    cohorts = []
    for name, begun in days.items():
        cells, value, age = [], 0.0, 0
        total = sum(begun.values())
        while there := sum(n for day, n in begun.items() if day + days_until(age, period) <= end + 1):
            active, orders, revenue, margin = lived[name, age]
            value += float(margin) / there
            cells.append(
                CohortCell(
                    age=age,
                    customers=there,
                    whole=there == total,
                    active=int(active),
                    orders=int(orders),
                    revenue=float(revenue),
                    margin=float(margin),
                    value=value,
                )
            )
            age += 1
        begin = None if grouped else date.fromisoformat(name)
        running = begin is not None and after(begin, period) > day_of(end + 1)
        cohorts.append(Cohort(name=name, begin=begin, customers=total, running=running, cells=tuple(cells)))
    if grouped:
        return sorted(cohorts, key=lambda one: (-one.customers, one.name))
    return sorted(cohorts, key=lambda one: one.name)


def _mixes(project: Project, settings: CohortSettings, asked: Asked) -> dict[str, dict[str, int]]:
    """Cohort → value of `mix_by` → customers."""
    people = _grouped(project.engine, asked.people.drop("group"), str(settings.mix_by))
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in ask(project.engine, counting.sizes(people), SIZES).to_pylist():
        name = cohort_name("", row["day"], asked.period, grouped=False)
        found[name][row["group"]] += row["n"]
    return {name: dict(mix) for name, mix in found.items()}
