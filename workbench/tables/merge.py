"""Adding rows to a table: what is there already is not added again, and nothing that is there is lost.

What a row means whose key is there already is declared with the table (`schema.Repeat`). The rules are
queries over two relations, `old` and `new`, so that the rows that are there never have to come into memory.
Rows that were there keep their order; new ones follow in theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from workbench.errors import DataError
from workbench.tables.cells import open_database
from workbench.tables.schema import Table, conform, standard

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS = {*_WHOLE, *(f"U{kind}" for kind in _WHOLE), "FLOAT", "DOUBLE"}
_ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
}
_ROW = '"@row"'


@dataclass(frozen=True)
class Merging:
    """How the rows of `new` come into `old`.

    Attributes:
        query: The rows to write, in order.
        stays: The rows of `old` stay as they are, and the query gives only those to add.
        types: Column → type of the table that results, in order.
    """

    query: str
    stays: bool
    types: dict[str, str]


def merge(existing: pa.Table | None, new: pa.Table, table_name: str) -> pa.Table:
    """`existing`, and what `new` adds to it.

    Args:
        existing: The rows of the table; None when it is new.
        new: Rows to add, which may repeat rows of `existing` and each other.
        table_name: The standard table.

    Returns:
        The table with all columns of both. Where their types differ a column becomes float64 when both are
        numbers, else text.

    Raises:
        DataError: when a new row lacks the identifier that would tell it from others.
    """
    table = standard(table_name)
    new = conform(new, table)
    old = conform(new.slice(0, 0) if existing is None else existing, table)
    database = open_database()
    database.register("old", old)
    database.register("new", new)
    how = merging(database, table)
    schema = pa.schema({name: _ARROW.get(kind, pa.string()) for name, kind in how.types.items()})
    made = database.sql(how.query).to_arrow_table().cast(schema)
    if not how.stays:
        return made
    kept = database.sql(f"SELECT {typed(how.types, 'old', database)} FROM old").to_arrow_table().cast(schema)
    return pa.concat_tables([kept, made])


def merging(database: duckdb.DuckDBPyConnection, table: Table) -> Merging:
    """What to do to add the rows of `new` to `old`, both relations of `database`.

    Raises:
        DataError: when a new row lacks the identifier that would tell it from others.
    """
    types = _types(database)
    distinct = table.repeat == "distinct"
    key = list(types) if distinct else list(table.key)
    if table.repeat in ("newest", "fill", "first"):
        lacking = " OR ".join(f"{quoted(name)} IS NULL" for name in key)
        if database.sql(f"SELECT 1 FROM new WHERE {lacking} LIMIT 1").fetchall():
            raise DataError(
                "A row of the table {table} lacks its {key}.", table=table.name, key=", ".join(key)
            )
    columns = ", ".join(map(quoted, types))
    keys = ", ".join(map(quoted, key))
    same = " AND ".join(f"o.{quoted(name)} IS NOT DISTINCT FROM n.{quoted(name)}" for name in key)
    old = f"(SELECT *, row_number() OVER () AS {_ROW} FROM (SELECT {typed(types, 'old', database)} FROM old))"
    new = f"(SELECT *, row_number() OVER () AS {_ROW} FROM (SELECT {typed(types, 'new', database)} FROM new))"
    if table.repeat in ("distinct", "first"):
        query = (
            f"SELECT {columns} FROM (FROM {new} QUALIFY row_number() OVER"
            f" (PARTITION BY {keys} ORDER BY {_ROW}) = 1) AS n"
            f" ANTI JOIN {old} AS o ON {same} ORDER BY n.{_ROW}"
        )
        return Merging(query, _unchanged(database, types), types)
    met = database.sql(f"SELECT 1 FROM {old} AS o SEMI JOIN {new} AS n ON {same} LIMIT 1").fetchall()
    stays = not met and _unchanged(database, types)
    if table.repeat == "replace":
        if stays:
            return Merging(f"SELECT {columns} FROM {new} ORDER BY {_ROW}", True, types)
        query = (
            f"SELECT {columns} FROM (SELECT 0 AS part, * FROM {old} AS o ANTI JOIN {new} AS n ON {same}"
            f" UNION ALL SELECT 1, * FROM {new}) ORDER BY part, {_ROW}"
        )
        return Merging(query, False, types)
    each = _one_each(new, types, table)
    if stays:
        return Merging(f"SELECT {columns} FROM {each} ORDER BY {_ROW}", True, types)
    ahead, behind = ("n", "o") if table.repeat == "newest" else ("o", "n")
    picked = ", ".join(
        f"greatest(o.{quoted(name)}, n.{quoted(name)}) AS {quoted(name)}"
        if name in table.grows
        else f"coalesce({ahead}.{quoted(name)}, {behind}.{quoted(name)}) AS {quoted(name)}"
        for name in types
    )
    query = (
        f"SELECT {picked} FROM {old} AS o FULL JOIN {each} AS n ON {same}"
        f" ORDER BY o.{_ROW} NULLS LAST, n.{_ROW}"
    )
    return Merging(query, False, types)


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def typed(types: dict[str, str], relation: str, database: duckdb.DuckDBPyConnection) -> str:
    """The columns of `types`, as `relation` has them; those it lacks are empty."""
    has = columns_of(database, relation)
    return ", ".join(
        f"CAST({quoted(name) if name in has else 'NULL'} AS {kind}) AS {quoted(name)}"
        for name, kind in types.items()
    )


def columns_of(database: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Column → type of a relation."""
    return {name: kind for name, kind, *_ in database.sql(f"DESCRIBE {relation}").fetchall()}


def _types(database: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The columns of both relations with a type that holds the values of both."""
    both = {relation: columns_of(database, relation) for relation in ("old", "new")}
    old, new = both.values()
    types = {}
    for name in [*old, *(name for name in new if name not in old)]:
        found = {kind for kind in (old.get(name), new.get(name)) if kind is not None}
        if len(found) > 1:
            filled = {kinds[name] for relation, kinds in both.items() if _filled(database, relation, name)}
            found = filled or {old[name]}
        types[name] = found.pop() if len(found) == 1 else "DOUBLE" if found <= _NUMBERS else "VARCHAR"
    return types


def _filled(database: duckdb.DuckDBPyConnection, relation: str, column: str) -> bool:
    return bool(
        database.sql(f"SELECT 1 FROM {relation} WHERE {quoted(column)} IS NOT NULL LIMIT 1").fetchall()
    )


def _unchanged(database: duckdb.DuckDBPyConnection, types: dict[str, str]) -> bool:
    """Whether the rows of `old` can stay where they are: none of their columns becomes another type."""
    return all(types[name] == kind for name, kind in columns_of(database, "old").items())


def _one_each(rows: str, types: Iterable[str], table: Table) -> str:
    """The rows of each key put together; where several cells are filled `newest` takes the last, `fill` the
    first, and what grows the greatest."""
    pick = "arg_max" if table.repeat == "newest" else "arg_min"  # both pass over empty cells
    key = [quoted(name) for name in table.key]
    picked = ", ".join(
        quoted(name)
        if name in table.key
        else f"max({quoted(name)}) AS {quoted(name)}"
        if name in table.grows
        else f"{pick}({quoted(name)}, {_ROW}) AS {quoted(name)}"
        for name in types
    )
    return f"(SELECT {picked}, min({_ROW}) AS {_ROW} FROM {rows} GROUP BY {', '.join(key)})"
