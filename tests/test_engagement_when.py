"""When people come, and what becomes of carts: against plain loops, planted truths, and in other SQL."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pytest
import sqlglot

from tests.tables.checking import Memory
from tests.visits import START, Rows, at, project, typed, wander
from workbench.analyses.carts import Carts
from workbench.analyses.estimates import Needs
from workbench.analyses.hours import Hours
from workbench.charts.carts import carts_picture, step_rows
from workbench.charts.hours import hour_rows, hours_picture
from workbench.clock import offsets
from workbench.engines import fetch, table
from workbench.locale import Texts
from workbench.metrics import carts, hours
from workbench.metrics import engagement as sums

MADRID = ZoneInfo("Europe/Madrid")
T = Texts("en")


def when_of(made: Any) -> Hours:
    found = made.engagement().when
    assert isinstance(found, Hours)
    return found


def carts_of(made: Any, **asked: Any) -> Carts:
    found = made.engagement(**asked).carts
    assert isinstance(found, Carts)
    return found


# --- when people come -----------------------------------------------------------------------------------


def coming(first: datetime, last: datetime, rate: Any, seed: int) -> Rows:
    """Visits of one page, as many in each hour as a Poisson draw of `rate(local time)`."""
    chance, events, customer, moment = np.random.default_rng(seed), list[dict[str, Any]](), 0, first
    while moment < last:
        local = moment.replace(tzinfo=UTC).astimezone(MADRID)
        for _ in range(int(chance.poisson(rate(local)))):
            ts = moment + timedelta(seconds=int(chance.integers(0, 3600)))
            events.append({"customer_id": str(customer), "ts": ts, "name": "view", "page": "/"})
            customer += 1
        moment += timedelta(hours=1)
    return events


@pytest.mark.requirement("U08")
def test_the_hour_that_was_planted_is_the_darkest_on_the_shops_clock_before_and_after_it_changes(
    tmp_path: Path,
) -> None:
    """Tuesday from 20 in Madrid, 19 or 18 in UTC: were the clock wrong, two hours would share its visits."""

    def rate(local: datetime) -> float:
        return 6.0 if (local.weekday(), local.hour) == (1, 20) else 1.0

    events = coming(datetime(2026, 2, 15, 23), datetime(2026, 5, 10, 22), rate, 1)
    found = when_of(project(tmp_path, timezone="Europe/Madrid", events=events))
    assert (found.busiest.weekday, found.busiest.hour, found.near) == (1, 20, 0)
    assert found.busiest.rate is not None
    assert found.busiest.rate.low < 6.0 < found.busiest.rate.high
    for one in found.hours:
        neighbours = one.weekday == 1 and one.hour in (19, 21)
        if neighbours:
            assert one.rate is not None
            assert one.rate.high < 2.5
    assert sum(one.visits for one in found.hours) == len(events)
    picture = hours_picture(found, T)
    spec = picture.chart.to_dict()
    cells = spec["layer"][0]["data"]["values"]
    assert len(cells) == 168
    darkest = max(cells, key=lambda cell: cell["rate"])
    assert (darkest["y"], darkest["x"]) == (1, 20)
    assert "Tuesday from 20 to 21" in picture.description
    assert len(hour_rows(found, T)) == 25
    assert "Tuesdays from 20 to 21" in T(found.sentence)


def test_visits_are_counted_as_a_plain_loop_counts_them_across_changes_of_the_clock() -> None:
    rng = np.random.default_rng(4)
    start = datetime(2025, 10, 1)
    rows: list[dict[str, Any]] = [
        {"customer_id": str(n), "ts": start + timedelta(seconds=int(s)), "name": "view", "page": "/"}
        for n, s in enumerate(rng.integers(0, 220 * 86_400, 3000))
    ]
    engine = Memory(events=typed(rows))
    visited = sums.visits(table(engine, "events"), None, gap_minutes=30, success=None)
    seconds = [int(row["ts"].replace(tzinfo=UTC).timestamp()) for row in rows]
    clock = offsets("Europe/Madrid", min(seconds), max(seconds))
    assert len(clock) == 3
    found: Counter[int] = Counter()
    for row in fetch(engine, hours.by_hour(visited, clock)):
        found[row["hour"]] += row["n"]
    told = Counter(
        local.weekday() * 24 + local.hour
        for local in (row["ts"].replace(tzinfo=UTC).astimezone(MADRID) for row in rows)
    )
    assert found == told


@pytest.mark.parametrize("zone", ["Europe/Madrid", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_hours_of_a_stretch_are_those_that_a_clock_shows(zone: str) -> None:
    """Minute by minute over three weeks with a change of the clock, where there is one."""
    first = int(datetime(2026, 3, 20, 10, 30, tzinfo=UTC).timestamp())
    last = first + 21 * 86_400 + 1800
    told = np.zeros(168)
    for minute in range(first, last, 60):
        local = datetime.fromtimestamp(minute, UTC).astimezone(ZoneInfo(zone))
        told[local.weekday() * 24 + local.hour] += 1 / 60
    assert hours.covered(zone, first, last) == pytest.approx(told, abs=1e-9)


def test_where_no_hour_differs_none_is_said_to_stand_out(tmp_path: Path) -> None:
    """The largest of 168 equal rates is no busiest hour; intervals of 95 % hold the truth as often."""
    held, alike = 0, 0
    for seed in range(3):
        events = coming(datetime(2026, 1, 5), datetime(2026, 2, 16), lambda _: 2.0, 10 + seed)
        found = when_of(project(tmp_path / str(seed), events=events))
        held += sum(one.rate.low <= 2.0 <= one.rate.high for one in found.hours if one.rate)
        alike += found.alike
        assert "No hour of the week stands out" in T(found.sentence)
        assert "No hour of the week stands out" in hours_picture(found, T).title
    assert 0.92 < held / (3 * 168) < 0.98
    assert alike == 3


def test_weeks_that_differ_make_every_hour_less_sure(tmp_path: Path) -> None:
    def wild(local: datetime) -> float:
        return 4.0 if local.isocalendar().week % 2 else 0.5

    ends = datetime(2026, 1, 5), datetime(2026, 3, 2)
    calm = when_of(project(tmp_path / "a", events=coming(*ends, lambda _: 2.25, 1)))
    moved = when_of(project(tmp_path / "b", events=coming(*ends, wild, 1)))
    assert calm.spread < 1.3
    # between weeks of 4 and 0.5: their variance 3.06 · 8/7 and the chance of each, over the mean of 2.25
    assert moved.spread == pytest.approx(1 + 3.0625 * 8 / 7 / 2.25, rel=0.1)


def test_less_than_two_weeks_say_nothing_of_a_week(tmp_path: Path) -> None:
    found = project(tmp_path, events=[at(60 * n, str(n), page="/") for n in range(100)]).engagement().when
    assert isinstance(found, Needs)
    assert "2 weeks" in T(found.sentence)


# --- carts ----------------------------------------------------------------------------------------------


def shopping(seed: int, customers: int = 900) -> tuple[Rows, Rows]:
    """Visits that look; 40 in 100 fill a cart, of which 30 in 100 are ordered within a day, 20 later."""
    chance, events, orders = np.random.default_rng(seed), list[dict[str, Any]](), list[dict[str, Any]]()
    for customer in range(customers):
        name = str(customer)
        for visit in range(int(chance.integers(1, 4))):
            begin = 86_400.0 * 4 * visit + float(chance.integers(0, 80_000))
            events.append(at(begin, name, page="/p", name="product_view"))
            if chance.random() < 0.4:
                events.append(at(begin + 60, name, page="/p", name="add_to_cart"))
                kind = chance.choice(["soon", "late", "never"], p=[0.3, 0.2, 0.5])
                after = {"soon": 3600 * chance.uniform(0.1, 23.9), "late": 3600 * chance.uniform(24.1, 60)}
                if kind in after:
                    ts = START + timedelta(seconds=begin + 60 + float(after[str(kind)]))
                    orders.append({"customer_id": name, "ts": ts, "revenue": 9.0})
    orders.append({"customer_id": "late", "ts": START + timedelta(days=30), "revenue": 1.0})
    return events, orders


@pytest.mark.requirement("U08")
def test_the_loss_between_cart_and_order_that_was_planted_is_found_and_drawn(tmp_path: Path) -> None:
    events, orders = shopping(1)
    made = project(tmp_path, events=events, orders=orders)
    found = carts_of(made)
    looks = sum(event["name"] == "product_view" for event in events)
    filled = sum(event["name"] == "add_to_cart" for event in events)
    assert [step.visits for step in found.steps][:2] == [looks, filled]
    assert found.steps[1].of_all.low < 0.4 < found.steps[1].of_all.high
    assert found.steps[2].of_before is not None
    assert found.steps[2].of_before.low < 0.3 < found.steps[2].of_before.high
    assert found.left.low < 0.7 < found.left.high
    assert (
        carts_of(made, success="event:product_view") == found
    )  # a cart ends in an order, whatever visits do
    two_days = carts_of(made, cart_hours=72)
    assert two_days.left.low < 0.5 < two_days.left.high
    picture = carts_picture(found, T)
    bars = picture.chart.to_dict()["data"]["values"]
    assert [round(bar["before"]) for bar in bars] == [100, 100, round(100 * filled / looks)]
    assert f"{T.percent(found.left.value)} of carts are left without an order" in picture.description
    rows = step_rows(found, T)
    assert rows[2]["Lost at this step"] == T.count(filled - found.steps[2].visits)


def test_carts_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(7)
    events = wander(3)
    for event in events:
        event["name"] = str(rng.choice(["product_view", "add_to_cart", "purchase", "view"]))
    engine = Memory(events=typed(events))
    last = max(int(event["ts"].replace(tzinfo=UTC).timestamp()) for event in events)
    expression = carts.carts(
        table(engine, "events"),
        None,
        gap_minutes=30,
        looked="product_view",
        carted="add_to_cart",
        success="event:purchase",
        hours=24,
        until=last - 9000,
    )
    found = {(row["customer_id"], row["session"]): row for row in fetch(engine, expression)}
    from workbench.metrics.sessions import in_sessions

    by_visit: dict[Any, list[Any]] = {}
    bought: dict[str, list[int]] = {}
    for row in sorted(fetch(engine, in_sessions(table(engine, "events"), 30)), key=lambda row: row["at"]):
        by_visit.setdefault((row["customer_id"], row["session"]), []).append((row["at"], row["name"]))
        if row["name"] == "purchase":
            bought.setdefault(row["customer_id"], []).append(row["at"])
    count = 0
    for (customer, session), rows in by_visit.items():
        looks = [second for second, name in rows if name == "product_view"]
        filled = [second for second, name in rows if name == "add_to_cart"]
        if not looks and not filled:
            assert (customer, session) not in found
            continue
        count += 1
        row = found[customer, session]
        assert row["looks"] == bool(looks)
        assert row["carts"] == bool(filled)
        assert row["added"] == any(second >= min(looks) for second in filled) if looks else not row["added"]
        met = filled and any(min(filled) <= one <= min(filled) + 86_400 for one in bought.get(customer, []))
        assert row["ordered"] == bool(met)
        assert row["known"] == (min(filled or looks) + 86_400 <= last - 9000)
    assert count == len(found) > 50


def test_carts_that_are_too_recent_are_in_no_share(tmp_path: Path) -> None:
    """Two old carts, one of them ordered; a third an hour before the end of the data, which may still be."""
    events = [at(0, "a", page="/", name="add_to_cart"), at(5, "b", page="/", name="product_view")]
    events += [at(9, "b", page="/", name="add_to_cart"), at(300_000, "c", page="/", name="product_view")]
    events += [at(300_009, "c", page="/", name="add_to_cart")]
    orders = [{"customer_id": "b", "ts": START + timedelta(seconds=4000), "revenue": 5.0}]
    orders += [{"customer_id": "x", "ts": START + timedelta(seconds=303_609), "revenue": 5.0}]
    found = carts_of(project(tmp_path, events=events, orders=orders))
    assert (found.carts, found.recent) == (2, 1)
    assert found.left.value == 0.5
    assert [step.visits for step in found.steps] == [1, 1, 1]


def test_without_events_of_a_cart_it_says_what_is_needed(tmp_path: Path) -> None:
    found = project(tmp_path, events=[at(0, "a", page="/")]).engagement().carts
    assert isinstance(found, Needs)
    assert "add_to_cart" in T(found.sentence)


def test_whoever_did_not_agree_is_in_neither(tmp_path: Path) -> None:
    events, orders = shopping(2, 60)
    everybody = sorted({str(event["customer_id"]) for event in events})
    refused = set(everybody[::2])
    before = START - timedelta(days=9)
    consents = [
        {"customer_id": one, "purpose": "analysis", "granted": one not in refused, "ts": before}
        for one in (*everybody, "late")
    ]
    made = project(tmp_path, events=events, orders=orders)
    import pyarrow as pa

    made.commit(
        {
            "consents": pa.Table.from_pylist(
                consents,
                schema=pa.schema(
                    {
                        "customer_id": pa.string(),
                        "purpose": pa.string(),
                        "granted": pa.bool_(),
                        "ts": pa.timestamp("us"),
                    }
                ),
            )
        }
    )
    from workbench import Project

    careful = Project(made.path, made.settings.model_copy(update={"consent_purpose": "analysis"}))
    looks = [event for event in events if event["name"] == "product_view"]
    assert carts_of(made).steps[0].visits == len(looks)
    kept = sum(event["customer_id"] not in refused for event in looks)
    assert carts_of(careful).steps[0].visits == kept < len(looks)


@pytest.mark.parametrize(
    "dialect", ["postgres", "databricks", "bigquery", "snowflake", "trino", "clickhouse"]
)
def test_both_questions_compile_for_all_engines(dialect: str) -> None:
    events = ibis.table(
        {"customer_id": "int64", "ts": "timestamp", "name": "string", "page": "string", "event_id": "string"},
        name="events",
    )
    orders = ibis.table({"customer_id": "int64", "ts": "timestamp", "revenue": "float64"}, name="orders")
    visited = sums.visits(events, orders, gap_minutes=30, success="conversion")
    clock = offsets("Europe/Madrid", 1_767_225_600, 1_780_000_000)
    filled = carts.carts(
        events,
        orders,
        gap_minutes=30,
        looked="product_view",
        carted="add_to_cart",
        success="conversion",
        hours=24,
        until=1_780_000_000,
    )
    for expression in (hours.by_hour(visited, clock), carts.of_carts(filled)):
        sql = str(ibis.to_sql(expression, dialect=dialect))
        assert isinstance(sqlglot.parse_one(sql, read=dialect), sqlglot.exp.Query)
