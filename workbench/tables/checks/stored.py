"""The stored tables as the checks see them: what each holds, and when its rows are on the shop's clock.

Two aggregates a table, made once. Times are whole seconds, as in `clock.py`; `local_` are those of the shop's
clock, so that a day is `local_ // 86400`.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import ibis
import numpy as np
from ibis import _
from numpy.typing import NDArray

from workbench import engines
from workbench.clock import DAY, offsets
from workbench.engines import Engine, whole_seconds
from workbench.locale import Message, say
from workbench.tables.schema import TABLES, Table, standard

Floats = NDArray[np.float64]
Answers = Mapping[str, list[dict[str, Any]]]
"""Rows of the answers to several questions, by their names."""

MOST_ROWS = 2_000_000
"""Questions that group a table by its customers or keys look at its newest days, about this many rows."""

HOUR = 3600
_MOST_NAMES = 20
_HOLE_HOURS = 180 * 24
_STRAY_SHARE = 0.01
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Profile:
    """What one pass over a table tells.

    Attributes:
        table: Which table it is.
        rows: How many rows it has.
        filled: Column → rows in which it is filled; a column that is not there is not named.
        first: Its first moment, seconds since 1970 UTC; None without a time.
        last: Its last moment.
    """

    table: Table
    rows: int
    filled: Mapping[str, int]
    first: int | None = None
    last: int | None = None

    def holds(self, *columns: str) -> bool:
        """Whether there is something in each of these columns."""
        return all(self.filled.get(column, 0) > 0 for column in columns)


@dataclass(frozen=True)
class Series:
    """When the rows of a table are, on the shop's clock; rows of the future are left out.

    Attributes:
        first: The first day, days since 1970.
        days: Rows of each day from the first to the last.
        hours: Rows of each hour of the day.
        last: The last moment, seconds since 1970.
        dates: Share of rows that are likely to be dates without a time; see `_dates`.
        strays: Rows that lie half a year or more away from nearly all others; they are in none of the above.
        stray_days: The days of some of them.
        named: Of events, name → rows of each day, for the names that occur most.
    """

    first: int
    days: Floats
    hours: Floats
    last: int
    dates: float = 0.0
    strays: int = 0
    stray_days: tuple[date, ...] = ()
    named: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The day after the last."""
        return self.first + self.days.size


def profiles(engine: Engine, only: Collection[str] = TABLES) -> dict[str, Profile]:
    """What the standard tables of an engine hold, all or some; tables without rows are not there."""
    names = sorted(name for name in engine.tables() if name in TABLES and name in only)
    found = {name: _profile(engine, standard(name)) for name in names}
    return {name: profile for name, profile in found.items() if profile.rows}


def _profile(engine: Engine, declared: Table) -> Profile:
    """One pass, which need not read what is filled in every row by declaration; none where files say it."""
    footers = getattr(engine, "footers", None)  # some engines have files that say it
    told = None if footers is None else footers(declared.name)
    if told is not None:
        return Profile(declared, told.rows, told.filled, *told.times.get(declared.time, ()))
    rows = engines.table(engine, declared.name)
    always = {*declared.required, *(declared.key if declared.made_key else ())}
    counted = [column for column in rows.columns if column not in always]
    asked = {f"filled_{place}": rows[column].count() for place, column in enumerate(counted)}
    if declared.time in rows.columns:
        asked["first"] = seconds(rows[declared.time].min())
        asked["last"] = seconds(rows[declared.time].max())
    row = engines.fetch(engine, rows.aggregate(rows_=rows.count(), **asked))[0]
    n = int(row["rows_"])
    filled = {column: int(row[f"filled_{place}"]) for place, column in enumerate(counted)}
    filled |= {column: n for column in rows.columns if column in always}
    return Profile(declared, n, filled, row.get("first"), row.get("last"))


