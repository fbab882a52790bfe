"""Large tables, made by DuckDB piece by piece, the same on every run.

Customers differ much in activity (log-normal), visit through 120 days with several events a visit, and order
through two years, two lines an order; six in ten are put into one of three arms within 60 days. A project's
parts are laid out as the workbench writes them: sorted by customer and time.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

END = 1_780_000_000  # seconds since 1970
DAY = 86_400
WINDOW_DAYS = 14
_FORMAT = "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
_ORDER = "(i * 4096 + k)"  # numbers that tell a customer's orders, visits and events apart
_EVENT = f"({_ORDER} * 1024 + e)"


@dataclass(frozen=True)
class Size:
    """How many customers, events and orders, about, and in how many parts."""

    customers: int
    events: int
    orders: int
    parts: int


SIZES = {
    "small": Size(1_000_000, 10_000_000, 3_000_000, 2),
    "large": Size(5_000_000, 100_000_000, 15_000_000, 20),
}


def make(folder: Path, size: Size) -> None:
    """Write the parts of all tables into `folder`, and `tables.json` beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    database = duckdb.connect(
        ":memory:", config={"memory_limit": "3GB", "temp_directory": str(folder / "spill")}
    )
    database.execute("SET TimeZone = 'UTC'")
    database.execute(
        f"""CREATE TABLE c AS SELECT
            (hash(i * 64) >> 1)::BIGINT AS customer_id, i::BIGINT AS i,
            exp({_normal("i", 1)} - 0.5) AS activity,
            floor(25 * pow({_uniform("i", 3)}, 2))::INT AS country,
            floor(3 * sqrt({_uniform("i", 4)}))::INT AS segment,
            {_uniform("i", 5)} AS exposed, floor(3 * {_uniform("i", 6)})::INT AS arm,
            {END} - 105 * {DAY} + floor(60 * {DAY} * {_uniform("i", 8)})::BIGINT AS as_of
        FROM range({size.customers}) r(i) ORDER BY customer_id"""
    )
    parts: dict[str, list[Path]] = {
        "customers": [],
        "exposures": [],
        "orders": [],
        "order_items": [],
        "events": [],
    }

    def copy(table: str, sql: str) -> None:
        place = folder / f"{table}-{len(parts[table]):02d}.parquet"
        database.execute(f"COPY ({sql}) TO '{place}' {_FORMAT}")
        parts[table].append(place)

    copy("customers", _CUSTOMERS)
    copy("exposures", _EXPOSURES)
    for index in range(size.parts):
        low, high = (2**63 * (index + end) // size.parts for end in (0, 1))
        database.execute(
            f"CREATE OR REPLACE TABLE portion AS FROM c WHERE customer_id BETWEEN {low} AND {high - 1}"
        )
        copy("orders", _orders(size.orders / size.customers))
        copy("order_items", _lines(parts["orders"][-1]))
        copy("events", _events(size.events / size.customers / 5))
    database.close()
    write_manifest(folder, parts)


def _uniform(number: str, salt: int) -> str:
    """SQL for a number above 0 and below 1 that depends on these and nothing else."""
    return f"(((hash({number} * 64 + {salt}) >> 12)::DOUBLE + 0.5) / 4503599627370496)"


def _normal(number: str, salt: int) -> str:
    one, other = _uniform(number, salt), _uniform(number, salt + 1)
    return f"(sqrt(-2 * ln({one})) * cos(2 * pi() * {other}))"


def _time(seconds: str) -> str:
    return f"make_timestamp(({seconds}) * 1000000)"


_CUSTOMERS = f"""SELECT customer_id, 'country ' || lpad(country::VARCHAR, 2, '0') AS country,
    ['new', 'regular', 'vip'][segment + 1] AS segment,
    ['desktop', 'mobile', 'tablet'][1 + floor(3 * {_uniform("i", 9)})::INT] AS device,
    ['ads', 'direct', 'email', 'search', 'social'][1 + floor(5 * {_uniform("i", 10)})::INT] AS source
    FROM c"""
_EXPOSURES = f"""SELECT customer_id, 'home' AS experience_id,
    ['control', 'personal', 'popular'][arm + 1] AS variant, {_time("as_of")} AS ts,
    'random' AS assignment, 1 / 3 AS p_assign FROM c WHERE exposed < 0.6"""


def _orders(each: float) -> str:
    """Orders of the customers in `portion`: log-normal amounts, one in 25 returned."""
    when = f"{END} - 1 - floor(730 * {DAY} * {_uniform(_ORDER, 12)})::BIGINT"
    return f"""SELECT (hash({_ORDER} * 64 + 11) >> 1)::VARCHAR AS order_id, customer_id, {_time(when)} AS ts,
        round(exp(3.5 + 0.6 * {_normal(_ORDER, 13)}), 2) AS revenue,
        CASE WHEN {_uniform(_ORDER, 15)} < 0.04 THEN revenue ELSE 0.0 END AS refund
        FROM (SELECT *, unnest(range(floor({each} * activity + {_uniform("i", 16)})::BIGINT)) AS k
            FROM portion)
        ORDER BY customer_id, ts"""


def _lines(orders: Path) -> str:
    """Lines of the orders in a part, one to three of equal amounts each, which add up to the revenue."""
    return f"""SELECT order_id, 'sku ' || (hash(order_id || line) % 5000) AS sku,
        (1 + hash(line || order_id) % 3)::DOUBLE AS quantity, revenue / lines / quantity AS price
        FROM (SELECT *, 1 + hash(order_id) % 3 AS lines, unnest(range(lines::BIGINT)) AS line
            FROM '{orders}')"""


def _events(visits: float) -> str:
    """Events of the customers in `portion`: visits of five events on average, seconds apart."""
    begin = f"{END} - 3600 - floor(120 * {DAY} * {_uniform(_ORDER, 20)})::BIGINT"
    when = f"begin + e * (15 + floor(50 * {_uniform(_EVENT, 17)})::BIGINT)"
    return f"""SELECT customer_id, to_hex(visit) AS session_id, {_time(when)} AS ts,
        CASE WHEN n < 0.62 THEN 'view' WHEN n < 0.87 THEN 'click' WHEN n < 0.95 THEN 'search'
            WHEN n < 0.985 THEN 'add_to_cart' ELSE 'checkout' END AS name
        FROM (SELECT *, {_uniform(_EVENT, 19)} AS n FROM (
            SELECT customer_id, i, k, hash({_ORDER}) AS visit, {begin} AS begin,
                unnest(range(1 + floor(-4.481 * ln({_uniform(_ORDER, 21)}))::BIGINT)) AS e
            FROM (SELECT *, unnest(range(floor({visits} * activity + {_uniform("i", 22)})::BIGINT)) AS k
                FROM portion)))
        ORDER BY customer_id, ts"""


def write_manifest(folder: Path, parts: dict[str, list[Path]]) -> None:
    """What a project's `tables.json` says of these parts."""
    manifest = {}
    for table, places in parts.items():
        found = []
        for place in places:
            rows = duckdb.sql(f"SELECT count(*) FROM '{place}'").fetchall()[0][0]
            with place.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found.append({"file": place.name, "rows": rows, "sha256": digest})
        whole = hashlib.sha256("\n".join(part["sha256"] for part in found).encode()).hexdigest()
        rows = sum(part["rows"] for part in found)
        manifest[table] = {"parts": found, "rows": rows, "sha256": whole, "sources": ["tools.bench"]}
    (folder.parent / "tables.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]), SIZES[sys.argv[2]])
