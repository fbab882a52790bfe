"""The matrix of metrics and tables says what the analyses themselves do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.tables.checking import Memory, times
from workbench import Project
from workbench.errors import WorkbenchError
from workbench.metrics.catalogue import CATALOGUE, Readiness, losses, readiness
from workbench.simulate import HOME, simulate
from workbench.tables.checks import table_checks


def lines(engine: Any, **options: Any) -> dict[str, Readiness]:
    return {line.metric.name: line for line in readiness(engine, **options)}


@pytest.fixture(scope="module")
def shop() -> dict[str, pa.Table]:
    return simulate(customers=800, seed=2).tables


def as_project(folder: Path, tables: dict[str, pa.Table]) -> Project:
    project = Project.create(folder)
    project.commit(tables)
    return project


CALLS: dict[str, Any] = {
    "effect.conversion": lambda project: project.effect(HOME, "conversion"),
    "effect.revenue": lambda project: project.effect(HOME, "revenue"),
    "effect.conversion.by_attribute": lambda project: project.effect(HOME, "conversion", by="device"),
    "lifetime_value": lambda project: project.lifetime_value(),
}


@pytest.mark.requirement("D19")
@pytest.mark.parametrize(
    "gone", ["exposures", "orders", "customers", "exposures.ts", "orders.revenue", "nothing"]
)
def test_a_metric_is_missing_just_when_its_analysis_refuses(
    tmp_path: Path, shop: dict[str, pa.Table], gone: str
) -> None:
    table, _, column = gone.partition(".")
    tables = {name: rows for name, rows in shop.items() if name != "events" and (column or name != table)}
    if column:
        rows = tables[table]
        place = rows.column_names.index(column)
        tables[table] = rows.set_column(place, column, pa.nulls(len(rows), rows[column].type))
    project = as_project(tmp_path / "p", tables)
    found = lines(project.engine)
    for name, call in CALLS.items():
        if found[name].light == "missing":
            assert found[name].missing
            with pytest.raises(WorkbenchError):
                call(project)
        else:
            call(project)


@pytest.mark.requirement("D19")
def test_tables_without_what_is_needed_are_red_and_say_it(shop: dict[str, pa.Table]) -> None:
    unit = lines(
        Memory(
            customers={"customer_id": ["a", "b"], "country": ["ES", "FR"]},
            exposures={"customer_id": ["a", "b"], "experience_id": ["e", "e"], "variant": ["A", "B"]},
            outcomes={
                "customer_id": ["a", "b"],
                "experience_id": ["e", "e"],
                "name": ["n"] * 2,
                "value": [0.0, 1.0],
            },
        )
    )
    assert unit["effect.outcome"].light == "partly"  # nobody says how people were assigned
    assert unit["segments.by_attribute"].light == "ready"
    assert unit["effect.conversion"].cells == {"exposures": "missing", "orders": "missing"}
    said = [str(words) for words in unit["effect.conversion"].missing]
    assert said == ["Needs ts in the table exposures.", "Needs the table orders."]
    assert unit["effect.summaries"].light == unit["lifetime_value"].light == "missing"


@pytest.mark.requirement("D17")
def test_a_metric_is_amber_when_a_check_it_depends_on_is_not_fine(shop: dict[str, pa.Table]) -> None:
    engine = Memory(**shop)
    fine = lines(engine, checks=table_checks(engine))
    assert {fine[name].light for name in ("effect.conversion", "effect.revenue", "lifetime_value")} == {
        "ready"
    }
    twice = Memory(**{**shop, "orders": pa.concat_tables([shop["orders"], shop["orders"].slice(0, 5)])})
    found = lines(twice, checks=table_checks(twice))
    assert found["effect.conversion"].cells == {"exposures": "ready", "orders": "partly"}
    assert "orders.repeated" in {
        check.name for check in found["lifetime_value"].checks if check.status == "fail"
    }
    assert found["segments.by_attribute"].light == "ready"


def with_a_stray(rows: pa.Table) -> pa.Table:
    """The rows, and the first of them once more, eight years before."""
    place = rows.column_names.index("ts")
    return pa.concat_tables([rows, rows.slice(0, 1).set_column(place, "ts", times([-3_000 * 86_400.0]))])


@pytest.mark.requirement("D17")
def test_the_checks_that_metrics_depend_on_are_made() -> None:
    """Each of them is there for a shop with every table that metrics read, and a stray row in each."""
    shop = simulate(customers=800, seed=3).tables
    orders = shop["orders"]
    lines = {"order_id": orders["order_id"], "sku": ["s"] * len(orders), "quantity": [1.0] * len(orders)}
    outcome = {"customer_id": ["c000001"], "experience_id": [HOME], "name": ["n"], "value": [1.0]}
    strays = {name: with_a_stray(rows) for name, rows in shop.items() if name != "customers"}
    order_items = pa.table({**lines, "price": orders["revenue"]})
    engine = Memory(customers=shop["customers"], order_items=order_items, outcomes=outcome, **strays)
    made = {check.name for check in table_checks(engine)}
    assert {name for metric in CATALOGUE for name in metric.checks} <= made


@pytest.mark.requirement("D16")
def test_what_would_be_lost_without_third_parties_is_named(tmp_path: Path) -> None:
    people = {
        "customer_id": ["a", "b"],
        "source": ["google", "direct"],
        "campaign": [None, "x"],
        "signed_up": times([0, 1]),
    }
    orders = {"customer_id": ["a", "b"], "ts": times([0, 1]), "revenue": [1.0, 2.0]}
    engine = Memory(customers=people, orders=orders)
    provenance: dict[str, Any] = {
        "customers.source": "third",
        "customers.campaign": "third",
        "orders.revenue": "first",
    }
    found = {loss.metric.name: loss for loss in losses(engine, provenance)}
    segments = found["segments.by_attribute"]
    assert (segments.before, segments.after) == ("ready", "missing")
    assert segments.columns == ("customers.source", "customers.campaign")
    assert "lifetime_value" not in found
    described = Memory(customers={**people, "country": ["ES", "FR"]}, orders=orders)
    kept = {loss.metric.name: loss for loss in losses(described, provenance)}["segments.by_attribute"]
    assert kept.after == "ready"  # by country still
    assert kept.columns == ("customers.source", "customers.campaign")
