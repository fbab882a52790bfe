"""Google Analytics 4, from its export to a metric."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vendors import ga4
from tests.vendors.files import arms, counts, rows_of, write_lines, write_parquet
from workbench import Project

BROKEN = '{"event_timestamp": "1772352000000000", "event_name": '


@pytest.fixture(params=["parquet", "lines"])
def export(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """Two days, and the same days three days later, as BigQuery writes them."""
    rows, late, _ = ga4.shop()
    wrong = [ga4.event("3.3", None, "page_view"), ga4.event(None, ga4.START, "page_view")]
    if request.param == "parquet":
        return (
            write_parquet(tmp_path / "events_1.parquet", rows + wrong, ga4.SCHEMA),
            write_parquet(tmp_path / "events_2.parquet", rows[50:] + late, ga4.SCHEMA),
        )
    lines = [ga4.as_json(row) for row in rows + wrong]
    return (
        write_lines(tmp_path / "events_1.json", [*lines, BROKEN]),
        write_lines(tmp_path / "events_2.json", [ga4.as_json(row) for row in rows[50:] + late]),
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "shop", timezone="Europe/Madrid")


@pytest.mark.requirement("D07", "D20")
def test_people_buyers_and_money_are_those_there_were_however_often_a_day_is_loaded(
    project: Project, export: tuple[Path, Path]
) -> None:
    rows, late, truth = ga4.shop()
    report = project.load(export[0])
    assert report.vendor == "ga4"
    wrong = {len(rows) + 1, len(rows) + 2} | ({len(rows) + 3} if export[0].suffix == ".json" else set())
    assert {one.line for one in report.rejected if one.line > len(rows)} == wrong
    once = counts(project)
    project.load(export[0])
    assert counts(project) == once
    project.load(export[1])
    assert counts(project)["events"] == once["events"] + len(late)
    assert counts(project)["orders"] == once["orders"] + len(late) == len(truth.spent)
    assert arms(project, ga4.EXPERIMENT, "conversion", window_days=1) == truth.arms(money=False)
    assert arms(project, ga4.EXPERIMENT, "revenue", window_days=1) == truth.arms(money=True)
    sold = rows_of(project, "SELECT sku, sum(quantity) AS pieces FROM order_items GROUP BY sku")
    assert {row["sku"]: row["pieces"] for row in sold} == truth.sold
    assert rows_of(project, "SELECT count(DISTINCT session_id) AS n FROM events")[0]["n"] == truth.sessions


def test_both_forms_of_the_export_are_the_same_events(tmp_path: Path) -> None:
    rows = ga4.shop()[0][:40]
    project = Project.create(tmp_path / "shop")
    project.load(write_parquet(tmp_path / "events.parquet", rows, ga4.SCHEMA))
    once = counts(project)
    project.load(write_lines(tmp_path / "events.json", [ga4.as_json(row) for row in rows]))
    assert counts(project) == once


def test_events_keep_what_they_carry_but_not_who_somebody_is_and_visitors_their_first_click(
    project: Project, tmp_path: Path
) -> None:
    rows, _, truth = ga4.shop()
    project.load(write_lines(tmp_path / "events.json", map(ga4.as_json, rows)))
    event = rows_of(project, "SELECT * FROM events WHERE name = 'page_view' ORDER BY ts LIMIT 1")[0]
    assert (event["page"], event["member"], event["platform"]) == ("https://shop.example/p/0", "none", "WEB")
    assert not {"page_location", "user_pseudo_id", "user_id"} & set(event)
    start = rows_of(project, "SELECT source, medium FROM events WHERE name = 'session_start' LIMIT 1")[0]
    assert start == {"source": "newsletter", "medium": "email"}
    people = rows_of(project, "SELECT DISTINCT country, city, source, medium, campaign FROM customers")
    assert people == [
        {"country": "ES", "city": None, "source": "google", "medium": "cpc", "campaign": "spring"}
    ]
    assert counts(project)["customers"] == len(truth.arm)
    devices = rows_of(project, "SELECT DISTINCT device FROM customers ORDER BY device")
    assert [row["device"] for row in devices] == ["desktop", "mobile"]


def test_a_device_that_two_people_share_does_not_make_one_of_them(project: Project, tmp_path: Path) -> None:
    at, minute = ga4.START, 60_000_000
    rows = [
        ga4.event("9.9", at, "page_view"),
        ga4.event("9.9", at + minute, "login", "ana"),
        ga4.event("9.9", at + 2 * minute, "login", "ben"),
        ga4.event("9.9", at + 3 * minute, "page_view"),
    ]
    project.load(write_lines(tmp_path / "events.json", map(ga4.as_json, rows)))
    seen = rows_of(project, "SELECT customer_id, count(*) AS n FROM events GROUP BY customer_id")
    assert sorted(row["n"] for row in seen) == [1, 3]


def test_consent_is_kept_where_it_changes(project: Project, tmp_path: Path) -> None:
    at, minute = ga4.START, 60_000_000
    states = ["Unset", "Yes", "Yes", "No", "Yes"]
    rows = [
        ga4.event("9.9", at + i * minute, "scroll", privacy_info={"analytics_storage": state})
        for i, state in enumerate(states)
    ]
    project.load(write_lines(tmp_path / "events.json", map(ga4.as_json, rows)))
    kept = rows_of(project, "SELECT purpose, granted FROM consents ORDER BY ts")
    assert [(row["purpose"], row["granted"]) for row in kept] == [
        ("analytics_storage", granted) for granted in (True, False, True)
    ]


def test_a_refund_is_of_its_order(project: Project, tmp_path: Path) -> None:
    bought = ga4.purchase("9.9", ga4.START, None, "T1", [("s1", 2, 10.0)])
    refunded = ga4.event(
        "9.9", ga4.START + ga4.DAY, "refund", ecommerce={"transaction_id": "T1", "refund_value": 10.0}
    )
    project.load(write_lines(tmp_path / "events.json", map(ga4.as_json, [bought, refunded])))
    orders = rows_of(project, "SELECT order_id, revenue, refund, currency FROM orders")
    assert orders == [{"order_id": "T1", "revenue": 20.0, "refund": 10.0, "currency": "EUR"}]
