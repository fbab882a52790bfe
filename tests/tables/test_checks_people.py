"""Whose rows they are: unknown customers, two arms, several identifiers, and what people agreed to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from tests.tables.checking import checked, times
from workbench.simulate import HOME, simulate

TIME = pa.timestamp("us")


def test_unknown_customers_are_counted_once_a_customer_and_only_where_customers_are_known() -> None:
    orders = {"customer_id": ["b", "b", "a"], "ts": times([0, 1, 2])}
    found = checked(customers={"customer_id": ["a"]}, orders=orders)["orders.orphans"]
    assert (found.status, found.count, found.share, found.examples) == ("warn", 1, 0.5, ())
    assert "orders.orphans" not in checked(orders=orders)


def test_lines_without_an_order_are_shown_and_clicks_without_a_message_are_not() -> None:
    found = checked(
        orders={"order_id": ["1"], "customer_id": ["a"], "ts": times([0])},
        order_items={"order_id": ["1", "1", "9", "9"], "sku": ["s"] * 4},
        sends={"send_id": ["m1"], "customer_id": ["a"], "ts": times([0])},
        send_events={"send_id": ["m1", "ana@example.org"], "type": ["open", "open"], "ts": times([5, 6])},
    )
    lines = found["order_items.orphans"]
    assert (lines.status, lines.count, lines.share, lines.examples) == ("warn", 2, 0.5, ("9",))
    assert (found["send_events.orphans"].count, found["send_events.orphans"].examples) == (1, ())


@pytest.mark.requirement("D17")
def test_customers_in_two_arms_are_counted_by_experiment() -> None:
    shop = simulate(customers=3_000, seed=4, crossover_share=0.1, with_events=False)
    both, exposed = int(shop.truth.lives.crossover.seen.sum()), int(shop.truth.lives.home.seen.sum())
    found = checked(exposures=shop.tables["exposures"])["exposures.crossed"]
    assert (found.status, found.count) == ("warn", both)
    assert found.examples == (f"{HOME}: {both} / {exposed}",)
    twice = {"customer_id": ["a", "a"], "experience_id": ["home", "menu"], "variant": ["A", "B"]}
    assert checked(exposures=twice)["exposures.crossed"].status == "ok"  # one arm of each


@pytest.mark.requirement("D17")
def test_identifiers_that_were_merged_are_counted() -> None:
    aliases = {"alias_id": ["x1", "x2", "x2", "a"], "customer_id": ["a", "a", "b", "a"]}
    found = checked(customers={"customer_id": ["a", "b", "c"]}, aliases=aliases)
    assert (found["aliases.merged"].count, found["aliases.merged"].share) == (2, 2 / 5)
    assert (found["aliases.several"].status, found["aliases.several"].count) == ("warn", 1)


@pytest.mark.requirement("G06")
def test_the_newest_statement_holds_and_silence_is_no_consent() -> None:
    said: list[tuple[str, bool, datetime | None]] = [
        ("first no, then yes", False, datetime(2026, 1, 1)),
        ("first no, then yes", True, datetime(2026, 1, 2)),
        ("first yes, then no", True, datetime(2026, 1, 1)),
        ("first yes, then no", False, datetime(2026, 1, 2)),
        ("both in one second", True, datetime(2026, 1, 1)),
        ("both in one second", False, datetime(2026, 1, 1)),
        ("once, without a time", True, None),
        ("no, after one without a time", True, None),
        ("no, after one without a time", False, datetime(2020, 1, 1)),
    ]
    people = sorted({name for name, _granted, _when in said})
    consents: dict[str, Any] = {
        "customer_id": [name for name, _granted, _when in said],
        "purpose": ["newsletter"] * len(said),
        "granted": [granted for _name, granted, _when in said],
        "ts": pa.array([when for _name, _granted, when in said], TIME),
    }
    found = checked(customers={"customer_id": [*people, "silent", "mute", "still"]}, consents=consents)
    share = found["consents.newsletter"]
    assert (share.status, share.count, share.share) == ("ok", 2, 2 / 8)
    assert "3 have said nothing" in str(share.detail)
