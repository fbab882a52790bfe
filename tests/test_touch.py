"""What brought a customer and on which device: by hand, and against a plain loop over the events."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables.checking import Memory
from workbench import Project
from workbench.engines import fetch, table
from workbench.metrics import exposure
from workbench.metrics.touch import NAMES, described, device, is_touch, touch

Event = dict[str, Any]
Origin = tuple[str, str, str]
START = datetime(2026, 3, 1)


def at(days: float, **event: Any) -> Event:
    return {"customer_id": 1, "days": days, **event}


class Shop:
    """Events, and people who were exposed at their own moments, in days after the start."""

    def __init__(self, events: list[Event], moments: dict[int, float | None]) -> None:
        names = ("event_id", "name", "device", "source", "medium", "campaign")
        rows = [
            {"event_id": f"e{place:05d}", "name": "view", **event, "ts": moment(event["days"])}
            for place, event in enumerate(events)
        ]
        people = [
            {"customer_id": customer, "ts": moment(days), "experience_id": "x", "variant": "A"}
            for customer, days in moments.items()
        ]
        self.engine = Memory(
            events=pa.Table.from_pylist(rows, schema=schema(*names)),
            exposures=pa.Table.from_pylist(people, schema=schema("experience_id", "variant")),
        )
        self.events = table(self.engine, "events")
        self.people = exposure.assigned(table(self.engine, "exposures"), "x")

    def of(self, rows: Any, *names: str) -> dict[int, Any]:
        """Customer → these columns; everybody has to be there once."""
        found = fetch(self.engine, rows)
        made = {row["customer_id"]: tuple(row[name] for name in names) for row in found}
        assert len(made) == len(found)
        return made

    def brought(self, which: Literal["first", "last"]) -> dict[int, Origin]:
        return self.of(touch(self.events, self.people, which), "source", "medium", "campaign")

    def used(self, which: Literal["first", "last", "most"]) -> dict[int, str]:
        found = self.of(device(self.events, self.people, which), "device")
        return {customer: one for customer, (one,) in found.items()}


def moment(days: float | None) -> datetime | None:
    return None if days is None else START + timedelta(days=days)


def schema(*texts: str) -> pa.Schema:
    columns = {"customer_id": pa.int64(), "ts": pa.timestamp("us")}
    return pa.schema({**columns, **dict.fromkeys(texts, pa.string())})


VISITS = [
    at(0),
    at(1, source="google", medium="cpc", campaign="brand"),
    at(2),
    at(3, source="news", medium="email"),
    at(4, source="(direct)", medium="(none)"),
    at(9, source="facebook", medium="social", campaign="spring"),
]


@pytest.mark.parametrize(
    ("until", "first", "last"),
    [
        (None, ("google", "cpc", "brand"), ("facebook", "social", "spring")),
        (9, ("google", "cpc", "brand"), ("facebook", "social", "spring")),
        (8.999, ("google", "cpc", "brand"), ("news", "email", "(not set)")),
        (1, ("google", "cpc", "brand"), ("google", "cpc", "brand")),
        (0.5, ("(direct)",) * 3, ("(direct)",) * 3),
        (-1, ("(unknown)",) * 3, ("(unknown)",) * 3),
    ],
)
@pytest.mark.requirement("D05")
def test_a_touch_is_what_had_brought_a_customer_by_then(
    until: float | None, first: Origin, last: Origin
) -> None:
    shop = Shop(VISITS, {1: until})
    assert shop.brought("first") == {1: first}
    assert shop.brought("last") == {1: last}


@pytest.mark.requirement("D05")
def test_everybody_has_a_level_and_only_one() -> None:
    events = [
        *VISITS,
        at(1, customer_id=2),
        at(1, customer_id=3, source="google"),
        at(1, customer_id=9, source="bing"),
    ]
    found = Shop(events, {1: None, 2: None, 3: 0, 4: None}).brought("first")
    assert found == {
        1: ("google", "cpc", "brand"),
        2: ("(direct)",) * 3,
        3: ("(unknown)",) * 3,
        4: ("(unknown)",) * 3,
    }


def test_without_such_columns_nothing_is_named() -> None:
    shop = Shop([at(0, source="google", device="mobile")], {1: None})
    shop.events = shop.events.drop("event_id", "source", "medium", "campaign", "device")
    assert shop.brought("first") == {1: ("(direct)",) * 3}
    assert shop.used("most") == {1: "(unknown)"}


@pytest.mark.requirement("D03")
def test_one_who_has_many_devices_is_known_by_the_one_that_is_chosen() -> None:
    events = [
        *(at(0), at(1, device="mobile"), at(2, device="desktop"), at(3, device="desktop")),
        *(at(4, device="mobile"), at(5, device="tablet"), at(6)),
    ]
    shop = Shop(events, {1: None})
    assert shop.used("first") == {1: "mobile"}
    assert shop.used("last") == {1: "tablet"}
    assert shop.used("most") == {1: "mobile"}  # as often as the desktop, and since then
    assert Shop(events, {1: 3}).used("most") == {1: "desktop"}
    assert Shop(events, {1: 0, 2: None}).used("most") == {1: "(unknown)", 2: "(unknown)"}


@pytest.mark.requirement("D05")
def test_each_becomes_a_group_and_keeps_what_is_known_of_people() -> None:
    events = [at(1, source="google", device="mobile"), at(2, medium="email", device="desktop")]
    shop = Shop(events, {1: None, 2: None})
    expected = {
        "first_source": "google",
        "first_medium": "(not set)",
        "last_medium": "email",
        "last_campaign": "(not set)",
        "first_device": "mobile",
        "most_device": "desktop",
    }
    for by, level in expected.items():
        rows = shop.of(described(shop.events, shop.people, by), "arm", by)
        assert rows == {1: ("A", level), 2: ("A", "(unknown)")}
    assert set(expected) < set(NAMES)
    assert is_touch("last_source")
    assert not is_touch("source")


# --- against a loop ----------------------------------------------------------------------------------------


def chanced(seed: int) -> tuple[list[Event], dict[int, float | None]]:
    chance = random.Random(seed)
    events = [
        {
            "event_id": f"e{place:04d}",
            "customer_id": chance.randrange(6),
            "days": chance.randrange(12) / 2,
            "source": chance.choice([None, None, "google", "News", "(direct)"]),
            "medium": chance.choice([None, None, "cpc", "(none)"]),
            "campaign": chance.choice([None, None, None, "brand"]),
            "device": chance.choice([None, "mobile", "desktop", "tablet"]),
        }
        for place in range(chance.randint(0, 60))
    ]
    chance.shuffle(events)
    return events, {customer: chance.choice([None, 0, 1.5, 3]) for customer in range(7)}


@given(seed=st.integers(0, 100_000), which=st.sampled_from(["first", "last"]))
@settings(max_examples=25, deadline=None)
@pytest.mark.requirement("D05")
def test_touches_and_devices_are_those_of_a_plain_loop(seed: int, which: Literal["first", "last"]) -> None:
    events, moments = chanced(seed)
    origins: dict[int, Origin] = {}
    devices: dict[int, str] = {}
    most: dict[int, str] = {}
    for customer, until in moments.items():
        mine = [e for e in events if e["customer_id"] == customer and (until is None or e["days"] <= until)]
        mine.sort(key=lambda e: (e["days"], e["event_id"]), reverse=which == "last")
        named = [
            [
                None if e[part] in ("(direct)", "(none)") else e[part]
                for part in ("source", "medium", "campaign")
            ]
            for e in mine
        ]
        telling = [parts for parts in named if any(parts)]
        level = "(direct)" if mine else "(unknown)"
        origins[customer] = tuple(part or "(not set)" for part in telling[0]) if telling else (level,) * 3  # type: ignore[assignment]  # three parts
        with_device = [e for e in mine if e["device"]]
        devices[customer] = with_device[0]["device"] if with_device else "(unknown)"
        counts = Counter(e["device"] for e in with_device)
        latest = {name: max(e["days"] for e in with_device if e["device"] == name) for name in counts}
        best = sorted(counts, key=lambda name: (-counts[name], -latest[name], name))
        most[customer] = best[0] if best else "(unknown)"
    shop = Shop(events, moments)
    assert shop.brought(which) == origins
    assert shop.used(which) == devices
    assert shop.used("most") == most


@pytest.mark.requirement("D03", "D05")
def test_an_experiment_is_split_by_what_brought_its_customers(tmp_path: Path) -> None:
    """The last source before the exposure counts, not the one that brings the order."""
    project = Project.create(tmp_path / "shop")
    people = [(f"c{i}", "ab"[i % 2], ["mail", "search", None][i % 3]) for i in range(60)]
    begin = datetime(2026, 1, 10)
    events = [
        {
            "event_id": f"{who}-{n}",
            "customer_id": who,
            "ts": begin + timedelta(days=day),
            "name": "view",
            "source": source,
        }
        for who, _, brought in people
        for n, (day, source) in enumerate([(-2, "ads"), (-1, brought), (1, "sale")])
        if source
    ]
    project.commit(
        {
            "events": pa.Table.from_pylist(events),
            "exposures": pa.table(
                {
                    "customer_id": [who for who, _, _ in people],
                    "experience_id": ["home"] * 60,
                    "variant": [arm for _, arm, _ in people],
                    "ts": [begin] * 60,
                    "assignment": ["random"] * 60,
                }
            ),
            "orders": pa.table(
                {
                    "order_id": [who for who, _, _ in people],
                    "customer_id": [who for who, _, _ in people],
                    "ts": [begin + timedelta(days=20)] * 60,
                    "revenue": [1.0] * 60,
                }
            ),
        }
    )
    record = project.effect("home", "conversion", by="last_source", window_days=5, keep=False)
    groups = {item.segment: item.n for item in record.summary.comparisons if item.segment}
    assert groups == {"mail": 20, "search": 20, "ads": 20}
    assert set(record.source.fingerprints) == {"events", "exposures", "orders"}
