"""A wrong clock is found by what it does to the hours of the day, and to what came first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.tables.checking import alarms, checked, orders_on
from workbench.simulate import Shop, simulate
from workbench.tables.checks.clocks import turn


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate(customers=6_000, seed=11)


def moved(table: pa.Table, hours: float, column: str = "ts") -> pa.Table:
    later = pc.add(table[column], pa.scalar(int(hours * 3_600_000_000), pa.duration("us")))
    return table.set_column(table.column_names.index(column), column, later)


@pytest.mark.requirement("D17")
@pytest.mark.parametrize("hours", [2, -5])
@pytest.mark.parametrize("name", ["orders", "exposures"])
def test_a_table_in_another_zone_is_found_with_its_hours(shop: Shop, name: str, hours: int) -> None:
    tables: dict[str, Any] = {**shop.tables, name: moved(shop.tables[name], hours)}
    found = checked(**tables)
    assert (found[f"{name}.hours"].status, found[f"{name}.hours"].count) == ("warn", abs(hours))
    assert ("later" if hours > 0 else "earlier") in str(found[f"{name}.hours"].detail)


def test_chance_does_not_turn_the_hours() -> None:
    """Of 400 pairs of samples from one profile, flat or not, none is told to be turned."""
    rng = np.random.default_rng(0)
    humps = 1 + 0.8 * np.sin(np.arange(24) * 2 * np.pi / 24)
    for profile in (np.ones(24) / 24, humps / humps.sum()):
        for size in (200, 2_000):
            for _ in range(100):
                one, other = (rng.multinomial(n, profile).astype(float) for n in (size, 10 * size))
                assert turn(one, other) == 0


def test_people_who_buy_at_other_hours_than_they_look_are_not_turned() -> None:
    """Lookers peak at noon and in the evening, buyers in the evening only: no turn makes one of the other."""
    hour = np.arange(24)
    noon, evening = (np.exp(-((hour - peak) ** 2) / 8) for peak in (12, 20))
    assert turn(3_000 * (noon + evening), 1_000 * (0.3 * noon + evening)) == 0


def test_quiet_hours_by_day_are_found(shop: Shop) -> None:
    assert checked(orders=shop.tables["orders"])["orders.night"].status == "ok"
    found = checked(orders=moved(shop.tables["orders"], 10))["orders.night"]
    assert found.status == "warn"
    assert 0 < found.share < 0.125


@pytest.mark.requirement("D17")
@pytest.mark.parametrize("hours", [1, -2])
def test_first_seen_in_another_zone_is_found_by_whole_hours(shop: Shop, hours: int) -> None:
    tables: dict[str, Any] = {
        **shop.tables,
        "customers": moved(shop.tables["customers"], hours, "first_seen"),
    }
    found = checked(**tables)["events.first_seen"]
    assert found.status == "warn"
    assert found.share > 0.99  # the simulated first event is the first sight
    assert ("before" if hours > 0 else "after") in str(found.detail)


def test_customers_who_acted_before_they_were_seen_are_counted() -> None:
    orders = orders_on([10] * 20, np.random.default_rng(1))
    seen = orders["ts"].cast("int64").to_numpy() - 500_000_000
    seen[:7] += 7_321_000_000  # two hours and two minutes too late, less some
    customers = pa.table({"customer_id": orders["customer_id"], "first_seen": seen.astype("datetime64[us]")})
    found = checked(orders=orders, customers=customers)["orders.first_seen"]
    assert (found.status, found.count, found.share) == ("warn", 7, 7 / 200)
    assert alarms(checked(orders=orders, customers=customers.slice(7))) == {"orders.orphans"}


def test_times_that_lost_their_hour_are_found(shop: Shop) -> None:
    orders = shop.tables["orders"]
    days = pc.floor_temporal(orders["ts"], unit="day")
    some = pc.less(pc.cast(pa.array(range(len(orders))), pa.int64()), len(orders) // 10)
    place = orders.column_names.index("ts")
    dated = orders.set_column(place, "ts", days)
    mixed = orders.set_column(place, "ts", pc.if_else(some, days, orders["ts"]))
    assert checked(orders=dated)["orders.dates"].status == "ok"  # nothing else says the hour
    assert checked(orders=dated, exposures=shop.tables["exposures"])["orders.dates"].status == "warn"
    found = checked(orders=mixed)["orders.dates"]
    assert (found.status, found.share) == ("warn", pytest.approx(0.1, abs=0.001))
    hours = orders.set_column(place, "ts", pc.floor_temporal(orders["ts"], unit="hour"))
    assert checked(orders=hours)["orders.dates"].status == "ok"  # rounded: midnight is an hour like others
