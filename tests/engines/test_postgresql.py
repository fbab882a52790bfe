"""PostgreSQL as it is met in companies: rights, passwords, types, lost connections, limits."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from tests.engines.servers import HERE, OWNER, OWNER_PASSWORD, READER_PASSWORD, Postgres
from workbench import Project
from workbench.engines import fetch, table
from workbench.engines.address import open_engine
from workbench.errors import DataError, ProjectError

pytestmark = pytest.mark.engines
DOCUMENT = Path(__file__).parents[2] / "docs" / "engines.md"


@pytest.fixture
def engine(postgres: Postgres) -> Iterator[Any]:
    found: Any = open_engine(postgres.address(schema="shop"))
    yield found
    found.close()


@pytest.fixture
def owner(postgres: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        host=HERE, port=postgres.port, user=OWNER, password=OWNER_PASSWORD, dbname="shop", autocommit=True
    ) as connection:
        yield connection


def test_tables_are_those_of_the_schema(engine: Any, tables: dict[str, pa.Table]) -> None:
    assert engine.tables() == sorted([*tables, "wages"])


def test_a_view_shows_only_what_it_holds(engine: Any, tables: dict[str, pa.Table]) -> None:
    assert list(engine.schema("customers").names) == tables["customers"].column_names


def test_types_are_few(engine: Any) -> None:
    rows = engine.query(
        """SELECT 1::smallint AS small, 2::int AS middle, 3::bigint AS big, 1.5::real AS single,
            0.1::float8 AS double, 12.50::numeric(8,2) AS money, 7::numeric(9,0) AS whole,
            sum(x) AS total, avg(x) AS mean, true AS yes, NULL::bool AS perhaps, 'ñ'::varchar(3) AS text,
            'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid AS id, '{"a": [1]}'::jsonb AS document,
            TIMESTAMP '2025-10-26 02:30:00.25' AS naive, DATE '2025-02-28' AS day,
            TIMESTAMPTZ '2025-10-26 02:30:00.25+02' AS aware, NULL::timestamptz AS never
        FROM (VALUES (9007199254740993::bigint), (2)) AS v (x)"""
    )
    assert {column.name: str(column.type) for column in rows.schema} == {
        "small": "int64",
        "middle": "int64",
        "big": "int64",
        "single": "double",
        "double": "double",
        "money": "double",
        "whole": "int64",
        "total": "int64",
        "mean": "double",
        "yes": "bool",
        "perhaps": "bool",
        "text": "string",
        "id": "string",
        "document": "string",
        "naive": "timestamp[us]",
        "day": "date32[day]",
        "aware": "timestamp[us]",
        "never": "timestamp[us]",
    }
    [row] = rows.to_pylist()
    assert row["total"] == 9007199254740995  # not a number that float64 has
    assert row["double"] == 0.1
    assert row["naive"] == dt.datetime(2025, 10, 26, 2, 30, 0, 250_000)
    assert row["aware"] == dt.datetime(2025, 10, 26, 0, 30, 0, 250_000)
    assert (row["id"], row["document"]) == ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", '{"a": [1]}')


def test_an_answer_without_rows_keeps_its_columns(engine: Any) -> None:
    rows = engine.query("SELECT customer_id, sum(revenue) AS s FROM orders WHERE false GROUP BY 1;")
    assert rows.num_rows == 0
    assert [str(kind) for kind in rows.schema.types] == ["string", "double"]


def test_large_answers_arrive_whole(engine: Any) -> None:
    rows = engine.query("SELECT n, 'x' || n AS name, n / 4.0 AS part FROM generate_series(1, 54321) AS s (n)")
    assert (rows.num_rows, pa.compute.sum(rows["n"]).as_py()) == (54321, 54321 * 54322 // 2)
    assert rows["name"][-1].as_py() == "x54321"
    assert rows["part"][2].as_py() == 0.75


def test_numbers_beyond_64_bits_become_floats(engine: Any) -> None:
    [row] = engine.query("SELECT 9223372036854775808::numeric AS big, 'NaN'::numeric AS none").to_pylist()
    assert row["big"] == 2.0**63
    assert row["none"] != row["none"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM orders",
        "CREATE TABLE mine (x int)",
        "SELECT 1; DELETE FROM orders",
        "SET TRANSACTION READ WRITE; DELETE FROM orders",
        "WITH gone AS (DELETE FROM orders RETURNING 1) SELECT * FROM gone",
    ],
)
def test_nothing_is_written_even_by_an_owner(
    postgres: Postgres, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", OWNER_PASSWORD)
    engine: Any = open_engine(postgres.address(user=OWNER, schema="shop"))
    count = "SELECT count(*) AS n FROM orders"
    before = engine.query(count).to_pylist()
    with pytest.raises(DataError, match=r"read-only|multiple commands"):
        engine.query(statement)
    assert engine.query(count).to_pylist() == before
    engine.close()


def test_nothing_that_a_query_sets_outlives_it(engine: Any) -> None:
    for name, value in {"default_transaction_read_only": "off", "TimeZone": "Asia/Tokyo"}.items():
        engine.query(f"SELECT set_config('{name}', '{value}', false)")
    [row] = engine.query(
        "SELECT current_setting('transaction_read_only') AS fixed, current_setting('TimeZone') AS zone"
    ).to_pylist()
    assert row == {"fixed": "on", "zone": "UTC"}


def test_what_may_not_be_read_is_one_sentence(engine: Any) -> None:
    with pytest.raises(DataError, match=r"permission denied for table wages; ask the owner to GRANT SELECT"):
        engine.schema("wages")
    with pytest.raises(DataError, match=r"permission denied for schema private; ask the owner"):
        engine.query("SELECT email FROM private.customers")


def test_what_is_not_there_is_named_with_what_is(engine: Any, postgres: Postgres) -> None:
    with pytest.raises(DataError, match=r"no table leads in postgresql://reader@.*; there are: churn, "):
        engine.schema("leads")
    with pytest.raises(DataError, match=r"refuses the query: column \"nothing\" does not exist\."):
        engine.query("SELECT nothing FROM orders")
    with pytest.raises(DataError, match=r"refuses the query: syntax error at or near \"ELECT\"\."):
        engine.query("ELECT 1")
    with pytest.raises(ProjectError, match=r"no schema sales in .*; there are: .*shop"):
        open_engine(postgres.address(schema="sales")).tables()
    with pytest.raises(DataError, match=r"/none did not let us in: .*database \"none\" does not exist"):
        open_engine(postgres.address(database="none")).tables()


def test_a_wrong_password_is_not_repeated(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    with pytest.raises(
        DataError, match=r"did not let us in: .*; the password is that of PGPASSWORD"
    ) as caught:
        open_engine(postgres.address()).tables()
    assert "hunter2" not in str(caught.value)


def test_no_password_says_where_to_put_it(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/nowhere")
    with pytest.raises(DataError, match=r"wants a password; set PGPASSWORD, or put it into ~/\.pgpass\."):
        open_engine(postgres.address()).tables()


def test_a_service_file_names_the_server(
    postgres: Postgres, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "services"
    file.write_text(f"[sales]\nhost={HERE}\nport={postgres.port}\nuser=reader\npassword={READER_PASSWORD}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    engine: Any = open_engine("postgresql:///shop?service=sales&schema=shop")
    assert "orders" in engine.tables()
    engine.close()


def test_unknown_parameters_are_refused(postgres: Postgres) -> None:
    with pytest.raises(ProjectError, match=r"parameters is not one that PostgreSQL knows"):
        open_engine(postgres.address(colour="red")).tables()


def test_a_query_that_takes_too_long_is_stopped(postgres: Postgres) -> None:
    engine: Any = open_engine(postgres.address(timeout="1"))
    with pytest.raises(DataError, match=r"stopped the query: .*statement timeout; .*\?timeout=seconds"):
        engine.query("SELECT pg_sleep(30)")
    assert engine.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    engine.close()


def test_a_lost_connection_is_opened_again(engine: Any, owner: psycopg.Connection) -> None:
    [row] = engine.query("SELECT pg_backend_pid() AS pid").to_pylist()
    owner.execute("SELECT pg_terminate_backend(%s)", [row["pid"]])
    [again] = engine.query("SELECT pg_backend_pid() AS pid, current_setting('TimeZone') AS zone").to_pylist()
    assert again["pid"] != row["pid"]
    assert again["zone"] == "UTC"


def test_a_restarted_server_is_found_again_and_a_stopped_one_is_one_sentence(
    engine: Any, postgres: Postgres
) -> None:
    assert "orders" in engine.tables()
    postgres.stop()
    with pytest.raises(DataError, match=r"cannot be reached: .*Connection refused"):
        engine.tables()
    postgres.start()
    assert "orders" in engine.tables()


OWN_TABLES = """
    CREATE SCHEMA crm; CREATE SCHEMA sales; CREATE SCHEMA tests;
    CREATE TYPE crm.device AS ENUM ('mobile', 'desktop');
    CREATE TABLE crm.people (id uuid, country text, device crm.device, created_at timestamptz, email text);
    INSERT INTO crm.people
        SELECT md5(n::text)::uuid, 'ES', (ARRAY['mobile', 'desktop'])[n / 2 % 2 + 1]::crm.device, '2025-01-01'
        FROM generate_series(1, 400) AS s (n);
    CREATE TABLE tests.home (person_id uuid, arm text, shown_at timestamptz);
    INSERT INTO tests.home
        SELECT id, (ARRAY['control', 'new'])[row_number() OVER () % 2 + 1], '2025-02-01 10:00+01'
        FROM crm.people;
    CREATE TABLE sales.orders
        (number bigint, person_id uuid, paid_at timestamptz, total numeric(9,2), refunded numeric(9,2));
    INSERT INTO sales.orders
        SELECT row_number() OVER (), person_id, shown_at + interval '1 day', 20.5, 0.5
        FROM (SELECT * FROM tests.home WHERE arm = 'new' LIMIT 100) AS buyers;
    INSERT INTO sales.orders SELECT 999, id, '2025-04-01', 9, 0 FROM crm.people LIMIT 1"""


def test_the_documented_views_and_rights_are_enough(
    postgres: Postgres, owner: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views, rights, writing = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    for statement in (OWN_TABLES, views, rights, writing, "ALTER ROLE workbench PASSWORD 'x'"):
        owner.execute(statement)
    monkeypatch.setenv("PGPASSWORD", "x")
    Project.create(tmp_path / "project")
    settings = tmp_path / "project" / "project.toml"
    address = postgres.address(user="workbench", schema="workbench")
    settings.write_text(settings.read_text().replace('engine = "duckdb"', f'engine = "{address}"'))
    project = Project.open(tmp_path / "project")
    record = project.effect("home", "conversion", by="device")
    assert {(arm.arm, arm.n, arm.total) for arm in record.summary.arms} == {
        ("control", 200, 0.0),
        ("new", 200, 100.0),
    }
    assert {item.segment for item in record.summary.comparisons} == {None, "mobile", "desktop"}
    engine: Any = project.everything
    with pytest.raises(DataError, match="permission denied for schema crm"):
        engine.query("SELECT email FROM crm.people")
    ids = engine.query("SELECT customer_id, 0.5::float8 AS alive FROM customers")
    engine.write("marketing.scores", "customers", iter([ids]), "of all")
    assert engine.query("SELECT * FROM marketing.scores").num_rows == ids.num_rows > 0
    engine.close()


def test_text_is_compared_as_the_database_does(engine: Any) -> None:
    """A database with the C collation, as many have, does not know that Ñ is the capital of ñ."""
    [row] = engine.query("SELECT lower('Ñu') AS low").to_pylist()
    assert row["low"] == "Ñu"


def test_words_with_any_sign_find_their_rows(engine: Any, tables: dict[str, pa.Table]) -> None:
    customers = table(engine, "customers")
    countries = tables["customers"]["country"].to_pylist()
    for word in ("O'Brien", "back\\slash", "100 %", 'say "hi"', "日本 🙂", ""):
        found = customers.filter(customers.country == word)
        [row] = fetch(engine, found.aggregate(n=found.count()))
        assert row["n"] == countries.count(word) > 0


def test_values_that_arrow_has_not_are_one_sentence(engine: Any) -> None:
    with pytest.raises(DataError, match=r"column last of the answer holds a value that cannot be read"):
        engine.query("SELECT 'infinity'::timestamp AS last")
