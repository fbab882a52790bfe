"""What every file is once it has been opened: named columns, and rows in batches that know their lines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.locale import Message
from workbench.tables import cells
from workbench.tables.sources.files import stem

BLOCK: Final = 16 << 20
"""Bytes read at a time; what reading a file takes of memory is a small multiple of it."""

_TEXT_SHOWN = 500


@dataclass(frozen=True)
class Fault:
    """A record that could not be taken apart.

    Attributes:
        line: The physical line where it begins, from 1.
        reason: Why.
        text: What stands there.
    """

    line: int
    reason: Message
    text: str


@dataclass(frozen=True)
class Batch:
    """Some rows of a file, in order.

    Attributes:
        rows: Their cells, one column for each asked for.
        lines: Physical line where each row begins, int64; the number of the row where a file has no lines.
        faults: The records between them that could not be taken apart.
        origin: Where to look the text of a row up: the block and the bounds of each row; None where a file
            has no text.
        done: Share of the file that has been read when this batch is handed over, 0 to 1.
    """

    rows: pa.Table
    lines: NDArray[np.int64]
    faults: tuple[Fault, ...] = ()
    origin: tuple[bytes, NDArray[Any], NDArray[Any]] | None = None
    done: float = 1.0

    def text(self, row: int) -> str:
        """The row as it stands in the file."""
        if self.origin is None:
            return shown(", ".join(_written(column[row].as_py()) for column in self.rows.columns).encode())
        data, starts, ends = self.origin
        return shown(data[starts[row] : ends[row]])


def _written(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def shown(text: bytes) -> str:
    """The text of a record for a person, cut after 500 characters."""
    return text[: 4 * _TEXT_SHOWN].decode("utf-8", "replace").rstrip("\r\n")[:_TEXT_SHOWN]


@dataclass(frozen=True)
class Source(ABC):
    """A file that has been opened and understood, but not read yet.

    Attributes:
        path: The file.
        columns: Its column names, made unique; the keys of its folders come last.
        encoding: How its text is written: `utf-8`, `utf-8-sig`, `utf-16`, `cp1252`, or another that was asked
            for; None where it is no text.
        delimiter: What separates its fields; None where nothing does.
        notes: What was odd.
        sheets: The sheets of a workbook, in order; empty for other files.
        sheet: The sheet that is read.
        folders: Columns that the folders around the file name (`date=2026-01-01/`), and their one value.
    """

    path: Path
    columns: tuple[str, ...]
    encoding: str | None = None
    delimiter: str | None = None
    notes: tuple[Message, ...] = ()
    sheets: tuple[str, ...] = ()
    sheet: str | None = None
    folders: Mapping[str, str | None] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """The file's name without its endings."""
        return stem(self.path)

    @property
    def own_columns(self) -> tuple[str, ...]:
        """The columns that stand in the file itself."""
        return tuple(name for name in self.columns if name not in self.folders)

    @abstractmethod
    def _batches(self, wanted: Sequence[str], block: int) -> Iterator[Batch]:
        """The rows in order; `wanted` are columns of the file itself, perhaps none."""

    def batches(self, columns: Sequence[str] | None = None, *, block: int = BLOCK) -> Iterator[Batch]:
        """The rows in order, about `block` bytes at a time.

        Args:
            columns: The columns to hand over; all of them when None.
            block: Bytes read at a time.
        """
        wanted = list(self.columns if columns is None else columns)
        own = [name for name in wanted if name not in self.folders]
        for batch in self._batches(own, block):
            yield batch if own == wanted else replace(batch, rows=self._with_folders(batch, wanted))

    def _with_folders(self, batch: Batch, wanted: Sequence[str]) -> pa.Table:
        count = len(batch.lines)
        cells = [
            pa.repeat(pa.scalar(self.folders[name], pa.string()), count)
            if name in self.folders
            else batch.rows[name]
            for name in wanted
        ]
        return pa.table(cells, names=list(wanted))

    def texts(self, lines: Iterable[int]) -> dict[int, str]:
        """The rows that begin on these physical lines, as they stand in the file."""
        wanted = np.unique(np.fromiter(lines, np.int64))
        found: dict[int, str] = {}
        for batch in self.batches() if len(wanted) else ():
            for row in np.flatnonzero(np.isin(batch.lines, wanted)):
                found[int(batch.lines[row])] = batch.text(int(row))
            if len(found) == len(wanted):
                break
        return found


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Column names without blanks and repetitions.

    >>> unique_names(["id", "", "id"])
    ('id', 'column 2', 'id (2)')
    """
    taken: list[str] = []
    for position, name in enumerate(names, 1):
        base = name or f"column {position}"
        unique, count = base, 1
        while unique in taken or (unique != name and unique in names):
            count += 1
            unique = f"{base} ({count})"
        taken.append(unique)
    return tuple(taken)


def with_fourth_decimal(text: str) -> str:
    """SQL for the text of a number such that `1.034` is `1.0340`, which nobody can take for a thousand."""
    return f"CASE WHEN {cells.matches(text, r'-?\d{1,3}\.\d{3}')} THEN {text} || '0' ELSE {text} END"
