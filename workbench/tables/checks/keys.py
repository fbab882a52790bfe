"""Checks that the same thing is not counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis

from workbench.locale import say
from workbench.records import Check
from workbench.tables.checks.stored import Answers, Stored, number

SHOWN_KEYS = frozenset(
    {"order_id", "refund_id", "experience_id", "metric", "date", "channel", "campaign", "currency"}
)
"""Columns whose values may stand in an example: what they name is no customer.

Identifiers of customers, sessions, messages, leads and events are never shown: systems make them of
addresses.
"""

FEW_DATES = 0.02  # of orders that are a date without a time, which is no minute
AGAIN_SECONDS = 60
AGAIN_WARNING = 0.001
DOUBLE_WARNING = 0.01
FEWEST_DOUBLES = 10
_SHOWN = 3
_MOST_NAMES = 1000


def key_checks(stored: Stored, newest: Answers) -> Iterator[Check]:
    """Repeated keys, orders placed twice, events fired twice."""
    for name in stored.profiles:
        yield from _repeated(stored, name)
    hours = "orders" in stored.series and stored.series["orders"].dates < FEW_DATES
    if hours and stored.holds("orders", "customer_id", "revenue"):
        yield _orders_again(stored)
    if "twice" in newest:
        yield _fired_twice(stored, newest["twice"])


def _repeated(stored: Stored, name: str) -> Iterator[Check]:
    profile = stored.profiles[name]
    table = profile.table
    if table.repeat not in ("newest", "fill", "first") or not profile.holds(*table.key):
        return
    check, keys = f"{name}.repeated", list(table.key)
    rows, part = stored.newest(name)
    rows = rows.filter([rows[key].notnull() for key in keys])
    groups = rows.group_by(keys).aggregate(n_=rows.count())
    several = groups.filter(groups.n_ > 1)
    found = stored.row(several, values=several.count(), rows=several.n_.sum())
    n, more = int(found["values"]), int(found["rows"] - found["values"])
    if not n:
        yield Check(
            name=check,
            status="ok",
            detail=say(
                "{table}: no two rows have the same {key}.{part}", table=name, key=", ".join(keys), part=part
            ),
            count=0,
            share=0.0,
        )
        return
    shown = several.order_by([ibis.desc("n_"), *keys]).limit(_SHOWN) if set(keys) <= SHOWN_KEYS else None
    yield Check(
        name=check,
        status="fail",
        detail=say(
            "{table}: values of {key} that stand in several rows: {n:count}. These rows are counted more "
            "than once: load the table again from one complete export.{part}",
            table=name,
            n=n,
            key=", ".join(keys),
            part=part,
        ),
        count=more,
        share=more / int(stored.row(rows, n=rows.count())["n"]),
        examples=tuple(", ".join(str(row[key])[:40] for key in keys) for row in stored.fetch(shown))
        if shown is not None
        else (),
    )


def _orders_again(stored: Stored) -> Check:
    """Orders of the same customer and amount within a minute of one before: sent twice, or a double click."""
    rows, part = stored.newest("orders")
    rows = rows.filter((rows.revenue > 0) & rows.customer_id.notnull())
    before = rows.at_.lag(1).over(group_by=["customer_id", "revenue"], order_by="at_")
    rows = rows.mutate(since_=rows.at_ - before)
    again = rows.filter(rows.since_ <= AGAIN_SECONDS)
    found = stored.row(rows, n=rows.count(), again=number(rows.since_ <= AGAIN_SECONDS))
    n = int(found["again"])
    share = n / int(found["n"]) if n else 0.0
    examples: tuple[str, ...] = ()
    if n and "order_id" in rows.columns:
        shown = stored.fetch(again.select("order_id").order_by("order_id").limit(_SHOWN))
        examples = tuple(str(row["order_id"])[:40] for row in shown)
    detail = say("orders: no customer placed the same order twice within a minute.{part}", part=part)
    if n:
        detail = say(
            "orders within a minute of another of the same customer and amount: {n:count}. If they are one "
            "order that was sent twice, revenue counts it twice: take them out where they come from.{part}",
            n=n,
            part=part,
        )
    return Check(
        name="orders.again",
        status="warn" if share > AGAIN_WARNING else "ok",
        detail=detail,
        count=n,
        share=share,
        examples=examples,
    )


def fired_twice(stored: Stored) -> dict[str, Any]:
    """What is asked of the newest events for those that are alike in all that was recorded.

    Of one customer in one second, by kind.
    """
    if not stored.holds("events", "customer_id", "name", "ts"):
        return {}
    rows, _part = stored.newest("events")
    same = [column for column in ("page", "item", "value", "variant") if stored.holds("events", column)]
    alike = rows.group_by(["customer_id", "name", "at_", *same]).aggregate(n_=rows.count())
    kinds = alike.group_by("name").aggregate(rows=alike.n_.sum(), more=(alike.n_ - 1).sum())
    return {"twice": kinds.order_by([ibis.desc("more"), "name"]).limit(_MOST_NAMES)}


def _fired_twice(stored: Stored, kinds: list[dict[str, Any]]) -> Check:
    part = stored.newest("events")[1]
    kinds = sorted(kinds, key=lambda row: (-row["more"], row["name"]))
    n = sum(int(row["more"]) for row in kinds)
    worst = [
        row for row in kinds if row["more"] >= FEWEST_DOUBLES and row["more"] > DOUBLE_WARNING * row["rows"]
    ]
    if not worst:
        detail = say("events: hardly any is recorded twice in a second.{part}", part=part)
    else:
        detail = say(
            "events: {share:percent} of “{name}” stand there twice or more, alike to the second. A tag that "
            "fires twice makes them look so: have it corrected, and count customers rather than "
            "events.{part}",
            share=worst[0]["more"] / worst[0]["rows"],
            name=worst[0]["name"],
            part=part,
        )
    return Check(
        name="events.twice",
        status="warn" if worst else "ok",
        detail=detail,
        count=n,
        share=n / sum(int(row["rows"]) for row in kinds),
        examples=tuple(str(row["name"]) for row in worst[:_SHOWN]),
    )
