"""Servers of our own and the shop in each of them.

These tests start PostgreSQL and Spark and are left out unless they are asked for: `make test-engines`, which
runs `pytest -m engines tests/engines`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from tests.engines import servers
from tests.engines.servers import OWNER, OWNER_PASSWORD, READER, READER_PASSWORD, Postgres
from tests.engines.shop import fill_catalogue, fill_postgres, make_project, shop_tables, write_parquet
from workbench import Project


@pytest.fixture(scope="session", autouse=True)
def quick_java() -> Iterator[None]:
    """The Spark in this process starts as the servers do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", servers.QUICK_JAVA)
        yield


@pytest.fixture(scope="session")
def tables() -> dict[str, pa.Table]:
    return shop_tables()


@pytest.fixture(scope="session")
def shop(tables: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The shop on DuckDB, which the others are held against."""
    return make_project(tmp_path_factory.mktemp("shop") / "project", tables)


@pytest.fixture(scope="session")
def parquet(tables: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files") / "tienda año 1"
    write_parquet(folder, tables)
    return folder


@pytest.fixture(scope="session")
def postgres(tables: dict[str, pa.Table]) -> Iterator[Postgres]:
    """PostgreSQL with the shop, whose passwords are where its programs look for them."""
    with servers.postgres() as server, pytest.MonkeyPatch.context() as patch:
        place = {"host": servers.HERE, "port": server.port, "user": OWNER, "password": OWNER_PASSWORD}
        with psycopg.connect(**place, dbname="postgres", autocommit=True) as owner:  # type: ignore[arg-type]
            owner.execute("CREATE DATABASE shop")
            owner.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(READER), sql.Literal(READER_PASSWORD)
                )
            )
            # what an administrator may have set for a role must not change a number
            owner.execute(f"ALTER ROLE {READER} SET TimeZone = 'America/Bogota'")
            owner.execute(f"ALTER ROLE {READER} SET DateStyle = 'German'")
            owner.execute(f"ALTER ROLE {READER} SET extra_float_digits = 0")
        with psycopg.connect(**place, dbname="shop", autocommit=True) as owner:  # type: ignore[arg-type]
            fill_postgres(owner, tables, READER)
        passfile = server.sockets / "pgpass"
        escaped = READER_PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
        passfile.write_text(f"{servers.HERE}:{server.port}:*:{READER}:{escaped}\n", encoding="utf-8")
        passfile.chmod(0o600)
        patch.setenv("PGPASSFILE", str(passfile))
        patch.delenv("PGPASSWORD", raising=False)
        yield server


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """A standalone Spark cluster: a master and two workers of one core."""
    with servers.spark_master() as place, servers.spark_workers(place, 2):
        yield place


@pytest.fixture(scope="session")
def connect_server(tables: dict[str, pa.Table], parquet: Path) -> Iterator[str]:
    """A Spark Connect server with the shop in its catalogue."""
    from pyspark.sql.connect.session import SparkSession

    with servers.connect_server() as place:
        spark = SparkSession(f"sc://{place}")
        spark.conf.set("spark.sql.session.timeZone", "UTC")  # a view keeps the zone it was made in
        fill_catalogue(spark, parquet, tables)
        spark.stop()
        yield place
