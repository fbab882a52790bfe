"""Parquet files walk through the same gate as text, with the types they have; their lines are row numbers.

A cell that holds more than one value (a struct, a list, a map) is given as JSON text, as it would stand in a
JSON export of the same data. Bytes are given as the text they are, or in hexadecimal where they are none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.errors import DataError
from workbench.locale import say
from workbench.tables import cells
from workbench.tables.sources.files import on_disk, whole
from workbench.tables.sources.source import Batch, Source, unique_names

_ROWS_AT_LEAST, _NESTED_ROWS_AT_MOST, _ROWS_AT_MOST = 1 << 10, 1 << 15, 1 << 18


@dataclass(frozen=True)
class ParquetFile(Source):
    """A Parquet file."""

    def _batches(self, wanted: Sequence[str], block: int) -> Iterator[Batch]:
        line = 1
        with _file(self.path) as file:
            columns: dict[str, list[str]] = {}  # a name in the file → the columns that have it
            for name, column in zip(file.schema_arrow.names, self.columns, strict=False):
                columns.setdefault(name, []).append(column)
            asked = [name for name, same in columns.items() if not set(same).isdisjoint(wanted)]
            for batch in file.iter_batches(_rows(file, asked, block), columns=asked):
                names = [column for name in asked for column in columns[name]]
                rows = pa.Table.from_batches([batch]).rename_columns(names).select(list(wanted))
                lines = np.arange(line, line + len(batch), dtype=np.int64)
                line += len(batch)
                yield Batch(_plain(rows), lines, done=(line - 1) / file.metadata.num_rows)


def open_parquet(path: Path) -> ParquetFile:
    """Read what a Parquet file says of itself.

    Raises:
        DataError: when it is damaged or has no rows.
    """
    try:
        file = _file(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError("{file} is not a whole Parquet file.", file=path.name) from error
    with file:
        if not file.metadata.num_rows:
            raise DataError("{file} has column names but no rows.", file=path.name)
        names = file.schema_arrow.names
    note = say("{file} is a Parquet file; its lines are counted as rows, from 1.", file=path.name)
    return ParquetFile(path, unique_names(names), notes=(note,))


def _file(path: Path) -> pq.ParquetFile:
    return pq.ParquetFile(path if on_disk(path) else pa.BufferReader(whole(path)))


def _rows(file: pq.ParquetFile, columns: Sequence[str], block: int) -> int:
    """How many rows have about `block` bytes in these columns; nested ones grow when they become text."""
    size, nested = 1, False
    for group in map(file.metadata.row_group, range(file.metadata.num_row_groups)):
        for chunk in map(group.column, range(group.num_columns)):
            path = chunk.path_in_schema
            if any(path == name or path.startswith(name + ".") for name in columns):
                size += chunk.total_uncompressed_size
                nested = nested or path not in columns
    most = _NESTED_ROWS_AT_MOST if nested else _ROWS_AT_MOST
    return max(_ROWS_AT_LEAST, min(most, block * file.metadata.num_rows // size))


def _plain(rows: pa.Table) -> pa.Table:
    """The rows with one value a cell."""
    columns = []
    for column in rows.columns:
        kind = column.type
        if pa.types.is_dictionary(kind):
            column, kind = column.cast(kind.value_type), kind.value_type
        if pa.types.is_nested(kind):
            column = _each(column, "CASE WHEN cell IS NOT NULL THEN CAST(to_json(cell) AS VARCHAR) END")
        elif (
            pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
        ):
            column = _each(column, "coalesce(TRY(decode(cell)), lower(hex(cell)))")
        columns.append(column)
    return pa.table(columns, names=rows.column_names)


def _each(column: pa.ChunkedArray, expression: str) -> pa.ChunkedArray:
    """The value of an SQL expression for each cell of a column."""
    database = cells.open_database()
    database.register("block", pa.table({"cell": column, "row": np.arange(len(column))}))
    return database.sql(f"SELECT {expression} AS made FROM block ORDER BY row").to_arrow_table()["made"]
