"""Checks of the customers: whether they are known, when they were seen first, their arms and consents.

Nothing is shown of a customer but how many there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis

from workbench.clock import DAY
from workbench.locale import say
from workbench.records import Check
from workbench.tables.checks.keys import SHOWN_KEYS
from workbench.tables.checks.stored import HOUR, Answers, Stored, alike, number, seconds, without

PARENTS = {
    "order_items": ("order_id", "orders"),
    "refunds": ("order_id", "orders"),
    "send_events": ("send_id", "sends"),
}
"""Tables without customers: by which column they belong to which table."""

ACTED = ("orders", "events", "exposures")
EARLY_SECONDS = 60
EARLY_WARNING = 0.01
ZONE_SHARE = 0.2
MOST_CUSTOMERS = 200_000
"""Of more customers than this, those first seen on some days are asked when they acted first."""

_FURTHEST_HOURS = 14
_NO_HOUR = 99
_SHOWN = 3
_MOST_PURPOSES = 20


def people_checks(stored: Stored, newest: Answers) -> Iterator[Check]:
    """Orphans, dates of first sight, customers in two arms, further identifiers, consent."""
    for name in stored.profiles:
        if name != "customers":
            yield from _orphans(stored, name, newest)
        if (
            name in ACTED
            and stored.holds(name, "customer_id", "ts")
            and stored.holds("customers", "first_seen")
        ):
            yield from _early(stored, name)
        if name in PARENTS:
            key, parent = PARENTS[name]
            if stored.holds(name, key) and stored.holds(parent, key):
                yield _parentless(stored, name, key, parent)
    if stored.holds("exposures", "customer_id", "experience_id", "variant"):
        yield _crossed(stored)
    if stored.holds("aliases", "alias_id", "customer_id"):
        yield from _aliases(stored)
    if stored.holds("consents", "customer_id", "purpose", "granted"):
        yield from _consents(stored)


def strangers(stored: Stored, name: str = "events") -> dict[str, Any]:
    """What is asked of a table for customers who are not in the table customers, and for all."""
    if not (stored.holds(name, "customer_id") and stored.holds("customers", "customer_id")):
        return {}
    customers = stored.newest(name)[0].select("customer_id").distinct()
    missing = without(customers, stored.rows("customers"), "customer_id")
    return {
        "strangers": missing.aggregate(n=missing.count()),
        "customers": customers.aggregate(n=customers.count()),
    }


def _orphans(stored: Stored, name: str, newest: Answers) -> Iterator[Check]:
    found = newest if name == "events" else stored.together(strangers(stored, name))
    if "strangers" not in found:
        return
    check, part = f"{name}.orphans", stored.newest(name)[1]
    n, customers = (int(found[asked][0]["n"]) for asked in ("strangers", "customers"))
    if not n:
        detail = say("{table}: every customer is in the table customers.{part}", table=name, part=part)
        yield Check(name=check, status="ok", detail=detail, count=0, share=0.0)
        return
    yield Check(
        name=check,
        status="warn",
        detail=say(
            "{table}: customers who are not in the table customers: {n:count}. Groups know nothing of them: "
            "load the customers of the same time, with the same identifiers.{part}",
            table=name,
            n=n,
            part=part,
        ),
        count=n,
        share=n / customers,
    )


def _early(stored: Stored, name: str) -> Iterator[Check]:
    """Whether customers acted before they were first seen; by whole hours it is a time zone."""
    customers = stored.rows("customers")
    customers = customers.select("customer_id", seen_=seconds(customers.first_seen))
    customers = customers.filter(customers.seen_.notnull())
    step = -(-stored.profiles["customers"].rows // MOST_CUSTOMERS)
    if step > 1:  # those first seen on one day in so many
        customers = customers.filter((customers.seen_ // DAY) % step == 0)
    rows, customers = alike(stored.rows(name).select("customer_id", "at_"), customers, "customer_id")
    both = rows.inner_join(customers, "customer_id")
    each = both.group_by("customer_id").aggregate(since_=both.at_.min() - both.seen_.min())
    nearest = (each.since_ + HOUR // 2) // HOUR
    exact = (each.since_ - nearest * HOUR).abs() <= EARLY_SECONDS
    each = each.mutate(
        early_=each.since_ < -EARLY_SECONDS,
        hours_=ibis.ifelse(exact & (nearest.abs() <= _FURTHEST_HOURS), nearest, _NO_HOUR),
    )
    found = stored.fetch(each.group_by(["early_", "hours_"]).aggregate(customers=each.count()))
    if found:
        yield _first_seen(name, found)


def _first_seen(name: str, dates: list[dict[str, Any]]) -> Check:
    check, customers = f"{name}.first_seen", sum(row["customers"] for row in dates)
    by_hour: dict[int, int] = {}
    for row in dates:
        by_hour[row["hours_"]] = by_hour.get(row["hours_"], 0) + row["customers"]
    hours = max((hour for hour in by_hour if hour != _NO_HOUR), key=lambda hour: by_hour[hour], default=0)
    share = by_hour.get(hours, 0) / customers
    if hours and share > ZONE_SHARE:
        words = (
            "{table}: {share:percent} of the customers are in it exactly {hours:count} hours after they "
            "were first seen. One of the two times is in another time zone: choose the right one when you "
            "load it."
            if hours > 0
            else "{table}: {share:percent} of the customers are in it exactly {hours:count} hours before "
            "they were first seen. One of the two times is in another time zone: choose the right one "
            "when you load it."
        )
        detail = say(words, table=name, share=share, hours=abs(hours))
        return Check(name=check, status="warn", detail=detail, count=by_hour[hours], share=share)
    n = sum(row["customers"] for row in dates if row["early_"])
    if n <= EARLY_WARNING * customers:
        detail = say("{table}: customers are first seen before they are in it.", table=name)
        return Check(name=check, status="ok", detail=detail, count=n, share=n / customers)
    return Check(
        name=check,
        status="warn",
        detail=say(
            "{table}: customers who are in it before they were first seen: {n:count}. Either first_seen is "
            "something else, or a clock is wrong; do not group by it before you know.",
            table=name,
            n=n,
        ),
        count=n,
        share=n / customers,
    )


def _parentless(stored: Stored, name: str, key: str, parent: str) -> Check:
    check = f"{name}.orphans"
    missing = without(stored.rows(name).select(key), stored.rows(parent), key)
    found = stored.row(missing, rows=missing.count(), keys=missing[key].nunique())
    if not found["rows"]:
        detail = say("{table}: every {key} is in the table {parent}.", table=name, key=key, parent=parent)
        return Check(name=check, status="ok", detail=detail, count=0, share=0.0)
    shown = stored.fetch(missing.distinct().order_by(key).limit(_SHOWN)) if key in SHOWN_KEYS else []
    return Check(
        name=check,
        status="warn",
        detail=say(
            "{table}: values of {key} that are not in the table {parent}: {n:count}. These rows belong to "
            "nothing: load {parent} of the same time.",
            table=name,
            n=int(found["keys"]),
            key=key,
            parent=parent,
        ),
        count=int(found["rows"]),
        share=int(found["rows"]) / stored.profiles[name].rows,
        examples=tuple(str(row[key])[:40] for row in shown),
    )


def _crossed(stored: Stored) -> Check:
    """Customers in more than one variant of an experience."""
    rows = stored.rows("exposures")
    each = rows.group_by(["experience_id", "customer_id"]).aggregate(
        low_=rows.variant.min(), high_=rows.variant.max()
    )
    crossed = ibis.ifelse(each.low_ < each.high_, 1, 0)
    found = stored.fetch(
        each.group_by("experience_id")
        .aggregate(customers=each.count(), crossed=crossed.sum())
        .order_by("experience_id")
    )
    worst = sorted(found, key=lambda row: row["crossed"] / row["customers"], reverse=True)
    n, everybody = (sum(int(row[part]) for row in found) for part in ("crossed", "customers"))
    if not n:
        return Check(
            name="exposures.crossed",
            status="ok",
            detail=say("exposures: every customer is in one variant of an experience."),
            count=0,
            share=0.0,
        )
    return Check(
        name="exposures.crossed",
        status="warn",
        detail=say(
            "exposures: customers in more than one variant of an experience: {n:count}, the largest share in "
            "“{name}” ({share:percent}). They are left out of its comparison: find out why they changed.",
            n=n,
            name=worst[0]["experience_id"],
            share=worst[0]["crossed"] / worst[0]["customers"],
        ),
        count=n,
        share=n / everybody,
        examples=tuple(
            f"{row['experience_id']}: {row['crossed']} / {row['customers']}"
            for row in worst[:_SHOWN]
            if row["crossed"]
        ),
    )


def _aliases(stored: Stored) -> Iterator[Check]:
    """How many identifiers were found to be those of another customer, and whether they agree."""
    rows = stored.rows("aliases")
    rows = rows.filter(rows.alias_id != rows.customer_id)
    each = rows.group_by("alias_id").aggregate(low_=rows.customer_id.min(), high_=rows.customer_id.max())
    found = stored.row(each, n=each.count(), several=number(each.low_ < each.high_))
    merged, several = int(found["n"]), int(found["several"])
    identifiers = merged + (stored.profiles["customers"].rows if "customers" in stored.profiles else 0)
    yield Check(
        name="aliases.merged",
        status="ok",
        detail=say(
            "aliases: further identifiers of customers: {n:count} ({share:percent} of all).",
            n=merged,
            share=merged / identifiers if identifiers else 0.0,
        ),
        count=merged,
        share=merged / identifiers if identifiers else 0.0,
    )
    if several:
        yield Check(
            name="aliases.several",
            status="warn",
            detail=say(
                "aliases: identifiers that belong to several customers: {n:count}. A shared computer, or "
                "two people merged by mistake: what they did counts for only one of them.",
                n=several,
            ),
            count=several,
            share=several / merged,
        )


def _consents(stored: Stored) -> Iterator[Check]:
    """How many customers agree to each purpose by their newest statement; of two in a second the no holds."""
    rows = stored.rows("consents")
    at = (
        ibis.coalesce(rows.at_, ibis.literal(-(2**62), "int64"))
        if "at_" in rows.columns
        else ibis.literal(0, "int64")
    )
    rows = rows.mutate(at_=at)
    each = rows.group_by(["purpose", "customer_id"]).aggregate(
        yes_=rows.at_.max(where=rows.granted), no_=rows.at_.max(where=~rows.granted)
    )
    agrees = each.yes_.notnull() & (each.no_.isnull() | (each.yes_ > each.no_))
    found = stored.fetch(
        each.group_by("purpose")
        .aggregate(asked=each.count(), agreed=number(agrees))
        .order_by([ibis.desc("asked"), "purpose"])
        .limit(_MOST_PURPOSES)
    )
    customers = stored.profiles["customers"].rows if "customers" in stored.profiles else 0
    for row in found:
        asked, agreed = int(row["asked"]), int(row["agreed"])
        everybody = max(customers, asked)
        yield Check(
            name=f"consents.{row['purpose']}",
            status="ok",
            detail=say(
                "consents: {share:percent} of the customers agree to “{purpose}” ({n:count}); "
                "{silent:count} have said nothing, which is no consent.",
                share=agreed / everybody,
                purpose=row["purpose"],
                n=agreed,
                silent=everybody - asked,
            ),
            count=agreed,
            share=agreed / everybody,
        )
