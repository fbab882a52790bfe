"""Optimizely's events export, from decisions and conversions to the effect of an experiment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.vendors.files import arms, counts, rows_of, write_lines, write_parquet
from workbench import Project

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
VISITORS = 90
VARIATIONS = ("18802093142", "18818611832")

TIME = pa.timestamp("ms")
ATTRIBUTES = pa.list_(pa.struct([(name, pa.string()) for name in ("id", "name", "type", "value")]))
HEAD = [
    ("uuid", pa.string()),
    ("timestamp", TIME),
    ("process_timestamp", TIME),
    ("visitor_id", pa.string()),
    ("session_id", pa.string()),
    ("account_id", pa.string()),
    ("attributes", ATTRIBUTES),
    ("user_ip", pa.string()),
    ("user_agent", pa.string()),
]
DECISIONS = pa.schema(
    [
        *HEAD,
        *[(name, pa.string()) for name in ("campaign_id", "experiment_id", "variation_id")],
        ("is_holdback", pa.bool_()),
    ]
)
CONVERSIONS = pa.schema(
    [
        *HEAD,
        (
            "experiments",
            pa.list_(
                pa.struct(
                    [
                        *[(name, pa.string()) for name in ("campaign_id", "experiment_id", "variation_id")],
                        ("is_holdback", pa.bool_()),
                    ]
                )
            ),
        ),
        ("entity_id", pa.string()),
        ("event_name", pa.string()),
        ("revenue", pa.int64()),
        ("value", pa.float64()),
        ("quantity", pa.int64()),
        ("tags", pa.map_(pa.string(), pa.string())),
    ]
)


def head(kind: str, number: int, visitor: str, at: datetime) -> dict[str, Any]:
    """What both kinds of rows begin with."""
    return {
        "uuid": f"{kind}-{number:08d}",
        "timestamp": at.replace(tzinfo=None),
        "process_timestamp": (at + timedelta(minutes=1)).replace(tzinfo=None),
        "visitor_id": visitor,
        "session_id": None,
        "account_id": "596780373",
        "attributes": [{"id": "1", "name": "member", "type": "custom", "value": "gold"}],
        "user_ip": "162.227.140.0",
        "user_agent": "Mozilla/5.0",
    }


def decision(number: int, visitor: str, at: datetime, variation: str | None, **more: Any) -> dict[str, Any]:
    """A decision."""
    placed = {"campaign_id": "88", "experiment_id": "99", "variation_id": variation, "is_holdback": False}
    return {**head("d", number, visitor, at), **placed, **more}


def conversion(number: int, visitor: str, at: datetime, name: str, cents: int, **more: Any) -> dict[str, Any]:
    """A conversion."""
    told = {
        "experiments": [],
        "entity_id": "7",
        "event_name": name,
        "revenue": cents,
        "value": None,
        "quantity": 0,
        "tags": [("category", "soap")],
    }
    return {**head("c", number, visitor, at), **told, **more}


def experiment() -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, list[int]]]:
    """Decisions, conversions, and what each visitor of each arm paid, in cents."""
    decisions, conversions = [], []
    paid: dict[str, list[int]] = {arm: [] for arm in (*VARIATIONS, "holdback")}
    for i in range(VISITORS):
        at = START + timedelta(minutes=i)
        held = i % 9 == 0
        variation = VARIATIONS[i % 2]
        decisions.append(decision(i, f"v{i}", at, variation, is_holdback=held))
        if i % 5 == 0:  # decided again on the next visit
            decisions.append(
                decision(1000 + i, f"v{i}", at + timedelta(hours=3), variation, is_holdback=held)
            )
        conversions.append(conversion(i, f"v{i}", at + timedelta(minutes=5), "detail_page_view", 0))
        cents = 0 if i % 3 else 7999 + i
        if cents:
            tags = [("order_id", f"T{i}"), ("currency", "EUR")]
            conversions.append(
                conversion(1000 + i, f"v{i}", at + timedelta(hours=5), "purchase", cents, tags=tags)
            )
        paid["holdback" if held else variation].append(cents)
    decisions.append(decision(9000, "v7", START, None, experiment_id=None))  # counts a campaign's reach
    conversions.append(conversion(9000, "v0", START + timedelta(days=3), "detail_page_view", 0))
    return decisions, conversions, paid


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "shop", timezone="Europe/Madrid")


def load(project: Project, folder: Path) -> None:
    decisions, conversions, _ = experiment()
    project.load(write_parquet(folder / "d.parquet", decisions + decisions[:9], DECISIONS))
    project.load(write_parquet(folder / "c.parquet", conversions + conversions[:9], CONVERSIONS))


def test_each_arm_has_its_visitors_buyers_and_money(project: Project, tmp_path: Path) -> None:
    _, _, paid = experiment()
    load(project, tmp_path)
    assert arms(project, "99", "conversion", window_days=1) == {
        arm: (len(cents), float(sum(cent > 0 for cent in cents))) for arm, cents in paid.items()
    }
    assert arms(project, "99", "revenue", window_days=1) == {
        arm: (len(cents), round(sum(cents) / 100, 2)) for arm, cents in paid.items()
    }


def test_who_was_held_back_was_not_shown_anything(project: Project, tmp_path: Path) -> None:
    load(project, tmp_path)
    shown = rows_of(project, "SELECT DISTINCT variant = 'holdback' AS held, delivered FROM exposures")
    assert sorted((row["held"], row["delivered"]) for row in shown) == [(False, True), (True, False)]


def test_the_revenue_of_the_documents_own_example_is_what_it_says(project: Project, tmp_path: Path) -> None:
    """ "$75.02" is sent as 7502."""
    row = conversion(1, "v1", START, "purchase", 7502)
    project.load(write_parquet(tmp_path / "c.parquet", [row], CONVERSIONS))
    assert rows_of(project, "SELECT revenue FROM orders") == [{"revenue": 75.02}]


@pytest.mark.requirement("D20")
def test_what_is_loaded_again_adds_nothing(project: Project, tmp_path: Path) -> None:
    decisions, conversions, _ = experiment()
    load(project, tmp_path)
    once = counts(project)
    load(project, tmp_path)
    assert counts(project) == once
    assert once["events"] == len(conversions)
    assert once["exposures"] == len(decisions) - 1
    new = conversion(5000, "v1", START + timedelta(days=4), "purchase", 100)
    project.load(write_parquet(tmp_path / "c2.parquet", [*conversions[30:], new], CONVERSIONS))
    assert counts(project) == {**once, "events": once["events"] + 1, "orders": once["orders"] + 1}


def test_times_are_utc_whatever_the_clock_of_the_shop_and_however_they_are_written(
    project: Project, tmp_path: Path
) -> None:
    row = decision(1, "v1", START, VARIATIONS[0])
    project.load(write_parquet(tmp_path / "d.parquet", [row], DECISIONS))
    counted = {key: value for key, value in row.items() if "timestamp" not in key}
    counted["timestamp"] = int(START.timestamp() * 1000)
    project.load(write_lines(tmp_path / "d.jsonl", [{**counted, "visitor_id": "v2"}]))
    assert rows_of(project, "SELECT DISTINCT ts FROM exposures") == [{"ts": START.replace(tzinfo=None)}]


def test_each_row_that_cannot_be_used_is_named_by_its_line(project: Project, tmp_path: Path) -> None:
    rows = [
        decision(1, "v1", START, VARIATIONS[0]),
        {**decision(2, "v2", START, VARIATIONS[0]), "visitor_id": None},
        {**decision(3, "v3", START, VARIATIONS[0]), "experiment_id": None, "campaign_id": None},
    ]
    report = project.load(write_parquet(tmp_path / "d.parquet", rows, DECISIONS))
    assert sorted({rejection.line for rejection in report.rejected}) == [2, 3]
    lines = [
        {
            "uuid": "1",
            "visitor_id": "v",
            "entity_id": "7",
            "event_name": "buy",
            "timestamp": 1772352000000,
            "revenue": "?",
        }
    ]
    report = project.load(write_lines(tmp_path / "c.jsonl", lines))
    assert [(rejection.line, rejection.column) for rejection in report.rejected] == [(1, "revenue")]


def test_what_visitors_were_sent_with_is_kept_but_not_their_address(project: Project, tmp_path: Path) -> None:
    load(project, tmp_path)
    assert rows_of(project, "SELECT DISTINCT member FROM customers") == [{"member": "gold"}]
    assert "category" in rows_of(project, "SELECT * FROM events LIMIT 1")[0]
    for table in ("events", "customers", "exposures"):
        if table in project.manifest():
            assert not {"user_ip", "user_agent"} & set(rows_of(project, f"SELECT * FROM {table} LIMIT 1")[0])
