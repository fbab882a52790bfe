"""When customers came back after they were first shown an experience, or left: counts by arm and day.

Days are whole ones since a beginning, and an event counts only in a day that lies before the end of the data
whole; so in each day everybody who is at risk was followed through all of it. What is asked about:

    people      how many there are
    order       from the first exposure to the first order after it
    second      from the first exposure to the second order after it
    repeat      from the first order after the exposure to the second, of those who had a first
    churn       from the first exposure to the observed end of the customer

Where the shares of the arms changed, people come with the weight with which they count, and it is summed too.
Orders are counted as `actions` counts them: a credit note is none, and two on one day are two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis

from workbench.clock import DAY
from workbench.engines import whole_seconds
from workbench.segments import is_credit

KEYS = ("about", "arm", "day", "event")


def lives(
    people: Any, orders: Any | None, churn: Any | None, *, until: int, days: int, by: Sequence[str] = ()
) -> Any:
    """How the time of everybody ended, counted; over disjoint sets of customers its rows add up by the keys.

    A row is `n` customers of an `arm` (null: seen in several) in what it is `about`: with `event` 1 it came
    after `day` whole days, with 0 they were followed for `day` whole days and it did not come. For `people`
    both are 0. Customers who had left before they were shown anything are in no row about `churn`.

    Args:
        people: What `exposure.assigned` gives, with the columns of `by` and, where customers do not all
            count alike, `weight`; then rows have the sums `w` of it and `ww` of its squares.
        orders, churn: The tables; None where there is none.
        until: The end of the data, in seconds since 1970.
        days: Nobody is followed for longer.
        by: Further keys, beside `KEYS`.
    """
    weighted = "weight" in people.columns
    kept = ["arm", *by, *(["weight"] if weighted else [])]
    people = people.filter(people.as_of.notnull(), people.as_of <= until)
    nothing = ibis.literal(0, "int64")
    parts = [people.select(*kept, about=ibis.literal("people"), day=nothing, event=nothing)]
    if orders is not None:
        both = _first_two(people, orders, until)
        parts += [
            _ended(both, kept, "order", both.as_of, both.one, until, days),
            _ended(both, kept, "second", both.as_of, both.two, until, days),
        ]
        bought = both.filter(both.one.notnull())
        parts.append(_ended(bought, kept, "repeat", bought.one, bought.two, until, days))
    if churn is not None:
        ends = churn.group_by("customer_id").aggregate(end=whole_seconds(churn.ts.max()))
        left = people.left_join(ends, "customer_id").drop("customer_id_right")
        # an end is often a date alone, which is the midnight before an exposure of that day
        left = left.filter(left.end.isnull() | (left.end > left.as_of - DAY))
        seen = ibis.ifelse(left.end <= until, left.end, ibis.null("int64"))
        parts.append(_ended(left, kept, "churn", left.as_of, seen, until, days))
    parts = [part.select("about", "day", "event", *kept) for part in parts]
    every = ibis.union(*parts) if len(parts) > 1 else parts[0]
    sums = {"w": every.weight.sum(), "ww": (every.weight * every.weight).sum()} if weighted else {}
    return every.group_by([*KEYS, *by]).aggregate(n=every.count(), **sums)


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


def _ended(rows: Any, kept: Sequence[str], about: str, begin: Any, end: Any, until: int, days: int) -> Any:
    """One row a customer: after how many days it came, or for how many they were followed."""
    followed = ibis.least((until - begin) // DAY, days)
    day = ibis.greatest((end - begin) // DAY, 0)
    came = end.notnull() & (day < followed)  # asked first: the greatest of nothing and 0 is 0
    return rows.select(
        *kept,
        about=ibis.literal(about),
        day=ibis.ifelse(came, day, followed).cast("int64"),
        event=ibis.ifelse(came, ibis.literal(1, "int64"), ibis.literal(0, "int64")),
    )
