"""Checks of who is behind events: machines rather than people, and visits whose length nobody measured.

A customer is taken for a machine who was active in most hours of one day, or had far more events in one hour
than a person has, and never ordered. What the table names as a crawler is counted apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from ibis import _

from workbench.locale import say
from workbench.records import Check
from workbench.tables.checks.stored import HOUR, Answers, Stored, any_of, number, without

AWAKE_HOURS = 18
"""Hours of one day with events that nobody has who sleeps."""

HOURLY_LEAST, HOURLY_RATIO = 240, 20.0
"""Events in one hour are too many above both: four a minute, and this many times the customers' median."""

BOT_WARNING = 0.01
CRAWLERS = (
    "bot",
    "crawl",
    "spider",
    "slurp",
    "headless",
    "lighthouse",
    "python-requests",
    "curl/",
    "preview",
)
"""Parts of the names by which programs that read pages call themselves."""

SCAN_SECONDS = 10
SCAN_WARNING = 0.01


def traffic_checks(stored: Stored, newest: Answers) -> Iterator[Check]:
    """Bots, crawlers, scanners of mail, visits of one event."""
    if newest.get("busy"):
        yield _bots(stored, newest["busy"])
    for name in ("events", "send_events"):
        if stored.holds(name, "user_agent"):
            yield _crawlers(stored, name)
    if stored.holds("send_events", "send_id", "type", "ts") and stored.holds("sends", "send_id", "ts"):
        yield from _scanners(stored)
    if "visits" in newest:
        yield from _visits(stored, newest["visits"][0])


def _busy(stored: Stored) -> Any:
    """Of each customer the `awake_` hours of a day, the `most_` events of an hour, and all `n_` events."""
    rows, _part = stored.newest("events")
    rows = rows.filter(rows.customer_id.notnull()).mutate(hour_=rows.local_ // HOUR)
    hours = rows.group_by(["customer_id", "hour_"]).aggregate(n_=rows.count())
    days = hours.group_by(["customer_id", (hours.hour_ // 24).name("day_")]).aggregate(
        awake_=hours.count(), most_=hours.n_.max(), n_=hours.n_.sum()
    )
    return days.group_by("customer_id").aggregate(awake_=_.awake_.max(), most_=_.most_.max(), n_=_.n_.sum())


def busy_customers(stored: Stored) -> dict[str, Any]:
    """What is asked of the newest events for machines: customers by how active they were."""
    if not stored.holds("events", "customer_id", "ts"):
        return {}
    each = _busy(stored)
    by = each.group_by(tireless=each.awake_ >= AWAKE_HOURS, most="most_")
    return {"busy": by.aggregate(customers=each.count(), events=each.n_.sum())}


def _bots(stored: Stored, found: list[dict[str, Any]]) -> Check:
    part, each = stored.newest("events")[1], _busy(stored)
    found = sorted(found, key=lambda row: int(row["most"]))
    busiest = np.repeat([row["most"] for row in found], [row["customers"] for row in found])
    limit = max(HOURLY_LEAST, HOURLY_RATIO * float(np.median(busiest)))
    n, acted, events = 0, 0, sum(int(row["events"]) for row in found)
    if any(row["tireless"] or row["most"] > limit for row in found):
        machines = each.filter((each.awake_ >= AWAKE_HOURS) | (each.most_ > limit))
        if stored.holds("orders", "customer_id"):
            machines = without(machines, stored.rows("orders"), "customer_id")
        counted = stored.row(machines, n=machines.count(), events=machines.n_.sum())
        n, acted = int(counted["n"]), int(counted["events"])
    share = acted / events
    if not n:
        detail = say("events: nobody is as active as only machines are.{part}", part=part)
    else:
        detail = say(
            "events: customers who behave like machines: {n:count}. They never ordered and were active in "
            "{hours:count} hours of a day or more, or had over {limit:count} events in an hour; "
            "{share:percent} of the events are theirs. Leave them out where the data are collected, and "
            "count customers rather than events.{part}",
            n=n,
            hours=AWAKE_HOURS,
            limit=limit,
            share=share,
            part=part,
        )
    return Check(
        name="events.bots",
        status="warn" if share > BOT_WARNING else "ok",
        detail=detail,
        count=n,
        share=share,
    )


def _crawlers(stored: Stored, name: str) -> Check:
    rows = stored.rows(name)
    agent = rows.user_agent.lower()
    found = stored.row(
        rows, n=rows.count(), named=number(any_of([agent.contains(word) for word in CRAWLERS]))
    )
    n, share = int(found["named"]), int(found["named"]) / int(found["n"])
    return Check(
        name=f"{name}.crawlers",
        status="warn" if share > BOT_WARNING else "ok",
        detail=say(
            "{table}: {share:percent} of the rows come from programs that say so in their user_agent; leave "
            "them out before you load.",
            table=name,
            share=share,
        )
        if n
        else say("{table}: no row comes from a program that says so in its user_agent.", table=name),
        count=n,
        share=share,
    )


def _scanners(stored: Stored) -> Iterator[Check]:
    """Clicks within seconds of the sending: a program that looks at links before a person may."""
    sent = stored.rows("sends").select("send_id", sent_=_.at_)
    clicks = stored.rows("send_events").filter(_.type == "click").select("send_id", "at_")
    both = clicks.inner_join(sent, "send_id").mutate(since_=_.at_ - _.sent_)
    at_once = (both.since_ >= 0) & (both.since_ <= SCAN_SECONDS)
    found = stored.row(both, n=both.count(), scans=number(at_once))
    if not found["n"]:
        return
    n, share = int(found["scans"]), int(found["scans"]) / int(found["n"])
    yield Check(
        name="send_events.scanners",
        status="warn" if share > SCAN_WARNING else "ok",
        detail=say(
            "send_events: {share:percent} of the clicks come within {seconds:count} seconds of the sending. "
            "Programs that check mail click so; do not take these for interest.",
            share=share,
            seconds=SCAN_SECONDS,
        ),
        count=n,
        share=share,
    )


def visits(stored: Stored) -> dict[str, Any]:
    """What is asked of the newest events for visits of one event, and for all."""
    if not stored.holds("events", "session_id"):
        return {}
    rows, _part = stored.newest("events")
    rows = rows.filter(rows.session_id.notnull())
    each = rows.group_by("session_id").aggregate(n_=rows.count())
    return {"visits": each.aggregate(n=each.count(), single=number(each.n_ == 1))}


def _visits(stored: Stored, found: dict[str, Any]) -> Iterator[Check]:
    """Visits of one event: how long their page was looked at is unmeasured, not nought."""
    if not found["n"]:
        return
    part = stored.newest("events")[1]
    n, share = int(found["single"]), int(found["single"]) / int(found["n"])
    yield Check(
        name="events.visits",
        status="ok",
        detail=say(
            "events: {share:percent} of {n:count} visits are one event. How long its page was looked at is "
            "unmeasured, not nought; so it is for the last page of every visit.{part}",
            share=share,
            n=int(found["n"]),
            part=part,
        ),
        count=n,
        share=share,
    )
