"""Looking over the tables after loading: what does not fit together, and what stretch of time they cover.

One family a module: `keys` (the same thing twice), `times` (days that are missing), `clocks` (the wrong
zone), `people` (whose rows they are), `traffic` (machines), `money` (amounts). A check is `ok`, asks for care
(`warn`) or says that numbers would be wrong (`fail`). Its name is stable, such as `orders.gaps`; metrics
refer to it.

All are aggregates that DuckDB, PostgreSQL and Spark understand alike. Examples are days, order numbers,
amounts and names of events or experiences. No customer is ever shown, nor an identifier that may be made of
an address.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from workbench.engines import Engine
from workbench.records import Check
from workbench.tables.checks.clocks import clock_checks
from workbench.tables.checks.coverage import coverage as coverage
from workbench.tables.checks.keys import fired_twice, key_checks
from workbench.tables.checks.money import money_checks
from workbench.tables.checks.people import people_checks, strangers
from workbench.tables.checks.stored import Stored
from workbench.tables.checks.times import time_checks
from workbench.tables.checks.traffic import busy_customers, traffic_checks, visits


def table_checks(
    engine: Engine, *, timezone: str = "UTC", currency: str = "EUR", now: datetime | None = None
) -> list[Check]:
    """Check the stored tables, each by itself and against the others.

    Args:
        engine: Where the tables are.
        timezone: IANA name of the clock that days are counted on.
        currency: ISO code of the project's money.
        now: The present, for times that lie beyond it; naive times are UTC.
    """
    return list(_checks(Stored(engine, timezone, now), currency))


def _checks(stored: Stored, currency: str) -> Iterator[Check]:
    # each of these would look for the newest events in the whole table
    newest = stored.together(
        {**fired_twice(stored), **strangers(stored), **busy_customers(stored), **visits(stored)}
    )
    yield from key_checks(stored, newest)
    yield from time_checks(stored)
    yield from clock_checks(stored)
    yield from people_checks(stored, newest)
    yield from traffic_checks(stored, newest)
    yield from money_checks(stored, currency)
