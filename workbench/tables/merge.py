"""Adding rows to a table so that a file that is loaded twice adds nothing.

What happens to a row that is there already is declared with each table (`schema.Repeat`). Rows that were there
keep their order; new ones follow in theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from workbench.tables.cells import open_database
from workbench.tables.schema import Table, conform, standard


def merge(existing: pa.Table | None, new: pa.Table, table_name: str) -> pa.Table:
    """`existing` and what `new` adds to it.

    Args:
        existing: The rows of the table; None when it is new.
        new: Rows to add, which may repeat rows of `existing` and each other.
        table_name: The standard table.

    Returns:
        The table with all columns of both; a column whose types differ becomes float64 if both are numbers,
        else text.
    """
    table = standard(table_name)
    new = conform(new, table)
    if existing is None:
        existing = new.slice(0, 0)
    existing, new = _alike(conform(existing, table), new)
    if table.repeat == "replace":
        kept = _select(existing, new, f"SELECT {{columns}} FROM existing AS e WHERE NOT {_in_new(table.key)}")
        return pa.concat_tables([kept, new])
    if table.repeat in ("first", "distinct"):
        key = table.key or tuple(new.column_names)
        return pa.concat_tables([existing, _select(existing, new, _missing_rows(key))])
    return _combined(existing, new, table)
