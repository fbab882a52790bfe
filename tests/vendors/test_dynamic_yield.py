"""Dynamic Yield's activity stream, from a day's Parquet to the effect of a variation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.vendors.files import arms, counts, rows_of, write_parquet
from workbench import Project

START = 1_772_352_000_000
HOUR = 3_600_000
VISITORS = 80
NAMES = ("Control Group", "Personal")

SCHEMA = pa.schema(
    [
        ("eventType", pa.string()),
        ("interactionId", pa.int64()),
        ("dyid", pa.int64()),
        ("sessionId", pa.int64()),
        ("timestamp", pa.int64()),
        ("url", pa.string()),
        ("contextType", pa.string()),
        ("contextData", pa.list_(pa.string())),
        ("eventName", pa.string()),
        ("eventProperties", pa.string()),
        ("eventValue", pa.int64()),
        ("engagementType", pa.string()),
        ("experienceId", pa.int64()),
        ("campaignName", pa.string()),
        ("variationIds", pa.list_(pa.int64())),
        ("variationNames", pa.list_(pa.string())),
        ("device", pa.string()),
        ("audiences", pa.list_(pa.int64())),
    ]
)


def row(kind: str, number: int | None, dyid: int | None, at: int | None, **more: Any) -> dict[str, Any]:
    """A row of the stream."""
    return {
        "eventType": kind,
        "interactionId": number,
        "dyid": dyid,
        "sessionId": (dyid or 0) * 10,
        "timestamp": at,
        "device": "Smartphone",
        "audiences": [1, 2],
        **more,
    }


def sent(number: int, dyid: int, at: int, name: str, **properties: Any) -> dict[str, Any]:
    """An event with its properties."""
    return row("DPX", number, dyid, at, eventName=name, eventProperties=json.dumps(properties))


def day() -> tuple[list[dict[str, Any]], dict[str, list[float]]]:
    """A day's rows, and what each visitor of each arm paid."""
    rows: list[dict[str, Any]] = []
    paid: dict[str, list[float]] = {name: [] for name in NAMES}
    for i in range(VISITORS):
        dyid, at, name = 9_000_000_000 + i, START + i * 60_000, NAMES[i % 2]
        placed = {
            "experienceId": 555,
            "campaignName": "Home",
            "variationIds": [70 + i % 2],
            "variationNames": [name],
        }
        rows += [
            row(
                "UIA",
                100 * i,
                dyid,
                at,
                url=f"https://shop.example/p{i % 3}?q=ana",
                contextType="PRODUCT",
                contextData=[f"sku{i % 3}"],
            ),
            row("VARIATION_ENGAGEMENT", 100 * i + 1, dyid, at + 5, engagementType="IMP", **placed),
        ]
        if i % 4 == 0:
            rows.append(
                row("VARIATION_ENGAGEMENT", 100 * i + 2, dyid, at + 9, engagementType="CLICK", **placed)
            )
        price = 0.0
        if i % 5 < 2:
            price = 20.5 + i
            cart = [
                {"productId": "sku1", "quantity": 1, "itemPrice": price - 10},
                {"productId": "sku2", "quantity": 2, "itemPrice": 5.0},
            ]
            told = {"dyType": "purchase-v1", "value": price, "currency": "EUR", "cart": cart}
            rows.append(sent(100 * i + 3, dyid, at + HOUR, "Purchase", uniqueTransactionId=f"T{i}", **told))
        paid[name].append(price)
    rows.append(row("UIA", 99_999, 9_000_000_000, START + 40 * HOUR, url="https://shop.example/"))
    return rows, paid


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "shop")


def test_each_arm_has_its_visitors_buyers_and_money(project: Project, tmp_path: Path) -> None:
    rows, paid = day()
    report = project.load(write_parquet(tmp_path / "day.parquet", rows + rows[:30], SCHEMA))
    assert report.vendor == "dynamic-yield"
    assert arms(project, "555", "conversion", window_days=1) == {
        name: (len(money), float(sum(value > 0 for value in money))) for name, money in paid.items()
    }
    assert arms(project, "555", "revenue", window_days=1) == {
        name: (len(money), round(sum(money), 2)) for name, money in paid.items()
    }
    items = rows_of(project, "SELECT sum(quantity * price) AS money FROM order_items")
    assert items[0]["money"] == pytest.approx(sum(map(sum, paid.values())))


