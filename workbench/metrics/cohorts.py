"""Cohorts: what customers who began together did at the same age.

The age of a customer is counted in whole periods since their own beginning, not since that of the cohort, so
that every cell is about the same stretch of a customer's life. Only sums by day of beginning and age leave
the engine; which days make a cohort, and which cells all of its customers have lived through, is decided
from them.
"""

from __future__ import annotations

from typing import Any, Literal

import ibis

from workbench.metrics.purchases import Clock, order_day
from workbench.segments import is_credit, net_revenue, zero

Period = Literal["day", "week", "month", "quarter"]
AGES: dict[Period, tuple[int, int]] = {
    "day": (1, 1),
    "week": (7, 1),
    "month": (487, 16),
    "quarter": (1461, 16),
}
"""Length of a period in days, as a fraction: a month is 487/16 days."""

SIZES = ("group", "day")
CELLS = ("group", "day", "age")


def first_orders(orders: Any, *, clock: Clock) -> Any:
    """`customer_id` and `day` (since 1970, on the shop's clock) of the first order that is no credit."""
    kept = orders.filter(~is_credit(orders))
    dated = kept.mutate(day_=order_day(kept, clock))
    return dated.group_by("customer_id").aggregate(day=dated.day_.min())


def beginnings(rows: Any, at: Any, *, clock: Clock) -> Any:
    """`customer_id` and `day` of the earliest `at`, a column of times; without those who have none."""
    timed = rows.select("customer_id", ts=at)
    dated = timed.filter(timed.ts.notnull())
    dated = dated.mutate(day_=order_day(dated, clock))
    return dated.group_by("customer_id").aggregate(day=dated.day_.min())


def sizes(people: Any) -> Any:
    """How many customers began on each day: `group`, `day`, `n`.

    Args:
        people: Rows of `customer_id`, `day`, `group`.
    """
    return people.group_by(list(SIZES)).aggregate(n=people.count())


def _by_age(people: Any, orders: Any, *, clock: Clock, period: Period, end_day: int) -> Any:
    """Orders with the `group`, `day` and `age` of their customer, none before their beginning."""
    length, parts = AGES[period]
    margin = orders.margin.cast("float64") if "margin" in orders.columns else ibis.null("float64")
    dated = orders.select(
        "customer_id",
        at_=order_day(orders, clock),
        credit_=is_credit(orders),
        money_=net_revenue(orders),
        margin_=margin,
    )
    dated = dated.filter(dated.at_ <= end_day)
    joined = dated.inner_join(people, "customer_id")
    joined = joined.filter(joined.at_ >= joined.day)
    return joined.mutate(age=((joined.at_ - joined.day) * parts // length).cast("int64"))


def cells(people: Any, orders: Any, *, clock: Clock, period: Period, end_day: int) -> Any:
    """What customers who began on a day did at an age: one row for each of `CELLS`.

    Args:
        people: Rows of `customer_id`, `day`, `group`.
        orders: All orders.
        clock: As of `purchases.order_day`.
        period: Of ages.
        end_day: Last day that is used.

    Returns:
        `active` customers with an order that is no credit, and their number of `orders`; `revenue` less what
        was given back; the sum of `margin` where it is `known`, of so many orders.
    """
    rows = _by_age(people, orders, clock=clock, period=period, end_day=end_day)
    one = rows.group_by([*CELLS, "customer_id"]).aggregate(
        orders=ibis.ifelse(rows.credit_, 0, 1).sum(),
        money=rows.money_.sum(),
        margin=ibis.coalesce(rows.margin_, zero()).sum(),
        known=rows.margin_.count(),
    )
    return one.group_by(list(CELLS)).aggregate(
        active=ibis.ifelse(one.orders > 0, 1, 0).sum(),
        orders=one.orders.sum(),
        revenue=one.money.sum(),
        margin=one.margin.sum(),
        known=one.known.sum(),
    )


def value_until(
    people: Any, orders: Any, *, clock: Clock, period: Period, end_day: int, age: int, margin: bool
) -> Any:
    """Moments of what customers brought by the end of an age: `SIZES`, `n`, `mean`, `variance`.

    Those who have not lived so long are not among them; those who bought nothing count as nothing.

    Args:
        people, orders, clock, period, end_day: As of `cells`.
        age: The last age that counts.
        margin: Whether the orders' margin is added up, or their revenue.
    """
    length, parts = AGES[period]
    days = -(-(age + 1) * length // parts)
    old = people.filter(people.day + days <= end_day + 1)
    rows = _by_age(old, orders, clock=clock, period=period, end_day=end_day)
    rows = rows.filter(rows.age <= age)
    money = ibis.coalesce(rows.margin_, zero()) if margin else rows.money_
    brought = rows.mutate(value_=money).group_by("customer_id").aggregate(value=lambda one: one.value_.sum())
    every = old.left_join(brought, "customer_id").drop("customer_id_right")
    every = every.mutate(value=ibis.coalesce(every.value, zero()))
    return every.group_by(list(SIZES)).aggregate(
        n=every.count(), mean=every.value.mean(), variance=every.value.var(how="pop")
    )


def exposed(exposures: Any, experiment: str, *, clock: Clock) -> Any:
    """`customer_id` and `day` of the first exposure to an experiment, whichever the arm."""
    rows = exposures.filter(exposures.experience_id == experiment)
    return beginnings(rows, rows.ts, clock=clock)
