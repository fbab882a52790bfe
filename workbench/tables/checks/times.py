"""Checks of the time that the tables cover: gaps, sudden drops, a last day cut short, the future, strays.

How late rows arrived cannot be said of tables that do not hold when they were received. Where they do, in a
column that a system added, it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import ibis
import numpy as np
from ibis import _

from workbench.clock import DAY
from workbench.locale import say
from workbench.records import Check
from workbench.tables.checks.coverage import Stretch, cut_short, drops, gaps
from workbench.tables.checks.stored import Series, Stored, day_of, number, seconds, time_of

FLOWS = ("orders", "events", "spend")
"""Tables in which every day of an open shop leaves rows."""

ONE_END = ("orders", "events")
"""Tables that analyses take to reach as far as the data do."""

RECEIVED = ("received_at", "processed_at", "process_timestamp", "ingested_at", "loaded_at", "server_time")
"""Columns of events, beyond the declared ones, in which systems say when they received a row."""

LATE_DAYS = 3  # as long as vendors say that a day's export may still change
LATE_WARNING = 0.01
CLOCK_SECONDS = 300
CLOCK_WARNING = 0.01
_SHOWN = 3


def time_checks(stored: Stored) -> Iterator[Check]:
    """Everything about when rows are there, and when they are not."""
    # the last day of all may be cut, so up to it no table has to have rows
    end = max((one.end - 1 for name, one in stored.series.items() if name in ONE_END), default=0)
    for name in stored.profiles:
        yield from _future(stored, name)
    for name, one in stored.series.items():
        yield _covered(name, one)
        yield from _strays(name, one)
        if name in FLOWS:
            behind = max(0, end - one.end) if name in ONE_END else 0
            days = np.append(one.days, np.zeros(behind))
            missing = gaps(days, one.first)
            yield _gaps(name, missing, days.size)
            fallen = drops(one.days, one.first, without=missing)
            ended = _no_more_newcomers(stored, one, fallen) if name == "orders" and fallen else None
            yield _cohort(ended) if ended else _drops(name, fallen, one.days.size)
            yield from _last_day(name, one)
            if name == "events":
                yield _names(one, missing)
    yield from _received(stored)


def _future(stored: Stored, name: str) -> Iterator[Check]:
    profile = stored.profiles[name]
    if profile.last is None:
        return
    check = f"{name}.future"
    rows = stored.rows(name)
    beyond = rows.filter(rows.at_ > stored.now)
    n = int(stored.row(beyond, n=beyond.count())["n"]) if profile.last > stored.now else 0
    if not n:
        yield Check(name=check, status="ok", detail=say("{table}: no row lies in the future.", table=name))
        return
    latest = stored.fetch(beyond.select("at_").distinct().order_by(ibis.desc("at_")).limit(_SHOWN))
    yield Check(
        name=check,
        status="warn",
        detail=say(
            "{table}: rows in the future: {n:count}. The clock, the time zone or the order of day and month "
            "is wrong where they come from; correct it there and load them again.",
            table=name,
            n=n,
        ),
        count=n,
        share=n / profile.rows,
        examples=tuple(f"{day_of(row['at_'])} {time_of(row['at_'])} UTC" for row in latest),
    )


def _covered(name: str, found: Series) -> Check:
    days = found.days.size
    return Check(
        name=f"{name}.coverage",
        status="ok",
        detail=say(
            "{table}: from {first:date} to {last:date}, {days:count} days.",
            table=name,
            first=day_of(found.first * DAY),
            last=day_of((found.first + days - 1) * DAY),
            days=days,
        ),
        count=days,
    )


def _strays(name: str, found: Series) -> Iterator[Check]:
    if found.strays:
        yield Check(
            name=f"{name}.strays",
            status="warn",
            detail=say(
                "{table}: rows half a year or more away from all others: {n:count}. Their year is likely to "
                "be wrong; correct it where they come from and load them again.",
                table=name,
                n=found.strays,
            ),
            count=found.strays,
            share=found.strays / (found.strays + found.days.sum()),
            examples=tuple(str(day) for day in found.stray_days),
        )


def _gaps(name: str, missing: Sequence[Stretch], days: int) -> Check:
    check = f"{name}.gaps"
    if not missing:
        return Check(
            name=check, status="ok", detail=say("{table}: no day is missing.", table=name), count=0, share=0.0
        )
    longest, n = max(missing, key=_length), sum(map(_length, missing))
    return Check(
        name=check,
        status="warn",
        detail=say(
            "{table}: days without rows that usually have some: {n:count}, the longest stretch from "
            "{first:date} to {last:date}. If the shop was open, data are missing: export and load these "
            "days again.",
            table=name,
            n=n,
            first=longest.first,
            last=longest.last,
        ),
        count=n,
        share=n / days,
        examples=_shown(missing),
    )


def _drops(name: str, found: Sequence[Stretch], days: int) -> Check:
    check = f"{name}.drops"
    if not found:
        return Check(
            name=check,
            status="ok",
            detail=say("{table}: rows never fell suddenly.", table=name),
            count=0,
            share=0.0,
        )
    worst, n = max(found, key=lambda drop: drop.expected - drop.rows), sum(map(_length, found))
    return Check(
        name=check,
        status="warn",
        detail=say(
            "{table}: from {first:date} to {last:date} there are only {share:percent} of the rows that were "
            "usual before. If nothing changed in the shop, a part of the data was not collected: ask what "
            "changed that day.",
            table=name,
            first=worst.first,
            last=worst.last,
            share=worst.rows / worst.expected,
        ),
        count=n,
        share=n / days,
        examples=_shown(found),
    )


def _no_more_newcomers(stored: Stored, found: Series, fallen: Sequence[Stretch]) -> date | None:
    """The day of the last first order, when its being the last is all there is to a fall of the orders.

    Such are the orders of a group of customers that was followed over time.
    """
    rows = stored.rows("orders").filter(_.at_ <= stored.now)
    began = rows.group_by("customer_id").aggregate(day_=rows.local_.min() // DAY)
    firsts = np.zeros(found.days.size)
    for row in stored.fetch(began.group_by("day_").aggregate(n=began.count())):
        if 0 <= row["day_"] - found.first < firsts.size:
            firsts[row["day_"] - found.first] = row["n"]
    last = day_of((found.first + int(np.flatnonzero(firsts)[-1])) * DAY)
    if drops(found.days - firsts, found.first) or any(drop.last < last for drop in fallen):
        return None
    return last


def _cohort(last: date) -> Check:
    return Check(
        name="orders.drops",
        status="ok",
        detail=say(
            "orders: nobody ordered for the first time after {day:date}; these are customers of a certain "
            "time, whom the data follow.",
            day=last,
        ),
        count=0,
        share=0.0,
    )


def _last_day(name: str, found: Series) -> Iterator[Check]:
    expected = cut_short(found)
    if expected:
        yield Check(
            name=f"{name}.last_day",
            status="ok",
            detail=say(
                "{table}: the last day, {day:date}, ends at {time}; about {n:count} rows of it are still to "
                "come.",
                table=name,
                day=day_of(found.last),
                time=time_of(found.last),
                n=expected,
            ),
            count=round(expected),
        )


def _names(found: Series, missing: Sequence[Stretch]) -> Check:
    """Gaps of single kinds of events, where others went on: a tag was lost."""
    lost: list[tuple[str, Stretch]] = []
    for name, days in found.named.items():
        start = int(np.argmax(days > 0))
        # the last day may be cut before its turn
        lost += [
            (name, gap)
            for gap in gaps(days[start:-1], found.first + start, series_tested=len(found.named))
            if 2 * sum(_overlap(gap, known) for known in missing) < _length(gap)
        ]
    if not lost:
        detail = say("events: no kind of event is missing for days.")
        return Check(name="events.names", status="ok", detail=detail, count=0)
    name, longest = max(lost, key=lambda one: _length(one[1]))
    return Check(
        name="events.names",
        status="warn",
        detail=say(
            "events: “{name}” does not occur from {first:date} to {last:date}, though other events do. If "
            "it was not taken out on purpose, its tag is broken: have it repaired, and read its counts with "
            "care.",
            name=name,
            first=longest.first,
            last=longest.last,
        ),
        count=len({name for name, _gap in lost}),
        share=len({name for name, _gap in lost}) / len(found.named),
        examples=tuple(f"{name}: {gap}" for name, gap in lost[:_SHOWN]),
    )


def _received(stored: Stored) -> Iterator[Check]:
    rows = stored.rows("events") if "events" in stored.profiles else None
    columns = [
        column
        for column in RECEIVED
        if rows is not None and stored.holds("events", column) and rows[column].type().is_timestamp()
    ]
    if rows is None or not columns:
        return
    delay = seconds(rows[columns[0]]) - rows.at_
    found = stored.row(
        rows,
        n=rows[columns[0]].count(),
        late=number(delay > LATE_DAYS * DAY),
        ahead=number(delay < -CLOCK_SECONDS),
    )
    late, ahead = found["late"] / found["n"], found["ahead"] / found["n"]
    yield Check(
        name="events.late",
        status="warn" if late > LATE_WARNING else "ok",
        detail=say(
            "events: {share:percent} were received more than {days:count} days after they happened; the "
            "newest {days:count} days of the data are not complete before that.",
            share=late,
            days=LATE_DAYS,
        ),
        count=int(found["late"]),
        share=late,
    )
    yield Check(
        name="events.device_clock",
        status="warn" if ahead > CLOCK_WARNING else "ok",
        detail=say(
            "events: {share:percent} happened, by their own clock, more than {minutes:count} minutes after "
            "they were received: clocks of devices are wrong, or the two times are in different zones.",
            share=ahead,
            minutes=CLOCK_SECONDS // 60,
        ),
        count=int(found["ahead"]),
        share=ahead,
    )


def _length(stretch: Stretch) -> int:
    return (stretch.last - stretch.first).days + 1


def _overlap(one: Stretch, other: Stretch) -> int:
    return max(0, (min(one.last, other.last) - max(one.first, other.first)).days + 1)


def _shown(stretches: Sequence[Stretch]) -> tuple[str, ...]:
    """The longest, in the order of time."""
    longest = sorted(stretches, key=_length, reverse=True)[:_SHOWN]
    return tuple(str(stretch) for stretch in sorted(longest, key=lambda stretch: stretch.first))
