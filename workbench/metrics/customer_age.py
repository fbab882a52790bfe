"""What customers bring by their age: by the number of the purchase, and by months since the first one.

A purchase is a day with an order. Sums over customers, so that means have standard errors.
"""

from __future__ import annotations

from typing import Any

import ibis

from workbench.segments import zero

MONTH_DAYS = 30
YEAR_DAYS = 365.25
SLOPES = ("n", "again", "a", "y", "a_a", "a_y", "xx", "xy", "xx_xx", "xy_xx", "xy_xy")
"""Of purchases: how many, their age a in years and money y. Of customers with two or more: how many, the sums
xx and xy of squares and products within each, and of their squares and product."""


def days(bought: Any) -> Any:
    """One row a customer and day of purchase: `customer_id`, `day_`, `money_`, `kept_` (margin where known).

    Args:
        bought: What `order_money.purchase_orders` gives.
    """
    return bought.group_by(["customer_id", "day_"]).aggregate(
        money_=bought.left_.sum(), kept_=ibis.coalesce(bought.margin_, zero()).sum()
    )


def by_number(purchases: Any, most: int) -> Any:
    """Sums by the number of the purchase, up to `most`: of what it brought and of the same customers' first.

    Rows of `number`, `n` customers with so many purchases, the sum of that purchase's `money` and of their
    `first` one, squares, and the square of the `rise` from the first.

    Args:
        purchases: What `days` gives.
        most: The last number.
    """
    one = ibis.window(group_by=purchases.customer_id, order_by=purchases.day_)
    ranked = purchases.mutate(
        number=(ibis.row_number().over(one) + 1).cast("int64"), begin_=purchases.money_.first().over(one)
    )
    ranked = ranked.filter(ranked.number <= most)
    rise = ranked.money_ - ranked.begin_
    return ranked.group_by("number").aggregate(
        n=ranked.count(),
        money=ranked.money_.sum(),
        money_square=(ranked.money_ * ranked.money_).sum(),
        first=ranked.begin_.sum(),
        first_square=(ranked.begin_ * ranked.begin_).sum(),
        rise_square=(rise * rise).sum(),
    )


def by_month(purchases: Any, each: Any, *, end_day: int) -> Any:
    """Sums by month of customers' age, of customers who were watched for all of that month.

    Rows of `month` (from 0), the number of `buyers` in it, their `purchases`, `money` and `kept`, and sums of
    squares and products over customers.

    Args:
        purchases: What `days` gives.
        each: Rows of `customer_id`, `tenure_days`.
        end_day: Last day that is used.
    """
    joined = purchases.inner_join(each.select("customer_id", "tenure_days"), "customer_id")
    since = joined.day_ - (ibis.literal(end_day, "int64") - joined.tenure_days)
    aged = joined.mutate(month=(since // MONTH_DAYS).cast("int64"))
    aged = aged.filter((aged.month + 1) * MONTH_DAYS <= aged.tenure_days)
    one = aged.group_by(["month", "customer_id"]).aggregate(
        purchases_=aged.count(), money_=aged.money_.sum(), kept_=aged.kept_.sum()
    )
    number = one.purchases_.cast("float64")
    return one.group_by("month").aggregate(
        buyers=one.count(),
        purchases=number.sum(),
        money=one.money_.sum(),
        kept=one.kept_.sum(),
        money_square=(one.money_ * one.money_).sum(),
        kept_square=(one.kept_ * one.kept_).sum(),
        purchases_square=(number * number).sum(),
        money_purchases=(one.money_ * number).sum(),
        kept_purchases=(one.kept_ * number).sum(),
    )


def slopes(purchases: Any, each: Any) -> Any:
    """Sums for the slope of money over age, within customers and over all: `group` and `SLOPES`.

    Args:
        purchases: What `days` gives.
        each: Rows of `customer_id`, `group`.
    """
    one = ibis.window(group_by=purchases.customer_id)
    aged = purchases.mutate(age=(purchases.day_ - purchases.day_.min().over(one)).cast("float64") / YEAR_DAYS)
    sums = aged.group_by("customer_id").aggregate(
        n=aged.count().cast("float64"),
        a=aged.age.sum(),
        y=aged.money_.sum(),
        a_a=(aged.age * aged.age).sum(),
        a_y=(aged.age * aged.money_).sum(),
    )
    joined = sums.inner_join(each.select("customer_id", "group"), "customer_id")
    known = joined.mutate(
        again=ibis.ifelse(joined.n > 1, 1.0, zero()),
        xx=ibis.ifelse(joined.n > 1, joined.a_a - joined.a * joined.a / joined.n, zero()),
        xy=ibis.ifelse(joined.n > 1, joined.a_y - joined.a * joined.y / joined.n, zero()),
    )
    squares = {"xx_xx": known.xx * known.xx, "xy_xx": known.xy * known.xx, "xy_xy": known.xy * known.xy}
    plain = {name: known[name].sum() for name in SLOPES if name not in squares}
    return known.group_by("group").aggregate(**plain, **{name: one.sum() for name, one in squares.items()})


def watched(each: Any) -> Any:
    """How many customers were watched for so many whole months: `months`, `n`."""
    aged = each.mutate(months=(each.tenure_days // MONTH_DAYS).cast("int64"))
    return aged.group_by("months").aggregate(n=aged.count())
