"""Apache Spark: in this process, on a standalone cluster, or through Spark Connect.

Tables are those of Spark's catalogue, or a folder of Parquet that Spark itself can read. The session's time
zone is set to UTC: seconds of a time without a zone would move with it otherwise, and with them every window
of 24 hours over a change of clocks.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import batched
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import ibis
import pyarrow as pa
from py4j.protocol import (  # type: ignore[import-untyped]
    Py4JError,
    Py4JJavaError,
    Py4JNetworkError,
)
from pyspark.errors import PySparkException

from workbench.engines import cancelling
from workbench.engines.address import Address
from workbench.errors import DataError, ProjectError

_REACH_SECONDS = 5.0
_WORKER_SECONDS = 60.0
_RETRIES = 3  # of a call to a Connect server; pyspark's own 15 take ten minutes
_FRESH_SECONDS = 30.0
_ROWS_AT_ONCE = 100_000  # of rows that are streamed
# For the driver, unless the address says otherwise: no page of its own, no words on the terminal.
_DRIVER = {
    "spark.app.name": "personalization-workbench",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",  # errors become one sentence here
}
_ON_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_SESSION = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
_INT64_DIGITS = 18
_IBIS = {
    "boolean": "boolean",
    "tinyint": "int64",
    "smallint": "int64",
    "int": "int64",
    "bigint": "int64",
    "float": "float64",
    "double": "float64",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_ntz": "timestamp",
}
_FAILURES = (PySparkException, Py4JError, OSError)  # the last when the Java of this program has ended
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


class SparkEngine:
    """Tables of a Spark catalogue, or Parquet files.

    Args:
        address: Its options are `catalog` and `schema`; or `tables`, a folder with one file `orders.parquet`
            or one folder `orders/` for each table; and any setting of Spark by its own name.

    It connects at the first question, and once more when the connection was lost. One process has one Spark,
    so the projects that are open in a process and use Spark without Connect have to name the same one.
    """

    dialect = "databricks"

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = Lock()
        self._spark: Any = None
        self._files: dict[str, tuple[Any, ...]] = {}
        self._looked = float("-inf")

    def tables(self) -> list[str]:
        """Tables and views of the schema, or those of the folder."""
        if "tables" in self._address.options:
            return self._ask(lambda _: sorted(self._files))
        return self._ask(lambda spark: sorted(row["tableName"] for row in spark.sql("SHOW TABLES").collect()))

    def schema(self, table: str) -> ibis.Schema:
        """The columns of a table.

        Raises:
            DataError: when there is no such table, or it may not be read.
        """
        self._address.check_table(table, self.tables())
        fields = self._ask(lambda spark: spark.table(f"`{table}`").schema.fields)
        return ibis.schema({field.name: _ibis_type(field.dataType.simpleString()) for field in fields})

    def query(self, sql: str) -> pa.Table:
        """Rows of a query.

        Integers are int64, `decimal` is float64 or, without decimals, int64; times are UTC without a zone.

        Raises:
            DataError: when Spark cannot be reached or refuses the query.
        """
        return _plainly(self._ask(lambda spark: _answered(spark, _query_only(sql))))

    def batches(self, sql: str) -> Iterator[pa.Table]:
        """Rows of a query, some at a time; one of Spark's partitions is here at once.

        Raises:
            DataError: as of `query`.
        """
        from pyspark.sql.pandas.types import to_arrow_schema

        answer = self._ask(lambda spark: _without_zone(spark.sql(_query_only(sql))))
        try:
            schema = to_arrow_schema(answer.schema)
            for rows in batched(answer.toLocalIterator(), _ROWS_AT_ONCE):
                columns = [
                    pa.array(list(values), field.type)
                    for values, field in zip(zip(*rows, strict=True), schema, strict=True)
                ]
                yield _plainly(pa.table(columns, schema=schema))
        except _FAILURES as error:
            raise self._refused(error) from error

    def close(self) -> None:
        """End the session; the next question begins another."""
        with self._lock:
            if self._spark is not None:
                with suppress(*_FAILURES):  # it may have ended already
                    self._spark.stop()
            self._forget()

    def _ask[T](self, question: Callable[[Any], T]) -> T:
        again = self._spark is not None
        while True:
            with self._lock:
                spark = self._connected()
            try:
                return question(spark)
            except _FAILURES as error:
                if not (again and self._is_lost(spark, error)):
                    raise self._refused(error) from error
                again = False
                with self._lock:
                    if self._spark is spark:
                        self._forget()

    def _forget(self) -> None:
        self._spark, self._files, self._looked = None, {}, float("-inf")

    # --- connecting -------------------------------------------------------------------------------------

    def _connected(self) -> Any:
        try:
            if self._spark is not None and not self._is_alive(self._spark):
                self._spark.stop()
                self._forget()
            if self._spark is None:
                # what pyspark says on the terminal beside its exceptions, which become one sentence here
                warnings.filterwarnings("ignore", module=r"pyspark\.")
                logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
                spark = self._remote() if self._address.kind == "spark+connect" else self._in_process()
                self._choose_schema(spark)
                self._spark = spark
            self._look_at_files(self._spark)
        except _FAILURES as error:
            raise self._refused(error) from error
        return self._spark

    def _is_alive(self, spark: Any) -> bool:
        """Whether the Spark in this process still runs, and on a cluster has a worker.

        A query would wait for ever where there is none, and one whose master has gone gets no other.
        """
        if self._address.kind == "spark+connect":
            return True  # the server says so itself
        context = spark.sparkContext
        if context._jsc is None or context._jsc.sc().isStopped():
            return False
        return self._address.kind == "spark+local" or _workers(context) > 0

    def _is_lost(self, spark: Any, error: Exception) -> bool:
        """Whether the session has ended, so that a new one may answer."""
        if self._address.kind == "spark+connect":
            ended = isinstance(error, PySparkException) and (error.getCondition() or "").startswith(
                "INVALID_HANDLE"
            )
            return ended or _grpc_status(error) == "UNAVAILABLE"
        try:
            return not self._is_alive(spark)
        except _FAILURES:
            return False

    def _remote(self) -> Any:
        from pyspark.sql.connect.client.retries import DefaultPolicy
        from pyspark.sql.connect.session import SparkSession

        spark = SparkSession(self._address.target)
        spark.client.set_retry_policies([DefaultPolicy(max_retries=_RETRIES)])
        for name, value in {**self._settings(), **_SESSION}.items():
            spark.conf.set(name, value)
        return spark

    def _in_process(self) -> Any:
        self._reach()
        home = os.environ.get("JAVA_HOME")
        if shutil.which("java", path=str(Path(home, "bin")) if home else None) is None:
            raise DataError(
                "Spark needs Java 17 or newer, and there is none; install it, name it with JAVA_HOME, or use "
                "a Spark Connect server, which needs none here."
            )
        from pyspark.sql import SparkSession

        hosts = {host.rsplit(":", 1)[0] for host in self._address.hosts}
        local = self._address.kind == "spark+local" or hosts <= {"127.0.0.1", "localhost"}
        settings = {**_DRIVER, **(_ON_LOOPBACK if local else {}), **self._settings()}
        master = settings.pop("spark.master", self._address.target)
        shared = SparkSession.builder.master(master).config(map={**settings}).getOrCreate()
        if shared.sparkContext.master != master:
            raise DataError(
                "This program uses the Spark {other} already, and one program can use only one; "
                "open {where} in another, or through Spark Connect.",
                other=shared.sparkContext.master,
                where=self._address.shown,
            )
        self._await_worker(shared.sparkContext)
        spark = shared.newSession()
        for name, value in _SESSION.items():
            spark.conf.set(name, value)
        return spark

    def _settings(self) -> dict[str, str]:
        return {name: value for name, value in self._address.options.items() if name.startswith("spark.")}

    def _reach(self) -> None:
        """Fail in seconds when no master listens; Spark itself asks for a minute."""
        if self._address.kind != "spark":
            return
        reason: object = ""
        for place in self._address.hosts:
            host, _, port = place.rpartition(":")
            try:
                socket.create_connection((host or place, int(port or 7077)), _REACH_SECONDS).close()
                return
            except OSError as error:
                reason = error.strerror or error
        raise DataError("{where} cannot be reached: {reason}.", where=self._address.shown, reason=str(reason))

    def _await_worker(self, context: Any) -> None:
        """Fail when the cluster has no room for us."""
        end = time.monotonic() + _WORKER_SECONDS
        while self._address.kind == "spark" and not _workers(context):
            if time.monotonic() > end:
                context.stop()
                raise DataError(
                    "{where} has no free worker; wait for other programs to end, or ask for less with "
                    "?spark.executor.memory=1g&spark.cores.max=2 in the address of the engine.",
                    where=self._address.shown,
                )
            time.sleep(0.2)

    def _choose_schema(self, spark: Any) -> None:
        options = self._address.options
        try:
            if "catalog" in options:
                spark.catalog.setCurrentCatalog(options["catalog"])
            if "schema" in options:
                spark.catalog.setCurrentDatabase(options["schema"])
        except (PySparkException, Py4JError) as error:
            if "CATALOG_NOT_FOUND" in str(error):
                raise ProjectError(
                    "There is no catalog {catalog} in {where}; it is made known to Spark by its setting "
                    "spark.sql.catalog.{catalog}.",
                    catalog=options["catalog"],
                    where=self._address.shown,
                ) from error
            if "SCHEMA_NOT_FOUND" in str(error):
                raise ProjectError(
                    "There is no schema {schema} in {where}; there are: {known}.",
                    schema=options["schema"],
                    where=self._address.shown,
                    known=", ".join(row[0] for row in spark.sql("SHOW SCHEMAS").collect()) or "–",
                ) from error
            raise

    # --- Parquet files ----------------------------------------------------------------------------------

    def _look_at_files(self, spark: Any) -> None:
        """A view over each table of the folder; new again once its files have changed."""
        folder = self._address.options.get("tables")
        if folder is None or time.monotonic() - self._looked < _FRESH_SECONDS:
            return
        reader = spark.read.format("binaryFile").option("pathGlobFilter", "*.parquet")
        reader = reader.option("recursiveFileLookup", "true")
        rows = reader.load(folder).select("path", "length", "modificationTime").collect()
        inside = urlsplit(folder).path.rstrip("/") + "/"
        found: dict[str, tuple[Any, ...]] = {}
        for row in sorted(rows):
            part = row["path"].partition(inside)[2].split("/", 1)[0]
            found[part] = (*found.get(part, ()), tuple(row))
        files = {part.removesuffix(".parquet"): state for part, state in found.items()}
        for part in found:
            name = part.removesuffix(".parquet")
            if self._files.get(name) != files[name]:
                spark.read.parquet(f"{folder.rstrip('/')}/{part}").createOrReplaceTempView(f"`{name}`")
        for name in self._files.keys() - files.keys():
            spark.catalog.dropTempView(name)
        self._files, self._looked = files, time.monotonic()

    # --- what went wrong --------------------------------------------------------------------------------

    def _refused(self, error: Exception) -> DataError:
        where, reason = self._address.shown, _reason(error)
        if _grpc_status(error) in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
            return DataError("{where} cannot be reached: {reason}.", where=where, reason=reason)
        if _grpc_status(error) in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
            return DataError(
                "{where} did not let us in: {reason}; set the token with SPARK_CONNECT_AUTHENTICATE_TOKEN.",
                where=where,
                reason=reason,
            )
        if isinstance(error, PySparkException) and error.getCondition() == "PATH_NOT_FOUND":
            return DataError(
                "{where} sees no folder of tables {path}.",
                where=where,
                path=self._address.options.get("tables", ""),
            )
        if isinstance(error, Py4JNetworkError | OSError):
            return DataError(
                "The Spark in this program has ended; start the program again, with more memory if it ran "
                "out: ?spark.driver.memory=4g in the address of the engine."
            )
        return DataError("{where} refuses the query: {reason}.", where=where, reason=reason)


def _grpc_status(error: Exception) -> str:
    status = getattr(error, "getGrpcStatusCode", lambda: None)()
    return getattr(status, "name", "")


def _workers(context: Any) -> int:
    """How many executors there are; with dynamic allocation they come when they are needed."""
    if context.getConf().get("spark.dynamicAllocation.enabled") == "true":
        return 1
    return int(context._jsc.sc().getExecutorMemoryStatus().size()) - 1  # the driver is one of them


def _reason(error: Exception) -> str:
    """The first line of Spark's words, without its error class and state, and without the final stop."""
    text = str(error)
    if isinstance(error, Py4JJavaError):
        text = str(error.java_exception.getMessage())
    details = re.search(r'details = "(.*?)"\n', text, re.DOTALL)
    line = (details[1] if details else text).strip().split("\n", 1)[0]
    return re.sub(r"^\[[\w.]+\] | SQLSTATE: \w+.*$", "", line).rstrip(". ")


