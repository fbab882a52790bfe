"""Tables in memory, and what the checks say of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from workbench.records import Check
from workbench.tables.checks import table_checks
from workbench.tables.schema import TABLES, conform

NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = datetime(2025, 1, 6)


class Memory:
    """An engine over tables in memory."""

    dialect = "duckdb"

    def __init__(self, **tables: dict[str, Any] | pa.Table) -> None:
        self._database = duckdb.connect(config={"threads": 2})
        self._schemas: dict[str, ibis.Schema] = {}
        for name, rows in tables.items():
            table = conform(rows if isinstance(rows, pa.Table) else pa.table(rows), TABLES[name])
            self._schemas[name] = ibis.Schema.from_pyarrow(table.schema)
            self._database.register(name, table)

    def tables(self) -> list[str]:
        return list(self._schemas)

    def schema(self, table: str) -> ibis.Schema:
        return self._schemas[table]

    def query(self, sql: str) -> pa.Table:
        return self._database.sql(sql).to_arrow_table()


def checked(
    *, timezone: str = "UTC", currency: str = "EUR", now: datetime = NOW, **tables: dict[str, Any] | pa.Table
) -> dict[str, Check]:
    """What is found in tables, by name."""
    found = table_checks(Memory(**tables), timezone=timezone, currency=currency, now=now)
    assert len({check.name for check in found}) == len(found)
    return {check.name: check for check in found}


def alarms(found: dict[str, Check]) -> set[str]:
    """Names of what is not fine."""
    return {name for name, check in found.items() if check.status != "ok"}


def times(seconds: ArrayLike, start: datetime = START) -> pa.Array:
    """Moments so many seconds after the start."""
    return pa.array(
        [start + timedelta(seconds=float(second)) for second in np.asarray(seconds)], pa.timestamp("us")
    )


def orders_on(counts: Sequence[int], rng: np.random.Generator) -> dict[str, Any]:
    """So many orders on each day from `START` on, by day and evening, each of a customer of its own."""
    day = np.repeat(np.arange(len(counts)), counts)
    second = np.sort(day * 86_400 + rng.integers(7 * 3600, 23 * 3600, day.size))
    return {
        "order_id": [f"o{number}" for number in range(day.size)],
        "customer_id": [f"c{number}" for number in range(day.size)],
        "ts": times(second),
        "revenue": rng.gamma(4.0, 12.5, day.size).round(2),
    }
