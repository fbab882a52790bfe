"""Days that are missing are found, and days that are empty by chance are not taken for missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.tables.checking import START, Memory, alarms, checked, orders_on, times
from workbench.tables.checks.coverage import coverage, drops, gaps

FIRST = (START.date() - date(1970, 1, 1)).days
CLOSED_ON_SUNDAYS = np.array([1.0, 1.0, 1.0, 1.2, 1.5, 0.8, 0.0])  # 6 January 2025 is a Monday


def day(place: int) -> date:
    return START.date() + timedelta(days=place)


def stretches(found: Any) -> list[tuple[date, date]]:
    return [(one.first, one.last) for one in found]


# --- the calendar ---------------------------------------------------------------------------------------


@pytest.mark.requirement("D17")
def test_days_are_counted_on_the_shops_clock_and_empty_ones_are_there() -> None:
    moments = [datetime(2026, 3, 28, 22, 59), datetime(2026, 3, 28, 23, 1), datetime(2026, 3, 30, 21, 59)]
    moments += [datetime(2026, 3, 30, 22, 1)]  # summer time began on the 29th: midnight is at 22:00 UTC
    orders = {"customer_id": ["a"] * 4, "ts": pa.array(moments, pa.timestamp("us"))}
    found = coverage(Memory(orders=orders), "orders", "Europe/Madrid", datetime(2026, 6, 1))
    assert found == [
        (date(2026, 3, 28), 1),
        (date(2026, 3, 29), 1),
        (date(2026, 3, 30), 1),
        (date(2026, 3, 31), 1),
    ]
    utc = coverage(Memory(orders=orders), "orders", "UTC", datetime(2026, 6, 1))
    assert utc == [(date(2026, 3, 28), 2), (date(2026, 3, 29), 0), (date(2026, 3, 30), 2)]


def test_the_calendar_holds_every_row_once() -> None:
    counts = np.random.default_rng(0).poisson(3.0, 200)
    counts[[0, -1]] = 1
    found = coverage(Memory(orders=orders_on(counts, np.random.default_rng(1))), "orders")
    assert [rows for _day, rows in found] == counts.tolist()
    assert [when for when, _rows in found] == [day(place) for place in range(200)]


def test_the_stretch_of_time_is_said_with_its_days() -> None:
    found = checked(orders=orders_on([1, 0, 2], np.random.default_rng(0)))["orders.coverage"]
    assert str(found.detail) == "orders: from 6 Jan 2025 to 8 Jan 2025, 3 days."


# --- gaps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.43, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("days", [60, 365])
def test_chance_alone_seldom_makes_a_gap(rate: float, days: int) -> None:
    """The alarm is set for one series in a hundred; of 100 without a fault at most 4 may raise it."""
    rng = np.random.default_rng(int(1000 * rate) + days)
    false = sum(bool(gaps(rng.poisson(rate, days).astype(float), FIRST)) for _ in range(100))
    assert false <= 4


@pytest.mark.parametrize("rate", [2.0, 20.0])
def test_events_that_come_in_bunches_seldom_make_a_gap(rate: float) -> None:
    """Visits of five events on average: there are five times fewer of them than events."""
    rng = np.random.default_rng(int(rate))
    false = 0
    for _ in range(60):
        days = np.array(
            [rng.geometric(0.2, visits).sum() for visits in rng.poisson(rate / 5, 180)], dtype=float
        )
        false += bool(gaps(days, FIRST))
    assert false <= 3


def test_closed_days_and_a_slow_season_are_no_gap() -> None:
    rng = np.random.default_rng(3)
    season = 1 + 0.6 * np.sin(np.arange(364) / 58)
    for _ in range(30):
        days = rng.poisson(12 * np.resize(CLOSED_ON_SUNDAYS, 364) * season).astype(float)
        assert gaps(days, FIRST) == []
        assert drops(days, FIRST) == []


@pytest.mark.requirement("D17")
@pytest.mark.parametrize("rate", [20, 2_000])
def test_an_outage_of_two_days_is_found_to_the_day(rate: int) -> None:
    rng = np.random.default_rng(rate)
    for _ in range(20):
        days = rng.poisson(rate * np.resize(CLOSED_ON_SUNDAYS, 182)).astype(float)
        days[101:103] = 0  # a Thursday and a Friday
        assert stretches(gaps(days, FIRST)) == [(day(101), day(102))]


def test_a_month_without_rows_is_found_in_a_shop_of_three_orders_a_week() -> None:
    days = np.random.default_rng(4).poisson(3 / 7, 365).astype(float)
    days[150:195] = 0
    ((first, last),) = stretches(gaps(days, FIRST))
    assert first <= day(150)
    assert last >= day(194)


def test_a_day_that_is_missing_from_a_row_a_day_is_found() -> None:
    days = np.ones(365)
    days[200] = 0
    assert stretches(gaps(days, FIRST)) == [(day(200), day(200))]


@pytest.mark.requirement("D17")
def test_orders_that_end_before_the_events_do_are_missing() -> None:
    rng = np.random.default_rng(5)
    events = {**orders_on([50] * 90, rng), "name": ["page_view"] * 4_500}
    events["event_id"] = events.pop("order_id")
    del events["revenue"]
    assert checked(orders=orders_on([50] * 90, rng), events=events)["orders.gaps"].status == "ok"
    found = checked(orders=orders_on([50] * 80, rng), events=events)["orders.gaps"]
    assert (found.status, found.count) == ("warn", 9)  # of the last of the ten, events may be cut too
    assert found.examples == (f"{day(80)} – {day(88)}",)


@pytest.mark.requirement("D17")
def test_a_kind_of_event_that_goes_missing_is_named() -> None:
    rng = np.random.default_rng(6)
    kinds = {"page_view": 100, "purchase": 8}
    days = np.concatenate([np.repeat(np.arange(120), count) for count in kinds.values()])
    names = np.repeat(list(kinds), [120 * count for count in kinds.values()])
    kept = ~((names == "purchase") & (days >= 40) & (days < 60))
    events = {
        "event_id": [str(number) for number in range(int(kept.sum()))],
        "customer_id": [str(number % 700) for number in range(int(kept.sum()))],
        "ts": times(days[kept] * 86_400 + rng.integers(0, 86_400, int(kept.sum()))),
        "name": names[kept].tolist(),
    }
    found = checked(events=events)
    assert found["events.gaps"].status == "ok"
    assert (found["events.names"].status, found["events.names"].count) == ("warn", 1)
    assert found["events.names"].examples == (f"purchase: {day(40)} – {day(59)}",)


# --- drops ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [120, 365])
def test_chance_and_a_slow_decline_make_no_drop(days: int) -> None:
    rng = np.random.default_rng(days)
    false = 0
    for _ in range(40):
        false += bool(drops(rng.poisson(rng.gamma(10, 3, days)).astype(float), FIRST))
        false += bool(drops(rng.poisson(60 * np.exp(-np.arange(days) / 90)).astype(float), FIRST))
    assert false <= 2


@pytest.mark.requirement("D17")
@pytest.mark.parametrize("rate", [20, 500])
def test_a_part_of_the_tracking_that_is_lost_is_found_where_it_began(rate: int) -> None:
    rng = np.random.default_rng(rate)
    for _ in range(10):
        days = rng.poisson(rate * np.resize(CLOSED_ON_SUNDAYS, 182)).astype(float)
        days[119:] = np.floor(days[119:] * 0.3)
        found = drops(days, FIRST)
        assert found
        assert abs((found[0].first - day(119)).days) <= (3 if rate == 20 else 1)  # a low day may precede it
        assert 0.2 < found[0].rows / found[0].expected < 0.45


def test_the_end_of_a_busy_season_is_no_drop() -> None:
    rng = np.random.default_rng(7)
    days = rng.poisson(100, 300).astype(float)
    days[220:240] = rng.poisson(400, 20)
    assert drops(days, FIRST) == []


# --- ends, the future, strays, lateness ------------------------------------------------------------------


def test_a_last_day_that_was_cut_is_told_apart() -> None:
    rng = np.random.default_rng(8)
    whole = orders_on([200] * 40, rng)
    assert "orders.last_day" not in checked(orders=whole)
    cut = pa.table(whole).filter(pa.compute.field("ts") < START + timedelta(days=39, hours=11))
    found = checked(orders=cut)
    assert alarms(found) == set()
    assert "14 Feb 2025" in str(found["orders.last_day"].detail)
    assert found["orders.last_day"].count == pytest.approx(200 * 12 / 16, rel=0.1)  # open from 7 to 23


def test_times_in_the_future_are_counted_and_end_no_calendar() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    ts = pa.array([datetime(2026, 5, 31, 23, 59, 59), datetime(2026, 6, 1, 0, 0, 1)], pa.timestamp("us"))
    found = checked(orders={"customer_id": ["a", "b"], "ts": ts}, now=now)
    assert (found["orders.future"].status, found["orders.future"].count) == ("warn", 1)
    assert found["orders.future"].examples == ("2026-06-01 00:00 UTC",)
    assert found["orders.coverage"].count == 1


def test_a_row_of_the_wrong_year_is_no_gap_of_years() -> None:
    rows = pa.table(orders_on([30] * 60, np.random.default_rng(9)))
    lost = rows.slice(0, 1).set_column(2, "ts", pa.array([datetime(1970, 1, 1)], pa.timestamp("us")))
    found = checked(orders=pa.concat_tables([rows, lost.set_column(0, "order_id", pa.array(["x"]))]))
    assert alarms(found) == {"orders.strays"}
    assert (found["orders.strays"].count, found["orders.strays"].examples) == (1, ("1970-01-01",))
    assert found["orders.coverage"].count == 60


def test_lateness_is_said_where_a_system_noted_when_it_received_a_row() -> None:
    happened = np.arange(400) * 3_600.0
    delay = np.where(np.arange(400) < 40, 4 * 86_400, 60)
    delay[-20:] = -1_000
    events = {
        "event_id": [str(number) for number in range(400)],
        "customer_id": ["a"] * 400,
        "ts": times(happened),
        "name": ["page_view"] * 400,
    }
    assert "events.late" not in checked(events=events)
    found = checked(events={**events, "received_at": times(happened + delay)})
    assert (found["events.late"].status, found["events.late"].count) == ("warn", 40)
    assert (found["events.device_clock"].status, found["events.device_clock"].count) == ("warn", 20)
