"""Scores in a table of PostgreSQL: replaced at once, never over somebody else's, and erased from."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tomli_w

from tests.engines.servers import HERE, OWNER, OWNER_PASSWORD, READER, Postgres
from workbench import Project
from workbench.engines import spark
from workbench.engines.address import open_engine
from workbench.errors import DataError, WorkbenchError

pytestmark = pytest.mark.engines
SCHEMA = "campaigns"


@pytest.fixture
def owner(postgres: Postgres) -> Iterator[psycopg.Connection]:
    """The owner, with a schema in which the role of the project may make tables."""
    with psycopg.connect(
        host=HERE, port=postgres.port, user=OWNER, password=OWNER_PASSWORD, dbname="shop", autocommit=True
    ) as connection:
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        connection.execute(f"GRANT USAGE, CREATE ON SCHEMA {SCHEMA} TO {READER}")
        yield connection
        connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


@pytest.fixture
def away(postgres: Postgres, shop: Project, tmp_path: Path) -> Iterator[Project]:
    """The shop's project with its tables in PostgreSQL."""
    folder = tmp_path / "away"
    shutil.copytree(shop.path, folder, ignore=shutil.ignore_patterns("tables", "tables.json", "cache"))
    address = postgres.address(schema="shop")
    settings = {**shop.settings.model_dump(exclude_none=True), "engine": address}
    (folder / "project.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
    project = Project.open(folder)
    yield project
    project.everything.close()  # type: ignore[attr-defined]


def rows_in(connection: psycopg.Connection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def test_the_table_holds_what_a_file_does(away: Project, owner: psycopg.Connection, tmp_path: Path) -> None:
    away.scores(tmp_path / "scores.parquet", margin=0.3)
    told = away.scores(table=f"{SCHEMA}.scores", margin=0.3)
    file = pq.read_table(tmp_path / "scores.parquet").to_pylist()
    rows = rows_in(owner, f"SELECT * FROM {SCHEMA}.scores ORDER BY customer_id")
    assert told.customers == len(rows) == len(file)
    assert rows == sorted(tuple(row.values()) for row in file)
    kinds = "SELECT pg_typeof(customer_id) FROM {} LIMIT 1"
    assert rows_in(owner, kinds.format("shop.orders")) == rows_in(owner, kinds.format(f"{SCHEMA}.scores"))


def test_others_see_the_old_rows_until_all_new_ones_are_there(
    away: Project, owner: psycopg.Connection
) -> None:
    """Views on the table and rights to it stay; what is stopped changes nothing."""
    away.scores(table=f"{SCHEMA}.scores", margin=1.0)
    owner.execute(f"CREATE VIEW {SCHEMA}.best AS SELECT max(value) AS value FROM {SCHEMA}.scores")
    before = rows_in(owner, f"SELECT value FROM {SCHEMA}.best")
    seen: list[Any] = []
    away.scores(
        table=f"{SCHEMA}.scores",
        margin=0.5,
        progress=lambda _: seen.append(rows_in(owner, f"SELECT value FROM {SCHEMA}.best")),
    )
    after = rows_in(owner, f"SELECT value FROM {SCHEMA}.best")
    assert set(map(str, seen)) == {str(before)}
    assert after[0][0] == pytest.approx(before[0][0] / 2)

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        away.scores(table=f"{SCHEMA}.scores", progress=stop)
    assert rows_in(owner, f"SELECT value FROM {SCHEMA}.best") == after


def test_no_other_table_is_touched(away: Project, owner: psycopg.Connection) -> None:
    owner.execute(f"CREATE TABLE {SCHEMA}.scores AS SELECT 1 AS customer_id")
    owner.execute(f"ALTER TABLE {SCHEMA}.scores OWNER TO {READER}")
    with pytest.raises(DataError, match="not made here"):
        away.scores(table=f"{SCHEMA}.scores")
    assert rows_in(owner, f"SELECT * FROM {SCHEMA}.scores") == [(1,)]
    for name in ("orders", f"{SCHEMA}.orders"):
        with pytest.raises(WorkbenchError, match="read"):
            away.scores(table=name)
    with pytest.raises(DataError, match=r"does not let the table shop\.scores be written: .*GRANT CREATE"):
        away.scores(table="shop.scores")
    assert away.people.scores.names() == []


def test_whoever_is_erased_is_deleted_there(away: Project, owner: psycopg.Connection) -> None:
    away.scores(table=f"{SCHEMA}.scores")
    rows = rows_in(owner, f"SELECT customer_id FROM {SCHEMA}.scores ORDER BY 1 LIMIT 2")
    one, other = (str(row[0]) for row in rows)
    assert away.people.erase(one) == {f"{SCHEMA}.scores": 1}
    left = {str(row[0]) for row in rows_in(owner, f"SELECT customer_id FROM {SCHEMA}.scores")}
    assert one not in left
    assert other in left
    owner.execute(f"ALTER TABLE {SCHEMA}.scores OWNER TO {OWNER}")
    with pytest.raises(DataError, match="does not let the table"):
        away.people.erase(other)
    owner.execute(f"DROP TABLE {SCHEMA}.scores")
    assert away.people.erase(other) == {}


def test_rows_arrive_some_at_a_time(postgres: Postgres) -> None:
    """Of one type from the first to the last, while other questions are answered."""
    engine: Any = open_engine(postgres.address(schema="shop"))
    numbers = "generate_series(1, 250000) AS s (n)"
    sql = f"SELECT n, (n / 4.0)::numeric(12, 2) AS money, 'ñ' || n AS text FROM {numbers}"
    parts = []
    for part in engine.batches(sql):
        parts.append(part)
        assert engine.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    assert [part.num_rows for part in parts] == [100_000, 100_000, 50_000]
    whole = pa.concat_tables(parts)
    assert whole.equals(engine.query(sql).cast(whole.schema).combine_chunks())
    with pytest.raises(DataError, match="refuses the query"):
        next(engine.batches("SELECT 1 / 0 AS n"))
    engine.close()


def test_spark_is_read_some_at_a_time_and_never_written(
    shop: Project, parquet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times are in UTC wherever this computer is."""
    address = f"spark+local?tables={parquet}&spark.sql.shuffle.partitions=2"
    engine: Any = open_engine(address)
    sql = "SELECT customer_id, ts, revenue, count(*) OVER (PARTITION BY customer_id) AS n FROM orders"
    monkeypatch.setenv("TZ", "America/Bogota")
    time.tzset()
    monkeypatch.setattr(spark, "_ROWS_AT_ONCE", 1000)
    parts = list(engine.batches(sql))
    assert len(parts) > 2
    order = [(name, "ascending") for name in ("customer_id", "ts", "revenue")]
    rows = pa.concat_tables(parts).sort_by(order).combine_chunks()
    whole = engine.query(sql).sort_by(order).combine_chunks()
    assert rows.to_pylist() == whole.to_pylist()
    project = Project.create(tmp_path / "there")
    project.change(engine=address)
    with pytest.raises(DataError, match="only reads tables"):
        project.scores(table="scores")
    engine.close()
    monkeypatch.undo()
    time.tzset()
