"""Algonomy's behaviour data, as far as it is documented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.vendors.files import counts, rows_of, write_lines
from workbench import Project

START = 1_772_352_000_000


def row(
    number: int, at: int | None, device: str | None, user: str | None = None, **more: Any
) -> dict[str, Any]:
    """A line."""
    return {
        "datetime": at,
        "viewGuid": f"guid-{number}",
        "channelId": "recsForPlacement",
        "site": {"id": 12, "apiKey": "secret", "externalId": "x"},
        "visitor": {"deviceId": device, "deviceIdFirstView": "true", "userId": user},
        **more,
    }


LINES = [
    row(1, START, "d1", view={"pageType": "home"}),
    row(2, START + 60_000, "d1", "ana", purchase={"orderNumber": "T1", "total": 30.5, "currency": "EUR"}),
    row(3, START + 90_000, "d2", view={"pageType": "item"}),
    row(4, START + 95_000, "d2", preference={"sku1": "like"}),
]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "shop")


def test_people_events_and_orders_are_those_there_were(project: Project, tmp_path: Path) -> None:
    report = project.load(write_lines(tmp_path / "a.jsonl", LINES))
    assert report.vendor == "algonomy"
    names = rows_of(project, "SELECT name FROM events ORDER BY ts")
    assert [one["name"] for one in names] == ["view", "purchase", "view", "preference"]
    assert len(rows_of(project, "SELECT DISTINCT customer_id FROM events")) == 2
    assert rows_of(project, "SELECT order_id, revenue, currency FROM orders") == [
        {"order_id": "T1", "revenue": 30.5, "currency": "EUR"}
    ]
    assert "secret" not in str(rows_of(project, "SELECT * FROM events"))


@pytest.mark.requirement("D20")
def test_lines_that_come_again_add_nothing(project: Project, tmp_path: Path) -> None:
    project.load(write_lines(tmp_path / "a.jsonl", [*LINES, *LINES]))
    once = counts(project)
    assert once["events"] == len(LINES)
    project.load(write_lines(tmp_path / "b.jsonl", [*LINES[2:], row(5, START + 99_000, "d3", view={})]))
    assert counts(project)["events"] == len(LINES) + 1


def test_each_row_that_cannot_be_used_is_named_by_its_line(project: Project, tmp_path: Path) -> None:
    lines = [*LINES, row(6, None, "d1"), row(7, START, None), '{"datetime": ']
    report = project.load(write_lines(tmp_path / "a.jsonl", lines))
    assert sorted({rejection.line for rejection in report.rejected}) == [5, 6, 7]