def test_nobody_is_taken_to_have_been_put_there_by_chance(project: Project, tmp_path: Path) -> None:
    rows, _ = day()
    project.load(write_parquet(tmp_path / "day.parquet", rows, SCHEMA))
    assert rows_of(project, "SELECT DISTINCT assignment FROM exposures") == [{"assignment": "unknown"}]
    record = project.effect("555", "conversion", window_days=1, keep=False)
    assert (record.summary.assignment, record.outcome) == ("unknown", "describe")


@pytest.mark.requirement("D07")
def test_page_views_clicks_and_events_are_events_and_impressions_are_not(
    project: Project, tmp_path: Path
) -> None:
    rows, paid = day()
    project.load(write_parquet(tmp_path / "day.parquet", rows, SCHEMA))
    found = {
        row["name"]: row["n"]
        for row in rows_of(project, "SELECT name, count(*) AS n FROM events GROUP BY name")
    }
    bought = sum(value > 0 for money in paid.values() for value in money)
    assert found == {"page_view": VISITORS + 1, "variation_click": VISITORS // 4, "Purchase": bought}
    view = rows_of(
        project, "SELECT page, item, device FROM events WHERE name = 'page_view' ORDER BY ts LIMIT 1"
    )
    assert view == [{"page": "https://shop.example/p0", "item": "sku0", "device": "mobile"}]


@pytest.mark.requirement("D20")
def test_days_that_overlap_add_only_what_is_new(project: Project, tmp_path: Path) -> None:
    rows, _ = day()
    project.load(write_parquet(tmp_path / "a.parquet", rows[:150], SCHEMA))
    once = counts(project)
    project.load(write_parquet(tmp_path / "a.parquet", rows[:150], SCHEMA))
    assert counts(project) == once
    project.load(write_parquet(tmp_path / "b.parquet", rows[100:], SCHEMA))
    assert counts(project)["events"] + counts(project)["exposures"] == len(rows)


def test_browsers_on_which_one_person_signed_in_are_one_customer(project: Project, tmp_path: Path) -> None:
    rows = [
        row("UIA", 1, 11, START, url="https://shop.example/"),
        row("UIA", 2, 22, START, url="https://shop.example/"),
        row("UIA", 3, 33, START, url="https://shop.example/"),
        sent(4, 11, START + 9, "Login", dyType="login-v1", cuid="ana", cuidType="id"),
        sent(5, 22, START + 9, "Identify", dyType="identify-v1", cuid="ana", cuidType="id"),
    ]
    project.load(write_parquet(tmp_path / "day.parquet", rows, SCHEMA))
    assert len(rows_of(project, "SELECT DISTINCT customer_id FROM events")) == 2


def test_each_row_that_cannot_be_used_is_named_by_its_line(project: Project, tmp_path: Path) -> None:
    rows = [
        row("UIA", 1, 11, START, url="https://shop.example/"),
        row("UIA", 2, None, START),
        row("UIA", 3, 11, None),
        row("VARIATION_ENGAGEMENT", 4, 11, START, engagementType="IMP", experienceId=5),
        row("VARIATION_ENGAGEMENT", 5, 11, START, experienceId=5),
        sent(6, 11, START, "Broken"),
    ]
    rows[-1]["eventProperties"] = '{"value": '
    report = project.load(write_parquet(tmp_path / "day.parquet", rows, SCHEMA))
    assert sorted({rejection.line for rejection in report.rejected}) == [2, 3, 4, 5]


def test_columns_that_are_not_known_are_kept_and_missing_ones_are_no_trouble(
    project: Project, tmp_path: Path
) -> None:
    schema = pa.schema(
        [(name, kind) for name, kind in [("eventType", pa.string()), ("interactionId", pa.int64())]]
    )
    for name, kind in (("DYID", pa.string()), ("timestamp", pa.timestamp("ms")), ("kind", pa.string())):
        schema = schema.append(pa.field(name, kind))
    rows = [{"eventType": "UIA", "interactionId": 1, "DYID": "a", "timestamp": START, "kind": "rain"}]
    project.load(write_parquet(tmp_path / "day.parquet", rows, schema))
    found = rows_of(project, "SELECT name, kind, epoch_ms(ts) AS at FROM events")
    assert found == [{"name": "page_view", "kind": "rain", "at": START}]
