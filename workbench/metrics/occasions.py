"""Occasions, compressed: in which periods of the calendar customers did something, and no customer.

Every customer has one occasion in each whole period (a month, a week, a quarter) after the one in which they
began. Of these `n` they took `x`, the last of them at `t_x`; several actions of a period are one. A period
that is still running is no occasion yet. What was known some periods ago (`known_x`, `known_t`) is counted
with it, so that the same rows say what a model would have been given then.
"""

from __future__ import annotations

from typing import Any, Literal

import ibis

from workbench.engines import whole_seconds
from workbench.metrics.purchases import Clock, day_at
from workbench.segments import is_credit

Period = Literal["week", "month", "quarter"]
PERIODS: tuple[Period, ...] = ("week", "month", "quarter")
KEYS = ("group", "n", "x", "t_x", "known_x", "known_t")
_OPENED = ("open", "click")


def period_number(day: Any, period: Period) -> Any:
    """Which period a day is in, counted so that the next one is one more; weeks begin on Monday.

    Whole-number arithmetic that a number and a column of any engine share. Source: Hinnant,
    "chrono-compatible low-level date algorithms" (`civil_from_days`); years begin with March in it.

    Args:
        day: Days since 1970.
        period: One of `PERIODS`.

    >>> [period_number(day, "month") - period_number(0, "month") for day in (30, 31, 58, 59, 365)]
    [0, 1, 1, 2, 12]
    >>> period_number(3, "week") - period_number(4, "week")   # Sunday and Monday
    -1
    """
    if period == "week":
        return (day + 3) // 7
    since = day + 719_468
    era = since // 146_097
    of_era = since - era * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (year + era * 400) * 12 + (5 * of_year + 2) // 153 + 2
    return month if period == "month" else month // 3


def ordered(orders: Any, *, clock: Clock) -> Any:
    """`customer_id` and `day` of every order that is no credit."""
    kept = orders.filter(~is_credit(orders))
    return kept.select("customer_id", day=day_at(whole_seconds(kept.ts), clock))


def happened(events: Any, name: str, *, clock: Clock) -> Any:
    """`customer_id` and `day` of every event of that name."""
    kept = events.filter(events.name == name)
    return kept.select("customer_id", day=day_at(whole_seconds(kept.ts), clock))


def sent(sends: Any, *, clock: Clock) -> Any:
    """`customer_id` and `day` of every message sent."""
    return sends.select("customer_id", day=day_at(whole_seconds(sends.ts), clock))


def opened(sends: Any, answers: Any, *, clock: Clock) -> Any:
    """`customer_id` and `day` of every opening of a message; who clicked in it has opened it.

    Args:
        sends: Rows of `send_id`, `customer_id`.
        answers: `send_events`.
        clock: As of `purchases.order_day`.
    """
    kept = answers.filter(answers.type.isin(_OPENED))
    kept = kept.select("send_id", day=day_at(whole_seconds(kept.ts), clock))
    return kept.inner_join(sends.select("send_id", "customer_id"), "send_id").select("customer_id", "day")


def first_days(acts: Any) -> Any:
    """`customer_id` and `begin`, the day of the first of these."""
    return acts.group_by("customer_id").aggregate(begin=acts.day.min())


def _taken(people: Any, acts: Any, *, period: Period, last: int) -> Any:
    """`customer_id`, `begin` and `at`: the periods in which people did it, after that of their beginning."""
    spans = acts.select("customer_id", at=period_number(acts.day, period)).distinct()
    begun = people.select("customer_id", begin=period_number(people.begin, period))
    joined = spans.inner_join(begun, "customer_id")
    return joined.filter((joined.at > joined.begin) & (joined.at <= last))


def customers(people: Any, acts: Any, *, period: Period, last: int, split: int) -> Any:
    """One row a customer: `KEYS` and `customer_id`; none who had no whole period yet.

    Args:
        people: Rows of `customer_id`, `group`, `begin`, a day.
        acts: Rows of `customer_id`, `day`.
        period: Of occasions.
        last: The last whole period.
        split: The last period of `known_x` and `known_t`.
    """
    taken = _taken(people, acts, period=period, last=last)
    known = taken.at <= split
    one = taken.group_by("customer_id").aggregate(
        x=taken.count(),
        t_x=(taken.at - taken.begin).max(),
        known_x=ibis.ifelse(known, 1, 0).sum(),
        known_t=ibis.ifelse(known, taken.at - taken.begin, 0).max(),
    )
    each = people.left_join(one, "customer_id").drop("customer_id_right")
    each = each.mutate(n=ibis.literal(last, "int64") - period_number(each.begin, period))
    each = each.filter(each.n > 0)
    counts = {name: ibis.coalesce(each[name], 0).cast("int64") for name in ("x", "t_x", "known_x", "known_t")}
    return each.select("customer_id", "group", n=each.n.cast("int64"), **counts)


def counted(each: Any) -> Any:
    """How many customers have equal `KEYS`: `count`.

    Args:
        each: What `customers` gives.
    """
    return each.group_by(list(KEYS)).aggregate(count=each.count())


def by_period(people: Any, acts: Any, *, period: Period, last: int, split: int) -> Any:
    """Of people who had an occasion by `split`, how many took each later one: `at` and `n`.

    Args:
        people, acts, period, last, split: As of `customers`.
    """
    taken = _taken(people, acts, period=period, last=last)
    later = taken.filter((taken.begin < split) & (taken.at > split))
    return later.group_by("at").aggregate(n=later.count())
