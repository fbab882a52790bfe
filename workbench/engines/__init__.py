"""An engine runs SQL where the tables are; two verbs, and the name of its dialect.

Queries are Ibis expressions over unbound tables, used as a compiler only: `fetch(engine, expression)`
makes the SQL for the engine's dialect and brings back what it asks for, which is always an aggregate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import ibis
import pyarrow as pa

from workbench.errors import DataError


class Engine(Protocol):
    """What a place that holds tables has to offer."""

    dialect: str

    def tables(self) -> list[str]:
        """Names of the tables there are."""

    def schema(self, table: str) -> ibis.Schema:
        """Column names and types of `table`."""

    def query(self, sql: str) -> pa.Table:
        """Rows of a query in the engine's dialect."""


def has(engine: Engine, *tables: str) -> bool:
    """Whether all these tables are there."""
    there = engine.tables()
    return all(table in there for table in tables)


def table(engine: Engine, name: str) -> Any:
    """The table as an Ibis expression.

    Raises:
        DataError: when the project has no such table.
    """
    if not has(engine, name):
        raise DataError("This project has no {table} yet; load a file with them first.", table=name)
    rows = ibis.table(engine.schema(name), name=name)
    view = getattr(engine, "view", None)  # some engines show less than there is
    return rows if view is None else view(name, rows)


def fetch(engine: Engine, expression: Any) -> list[dict[str, Any]]:
    """Rows of an Ibis expression as dictionaries."""
    return engine.query(ibis.to_sql(expression, dialect=engine.dialect)).to_pylist()


def stream(engine: Engine, expression: Any) -> Iterator[pa.Table]:
    """Rows of an Ibis expression, some at a time; for what is written customer by customer.

    Each row has to come from the rows of one customer alone: some engines ask for a range of customers after
    the other.
    """
    sql = ibis.to_sql(expression, dialect=engine.dialect)
    batches = getattr(engine, "batches", None)  # some engines need not hold all rows at once
    yield from batches(sql) if batches else [engine.query(sql)]


def whole_seconds(ts: Any) -> Any:
    """Whole seconds since 1970 of a time in UTC, as int64; a part of a second is cut off.

    A bare cast is not portable: DuckDB, PostgreSQL and Trino round it, Spark, BigQuery and ClickHouse cut.
    """
    return ts.epoch_seconds().floor().cast("int64")


def span(engine: Engine, *tables: str) -> tuple[int, int] | None:
    """First and last moment of `ts` over those of the tables that are there, in seconds since 1970."""
    firsts, lasts = [], []
    footers = getattr(engine, "footers", None)  # some engines have files that say it without being read
    for name in tables:
        if has(engine, name):
            told = footers(name) if footers else None
            if told is not None and told.times.get("ts", (None,))[0] is not None:
                firsts.append(told.times["ts"][0])
                lasts.append(told.times["ts"][1])
                continue
            ts = table(engine, name).ts
            edges = {"first": ts.min(), "last": ts.max()}
            asked = {key: whole_seconds(edge) for key, edge in edges.items()}
            sql = ibis.to_sql(table(engine, name).aggregate(**asked), dialect=engine.dialect)
            row = getattr(engine, "answer", engine.query)(sql).to_pylist()[0]  # some engines remember
            if row["first"] is not None:
                firsts.append(int(row["first"]))
                lasts.append(int(row["last"]))
    return (min(firsts), max(lasts)) if firsts else None
