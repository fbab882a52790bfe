"""Mixpanel's raw export, from its lines to who came back and who bought."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.vendors.files import counts, rows_of, write_lines
from workbench import Project

START = 1_772_352_000  # 2026-03-01 08:00 UTC
DAY = 86_400
VISITORS = 60


def event(
    name: str, distinct_id: str | None, time: int | None, number: int, **properties: Any
) -> dict[str, Any]:
    """A line of the export."""
    return {
        "event": name,
        "properties": {
            "time": time,
            "distinct_id": distinct_id,
            "$insert_id": f"i{number}",
            "mp_processing_time_ms": 1_772_352_000_000 + number,
            "$city": "Madrid",
            "mp_country_code": "ES",
            **properties,
        },
    }


def visits() -> list[dict[str, Any]]:
    """Everybody comes as a device; every third signs in and buys; every second comes back after a week."""
    rows = []
    for i in range(VISITORS):
        device = f"{i:08x}-0aaa-0bbb-0ccc"
        at = START + 60 * i
        rows.append(
            event(
                "$mp_web_page_view",
                f"$device:{device}",
                at,
                10 * i,
                **{
                    "$device_id": device,
                    "$current_url": f"https://shop.example/{i}?token=abc",
                    "utm_source": "newsletter",
                    "plan": "free",
                    "$email": f"p{i}@example.com",
                },
            )
        )
        if i % 3 == 0:
            signed = {"$device_id": device, "$user_id": f"user{i}"}
            rows.append(
                event(
                    "Order Completed",
                    f"user{i}",
                    at + DAY,
                    10 * i + 1,
                    **signed,
                    **{"Order ID": f"T{i}", "revenue": 10.5 + i, "currency": "EUR"},
                )
            )
        if i % 2 == 0:
            rows.append(
                event("App Open", f"$device:{device}", at + 7 * DAY, 10 * i + 2, **{"$device_id": device})
            )
    return rows


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "shop")


@pytest.mark.requirement("D07")
def test_who_bought_and_who_came_back_are_the_people_there_were(project: Project, tmp_path: Path) -> None:
    rows = visits()
    report = project.load(write_lines(tmp_path / "export.jsonl", [*rows, *rows[:20]]))
    assert report.vendor == "mixpanel"
    assert counts(project)["events"] == len(rows)
    assert counts(project)["customers"] == VISITORS
    orders = rows_of(project, "SELECT count(DISTINCT customer_id) AS n, sum(revenue) AS money FROM orders")
    buyers = range(0, VISITORS, 3)
    assert orders == [{"n": len(buyers), "money": sum(10.5 + i for i in buyers)}]
    returned = rows_of(
        project,
        """SELECT count(DISTINCT b.customer_id) AS n FROM events a JOIN events b USING (customer_id)
           WHERE a.name = '$mp_web_page_view' AND b.name = 'App Open' AND b.ts > a.ts""",
    )
    both = rows_of(
        project,
        "SELECT count(DISTINCT customer_id) AS n FROM events SEMI JOIN orders USING (customer_id)"
        " WHERE name = 'App Open'",
    )
    assert (returned[0]["n"], both[0]["n"]) == (VISITORS // 2, VISITORS // 6)


@pytest.mark.requirement("D20")
def test_overlapping_exports_add_only_what_is_new(project: Project, tmp_path: Path) -> None:
    rows = visits()
    project.load(write_lines(tmp_path / "a.jsonl", rows[:80]))
    project.load(write_lines(tmp_path / "a.jsonl", rows[:80]))
    assert counts(project)["events"] == 80
    project.load(write_lines(tmp_path / "b.jsonl", rows[60:]))
    assert counts(project)["events"] == len(rows)


def test_an_export_with_milliseconds_adds_nothing_to_one_without(project: Project, tmp_path: Path) -> None:
    rows = visits()
    project.load(write_lines(tmp_path / "a.jsonl", rows))
    first = rows_of(project, "SELECT min(ts) AS first, max(ts) AS last FROM events")
    for row in rows:
        row["properties"]["time"] *= 1000
    project.load(write_lines(tmp_path / "b.jsonl", rows))
    assert counts(project)["events"] == len(rows)
    assert rows_of(project, "SELECT min(ts) AS first, max(ts) AS last FROM events") == first


def test_an_export_from_after_a_merge_adds_nothing_to_one_from_before(
    project: Project, tmp_path: Path
) -> None:
    anonymous = event("View", "anon-1", START, 1)
    project.load(write_lines(tmp_path / "a.jsonl", [anonymous]))
    merged = event("View", "user1", START, 1, **{"$distinct_id_before_identity": "anon-1"})
    project.load(write_lines(tmp_path / "b.jsonl", [merged, event("View", "user1", START + DAY, 2)]))
    assert counts(project)["events"] == 2
    assert len(rows_of(project, "SELECT DISTINCT customer_id FROM events")) == 1


@pytest.mark.parametrize(
    "tie",
    [
        event(
            "$identify", "user1", START + 9, 9, **{"$identified_id": "user1", "$anon_id": "$device:anon-1"}
        ),
        event("$create_alias", "anon-1", START + 9, 9, alias="user1"),
        event("$merge", "user1", START + 9, 9, **{"$distinct_ids": ["anon-1", "user1"]}),
        event("View", "user1", START + 9, 9, **{"$user_id": "user1", "$device_id": "anon-1"}),
    ],
    ids=lambda row: row["event"],
)
def test_each_way_of_tying_two_identifiers_makes_one_customer(
    project: Project, tmp_path: Path, tie: dict[str, Any]
) -> None:
    rows = [
        event("View", "anon-1", START, 1),
        event("Buy", "user1", START + 20, 2),
        event("View", "x", START, 3),
    ]
    project.load(write_lines(tmp_path / "a.jsonl", rows))
    assert len(rows_of(project, "SELECT DISTINCT customer_id FROM events")) == 3
    project.load(write_lines(tmp_path / "b.jsonl", [tie]))
    assert len(rows_of(project, "SELECT DISTINCT customer_id FROM events")) == 2


def test_several_devices_merged_into_one_user_are_one_customer(project: Project, tmp_path: Path) -> None:
    devices = ["0aaaaaaa-1111-2222-3333", "0bbbbbbb-1111-2222-3333"]
    rows = [event("View", device, START, number) for number, device in enumerate(devices)]
    rows += [
        event("$merge", "u", START + 9, 10 + number, **{"$distinct_ids": [device, "u@example.com"]})
        for number, device in enumerate(devices)
    ]
    project.load(write_lines(tmp_path / "a.jsonl", [*rows, event("View", "u@example.com", START + 20, 5)]))
    assert len(rows_of(project, "SELECT DISTINCT customer_id FROM events")) == 1


def test_each_row_that_cannot_be_used_is_named_by_its_line(project: Project, tmp_path: Path) -> None:
    lines = [
        event("View", "a", START, 1),
        event("View", None, START, 2),
        event("View", "a", None, 3),
        '{"event": "View", "properties": {"time": ',
        event("$identify", "a", START, 5, **{"$anon_id": "b"}),
        event("View", "a", START, 6, extra=None),
    ]
    report = project.load(write_lines(tmp_path / "a.jsonl", lines))
    assert sorted({rejection.line for rejection in report.rejected}) == [2, 3, 4, 5]
    assert counts(project)["events"] == 2


def test_properties_are_kept_but_not_who_somebody_is(project: Project, tmp_path: Path) -> None:
    project.load(write_lines(tmp_path / "a.jsonl", visits()))
    row = rows_of(project, "SELECT * FROM events ORDER BY ts LIMIT 1")[0]
    assert (row["plan"], row["source"], row["page"]) == ("free", "newsletter", "https://shop.example/0")
    assert not [name for name in row if "email" in name or "distinct_id" in name or "$device_id" in name]
    assert "example.com" not in str(row).replace("shop.example", "")
