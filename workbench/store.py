"""The tables on disk: Parquet parts, and the one file that says which of them count.

    tables.json        which parts each table is in now: the point at which a change takes effect
    tables/            Parquet parts, never changed once written
    rows.jsonl         how many rows each table had before, from when to when

A change is drafted: its parts are written first, and then `tables.json` is replaced. Until that moment
every reader sees the old tables, after it the new ones. Parts that are no longer named stay for an hour, for
readers that began before, unless a person was erased from them.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from workbench import storage
from workbench.engines.duckdb import scan
from workbench.errors import ProjectError
from workbench.tables.merge import merging, quoted
from workbench.tables.privacy.rewriting import Rewritten
from workbench.tables.schema import TABLES, conform, standard

HISTORY: Final = "rows.jsonl"
KEEP_SECONDS: Final = 3600.0
MOST_PARTS: Final = 24
"""A table in more parts than these is written anew in one."""
_SOURCES = 20


class Store:
    """The tables of one project folder."""

    def __init__(self, folder: Path, memory_limit: str) -> None:
        self.folder = folder
        self._memory_limit = memory_limit
        self._known: tuple[float, dict[str, Any]] = (-1.0, {})

    def manifest(self) -> dict[str, Any]:
        """What `tables.json` says: for each table its parts, rows, SHA-256 and sources.

        Raises:
            ProjectError: when the file is damaged.
        """
        file = self.folder / "tables.json"
        try:
            changed = file.stat().st_mtime_ns
        except FileNotFoundError:
            return {}
        if changed != self._known[0]:
            try:
                self._known = (changed, json.loads(file.read_text(encoding="utf-8")))
            except ValueError as error:
                raise ProjectError(
                    "{path} is damaged; load the files of this project again.", path=str(file)
                ) from error
        return self._known[1]

    def files(self) -> dict[str, list[Path]]:
        """The Parquet parts of each table, as of now."""
        return {name: self._places(entry["parts"]) for name, entry in self.manifest().items()}

    def rows_at(self, moment: datetime) -> dict[str, int] | None:
        """How many rows each table had at a moment; None where nobody has noted it."""
        at, changed = moment.timestamp(), self._changed()
        for stretch in self._history():
            changed = stretch["until"]
            if (stretch["since"] or 0.0) <= at < changed:
                return dict(stretch["rows"])
        return _rows(self.manifest()) if changed <= at else None

    def _changed(self) -> float:
        """When `tables.json` was written, in seconds since 1970; 0 where there is none."""
        file = self.folder / "tables.json"
        return file.stat().st_mtime if file.is_file() else 0.0

    def _history(self) -> list[dict[str, Any]]:
        """The stretches of time before the present one, oldest first; a damaged line is left out."""
        found = []
        with suppress(OSError):
            for line in (self.folder / HISTORY).read_text("utf-8", "replace").splitlines():
                with suppress(ValueError):
                    found.append(json.loads(line))
        return found

    def _note(self, before: Mapping[str, Any], since: float) -> None:
        """Note how many rows there were until now; a disk that is full must not undo a load."""
        history = self._history()
        stretch = {
            "since": history[-1]["until"] if history else since,
            "until": self._changed(),
            "rows": _rows(before),
        }
        with suppress(OSError), (self.folder / HISTORY).open("a", encoding="utf-8") as file:
            file.write(json.dumps(stretch) + "\n")

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """Changes that take effect together when the block ends well, and not at all when it does not.

        Raises:
            ProjectError: when the disk is full or the folder cannot be written; nothing has changed then.
        """
        with storage.lock(self.folder):
            (self.folder / "tables").mkdir(exist_ok=True)
            before, since = dict(self.manifest()), self._changed()
            draft = Draft(self, dict(before))
            try:
                yield draft
                storage.write_text(self.folder / "tables.json", json.dumps(draft.manifest, indent=1))
            except BaseException:
                draft.discard()
                raise
            finally:
                draft.close()
            if draft.manifest != before:
                self._note(before, since)
            named = {part["file"] for entry in draft.manifest.values() for part in entry["parts"]}
            for part in (draft.forgotten | draft.written) - named:
                (self.folder / "tables" / part).unlink(missing_ok=True)
            storage.sweep(self.folder / "tables", named, KEEP_SECONDS)
            shutil.rmtree(self.folder / "cache", ignore_errors=True)  # answers about what was there

    def open_database(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB of its own, which keeps to the memory limit and spills beside the tables."""
        database = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": self._memory_limit,
                "temp_directory": str(self.folder / "tables" / ".spill"),
            },
        )
        database.execute("SET TimeZone = 'UTC'")
        return database

    def _places(self, parts: Iterable[Mapping[str, Any]]) -> list[Path]:
        return [self.folder / "tables" / part["file"] for part in parts]


