"""Kissmetrics' data export, from its lines to the people behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.vendors.files import counts, rows_of, write_lines
from workbench import Project

START = 1_772_352_000
UNKNOWN = "5tyjk0zrrtnz5xdmcjzhso4bdyau="
OTHER = "9TYjk0zrrtnz5xdmcjzhso4bdyau="


def row(person: str | None, time: int | None, name: str | None = None, **properties: Any) -> dict[str, Any]:
    """A line of a revision."""
    named = {} if name is None else {"_n": name}
    return {"_p": person, "_t": time, **named, **properties}


REVISION = [
    row(UNKNOWN, START, "Visited Site", **{"Campaign Source": "google", "url": "https://shop.example/a?x=1"}),
    row(UNKNOWN, START + 60, _p2="ana@example.com"),
    row("ana@example.com", START + 120, "Purchased", **{"Order ID": "T1", "Order Total": "19.90"}),
    row("ana@example.com", START + 180, **{"Plan Name": "gold"}),
    row("ben", START, "Visited Site"),
    row("ben", START + 60, "Viewed Product", Item="s1"),
    row("ben", START + 60, "Viewed Product", Item="s2"),
    row("ben", START + 60, "Viewed Product", Item="s2"),
    row("ben", START + 120, "Billed", **{"Billing Amount": 5}),
]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "shop")


@pytest.mark.requirement("D07")
def test_people_events_and_money_are_those_there_were(project: Project, tmp_path: Path) -> None:
    report = project.load(write_lines(tmp_path / "1.json", REVISION))
    assert report.vendor == "kissmetrics"
    found = rows_of(
        project,
        """SELECT first(name ORDER BY events.ts) AS came, count(*) AS n, any_value(revenue) AS paid
           FROM events LEFT JOIN orders USING (customer_id) GROUP BY customer_id ORDER BY n""",
    )
    assert [(one["came"], one["n"], one["paid"]) for one in found] == [
        ("Visited Site", 3, 19.9),
        ("Visited Site", 4, 5.0),
    ]


@pytest.mark.requirement("D20")
def test_a_revision_that_overlaps_adds_only_what_is_new(project: Project, tmp_path: Path) -> None:
    project.load(write_lines(tmp_path / "1.json", REVISION))
    once = counts(project)
    project.load(write_lines(tmp_path / "1.json", REVISION))
    assert counts(project) == once
    new = row("ben", START + 999, "Came Back", **{"A property of its own": "yes"})
    project.load(write_lines(tmp_path / "2.json", [*reversed(REVISION[4:]), new]))
    assert counts(project)["events"] == once["events"] + 1


@pytest.mark.parametrize("turned", [False, True])
def test_two_browsers_of_one_person_are_one_customer(project: Project, tmp_path: Path, turned: bool) -> None:
    ties = [(UNKNOWN, "ana"), (OTHER, "ana")]
    rows = [row(person, START, "Visited Site") for person in (UNKNOWN, OTHER, "ana")]
    rows += [
        row(*(tie[::-1] if turned else tie)[:1], START + 9, _p2=(tie[::-1] if turned else tie)[1])
        for tie in ties
    ]
    project.load(write_lines(tmp_path / "1.json", rows))
    assert len(rows_of(project, "SELECT DISTINCT customer_id FROM events")) == 1


def test_a_tie_that_comes_in_a_later_revision_reaches_back(project: Project, tmp_path: Path) -> None:
    project.load(write_lines(tmp_path / "1.json", [row(UNKNOWN, START, "A"), row("ana", START, "B")]))
    assert len(rows_of(project, "SELECT DISTINCT customer_id FROM events")) == 2
    project.load(write_lines(tmp_path / "2.json", [row("ana", START + 5, _p2=UNKNOWN)]))
    assert len(rows_of(project, "SELECT DISTINCT customer_id FROM events")) == 1


def test_each_row_that_cannot_be_used_is_named_by_its_line(project: Project, tmp_path: Path) -> None:
    lines = [
        row("a", START, "A"),
        row(None, START, "A"),
        row("a", None, "A"),
        '{"_p": "a", "_t"',
        row("a", START),
    ]
    report = project.load(write_lines(tmp_path / "1.json", lines))
    assert sorted({rejection.line for rejection in report.rejected}) == [2, 3, 4]


def test_properties_are_kept_and_people_are_not_named(project: Project, tmp_path: Path) -> None:
    project.load(write_lines(tmp_path / "1.json", REVISION))
    rows = rows_of(project, "SELECT * FROM events ORDER BY ts")
    assert "gold" in {one["Plan Name"] for one in rows}
    assert ("https://shop.example/a", "google") in {(one["page"], one["source"]) for one in rows}
    assert "ana@" not in str(rows)


def test_properties_may_have_any_name(project: Project, tmp_path: Path) -> None:
    odd = {name: f"is {name}" for name in ("p", "raw", "read", "found", "kind", 'a "quoted" one', "ñandú")}
    project.load(write_lines(tmp_path / "1.json", [row("a", START, "A", **odd), row("b", START, "B")]))
    rows = rows_of(project, "SELECT * FROM events ORDER BY name")
    assert {name: rows[0][name] for name in odd} == odd
