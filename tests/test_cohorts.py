"""Cohorts from tables: cells by hand, who has lived through an age, what is to come, and who differs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbench import Project
from workbench.analyses.cohort_days import begin_of, days_until
from workbench.charts import cohorts as charts
from workbench.errors import DataError, WorkbenchError
from workbench.locale import Texts
from workbench.metrics.cohorts import AGES
from workbench.screens.cohorting import CohortsState

TIME = pa.timestamp("us")
CDNOW = Path(__file__).parents[1] / "data" / "samples" / "cdnow" / "cdnow.csv"


def shop(folder: Path, orders: Sequence[tuple[str, str, float, float | None]]) -> Project:
    """A project of orders: customer, day, revenue, margin; customers A… are of Spain, the others of Italy."""
    project = Project.create(folder)
    rows = {
        "order_id": [str(i) for i in range(len(orders))],
        "customer_id": [row[0] for row in orders],
        "ts": pa.array([datetime.fromisoformat(row[1]) for row in orders], TIME),
        "revenue": [row[2] for row in orders],
        "margin": pa.array([row[3] for row in orders], pa.float64()),
    }
    people = sorted({row[0] for row in orders})
    customers = {
        "customer_id": people,
        "country": ["ES" if one.startswith("A") else "IT" for one in people],
        "signed_up": pa.array([datetime(2025, 1, 1)] * len(people), TIME),
    }
    project.commit({"orders": pa.table(rows), "customers": pa.table(customers)})
    return project


BY_HAND = [
    ("A1", "2025-01-06", 10.0, None),  # a Monday
    ("A1", "2025-01-08", 5.0, None),  # age 0
    ("A1", "2025-01-14", 20.0, None),  # age 1
    ("A2", "2025-01-08", 30.0, None),
    ("A2", "2025-01-22", -30.0, None),  # a credit at age 2 is no order
    ("B1", "2025-01-13", 40.0, None),
    ("B1", "2025-01-21", 8.0, None),  # age 1
    ("B1", "2025-01-31", 0.0, None),  # the last day: age 2, not lived through
]


@pytest.mark.requirement("H01")
def test_cells_by_hand(tmp_path: Path) -> None:
    """Ages are counted from each customer's own first day; a credit takes money and is no purchase."""
    found = shop(tmp_path / "s", BY_HAND).cohorts(period="week")
    first, second = found.summary.cohorts
    assert (first.name, first.customers, second.name, second.customers) == ("2025-01-06", 2, "2025-01-13", 1)
    cells = [(cell.age, cell.customers, cell.active, cell.orders, cell.revenue) for cell in first.cells]
    # A1 has lived 26 days, A2 24: both through age 2, neither through age 3
    assert cells == [(0, 2, 2, 3, 45.0), (1, 2, 1, 1, 20.0), (2, 2, 0, 0, -30.0)]
    assert [cell.value for cell in first.cells] == [22.5, 32.5, 17.5]
    assert [(cell.age, cell.active) for cell in second.cells] == [(0, 1), (1, 1)]
    assert not any(one.running for one in found.summary.cohorts)


def test_who_has_not_lived_so_long_is_not_counted(tmp_path: Path) -> None:
    """Of two customers of one month one has lived a month: the cell is of that one and says so."""
    orders = [
        *[("A1", "2025-01-01", 1.0, None), ("A1", "2025-02-10", 3.0, None)],
        *[("A2", "2025-01-30", 1.0, None), ("A2", "2025-02-10", 5.0, None), ("A2", "2025-03-05", 9.0, None)],
    ]
    (january,) = shop(tmp_path / "s", orders).cohorts(period="month").summary.cohorts
    assert [(cell.age, cell.customers, cell.whole) for cell in january.cells] == [(0, 2, True), (1, 1, False)]
    assert (january.cells[1].active, january.cells[1].revenue) == (1, 3.0)


def test_the_same_by_pandas_on_cdnow(tmp_path: Path) -> None:
    """Active customers and revenue of every cell, counted another way."""
    project = Project.create(tmp_path / "cdnow", currency="USD")
    project.load(CDNOW)
    orders = pd.read_csv(CDNOW, parse_dates=["date"])
    first = orders.groupby("customer_id")["date"].transform("min")
    days = (orders["date"] - first).dt.days
    orders["age"] = (days * 16) // 487
    orders["begin"] = first.dt.to_period("M").dt.start_time.dt.date.astype(str)
    length = days_until(0, "month")
    assert length == 31
    found = project.cohorts(period="month", project_periods=0)
    assert [one.customers for one in found.summary.cohorts] == [781, 857, 719]
    end = orders["date"].max()
    for one in found.summary.cohorts:
        for cell in one.cells:
            lived = first + pd.to_timedelta(days_until(cell.age, "month"), "D") <= end + pd.Timedelta(days=1)
            chosen = orders[lived & (orders["begin"] == one.name) & (orders["age"] == cell.age)]
            assert cell.active == chosen["customer_id"].nunique()
            assert cell.revenue == pytest.approx(chosen["amount"].sum())