class Draft:
    """Changes to the tables that have not taken effect yet; made by `Store.draft`.

    Attributes:
        manifest: What `tables.json` will say.
        written: Parts that this draft made.
        forgotten: Parts to delete at once when the draft takes effect, rather than after an hour.
    """

    def __init__(self, store: Store, manifest: dict[str, Any]) -> None:
        self.manifest = manifest
        self.forgotten: set[str] = set()
        self._store = store
        self.written: set[str] = set()
        self._before = {part["file"] for entry in manifest.values() for part in entry["parts"]}
        self._database: duckdb.DuckDBPyConnection | None = None

    def __contains__(self, name: str) -> bool:
        return name in self.manifest

    def parts(self, name: str) -> list[Path]:
        """The parts of a table as drafted; none when there is no such table."""
        return self._store._places(self.manifest.get(name, {}).get("parts", []))

    def rows(self, name: str) -> int:
        """How many rows a table has as drafted."""
        return int(self.manifest.get(name, {}).get("rows", 0))

    def read(self, name: str, columns: Sequence[str] = ("*",)) -> pa.Table:
        """A table as drafted, or some of its columns; it has to be there."""
        wanted = ", ".join(column if column == "*" else quoted(column) for column in columns)
        return self.query(f"SELECT {wanted} FROM {scan(self.parts(name))}")

    def query(self, sql: str, **relations: pa.Table) -> pa.Table:
        """The answer of DuckDB, for which `relations` are tables by name."""
        database = self.database
        for name, rows in relations.items():
            database.register(name, rows)
        try:
            return database.sql(sql).to_arrow_table()
        finally:
            for name in relations:
                database.unregister(name)

    @property
    def database(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB that this draft works with."""
        if self._database is None:
            self._database = self._store.open_database()
        return self._database

    def put(self, name: str, rows: pa.Table, source: str = "") -> None:
        """Put a whole table in the place of what was there."""
        self.database.register("new", rows)
        self._set(name, [self._write(name, "FROM new")], [source] if source else [])

    def add(self, name: str, rows: pa.Table, source: str = "") -> int:
        """Merge rows into a table, as `schema.Repeat` says.

        Returns:
            By how many rows the table has grown.

        Raises:
            DataError: when a row lacks the identifier that would tell it from others.
        """
        table = standard(name)
        database = self.database
        database.register("new", conform(rows, table))
        there = self.parts(name)
        if there:
            database.execute(f"CREATE OR REPLACE TEMP VIEW old AS FROM {scan(there)}")
        else:
            database.execute("CREATE OR REPLACE TEMP VIEW old AS FROM new LIMIT 0")
        how = merging(database, table)
        part = self._write(name, how.query)
        before = self.rows(name)
        kept = self.manifest[name]["parts"] if how.stays and there else []
        added = [part] if part["rows"] or not kept else []
        self._set(name, [*kept, *added], [source] if source else [])
        if len(kept) >= MOST_PARTS:
            self.rewrite(name, "FROM old")
        return self.rows(name) - before

    def rewrite(self, name: str, sql: str, **relations: pa.Table) -> None:
        """Write a table anew as a query over `old`, its present rows, and `relations`."""
        database = self.database
        database.execute(f"CREATE OR REPLACE TEMP VIEW old AS FROM {scan(self.parts(name))}")
        for relation, rows in relations.items():
            database.register(relation, rows)
        self._set(name, [self._write(name, sql)], [])

    def replace_parts(self, rewritten: Sequence[Rewritten]) -> None:
        """Put rewritten parts in the place of others, whose files are deleted when the draft takes effect."""
        by_file = {one.old.name: one for one in rewritten}
        self.written |= {one.new.name for one in rewritten}
        self.forgotten |= set(by_file)
        for name in {one.table for one in rewritten}:
            parts = [
                {"file": new.new.name, "rows": new.rows, "sha256": new.sha256}
                if (new := by_file.get(part["file"]))
                else part
                for part in self.manifest[name]["parts"]
            ]
            parts = [part for part in parts if part["rows"]] or parts[:1]
            self._set(name, parts, [])

    def forget_unnamed(self) -> None:
        """Delete, when the draft takes effect, every part that is not in force, whoever may still read it."""
        self.forgotten |= {file.name for file in self.folder.glob("*.parquet")}

    @property
    def folder(self) -> Path:
        """Where the parts are."""
        return self._store.folder / "tables"

    def discard(self) -> None:
        """Delete what was written for nothing."""
        for file in self.written - self._before:
            (self.folder / file).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the database."""
        if self._database is not None:
            self._database.close()

    def _set(self, name: str, parts: list[dict[str, Any]], sources: list[str]) -> None:
        known = [item for item in self.manifest.get(name, {}).get("sources", []) if item not in sources]
        digest = hashlib.sha256("\n".join(part["sha256"] for part in parts).encode()).hexdigest()
        self.manifest[name] = {
            "parts": parts,
            "rows": sum(part["rows"] for part in parts),
            "sha256": digest,
            "sources": [*known, *sources][-_SOURCES:],
        }

    def _write(self, name: str, sql: str) -> dict[str, Any]:
        """A new part with the rows of a query, those of a customer together and in order.

        Sorted parts are smaller, and a question about ranges of customers reads only what it needs.
        """
        rows = 0
        columns = self.database.sql(sql).columns
        if "customer_id" in columns:
            time = standard(name).time if name in TABLES else None
            sql = f"SELECT * FROM ({sql}) ORDER BY customer_id{f', {time}' if time in columns else ''}"

        def write(place: Path) -> None:
            nonlocal rows
            target = str(place).replace("'", "''")
            try:
                answer = self.database.execute(
                    f"COPY ({sql}) TO '{target}' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
                ).fetchall()
            except duckdb.IOException as error:
                raise _disk_error(error) from error
            rows = int(answer[0][0])

        place, digest = storage.add_by_content(self.folder, name, ".parquet", write)
        self.written.add(place.name)
        return {"file": place.name, "rows": rows, "sha256": digest}


def _disk_error(error: duckdb.IOException) -> OSError:
    """What DuckDB says of the disk, as the operating system would."""
    text = str(error)
    for code in (errno.ENOSPC, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EDQUOT):
        if os.strerror(code) in text:
            return OSError(code, os.strerror(code))
    return OSError(errno.EIO, text)


def _rows(manifest: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(entry["rows"]) for name, entry in manifest.items()}
