"""When customers came back after they were first shown an experience, or left: counts by arm and day.

Days are whole ones since a beginning, and an event counts only in a day that lies before the end of the data
whole; so in each day everybody who is at risk was followed through all of it. What is asked about:

    people      how many there are
    order       from the first exposure to the first order after it
    second      from the first exposure to the second order after it
    repeat      from the first order after the exposure to the second, of those who had a first
    churn       from the first exposure to the observed end of the customer

Orders are counted as `actions` counts them: a credit note is none, and two on one day are two.
"""

from __future__ import annotations

from typing import Any

import ibis

from workbench.clock import DAY
from workbench.engines import whole_seconds
from workbench.segments import is_credit

KEYS = ("about", "arm", "day", "event")


def lives(people: Any, orders: Any | None, churn: Any | None, *, until: int, days: int) -> Any:
    """How the time of everybody ended, counted; over disjoint sets of customers its rows add up by `KEYS`.

    A row is `n` customers of an `arm` (null: seen in several) in what it is `about`: with `event` 1 it came
    after `day` whole days, with 0 they were followed for `day` whole days and it did not come. For `people`
    both are 0. Customers who had left before they were shown anything are in no row about `churn`.

    Args:
        people: What `exposure.assigned` gives.
        orders, churn: The tables; None where there is none.
        until: The end of the data, in seconds since 1970.
        days: Nobody is followed for longer.
    """
    people = people.filter(people.as_of.notnull(), people.as_of <= until)
    nothing = ibis.literal(0, "int64")
    parts = [people.select("arm", about=ibis.literal("people"), day=nothing, event=nothing)]
    if orders is not None:
        both = _first_two(people, orders, until)
        parts += [
            _ended(both, "order", both.as_of, both.one, until, days),
            _ended(both, "second", both.as_of, both.two, until, days),
        ]
        bought = both.filter(both.one.notnull())
        parts.append(_ended(bought, "repeat", bought.one, bought.two, until, days))
    if churn is not None:
        ends = churn.group_by("customer_id").aggregate(end=whole_seconds(churn.ts.max()))
        left = people.left_join(ends, "customer_id").drop("customer_id_right")
        # an end is often a date alone, which is the midnight before an exposure of that day
        left = left.filter(left.end.isnull() | (left.end > left.as_of - DAY))
        seen = ibis.ifelse(left.end <= until, left.end, ibis.null("int64"))
        parts.append(_ended(left, "churn", left.as_of, seen, until, days))
    every = ibis.union(*(part.select(*KEYS) for part in parts)) if len(parts) > 1 else parts[0].select(*KEYS)
    return every.group_by(list(KEYS)).aggregate(n=every.count())


def _first_two(people: Any, orders: Any, until: int) -> Any:
    """With `one` and `two`: when the first two orders after the exposure were, in seconds, or null."""
    placed = orders.filter(~is_credit(orders)).select("customer_id", "ts")
    after = people.select("customer_id", "first").inner_join(placed, "customer_id")
    after = after.filter(after.ts >= after["first"])
    after = after.select("customer_id", at=whole_seconds(after.ts))
    after = after.filter(after.at <= until)
    place = ibis.row_number().over(group_by=after.customer_id, order_by=after.at)
    ranked = after.mutate(place=place)
    ranked = ranked.filter(ranked.place < 2)
    each = ranked.group_by("customer_id").aggregate(
        one=ranked.at.min(), two=ibis.ifelse(ranked.count() > 1, ranked.at.max(), ibis.null("int64"))
    )
    return people.left_join(each, "customer_id").drop("customer_id_right")


def _ended(rows: Any, about: str, begin: Any, end: Any, until: int, days: int) -> Any:
    """One row a customer: after how many days it came, or for how many they were followed."""
    followed = ibis.least((until - begin) // DAY, days)
    day = ibis.greatest((end - begin) // DAY, 0)
    came = end.notnull() & (day < followed)  # asked first: the greatest of nothing and 0 is 0
    return rows.select(
        "arm",
        about=ibis.literal(about),
        day=ibis.ifelse(came, day, followed).cast("int64"),
        event=ibis.ifelse(came, ibis.literal(1, "int64"), ibis.literal(0, "int64")),
    )
