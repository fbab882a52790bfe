"""Cutting the bytes of a delimited text file into records that know their line.

Arrow parses the text, but only after this module has made sure that every record is well formed. Lines are
looked at with numpy: a line whose quotes open after a delimiter and close before one is a record and is left
alone. The few others are parsed here, byte by byte, so that a quoted line break is followed and a quote that
nobody closes costs one line, not the rest of the file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
from numpy.typing import NDArray

from workbench.locale import Message
from workbench.tables.report import QUOTE_NOT_CLOSED, STRAY_QUOTE, TOO_FEW_COLUMNS, TOO_MANY_COLUMNS
from workbench.tables.sources.source import Batch, Fault, shown

LONGEST_RECORD: Final = 1 << 20
"""Bytes after which an open quote is taken to be a mistake."""

_LF, _CR, _QUOTE = 10, 13, 34
_QUOTED = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"')


class BrokenRecordError(Exception):
    """A record whose quotes do not add up.

    Attributes:
        at: The offset where that was seen.
        unclosed: A quote was opened and never closed, rather than standing where none belongs.
    """

    def __init__(self, at: int, *, unclosed: bool) -> None:
        super().__init__()
        self.at = at
        self.unclosed = unclosed


def parse_record(data: bytes, at: int, delimiter: bytes) -> tuple[list[bytes], int]:
    """The fields of the record that begins at `at`, and the offset behind its line break.

    `data` ends with a line break. A field is quoted when its first byte is a quote; elsewhere a quote is a
    character like any other.

    Raises:
        BrokenRecordError: where a quote is never closed or is followed by more text.

    >>> parse_record(b'1,"a ""b""\\nc",5" x\\n2,', 0, b",")
    ([b'1', b'a "b"\\nc', b'5" x'], 19)
    """
    stop = re.compile(b"[" + re.escape(delimiter) + b"\n]")
    fields: list[bytes] = []
    while True:
        if data[at] == _QUOTE:
            match = _QUOTED.match(data, at, min(len(data), at + LONGEST_RECORD))
            if match is None:
                raise BrokenRecordError(at, unclosed=True)
            fields.append(match[1].replace(b'""', b'"'))
            at = match.end()
            if data.startswith(b"\r\n", at):
                at += 1
            if data[at] not in (_LF, delimiter[0]):
                raise BrokenRecordError(at, unclosed=False)
        else:
            match = stop.search(data, at)
            assert match is not None  # data ends with a line break
            field = data[at : match.start()]
            fields.append(field.removesuffix(b"\r") if match[0] == b"\n" else field)
            at = match.start()
        at += 1
        if data[at - 1] == _LF:
            return fields, at


class _Lines:
    """A block of bytes that ends with a line break, seen as lines; `ends` are the places of the breaks."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.octets = np.frombuffer(data, np.uint8)
        self.ends = np.flatnonzero(self.octets == _LF)
        self.starts = np.concatenate([np.zeros(min(1, len(self.ends)), int), self.ends[:-1] + 1])

    def __len__(self) -> int:
        return len(self.ends)

    def until(self, count: int) -> _Lines:
        """The first `count` lines."""
        return self if count == len(self) else _Lines(self.data[: self.starts[count]])

    def text(self, first: int, last: int) -> str:
        return shown(self.data[self.starts[first] : self.ends[last]])

    def empty(self) -> NDArray[np.bool_]:
        length = self.ends - self.starts
        return (length == 0) | ((length == 1) & (self.octets[self.starts] == _CR))

    def irregular(self, delimiter: int) -> NDArray[np.intp]:
        """Lines, in order, that are not simply fields between delimiters.

        On a regular line quotes alternate: the first, third … follows a delimiter or the quote that it
        doubles, the second, fourth … stands before one.
        """
        found = [np.array([], np.intp)]
        returns = np.flatnonzero(self.octets == _CR)
        found.append(np.searchsorted(self.ends, returns[self.octets[returns + 1] != _LF]))
        quotes = np.flatnonzero(self.octets == _QUOTE)
        if len(quotes):
            line = np.searchsorted(self.ends, quotes)
            nth = np.arange(len(quotes)) - np.searchsorted(line, line)
            before, after = self.octets[quotes - 1], self.octets[quotes + 1]
            opens = (before == delimiter) | (before == _QUOTE) | (quotes == self.starts[line])
            closes = (after == delimiter) | (after == _QUOTE) | (after == _LF) | (after == _CR)
            found.append(line[~np.where(nth % 2 == 0, opens, closes)])
            found.append(np.flatnonzero(np.bincount(line) % 2))
        return np.unique(np.concatenate(found))


@dataclass(frozen=True)
class _Mend:
    """What stands for the lines `first` to `last` instead: one well-formed record, or nothing and why."""

    first: int
    last: int
    text: bytes
    reason: Message | None = None