@pytest.mark.requirement("V07")
def test_what_is_to_come_came(tmp_path: Path) -> None:
    """CDNOW until September 1997: nine months later each cohort had brought about what was foretold."""
    project = Project.create(tmp_path / "cdnow", currency="USD")
    project.load(CDNOW)
    before = project.cohorts(until=date(1997, 9, 30), project_periods=9)
    after = project.cohorts(project_periods=0)
    for then, now in zip(before.summary.cohorts, after.summary.cohorts, strict=True):
        expected = then.ahead[-1].value - then.ahead[0].value
        came = (now.cells[-1].value or 0.0) - then.ahead[0].value
        assert 0.7 < expected / came < 1.3
        low, high = then.ahead[-1].interval
        assert low < then.ahead[-1].value < high
        values = [point.value for point in then.ahead]
        assert values == sorted(values)


@pytest.mark.requirement("H02")
def test_two_cohorts_are_compared_at_one_age_with_an_interval(tmp_path: Path) -> None:
    """Cohorts of one kind differ by nothing four times in five with 80 %; a dearer one is found."""
    rng = np.random.default_rng(8)
    inside = 0
    for run in range(12):
        orders = [
            (
                f"A{i}",
                str(date(2025, 1 + month, 1) + timedelta(days=int(rng.integers(25)))),
                float(money),
                None,
            )
            for month in (0, 1)
            for i, money in zip(range(300 * month, 300 * month + 300), rng.gamma(2, 10, 300), strict=True)
        ]
        orders.append(("A0", "2025-06-30", 0.0, None))
        found = shop(tmp_path / str(run), orders).cohorts(age=0, project_periods=0, level=0.8)
        assert found.summary.difference is not None
        assert found.summary.difference.customers == (300, 300)
        inside += found.summary.difference.interval[0] < 0 < found.summary.difference.interval[1]
    assert 6 <= inside <= 12  # 9.6 expected; fewer than 6 once in a hundred
    dearer = [(who, day, 2 * money if day >= "2025-02" else money, None) for who, day, money, _ in orders]
    found = shop(tmp_path / "dearer", dearer).cohorts(age=0, project_periods=0)
    assert found.summary.difference is not None
    assert found.summary.difference.interval[0] > 0
    assert found.summary.difference.word == "association"


@pytest.mark.requirement("H03")
def test_cohorts_by_a_column_and_what_cohorts_are_made_of(tmp_path: Path) -> None:
    project = shop(tmp_path / "s", BY_HAND)
    by_country = project.cohorts(period="week", by="country")
    assert [(one.name, one.customers) for one in by_country.summary.cohorts] == [("ES", 2), ("IT", 1)]
    mixed = project.cohorts(period="week", mix_by="country")
    assert [one.mix for one in mixed.summary.cohorts] == [{"ES": 2}, {"IT": 1}]
    signed = project.cohorts(period="week", start="signed_up")
    assert [(one.name, one.customers) for one in signed.summary.cohorts] == [("2024-12-30", 3)]


def test_a_margin_that_orders_carry_is_used(tmp_path: Path) -> None:
    orders = [
        ("A1", "2025-01-01", 10.0, 4.0),
        ("A2", "2025-01-01", 10.0, 2.0),
        ("A1", "2025-03-01", 0.0, 0.0),
    ]
    (january,) = shop(tmp_path / "s", orders).cohorts(project_periods=0).summary.cohorts
    assert january.cells[0].value == 3.0
    half = [(*row[:3], None) for row in orders]
    (january,) = shop(tmp_path / "h", half).cohorts(project_periods=0, margin=0.5).summary.cohorts
    assert january.cells[0].value == 5.0


@pytest.mark.parametrize("period", AGES)
def test_periods_of_the_calendar(period: str) -> None:
    """Every day is in the period that begins on or before it; weeks begin on Monday."""
    for day in (date(2024, 12, 31), date(2025, 3, 1), date(2025, 11, 30)):
        begin = begin_of(day, period)  # type: ignore[arg-type]
        assert begin <= day
        assert begin_of(begin, period) == begin  # type: ignore[arg-type]
    assert begin_of(date(2025, 1, 1), "week").weekday() == 0
    assert begin_of(date(2025, 12, 5), "quarter") == date(2025, 10, 1)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="orders"):
        Project.create(tmp_path / "e").cohorts()
    project = shop(tmp_path / "s", BY_HAND)
    with pytest.raises(DataError, match="no column “planet”"):
        project.cohorts(by="planet")
    with pytest.raises(DataError, match="begins with"):
        project.cohorts(start="birth")
    with pytest.raises(DataError, match="no cohort “2030-01-01”"):
        project.cohorts(compare=("2030-01-01", "2025-01-06"), period="week")
    with pytest.raises(DataError, match="lived through age"):
        project.cohorts(compare=("2025-01-13", "2025-01-06"), period="week", age=9)
    with pytest.raises(WorkbenchError, match="period"):
        project.cohorts(period="decade")


def test_the_screen_follows_its_controls(tmp_path: Path) -> None:
    project, t = shop(tmp_path / "s", BY_HAND), Texts("en")
    state = CohortsState(project)
    assert state.record is not None
    state.period = "week"
    assert state.names == ["2025-01-06", "2025-01-13"]
    grid, value = charts.pictures(state.record, "active", t)
    assert grid.title == "66.7 % of customers bought again at age 1"
    assert value.description
    state.first, state.second = state.names
    assert state.record.summary.difference is None  # one customer has no spread
    state.period = "month"
    assert state.first is None
    state.period = "day"
    assert state.first is None
    assert state.problem is None
    rows = charts.cell_rows(state.record, "revenue", t)
    assert rows[0]["Customers"] == "1"