class Stored:
    """The standard tables of an engine.

    Args:
        engine: Where they are.
        timezone: IANA name of the shop's clock.
        now: The present; naive times are UTC.
        only: The tables that are looked at.

    Attributes:
        profiles: What each table holds; those without rows are not there.
        now: The present, seconds since 1970.
        series: When the rows of each table are; tables without times are not there.
    """

    def __init__(
        self,
        engine: Engine,
        timezone: str = "UTC",
        now: datetime | None = None,
        *,
        only: Collection[str] = TABLES,
    ) -> None:
        now = now or datetime.now(UTC)
        self.engine = engine
        self.profiles = profiles(engine, only)
        self.now = int((now if now.tzinfo else now.replace(tzinfo=UTC)).timestamp())
        edges = [edge for one in self.profiles.values() for edge in (one.first, one.last) if edge is not None]
        # a time that is plainly wrong is no reason to look for clock changes in the stone age
        inside = [min(max(edge, 0), self.now) for edge in edges] or [self.now]
        self._clock = offsets(timezone, min(inside), max(inside))
        found = {name: self._series(name) for name in self.profiles}
        self.series = {name: one for name, one in found.items() if one is not None}

    def holds(self, name: str, *columns: str) -> bool:
        """Whether the table has rows, and something in each of these columns."""
        return name in self.profiles and self.profiles[name].holds(*columns)

    def rows(self, name: str) -> Any:
        """The table, with `at_` and `local_` where it has times: seconds in UTC and on the shop's clock."""
        rows, declared = engines.table(self.engine, name), standard(name)
        if declared.time is None or not self.holds(name, declared.time):
            return rows
        at = seconds(rows[declared.time])
        column = declared.column(declared.time)
        ahead: Any = ibis.literal(self._clock[0][1], "int64")
        for since, difference in self._clock[1:]:
            ahead = ibis.ifelse(at >= since, ibis.literal(difference, "int64"), ahead)
        # a calendar day is in no time zone
        return rows.mutate(at_=at, local_=at if column is not None and column.day else at + ahead)

    def newest(self, name: str) -> tuple[Any, Message | str]:
        """The table, or its newest days where it is large, and how to say so.

        The days are chosen by the time itself, so that an engine need not read what is older.
        """
        rows, profile = self.rows(name), self.profiles[name]
        if profile.rows <= MOST_ROWS or name not in self.series or profile.table.time is None:
            return rows, ""
        found = self.series[name]
        after = np.cumsum(found.days[::-1])
        days = max(1, int(np.searchsorted(after, MOST_ROWS)))
        since = datetime(1970, 1, 1) + timedelta(days=found.end - days)
        part = say(" The newest {days:count} days were looked at.", days=days)
        # a name of its own keeps it one part of a query, which is read once
        return rows.filter(rows[profile.table.time] >= ibis.literal(since)).alias(f"newest_{name}"), part

    def fetch(self, expression: Any) -> list[dict[str, Any]]:
        """Rows of an expression; sums of whole numbers, which come as decimals, are whole numbers again."""
        return [
            {name: int(value) if isinstance(value, Decimal) else value for name, value in row.items()}
            for row in engines.fetch(self.engine, expression)
        ]

    def together(self, questions: Mapping[str, Any]) -> Answers:
        """The rows of several expressions by name, from one query: an engine reads once what they share."""
        kinds = {name: kind for question in questions.values() for name, kind in question.schema().items()}
        parts = [
            question.select(
                question_=ibis.literal(name),
                **{
                    column: question[column] if column in question.columns else ibis.null(kind)
                    for column, kind in kinds.items()
                },
            )
            for name, question in questions.items()
        ]
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in questions}
        for row in self.fetch(ibis.union(*parts)) if parts else []:
            name = row.pop("question_")
            found[name].append({column: row[column] for column in questions[name].columns})
        return found

    def row(self, rows: Any, /, **asked: Any) -> dict[str, Any]:
        """Aggregates of `rows` by name, nought where there was nothing to add up."""
        return {name: value or 0 for name, value in self.fetch(rows.aggregate(**asked))[0].items()}

    def _series(self, name: str) -> Series | None:
        rows = self.rows(name)
        if "local_" not in rows.columns:
            return None
        rows = rows.filter(rows.at_ <= self.now)
        # one pass over the events tells of their names too
        names, by = self._often(rows) if name == "events" else ([], {})
        found = self.fetch(
            rows.group_by(hour_=rows.local_ // HOUR, **by)
            .aggregate(
                n=_.count(),
                last=_.local_.max(),
                utc=number(_.at_ % DAY == 0),
                here=number(_.local_ % DAY == 0),
                full=number(_.at_ % HOUR == 0),
            )
            .order_by("hour_")
        )
        if not found:
            return None
        hours = np.array([int(row["hour_"]) for row in found])
        counts = np.array([float(row["n"]) for row in found])
        inside = _main_part(hours, counts)
        days = hours // 24
        first, last = (int(day) for day in days[inside][[0, -1]])
        strays = {day_of(int(hour) * HOUR) for hour in hours[~inside]}
        labels = np.array([row.get("name_") for row in found], dtype=object)

        def daily(chosen: NDArray[np.bool_]) -> Floats:
            return np.bincount(days[chosen] - first, counts[chosen], last - first + 1)

        return Series(
            first=first,
            days=daily(inside),
            hours=np.bincount(hours[inside] % 24, counts[inside], 24),
            last=max(int(row["last"]) for row, kept in zip(found, inside, strict=True) if kept),
            dates=_dates(
                counts.sum(), *(sum(int(row[part]) for row in found) for part in ("utc", "here", "full"))
            ),
            strays=int(counts[~inside].sum()),
            stray_days=tuple(sorted(strays)[:3]),
            named={label: daily(inside & (labels == label)) for label in names},
        )

    def _often(self, rows: Any) -> tuple[list[str], dict[str, Any]]:
        """The names of events that occur most, in that order, and a column `name_` that holds no others."""
        often = rows.group_by("name").aggregate(n=rows.count()).order_by(ibis.desc("n"))
        names = [row["name"] for row in self.fetch(often.limit(_MOST_NAMES + 1))]
        if len(names) <= _MOST_NAMES:
            return names, {"name_": rows.name}
        names = names[:_MOST_NAMES]
        return names, {"name_": ibis.ifelse(rows.name.isin(names), rows.name, ibis.null("string"))}


def _main_part(hours: NDArray[np.int64], counts: Floats) -> NDArray[np.bool_]:
    """Which hours are not cut off from nearly all rows by half a year without any."""
    part = np.concatenate([[0], np.cumsum(np.diff(hours) > _HOLE_HOURS)])
    inside: NDArray[np.bool_] = part == np.argmax(np.bincount(part, counts))
    return inside if counts[~inside].sum() <= _STRAY_SHARE * counts.sum() else np.ones_like(inside)


def _dates(rows: float, utc: int, here: int, full: int) -> float:
    """Share of rows at midnight exactly, in UTC or where the shop is.

    None where other full hours are as common: times are rounded to the hour then, and midnight is one of
    them.
    """
    midnights = max(utc, here)
    return midnights / rows if 2 * midnights > full else 0.0


def seconds(moment: Any) -> Any:
    """A time as whole seconds since 1970."""
    return whole_seconds(moment)


def number(condition: Any) -> Any:
    """How many rows meet a condition; one that is unknown is not met."""
    return ibis.ifelse(condition, 1, 0).sum()


def any_of(conditions: Sequence[Any]) -> Any:
    """Whether one of the conditions is met."""
    return reduce(operator.or_, conditions)


def alike(one: Any, other: Any, key: str) -> tuple[Any, Any]:
    """Two tables whose `key` is of one type; what is a number in one may be text in the other."""
    if one[key].type() == other[key].type():
        return one, other
    return one.mutate(**{key: one[key].cast("string")}), other.mutate(**{key: other[key].cast("string")})


def without(rows: Any, others: Any, key: str) -> Any:
    """The rows whose key is not in the other table; not those that have none."""
    rows, others = alike(rows, others.select(key), key)
    return rows.filter(rows[key].notnull()).anti_join(others, key)


def day_of(second: int) -> date:
    """The day of a second on its own clock.

    >>> day_of(86_400)
    datetime.date(1970, 1, 2)
    """
    return _EPOCH + timedelta(days=second // DAY)


def time_of(second: int) -> str:
    """The time of day of a second on its own clock.

    >>> time_of(86_400 + 3_661)
    '01:01'
    """
    return f"{second % DAY // HOUR:02}:{second % HOUR // 60:02}"
