"""Repeat purchases, compressed: what lifetime-value models need of the orders, and no customer.

A purchase is a day with an order (several orders of a day are one). Of each customer the models need `x`
repeat purchases, `t_x` the time of the last and `T` the time observed, both in weeks since the first; and of
those who came back the sum `s` their repeat purchases brought. Customers with equal values are one row with
a count. Days are exact where there are few customers; with many, rows fall into weeks of `t_x` and `T` and
carry the average of each week, which keeps the posterior (a bin's floor or ceiling would not).

Columns are called `recency` and `tenure` on the way, since `t_x` beside `T_x` would be one name to an engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from workbench.clock import DAY
from workbench.engines import whole_seconds
from workbench.engines.duckdb import added, in_order
from workbench.segments import net_revenue, zero

WEEK_DAYS = 7.0
LOG_SPEND_BIN = 0.1
_NOTHING = 1e-9  # of the first day: what 0.1 + 0.2 − 0.3 leaves is no money
KEYS = ("about", "attribute", "group", "x", "a", "b")
HISTORY = ("x", "recency_days", "tenure_days")
FOLLOWED = ("x", "a", "b", "later")
EVERYBODY = ""
"""The attribute, and its only group, that everybody is in."""

Clock = Sequence[tuple[int, int]]


def order_day(orders: Any, clock: Clock) -> Any:
    """Days since 1970 on the project's clock."""
    return day_at(whole_seconds(orders.ts), clock)


def day_at(at: Any, clock: Clock) -> Any:
    """Days since 1970 on the project's clock, of seconds since 1970."""
    ahead: Any = ibis.literal(clock[0][1], "int64")
    for since, seconds in clock[1:]:
        ahead = ibis.ifelse(at >= since, ibis.literal(seconds, "int64"), ahead)
    return (at + ahead) // DAY


def customers(orders: Any, *, clock: Clock, end_day: int) -> Any:
    """One row a customer: `customer_id`, `first_at`, `x`, `recency_days`, `tenure_days`, `s`.

    Args:
        orders: Orders with `customer_id`, `ts`, `revenue` and perhaps `refund`.
        clock: What `clock.offsets` gives for the time of the orders.
        end_day: Last day that is used.
    """
    days = _purchase_days(orders, clock=clock, end_day=end_day)
    one = days.group_by("customer_id").aggregate(
        first_=days.day_.min(),
        first_at=days.first_at.min(),
        x=(days.count() - 1).cast("int64"),
        recency_days=(days.day_.max() - days.day_.min()).cast("int64"),
        total_=days.money_.sum(),
        begin_=days.money_.argmin(days.day_),
    )
    # all but what the first day brought: to sum up the later days alone, each day would have to be joined
    rest = one.total_ - one.begin_
    something = rest.abs() > _NOTHING * one.begin_.abs()
    tenure = (ibis.literal(end_day, "int64") - one.first_).cast("int64")
    return one.select(
        "customer_id",
        "first_at",
        "x",
        "recency_days",
        s=ibis.ifelse(something, rest, zero()),
        tenure_days=tenure,
    )


def _purchase_days(orders: Any, *, clock: Clock, end_day: int) -> Any:
    """One row a customer and day with a purchase: `customer_id`, `day_`, `money_`, `first_at`."""
    money = net_revenue(orders)
    paid = ibis.coalesce(orders.revenue.cast("float64"), zero())
    returned = ((paid > 0) & (money <= 0)) | (paid < 0)  # given back, or a credit note
    kept = orders.filter(~returned).mutate(money_=money, day_=order_day(orders, clock))
    kept = kept.filter(kept.day_ <= end_day)
    return kept.group_by(["customer_id", "day_"]).aggregate(
        money_=kept.money_.sum(), first_at=whole_seconds(kept.ts.min())
    )


def of_people(each: Any, people: Any) -> Any:
    """Those of the customers who are in `people`, with its columns.

    Args:
        each: What `customers` gives.
        people: Rows of `customer_id`, `group` and perhaps `as_of`; with it, only those are kept whose first
            purchase was not before it.
    """
    joined = told_apart(each, people)
    return joined.filter(joined.group.notnull()) if "as_of" in people.columns else joined


def told_apart(each: Any, people: Any) -> Any:
    """As `of_people`, with those who had bought before `as_of`, whose `group` is null."""
    joined = each.inner_join(people, "customer_id")
    if "as_of" not in people.columns:
        return joined
    after = joined.first_at >= joined.as_of
    return joined.mutate(group=ibis.ifelse(after, joined.group, ibis.null("string")))


