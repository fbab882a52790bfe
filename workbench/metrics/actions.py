"""Metrics of what customers do after their first exposure: how they are named and counted.

    conversion          whether a customer ordered at least once in the window
    revenue             what their orders in the window brought, less refunds
    orders              how many orders they placed in it
    event:click         how many events of a name they had in it
    any:click           whether they had at least one

Per customer, never per visit: visits of one person are not independent, and their number may itself depend on
the arm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import ibis

from workbench.segments import is_credit, net_revenue, zero

MOST_NAMES: Final = 50
"""Names of events that are offered as metrics, the most frequent ones."""


@dataclass(frozen=True)
class Timed:
    """A metric of actions with times.

    Attributes:
        table: Where the actions are.
        name: Of the action that is counted or summed.
        share: Whether a customer's value is 1 for any such action, rather than the sum of them.
    """

    table: str
    name: str
    share: bool = False

    @classmethod
    def of(cls, metric: str) -> Timed | None:
        """The metric of that name; None when it is not one of these.

        >>> Timed.of("any:click"), Timed.of("minutes")
        (Timed(table='events', name='click', share=True), None)
        """
        kind, _, name = metric.partition(":")
        if name and kind in ("event", "any"):
            return cls("events", name, share=kind == "any")
        return ORDERED.get(metric)


ORDERED: Final = {
    "conversion": Timed("orders", "orders", share=True),
    "revenue": Timed("orders", "revenue"),
    "orders": Timed("orders", "orders"),
}


def actions(rows: Any, table: str) -> Any:
    """Rows of `customer_id`, `ts`, and `orders` and `revenue` of an order or `name` and `x` of an event."""
    one = ibis.literal(1, "int8").cast("float64")
    if table == "orders":
        placed = ibis.ifelse(is_credit(rows), zero(), one)
        return rows.select("customer_id", "ts", orders=placed, revenue=net_revenue(rows))
    return rows.select("customer_id", "ts", "name", x=one)


def names(events: Any) -> Any:
    """Rows of `name`, `n`: how many events of each name there are."""
    return events.group_by("name").aggregate(n=events.count())
