"""What was spent on winning customers, and how many came in the same days."""

from __future__ import annotations

from typing import Any

import ibis

from workbench.clock import DAY
from workbench.engines import whole_seconds
from workbench.segments import zero


def spend_day(spend: Any) -> Any:
    """Days since 1970 of what was spent; the table's dates are days already."""
    return whole_seconds(spend.date) // DAY


def span(spend: Any) -> Any:
    """One row: the `first` and the `last` day with something spent."""
    day = spend_day(spend)
    return spend.aggregate(first=day.min(), last=day.max())


def costs(spend: Any, *, first_day: int, last_day: int) -> Any:
    """What was spent in these days: `channel`, `campaign` and their `cost`."""
    rows = spend.mutate(
        campaign=ibis.coalesce(spend.campaign, "") if "campaign" in spend.columns else ibis.literal(""),
        day_=spend_day(spend),
        cost_=ibis.coalesce(spend.cost.cast("float64"), zero()),
    )
    rows = rows.filter((rows.day_ >= first_day) & (rows.day_ <= last_day))
    return rows.group_by(["channel", "campaign"]).aggregate(cost=rows.cost_.sum())


def customers(each: Any, *, first_day: int, last_day: int, end_day: int) -> Any:
    """How many customers bought for the first time in these days: `group` and `n`.

    Args:
        each: Rows of `group` and `tenure_days`, which end with `end_day`.
        first_day, last_day: Days since 1970.
        end_day: Last day that is used.
    """
    first = ibis.literal(end_day, "int64") - each.tenure_days
    rows = each.filter((first >= first_day) & (first <= last_day))
    return rows.group_by("group").aggregate(n=rows.count())
