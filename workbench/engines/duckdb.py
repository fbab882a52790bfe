"""DuckDB in memory, with a view over each Parquet file of the project.

Every process has its own, so any number can read while one writes. The list of files is asked for before
each query: when a writer has put a new file in place, the view follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa

from workbench.errors import DataError, ProjectError

_MEMORY_SHARE = "70%"


class DuckDBEngine:
    """The default engine.

    Args:
        files: Called before each query; gives the Parquet file behind each table's name.
        memory_limit: DuckDB's own notation, such as `600MB`; above it queries spill to disk.
    """

    dialect = "duckdb"

    def __init__(self, files: Callable[[], Mapping[str, Path]], memory_limit: str = _MEMORY_SHARE) -> None:
        self._files = files
        self._views: dict[str, Path] = {}
        self._connection = duckdb.connect(":memory:", config={"memory_limit": memory_limit})
        self._connection.execute("SET TimeZone = 'UTC'")

    def tables(self) -> list[str]:
        return sorted(self._current())

    def schema(self, table: str) -> ibis.Schema:
        self._current()
        return ibis.Schema.from_pyarrow(self._run(f'SELECT * FROM "{table}" LIMIT 0').schema)

    def query(self, sql: str) -> pa.Table:
        self._current()
        return self._run(sql)

    def _current(self) -> dict[str, Path]:
        files = dict(self._files())
        for name in self._views.keys() - files.keys():
            self._connection.execute(f'DROP VIEW "{name}"')
        for name, file in files.items():
            if self._views.get(name) != file:
                place = str(file).replace("'", "''")
                try:
                    self._connection.execute(
                        f"CREATE OR REPLACE VIEW \"{name}\" AS FROM read_parquet('{place}')"
                    )
                except duckdb.Error as error:
                    raise ProjectError(
                        "The table {table} cannot be read from {file}; load its source again.",
                        table=name,
                        file=str(file),
                    ) from error
        self._views = files
        return files

    def _run(self, sql: str) -> pa.Table:
        try:
            return self._connection.sql(sql).to_arrow_table()
        except duckdb.OutOfMemoryException as error:
            raise DataError(
                "The question needs more memory than there is; set memory_limit in project.toml lower, "
                "so that it spills to disk, or ask about fewer columns."
            ) from error
