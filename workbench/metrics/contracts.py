"""Contracts, compressed: for how many periods they were kept, and no customer.

A contract begins when its customer signed up (or was first seen) and ends when the table `churn` says so.
Only whole periods count: `seen` of them have passed since it began, and `ended` is the one in which it ended,
or 0. An end in the period that is still running counts for nothing yet, since those who stay cannot be
counted either.
"""

from __future__ import annotations

from typing import Any

import ibis

from workbench.engines import whole_seconds

KEYS = ("group", "seen", "ended")


def customers(table: Any, churn: Any, *, period_seconds: int, end: int) -> Any:
    """One row a customer: `customer_id`, `first_at`, `seen`, `ended`; none without a beginning by the end.

    Args:
        table: Customers with `customer_id`, `signed_up` and `first_seen`.
        churn: Rows of `customer_id`, `ts`.
        period_seconds: Length of a period.
        end: The end of the data, in seconds since 1970.
    """
    since = whole_seconds(ibis.coalesce(table.signed_up, table.first_seen))
    begun = table.select("customer_id", first_at=since)
    begun = begun.filter(begun.first_at.notnull() & (begun.first_at <= end))
    ends = churn.group_by("customer_id").aggregate(end_at=whole_seconds(churn.ts.min()))
    both = begun.left_join(ends, "customer_id").drop("customer_id_right")
    period = ibis.literal(period_seconds, "int64")
    seen = (ibis.literal(end, "int64") - both.first_at) // period
    lasted = ibis.greatest(both.end_at - both.first_at, ibis.literal(1, "int64"))
    ended = (lasted + period - 1) // period
    known = both.end_at.notnull() & (ended <= seen)
    return both.select(
        "customer_id",
        "first_at",
        seen=seen.cast("int64"),
        ended=ibis.ifelse(known, ended, ibis.literal(0, "int64")).cast("int64"),
    )


def counted(each: Any) -> Any:
    """How many customers of each `group` have equal `seen` and `ended`; see `KEYS`.

    Args:
        each: What `customers` gives, with a column `group`.
    """
    return each.group_by(list(KEYS)).aggregate(n=each.count())
