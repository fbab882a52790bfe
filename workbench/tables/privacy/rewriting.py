"""Parquet files without some of their rows: new files, in which nothing of those rows is left.

A file is read and written one row group at a time, so that it need not fit into memory. Statistics and
dictionaries are made anew from the rows that stay; these keep their values and their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench import storage

Choice = Callable[[pa.Table], pa.Array | pa.ChunkedArray]
"""Rows of some columns → true for those that are meant."""


@dataclass(frozen=True)
class Rewritten:
    """A file and what takes its place (in the same folder, named by its content).

    Attributes:
        table: The table it is a part of.
        old: The file with the rows.
        new: The file without them; it may have no row left.
        rows: Rows in `new`.
        left_out: Rows that are no longer there.
        sha256: Of `new`.
    """

    table: str
    old: Path
    new: Path
    rows: int
    left_out: int
    sha256: str


def blocks(files: Sequence[Path], columns: Sequence[str]) -> Iterator[pa.Table]:
    """Those of these columns that a file has, a row group at a time; files with none are passed by."""
    for file in files:
        with pq.ParquetFile(file) as parquet:
            there = _there(parquet, columns)
            for group in range(parquet.num_row_groups if there else 0):
                yield parquet.read_row_group(group, columns=there)


def chosen_rows(files: Sequence[Path], columns: Sequence[str], chosen: Choice) -> pa.Table | None:
    """The whole rows that are meant; None when there are none.

    Args:
        files: Parquet files of one table.
        columns: What `chosen` has to see, as far as a file has it.
        chosen: Which rows.
    """
    found = []
    for file in files:
        with pq.ParquetFile(file) as parquet:
            for group, mask in enumerate(_masks(parquet, columns, chosen)):
                if pc.any(mask).as_py():
                    found.append(parquet.read_row_group(group).filter(mask))
    return pa.concat_tables(found, promote_options="permissive") if found else None


def rewrite(table: str, files: Sequence[Path], columns: Sequence[str], leave_out: Choice) -> list[Rewritten]:
    """Write each file that holds such a row anew without it; files without one are left alone.

    Args:
        table: The table that the files are parts of.
        files: Its Parquet files.
        columns: What `leave_out` has to see, as far as a file has it.
        leave_out: Which rows go.

    Raises:
        ProjectError: when a file cannot be written.
    """
    made = []
    for file in files:
        with pq.ParquetFile(file) as parquet:
            masks = _masks(parquet, columns, leave_out)
            going = sum(pc.sum(mask).as_py() or 0 for mask in masks)
            if going:
                stem = file.stem.rpartition("-")[0] or file.stem
                new, digest = storage.add_by_content(
                    file.parent, stem, file.suffix, partial(_write, parquet, masks)
                )
                rows = parquet.metadata.num_rows - going
                made.append(Rewritten(table, file, new, rows, going, digest))
    return made


def _there(parquet: pq.ParquetFile, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name in parquet.schema_arrow.names]


def _masks(parquet: pq.ParquetFile, columns: Sequence[str], chosen: Choice) -> list[pa.ChunkedArray]:
    """Which rows of each row group are meant."""
    there = _there(parquet, columns)
    groups = range(parquet.num_row_groups if there else 0)
    return [pc.fill_null(chosen(parquet.read_row_group(group, columns=there)), False) for group in groups]


def _write(parquet: pq.ParquetFile, masks: Sequence[pa.ChunkedArray], place: Path) -> None:
    codec = parquet.metadata.row_group(0).column(0).compression
    codec = "none" if codec == "UNCOMPRESSED" else codec.lower()
    with pq.ParquetWriter(place, parquet.schema_arrow, compression=codec) as writer:
        for group, mask in enumerate(masks):
            rows = parquet.read_row_group(group).filter(pc.invert(mask))
            if rows.num_rows:
                writer.write_table(rows, row_group_size=rows.num_rows)
