"""Metrics of what customers do after their first exposure: how they are named and counted.

    conversion          whether a customer ordered at least once in the window
    revenue             what their orders in the window brought, less refunds
    orders              how many orders they placed in it
    repeat              whether they placed at least two
    event:click         how many events of a name they had in it
    any:click           whether they had at least one
    stays, seconds      how many pages they stayed on for a time that is known, and for how long

Per customer, never per visit: visits of one person are not independent, and their number may itself depend on
the arm. One metric divided by another (clicks by views, revenue by orders) is the ratio of their sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import ibis

from workbench.engines import Engine
from workbench.engines import table as stored
from workbench.metrics.sessions import dwell
from workbench.segments import is_credit, net_revenue, zero

MOST_NAMES: Final = 50
"""Names of events that are offered as metrics, the most frequent ones."""
LONGEST_STAY: Final = 1800.0
"""Seconds; a page that is open for longer has been left."""


@dataclass(frozen=True)
class Timed:
    """A metric of actions with times.

    Attributes:
        table: Where the actions are.
        name: Of the action that is counted or summed.
        at_least: With so many actions a customer's value is 1, else 0; None for the sum of them.
    """

    table: str
    name: str
    at_least: int | None = None

    @property
    def share(self) -> bool:
        """Whether a customer's value is 0 or 1."""
        return self.at_least is not None

    @classmethod
    def of(cls, metric: str) -> Timed | None:
        """The metric of that name; None when it is not one of these.

        >>> Timed.of("any:click"), Timed.of("minutes")
        (Timed(table='events', name='click', at_least=1), None)
        """
        kind, _, name = metric.partition(":")
        if name and kind in ("event", "any"):
            return cls("events", name, 1 if kind == "any" else None)
        return ORDERED.get(metric) or STAYED.get(metric)


ORDERED: Final = {
    "conversion": Timed("orders", "orders", 1),
    "revenue": Timed("orders", "revenue"),
    "orders": Timed("orders", "orders"),
    "repeat": Timed("orders", "orders", 2),
}
STAYED: Final = {"stays": Timed("stays", "stays"), "seconds": Timed("stays", "seconds")}


def of(engine: Engine, table: str) -> Any:
    """The actions in a table of the engine; `stays` are made of `events`."""
    return actions(stored(engine, "events" if table == "stays" else table), table)


def actions(rows: Any, table: str) -> Any:
    """Rows of `customer_id`, `ts`, and one column for each action, or `name` and `x` for events."""
    one = ibis.literal(1, "int8").cast("float64")
    if table == "orders":
        placed = ibis.ifelse(is_credit(rows), zero(), one)
        return rows.select("customer_id", "ts", orders=placed, revenue=net_revenue(rows))
    if table == "stays":
        stays = dwell(rows)
        known = stays.filter(stays.seconds.notnull())  # the last page of a visit has no time, which is not 0
        seconds = ibis.least(known.seconds, ibis.literal(LONGEST_STAY))
        return known.select("customer_id", "ts", stays=one, seconds=seconds)
    return rows.select("customer_id", "ts", "name", x=one)


def names(events: Any) -> Any:
    """Rows of `name`, `n`: how many events of each name there are."""
    return events.group_by("name").aggregate(n=events.count())
