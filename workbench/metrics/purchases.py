"""Repeat purchases, compressed: what lifetime-value models need of the orders, and no customer.

A purchase is a day with an order (several orders of a day are one). Of each customer the models need `x`
repeat purchases, `t_x` the time of the last and `T` the time observed, both in weeks since the first; and of
those who came back the sum `s` their repeat purchases brought. Customers with equal values are one row with
a count. Days are exact where there are few customers; with many, rows fall into weeks of `t_x` and `T` and
carry the average of each week, which keeps the posterior (a bin's floor or ceiling would not).

Columns are called `recency` and `tenure` on the way, since `t_x` beside `T_x` would be one name to an engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis

from workbench.clock import DAY
from workbench.segments import net_revenue, zero

WEEK_DAYS = 7.0
LOG_SPEND_BIN = 0.1


Clock = Sequence[tuple[int, int]]


def order_day(orders: Any, clock: Clock) -> Any:
    """Days since 1970 on the project's clock."""
    at = orders.ts.epoch_seconds().cast("int64")
    ahead: Any = ibis.literal(clock[0][1], "int64")
    for since, seconds in clock[1:]:
        ahead = ibis.ifelse(at >= since, ibis.literal(seconds, "int64"), ahead)
    return (at + ahead) // DAY


def customers(orders: Any, *, clock: Clock, end_day: int, people: Any = None) -> Any:
    """One row a customer: `group`, `x`, `recency_days`, `tenure_days`, `s`.

    Args:
        orders: Orders with `customer_id`, `ts`, `revenue` and perhaps `refund`.
        clock: What `clock.offsets` gives for the time of the orders.
        end_day: Last day that is used.
        people: Optional rows of `customer_id`, `group` and perhaps `as_of`; only these customers are taken,
            and with `as_of` only those whose first purchase was not before it.
    """
    money = net_revenue(orders)
    returned = (ibis.coalesce(orders.revenue.cast("float64"), zero()) > 0) & (money <= 0)
    kept = orders.filter(~returned).mutate(money_=money, day_=order_day(orders, clock))
    kept = kept.filter(kept.day_ <= end_day)
    days = kept.group_by(["customer_id", "day_"]).aggregate(
        money_=kept.money_.sum(), first_at=kept.ts.min().epoch_seconds().cast("int64")
    )
    first = days.group_by("customer_id").aggregate(first_=days.day_.min(), first_at=days.first_at.min())
    days = days.drop("first_at").inner_join(first, "customer_id")
    one = days.group_by("customer_id").aggregate(
        first_=days.first_.min(),
        first_at=days.first_at.min(),
        x=(days.count() - 1).cast("int64"),
        recency_days=(days.day_.max() - days.first_.min()).cast("int64"),
        s=ibis.ifelse(days.day_ > days.first_, days.money_, zero()).sum(),
    )
    one = one.mutate(tenure_days=(ibis.literal(end_day, "int64") - one.first_).cast("int64"))
    if people is None:
        return one.mutate(group=ibis.literal("")).drop("first_", "first_at")
    one = one.inner_join(people, "customer_id")
    if "as_of" in people.columns:
        one = one.filter(one.first_at >= one.as_of)
    return one.select("customer_id", "group", "x", "recency_days", "tenure_days", "s")


def times(each: Any, *, exact: bool) -> Any:
    """Rows of `group`, `x`, `t_x`, `T` (weeks) and `n` customers.

    Args:
        each: What `customers` gives.
        exact: By the day, in weeks of two decimals as the published data sets have them (an hour and a half
            of error in a day); else by the week, with each week's averages.
    """
    if exact:
        rows = each.mutate(recency_bin=_weeks(each.recency_days), tenure_bin=_weeks(each.tenure_days))
    else:
        rows = each.mutate(recency_bin=each.recency_days // 7, tenure_bin=each.tenure_days // 7)
    keys = ["group", "x", "recency_bin", "tenure_bin"]
    grouped = rows.group_by(keys).aggregate(
        n=rows.count(),
        t_x=rows.recency_bin.max() if exact else rows.recency_days.cast("float64").mean() / WEEK_DAYS,
        T=rows.tenure_bin.max() if exact else rows.tenure_days.cast("float64").mean() / WEEK_DAYS,
    )
    return grouped.order_by(keys).select("group", "x", "t_x", "T", "n")


def spend(each: Any, *, exact: bool) -> Any:
    """Rows of `group`, `x`, `n`, `mean_log`, `var_log` of ln s, for customers who came back and paid.

    Args:
        each: What `customers` gives.
        exact: By the average repeat purchase, to the cent; else in bins of a tenth of ln s.
    """
    back = each.filter((each.x > 0) & (each.s > 0))
    if exact:
        average = back.s / back.x.cast("float64")
        # half a cent goes up, though binary fractions fall short of it; below one unit a cent is too coarse
        cents = (average * 100.0 + (0.5 + 1e-6)).floor().cast("float64") / 100.0
        kept = ibis.ifelse(average >= 1.0, cents, average)
        back = back.mutate(log_=(kept * back.x.cast("float64")).ln())
        keys = ["group", "x", "log_"]
        grouped = back.group_by(keys).aggregate(n=back.count())
        return grouped.order_by(keys).select("group", "x", "n", mean_log=grouped.log_, var_log=zero())
    back = back.mutate(log_=back.s.ln())
    back = back.mutate(bin_=(back.log_ / LOG_SPEND_BIN).floor().cast("int64"))
    # millionths above the bin's start, as whole numbers: their sums do not depend on the order of adding
    above = (back.log_ - back.bin_.cast("float64") * LOG_SPEND_BIN) * 1e6
    back = back.mutate(above_=(above + 0.5).floor().cast("int64"))
    keys = ["group", "x", "bin_"]
    grouped = back.group_by(keys).aggregate(
        n=back.count(), sum_=back.above_.sum(), squares_=(back.above_ * back.above_).sum()
    )
    n = grouped.n.cast("float64")
    mean = grouped.sum_.cast("float64") / n
    return grouped.order_by(keys).select(
        "group",
        "x",
        "n",
        mean_log=grouped.bin_.cast("float64") * LOG_SPEND_BIN + mean / 1e6,
        var_log=(grouped.squares_.cast("float64") / n - mean * mean) / 1e12,
    )


def _weeks(days: Any) -> Any:
    return (days.cast("float64") * (100.0 / WEEK_DAYS) + 0.5).floor().cast("float64") / 100.0