def _ibis_type(name: str) -> str:
    decimal = _DECIMAL.fullmatch(name)
    if decimal:
        return "int64" if decimal[2] == "0" and int(decimal[1]) <= _INT64_DIGITS else "float64"
    return _IBIS.get(name, "string")


def _answered(spark: Any, sql: str) -> pa.Table:
    """Rows of a query, which ends when nobody wants it any more."""

    def end() -> None:
        with suppress(*_FAILURES):  # it may have ended already
            spark.interruptAll()  # a tag does not reach the thread of Spark's that collects into Arrow

    with cancelling.ending(end):
        return spark.sql(sql).toArrow()


def _query_only(sql: str) -> str:
    """Inside parentheses Spark takes a query only, nothing that would change a table."""
    inside = sql.strip().rstrip(";")
    return f"SELECT * FROM (\n{inside}\n)"


def _without_zone(rows: Any) -> Any:
    """Times in the session's zone, UTC; those with a zone would arrive in that of this computer."""
    aware = [name for name, kind in rows.dtypes if kind == "timestamp"]
    return rows.withColumns({name: rows[name].cast("timestamp_ntz") for name in aware}) if aware else rows


def _plainly(rows: pa.Table) -> pa.Table:
    return pa.table([_plain(column) for column in rows.columns], names=rows.column_names)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_decimal(kind):
        if kind.scale == 0:
            try:
                return column.cast(pa.int64())
            except pa.ArrowInvalid:  # beyond 64 bits
                pass
        return column.cast(pa.float64())
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind):
        return column.cast(pa.float64())
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us"))
    return column
