"""The same thing twice is found, counted, and told from what only looks alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.tables.checking import checked, orders_on, times


def orders(**changes: Any) -> dict[str, Any]:
    base = {
        "order_id": ["1", "2", "3"],
        "customer_id": ["a", "b", "a"],
        "ts": times([0, 100, 130]),
        "revenue": [9.0] * 3,
    }
    return {**base, **changes}


def test_rows_of_a_repeated_key_are_counted_beyond_the_first() -> None:
    found = checked(orders=orders(order_id=["7", "7", "7"]))["orders.repeated"]
    assert (found.status, found.count, found.share, found.examples) == (
        "fail",
        2,
        pytest.approx(2 / 3),
        ("7",),
    )
    assert checked(orders=orders())["orders.repeated"].status == "ok"


def test_a_repeated_customer_is_counted_and_never_shown() -> None:
    found = checked(customers={"customer_id": ["ana@example.org", "ana@example.org", "b"]})[
        "customers.repeated"
    ]
    assert (found.status, found.count, found.examples) == ("fail", 1, ())


@pytest.mark.requirement("D17")
def test_an_order_that_was_sent_twice_is_found_though_it_has_another_number() -> None:
    rows = orders_on([40] * 30, np.random.default_rng(1))
    clean = checked(orders=rows)["orders.again"]
    assert (clean.status, clean.count) == ("ok", 0)
    again = [5, 9, 700]
    doubled = {
        name: [*column, *(column[place] for place in again)] for name, column in rows.items() if name != "ts"
    }
    doubled["order_id"][-3:] = ["x5", "x9", "x700"]
    moments = rows["ts"].cast("int64").to_numpy()
    later = np.concatenate([moments, moments[again] + [0, 60_000_000, 61_000_000]])
    found = checked(orders={**doubled, "ts": later.astype("datetime64[us]")})["orders.again"]
    assert (found.status, found.count) == ("warn", 2)  # the third came after 61 seconds
    assert set(found.examples) <= {"x5", "x9", "o5", "o9"}


@pytest.mark.requirement("D17")
def test_a_tag_that_fires_twice_is_named() -> None:
    rng = np.random.default_rng(2)
    n, twice = 2_000, 100
    second = np.sort(rng.choice(30 * 86_400, n, replace=False))
    names = np.where(np.arange(n) % 2, "page_view", "add_to_cart")
    carts = np.flatnonzero(names == "add_to_cart")[:twice]
    kept = np.concatenate([np.arange(n), carts])
    events = {
        "event_id": [str(number) for number in range(kept.size)],
        "customer_id": [f"c{place % 50}" for place in kept],
        "ts": times(second[kept]),
        "name": names[kept].tolist(),
        "page": ["/"] * kept.size,
    }
    found = checked(events=events)["events.twice"]
    assert (found.status, found.count, found.examples) == ("warn", twice, ("add_to_cart",))
    assert found.share == pytest.approx(twice / (n + twice))
    other_pages = {**events, "page": [str(number) for number in range(kept.size)]}
    assert checked(events=other_pages)["events.twice"].count == 0


def test_of_large_tables_the_newest_whole_days_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = orders_on([40] * 30, np.random.default_rng(3))
    early, late = list(rows["order_id"]), list(rows["order_id"])
    early[1] = early[0]
    late[-1] = late[-2]
    monkeypatch.setattr("workbench.tables.checks.stored.MOST_ROWS", 500)
    assert checked(orders={**rows, "order_id": early})["orders.repeated"].count == 0
    found = checked(orders={**rows, "order_id": late})["orders.repeated"]
    assert (found.status, found.count, found.share) == ("fail", 1, pytest.approx(1 / 480))
    assert str(found.detail).endswith("The newest 12 days were looked at.")
