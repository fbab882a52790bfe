"""What an export holds beyond the columns its mapping reads, kept as further attributes."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa

from workbench.tables.cells import literal, open_database
from workbench.tables.merge import quoted

if TYPE_CHECKING:
    from workbench.tables.vendors.vendor import Spread, Vendor

MOST_EXTRAS: Final = 100
"""Further attributes that are kept of one export; the commonest first."""


def with_extras(rows: pa.Table, raw: pa.Table, vendor: Vendor, line: str, taken: Collection[str]) -> pa.Table:
    """`rows` with the columns of `raw` that no query of the vendor reads, and the keys of its spread columns.

    Args:
        rows: Rows of the vendor's table of extras.
        raw: The rows of the export that they were made from.
        vendor: The vendor.
        line: The column that ties the two.
        taken: Names that a further attribute cannot have.
    """
    database = open_database()
    database.register("rows", rows)
    database.register("raw", raw)
    seen = {name.lower() for name in [*taken, *rows.column_names]}
    never = {name.lower() for name in vendor.personal}
    plain = [
        name
        for name in raw.column_names
        if name not in vendor.columns and name != line and name.lower() not in never
    ]
    picked = {}
    for name in plain:
        if name.lower() not in seen:
            picked[name] = f"r.{quoted(name)}"
            seen.add(name.lower())
    for column, how in vendor.spread.items():
        if column not in raw.column_names:
            continue
        for key in _keys(database, column, how):
            if len(picked) < MOST_EXTRAS and key.lower() not in seen | never:
                picked[key] = _value(column, key, how)
                seen.add(key.lower())
    if not picked:
        return rows
    columns = ", ".join(f"CAST({value} AS VARCHAR) AS {quoted(name)}" for name, value in picked.items())
    tie = quoted(line)
    return (
        database.sql(
            f'SELECT t.*, {columns} FROM (SELECT *, row_number() OVER () AS "@order" FROM rows) AS t'
            f' JOIN raw AS r ON t.{tie} = r.{tie} ORDER BY t."@order"'
        )
        .to_arrow_table()
        .drop_columns(["@order"])
    )


# Some write the key as `name`. A parameter is called "@p", since a column of that name would go before it.
_FORM: Final = '[{"key":"VARCHAR","name":"VARCHAR","value":"JSON"}]'
_KEY: Final = """lambda "@p": coalesce("@p".key, "@p".name)"""
_KINDS: Final = ("string_value", "int_value", "double_value", "float_value")


def _keys(database: duckdb.DuckDBPyConnection, column: str, how: Spread) -> list[str]:
    """The keys that the column holds, the commonest first."""
    name = quoted(column)
    each = (
        f"unnest(json_keys(TRY_CAST({name} AS JSON)))"
        if how == "object"
        else f"unnest(list_transform({_pairs(name)}, {_KEY}))"
    )
    found = database.sql(
        f"SELECT key FROM (SELECT {each} AS key FROM raw) WHERE key IS NOT NULL GROUP BY key"
        f" ORDER BY count(*) DESC, key LIMIT {2 * MOST_EXTRAS}"
    ).fetchall()
    return [key for (key,) in found]


def _pairs(column: str) -> str:
    """SQL for the list of pairs in a column."""
    return f"json_transform(TRY_CAST({column} AS JSON), '{_FORM}')"


def _value(column: str, key: str, how: Spread) -> str:
    """SQL for the value under a key, as text; null and empty objects are blank."""
    name = f"r.{quoted(column)}"
    if how == "object":
        path = "$." + '"' + key.replace('"', '\\"') + '"'
        return f"TRY_CAST({name} AS JSON)->>{literal(path)}"
    value = f"list_filter({_pairs(name)}, {_KEY} = {literal(key)})[1].value"
    kinds = ", ".join(f"{value}->>'$.{kind}'" for kind in _KINDS)
    return f"CASE WHEN json_type({value}) = 'OBJECT' THEN coalesce({kinds}) ELSE {value}->>'$' END"
