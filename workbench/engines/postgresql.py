"""PostgreSQL: queries run where the tables are, each in a transaction that cannot write.

The password comes from where PostgreSQL's own programs take it: `PGPASSWORD`, `~/.pgpass` or a service file
(https://www.postgresql.org/docs/current/libpq-pgpass.html).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import batched
from threading import Lock

import ibis
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import capabilities, conninfo, sql
from psycopg.adapt import AdaptersMap
from psycopg.types.string import StrDumper, TextLoader

from workbench.engines import cancelling
from workbench.engines.address import Address
from workbench.engines.postgresql_writing import remove_customer, replace_rows
from workbench.errors import DataError, ProjectError

_ROWS = 10_000
_ROWS_AT_ONCE = 100_000  # of rows that are streamed
_CONNECT_SECONDS = "10"
# What a role or a server may have set otherwise, and what the reading of results relies on.
_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
}
# Types by their fixed numbers (pg_type.dat); values of any other are the text that PostgreSQL writes.
_TYPES = {
    16: "boolean",
    20: "int64",
    21: "int64",
    23: "int64",
    700: "float64",
    701: "float64",
    1700: "numeric",
    1082: "date",
    1114: "timestamp",
    1184: "timestamptz",
}
_ARROW = {
    "int64": pa.int64(),
    "float64": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "text": pa.string(),
}
_IBIS = {"numeric": "float64", "timestamptz": "timestamp", "text": "string"}
_INT64_DIGITS = 18
_TABLES = sql.SQL("""
    SELECT c.relname FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_catalog.pg_table_is_visible(c.oid)
        AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    ORDER BY c.relname""")


class PostgreSQLEngine:
    """Tables and views of one database.

    Args:
        address: Its options are `schema`, one name or several with commas between (without it the role's own
            search path), and `timeout`, the most seconds a query may take. All else is for the client
            library, such as `sslmode` and `service`.

    It connects at the first question, and once more when the connection was lost.
    """

    dialect = "postgres"

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = Lock()
        self._connection: psycopg.Connection | None = None
        settings = dict(_SETTINGS)
        self._schemas = [name.strip() for name in address.options.get("schema", "").split(",") if name]
        if self._schemas:
            settings["search_path"] = ", ".join(sql.Identifier(name).as_string() for name in self._schemas)
        if "timeout" in address.options:
            settings["statement_timeout"] = f"{address.options['timeout']}s"
        self._settings, self._of_session = (
            _setting(settings, "true"),
            _setting(settings, "false"),
        )

    def tables(self) -> list[str]:
        """Tables and views on the search path."""
        return self._ask(_TABLES.as_bytes())[1].column(0).to_pylist()

    def schema(self, table: str) -> ibis.Schema:
        """The columns of a table.

        Raises:
            DataError: when there is no such table, or it may not be read.
        """
        self._address.check_table(table, self.tables())
        nothing = sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(table))
        return ibis.schema({column.name: _ibis_type(column) for column in self._ask(nothing.as_bytes())[0]})

    def query(self, sql: str) -> pa.Table:
        """Rows of a query.

        Integers are int64, `numeric` is float64 or, where no value has decimals, int64; times are UTC without
        a zone.

        Raises:
            DataError: when the server cannot be reached, refuses the query or stops it.
        """
        described, rows = self._ask(sql.strip().rstrip(";").encode())
        columns = []
        for column, texts in zip(described, rows.columns, strict=True):
            try:
                columns.append(_typed(_kind(column), texts))
            except pa.ArrowInvalid as error:
                raise DataError(
                    "The column {column} of the answer holds a value that cannot be read: {reason}.",
                    column=column.name,
                    reason=_sentence(error),
                ) from error
        return pa.table(columns, names=rows.column_names)

    def batches(self, sql: str) -> Iterator[pa.Table]:
        """Rows of a query, some at a time, over a connection of their own.

        Types are those of `query`, but `numeric` with decimals is always float64.

        Raises:
            DataError: as of `query`.
        """
        connection = self._connect()
        try:
            for described, rows in _stream(connection, self._settings, sql.strip().rstrip(";").encode()):
                columns = [
                    _typed("float64" if _is_decimal(column) else _kind(column), pa.chunked_array([texts]))
                    for column, texts in zip(described, rows, strict=True)
                ]
                yield pa.table(columns, names=[column.name for column in described])
        except psycopg.Error as error:
            raise self._refused(error) from error
        finally:
            connection.close()

    def write(self, table: str, like: str, batches: Iterable[pa.Table], note: str) -> None:
        """Put rows in the place of those of a table of our own; see `postgresql_writing.replace_rows`.

        Raises:
            DataError: when the table is somebody else's, or may not be written.
        """
        self._change(table, lambda connection: replace_rows(connection, table, like, batches, note))

    def remove(self, table: str, customer: str) -> int:
        """Delete a customer's rows from a table of our own; how many there were.

        Raises:
            DataError: as of `write`.
        """
        return self._change(table, lambda connection: remove_customer(connection, table, customer))

    def _change[T](self, table: str, change: Callable[[psycopg.Connection], T]) -> T:
        connection = self._connect()
        try:
            connection.execute(self._of_session)
            return change(connection)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
            raise DataError(
                "{where} does not let the table {table} be written: {reason}; ask for GRANT CREATE on its "
                "schema and leave the table to the role that writes it, or write a file.",
                where=self._address.shown,
                table=table,
                reason=error.diag.message_primary or _sentence(error),
            ) from error
        except psycopg.Error as error:
            raise self._refused(error) from error
        finally:
            connection.close()

    def close(self) -> None:
        """End the connection; the next question opens another."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _ask(self, query: bytes) -> tuple[Sequence[psycopg.Column], pa.Table]:
        """What the columns of the answer are, and the answer as text."""
        with self._lock:
            again = self._connection is not None
            while True:
                connection = self._connected()
                try:
                    with cancelling.ending(partial(_stop, connection)):
                        return _fetch(connection, self._settings, query)
                except psycopg.Error as error:
                    if not (again and connection.closed):
                        raise self._refused(error) from error
                    again = False

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> psycopg.Connection:
        defaults = {
            "connect_timeout": os.environ.get("PGCONNECT_TIMEOUT", _CONNECT_SECONDS),
            "application_name": "personalization-workbench",
        }
        try:
            settings = {**defaults, **conninfo.conninfo_to_dict(self._address.target)}
        except psycopg.Error:  # its words may hold a part of the password, so they are not kept as a cause
            raise ProjectError(
                "The address {where} or one of its parameters is not one that PostgreSQL knows.",
                where=self._address.shown,
            ) from None
        try:
            connection = psycopg.connect(
                "",
                autocommit=True,
                prepare_threshold=None,  # so that a pooler may stand between
                context=_as_text(),
                **{**settings, "client_encoding": "UTF8"},  # type: ignore[arg-type]
            )
        except psycopg.OperationalError as error:
            raise self._unreachable(error) from error
        try:
            self._check_schemas(connection)
        except psycopg.Error as error:
            connection.close()
            raise self._refused(error) from error
        except ProjectError:
            connection.close()
            raise
        return connection

    def _check_schemas(self, connection: psycopg.Connection) -> None:
        """A search path may name what is not there, without a word from PostgreSQL."""
        found = connection.execute("SELECT nspname FROM pg_catalog.pg_namespace").fetchall()
        known = [name for (name,) in found]
        for name in self._schemas:
            if name not in known:
                raise ProjectError(
                    "There is no schema {schema} in {where}; there are: {known}.",
                    schema=name,
                    where=self._address.shown,
                    known=", ".join(sorted(name for name in known if not name.startswith("pg_"))),
                )

    def _unreachable(self, error: psycopg.OperationalError) -> DataError:
        asked = error.pgconn
        if asked is not None and asked.needs_password:
            return DataError(
                "{where} wants a password; set PGPASSWORD, or put it into ~/.pgpass.",
                where=self._address.shown,
            )
        reason = _sentence(error).rpartition("failed: ")[2]
        if asked is not None and asked.used_password:
            return DataError(
                "{where} did not let us in: {reason}; the password is that of PGPASSWORD or ~/.pgpass.",
                where=self._address.shown,
                reason=reason,
            )
        return DataError("{where} cannot be reached: {reason}.", where=self._address.shown, reason=reason)

    def _refused(self, error: psycopg.Error) -> DataError:
        where, reason = self._address.shown, error.diag.message_primary or _sentence(error)
        if isinstance(error, psycopg.errors.QueryCanceled):
            return DataError(
                "{where} stopped the query: {reason}; ask about fewer data, or allow more time with "
                "?timeout=seconds in the address of the engine.",
                where=where,
                reason=reason,
            )
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            return DataError(
                "The tables in {where} are only read, never changed: {reason}.", where=where, reason=reason
            )
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            return DataError(
                "{where} refuses the query: {reason}; ask the owner to GRANT SELECT on it, or on a view of "
                "what may be read.",
                where=where,
                reason=reason,
            )
        return DataError("{where} refuses the query: {reason}.", where=where, reason=reason)


