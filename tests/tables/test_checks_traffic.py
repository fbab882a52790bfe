"""Machines are told from people, and what nobody measured from nought."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.tables.checking import checked, times
from workbench.simulate import simulate

DAY = 86_400


def visits(rng: np.random.Generator, who: str, seconds: np.ndarray) -> dict[str, Any]:
    """Page views of one customer at these seconds of the simulated year."""
    return {
        "event_id": [f"{who}-{number}" for number in range(seconds.size)],
        "customer_id": [who] * seconds.size,
        "ts": times(np.sort(seconds)),
        "name": ["page_view"] * seconds.size,
        "page": [f"/{page}" for page in rng.integers(0, 10_000, seconds.size)],
    }


def together(*parts: dict[str, Any] | pa.Table) -> pa.Table:
    tables = [part if isinstance(part, pa.Table) else pa.table(part) for part in parts]
    columns = ["event_id", "customer_id", "ts", "name", "page"]
    return pa.concat_tables(
        [
            table.select(columns).set_column(0, "event_id", table["event_id"].cast(pa.string()))
            for table in tables
        ]
    )


@pytest.mark.requirement("D17")
def test_machines_among_the_simulated_people_are_all_found_and_nobody_else() -> None:
    shop = simulate(customers=3_000, seed=8)
    rng = np.random.default_rng(8)
    crawlers = [100 * DAY + 3_600 * 9 + np.arange(4_000) * 3 for _ in range(4)]  # a page each three seconds
    watchers = [
        150 * DAY + np.arange(3 * 144) * 600 + rng.integers(0, 60, 3 * 144) for _ in range(4)
    ]  # day and night
    shoppers = [200 * DAY + 3_600 * 18 + rng.integers(0, 5_400, 120) for _ in range(20)]  # a long evening
    machines = [visits(rng, f"m{number}", seconds) for number, seconds in enumerate([*crawlers, *watchers])]
    people = [visits(rng, f"p{number}", seconds) for number, seconds in enumerate(shoppers)]
    others = {name: shop.tables[name] for name in ("customers", "orders")}
    events = together(shop.tables["events"], *people)
    assert checked(events=events, **others)["events.bots"].count == 0
    found = checked(events=together(events, *machines), **others)["events.bots"]
    theirs = sum(len(machine["event_id"]) for machine in machines)
    assert (found.status, found.count, found.examples) == ("warn", 8, ())
    assert found.share == pytest.approx(theirs / (theirs + len(events)), rel=1e-6)


def test_who_orders_is_no_machine() -> None:
    rng = np.random.default_rng(9)
    people = [visits(rng, f"p{number}", rng.integers(0, DAY, 5)) for number in range(9)]
    events = together(visits(rng, "call centre", np.arange(4_000) * 3), *people)
    order = {"customer_id": ["call centre"], "ts": times([5])}
    assert checked(events=events)["events.bots"].count == 1
    assert checked(events=events, orders=order)["events.bots"].count == 0


def test_programs_that_say_so_are_counted() -> None:
    agents = [
        "Mozilla/5.0 (iPhone)",
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
        None,
        "facebookexternalhit preview",
    ]
    events = visits(np.random.default_rng(0), "a", np.arange(4.0) * 100)
    assert "events.crawlers" not in checked(events=events)
    found = checked(events={**events, "user_agent": agents})["events.crawlers"]
    assert (found.status, found.count, found.share) == ("warn", 2, 0.5)


@pytest.mark.requirement("D17")
def test_clicks_at_once_are_those_of_scanners() -> None:
    sent = np.arange(200) * 60.0
    after = np.where(np.arange(200) % 20 == 0, 4, 3_600)
    clicks = {
        "send_id": [f"m{number}" for number in range(200)],
        "type": ["click"] * 199 + ["open"],
        "ts": times(sent + after),
    }
    sends = {"send_id": clicks["send_id"], "customer_id": ["a"] * 200, "ts": times(sent)}
    found = checked(sends=sends, send_events=clicks)["send_events.scanners"]
    assert (found.status, found.count, found.share) == ("warn", 10, pytest.approx(10 / 199))


@pytest.mark.requirement("D04")
def test_visits_of_one_event_are_called_unmeasured() -> None:
    events = visits(np.random.default_rng(1), "a", np.arange(6.0) * 10_000)
    found = checked(events={**events, "session_id": ["s", "s", "t", "u", "u", None]})["events.visits"]
    assert (found.status, found.count, found.share) == ("ok", 1, pytest.approx(1 / 3))
    assert "unmeasured, not nought" in str(found.detail)
