"""Where scores go: a file, a table of the project, or a table of the database that the project points at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv, parquet

from workbench import storage
from workbench.errors import DataError, WorkbenchError
from workbench.tables.privacy.scored import check_name

if TYPE_CHECKING:
    from workbench.project import Project

SUFFIXES = (".parquet", ".csv")

Rows = Iterable[pa.Table]
Put = Callable[[Rows, Mapping[str, object]], None]
"""Puts rows, some at a time, and a note about them where they belong: all of them, or none."""


def place_of(project: Project, path: str | Path | None, table: str | None) -> Put:
    """What puts scores into a file or a table; nothing is written yet.

    Args:
        project: Whose customers they are.
        path: The file; one that is there is replaced.
        table: The table, where there is no file. In a database it may be named with its schema.

    Raises:
        WorkbenchError: when neither or both are named, the file is of another kind, or the table cannot have
            that name.
        DataError: when the engine takes no tables.
    """
    if path is not None and table is None:
        return _into_file(Path(path))
    if table is None or path is not None:
        raise WorkbenchError("Name either the file or the table that the scores are written to.")
    check_name(table, table.rpartition(".")[2])
    if project.in_place:
        return _into_database(project, table)
    return _into_project(project, table)


def _into_file(path: Path) -> Put:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise WorkbenchError(
            "Scores are written as Parquet or CSV, so “{file}” has to end in .parquet or .csv.",
            file=path.name,
        )

    def put(rows: Rows, about: Mapping[str, object]) -> None:
        with storage.replacing(path) as temporary:
            _write(temporary, suffix, rows, about)

    return put


def _into_project(project: Project, table: str) -> Put:
    tables, before = project.people.scores, project.manifest()
    tables.check(table)
    if table in before:
        raise WorkbenchError(
            "There is a table {table} that was not made here, so it is left as it is; choose another name.",
            table=table,
        )

    def put(rows: Rows, about: Mapping[str, object]) -> None:
        file = tables.write(table, lambda place: _write(place, ".parquet", rows, about))
        with storage.lock(project.path):
            if project.manifest() != before:  # somebody may have been erased
                file.unlink(missing_ok=True)
                raise DataError("The tables changed while customers were scored; score them once more.")
            tables.keep(table, file)

    return put


def _into_database(project: Project, table: str) -> Put:
    engine = project.everything
    write = getattr(engine, "write", None)  # some engines take a table
    if write is None:
        raise DataError(
            "This engine only reads tables, so scores cannot be written there; write them to a Parquet file, "
            "which it can read."
        )

    def put(rows: Rows, about: Mapping[str, object]) -> None:
        tables = project.people.scores
        known = table in tables.names()
        with storage.lock(project.path):
            tables.keep(table)  # before there is anybody in it, so that whoever is erased is looked for there
        try:
            write(table, "orders", rows, json.dumps(about))
        except BaseException:
            if not known:
                with storage.lock(project.path):
                    tables.forget(table)
            raise

    return put


def _write(path: Path, suffix: str, rows: Rows, about: Mapping[str, object]) -> None:
    """Tables one after the other into one file; `about` goes into a Parquet file's own notes."""
    writer: Any = None
    try:
        for some in rows:
            if writer is None and suffix == ".csv":
                writer = csv.CSVWriter(path, some.schema)
            elif writer is None:
                note = {b"workbench": json.dumps(about).encode()}
                writer = parquet.ParquetWriter(path, some.schema.with_metadata(note), compression="zstd")
            writer.write_table(some)
    finally:
        if writer is not None:
            writer.close()
