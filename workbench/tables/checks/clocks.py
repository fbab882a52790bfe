"""Checks that times are on the clock that they are taken to be on.

Three signs of a wrong clock, none of which needs to know the right one:

    dates   times at midnight exactly: the time of day was lost, in all rows or in some night   a shop's quiet
    hours lie at night; by day they mean that the clock is another one hours   two tables of one shop rise and
    fall through the day alike; when one has to be turned by whole hours
            to fit the other, one of the two is in another time zone

Profiles p, q of 24 hours are held against each other by 1 - Σ √(p q), half the squared Hellinger distance.
For two samples of one profile it is 23/8 (1/n + 1/m) on average: 8 n m / (n + m) times it is a chi-square
with 23 degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.locale import say
from workbench.records import Check
from workbench.tables.checks.stored import Floats, Stored

TIMED = ("orders", "exposures", "events")
"""Tables whose times of day are those of people; the others are held against the last that is there."""

ALL_DATES, SOME_DATES = 0.95, 0.02
QUIET_HOURS = 6
QUIET_SHARE = 0.125  # half of what six hours would hold if all were alike
BY_DAY = range(9, 22)
FEWEST_ROWS = 200
TURNED = 3.0
_BUNCH = 3.0  # events of a visit come together: they say as much as a third as many


def clock_checks(stored: Stored) -> Iterator[Check]:
    """Dates without a time, quiet hours by day, tables that differ by whole hours."""
    found = {name: stored.series[name] for name in TIMED if name in stored.series}
    timed = [name for name, one in found.items() if one.dates < SOME_DATES]
    for name, one in found.items():
        yield _dates(name, one.dates, exposed_at="exposures" in timed)
    hours = {name: found[name].hours for name in timed if found[name].hours.sum() >= FEWEST_ROWS}
    for name, profile in hours.items():
        if name != "exposures":  # an experiment begins when somebody starts it
            yield _night(name, profile)
    for name in list(hours)[:-1]:
        other = list(hours)[-1]
        yield _turned(name, other, hours[name], hours[other])


def _dates(name: str, share: float, *, exposed_at: bool) -> Check:
    check = f"{name}.dates"
    if share < SOME_DATES:
        return Check(name=check, status="ok", detail=say("{table}: times say the hour.", table=name))
    if share < ALL_DATES:
        detail = say(
            "{table}: {share:percent} of the rows are at midnight exactly: their time of day was lost. What "
            "comes first within a day is not known of them; export them with their time if you can.",
            table=name,
            share=share,
        )
        return Check(name=check, status="warn", detail=detail, share=share)
    if name != "exposures" and exposed_at:
        detail = say(
            "{table}: times are days only, but exposures say the hour: what somebody did on the day of the "
            "exposure counts as done before it. Export them with their time.",
            table=name,
        )
        return Check(name=check, status="warn", detail=detail, share=share)
    detail = say("{table}: times are days only; what comes first within a day is not known.", table=name)
    return Check(name=check, status="ok", detail=detail, share=share)


def _night(name: str, hours: Floats) -> Check:
    check = f"{name}.night"
    sums = np.convolve(np.concatenate([hours, hours[: QUIET_HOURS - 1]]), np.ones(QUIET_HOURS), "valid")
    start = int(np.argmin(sums))
    share = float(sums[start] / hours.sum())
    middle, end = (start + QUIET_HOURS // 2) % 24, (start + QUIET_HOURS) % 24
    span = f"{start:02}:00 – {end:02}:00"
    if share > QUIET_SHARE or middle not in BY_DAY:
        return Check(
            name=check,
            status="ok",
            detail=say("{table}: fewest rows are from {hours}.", table=name, hours=span),
            share=share,
        )
    return Check(
        name=check,
        status="warn",
        detail=say(
            "{table}: fewest rows are by day, from {hours}, where one expects them at night: the times are "
            "likely to be in another time zone. Choose it when you load them, or correct that of the "
            "project.",
            table=name,
            hours=span,
        ),
        share=share,
        examples=(span,),
    )


def turn(hours: Floats, others: Floats) -> int:
    """By how many hours `hours` come later in the day than `others`; 0 unless a turn fits much better.

    Args:
        hours, others: Rows of each hour of the day.
    """
    p, q = hours / hours.sum(), others / others.sum()
    turns = range(-11, 13)
    distances = [1 - float(np.sqrt(p * np.roll(q, by)).sum()) for by in turns]
    best = int(np.argmin(distances))
    noise = 23 / 8 * _BUNCH * (1 / hours.sum() + 1 / others.sum())
    clear = distances[turns.index(0)] > TURNED * (distances[best] + noise)
    return turns[best] if clear else 0


def _turned(name: str, other: str, hours: Floats, others: Floats) -> Check:
    check, by = f"{name}.hours", turn(hours, others)
    if not by:
        detail = say("{table} and {other} rise and fall through the day together.", table=name, other=other)
        return Check(name=check, status="ok", detail=detail, count=0)
    words = (
        "{table} come {hours:count} hours later in the day than {other}. If they are of the same people, "
        "one of the two is in another time zone: choose the right one when you load it."
        if by > 0
        else "{table} come {hours:count} hours earlier in the day than {other}. If they are of the same "
        "people, one of the two is in another time zone: choose the right one when you load it."
    )
    return Check(
        name=check, status="warn", detail=say(words, table=name, other=other, hours=abs(by)), count=abs(by)
    )
