"""An engine that remembers its answers while the tables are what they were.

Only what `answer` gives is kept: sums over customers, never rows of them. Each answer lies in a file of its
own, named by the hash of the question and of the tables it reads, and by the hash of what is in it: an answer
to another question, about other tables, or with a changed byte is never taken.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, cast

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from workbench import storage
from workbench.engines.duckdb import DuckDBEngine, Footers, named_in
from workbench.errors import ProjectError

MOST_BYTES = 256 * 2**20
"""What the folder may hold; the answers that were written first go first."""
_MOST_AT_HAND = 64 * 2**20
_MOST_KEPT = 32
_SUFFIX = ".parquet"


class CachedEngine:
    """A DuckDB engine whose answers are kept.

    Args:
        engine: Gives the answers.
        folder: Where they are kept; made when there is the first.
        fingerprints: Given names of tables, tells name → hash of content as they are now.
    """

    def __init__(
        self, engine: DuckDBEngine, folder: Path, fingerprints: Callable[..., dict[str, str]]
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._fingerprints = fingerprints
        self._at_hand: OrderedDict[str, pa.Table] = OrderedDict()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()  # held while something is put in or taken out, never while anything is asked
        self.dialect = engine.dialect

    def tables(self) -> list[str]:
        return self._engine.tables()

    def schema(self, table: str) -> ibis.Schema:
        return self._engine.schema(table)

    def query(self, sql: str) -> pa.Table:
        return self._engine.query(sql)

    def batches(self, sql: str) -> Iterator[pa.Table]:
        """Rows of a query, some at a time; see `DuckDBEngine.batches`."""
        return self._engine.batches(sql)

    def footers(self, table: str) -> Footers | None:
        """What the files say of a table without being read; see `DuckDBEngine.footers`."""
        return self.kept(("footers", table), lambda: self._engine.footers(table))

    def kept[T](self, question: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives: sums over customers, and what was made of them, while no table changes.

        Args:
            question: All that the answer depends on, besides the tables.
            make: Gives the answer; it is kept in this process, with those to the last other questions.
        """
        name = question, self._now()
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return cast(T, self._kept[name])
        found = make()
        if self._now() == name[1]:
            with self._lock:
                self._kept[name] = found
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
        return found

    def _now(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(self._fingerprints(*self.tables()).items()))

    def answer(self, sql: str, keys: Sequence[str] = ()) -> pa.Table:
        """Rows of a query that holds no customers, from the cache when the tables have not changed."""
        name = self._name(sql, keys)
        rows = self._recall(name)
        if rows is None:
            rows = self._engine.answer(sql, keys)
            if name != self._name(sql, keys):  # the tables changed meanwhile; somebody may have been erased
                return rows
            self._write(name, rows)
        kept = self._at_hand
        with self._lock:
            kept[name] = rows
            kept.move_to_end(name)
            while len(kept) > 1 and sum(one.nbytes for one in kept.values()) > _MOST_AT_HAND:
                kept.popitem(last=False)
        return rows

    def _name(self, sql: str, keys: Sequence[str]) -> str:
        tables = self._fingerprints(*named_in(sql, self.tables()))
        question = repr((duckdb.__version__, sql, tuple(keys), sorted(tables.items())))
        return hashlib.sha256(question.encode()).hexdigest()[:32]

    def _recall(self, name: str) -> pa.Table | None:
        """The answer of that name; None when there is none, or not as it was written."""
        if (rows := self._at_hand.get(name)) is not None:
            return rows
        for file in self._folder.glob(f"{name}-*{_SUFFIX}"):
            try:
                content = file.read_bytes()
            except OSError:
                continue
            if file.name == _file_name(name, content):
                return pq.read_table(pa.BufferReader(content))
        return None

    def _write(self, name: str, rows: pa.Table) -> None:
        """Keep an answer; a folder that cannot be written costs time later, not the answer."""
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="zstd")
        content = sink.getvalue().to_pybytes()
        try:
            self._folder.mkdir(exist_ok=True)
            with storage.replacing(self._folder / _file_name(name, content)) as place:
                place.write_bytes(content)
            self._make_room()
        except (OSError, ProjectError):
            return

    def _make_room(self) -> None:
        size = 0
        for file in sorted(self._folder.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True):
            size += file.stat().st_size
            if size > MOST_BYTES:
                file.unlink(missing_ok=True)


def _file_name(name: str, content: bytes) -> str:
    return f"{name}-{hashlib.sha256(content).hexdigest()[:32]}{_SUFFIX}"
