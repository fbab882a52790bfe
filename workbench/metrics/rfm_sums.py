"""Sums over scored customers: by their scores, from one date to another, and the histories behind a cell.

Each is one question of the engine, and none brings a customer out of it.
"""

from __future__ import annotations

from typing import Any

import ibis

from workbench.metrics.rfm import Scale, scored

SCORES = ("r", "f", "m")
BEFORE = ("r0", "f0", "m0")
MOVED = (*BEFORE, *SCORES, "back")
HISTORY = ("r", "f", "quiet", "x", "since", "tenure")


def totals(each: Any, by: Scale) -> Any:
    """By r, f and m: `n` customers and their sums of `orders`, `cents`, `revenue` and days of `recency`.

    Args:
        each: What `rfm.customers` gives.
        by: What `rfm.scale` gives.
    """
    rows = scored(each, by)
    sums = {name: rows[name].sum().cast("int64") for name in ("orders", "cents", "revenue", "recency")}
    return rows.group_by(list(SCORES)).aggregate(n=rows.count(), **sums)


def moves(before: Any, by_before: Scale, after: Any, by_after: Scale) -> Any:
    """By the scores at two dates: how many customers, and whether they bought in between (`back`).

    The scores at the first date are `r0`, `f0` and `m0`, all 0 for those who had not bought yet. Whoever had
    bought by the first date has bought by the second, so nobody is lost.

    Args:
        before: What `rfm.customers` gives until the first date.
        by_before: What they are scored by.
        after: The same until the second date.
        by_after: What they are scored by.
    """
    first = scored(before, by_before)
    first = first.select("customer_id", r0=first.r, f0=first.f, m0=first.m, frequency0=first.frequency)
    second = scored(after, by_after).select("customer_id", *SCORES, "frequency")
    both = second.left_join(first, "customer_id")
    nothing = ibis.literal(0, "int64")
    known = {name: ibis.coalesce(both[name], nothing) for name in (*BEFORE, "frequency0")}
    both = both.mutate(**known)
    both = both.mutate(back=_flag(both.frequency > both.frequency0))
    return both.group_by(list(MOVED)).aggregate(n=both.count())


def histories(each: Any, by: Scale, *, quiet_days: int, by_day: bool, later: Any = None) -> Any:
    """By r, f and whether they are quiet: histories as purchase models want them, counted.

    A row is `n` customers with equal `x` and week (or day) of `since`, from the first purchase to the last,
    and of `tenure`; the sums of their days are `first` and `second`. `returned` counts those who bought
    afterwards; 0 where that is not asked.

    Args:
        each: What `rfm.customers` gives.
        by: What `rfm.scale` gives.
        quiet_days: From so many days without a purchase on a customer is quiet.
        by_day: Whether rows are as exact as days; weeks otherwise.
        later: What `rfm.customers` gives until a later day; None where it is not asked who bought until then.
    """
    rows = scored(each, by)
    days = 1 if by_day else 7
    since = rows.tenure - rows.recency
    rows = rows.mutate(
        x=rows.frequency - 1,
        since_days=since,
        since=since // days,
        tenure_days=rows.tenure,
        tenure=rows.tenure // days,
        quiet=_flag(rows.recency >= quiet_days),
    )
    returned = ibis.literal(0, "int64")
    if later is not None:
        rows = rows.inner_join(later.select("customer_id", later_=later.frequency), "customer_id")
        returned = _flag(rows.later_ > rows.frequency)
    rows = rows.mutate(returned_=returned)
    return rows.group_by(list(HISTORY)).aggregate(
        n=rows.count(),
        first=rows.since_days.sum().cast("int64"),
        second=rows.tenure_days.sum().cast("int64"),
        returned=rows.returned_.sum().cast("int64"),
    )


def _flag(condition: Any) -> Any:
    return ibis.ifelse(condition, ibis.literal(1, "int64"), ibis.literal(0, "int64"))
