"""Rows on their way from a file to a table: where each stands in the file, and those that are left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.locale import Message, say
from workbench.tables.cells import literal, open_database

LINE: Final = "@line"
"""The column of converted rows that says where they stand in the file."""


@dataclass(frozen=True)
class LeftOut:
    """Rows that are left out although each of their cells is sound.

    Attributes:
        lines: Where they begin.
        reason: Why.
        column: The standard column at fault, if it is one.
    """

    lines: NDArray[np.int64]
    reason: Message
    column: str | None = None


def ask(sql: str, **tables: pa.Table) -> pa.Table:
    """The answer of DuckDB about `tables`."""
    database = open_database()
    for name, table in tables.items():
        database.register(name, table)
    return database.sql(sql).to_arrow_table()


def lines_where(rows: pa.Table, chosen: pa.ChunkedArray) -> NDArray[np.int64]:
    """The lines of the chosen rows, each once and in order; what is neither true nor false is not chosen."""
    return np.unique(rows.filter(pc.fill_null(chosen, False))[LINE].to_numpy())


def without(rows: pa.Table, lines: NDArray[np.int64]) -> pa.Table:
    """The rows that do not stand on these lines."""
    return rows.filter(pc.invert(pc.is_in(rows[LINE], pa.array(lines)))) if len(lines) else rows


def later_lines(rows: pa.Table, key: Sequence[str]) -> NDArray[np.int64]:
    """Lines of the rows that have the key of an earlier one; blank cells are equal to each other."""
    columns = rows.select([*key, LINE]).rename_columns([*(f"c{place}" for place in range(len(key))), "line"])
    keys = ", ".join(columns.column_names[:-1])
    found = ask(
        f"""
        SELECT line FROM rows
        ANTI JOIN (SELECT min(line) AS line FROM rows GROUP BY {keys}) AS firsts USING (line)
        ORDER BY line
        """,
        rows=columns,
    )
    return found["line"].to_numpy()


def with_key(rows: pa.Table, key: str, notes: list[Message], *, salt: str = "") -> pa.Table:
    """The rows, with an identifier made of what they hold where there is none.

    It is the MD5 of a row's filled cells by the names of their columns, so neither the order of the columns
    nor empty further ones change it, and how many rows before it in the file are equal to it. A longer file,
    or one that overlaps, gives the rows that it shares the same identifiers.

    Args:
        rows: Converted rows with `LINE`, before anything depends on more than a row itself.
        key: The column of the identifier.
        notes: Gets a sentence when any was made.
        salt: Goes before what is hashed, so that nobody without it can try out what the cells were.
    """
    given = rows[key] if key in rows.column_names else pa.nulls(rows.num_rows, pa.string())
    lacking = given.null_count
    if not lacking:
        return rows
    notes.append(
        say(
            "Rows without {key}: {n:count}; one was made from what they hold. Equal rows of one file all"
            " count; rows that a later file has too count once.",
            n=lacking,
            key=key,
        )
    )
    names = sorted(name for name in rows.column_names if name not in (key, LINE))
    block = pa.table(
        [np.arange(rows.num_rows), given, *(rows[name] for name in names)],
        names=["row", "given", *(f"c{place}" for place in range(len(names)))],
    )
    cells = " || ".join(_cell(name, f"c{place}") for place, name in enumerate(names)) or "''"
    made = ask(
        f"""
        WITH hashed AS (
            SELECT row, given, CASE WHEN given IS NULL THEN md5({literal(salt)} || {cells}) END AS hash
            FROM rows)
        SELECT coalesce(given, hash || '-' || row_number() OVER (PARTITION BY hash ORDER BY row)) AS made
        FROM hashed ORDER BY row
        """,
        rows=block,
    )["made"]
    if key not in rows.column_names:
        return rows.append_column(key, made)
    return rows.set_column(rows.column_names.index(key), key, made)


def _cell(name: str, column: str) -> str:
    """SQL for a cell's name and value, each after its length, so that no other cells look the same."""
    text = f"CAST({column} AS VARCHAR)"
    return f"coalesce({literal(f'{len(name)}:{name}')} || length({text}) || ':' || {text}, '')"


def taken_once(names: Collection[str], taken: Collection[str]) -> dict[str, str]:
    """Name → name it gets: its own, numbered where it is taken; capitals make no difference."""
    seen = {name.lower() for name in taken}
    given = {}
    for wish in names:
        name, count = wish, 1
        while name.lower() in seen:
            count += 1
            name = f"{wish} {count}"
        seen.add(name.lower())
        given[name] = wish
    return given
