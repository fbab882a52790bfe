"""Cutting the text of a JSON file into its values, each with the line it begins on.

JSON lines are cut at their line breaks, so that a broken line costs one line. Everything else (a list of
objects, objects one after the other over several lines) is cut where brackets that stand outside of strings
close. Whether a value is sound JSON is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

LONGEST_VALUE: Final = 1 << 28
"""Bytes after which a line or a bracket that has not ended is taken to be a mistake."""

_QUOTE, _BACKSLASH, _LF, _CR, _COMMA = b'"\\\n\r,'
_OCTETS = np.arange(256)
_OPENS: Final = np.isin(_OCTETS, list(b"{["))
_MARKS: Final = np.isin(_OCTETS, list(b'{[}]"'))
_BETWEEN: Final = b" \t\r\n,"
_STRANGE: Final = (~np.isin(_OCTETS, list(_BETWEEN))).astype(np.int32)


@dataclass(frozen=True)
class Cut:
    """Some values of a file, in order.

    Attributes:
        data: Text, UTF-8.
        starts: Where in it each value begins, int64.
        ends: Where each ends.
        lines: The line on which each begins, from 1.
        done: Share of the file that has been read.
    """

    data: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]
    done: float


def brackets(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The brackets outside of strings: where they stand, and how deep the text is after each.

    >>> [found.tolist() for found in brackets(b'{"a]": [1]}')]
    [[0, 7, 9, 10], [1, 2, 1, 0]]
    """
    octets = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(_MARKS[octets])
    quotes = octets[at] == _QUOTE
    slashes = np.flatnonzero(octets == _BACKSLASH)
    if len(slashes):
        run = np.flatnonzero(np.diff(slashes, prepend=-2) != 1)  # where a run of backslashes begins
        length = np.diff(run, append=len(slashes))
        escaped = (slashes[run] + length)[length % 2 == 1]
        kept = ~(quotes & np.isin(at, escaped, assume_unique=True))
        at, quotes = at[kept], quotes[kept]
    at = at[~quotes & (np.cumsum(quotes) % 2 == 0)]
    return at, np.cumsum(np.where(_OPENS[octets[at]], 1, -1))


def cut_lines(blocks: Iterable[tuple[bytes, float]], file: str) -> Iterator[Cut]:
    """The lines of a text, without a comma at their end.

    Raises:
        DataError: when a line is longer than any should be.
    """
    rest, line = b"", 1
    for block, done in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            cut = _lines(rest + block[:end], line, done)
            yield cut
            line += len(cut.lines)
            rest = b""
        rest += block[end:]
        if len(rest) > LONGEST_VALUE:
            raise _endless(file, line)
    if rest.strip():
        yield _lines(rest + b"\n", line, 1.0)


def _lines(data: bytes, line: int, done: float) -> Cut:
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets == _LF)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lines = np.arange(line, line + len(ends))
    for mark in _CR, _COMMA:
        ends = ends - ((ends > starts) & (octets[ends - 1] == mark))
    return Cut(data, starts, ends, lines, done)


def cut_values(
    blocks: Iterable[tuple[bytes, float]], file: str, start: int, *, wrapped: bool
) -> Iterator[Cut]:
    """The values in brackets that follow one another in a text, or in a list in it.

    What stands between them, but commas and blanks, is handed over like a value.

    Args:
        blocks: The text, with the share of the file that has been read.
        file: The file's name.
        start: Where in the text to begin: behind the bracket that opens the list, or at 0.
        wrapped: The list stands inside an object, whose remainder follows it.

    Raises:
        DataError: when a value or the list does not end, or something follows what should be the end.
    """
    rest, line, skip, ended = b"", 1, start, False
    for block, done in blocks:
        rest += block
        if not ended and len(rest) >= skip:
            line += rest.count(b"\n", 0, skip)
            rest, skip = rest[skip:], 0
            cut, used, ended = _values(rest, line, done)
            yield cut
            line += rest.count(b"\n", 0, used)
            rest = rest[used:]
        if len(rest) > LONGEST_VALUE:
            raise _endless(file, line)
    if ended and wrapped:
        at, depth = brackets(rest)
        over = at[depth < 0]
        ended, rest = len(over) > 0, rest[over[0] + 1 :] if len(over) else rest
    line += rest.count(b"\n", 0, len(rest) - len(rest.lstrip(_BETWEEN)))
    if not ended and (start or rest.strip(_BETWEEN)):
        raise _endless(file, line)
    if ended and (not start or rest.strip()):
        raise DataError(
            "{file} is not one piece of JSON: something follows its end on line {line}.", file=file, line=line
        )


def _values(data: bytes, line: int, done: float) -> tuple[Cut, int, bool]:
    """The whole values in a text, how much of it they use up, and whether the list around them ends here."""
    at, depth = brackets(data)
    out = np.flatnonzero(depth < 0)[:1]
    within = out[0] if len(out) else len(at)
    ends = at[:within][depth[:within] == 0] + 1
    opens = (depth[:within] == 1) & (np.diff(depth[:within], prepend=0) == 1)
    starts = at[:within][opens][: len(ends)]
    used = at[within] if len(out) else ends[-1] if len(ends) else 0
    octets = np.frombuffer(data, np.uint8)[:used]
    gaps = np.stack([np.concatenate([[0], ends]), np.append(starts, used)])
    gaps = gaps[:, gaps[1] > gaps[0]]
    if gaps.size:
        strange = np.add.reduceat(np.append(_STRANGE[octets], 0), gaps.T.ravel())[::2]
        gaps = gaps[:, strange > 0]
        starts, ends = np.concatenate([starts, gaps[0]]), np.concatenate([ends, gaps[1]])
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], ends[order]
    breaks = np.flatnonzero(octets == _LF)
    lines = line + np.searchsorted(breaks, starts)
    return Cut(data, starts, ends, lines, done), int(used) + len(out), len(out) > 0


def _endless(file: str, line: int) -> DataError:
    return DataError(
        "{file} is not whole JSON: what begins on line {line} does not end.", file=file, line=line
    )
