"""What the loaded data are worth: checks, days, metrics, consent, and one person's data."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta
from html import escape
from pathlib import Path

import pytest

from tests.screens.loads import loaded, messy_file, page_of, rows_of
from tests.screens.pages import charts, control, words
from workbench import Project
from workbench.demo import samples_folder
from workbench.engines import fetch, table
from workbench.screens.loading import LoadState


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """A file with faults and a question."""
    return messy_file(tmp_path)


# --- what the project holds -----------------------------------------------------------------------------


@pytest.mark.requirement("D17")
@pytest.mark.requirement("D19")
def test_the_page_says_whether_the_data_can_be_trusted_and_what_they_allow(own_shop: Project) -> None:
    state = LoadState(own_shop)
    state.wait()
    page = page_of(state)
    said = words(page)
    failing = [check for check in state.checks.held.findings if check.status != "ok"]
    assert f"checks made: {len(state.checks.held.findings)}" in said
    order = [("fail", "warn", "ok").index(check.status) for check in state.checks.held.findings]
    assert order == sorted(order)
    for check in failing:
        assert escape(str(check.detail)) in said
    able = {one.metric.name for one in state.checks.held.ready if one.light != "missing"}
    assert {"effect.conversion", "lifetime_value"} <= able
    assert "Effect from the totals of each variant" in said
    assert "Needs the table summaries." in said
    daily = {one.table: one.days for one in state.checks.held.coverage}
    assert sum(rows for _, rows in daily["orders"]) == rows_of(own_shop, "orders")
    drawn = [chart for chart in charts(page) if chart.chart is not None]
    assert len(drawn) == len(daily)
    assert all(chart.description for chart in drawn)


@pytest.mark.requirement("D17")
def test_a_gap_jumps_out_of_the_calendar(empty_shop: Project, tmp_path: Path) -> None:
    first = date(2026, 1, 1)
    gap = {date(2026, 3, 10), date(2026, 3, 11), date(2026, 3, 12)}
    days = [first + timedelta(days=number) for number in range(120)]
    lines = [
        f"e{day:%m%d}{hour},c{hour},{day}T{hour:02}:30:00,view"
        for day in days
        if day not in gap
        for hour in range(8, 22)
    ]
    file = tmp_path / "events.csv"
    file.write_text("\n".join(["event_id,customer_id,ts,name", *lines]))
    state = LoadState(empty_shop)
    page = page_of(state)
    state.look([file])
    loaded(state)
    state.wait()
    assert "events: a gap from 10 Mar 2026 to 12 Mar 2026" in words(page)
    (chart,) = [chart for chart in charts(page) if chart.chart is not None]
    assert "on 117 of 120 days" in chart.description
    kinds = [row["kind"] for row in chart.spec["data"]["values"]]
    assert (kinds.count("gap"), kinds.count("rows"), kinds.count("none")) == (3, 117, 0)


@pytest.mark.requirement("G06")
def test_only_what_people_agreed_to_is_analysed_and_how_much_that_leaves_is_said(
    own_shop: Project, tmp_path: Path
) -> None:
    file = tmp_path / "consents.csv"
    orders = own_shop.frame("orders")
    people = sorted(set((samples_folder() / "shop" / "customers.csv").read_text().split("\n")[1:]))
    names = [line.split(",")[0] for line in people if line]
    given = [f"{name},analytics,true,2020-01-01" for name in names[::2]]
    refused = [f"{name},analytics,false,2020-01-01" for name in names[1::2]]
    file.write_text("\n".join(["customer_id,purpose,granted,ts", *given, *refused]))
    state = LoadState(own_shop)
    page = page_of(state)
    state.look([file])
    assert state.holds == "consents"
    loaded(state)
    state.wait()
    pick = control(page, "Consent")
    assert list(pick.options) == ["everybody", "who agreed to “analytics”"]
    pick.index = 1
    state.wait()
    assert Project.open(own_shop.path).settings.consent_purpose == "analytics"
    share = state.checks.held.shares["orders"]
    assert share.rows == len(orders)
    assert 0 < share.rows_kept < share.rows
    assert rows_of_engine(own_shop, "orders") == share.rows_kept
    pick.index = 0
    assert own_shop.settings.consent_purpose is None


def rows_of_engine(project: Project, name: str) -> int:
    """Rows of a table that an analysis sees."""
    rows = table(project.engine, name)
    return int(fetch(project.engine, rows.aggregate(n=rows.count()))[0]["n"])


# --- one person -----------------------------------------------------------------------------------------


@pytest.mark.requirement("G04")
def test_one_person_is_exported_and_erased_only_after_a_second_word(empty_shop: Project, messy: Path) -> None:
    state = LoadState(empty_shop)
    state.look([messy])
    loaded(state)
    page = page_of(state)
    people = state.people
    people.identifier = "nobody"
    assert people.export() is None
    assert "Nothing is known of that person here" in str(people.problem)
    people.identifier = "c1"
    made = people.export()
    assert made is not None
    with zipfile.ZipFile(io.BytesIO(made[1])) as archive:
        assert archive.namelist() == ["orders.csv"]
        assert len(archive.read("orders.csv").decode().strip().split("\n")) == 2
    people.erase()
    assert rows_of(empty_shop, "orders") == 2
    control(page, "Erase them …").click()
    control(page, "Keep them").click()
    people.erase()
    assert rows_of(empty_shop, "orders") == 2
    control(page, "Erase them …").click()
    control(page, "Erase for good").click()
    assert rows_of(empty_shop, "orders") == 1
    state.wait()
    assert "Rows that were erased for good: 1 of orders." in words(page)
    assert [entry.action for entry in people.entries][:2] == ["erase", "export"]
    assert {table.name: table.rows for table in state.checks.held.tables} == {"orders": 1}
