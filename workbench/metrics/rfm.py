"""Recency, frequency and money of customers, scored from 1 to 5 against all customers.

    recency     days since the last purchase
    frequency   days with a purchase
    money       what all orders brought, less what was given back

A score says how many customers do worse, and nothing else: 5 when at least four fifths of them are strictly
worse, 4 when at least three fifths are, and so on down to 1, when fewer than one fifth are. Customers with
equal values have equal scores; where 60 % bought once, they all have 1 and those who bought twice begin at 4.

Equivalently, with the values so that more is better, a score is 1 plus the number of cut points below the
value, the k-th of which is the smallest value that at least k fifths of the customers do not exceed. Only
these twelve cut points leave the engine, whatever the number of customers.

Source of the three measures: Hughes (1994), "Strategic Database Marketing"; its fifths are made by sorting,
which parts equal customers by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import Any

import ibis

from workbench.engines import Engine
from workbench.metrics.cells import ask
from workbench.metrics.purchases import Clock, order_day
from workbench.metrics.purchases import customers as purchase_histories
from workbench.segments import is_credit, net_revenue, zero

MEASURES = ("recency", "frequency", "money")
FIFTHS = 5

Cell = tuple[int, int, int]
"""Scores of recency, frequency and money."""


@dataclass(frozen=True)
class Scale:
    """What a customer is scored by.

    Attributes:
        customers: How many customers bought.
        cuts: For each measure four cut points; those of recency are in days, from many to few.
    """

    customers: int
    cuts: Mapping[str, tuple[float, ...]]

    def cell(self, recency: float, frequency: float, money: float) -> Cell:
        """The scores of a customer.

        Args:
            recency: Days since the last purchase.
            frequency: Days with a purchase.
            money: What all orders brought; cents count.

        >>> cuts = {"recency": (90, 60, 30, 10), "frequency": (1, 1, 1, 3), "money": (20, 40, 60, 80)}
        >>> Scale(100, cuts).cell(recency=10, frequency=2, money=80.01)
        (4, 4, 5)
        """
        recent = 1 + sum(recency < cut for cut in self.cuts["recency"])
        often = 1 + sum(frequency > cut for cut in self.cuts["frequency"])
        much = 1 + sum(floor(money * 100 + 0.5) > round(cut * 100) for cut in self.cuts["money"])
        return recent, often, much


def customers(orders: Any, *, clock: Clock, end_day: int, money: str = "revenue") -> Any:
    """One row a customer who bought, whole numbers all.

    `customer_id`, `recency`, `frequency`, `cents` (what is scored); `tenure` days since the first purchase,
    `orders` without credits, and the cents of `revenue`.

    Args:
        orders: Orders with `customer_id`, `ts`, `revenue` and perhaps `refund` and `margin`.
        clock: What `clock.offsets` gives for the time of the orders.
        end_day: Last day that is used; recency is counted back from it.
        money: What is scored as money, `revenue` or `margin`; less what was given back, both of them.
    """
    bought = purchase_histories(orders, clock=clock, end_day=end_day)
    bought = bought.select(
        "customer_id",
        recency=bought.tenure_days - bought.recency_days,
        frequency=bought.x + 1,
        tenure=bought.tenure_days,
    )
    brought = net_margin(orders) if money == "margin" else net_revenue(orders)
    known = orders.mutate(
        money_=brought,
        revenue_=net_revenue(orders),
        placed_=ibis.ifelse(is_credit(orders), 0, 1),
        day_=order_day(orders, clock),
    )
    known = known.filter(known.day_ <= end_day)
    spent = known.group_by("customer_id").aggregate(
        money_=known.money_.sum(), revenue_=known.revenue_.sum(), orders=known.placed_.sum().cast("int64")
    )
    both = bought.inner_join(spent, "customer_id")
    return both.select(
        *bought.columns,
        cents=_cents(both.money_),
        revenue=_cents(both.revenue_),
        orders=both.orders,
    )


def net_margin(orders: Any) -> Any:
    """Margin of an order, as float64, in the share of its revenue that was not given back.

    An unknown margin counts as nothing; a credit, whose revenue is below zero, has its own.
    """
    revenue = ibis.coalesce(orders.revenue.cast("float64"), zero())
    margin = ibis.coalesce(orders.margin.cast("float64"), zero())
    return ibis.ifelse(revenue > 0, margin * (net_revenue(orders) / revenue.nullif(zero())), margin)


def _cents(money: Any) -> Any:
    """In whole cents, since parallel sums of equal amounts differ in the last bits and would not be equal."""
    return (money * 100.0 + 0.5).floor().cast("int64")


def scale(engine: Engine, each: Any) -> Scale | None:
    """The cut points of all customers; None when there are none.

    Args:
        engine: Where they are.
        each: What `customers` gives.
    """
    better = {"recency": -each.recency, "frequency": each.frequency, "money": each.cents}
    found = ask(engine, ibis.union(*(_cuts(each, name, value) for name, value in better.items())))
    rows = {row["measure"]: row for row in found.to_pylist()}
    if not rows["recency"]["customers"]:
        return None
    unit = {"recency": -1.0, "frequency": 1.0, "money": 0.01}
    cuts = {
        name: tuple(round(float(rows[name][f"cut{k}"]) * unit[name], 2) for k in range(1, FIFTHS))
        for name in MEASURES
    }
    return Scale(int(rows["recency"]["customers"]), cuts)


def _cuts(each: Any, name: str, value: Any) -> Any:
    """One row: the measure, how many customers there are, and the four cut points of a value."""
    counted = each.group_by(value=value.cast("int64")).aggregate(n=each.count())
    so_far = ibis.window(order_by="value", preceding=None, following=0)
    ranked = counted.mutate(
        within=counted.n.sum().over(so_far).cast("int64"),
        all_=counted.n.sum().over(ibis.window()).cast("int64"),
    )
    cuts = {
        f"cut{k}": ranked.value.min(where=ranked.within * FIFTHS >= ranked.all_ * k) for k in range(1, FIFTHS)
    }
    row = ranked.aggregate(customers=ranked.all_.max(), **cuts)
    return row.select(measure=ibis.literal(name), customers=row.customers, **{cut: row[cut] for cut in cuts})


def scored(each: Any, by: Scale) -> Any:
    """`each` with the scores `r`, `f` and `m`.

    Args:
        each: What `customers` gives.
        by: What `scale` gives.
    """

    def score(above: list[Any]) -> Any:
        points = ibis.literal(1, "int64")
        for one in above:
            points = points + ibis.ifelse(one, ibis.literal(1, "int64"), ibis.literal(0, "int64"))
        return points

    return each.mutate(
        r=score([each.recency < int(cut) for cut in by.cuts["recency"]]),
        f=score([each.frequency > int(cut) for cut in by.cuts["frequency"]]),
        m=score([each.cents > round(cut * 100) for cut in by.cuts["money"]]),
    )


def cells(engine: Engine, each: Any, by: Scale) -> dict[Cell, int]:
    """How many customers have each combination of scores; arguments as of `scored`."""
    rows = scored(each, by)
    keys = ["r", "f", "m"]
    counted = ask(engine, rows.group_by(keys).aggregate(n=rows.count()), keys)
    return {(int(row["r"]), int(row["f"]), int(row["m"])): int(row["n"]) for row in counted.to_pylist()}
