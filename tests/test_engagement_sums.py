"""What leaves the engine about engagement: against plain loops, and in the SQL of others."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import ibis
import pytest
import sqlglot

from tests.tables.checking import Memory
from tests.visits import START, at, typed, wander
from workbench.clock import offsets
from workbench.engines import fetch, table
from workbench.metrics import engagement as sums
from workbench.metrics.sessions import dwell


def test_sums_over_customers_are_those_of_a_plain_loop() -> None:
    engine = Memory(events=typed(wander(1)))
    events = table(engine, "events")
    visited = sums.visits(events, None, gap_minutes=30, success="event:purchase")
    rows = sums.stays(events, visited, gap_minutes=30, source="difference", least_seconds=5)
    rows = sums.grouped(rows, None, "page_type")
    answer = fetch(engine, sums.of_stays(rows))
    found = {row["group"]: row for row in answer if not row["whole"]}
    bins = [row for row in fetch(engine, sums.in_bins(rows, list(found))) if not row["whole"]]
    (whole,) = [row for row in answer if row["whole"]]
    assert whole["kept_x"] == sum(row["kept_x"] for row in found.values())
    assert whole["done_n"] == len(
        {(stay["customer_id"], stay["session"]) for stay in fetch(engine, dwell(events))}
    )
    stays = fetch(engine, dwell(events, 30, "difference"))
    each: dict[str, dict[Any, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for stay in stays:
        each["/list" if stay["page"].startswith("/list") else stay["page"]][stay["customer_id"]].append(
            stay["seconds"]
        )
    assert found.keys() == each.keys()
    for group, customers in each.items():
        n = [len(seconds) for seconds in customers.values()]
        kept = [[s for s in seconds if s is not None and s >= 5] for seconds in customers.values()]
        logs = [sum(math.log(min(s, 1800)) for s in seconds) for seconds in kept]
        row = found[group]
        assert row["kept_x"] == sum(map(len, kept))
        assert row["kept_nn"] == sum(size**2 for size in n)
        assert row["kept_xn"] == sum(len(one) * size for one, size in zip(kept, n, strict=True))
        assert row["log_xx"] == pytest.approx(sum(one**2 for one in logs))
        inside = [one for one in bins if one["group"] == group]
        assert sum(one["n"] for one in inside) == row["kept_x"]
        assert sum(one["logs"] for one in inside) == pytest.approx(row["log_x"])
        for one in inside:
            if one["bin"] != sums.BEYOND:
                middle = 30 * math.exp(0.05 * (one["bin"] + 0.5))
                assert math.exp(one["logs"] / one["n"]) == pytest.approx(middle, rel=0.026)


def test_sums_of_two_halves_of_the_customers_are_those_of_the_whole() -> None:
    events = wander(2)
    halves = [[event for event in events if int(event["customer_id"]) % 2 == half] for half in (0, 1)]
    parts = []
    for rows in (events, *halves):
        engine = Memory(events=typed(rows))
        found = table(engine, "events")
        visited = sums.visits(found, None, gap_minutes=30, success="event:purchase")
        parts.append(fetch(engine, sums.of_visitors(visited))[0])
    whole, one, other = parts
    for name, value in whole.items():
        assert name == "whole" or float(value) == pytest.approx(float(one[name]) + float(other[name]))


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("https://shop.example/product/p1?utm=x#top", ("/product/p1", "/product")),
        ("https://shop.example", ("/", "/")),
        ("https://shop.example?a=/b", ("/", "/")),
        ("/product/p1?x", ("/product/p1", "/product")),
        ("/cart", ("/cart", "/cart")),
        ("/", ("/", "/")),
        ("Home page", ("Home page", "Home page")),
    ],
)
def test_the_address_of_a_page(page: str, expected: tuple[str, str]) -> None:
    engine = Memory(events=typed([at(0, page=page)]))
    rows = table(engine, "events")
    clean = sums.path(rows.page)
    (found,) = fetch(engine, rows.select(path=clean, first=sums.first_part(clean)))
    assert (found["path"], found["first"]) == expected


@pytest.mark.parametrize("dialect", ["postgres", "databricks", "bigquery"])
def test_the_questions_are_sql_elsewhere(dialect: str) -> None:
    social = typed([{"date": START, "network": "n", "post": "p", "type": "like", "count": 1, "reach": 2}])
    orders = typed([{"customer_id": "a", "ts": START, "revenue": 1.0}])
    engine = Memory(events=typed(wander(1)), social=social, orders=orders)
    events, placed = table(engine, "events"), table(engine, "orders")
    clock = offsets("Europe/Madrid", 1_700_000_000, 1_800_000_000)
    visited = sums.visits(events, placed, gap_minutes=30, success="conversion")
    rows = sums.stays(events, visited, gap_minutes=30, source="difference", least_seconds=1)
    rows = sums.grouped(rows, None, "page_type")
    after = sums.after_chats(
        events, placed, start="view", success="conversion", window_days=7, until=2**31, clock=clock
    )
    for expression in (
        sums.by_week(visited, clock),
        sums.of_visitors(visited),
        sums.of_stays(rows),
        sums.in_bins(rows, ["/"]),
        sums.of_chats(events, "view", "purchase"),
        sums.chat_weeks(after),
        sums.of_chatters(after),
        sums.of_posts(table(engine, "social")),
    ):
        parsed = sqlglot.parse_one(ibis.to_sql(expression, dialect=dialect), read=dialect)
        assert isinstance(parsed, sqlglot.exp.Query)
        assert parsed.is_star or tuple(parsed.named_selects) == tuple(expression.columns)
