"""Checks of the stored tables find what was put there to be found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from workbench.tables.check import table_checks
from workbench.tables.schema import TABLES, conform

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def checked(**tables: dict[str, Any]) -> dict[str, tuple[str, str]]:
    database = duckdb.connect()
    for name, rows in tables.items():
        database.register(name, conform(pa.table(rows), TABLES[name]))
    findings = table_checks(lambda sql: database.sql(sql).to_arrow_table(), list(tables), now=NOW)
    return {finding.name: (finding.status, str(finding.detail)) for finding in findings}


def orders(**changes: list[Any]) -> dict[str, Any]:
    return {
        "order_id": ["1", "2"],
        "customer_id": ["a", "b"],
        "ts": [datetime(2026, 1, 1, 23), datetime(2026, 1, 3, 1)],
        **changes,
    }


def test_sound_tables_pass() -> None:
    found = checked(customers={"customer_id": ["a", "b"]}, orders=orders())
    assert {status for status, _ in found.values()} == {"ok"}
    assert found["orders.coverage"][1] == "orders: from 1 Jan 2026 to 3 Jan 2026, 3 days."


def test_repeated_keys_fail() -> None:
    found = checked(orders=orders(order_id=["1", "1"]))
    assert found["orders.repeated"] == ("fail", "orders: values of order_id that stand in several rows: 1.")


def test_times_in_the_future_are_found() -> None:
    found = checked(orders=orders(ts=[datetime(2026, 5, 31, 23, 59, 59), datetime(2026, 6, 1, 0, 0, 1)]))
    assert found["orders.future"] == ("warn", "orders: rows in the future: 1.")


def test_orders_of_unknown_customers_are_counted_once_a_customer() -> None:
    found = checked(customers={"customer_id": ["a"]}, orders=orders(customer_id=["b", "b"]))
    assert found["orders.orphans"] == ("warn", "orders: customers who are not in the table customers: 1.")
    assert "orders.orphans" not in checked(orders=orders())


def test_customers_in_two_variants_of_one_experience_are_found() -> None:
    exposures = {
        "customer_id": ["a", "a", "b", "b"],
        "experience_id": ["home", "home", "home", "menu"],
        "variant": ["A", "B", "A", "B"],
    }
    found = checked(exposures=exposures)
    detail = "exposures: customers in more than one variant of an experience: 1."
    assert found["exposures.crossed"] == ("warn", detail)
    assert "exposures.coverage" not in found
