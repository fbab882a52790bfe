"""Visits and time on pages: against a plain loop over the events, and on cases made by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables.checking import Memory
from workbench.engines import fetch, table
from workbench.metrics.sessions import Source, dwell, sessions

Event = dict[str, Any]
START = datetime(2026, 3, 1, 23, 50)


def engine_of(events: list[Event]) -> Memory:
    columns = {name: pa.string() for name in ("event_id", "session_id", "name", "page", "device")}
    schema = pa.schema({**columns, "customer_id": pa.int64(), "ts": pa.timestamp("us")})
    if any("engagement_time_msec" in event for event in events):
        schema = schema.append(pa.field("engagement_time_msec", pa.int64()))
    rows = [{"event_id": f"e{place:05d}", "name": "view", **event} for place, event in enumerate(events)]
    return Memory(events=pa.Table.from_pylist(rows, schema=schema))


def at(seconds: float, **event: Any) -> Event:
    return {"customer_id": 1, "ts": START + timedelta(seconds=seconds), **event}


def stays(
    events: list[Event], gap_minutes: int = 30, source: Source | None = None
) -> list[tuple[str, float | None]]:
    engine = engine_of(events)
    rows = dwell(table(engine, "events"), gap_minutes, source)
    found = fetch(engine, rows.order_by("customer_id", "session", "start", "page"))
    return [(row["page"], row["seconds"]) for row in found]


def visits(events: list[Event], gap_minutes: int = 30) -> list[tuple[int, int, int]]:
    engine = engine_of(events)
    rows = sessions(table(engine, "events"), gap_minutes)
    found = fetch(engine, rows.order_by("customer_id", "start", "session"))
    return [(row["seconds"], row["pages"], row["events"]) for row in found]


# --- by hand -----------------------------------------------------------------------------------------------


@pytest.mark.requirement("D04")
def test_a_page_lasts_until_the_next_and_the_last_is_not_measured() -> None:
    events = [at(0, page="/a"), at(40, page="/b"), at(100, page="/a")]
    assert sorted(stays(events), key=str) == [("/a", 40.0), ("/a", None), ("/b", 60.0)]
    assert visits(events) == [(100, 3, 3)]


@pytest.mark.requirement("D04")
def test_what_happens_on_a_page_does_not_end_it() -> None:
    events = [
        *(at(0, page="/p"), at(30, page="/p", name="click"), at(50, name="add to cart")),
        *(at(90, page="/cart"), at(200, name="purchase")),
    ]
    assert stays(events) == [("/p", 90.0), ("/cart", None)]
    assert visits(events) == [(200, 2, 5)]


@pytest.mark.parametrize(
    ("seconds", "gap_minutes", "expected"),
    [
        (1800, 30, [("/a", 1800.0), ("/b", None)]),
        (1801, 30, [("/a", None), ("/b", None)]),
        (1801, 31, [("/a", 1801.0), ("/b", None)]),
        (61, 1, [("/a", None), ("/b", None)]),
    ],
)
@pytest.mark.requirement("D04")
def test_a_visit_ends_after_a_longer_gap_which_can_be_chosen(
    seconds: int, gap_minutes: int, expected: list[tuple[str, float | None]]
) -> None:
    """The first event is at ten to midnight, and midnight ends nothing."""
    events = [at(0, page="/a"), at(seconds, page="/b")]
    assert stays(events, gap_minutes) == expected
    assert len(visits(events, gap_minutes)) == expected.count(("/a", None)) + 1


@pytest.mark.requirement("D04")
def test_the_exports_own_session_goes_before_gaps() -> None:
    events = [
        at(0, page="/a", session_id="s"),
        at(7200, page="/b", session_id="s"),
        at(7210, page="/c", session_id="t"),
    ]
    assert stays(events) == [("/a", 7200.0), ("/b", None), ("/c", None)]


@pytest.mark.requirement("D04")
def test_two_devices_are_two_visits_at_once() -> None:
    events = [
        at(0, page="/a", device="mobile"),
        at(10, page="/x", device="desktop"),
        at(60, page="/b", device="mobile"),
    ]
    assert stays(events) == [("/a", 60.0), ("/b", None), ("/x", None)]
    assert visits(events) == [(60, 2, 2), (0, 1, 1)]


def test_in_one_second_the_earlier_page_lasted_none() -> None:
    events = [at(0.9, page="/b"), at(0.2, page="/a"), at(5, page="/c")]
    assert stays(events) == [("/a", 0.0), ("/b", 5.0), ("/c", None)]


def test_one_event_is_a_visit_whose_time_nobody_knows() -> None:
    assert stays([at(0, page="/a")]) == [("/a", None)]
    assert visits([at(0, page="/a")]) == [(0, 1, 1)]
    assert visits([at(0)]) == [(0, 0, 1)]


@pytest.mark.requirement("D04")
def test_what_the_export_measured_and_differences_are_never_mixed() -> None:
    events = [
        at(0, page="/a", engagement_time_msec=None),
        at(100, page="/a", engagement_time_msec=1500),
        at(110, page="/a", engagement_time_msec=2000),
        at(200, page="/b", engagement_time_msec=None),
        at(230, page="/c", engagement_time_msec=900),
    ]
    assert stays(events) == stays(events, source="engagement") == [("/a", 3.5), ("/b", None), ("/c", 0.9)]
    assert stays(events, source="difference") == [("/a", 200.0), ("/b", 30.0), ("/c", None)]


def test_going_straight_back_is_seen() -> None:
    events = [at(10 * place, page=page) for place, page in enumerate(["/list", "/a", "/list", "/b", "/cart"])]
    engine = engine_of(events)
    rows = fetch(engine, dwell(table(engine, "events")).order_by("start"))
    assert [row["page"] for row in rows if row["back"]] == ["/a"]


def test_a_table_with_nothing_but_customers_times_and_pages_is_enough() -> None:
    engine = engine_of([at(0, page="/a"), at(40, page="/b")])
    rows = table(engine, "events").drop("event_id", "session_id", "device")
    assert [row["seconds"] for row in fetch(engine, dwell(rows).order_by("start"))] == [40.0, None]
    assert [row["pages"] for row in fetch(engine, sessions(rows))] == [2]


# --- against a loop ----------------------------------------------------------------------------------------


def shop(seed: int) -> list[Event]:
    """Events of a few customers, some with named sessions, in no order."""
    chance = random.Random(seed)
    events: list[Event] = []
    for customer in range(4):
        second = 0.0
        for _ in range(chance.randint(1, 25)):
            second += chance.choice([0, 0.25, 1, 20, 600, 1799, 1800, 1801, 5000])
            page = chance.choice(["/a", "/b", "/c", None])
            device = chance.choice(["mobile", "desktop", None])
            session = chance.choice([None, None, "s1", "s2"])
            events.append(at(second, customer_id=customer, page=page, device=device, session_id=session))
    chance.shuffle(events)
    return [{**event, "event_id": f"e{place:05d}"} for place, event in enumerate(events)]


def split(events: list[Event], gap: int) -> Iterator[list[Event]]:
    """The events of each visit, in order."""
    piles: dict[Any, list[Event]] = {}
    for event in sorted(events, key=lambda event: (event["ts"], event["event_id"])):
        named = event["session_id"]
        piles.setdefault((event["customer_id"], named, None if named else event["device"]), []).append(event)
    for (_, named, _), pile in piles.items():
        visit = [pile[0]]
        for event in pile[1:]:
            if named is None and second(event) - second(visit[-1]) > gap:
                yield visit
                visit = []
            visit.append(event)
        yield visit


def second(event: Event) -> int:
    return int(event["ts"].replace(tzinfo=UTC).timestamp() // 1)


@given(seed=st.integers(0, 100_000))
@settings(max_examples=25, deadline=None)
@pytest.mark.requirement("D04")
def test_visits_and_stays_are_those_of_a_plain_loop(seed: int) -> None:
    events, expected, pages = shop(seed), [], []
    for visit in split(events, 1800):
        seen: list[list[Any]] = []
        for event in visit:
            if event["page"] is not None and (not seen or seen[-1][0] != event["page"]):
                seen.append([event["page"], second(event)])
        edges = [*(begun for _, begun in seen), None][1:] if seen else []
        pages += [
            (visit[0]["customer_id"], page, begun, None if left is None else float(left - begun))
            for (page, begun), left in zip(seen, edges, strict=True)
        ]
        expected.append(
            (
                visit[0]["customer_id"],
                second(visit[0]),
                second(visit[-1]) - second(visit[0]),
                len(seen),
                len(visit),
            )
        )
    engine = engine_of(events)
    found = fetch(engine, sessions(table(engine, "events")))
    keys = ("customer_id", "start", "seconds", "pages", "events")
    assert sorted(tuple(row[key] for key in keys) for row in found) == sorted(expected)
    assert len({(row["customer_id"], row["session"]) for row in found}) == len(expected)
    told = fetch(engine, dwell(table(engine, "events")))
    parts = ("customer_id", "page", "start", "seconds")
    assert sorted((tuple(row[key] for key in parts) for row in told), key=str) == sorted(pages, key=str)
