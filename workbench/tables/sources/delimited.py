"""Text files whose fields stand between delimiters: CSV, TSV and their kin.

Nothing is inferred from a sample but the delimiter: the quote is always `"`, every column is read as text,
and what is no record is handed over as a `Fault` (see `records`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import DataError
from workbench.locale import Message, say
from workbench.tables.sources.encoding import HEAD, text_blocks
from workbench.tables.sources.records import BrokenRecordError, RecordCutter, parse_record
from workbench.tables.sources.source import Batch, Source, unique_names

_DELIMITERS = (b",", b";", b"\t", b"|")
_SAMPLE_LINES = 100


@dataclass(frozen=True)
class DelimitedText(Source):
    """A CSV or TSV file.

    Attributes:
        start: Bytes of its text before the first row.
        first_line: The line on which the first row stands.
    """

    start: int = 0
    first_line: int = 1

    def _batches(self, wanted: Sequence[str], block: int) -> Iterator[Batch]:
        assert self.encoding is not None
        assert self.delimiter is not None
        cutter = RecordCutter(self.own_columns, wanted, self.delimiter.encode(), self.first_line)
        rest = b""
        text = _without(self.start, text_blocks(self.path, self.encoding, block))
        for data, done, final in _marked_last(text):
            batch, rest = cutter.cut(rest + data, final=final, done=done)
            yield batch


def open_delimited(path: Path, encoding: str, notes: Sequence[Message]) -> DelimitedText:
    """Find where the column names stand and what separates them.

    Raises:
        DataError: when there are no column names, or nothing else.
    """
    notes = list(notes)
    blocks = text_blocks(path, encoding, HEAD)
    text, _ = next(blocks, (b"", 1.0))
    ended = next(blocks, None) is None
    if ended and not text.endswith(b"\n"):
        text += b"\n"
    start, declared = _start(text)
    if start >= len(text):
        raise DataError("{file} is empty.", file=path.name)
    delimiter = declared or _delimiter(text[start:])
    try:
        fields, end = parse_record(text + b"\n", start, delimiter)
    except BrokenRecordError as broken:
        raise DataError(
            "The first line of {file} has a quote that is not closed; it should hold the column names.",
            file=path.name,
        ) from broken
    names = [field.decode().strip() for field in fields]
    repeated = [name for name, count in Counter(names).items() if count > 1 and name]
    if repeated:
        notes.append(
            say(
                "Several columns are called {names}; the later ones were numbered.", names=", ".join(repeated)
            )
        )
    end = min(end, len(text))
    if ended and not text[end:].strip():
        raise DataError("{file} has column names but no rows.", file=path.name)
    return DelimitedText(
        path,
        unique_names(names),
        encoding,
        delimiter.decode(),
        tuple(notes),
        start=end,
        first_line=1 + text.count(b"\n", 0, end),
    )


def _start(text: bytes) -> tuple[int, bytes | None]:
    """Where the column names begin, and the delimiter if the file declares it as Excel does (`sep=;`)."""
    declared = re.match(rb"\s*sep=([,;\t|])\r?\n", text)
    at = declared.end() if declared else 0
    blank = re.compile(rb"(?:[ \t]*\r?\n)*").match(text, at)
    return (blank.end() if blank else at), (declared[1] if declared else None)


def _delimiter(text: bytes) -> bytes:
    """The delimiter that gives the header many fields, and most of the first lines as many."""
    text += b"\n"

    def agreement(delimiter: bytes) -> float:
        widths: list[int] = []
        at = 0
        while at < len(text) and len(widths) < _SAMPLE_LINES:
            try:
                fields, at = parse_record(text, at, delimiter)
            except BrokenRecordError:
                widths.append(0)
                at = text.find(b"\n", at) + 1
            else:
                widths.append(len(fields))
        width = widths[0]
        alike = sum(other == width for other in widths[1:]) / max(1, len(widths) - 1)
        return (width - 1) * (0.1 + alike)

    best = max(_DELIMITERS, key=agreement)
    return best if agreement(best) > 0 else b","


def _without(count: int, blocks: Iterable[tuple[bytes, float]]) -> Iterator[tuple[bytes, float]]:
    """The blocks without their first `count` bytes."""
    for block, done in blocks:
        left, count = block[count:], max(0, count - len(block))
        if left:
            yield left, done


def _marked_last(blocks: Iterable[tuple[bytes, float]]) -> Iterator[tuple[bytes, float, bool]]:
    """Each block, and whether it is the last."""
    before: tuple[bytes, float] | None = None
    for block in blocks:
        if before is not None:
            yield *before, False
        before = block
    if before is not None:
        yield *before, True
