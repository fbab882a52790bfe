"""Recency, frequency and money: scores by hand, by counting everybody, and on every engine."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
import sqlglot

from workbench import Project
from workbench.clock import day_number, offsets
from workbench.engines import fetch, span, table
from workbench.metrics import rfm
from workbench.metrics.cells import ask

START = datetime(2026, 1, 1, 12)


def shop(folder: Path, orders: list[tuple[int, int, float]]) -> Project:
    """A project of orders: customer, day, revenue."""
    project = Project.create(folder)
    project.commit(
        {
            "orders": pa.table(
                {
                    "order_id": [str(n) for n in range(len(orders))],
                    "customer_id": pa.array([row[0] for row in orders], pa.int64()),
                    "ts": pa.array([START + timedelta(days=row[1]) for row in orders], pa.timestamp("us")),
                    "revenue": [float(row[2]) for row in orders],
                }
            )
        }
    )
    return project


def customers(project: Project) -> Any:
    seconds = span(project.engine, "orders")
    assert seconds is not None
    clock = offsets("UTC", *seconds)
    return rfm.customers(table(project.engine, "orders"), clock=clock, end_day=day_number(seconds[1], "UTC"))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Customers most of whom bought once, at few prices: ties everywhere."""
    random = np.random.default_rng(8)
    orders = []
    for customer in range(700):
        for _ in range(1 + random.poisson(0.6)):
            orders.append(
                (customer, int(random.integers(0, 60)), [9.95, 19.9, 19.9, 30.05][random.integers(4)])
            )
    orders += [(1, 12, -5.0), (2, 13, -40.0)]  # credits
    return shop(tmp_path_factory.mktemp("rfm") / "shop", orders)


def scores(project: Project) -> list[dict[str, Any]]:
    each = customers(project)
    scale = rfm.scale(project.engine, each)
    assert scale is not None
    return fetch(project.engine, rfm.scored(each, scale))


@pytest.mark.requirement("D22")
def test_ten_customers_by_hand(tmp_path: Path) -> None:
    """Six of ten bought once, so they have 1; the two who bought twice begin at 4; the others have 5."""
    orders = [(n, 0, 10.0) for n in range(10)] + [(n, 10, 10.0) for n in (6, 7, 8, 9)]
    orders += [(n, 20, 10.0) for n in (8, 9)] + [(9, 30, 10.0)]
    found = {row["customer_id"]: row for row in scores(shop(tmp_path / "s", orders))}
    assert [found[n]["f"] for n in range(10)] == [1] * 6 + [4, 4, 5, 5]
    assert [found[n]["r"] for n in range(10)] == [1] * 6 + [4, 4, 5, 5]
    assert [found[n]["recency"] for n in range(10)] == [30] * 6 + [20, 20, 10, 0]
    assert found[9]["cents"] == 4000


def test_a_score_is_one_and_the_fifths_of_customers_that_are_strictly_worse(many: Project) -> None:
    rows = scores(many)
    for score, name, sign in (("r", "recency", -1), ("f", "frequency", 1), ("m", "cents", 1)):
        values = np.array([sign * row[name] for row in rows])
        worse = np.array([np.sum(values < value) for value in values])
        assert [row[score] for row in rows] == (1 + worse * 5 // len(values)).tolist(), name


def test_the_scale_scores_one_customer_as_the_engine_scores_all(many: Project) -> None:
    each = customers(many)
    scale = rfm.scale(many.engine, each)
    assert scale is not None
    rows = fetch(many.engine, rfm.scored(each, scale))
    assert scale.customers == len(rows)
    for row in rows:
        cell = scale.cell(row["recency"], row["frequency"], row["cents"] / 100)
        assert cell == (row["r"], row["f"], row["m"])
    counted: dict[rfm.Cell, int] = {}
    for row in rows:
        counted[row["r"], row["f"], row["m"]] = counted.get((row["r"], row["f"], row["m"]), 0) + 1
    assert rfm.cells(many.engine, each, scale) == counted


def test_money_is_all_orders_less_what_was_given_back(many: Project) -> None:
    sums = many.engine.query("SELECT customer_id, sum(revenue) AS s FROM orders GROUP BY 1").to_pylist()
    expected = {row["customer_id"]: round(row["s"] * 100) for row in sums}
    assert {row["customer_id"]: row["cents"] for row in scores(many)} == expected


def test_only_cut_points_leave_the_engine(many: Project) -> None:
    asked = []

    class Watched:
        dialect = many.engine.dialect
        tables = many.engine.tables
        schema = many.engine.schema

        def query(self, sql: str) -> pa.Table:
            asked.append(many.engine.query(sql))
            return asked[-1]

    assert rfm.scale(Watched(), customers(many)) == rfm.scale(many.engine, customers(many))
    assert [answer.num_rows for answer in asked] == [3]
    assert "customer_id" not in asked[0].column_names


def test_the_order_of_rows_changes_nothing(many: Project, tmp_path: Path) -> None:
    rows = many.engine.query("SELECT * FROM orders ORDER BY hash(order_id)")
    other = Project.create(tmp_path / "shuffled")
    other.commit({"orders": rows})
    assert rfm.scale(other.engine, customers(other)) == rfm.scale(many.engine, customers(many))


def test_without_a_purchase_there_is_no_scale(tmp_path: Path) -> None:
    project = shop(tmp_path / "s", [(1, 0, -5.0)])
    assert rfm.scale(project.engine, customers(project)) is None


def test_it_is_sql_for_every_engine_and_warehouse(many: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def watched(engine: Any, sums: Any, keys: Any = ()) -> pa.Table:
        asked.append(sums)
        return ask(engine, sums, keys)

    monkeypatch.setattr(rfm, "ask", watched)
    each = customers(many)
    scale = rfm.scale(many.engine, each)
    assert scale is not None
    rfm.cells(many.engine, each, scale)
    assert len(asked) == 2
    for dialect in ("postgres", "databricks", "bigquery", "snowflake", "trino", "clickhouse"):
        for expression in asked:
            parsed = sqlglot.parse_one(ibis.to_sql(expression, dialect=dialect), read=dialect)
            assert parsed.is_star or tuple(parsed.named_selects) == tuple(expression.columns), dialect