def _setting(settings: Mapping[str, str], local: str) -> bytes:
    """A query that sets all of them, for a transaction (`local` is true) or the whole session."""
    changes = (
        sql.SQL("pg_catalog.set_config({}, {}, {})").format(name, value, sql.SQL(local))
        for name, value in ((sql.Literal(name), sql.Literal(value)) for name, value in settings.items())
    )
    return sql.SQL("SELECT {}").format(sql.SQL(", ").join(changes)).as_bytes()


def _stop(connection: psycopg.Connection) -> None:
    """Stop the query that the connection is answering."""
    with suppress(psycopg.Error):  # a server that cannot be reached stops it by itself
        connection.cancel_safe()


def _as_text() -> AdaptersMap:
    """Every value as the text that PostgreSQL writes; Arrow makes numbers and times of whole columns."""
    adapters = AdaptersMap(types=psycopg.adapters.types)
    adapters.register_dumper(str, StrDumper)
    adapters.register_loader(0, TextLoader)  # 0 stands for any type that has no loader of its own
    return adapters


def _fetch(
    connection: psycopg.Connection, settings: bytes, query: bytes
) -> tuple[Sequence[psycopg.Column], pa.Table]:
    """Ask in a transaction of its own, which cannot write and leaves nothing behind in the session."""
    size = _ROWS if capabilities.has_stream_chunked() else 1
    with connection.cursor() as cursor:
        try:
            cursor.execute(b"BEGIN TRANSACTION READ ONLY; " + settings)
            pieces = [
                [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
                for rows in batched(cursor.stream(query, size=size), _ROWS)
            ]
            if not pieces:  # a stream without rows does not say what its columns are
                cursor.execute(b"SELECT * FROM (" + query + b"\n) AS answer LIMIT 0")
            described = list(cursor.description or [])
        finally:
            if not connection.closed:
                cursor.execute(b"ROLLBACK")
    columns = [
        pa.chunked_array([piece[index] for piece in pieces], pa.string()) for index in range(len(described))
    ]
    return described, pa.table(columns, names=[column.name for column in described])


def _stream(
    connection: psycopg.Connection, settings: bytes, query: bytes
) -> Iterator[tuple[Sequence[psycopg.Column], list[pa.Array]]]:
    """Columns of text, some rows at a time, in a transaction that cannot write."""
    size = _ROWS if capabilities.has_stream_chunked() else 1
    with connection.cursor() as cursor:
        cursor.execute(b"BEGIN TRANSACTION READ ONLY; " + settings)
        for rows in batched(cursor.stream(query, size=size), _ROWS_AT_ONCE):
            columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
            yield list(cursor.description or []), columns


def _is_decimal(column: psycopg.Column) -> bool:
    return _kind(column) == "numeric" and column.scale != 0


def _kind(column: psycopg.Column) -> str:
    return _TYPES.get(column.type_code, "text")


def _ibis_type(column: psycopg.Column) -> str:
    kind = _kind(column)
    if kind == "numeric" and column.scale == 0 and (column.precision or _INT64_DIGITS + 1) <= _INT64_DIGITS:
        return "int64"
    return _IBIS.get(kind, kind)


def _typed(kind: str, texts: pa.ChunkedArray) -> pa.ChunkedArray:
    if kind == "boolean":
        return pc.equal(texts, "t")
    if kind == "timestamptz":
        return texts.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    if kind == "numeric":
        whole = (
            texts.null_count < len(texts) and not pc.any(pc.match_substring_regex(texts, "[^0-9-]")).as_py()
        )
        try:
            return texts.cast(pa.int64() if whole else pa.float64())
        except pa.ArrowInvalid:  # beyond 64 bits
            return texts.cast(pa.float64())
    return texts.cast(_ARROW[kind])


def _sentence(error: Exception) -> str:
    """The first line of an error, without the stop that our own sentence ends with."""
    return str(error).strip().split("\n")[0].rstrip(". ")
