"""Adding rows to a table so that a file that is loaded twice adds nothing.

What happens to a row that is there already is declared with each table (`schema.Repeat`). Rows that were
there keep their order; new ones follow in theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.types as kinds

from workbench.errors import DataError
from workbench.tables.cells import open_database
from workbench.tables.schema import Table, conform, standard


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
    existing = conform(new.slice(0, 0) if existing is None else existing, table)
    existing, new = _alike(existing, new)
    if table.repeat == "replace":
        return pa.concat_tables([_not_in(existing, new, table.key), new])
    if table.repeat == "distinct":
        every = tuple(new.column_names)
        return pa.concat_tables([existing, _not_in(_first_of_each(new, every), existing, every)])
    if any(new[name].null_count for name in table.key):
        raise DataError(
            "A row of the table {table} lacks its {key}.", table=table.name, key=", ".join(table.key)
        )
    if table.repeat == "first":
        return pa.concat_tables([existing, _not_in(_first_of_each(new, table.key), existing, table.key)])
    return _combined(existing, new, table)


def _alike(one: pa.Table, other: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Both tables with the columns of both, in the same order and types."""
    types = {}
    for name in dict.fromkeys([*one.column_names, *other.column_names]):
        columns = [table[name] for table in (one, other) if name in table.column_names]
        found = {column.type for column in columns if column.null_count < len(column)} or {columns[0].type}
        if len(found) == 1:
            types[name] = found.pop()
        else:
            numbers = all(kinds.is_integer(kind) or kinds.is_floating(kind) for kind in found)
            types[name] = pa.float64() if numbers else pa.string()

    def shaped(table: pa.Table) -> pa.Table:
        return pa.table(
            {
                name: table[name].cast(kind) if name in table.column_names else pa.nulls(table.num_rows, kind)
                for name, kind in types.items()
            }
        )

    return shaped(one), shaped(other)


def _query(sql: str, schema: pa.Schema, **tables: pa.Table) -> pa.Table:
    """The answer of DuckDB, whose columns stand for those of `schema`; tables have columns c0 … and row."""
    database = open_database()
    for name, table in tables.items():
        numbered = table.rename_columns([f"c{place}" for place in range(table.num_columns)])
        database.register(name, numbered.append_column("row", pa.array(np.arange(table.num_rows))))
    return database.sql(sql).to_arrow_table().rename_columns(schema.names).cast(schema)


def _every(table: pa.Table, alias: str) -> str:
    return ", ".join(f"{alias}.c{place}" for place in range(table.num_columns))


def _places(table: pa.Table, names: Sequence[str]) -> list[str]:
    return [f"c{table.column_names.index(name)}" for name in names]


def _first_of_each(rows: pa.Table, key: Sequence[str]) -> pa.Table:
    """The first row of each key."""
    columns = ", ".join(_places(rows, key))
    sql = f"""SELECT {_every(rows, "r")} FROM rows AS r
              SEMI JOIN (SELECT min(row) AS row FROM rows GROUP BY {columns}) AS firsts ON r.row = firsts.row
              ORDER BY r.row"""
    return _query(sql, rows.schema, rows=rows)


def _not_in(rows: pa.Table, others: pa.Table, key: Sequence[str]) -> pa.Table:
    """The rows whose key is not among the others'; blank cells are equal to each other."""
    if not others.num_rows or not rows.num_rows:
        return rows
    same = " AND ".join(f"r.{place} IS NOT DISTINCT FROM o.{place}" for place in _places(rows, key))
    sql = f"SELECT {_every(rows, 'r')} FROM rows AS r ANTI JOIN others AS o ON {same} ORDER BY r.row"
    return _query(sql, rows.schema, rows=rows, others=others)


def _combined(existing: pa.Table, new: pa.Table, table: Table) -> pa.Table:
    """One row a key; where several cells are filled `newest` takes the last, `fill` the first."""
    added = _one_each(new, table)
    if not existing.num_rows:
        return added
    ahead, behind = ("n", "e") if table.repeat == "newest" else ("e", "n")
    columns = ", ".join(f"coalesce({ahead}.{c}, {behind}.{c})" for c in _places(new, new.column_names))
    same = " AND ".join(f"e.{c} = n.{c}" for c in _places(new, table.key))
    sql = f"SELECT {columns} FROM e FULL JOIN n ON {same} ORDER BY e.row NULLS LAST, n.row"
    return _query(sql, new.schema, e=existing, n=added)


def _one_each(rows: pa.Table, table: Table) -> pa.Table:
    """The rows of each key put together."""
    if rows.group_by(list(table.key)).aggregate([]).num_rows == rows.num_rows:
        return rows
    key, every = _places(rows, table.key), _places(rows, rows.column_names)
    pick = "arg_max" if table.repeat == "newest" else "arg_min"  # both pass over empty cells
    picked = ", ".join(c if c in key else f"{pick}({c}, row)" for c in every)
    return _query(
        f"SELECT {picked} FROM rows GROUP BY {', '.join(key)} ORDER BY min(row)", rows.schema, rows=rows
    )
