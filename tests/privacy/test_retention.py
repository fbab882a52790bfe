"""The record of processing, and rows that have become too old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tomli_w

from workbench.errors import ProjectError
from workbench.tables.privacy.retention import (
    Processing,
    oldest_rows,
    read_processing,
    retention_due,
    without_older,
)
from workbench.tables.schema import conform, standard

NOW = datetime(2026, 11, 1)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, list[Path]]:
    """Customers 1 to 4 were last seen 5, 400 and 800 days ago, and at no known time."""
    contents: dict[str, list[dict[str, list[Any]]]] = {
        "customers": [
            {"customer_id": [1, 2, 3, 4], "signed_up": [ago(900), ago(400), None, None]},
        ],
        "orders": [
            {"order_id": ["o1", "o2"], "customer_id": [1, 3], "ts": [ago(5), ago(800)]},
            {"order_id": ["o3"], "customer_id": [1], "ts": [ago(10)]},
        ],
        "order_items": [{"order_id": ["o1", "o2", "o2", "o3"], "sku": ["a", "b", "c", "d"]}],
        "surveys": [{"customer_id": [3, 1], "instrument": ["nps", "nps"], "ts": [ago(900), None]}],
        "outcomes": [{"customer_id": [4], "experience_id": ["e"], "name": ["n"], "value": [1.0]}],
    }
    files: dict[str, list[Path]] = {}
    for name, parts in contents.items():
        for number, columns in enumerate(parts):
            rows = pa.table(columns)
            if "customer_id" in columns:
                rows = rows.set_column(
                    rows.column_names.index("customer_id"),
                    "customer_id",
                    rows["customer_id"].cast(pa.int64()),
                )
            place = tmp_path / f"{name}-{number}.parquet"
            pq.write_table(conform(rows, standard(name)), place)
            files.setdefault(name, []).append(place)
    return files


def left(files: Mapping[str, Sequence[Path]], table: str, limit: datetime, column: str, of: str) -> list[Any]:
    """The column of the table `of` once the rows of `table` before `limit` are gone."""
    made = {one.old: one.new for one in without_older(files, table, limit)}
    return [cell for part in files[of] for cell in pq.read_table(made.get(part, part))[column].to_pylist()]


@pytest.mark.requirement("G04")
def test_what_a_table_is_kept_for_is_written_down_and_read_back(tmp_path: Path) -> None:
    file = tmp_path / "processing.toml"
    records = {
        "orders": Processing(purpose="Facturación", legal_basis="legal obligation", retention_days=2190),
        "outcomes": Processing(
            purpose="Measuring experiments", legal_basis="consent", note="ask again in 2027"
        ),
    }
    assert read_processing(file) == {}
    sections = {name: record.model_dump(exclude_none=True) for name, record in records.items()}
    file.write_text(tomli_w.dumps(sections), encoding="utf-8")
    assert read_processing(file) == records


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[orders", "cannot be read"),
        ('[orders]\npurpose = "x"', "legal_basis"),
        ('[orders]\npurpose = "x"\nlegal_basis = "because"', "legal_basis"),
        ('[orders]\npurpose = "x"\nlegal_basis = "consent"\nretention_days = 0', "retention_days"),
        ('[pedidos]\npurpose = "x"\nlegal_basis = "consent"', "no table “pedidos”"),
        (
            '[order_items]\npurpose = "x"\nlegal_basis = "consent"\nretention_days = 9',
            "have no time of their own",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "processing.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError, match=said):
        read_processing(file)


@pytest.mark.requirement("G04")
def test_tables_with_rows_beyond_their_retention_are_found(tables: dict[str, list[Path]]) -> None:
    oldest = oldest_rows(tables)
    assert oldest == {"customers": ago(800), "orders": ago(800), "surveys": ago(900)}
    records = {
        name: Processing(purpose="p", legal_basis="consent", retention_days=days)
        for name, days in {"orders": 799, "surveys": 900, "customers": 799, "events": 1}.items()
    }
    due = retention_due(records, oldest, NOW)
    assert [one.table for one in due] == ["orders", "customers"]
    assert due[0].limit == ago(799)
    assert "799 days" in str(due[0].note)
    assert retention_due({"orders": Processing(purpose="p", legal_basis="consent")}, oldest, NOW) == []


@pytest.mark.requirement("G04")
def test_rows_beyond_their_retention_go_with_what_hangs_on_them(tables: dict[str, list[Path]]) -> None:
    assert left(tables, "orders", ago(100), "order_id", of="orders") == ["o1", "o3"]
    assert left(tables, "orders", ago(100), "sku", of="order_items") == ["a", "d"]
    assert left(tables, "orders", ago(800), "order_id", of="orders") == ["o1", "o2", "o3"]
    touched = {one.old for one in without_older(tables, "orders", ago(100))}
    assert touched == {tables["orders"][0], tables["order_items"][0]}


def test_a_row_without_a_time_stays(tables: dict[str, list[Path]]) -> None:
    assert left(tables, "surveys", NOW, "customer_id", of="surveys") == [1]


@pytest.mark.requirement("G04")
def test_customers_are_as_old_as_the_last_that_is_known_of_them(tables: dict[str, list[Path]]) -> None:
    for days, stay in ((500, [1, 2, 4]), (100, [1, 4]), (850, [1, 2, 3, 4]), (1, [4])):
        assert left(tables, "customers", ago(days), "customer_id", of="customers") == stay


def test_rows_that_have_no_age_cannot_become_too_old(tables: dict[str, list[Path]]) -> None:
    with pytest.raises(ProjectError, match="no time of their own"):
        without_older(tables, "outcomes", NOW)
