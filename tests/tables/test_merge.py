"""Adding rows to a table: what is there already is not added again, and nothing that is there is lost."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.tables.load import read_tables
from workbench.tables.merge import merge
from workbench.tables.schema import TABLES, conform

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
WORDS = st.sampled_from(["a", "b", "c"])
MAYBE = st.one_of(st.none(), WORDS)


def rows(table: str, *found: dict[str, Any]) -> pa.Table:
    """Rows of a standard table from dictionaries; times and numbers are filled in where they are needed."""
    declared = TABLES[table]
    names = list(dict.fromkeys([*declared.required, *(name for row in found for name in row)]))
    plain = {
        "timestamp": datetime(2026, 1, 1),
        "float64": 1.0,
        "int64": 1,
        "bool": True,
        "string": "x",
        "id": "x",
    }
    columns = {}
    for name in names:
        column = declared.column(name)
        default = plain[column.type] if column and column.required else None
        columns[name] = [row.get(name, default) for row in found]
    return conform(pa.table(columns), declared)


def picked(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


keyed = st.sampled_from([name for name in TABLES if name not in ("spend", "summaries", "rates", "social")])


@given(keyed, st.lists(st.tuples(WORDS, MAYBE), max_size=5), st.lists(st.tuples(WORDS, MAYBE), max_size=5))
@settings(max_examples=40, deadline=None)
@pytest.mark.requirement("D01")
def test_what_was_added_once_adds_nothing_again(name: str, old: list[Any], new: list[Any]) -> None:
    table = TABLES[name]
    text = [column.name for column in table.columns if column.type in ("string", "id") and not column.allowed]
    key = next((part for part in table.key if part in text), text[0])
    other = next(part for part in reversed(text) if part != key)
    batches = [
        rows(name, *({key: one, other: two or "-"} for one, two in batch)) for batch in (old, new) if batch
    ]
    stored = None
    for batch in batches:
        stored = merge(stored, batch, name)
        assert {row[key] for row in batch.to_pylist()} <= {row[key] for row in stored.to_pylist()}
        assert merge(stored, batch, name) == stored
        if table.repeat in ("newest", "fill", "first"):
            assert len(stored) == len(set(picked(stored, *table.key)))


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.csv")), ids=lambda path: path.name)
@pytest.mark.requirement("D01")
def test_a_file_loaded_twice_adds_nothing(path: Path) -> None:
    for name, table in read_tables(path).tables.items():
        stored = merge(None, table, name)
        assert stored.num_rows == table.num_rows
        assert merge(stored, table, name) == stored


def test_the_newest_filled_cell_of_a_customer_wins_and_new_attributes_are_added() -> None:
    stored = merge(
        None,
        rows(
            "customers",
            {"customer_id": "1", "country": "ES", "age": 30},
            {"customer_id": "2", "country": "FR", "age": 40},
        ),
        "customers",
    )
    newer = rows(
        "customers",
        {"customer_id": "3", "country": "PT", "club": "gold"},
        {"customer_id": "1", "country": None, "club": "blue"},
        {"customer_id": "2", "country": "DE", "club": None},
    )
    merged = merge(stored, newer, "customers")
    assert picked(merged, "customer_id", "country", "age", "club") == [
        ("1", "ES", 30, "blue"),
        ("2", "DE", 40, None),
        ("3", "PT", None, "gold"),
    ]


def test_an_order_stays_as_it_was_and_its_empty_cells_are_filled() -> None:
    stored = rows("orders", {"order_id": "1", "customer_id": "a", "revenue": 50.0})
    refund = rows("orders", {"order_id": "1", "customer_id": "a", "ts": datetime(2026, 2, 1), "refund": 20.0})
    merged = merge(stored, refund, "orders")
    assert picked(merged, "order_id", "revenue", "refund", "ts") == [("1", 50.0, 20.0, datetime(2026, 1, 1))]


def test_an_event_that_is_there_is_left_out() -> None:
    stored = rows("events", {"event_id": "1", "customer_id": "a", "name": "view"})
    more = rows(
        "events",
        {"event_id": "2", "customer_id": "b", "name": "view"},
        {"event_id": "1", "customer_id": "c", "name": "buy"},
        {"event_id": "2", "customer_id": "d", "name": "buy"},
    )
    assert picked(merge(stored, more, "events"), "event_id", "customer_id") == [("1", "a"), ("2", "b")]


def test_an_exposure_is_the_same_only_when_all_of_it_is_empty_cells_included() -> None:
    first = {"customer_id": "a", "experience_id": "home", "variant": "A"}
    stored = rows("exposures", {**first, "ts": None})
    more = rows(
        "exposures", {**first, "ts": None}, {**first, "ts": datetime(2026, 1, 1)}, {**first, "variant": "B"}
    )
    assert picked(merge(stored, more, "exposures"), "variant", "ts") == [
        ("A", None),
        ("A", datetime(2026, 1, 1)),
        ("B", None),
    ]


def test_summaries_of_a_metric_are_replaced_together() -> None:
    def summary(metric: str, variant: str, n: int) -> dict[str, Any]:
        return {"experience_id": "home", "metric": metric, "variant": variant, "kind": "binary", "n": n}

    stored = rows("summaries", summary("y", "A", 1), summary("y", "B", 2), summary("z", "A", 3))
    newer = rows("summaries", summary("y", "A", 9), summary("y", "A", 9))
    merged = merge(stored, newer, "summaries")
    assert picked(merged, "metric", "variant", "n") == [("z", "A", 3), ("y", "A", 9), ("y", "A", 9)]


def test_lines_of_an_order_are_replaced_together() -> None:
    stored = rows("order_items", {"order_id": "1", "sku": "a"}, {"order_id": "2", "sku": "a"})
    newer = rows("order_items", {"order_id": "1", "sku": "b"}, {"order_id": "1", "sku": "b"})
    assert picked(merge(stored, newer, "order_items"), "order_id", "sku") == [
        ("2", "a"),
        ("1", "b"),
        ("1", "b"),
    ]


def test_an_outcome_takes_its_newest_value() -> None:
    key = {"customer_id": "a", "experience_id": "home", "name": "revenue"}
    merged = merge(
        rows("outcomes", {**key, "value": 1.0}), rows("outcomes", {**key, "value": 2.0}), "outcomes"
    )
    assert merged["value"].to_pylist() == [2.0]


@pytest.mark.parametrize(
    ("old", "new", "both"),
    [
        ([28001], ["08001"], ["28001", "08001"]),
        ([1], [1.5], [1.0, 1.5]),
        ([None], [3], [None, 3]),
        ([True], ["maybe"], ["true", "maybe"]),
    ],
)
def test_an_attribute_whose_type_changes_keeps_every_value(
    old: list[Any], new: list[Any], both: list[Any]
) -> None:
    stored = merge(None, rows("customers", *({"customer_id": "1", "x": value} for value in old)), "customers")
    merged = merge(
        stored, rows("customers", *({"customer_id": "2", "x": value} for value in new)), "customers"
    )
    assert merged["x"].to_pylist() == both


def test_a_row_without_its_identifier_is_refused() -> None:
    with pytest.raises(DataError, match="A row of the table events lacks its event_id"):
        merge(None, rows("events", {"event_id": None, "customer_id": "a"}), "events")
