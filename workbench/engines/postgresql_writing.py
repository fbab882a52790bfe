"""All that is ever written into a PostgreSQL database: a table of our own, when somebody asks for it.

All of it happens in one transaction, so others see the old rows or the new ones. The table's comment says
whose it is; a table without it is never touched. Rows are replaced rather than the table, so that rights,
views and indexes on it stay.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from itertools import chain

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv

from workbench.errors import DataError

MARK = "personalization-workbench"
_FOUND = sql.SQL("""
    SELECT c.relkind = 'r' AND pg_catalog.obj_description(c.oid, 'pg_class') LIKE {mark},
        (SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) = {columns}
    FROM pg_catalog.pg_class AS c WHERE c.oid = pg_catalog.to_regclass({table})""")
_TYPES = {pa.int64(): "bigint", pa.float64(): "double precision"}


def identifier(table: str) -> sql.Identifier:
    """The name of a table, perhaps with its schema before a dot.

    >>> identifier("marketing.scores").as_string()
    '"marketing"."scores"'
    """
    return sql.Identifier(*table.rsplit(".", 1))


def replace_rows(
    connection: psycopg.Connection, table: str, like: str, batches: Iterable[pa.Table], note: str
) -> None:
    """Put rows in the place of those of a table, which is made where there is none.

    Args:
        connection: One in no transaction.
        table: Its name.
        like: The table whose `customer_id` says of which type that of the new table is.
        batches: `customer_id`, and columns of whole or other numbers; at least one.
        note: What the comment of the table says.

    Raises:
        DataError: when there is such a table that was not made here.
        psycopg.Error: when the server refuses.
    """
    name, rows = identifier(table), iter(batches)
    with connection.transaction():
        first = next(rows)
        if not _is_ours(connection, table, first.column_names):
            kinds = [
                sql.SQL("NULL::{} AS {}").format(sql.SQL(_TYPES[field.type]), sql.Identifier(field.name))
                for field in first.schema
                if field.name != "customer_id"
            ]
            connection.execute(
                sql.SQL("CREATE TABLE {} AS SELECT customer_id, {} FROM {} WITH NO DATA").format(
                    name, sql.SQL(", ").join(kinds), sql.Identifier(like)
                )
            )
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(name))
        connection.execute(sql.SQL("DELETE FROM {}").format(name))
        columns = sql.SQL(", ").join(map(sql.Identifier, first.column_names))
        into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(name, columns)
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            for batch in chain([first], rows):
                text = io.BytesIO()
                csv.write_csv(batch, text, csv.WriteOptions(include_header=False))
                copy.write(text.getvalue())
        comment = sql.SQL("COMMENT ON TABLE {} IS {}").format(name, sql.Literal(f"{MARK} {note}"))
        connection.execute(comment)


def remove_customer(connection: psycopg.Connection, table: str, customer: str) -> int:
    """Delete the rows of a customer from a table that was made here; how many there were."""
    with connection.transaction():
        if not _is_ours(connection, table, None):
            return 0
        gone = sql.SQL("DELETE FROM {} WHERE customer_id::text = {}")
        return connection.execute(gone.format(identifier(table), sql.Literal(customer))).rowcount


def _is_ours(connection: psycopg.Connection, table: str, columns: list[str] | None) -> bool:
    """Whether the table is there, with these columns; one of ours with other columns is dropped.

    Raises:
        DataError: when it is somebody else's.
    """
    asked = _FOUND.format(
        mark=sql.Literal(f"{MARK} %"),
        columns=sql.Literal(",".join(columns or [])),
        table=sql.Literal(identifier(table).as_string()),
    )
    found = connection.execute(asked).fetchone()
    if found is None:
        return False
    ours, alike = (value == "t" for value in found)
    if not ours:
        raise DataError(
            "There is a table {table} that was not made here, so it is left as it is; choose another name.",
            table=table,
        )
    if columns is not None and not alike:
        connection.execute(sql.SQL("DROP TABLE {}").format(identifier(table)))
        return False
    return True
