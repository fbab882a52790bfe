"""Opening a file and walking through its rows, each with the physical line it stands on.

Nothing is inferred from a sample but the delimiter: the quote is always `"`, every column is read as text,
and what is no record is handed over as a `Fault` (see `records`). Parquet files walk through the same gate
with the types they have; their lines are the numbers of their rows.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.errors import DataError
from workbench.locale import Message, say
from workbench.tables.records import Batch, BrokenRecordError, RecordCutter, parse_record

BLOCK: Final = 16 << 20
"""Bytes read at a time; what reading a file takes of memory is a small multiple of it."""

_HEAD = 1 << 18
_ENDINGS = (".gz", ".csv", ".tsv", ".txt", ".parquet")
_DELIMITERS = (b",", b";", b"\t", b"|")
_SAMPLE_LINES = 100
_PARQUET_ROWS = 1 << 18


@dataclass(frozen=True)
class Source:
    """A file that has been opened and understood, but not read yet.

    Attributes:
        path: The file.
        columns: Its column names, made unique.
        encoding: How its text is written: `utf-8`, `utf-8-sig`, `utf-16` or `cp1252`; None for Parquet.
        delimiter: What separates its fields; None for Parquet.
        notes: What was odd.
    """

    path: Path
    columns: tuple[str, ...]
    encoding: str | None = None
    delimiter: str | None = None
    notes: tuple[Message, ...] = ()
    _header: tuple[int, int] = field(default=(0, 0), repr=False)  # bytes and lines before the first row

    @property
    def name(self) -> str:
        """The file's name without its endings."""
        path = self.path
        while path.suffix.lower() in _ENDINGS:
            path = path.with_suffix("")
        return path.name

    def batches(self, columns: Sequence[str] | None = None, *, block: int = BLOCK) -> Iterator[Batch]:
        """The rows in order, about `block` bytes at a time.

        Args:
            columns: The columns to hand over; all of them when None.
            block: Bytes read at a time.
        """
        wanted = list(self.columns if columns is None else columns)
        if self.encoding is None or self.delimiter is None:
            yield from _parquet_batches(self.path, self.columns, wanted)
            return
        skip, lines = self._header
        cutter = RecordCutter(self.columns, wanted, self.delimiter.encode(), lines + 1)
        rest = b""
        for data, final in _marked_last(_without(skip, _text_blocks(self.path, self.encoding, block))):
            batch, rest = cutter.cut(rest + data, final=final)
            yield batch

    def fingerprint(self) -> str:
        """Sixteen characters that stand for the content of the file, packed or not."""
        digest = hashlib.blake2b(digest_size=8)
        for block in _raw_blocks(self.path, BLOCK):
            digest.update(block)
        return digest.hexdigest()

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


def open_source(path: str | Path) -> Source:
    """Look at the beginning of a file: what kind it is, how it is written, what its columns are called.

    Raises:
        DataError: when there is nothing that could be read as a table.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError("{file} is a folder; choose a file in it.", file=path.name)
    if not path.exists():
        raise DataError("There is no file {file}.", file=str(path))
    try:
        with _opened(path) as file:
            head = file.read(_HEAD)
        if not head:
            raise DataError("{file} is empty.", file=path.name)
        if head.startswith(b"PAR1"):
            return _open_parquet(path)
        return _open_text(path, head)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError("{file} is damaged: it cannot be unpacked.", file=path.name) from error
    except OSError as error:
        raise DataError(
            "{file} cannot be read: {why}.", file=path.name, why=error.strerror or error
        ) from error


def _open_text(path: Path, head: bytes) -> Source:
    if head.startswith(b"PK\x03\x04"):
        raise DataError("{file} is an Excel workbook or a zip file; save its sheet as CSV.", file=path.name)
    marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in head and not marked:
        raise DataError("{file} is not a text file; save its table as CSV.", file=path.name)
    encoding = _encoding(path, head)
    notes = []
    if encoding == "cp1252":
        notes.append(say("{file} is not written in UTF-8; it was read as Windows-1252.", file=path.name))
    blocks = _text_blocks(path, encoding, _HEAD)
    text = next(blocks, b"")
    ended = next(blocks, None) is None
    if ended and not text.endswith(b"\n"):
        text += b"\n"
    start, delimiter = _start(text)
    if start >= len(text):
        raise DataError("{file} is empty.", file=path.name)
    delimiter = delimiter or _delimiter(text[start:])
    try:
        fields, end = parse_record(text + b"\n", start, delimiter)
    except BrokenRecordError as broken:
        raise DataError(
            "The first line of {file} has a quote that is not closed; it should hold the column names.",
            file=path.name,
        ) from broken
    names = [field.decode().strip() for field in fields]
    columns = _unique(names)
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
    return Source(path, columns, encoding, delimiter.decode(), tuple(notes), (end, text.count(b"\n", 0, end)))


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


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Column names without blanks and repetitions.

    >>> _unique(["id", "", "id"])
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


def _opened(path: Path) -> BinaryIO:
    """The file's bytes, unpacked when they are packed with gzip, whatever its name says."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")


def _raw_blocks(path: Path, size: int) -> Iterator[bytes]:
    with _opened(path) as file:
        while block := file.read(size):
            yield block


def _encoding(path: Path, head: bytes) -> str:
    """The first encoding that reads the whole file without an error.

    A byte order mark decides; else UTF-8, else Windows-1252. Guessing by letter frequencies is not done: it
    takes Spanish for Czech.
    """
    if head.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8", "cp1252"]
    for encoding in candidates:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for block in _raw_blocks(path, BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise DataError(
        "The letters of {file} are written in a way that is not known here; save it as UTF-8.", file=path.name
    )


def _text_blocks(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    """The file as UTF-8 without a byte order mark; lines that end in a lone `\\r` end in `\\n`."""
    decoder = codecs.getincrementaldecoder(encoding)()
    old_lines: bool | None = None
    for raw in _raw_blocks(path, size):
        data = raw if encoding == "utf-8" else decoder.decode(raw).encode()
        if old_lines is None and data:
            old_lines = b"\r" in data[:_HEAD] and b"\n" not in data[:_HEAD]
        yield data.replace(b"\r", b"\n") if old_lines else data


def _without(count: int, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks without their first `count` bytes."""
    for block in blocks:
        left, count = block[count:], max(0, count - len(block))
        if left:
            yield left


def _marked_last(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each block, and whether it is the last."""
    before: bytes | None = None
    for block in blocks:
        if before is not None:
            yield before, False
        before = block
    if before is not None:
        yield before, True


def _open_parquet(path: Path) -> Source:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError("{file} is not a whole Parquet file.", file=path.name) from error
    with file:
        if not file.metadata.num_rows:
            raise DataError("{file} has column names but no rows.", file=path.name)
        names = file.schema_arrow.names
    note = say("{file} is a Parquet file; its lines are counted as rows, from 1.", file=path.name)
    return Source(path, _unique(names), notes=(note,))


def _undictionaried(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values of a column that names each of them once and points to it; any other column as it is."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _parquet_batches(path: Path, columns: Sequence[str], wanted: Sequence[str]) -> Iterator[Batch]:
    line = 1
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_PARQUET_ROWS):
            rows = pa.Table.from_batches([batch]).rename_columns(list(columns)).select(list(wanted))
            plain = [_undictionaried(column) for column in rows.columns]
            lines = np.arange(line, line + len(batch), dtype=np.int64)
            yield Batch(pa.table(plain, names=rows.column_names), lines)
            line += len(batch)
