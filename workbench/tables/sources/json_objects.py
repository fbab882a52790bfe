"""JSON lines, and JSON files that hold a list of objects: one object is a row, its keys are the columns.

The columns are the keys of all objects, in the order in which they first appear; the file is read through for
them, since a key may come as late as it likes. A cell is text: a string as it is, a whole number digit by
digit, another number as the double it stands for, an object or a list as JSON, `null` as nothing. A number
with three decimals gets a fourth, `1.0340`, so that nobody takes it for thousands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from workbench.errors import DataError
from workbench.locale import Message, say
from workbench.tables import cells
from workbench.tables.sources.encoding import HEAD, text_blocks
from workbench.tables.sources.json_cuts import Cut, brackets, cut_lines, cut_values
from workbench.tables.sources.source import (
    BLOCK,
    Batch,
    Fault,
    Source,
    shown,
    unique_names,
    with_fourth_decimal,
)

NOT_JSON = say("not JSON")
NOT_AN_OBJECT = say("not a JSON object")

_KEYS_AT_MOST = 5_000
_LINES_LOOKED_AT = 100
_NAME = re.compile(rb'"([^"\\\\]*)"\s*:\s*$')
_NAME_AT_MOST = 200
_LIST = re.compile(rb"\[\s*\{")
_LISTS = (b"data", b"results", b"records", b"rows")
_BLANK, _OBJECT, _OTHER, _BROKEN = range(4)
_STATE = (
    f"CASE WHEN json_valid(s) THEN CASE json_type(s) WHEN 'OBJECT' THEN {_OBJECT} ELSE {_OTHER} END"
    f" WHEN trim(s, ' ' || chr(9) || chr(13)) = '' THEN {_BLANK} ELSE {_BROKEN} END"
)


@dataclass(frozen=True)
class JsonObjects(Source):
    """A file of JSON objects.

    Attributes:
        keys: The key of each column.
        start: None for JSON lines; else where in its text the objects begin.
        wrapped: They are a list inside of an object.
    """

    keys: tuple[str, ...] = ()
    start: int | None = None
    wrapped: bool = False

    def cuts(self, block: int) -> Iterator[Cut]:
        """The objects as text."""
        assert self.encoding is not None
        text = text_blocks(self.path, self.encoding, block)
        if self.start is None:
            cuts = cut_lines(text, self.path.name)
        else:
            cuts = cut_values(text, self.path.name, self.start, wrapped=self.wrapped)
        return (cut for cut in cuts if len(cut.starts))

    def _batches(self, wanted: Sequence[str], block: int) -> Iterator[Batch]:
        database = cells.open_database()
        keys = [self.keys[self.columns.index(name)] for name in wanted]
        for cut in self.cuts(block):
            made = _read(database, cut, keys)
            state = made["state"].to_numpy()
            rows = np.flatnonzero(state == _OBJECT)
            faults = [
                Fault(
                    int(cut.lines[at]),
                    NOT_JSON if state[at] == _BROKEN else NOT_AN_OBJECT,
                    shown(cut.data[cut.starts[at] : cut.ends[at]]),
                )
                for at in np.flatnonzero(state >= _OTHER)
            ]
            found = made.drop_columns("state").rename_columns(list(wanted))
            yield Batch(
                found if len(rows) == len(state) else found.take(pa.array(rows)),
                cut.lines[rows].astype(np.int64),
                tuple(faults),
                (cut.data, cut.starts[rows], cut.ends[rows]),
                cut.done,
            )


def looks_like_json(text: bytes) -> bool:
    """Whether a text begins as JSON does that holds objects."""
    return b"".join(text[:1000].split())[:2] in (b'{"', b"{}", b"[{", b"[]")


def open_json(path: Path, encoding: str, notes: Sequence[Message]) -> JsonObjects:
    """Find out how the objects follow one another, and read the file through for their keys.

    Raises:
        DataError: when there are no objects, or what there is is not whole.
    """
    source = _laid_out(path, encoding)
    keys = _keys(source)
    if not keys:
        raise DataError("{file} has no JSON objects with values.", file=path.name)
    if source.wrapped:
        left = say(
            "The rows of {file} are a list in it; what stands beside the list was left out.", file=path.name
        )
        notes = [*notes, left]
    columns = unique_names([key.strip() for key in keys])
    return replace(source, columns=columns, keys=keys, notes=tuple(notes))


def _laid_out(path: Path, encoding: str) -> JsonObjects:
    """How the objects of a file follow one another, by its beginning."""
    blocks = text_blocks(path, encoding, HEAD)
    text, _ = next(blocks)
    ended = next(blocks, None) is None
    source = JsonObjects(path, (), encoding)
    at, depth = brackets(text)
    if text[at[0] : at[0] + 1] == b"[":
        return replace(source, start=int(at[0]) + 1)
    closed = at[depth == 0]
    alone = ended and len(closed) == 1 and not text[closed[0] + 1 :].strip()
    if alone or not len(closed):
        for place in at[depth == 2].tolist():
            if _is_list_of_rows(text, int(at[0]), place):
                return replace(source, start=place + 1, wrapped=True)
    return source if _has_object_lines(text) else replace(source, start=0)


def _is_list_of_rows(text: bytes, outer: int, place: int) -> bool:
    """Whether the list that an object holds is what the object is there for, rather than a cell of a row."""
    begin = max(outer + 1, place - _NAME_AT_MOST)
    named = _NAME.search(text, begin, place) if _LIST.match(text, place) else None
    if named is None:
        return False
    return named[1] in _LISTS or (begin == outer + 1 and not text[begin : named.start()].strip())


def _has_object_lines(text: bytes) -> bool:
    """Whether one of the first lines is an object on its own, and not a part of one that is spread out."""

    def is_object(line: bytes) -> bool:
        try:
            return line.startswith(b"{") and bool(json.loads(line.rstrip(b" \t\r,")))
        except (ValueError, RecursionError):
            return False

    return any(map(is_object, text.split(b"\n", _LINES_LOOKED_AT)[:_LINES_LOOKED_AT]))


def _keys(source: JsonObjects) -> tuple[str, ...]:
    """The keys of all objects of a file."""
    database = cells.open_database()
    keys: dict[str, None] = {}
    for cut in source.cuts(BLOCK):
        database.register("cut", _texts(cut))
        found = database.sql(f"""
            WITH objects AS (
                     SELECT i, CASE WHEN {_STATE} = {_OBJECT} THEN json_keys(s) END AS names FROM cut),
                 kinds AS (SELECT names, min(i) AS i FROM objects WHERE len(names) > 0 GROUP BY names),
                 each AS (
                     SELECT i, unnest(names) AS name, generate_subscripts(names, 1) AS place FROM kinds)
            SELECT name FROM each GROUP BY name ORDER BY min((i, place))""").fetchall()
        keys.update(dict.fromkeys(name for (name,) in found))
        if len(keys) > _KEYS_AT_MOST:
            raise DataError(
                "The objects of {file} have more than {n:count} different keys; they should be rows of one"
                " kind, with the same keys.",
                file=source.path.name,
                n=_KEYS_AT_MOST,
            )
    return tuple(keys)


def _read(database: duckdb.DuckDBPyConnection, cut: Cut, keys: Sequence[str]) -> pa.Table:
    """The state of each value of a cut, and its cells for these keys."""
    database.register("cut", _texts(cut))
    columns = ", ".join(["state", *(f"{_cell(f'v[{n}]')} AS c{n}" for n in range(1, len(keys) + 1))])
    found = ", ".join(cells.literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in keys)
    taken = f", CAST(json_extract(CASE WHEN state = {_OBJECT} THEN s END, [{found}]) AS VARCHAR[]) AS v"
    return database.sql(f"""
        SELECT {columns}
        FROM (SELECT i, state{taken if keys else ""} FROM (SELECT i, s, {_STATE} AS state FROM cut))
        ORDER BY i""").to_arrow_table()


def _texts(cut: Cut) -> pa.Table:
    """The values of a cut, numbered; the text between them is left out without looking at it."""
    bounds = np.stack([cut.starts, cut.ends], axis=1).ravel().astype(np.int64)
    count = max(0, len(bounds) - 1)
    pieces = pa.LargeStringArray.from_buffers(count, pa.py_buffer(bounds), pa.py_buffer(cut.data))
    return pa.table({"s": pieces.take(pa.array(np.arange(0, count, 2))), "i": np.arange(len(cut.starts))})


def _cell(value: str) -> str:
    """SQL for the text of a cell, from SQL for its value as JSON."""
    return (
        f"CASE WHEN ascii({value}) = 34 THEN"
        f" CASE WHEN contains({value}, chr(92)) THEN CAST({value} AS JSON)->>'$'"
        f" ELSE substr({value}, 2, length({value}) - 2) END"
        f" WHEN {value} = 'null' THEN NULL"
        f" ELSE {with_fourth_decimal(value)} END"
    )
