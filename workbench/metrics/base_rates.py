"""What a test can reckon with, taken from what customers did before: how many come, and what they do.

People are those who would enter a test: everybody who is seen between two moments (events, or exposures where
there are none), from the first time they are seen; where only orders are known, everybody who had ordered
before the second moment, from that moment on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import ibis

from workbench import segments
from workbench.clock import DAY
from workbench.engines import Engine, has, table, whole_seconds
from workbench.metrics.actions import Timed
from workbench.metrics.actions import of as actions_of
from workbench.metrics.cells import ask
from workbench.metrics.per_customer import VALUE, Asked, values
from workbench.segments import net_revenue, zero

WEEK = 7 * DAY
ARM = "all"
"""The only arm that these people are in."""


def seen(engine: Engine) -> Any | None:
    """Rows of `customer_id`, `ts` for each time somebody was seen; None where only orders tell."""
    for name in ("events", "exposures"):
        if has(engine, name):
            rows = table(engine, name).select("customer_id", "ts")
            return rows.filter(rows.customer_id.notnull() & rows.ts.notnull())
    return None


def people(engine: Engine, begin: int, end: int, rules: Mapping[str, str]) -> Any:
    """Rows of `customer_id`, `first`, `as_of`, `arm` for those who would enter between two moments.

    Args:
        engine: Where the tables are.
        begin, end: In seconds since 1970; `end` is not included.
        rules: Segment rules that all have to be true of them when they enter.
    """
    visits = seen(engine)
    if visits is None:
        orders = table(engine, "orders")
        orders = orders.filter(orders.customer_id.notnull(), orders.ts < _moment(orders, end))
        known = orders.group_by("customer_id").aggregate(n=orders.count())
        found = known.select("customer_id", first=_moment(orders, end), as_of=ibis.literal(end, "int64"))
    else:
        inside = (visits.ts >= _moment(visits, begin)) & (visits.ts < _moment(visits, end))
        visits = visits.filter(inside)
        found = visits.group_by("customer_id").aggregate(
            first=visits.ts.min(), as_of=whole_seconds(visits.ts.min())
        )
    return _inside(engine, found, rules).mutate(arm=ibis.literal(ARM))


def outcomes(engine: Engine, entered: Any, metric: Timed, window_days: int) -> Any:
    """`entered` with `value`: what each did in the window after entering."""
    done = {metric.table: actions_of(engine, metric.table)}
    return values(entered, done, {VALUE: Asked(metric, (0, window_days))})


def reach(engine: Engine, end: int, weeks: int, rules: Mapping[str, str]) -> list[int]:
    """How many different people were seen in the last week, the last two weeks, …

    Args:
        engine: Where the tables are.
        end: The end of the data, in seconds since 1970.
        weeks: How many weeks back.
        rules: Segment rules that all have to be true of them at the end.
    """
    visits = seen(engine)
    if visits is None:
        known = people(engine, end, end, rules)
        return [int(ask(engine, known.aggregate(n=known.count())).to_pylist()[0]["n"])] * weeks
    last = visits.group_by("customer_id").aggregate(last=whole_seconds(visits.ts.max()))
    last = _inside(engine, last.mutate(as_of=ibis.literal(end + 1, "int64")), rules)
    ago = ((ibis.literal(end, "int64") - last["last"]) // WEEK).cast("int64")
    counted = last.mutate(ago=ago).filter(lambda rows: rows.ago < weeks)
    found = ask(engine, counted.group_by("ago").aggregate(n=counted.count())).to_pylist()
    by_week = {int(row["ago"]): int(row["n"]) for row in found}
    total, sums = 0, []
    for week in range(weeks):
        total += by_week.get(week, 0)
        sums.append(total)
    return sums


def spent(engine: Engine, begin: int, end: int, rules: Mapping[str, str]) -> Any:
    """Rows of `arm`, `value`: what each customer who was seen or ordered in a time brought in it."""
    orders = table(engine, "orders")
    orders = orders.filter(
        orders.customer_id.notnull(), orders.ts >= _moment(orders, begin), orders.ts < _moment(orders, end)
    )
    brought = orders.select("customer_id", value=net_revenue(orders))
    visits = seen(engine)
    if visits is not None:
        visits = visits.filter(visits.ts >= _moment(visits, begin), visits.ts < _moment(visits, end))
        brought = ibis.union(brought, visits.select("customer_id", value=zero()))
    each = brought.group_by("customer_id").aggregate(value=brought.value.sum())
    each = _inside(engine, each.mutate(as_of=ibis.literal(begin, "int64")), rules)
    return each.select("value", arm=ibis.literal(ARM))


def _inside(engine: Engine, found: Any, rules: Mapping[str, str]) -> Any:
    if not rules:
        return found
    flagged = segments.members(engine, rules, found)
    for name in rules:
        flagged = flagged.filter(flagged[name])
    return flagged.select(*found.columns)


def _moment(rows: Any, seconds: int) -> Any:
    return ibis.literal(datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None), rows.ts.type())