def followed(orders: Any, *, clock: Clock, split_day: int, end_day: int) -> Any:
    """One row a customer acquired by `split_day`: `customers` until then, and what came after.

    `later` is the days with a purchase after it, and `later_s` what they brought.

    Args:
        orders: As of `customers`.
        clock: As of `customers`.
        split_day: Last day of what is known.
        end_day: Last day of what came of it.
    """
    before = customers(orders, clock=clock, end_day=split_day)
    after = customers(orders, clock=clock, end_day=end_day).select("customer_id", x_end="x", s_end="s")
    joined = before.inner_join(after, "customer_id")
    days = joined.x_end - joined.x
    money = ibis.ifelse(days > 0, joined.s_end - joined.s, zero())  # sums of equal days may differ in a bit
    return joined.mutate(later=days, later_s=money).drop("x_end", "s_end")


def counted_followed(each: Any, *, by_week: bool) -> Any:
    """How many customers have equal histories and futures: `FOLLOWED`, `n` and sums.

    `a` and `b` are days (or weeks) of recency and tenure, `first` and `second` the sums of their days, `s`
    and `later_s` sums of money.

    Args:
        each: What `followed` gives.
        by_week: Weeks rather than days are told apart.
    """
    width = int(WEEK_DAYS) if by_week else 1
    rows = each.mutate(a=each.recency_days // width, b=each.tenure_days // width)
    return rows.group_by(list(FOLLOWED)).aggregate(
        n=rows.count(),
        first=rows.recency_days.sum().cast("float64"),
        second=rows.tenure_days.sum().cast("float64"),
        s=rows.s.sum(),
        later_s=rows.later_s.sum(),
    )


def weekly(each: Any, orders: Any, *, clock: Clock, split_day: int, end_day: int) -> Any:
    """Days with a purchase, by week after `split_day`, of the customers in `each`: `week` from 0, and `n`."""
    days = _purchase_days(orders, clock=clock, end_day=end_day)
    days = days.filter(days.day_ > split_day).semi_join(each, "customer_id")
    weeks = days.mutate(week=((days.day_ - split_day - 1) // int(WEEK_DAYS)).cast("int64"))
    return weeks.group_by("week").aggregate(n=weeks.count())


def compressed(each: Any, groups: Mapping[str, str]) -> Any:
    """Times and spend of all attributes in one table, whose rows add up over customers by `KEYS`.

    A row about "times" is `n` customers with equal `x`, week of recency `a` and of tenure `b`; `first` is the
    sum of their days of recency and `second` that of tenure. A row about "spend" is `n` customers who came
    back and paid, with equal `x` and bin `a` of ln s; `first` is the sum of what lies above the bin's start,
    in millionths, and `second` that of its squares.

    Args:
        each: What `customers` gives, with the columns of `groups`.
        groups: Attribute → its column, null for customers who are only counted; without any there is
            `EVERYBODY`.
    """
    paid = (each.x > 0) & (each.s > 0)
    log = ibis.ifelse(paid, each.s, 1.0).ln()
    start = (log / LOG_SPEND_BIN).floor().cast("int64")
    # as whole numbers: their sums do not depend on the order of adding
    above = ((log - start.cast("float64") * LOG_SPEND_BIN) * 1e6 + 0.5).floor().cast("int64")
    weeks = {"recency_week": each.recency_days // 7, "tenure_week": each.tenure_days // 7}
    # one table for both shapes, so that an engine makes it once; those who paid nothing again are in no bin
    bin_ = ibis.ifelse(paid, start, ibis.null("int64"))
    rows = each.mutate(**weeks, bin_=bin_, above=above)
    nothing = ibis.literal(0, "int64")
    shapes = {
        "times": (rows.recency_week, rows.tenure_week, rows.recency_days, rows.tenure_days),
        "spend": (rows.bin_, nothing, rows.above, rows.above * rows.above),
    }
    labels = {attribute: rows[column] for attribute, column in groups.items()}
    labels = labels or {EVERYBODY: ibis.literal(EVERYBODY)}
    parts = []
    for about, (a, b, first, second) in shapes.items():
        for attribute, label in labels.items():
            grouped = rows.group_by("x", a=a, b=b, group=label).aggregate(
                n=rows.count(),
                first=first.sum().cast("float64"),
                second=second.sum().cast("float64"),
            )
            grouped = grouped.filter(grouped.a.notnull())
            named = {"about": ibis.literal(about), "attribute": ibis.literal(attribute)}
            parts.append(grouped.select(**named, **{name: grouped[name] for name in grouped.columns}))
    return ibis.union(*(part.select(*KEYS, "n", "first", "second") for part in parts))


class Compressed:
    """The answer to `compressed`, read for one attribute after the other."""

    def __init__(self, rows: pa.Table) -> None:
        self._rows = rows.filter(pc.field("group").is_valid())
        self._counted = rows.filter(pc.field("group").is_null() & (pc.field("about") == "times"))

    @property
    def customers(self) -> int:
        """How many customers are in a group."""
        return _total(self._of("times", EVERYBODY))

    @property
    def in_no_group(self) -> int:
        """How many customers are only counted; there is one attribute then."""
        return _total(self._counted)

    def times(self, attribute: str) -> pa.Table:
        """Rows of `group`, `x`, `t_x`, `T` (weeks, each the average of its week) and `n` customers."""
        rows = self._of("times", attribute)
        weeks = pc.multiply(rows["n"].cast("float64"), WEEK_DAYS)
        return pa.table(
            {
                **{name: rows[name] for name in ("group", "x", "n")},
                "t_x": pc.divide(rows["first"], weeks),
                "T": pc.divide(rows["second"], weeks),
            }
        )

    def spend(self, attribute: str) -> pa.Table:
        """Rows of `group`, `x`, `n`, `mean_log`, `var_log` of ln s, for customers who came back and paid."""
        rows = self._of("spend", attribute)
        n = rows["n"].cast("float64")
        mean = pc.divide(rows["first"], n)
        variance = pc.subtract(pc.divide(rows["second"], n), pc.multiply(mean, mean))
        begin = pc.multiply(rows["a"].cast("float64"), LOG_SPEND_BIN)
        return pa.table(
            {
                **{name: rows[name] for name in ("group", "x", "n")},
                "mean_log": pc.add(begin, pc.divide(mean, 1e6)),
                "var_log": pc.divide(variance, 1e12),
            }
        )

    def _of(self, about: str, attribute: str) -> pa.Table:
        rows = self._rows.filter(pc.field("about") == about)
        if attribute == EVERYBODY and rows.num_rows:
            # every customer is in one group of each attribute, so the groups of any of them add up to all
            rows = rows.filter(pc.field("attribute") == rows["attribute"][0])
            place = rows.column_names.index("group")
            rows = rows.set_column(place, "group", pa.repeat(EVERYBODY, rows.num_rows))
            return in_order(added(rows, KEYS), KEYS)
        return rows.filter(pc.field("attribute") == attribute)


def _total(rows: pa.Table) -> int:
    return int(pc.sum(rows["n"]).as_py() or 0)


def distinct(each: Any) -> Any:
    """How many customers have each history, told apart by the day: `HISTORY` and `n`."""
    return each.group_by(list(HISTORY)).aggregate(n=each.count())


def exact_times(each: Any) -> Any:
    """Rows of `group`, `x`, `t_x`, `T` (weeks) and `n` customers, by the day.

    In weeks of two decimals, as the published data sets have them: an hour and a half of error in a day.
    """
    rows = each.mutate(recency=_weeks(each.recency_days), tenure=_weeks(each.tenure_days))
    keys = ["group", "x", "recency", "tenure"]
    grouped = rows.group_by(keys).aggregate(n=rows.count())
    return grouped.order_by(keys).select("group", "x", t_x=grouped.recency, T=grouped.tenure, n=grouped.n)


def exact_spend(each: Any) -> Any:
    """Rows of `group`, `x`, `n`, `mean_log` of ln s, by the average repeat purchase to the cent."""
    back = each.filter((each.x > 0) & (each.s > 0))
    average = back.s / back.x.cast("float64")
    # half a cent goes up, though binary fractions fall short of it; below one unit a cent is too coarse
    cents = (average * 100.0 + (0.5 + 1e-6)).floor().cast("float64") / 100.0
    kept = ibis.ifelse(average >= 1.0, cents, average)
    back = back.mutate(mean_log=(kept * back.x.cast("float64")).ln())
    keys = ["group", "x", "mean_log"]
    grouped = back.group_by(keys).aggregate(n=back.count())
    return grouped.order_by(keys).mutate(var_log=zero())


def _weeks(days: Any) -> Any:
    return (days.cast("float64") * (100.0 / WEEK_DAYS) + 0.5).floor().cast("float64") / 100.0
