"""DuckDB in memory, with a view over the Parquet files of each table of the project.

Every process has its own, so any number can read while one writes. The list of files is asked for before
each query: when a writer has put a new file in place, the view follows.

A question over many rows is asked of one range of customers after the other, and the answers are added up:
memory is that of a range, and its customers fit into the processor's cache. It needs files that are sorted by
customer, so that each range reads its own row groups.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from workbench.engines import cancelling
from workbench.errors import DataError, ProjectError

_MEMORY_SHARE = "70%"
RANGE_ROWS = 10_000_000
"""About how many rows a range of customers has at most, in all tables of a question together."""
RANGE_CUSTOMERS = 500_000
"""About how many customers a range has at most, since what is grouped by customer has to be held."""
_ROWS_A_CUSTOMER = {"customers": 1, "exposures": 1, "orders": 2}
"""How many rows a customer has, at least and on average; files do not say how many customers they hold."""
_ROWS_AT_HAND = 1_000_000  # of answers, before they are added up
_ROWS_AT_ONCE = 500_000  # of rows that are streamed
_MOST_AT_ONCE = 4  # ranges, each with its own memory
_MOST_READ = 2.0  # rows of the row groups that all ranges read together, relative to those there are


@dataclass(frozen=True)
class Footers:
    """What the footers of a table's files say, without a row being read.

    Attributes:
        rows: How many rows there are.
        filled: Column → rows in which it is filled.
        times: Column of times → its first and last, whole seconds since 1970; None where nothing is filled.
    """

    rows: int
    filled: Mapping[str, int]
    times: Mapping[str, tuple[int | None, int | None]]


def scan(parts: Sequence[Path]) -> str:
    """SQL for the rows of Parquet files, whose columns may differ."""
    return f"read_parquet({_listed(parts)}, union_by_name = true)"


def _listed(parts: Sequence[Path]) -> str:
    return "[" + ", ".join("'" + str(part).replace("'", "''") + "'" for part in parts) + "]"


def named_in(sql: str, tables: Sequence[str]) -> list[str]:
    """Those of the tables whose name is a word of the query."""
    return [name for name in tables if re.search(rf"\b{re.escape(name)}\b", sql)]


class DuckDBEngine:
    """The default engine; any number of threads may ask it at once.

    Args:
        files: Called before each query; gives the Parquet files behind each table's name.
        memory_limit: DuckDB's own notation, such as `600MB`; above it queries spill to disk.
    """

    dialect = "duckdb"

    def __init__(
        self, files: Callable[[], Mapping[str, Sequence[Path]]], memory_limit: str = _MEMORY_SHARE
    ) -> None:
        self._files = files
        self._views: dict[str, Sequence[Path]] = {}
        self._schemas: dict[str, ibis.Schema] = {}
        self._views_change = Lock()
        self._connection = self._connect({"memory_limit": memory_limit})
        # as many threads as there are processors that this process may use
        self._threads = int(self._connection.execute("SELECT current_setting('threads')").fetchall()[0][0])
        self._single = self._connect({"memory_limit": memory_limit, "threads": "1"})

    def tables(self) -> list[str]:
        return sorted(self._current())

    def schema(self, table: str) -> ibis.Schema:
        self._current()
        if table not in self._schemas:
            empty = self._run(f'SELECT * FROM "{table}" LIMIT 0')
            self._schemas[table] = ibis.Schema.from_pyarrow(empty.schema)
        return self._schemas[table]

    def query(self, sql: str) -> pa.Table:
        self._current()
        return self._run(sql)

    def answer(self, sql: str, keys: Sequence[str] = ()) -> pa.Table:
        """Rows of a query that holds no customers, only sums over them.

        Args:
            sql: The query.
            keys: With them, the rows are sums over customers by these columns: the answer for two sets of
                customers that have none in common is the sum of the answers. It may then come from one range
                of customers after the other. Rows are in the order of these columns.
        """
        self._current()
        tables = [name for name in named_in(sql, list(self._views)) if self._numbered(name)]
        ranges = self._ranges(tables) if keys else []
        if len(ranges) < 2:
            return in_order(self._run(sql), keys)
        parts: list[pa.Table] = []
        # One thread a range: threads that share a range spend a fifth of their time on each other.
        with ThreadPoolExecutor(min(_MOST_AT_ONCE, self._threads)) as pool:
            for rows in pool.map(self._ranging(sql), ranges):
                parts.append(rows)
                if sum(part.num_rows for part in parts) > _ROWS_AT_HAND:
                    parts = [added(pa.concat_tables(parts), keys)]
        return in_order(added(pa.concat_tables(parts), keys), keys)

    def batches(self, sql: str) -> Iterator[pa.Table]:
        """Rows of a query, some at a time, whose rows of one customer come from that customer's rows alone.

        Where files are sorted by customer, one range of customers is held for each thread.

        Raises:
            DataError: when the tables changed before all rows were read.
        """
        self._current()
        tables = [name for name in named_in(sql, list(self._views)) if self._numbered(name)]
        ranges = self._ranges(tables)
        try:
            if len(ranges) < 2:
                yield from self._streamed(sql)
                return
            with ThreadPoolExecutor(min(_MOST_AT_ONCE, self._threads)) as pool:
                waiting: deque[Future[pa.Table]] = deque()
                ranged = self._ranging(sql)
                try:
                    for edges in ranges:
                        waiting.append(pool.submit(ranged, edges))
                        if len(waiting) > min(_MOST_AT_ONCE, self._threads):
                            yield waiting.popleft().result()
                    while waiting:
                        yield waiting.popleft().result()
                finally:
                    for one in waiting:  # nobody reads on
                        one.cancel()
        except duckdb.IOException as error:
            raise DataError("The tables changed while they were read; ask once more.") from error

    def _streamed(self, sql: str) -> Iterator[pa.Table]:
        with self._connection.cursor() as cursor:
            try:
                for batch in cursor.sql(sql).to_arrow_reader(_ROWS_AT_ONCE):
                    cancelling.check()
                    yield pa.Table.from_batches([batch])
            except duckdb.OutOfMemoryException as error:
                raise _too_large() from error

    def footers(self, table: str) -> Footers | None:
        """What the files say of a table; None when they do not say it of every column, or there is no row."""
        kinds = self.schema(table)
        times = [name for name, kind in kinds.items() if kind.is_timestamp() or kind.is_date()]
        rows = self._metadata(
            f"""SELECT path_in_schema AS name, sum(row_group_num_rows) FILTER (column_id = 0)::BIGINT,
                sum(num_values - stats_null_count)::BIGINT,
                floor(epoch(min(least)))::BIGINT, floor(epoch(max(greatest)))::BIGINT,
                bool_and(stats_null_count IS NOT NULL AND (NOT timed OR num_values = stats_null_count
                    OR least IS NOT NULL AND greatest IS NOT NULL)) AS said
            FROM (SELECT *, list_contains(?, path_in_schema) AS timed,
                    CASE WHEN timed THEN TRY_CAST(stats_min_value AS TIMESTAMP) END AS least,
                    CASE WHEN timed THEN TRY_CAST(stats_max_value AS TIMESTAMP) END AS greatest
                FROM parquet_metadata({_listed(self._views[table])}))
            GROUP BY name""",
            [times],
        )
        if {name for name, *_, said in rows if said} != set(kinds.names):
            return None
        return Footers(
            rows=sum(n or 0 for _, n, *_ in rows),
            filled={name: filled for name, _, filled, *_ in rows},
            times={name: (first, last) for name, _, _, first, last, _ in rows if name in times},
        )

    def _ranging(self, sql: str) -> Callable[[tuple[int, int]], pa.Table]:
        """What gives rows of a query over the customers of a range, in threads of its own."""
        context = copy_context()  # whoever ends the question ends it there, too
        return lambda edges: context.copy().run(self._ranged, sql, *edges)

    def _ranged(self, sql: str, low: int, high: int) -> pa.Table:
        """Rows of a query over the customers from `low` to `high`."""
        with self._single.cursor() as cursor:
            for name in named_in(sql, list(self._views)):
                only = f"WHERE customer_id BETWEEN {low} AND {high}" if self._numbered(name) else ""
                cursor.execute(f'CREATE TEMP VIEW "{name}" AS FROM {scan(self._views[name])} {only}')
            return self._answered(cursor, sql)

    def _numbered(self, table: str) -> bool:
        """Whether the table's customers are whole numbers."""
        kind = self.schema(table).get("customer_id")
        return kind is not None and kind.is_int64()

    def _ranges(self, tables: Sequence[str]) -> list[tuple[int, int]]:
        """First and last customer of ranges with about as many rows each.

        Files that are not sorted by customer would be read whole for every range: then there is none.
        """
        known = {table: self._row_groups(table) for table in tables}
        groups = sorted(group for found in known.values() for group in found)
        total = sum(rows for _, _, rows in groups)
        customers = max(
            sum(rows for _, _, rows in known.get(table, [])) // each
            for table, each in _ROWS_A_CUSTOMER.items()
        )
        wanted = max(1, -(-total // RANGE_ROWS), -(-customers // RANGE_CUSTOMERS))
        begins, seen = [-(2**63)], 0
        for low, _, rows in groups:
            if seen >= total * len(begins) / wanted and low > begins[-1]:
                begins.append(low)
            seen += rows
        ranges = [(low, high - 1) for low, high in pairwise([*begins, 2**63])]
        read = sum(
            rows for low, high, rows in groups for first, last in ranges if low <= last and first <= high
        )
        return ranges if read <= _MOST_READ * total else []

    def _row_groups(self, table: str) -> list[tuple[int, int, int]]:
        """First and last customer and number of rows of each row group."""
        rows = self._metadata(
            "SELECT stats_min_value::BIGINT, stats_max_value::BIGINT, row_group_num_rows "
            f"FROM parquet_metadata({_listed(self._views[table])}) WHERE path_in_schema = 'customer_id'"
        )
        return [] if any(None in row for row in rows) else rows

    def _metadata(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            return cursor.execute(sql, list(values)).fetchall()

    def _current(self) -> dict[str, Sequence[Path]]:
        files = dict(self._files())
        with self._views_change:
            self._follow(files)
        return files

    def _follow(self, files: dict[str, Sequence[Path]]) -> None:
        for name in self._views.keys() - files.keys():
            self._connection.execute(f'DROP VIEW "{name}"')
            self._schemas.pop(name, None)
        for name, parts in files.items():
            if self._views.get(name) != parts:
                try:
                    self._connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS FROM {scan(parts)}')
                except duckdb.Error as error:
                    raise ProjectError(
                        "The table {table} cannot be read from {file}; load its source again.",
                        table=name,
                        file=", ".join(map(str, parts)),
                    ) from error
                self._schemas.pop(name, None)
        self._views = files

    @staticmethod
    def _connect(config: dict[str, str]) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(":memory:", config=config)
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        # a part never changes once it is written, so what its footer says may be kept
        connection.execute("SET GLOBAL parquet_metadata_cache = true")
        return connection

    def _run(self, sql: str) -> pa.Table:
        with self._connection.cursor() as cursor:  # a connection is for one thread
            return self._answered(cursor, sql)

    @staticmethod
    def _answered(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
        try:
            with cancelling.ending(connection.interrupt):
                return connection.sql(sql).to_arrow_table()
        except duckdb.OutOfMemoryException as error:
            raise _too_large() from error


def _too_large() -> DataError:
    return DataError(
        "The question needs more memory than there is; set memory_limit in project.toml lower, so that it "
        "spills to disk, or ask about fewer columns."
    )


def in_order(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The rows in the order of `keys`, so that what is added up later is added in the same order."""
    return rows.sort_by([(name, "ascending") for name in keys]) if keys else rows


def added(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """One row for each combination of `keys`, with the sums of the other columns, in their order."""
    sums = [name for name in rows.column_names if name not in keys]
    found = rows.group_by(list(keys)).aggregate([(name, "sum") for name in sums])
    return found.rename_columns([*keys, *sums]).select(rows.column_names)
