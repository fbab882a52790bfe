"""The letters of a text file: how they are written, and the file as UTF-8 whatever that is."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from workbench.errors import DataError
from workbench.tables.sources.files import blocks

HEAD: Final = 1 << 18
"""Bytes of a file that are looked at to see what it is."""

_BLOCK = 16 << 20
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def encoding_of(path: Path, head: bytes, asked: str | None = None) -> str:
    """The first encoding that reads the whole file without an error.

    A byte order mark decides; else zeros in every other byte (UTF-16); else UTF-8, else Windows-1252.
    Guessing by letter frequencies is not done: it takes Spanish for Czech.

    Args:
        path: The file.
        head: Its first bytes.
        asked: The encoding that somebody named; nothing else is tried.

    Raises:
        DataError: when none does, or there is no such encoding.
    """
    if asked is not None:
        return _as_asked(path, head, asked)
    if head.startswith(_WIDE):
        candidates = ["utf-16"]
    elif b"\0" in head:
        candidates = _wide(head)
        if not candidates:
            raise DataError("{file} is not a text file; save its table as CSV.", file=path.name)
    elif head.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    else:
        candidates = ["utf-8", "cp1252"]
    for encoding in candidates:
        if _reads(path, encoding):
            return encoding
    raise DataError(
        "The letters of {file} are written in a way that is not known here; save it as UTF-8.", file=path.name
    )


def _as_asked(path: Path, head: bytes, asked: str) -> str:
    try:
        name = codecs.lookup(asked).name
        "a".encode(name)  # some codecs are no encodings of text
    except (LookupError, UnicodeError) as error:
        raise DataError(
            "There is no encoding “{encoding}”; use a name such as utf-8, cp1252 or mac_roman.",
            encoding=asked,
        ) from error
    if name == "utf-8" and head.startswith(codecs.BOM_UTF8):
        name = "utf-8-sig"
    if not _reads(path, name):
        raise DataError(
            "{file} is not written in {encoding}; choose another encoding.", file=path.name, encoding=asked
        )
    return name


def _wide(head: bytes) -> list[str]:
    """UTF-16 without a byte order mark: zeros above most letters and never beneath them."""
    octets = np.frombuffer(head[: len(head) // 2 * 2], np.uint8).reshape(-1, 2)
    first, second = (octets == 0).mean(axis=0)
    if second > 0.5 and not first:
        return ["utf-16-le"]
    return ["utf-16-be"] if first > 0.5 and not second else []


def _reads(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block, _ in blocks(path, _BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def text_blocks(path: Path, encoding: str, size: int) -> Iterator[tuple[bytes, float]]:
    """The file as UTF-8 without a byte order mark, and the share of it that has been read.

    Lines that end in a lone `\\r` end in `\\n`.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    old_lines: bool | None = None
    for raw, done in blocks(path, size):
        data = raw if encoding == "utf-8" else decoder.decode(raw).encode()
        if old_lines is None and data:
            old_lines = b"\r" in data[:HEAD] and b"\n" not in data[:HEAD]
        yield (data.replace(b"\r", b"\n") if old_lines else data), done
