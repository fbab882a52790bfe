"""Spark as it is met in companies: catalogues, folders of Parquet, workers and servers that go away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.engines import servers
from workbench.engines import fetch, spark, table
from workbench.engines.address import open_engine
from workbench.errors import DataError, ProjectError

pytestmark = pytest.mark.engines
SMALL = "spark.sql.shuffle.partitions=2&spark.executor.memory=512m"


@pytest.fixture(scope="module")
def engine(parquet: Path) -> Iterator[Any]:
    """Spark in this process, with the shop's folder."""
    found: Any = open_engine(f"spark+local?tables={parquet}&{SMALL}&spark.sql.session.timeZone=Asia/Tokyo")
    yield found
    found.close()


def test_files_and_folders_are_tables(engine: Any, tables: dict[str, pa.Table]) -> None:
    assert engine.tables() == sorted(tables)
    [row] = engine.query("SELECT count(*) AS n FROM events").to_pylist()
    assert row["n"] == tables["events"].num_rows


def test_types_are_few(engine: Any) -> None:
    rows = engine.query(
        """SELECT CAST(1 AS TINYINT) AS small, 2 AS middle, CAST(1.5 AS FLOAT) AS single, 12.50 AS money,
            sum(x) AS total, CAST(7 AS DECIMAL(30, 0)) AS whole, true AS yes, 'ñ' AS text,
            TIMESTAMP_NTZ '2025-10-26 02:30:00.25' AS naive, DATE '2025-02-28' AS day,
            TIMESTAMP '2025-10-26 02:30:00.25+02:00' AS aware, CAST(NULL AS STRING) AS never
        FROM VALUES (9007199254740993), (2) AS v (x)"""
    )
    assert {column.name: str(column.type) for column in rows.schema} == {
        "small": "int64",
        "middle": "int64",
        "single": "double",
        "money": "double",
        "total": "int64",
        "whole": "int64",
        "yes": "bool",
        "text": "string",
        "naive": "timestamp[us]",
        "day": "date32[day]",
        "aware": "timestamp[us]",
        "never": "string",
    }
    [row] = rows.to_pylist()
    assert row["total"] == 9007199254740995  # not a number that float64 has
    assert row["naive"] == dt.datetime(2025, 10, 26, 2, 30, 0, 250_000)
    assert row["aware"] == dt.datetime(2025, 10, 26, 0, 30, 0, 250_000)  # in UTC, whatever was asked for


def test_words_with_any_sign_find_their_rows(engine: Any, tables: dict[str, pa.Table]) -> None:
    customers = table(engine, "customers")
    countries = tables["customers"]["country"].to_pylist()
    for word in ("O'Brien", "back\\slash", "100 %", 'say "hi"', "日本 🙂", ""):
        found = customers.filter(customers.country == word)
        [row] = fetch(engine, found.aggregate(n=found.count()))
        assert row["n"] == countries.count(word) > 0


def test_nothing_is_written(engine: Any) -> None:
    for statement in ("DROP VIEW orders", "CREATE TABLE mine (x INT)", "INSERT INTO orders VALUES (1)"):
        with pytest.raises(DataError, match=r"refuses the query: Syntax error"):
            engine.query(statement)
    assert "orders" in engine.tables()


def test_what_goes_wrong_is_one_sentence(engine: Any) -> None:
    with pytest.raises(DataError, match=r"no table leads in spark\+local; there are: churn, consents, "):
        engine.schema("leads")
    with pytest.raises(
        DataError, match=r"refuses the query: .*column.*`nothing` cannot be resolved"
    ) as caught:
        engine.query("SELECT nothing FROM orders")
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"refuses the query: Division by zero"):
        engine.query("SELECT 1 / (id - id) FROM range(3)")
    with pytest.raises(DataError, match=r"sees no folder of tables /nowhere\."):
        open_engine("spark+local?tables=/nowhere").tables()
    with pytest.raises(ProjectError, match=r"no schema sales in spark\+local; there are: default\."):
        open_engine("spark+local?schema=sales").tables()
    with pytest.raises(
        ProjectError, match=r"no catalog lake in spark\+local; .* spark\.sql\.catalog\.lake\."
    ):
        open_engine("spark+local?catalog=lake").tables()
    with pytest.raises(
        DataError, match=r"uses the Spark local\[\*\] already, and one program can use only one"
    ):
        open_engine("spark+local?spark.master=local[1]").tables()


def test_changed_files_are_seen(tmp_path: Path, engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine.tables()  # the same Spark is used by another project
    monkeypatch.setattr(spark, "_FRESH_SECONDS", 0.0)
    mine: Any = open_engine(f"spark+local?tables=file:{tmp_path}")
    assert mine.tables() == []
    pq.write_table(pa.table({"x": [1]}), tmp_path / "leads.parquet")
    assert mine.query("SELECT * FROM leads").to_pydict() == {"x": [1]}
    pq.write_table(pa.table({"x": [1, 2], "y": ["a", "b"]}), tmp_path / "leads.parquet")
    assert mine.query("SELECT * FROM leads").to_pydict() == {"x": [1, 2], "y": ["a", "b"]}
    (tmp_path / "leads.parquet").unlink()
    assert mine.tables() == []
    assert "leads" not in engine.tables()


def test_workers_and_masters_that_go_away(
    engine: Any, parquet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.close()  # one program has one Spark
    with servers.spark_master() as place:
        found: Any = open_engine(f"spark://{place}?tables={parquet}&{SMALL}")
        monkeypatch.setattr(spark, "_WORKER_SECONDS", 2.0)
        with pytest.raises(DataError, match=r"has no free worker; .*spark\.executor\.memory"):
            found.tables()
        monkeypatch.undo()
        with servers.spark_workers(place, 1):
            assert found.query("SELECT count(*) AS n FROM orders").num_rows == 1
    with pytest.raises(DataError, match=r"spark://127\.0\.0\.1:\d+ cannot be reached: Connection refused"):
        found.query("SELECT count(*) AS n FROM orders")
    found.close()


def test_a_session_that_a_connect_server_has_ended_is_begun_again(connect_server: str) -> None:
    from pyspark.sql.connect.session import SparkSession

    found: Any = open_engine(f"sc://{connect_server}?schema=shop")
    assert "orders" in found.tables()
    assert str(found.schema("orders")["revenue"]) == "float64"
    session = found._spark.session_id
    SparkSession(f"sc://{connect_server}/;session_id={session}").stop()
    [row] = found.query("SELECT current_timezone() AS zone, current_schema() AS place").to_pylist()
    assert row == {"zone": "UTC", "place": "shop"}
    assert found._spark.session_id != session
    found.close()


def test_a_connect_server_that_is_not_there_is_one_sentence() -> None:
    address = f"sc://127.0.0.1:{servers.free_port()}/;token=hunter2?schema=shop"
    with pytest.raises(DataError, match=r"^sc://127\.0\.0\.1:\d+ cannot be reached: .*refused") as caught:
        open_engine(address).tables()
    assert "hunter2" not in str(caught.value)