class RecordCutter:
    """Takes blocks of a file one after the other and gives back their rows.

    Args:
        columns: The file's columns.
        wanted: Those to hand over.
        delimiter: What separates fields, one byte.
        line: Physical line at which the first block begins.
    """

    def __init__(self, columns: Sequence[str], wanted: Sequence[str], delimiter: bytes, line: int) -> None:
        self._columns = list(columns)
        self._wanted = list(wanted)
        self._delimiter = delimiter
        self._line = line

    def cut(self, data: bytes, *, final: bool, done: float = 1.0) -> tuple[Batch, bytes]:
        """The rows of `data`, and the bytes at its end that belong to the next block.

        Args:
            data: UTF-8; its lines end in `\\n` or `\\r\\n`.
            final: Nothing comes after it.
            done: Share of the file that has been read.
        """
        if final and not data.endswith(b"\n"):
            data += b"\n"
        lines = _Lines(data[: data.rfind(b"\n") + 1])
        mends, count = self._mend(lines, final=final)
        lines = lines.until(count)
        last = np.arange(count)  # the line on which the record that begins here ends
        covered = np.zeros(count, bool)
        for mend in mends:
            covered[mend.first : mend.last + 1] = True
            last[mend.first] = mend.last
        empty = lines.empty() & ~covered
        begins = ~empty & ~covered
        begins[[mend.first for mend in mends if mend.reason is None]] = True
        mends += [_Mend(int(line), int(line), b"") for line in np.flatnonzero(empty)]

        records = np.flatnonzero(begins)
        rows, wrong = self._parse(_mended(lines, mends), len(records))
        faults = [(mend.first, mend.reason) for mend in mends if mend.reason]
        faults += [(int(records[index]), reason) for index, reason in wrong.items() if reason]
        records = np.delete(records, list(wrong))
        batch = Batch(
            rows,
            (records + self._line).astype(np.int64),
            tuple(Fault(self._line + at, why, lines.text(at, int(last[at]))) for at, why in sorted(faults)),
            (lines.data, lines.starts[records], lines.ends[last[records]]),
            done,
        )
        self._line += count
        return batch, data[len(lines.data) :]

    def _mend(self, lines: _Lines, *, final: bool) -> tuple[list[_Mend], int]:
        """What to put in place of irregular lines, and how many lines can be read without the next block."""
        mends: list[_Mend] = []
        free = 0
        for first in map(int, lines.irregular(self._delimiter[0])):
            if first < free:
                continue
            start = int(lines.starts[first])
            try:
                fields, end = parse_record(lines.data, start, self._delimiter)
            except BrokenRecordError as broken:
                if broken.unclosed and not final and len(lines.data) - start < LONGEST_RECORD:
                    return mends, first
                here = not broken.unclosed and broken.at <= lines.ends[first]
                mends.append(_Mend(first, first, b"", STRAY_QUOTE if here else QUOTE_NOT_CLOSED))
                continue
            last = int(np.searchsorted(lines.ends, end - 1))
            if last > first and len(fields) != len(self._columns):
                mends.append(_Mend(first, first, b"", QUOTE_NOT_CLOSED))
            else:
                mends.append(_Mend(first, last, _quoted(fields, self._delimiter)))
                free = last + 1
        return mends, len(lines)

    def _parse(self, data: bytes, count: int) -> tuple[pa.Table, dict[int, Message | None]]:
        """Arrow's table of `count` well-formed records, and those that have the wrong number of columns.

        A line of nothing but spaces is one of those, without a reason: it is no row.
        """
        wrong: dict[int, Message | None] = {}

        def set_aside(row: pc.InvalidRow) -> str:
            many = row.actual_columns > row.expected_columns
            reason = TOO_MANY_COLUMNS if many else TOO_FEW_COLUMNS
            wrong[row.number - 1] = reason if row.text.strip() else None
            return "skip"

        if not count:
            return pa.schema([(name, pa.string()) for name in self._wanted]).empty_table(), wrong
        rows = pc.read_csv(
            pa.BufferReader(data),
            pc.ReadOptions(column_names=self._columns, block_size=len(data) + 1, use_threads=False),
            pc.ParseOptions(
                delimiter=self._delimiter.decode(),
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=set_aside,
            ),
            pc.ConvertOptions(
                column_types=dict.fromkeys(self._columns, pa.string()),
                include_columns=self._wanted or self._columns[:1],  # none would mean all
                strings_can_be_null=False,
            ),
        )
        if rows.num_rows + len(wrong) != count:
            raise AssertionError("Arrow sees other records than were cut for it")
        return rows.select(self._wanted), wrong


def _quoted(fields: Sequence[bytes], delimiter: bytes) -> bytes:
    return delimiter.join(b'"' + field.replace(b'"', b'""') + b'"' for field in fields) + b"\n"


def _mended(lines: _Lines, mends: Sequence[_Mend]) -> bytes:
    """The block with its mends in place."""
    if not mends:
        return lines.data
    pieces: list[bytes | memoryview] = []
    view = memoryview(lines.data)
    at = 0
    for mend in sorted(mends, key=lambda mend: mend.first):
        pieces += [view[at : lines.starts[mend.first]], mend.text]
        at = int(lines.ends[mend.last]) + 1
    return b"".join([*pieces, view[at:]])
