"""The same shop in DuckDB, PostgreSQL and Spark: simulated, and with all that makes engines differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from workbench import Project
from workbench.simulate import HOME, simulate
from workbench.tables.schema import TABLES, conform

CUSTOMERS = 3_000
SURVEY = "Encuesta «ñ» 100 %"
RULES = {
    "regulares": "orders_12m >= 2 and revenue > 60",
    "recent": "days_since_last_order < 90 or average_order_value >= 70.5",
    "O'Brien": """country == "O'Brien" or country in ["back\\\\slash", "Ñuble"]""",
    "members": "member and age >= 30.5",
    "unknown": "country is None",
    "nobody": "visits > 1000000",
    "late": "signed_up >= '2025-07-01 00:00:00' and not (device == 'tablet')",
}
_MADRID = ZoneInfo("Europe/Madrid")


def shop_tables() -> dict[str, pa.Table]:
    """The tables of the shop."""
    made = simulate(customers=CUSTOMERS, seed=11, crossover_share=0.03, first_order_rate=0.12).tables
    tables = dict(made)
    tables["customers"] = _with_attributes(made["customers"])
    ids = tables["customers"]["customer_id"].to_pylist()
    tables["orders"] = _joined("orders", made["orders"], _odd_orders(ids, made["exposures"]))
    tables["exposures"] = _joined("exposures", made["exposures"], _survey_exposures(ids))
    tables["outcomes"] = conform(_outcomes(ids), TABLES["outcomes"])
    tables["summaries"] = conform(_summaries(), TABLES["summaries"])
    tables["consents"] = conform(_consents(ids), TABLES["consents"])
    tables["churn"] = conform(_churn(tables["customers"]), TABLES["churn"])
    return tables


def _joined(name: str, *parts: pa.Table) -> pa.Table:
    return pa.concat_tables([conform(part, TABLES[name]) for part in parts])


def _with_attributes(customers: pa.Table) -> pa.Table:
    """Text that needs quoting, gaps, and attributes of every type."""
    size, random = customers.num_rows, np.random.default_rng(5)
    country = customers["country"].to_pylist()
    odd = ["O'Brien", "back\\slash", "Ñuble", 'say "hi"', "100 %", "日本 🙂", "", None, "{curly}"]
    for index in range(0, size, 7):
        country[index] = odd[(index // 7) % len(odd)]
    missing = random.random(size) < 0.1
    columns = {
        "country": pa.array(country, pa.string()),
        "member": pa.array(random.random(size) < 0.4, pa.bool_(), mask=missing),
        "age": pa.array(np.round(random.uniform(18, 80, size) * 2) / 2, pa.float64(), mask=missing[::-1]),
        "children": pa.array(random.integers(0, 4, size) / 2, pa.float64(), mask=missing),
        "visits": pa.array(random.integers(0, 9, size), pa.int64()),
    }
    kept = customers.drop_columns([name for name in columns if name in customers.column_names])
    for name, values in columns.items():
        kept = kept.append_column(name, values)
    return conform(kept, TABLES["customers"])


def _churn(customers: pa.Table) -> pa.Table:
    """Some left after a while, one of them before they had signed up."""
    begun = [
        (one, at)
        for one, at in zip(
            customers["customer_id"].to_pylist(), customers["signed_up"].to_pylist(), strict=True
        )
        if at is not None
    ]
    lasted = np.random.default_rng(6).geometric(0.02, len(begun))
    gone = [
        (one, at + timedelta(days=int(days) - 1, hours=5))
        for (one, at), days in zip(begun, lasted, strict=True)
        if days < 90
    ]
    gone[0] = (gone[0][0], gone[0][1] - timedelta(days=400))
    return pa.table(
        {
            "customer_id": [one for one, _ in gone],
            "ts": pa.array([at for _, at in gone], pa.timestamp("us")),
            "reason": pa.nulls(len(gone), pa.string()),
        }
    )


def _odd_orders(ids: list[str], exposures: pa.Table) -> pa.Table:
    """Orders at edges: parts of seconds, changes of clocks, ends of windows, refunds, no amounts."""
    rows: list[dict[str, Any]] = []

    def add(customer: str, ts: datetime, revenue: float | None, refund: float | None = None) -> None:
        rows.append({"customer_id": customer, "ts": ts, "revenue": revenue, "refund": refund})

    edges = [
        datetime(2025, 3, 30, 2, 59, 59, 700_000, _MADRID),  # an hour that the clock leaps over
        datetime(2025, 3, 30, 3, 0, 0, 300_000, _MADRID),
        datetime(2025, 10, 26, 2, 30, 0, 0, _MADRID, fold=0),  # an hour that comes twice
        datetime(2025, 10, 26, 2, 30, 0, 0, _MADRID, fold=1),
        datetime(2025, 6, 30, 23, 59, 59, 999_999, _MADRID),  # midnights there and in UTC
        datetime(2025, 7, 1, 0, 0, 0, 1, _MADRID),
        datetime(2025, 6, 30, 23, 59, 59, 600_000, UTC),
        datetime(2025, 12, 31, 23, 59, 59, 500_000, UTC),
    ]
    for index, customer in enumerate(ids[:400]):
        ts = edges[index % len(edges)].astimezone(UTC).replace(tzinfo=None)
        add(customer, ts, 10.0 + index / 4, 0.0)
    for index, customer in enumerate(ids[400:480]):
        ts = datetime(2025, 8, 1) + timedelta(days=index)
        revenue, refund = [(50.0, 50.0), (50.0, 80.25), (0.0, 0.0), (None, None), (None, 5.0)][index % 5]
        add(customer, ts, revenue, refund)
    shown = exposures.filter(pa.compute.equal(exposures["experience_id"], HOME)).slice(0, 300).to_pylist()
    for index, row in enumerate(shown):  # the 14 days end with these parts of a second
        off = [-0.4, 0.0, 0.5, 0.6][index % 4]
        add(row["customer_id"], row["ts"] + timedelta(days=14, seconds=off), 33.33)
        add(row["customer_id"], row["ts"] + timedelta(seconds=-off), 21.5, 0.01)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    columns["ts"] = pa.array(columns["ts"], pa.timestamp("us"))
    return pa.table({"order_id": [f"odd {n}" for n in range(len(rows))], **columns})


def _survey_exposures(ids: list[str]) -> pa.Table:
    """An experiment whose file gave no times, with customers in two arms."""
    arms = ["A", "b", "Ç"]
    rows = [(customer, arms[index % 3]) for index, customer in enumerate(ids[:1500])]
    rows += [(customer, "A") for customer in ids[1:60:3]]
    return pa.table(
        {
            "customer_id": [row[0] for row in rows],
            "experience_id": [SURVEY] * len(rows),
            "variant": [row[1] for row in rows],
            "ts": pa.nulls(len(rows), pa.timestamp("us")),
            "assignment": ["random"] * len(rows),
        }
    )


def _outcomes(ids: list[str]) -> pa.Table:
    random = np.random.default_rng(6)
    people = ids[:1400]
    spent = [None if value > 0.95 else round(float(value) * 200 - 20, 2) for value in random.random(1400)]
    bought = [float(value < 0.3) for value in random.random(1400)]
    return pa.table(
        {
            "customer_id": people * 2,
            "experience_id": [SURVEY] * 2800,
            "name": ["gasto"] * 1400 + ["bought"] * 1400,
            "value": pa.array([*spent, *bought], pa.float64()),
        }
    )


def _summaries() -> pa.Table:
    return pa.table(
        {
            "experience_id": ["resumen"] * 4,
            "variant": ["control", "control", "new", "new"],
            "metric": ["conversion"] * 4,
            "kind": ["binary"] * 4,
            "n": pa.array([5_000_000_000, 900, 5_000_000_100, 1000], pa.int64()),
            "mean": [0.1, 0.2, 0.11, 0.21],
            "m2": [4.5e8, 144.0, 489_500_009.79, 165.9],
            "país": ["ES", "Perú", "ES", "Perú"],
        }
    )


def _consents(ids: list[str]) -> pa.Table:
    """Given, withdrawn and given again, some without a time."""
    rows = [(customer, True, datetime(2025, 1, 1)) for customer in ids[:2600]]
    rows += [(customer, False, datetime(2025, 8, 1, 12, 0, 0, 500_000)) for customer in ids[:300]]
    rows += [(customer, True, datetime(2025, 10, 26, 1, 30)) for customer in ids[:100]]
    rows += [(customer, False, None) for customer in ids[2500:2520]]
    return pa.table(
        {
            "customer_id": [row[0] for row in rows],
            "purpose": ["analysis"] * len(rows),
            "granted": [row[1] for row in rows],
            "ts": pa.array([row[2] for row in rows], pa.timestamp("us")),
        }
    )


def make_project(folder: Path, tables: dict[str, pa.Table]) -> Project:
    """A project of that shop on DuckDB."""
    project = Project.create(folder, timezone="Europe/Madrid")
    project.commit(tables)
    for name, rule in RULES.items():
        project.segments[name] = rule
    return project


def write_parquet(folder: Path, tables: dict[str, pa.Table]) -> None:
    """A file for each table, and for one of them a folder of files, as clusters write them."""
    for name, rows in tables.items():
        if name == "events":
            (folder / name).mkdir(parents=True)
            half = rows.num_rows // 2
            pq.write_table(rows.slice(0, half), folder / name / "part-00000.parquet")
            pq.write_table(rows.slice(half), folder / name / "part-00001.parquet")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, folder / f"{name}.parquet")


# --- PostgreSQL -----------------------------------------------------------------------------------------

_POSTGRES = {
    pa.string(): "text",
    pa.int64(): "bigint",
    pa.float64(): "double precision",
    pa.bool_(): "boolean",
    pa.timestamp("us"): "timestamp",
}
# Types that a shop's own database would have, where they are not those of the Parquet files.
_OWN_TYPES = {
    ("orders", "revenue"): "numeric(12,2)",
    ("orders", "refund"): "numeric",
    ("orders", "ts"): "timestamptz",
    ("customers", "country"): "varchar(40)",
    ("customers", "visits"): "integer",
    ("customers", "age"): "real",
}


def fill_postgres(owner: psycopg.Connection, tables: dict[str, pa.Table], reader: str) -> None:
    """The shop in a schema `shop` that `reader` may read; e-mail addresses and wages only its owner."""
    owner.execute("SET TimeZone = 'UTC'")
    owner.execute("CREATE SCHEMA shop")
    for name, rows in tables.items():
        place = sql.Identifier("shop", name)
        columns = [
            sql.SQL("{} {}").format(
                sql.Identifier(field.name), sql.SQL(_OWN_TYPES.get((name, field.name), _POSTGRES[field.type]))
            )
            for field in rows.schema
        ]
        owner.execute(sql.SQL("CREATE TABLE {} ({})").format(place, sql.SQL(", ").join(columns)))
        with owner.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(place)) as copy:
            for batch in rows.to_batches(max_chunksize=10_000):
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    copy.write_row(row)
    columns = sql.SQL(", ").join(map(sql.Identifier, tables["customers"].column_names))
    owner.execute("CREATE SCHEMA private")
    owner.execute("ALTER TABLE shop.customers SET SCHEMA private")
    owner.execute("ALTER TABLE private.customers ADD COLUMN email text")
    owner.execute(sql.SQL("CREATE VIEW shop.customers AS SELECT {} FROM private.customers").format(columns))
    owner.execute("CREATE TABLE shop.wages (employee text, wage numeric)")
    owner.execute("ANALYZE")
    user = sql.Identifier(reader)
    owner.execute(sql.SQL("GRANT USAGE ON SCHEMA shop TO {}").format(user))
    owner.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {}").format(user))
    owner.execute(sql.SQL("REVOKE SELECT ON shop.wages FROM {}").format(user))


# --- Spark's catalogue ----------------------------------------------------------------------------------


def fill_catalogue(spark: Any, folder: Path, tables: dict[str, pa.Table]) -> None:
    """A schema `shop` of views, with types of their own, over tables that lie in `folder`."""
    own = {
        ("orders", "revenue"): "DECIMAL(12,2)",
        ("orders", "ts"): "TIMESTAMP",
        ("customers", "visits"): "SMALLINT",
        ("customers", "age"): "FLOAT",
    }
    spark.sql("CREATE DATABASE shop")
    spark.sql("CREATE DATABASE raw")
    for name, rows in tables.items():
        place = folder / (name if name == "events" else f"{name}.parquet")
        spark.sql(f"CREATE TABLE raw.{name} USING parquet LOCATION '{place}'")
        columns = ", ".join(
            f"CAST(`{column}` AS {own[name, column]}) AS `{column}`"
            if (name, column) in own
            else f"`{column}`"
            for column in rows.column_names
        )
        spark.sql(f"CREATE VIEW shop.{name} AS SELECT {columns} FROM raw.{name}")
