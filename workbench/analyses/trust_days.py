"""What there is about trust in a project, by the day: sums that leave the engine once, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.clock import day_number, offsets
from workbench.engines import Engine, has, span, table, whole_seconds
from workbench.metrics import honoured as kept
from workbench.metrics import trust
from workbench.metrics.cells import ask
from workbench.metrics.trust import Clock
from workbench.tables.schema import standard

if TYPE_CHECKING:
    from workbench.project import Project

type Array = NDArray[np.float64]

TABLES: Final = ("consents", "subscriptions", "sends", "send_events", "churn", "customers")
MOST_DAYS: Final = 3 * 366
"""What is older says nothing of now, and following each day takes time with the square of their number."""
EPOCH: Final = date(1970, 1, 1)
_TYPES: Final = {
    "string": "string",
    "id": "string",
    "int64": "int64",
    "float64": "float64",
    "bool": "boolean",
    "timestamp": "timestamp(6)",
}
MARKETING: Final = ("marketing", "newsletter", "publicidad", "advertising", "email", "e-mail", "sms", "push")
"""A purpose with one of these words is about getting messages."""


@dataclass(frozen=True)
class Days:
    """Rows with a `day`, as arrays over the days that are looked at.

    Attributes:
        rows: The sums.
        first, last: The first day and the last, days since 1970.
    """

    rows: pa.Table
    first: int
    last: int

    def of(self, column: str, **where: str) -> Array:
        """The sums of a column on each day."""
        rows = self._where(where)
        inside = rows.filter((pc.field("day") >= self.first) & (pc.field("day") <= self.last))
        days = inside["day"].to_numpy().astype(np.int64) - self.first
        return np.bincount(days, inside[column].to_numpy().astype(float), self.last - self.first + 1)

    def stock(self, column: str, **where: str) -> Array:
        """The sum of a column from the beginning to the end of each day."""
        rows = self._where(where)
        before = rows.filter(pc.field("day") < self.first)[column]
        return np.cumsum(self.of(column, **where)) + float(pc.sum(before).as_py() or 0)

    def _where(self, where: dict[str, str]) -> pa.Table:
        rows = self.rows
        for name, value in where.items():
            rows = rows.filter(pc.field(name) == value)
        return rows


class Reading:
    """The tables about trust; everything in them, since who never agreed to anything can be let down as well.

    Args:
        project: Where they are.
        until: The last day that is used; None for all.
        channel: The channel of the list; None for that of most messages.

    Attributes:
        there: The tables with rows.
        first, last: The days that are looked at, days since 1970; the last is None when there is nothing.
        ends: Table → the day of its last row.
        channels: Channels of messages, that of most first; "" where none is named.
    """

    def __init__(self, project: Project, until: date | None = None, channel: str | None = None) -> None:
        self._engine: Engine = project.everything
        self._zone = project.settings.timezone
        self.there = frozenset(name for name in TABLES if self._filled(name))
        now = int(datetime.now(UTC).timestamp())
        self.last: int | None
        edges = {name: edge for name in (*self.there, "orders", "events") if (edge := self._span(name, now))}
        self.ends = {name: day_number(last, self._zone) for name, (_, last) in edges.items()}
        self.clock: Clock = [(0, 0)]
        self.first, self.last = 0, None
        if edges:
            seconds = min(edge[0] for edge in edges.values()), max(edge[1] for edge in edges.values())
            self.clock = offsets(self._zone, *seconds)
            last = max(self.ends.values())
            self.last = last if until is None else min(last, (until - EPOCH).days)
            begins = [day_number(edge[0], self._zone) for name, edge in edges.items() if name in TABLES]
            self.first = max(min(begins, default=self.last), self.last - MOST_DAYS + 1)
        elif self.there:  # of consents without a time nothing is known but how they are now
            self.first = self.last = day_number(now, self._zone)
        self.channels = self._channels()
        self.channel = channel if channel is not None else next(iter(self.channels), "")

    def _filled(self, name: str) -> bool:
        if not has(self._engine, name):
            return False
        rows = table(self._engine, name)
        return bool(self.answer(rows.aggregate(n=rows.count())).to_pylist()[0]["n"])

    def _span(self, name: str, now: int) -> tuple[int, int] | None:
        """First and last second, without what a wrong clock put into the future or the stone age."""
        if name == "customers" or not has(self._engine, name):
            return None
        edges = span(self._engine, name)
        return None if edges is None else (max(edges[0], 0), max(0, min(edges[1], now)))

    def rows(self, name: str) -> Any | None:
        """A table with all its declared columns, up to the last day; None when it is not there."""
        if name not in self.there or self.last is None:
            return None
        rows = table(self._engine, name)
        lacking = [column for column in standard(name).columns if column.name not in rows.columns]
        rows = rows.mutate(**{one.name: ibis.null(_TYPES[one.type]) for one in lacking})
        if name == "customers":
            return rows
        return rows.filter(rows.ts.isnull() | (trust.day_of(whole_seconds(rows.ts), self.clock) <= self.last))

    def answer(self, sums: Any) -> pa.Table:
        """Sums that leave the engine; those of whole numbers, which may come as decimals, are whole again."""
        rows = ask(self._engine, sums)
        kinds = [pa.int64() if pa.types.is_decimal(one.type) else one.type for one in rows.schema]
        return rows.cast(pa.schema(list(zip(rows.column_names, kinds, strict=True))))

    def days(self, sums: Any) -> Days:
        """The same by the day."""
        assert self.last is not None
        return Days(self.answer(sums), self.first, self.last)

    def _channels(self) -> list[str]:
        sends = self.rows("sends")
        if sends is None:
            return []
        found = self.answer(sends.group_by(channel=_blank(sends.channel)).aggregate(n=sends.count()))
        rows = sorted(found.to_pylist(), key=lambda row: (-row["n"], row["channel"]))
        return [row["channel"] for row in rows]

    # --- what is asked ----------------------------------------------------------------------------------

    def consents(self) -> Days | None:
        """Changes of consents by `purpose`."""
        rows = self.rows("consents")
        return None if rows is None else self.days(trust.consent_changes(rows, self.clock))

    def in_channel(self) -> tuple[Any | None, Any | None, Any | None]:
        """Subscriptions, messages and what came of them, as far as they are about the list's channel."""
        said, sends, answers = (self.rows(name) for name in ("subscriptions", "sends", "send_events"))
        if sends is not None:
            sends = sends.filter(_blank(sends.channel) == self.channel)
            if said is not None:
                others = [one for one in self.channels if one not in ("", self.channel)]
                said = said.filter(~_blank(said.medium).isin(others)) if others else said
        return said, sends, answers if sends is not None else None

    def subscribers(self) -> Days | None:
        """What happened to the list."""
        said, sends, answers = self.in_channel()
        if said is None and (sends is None or answers is None):
            return None
        return self.days(trust.list_changes(trust.list_states(said, sends, answers), self.clock))

    def leaving(self) -> Days | None:
        """Of which campaign people left."""
        said, sends, answers = self.in_channel()
        if sends is None:
            return None
        states = trust.list_states(said, sends, answers)
        return self.days(trust.leaving_by_campaign(states, sends, answers, self.clock))

    def deliveries(self) -> Days | None:
        """Messages and what came of them, by campaign."""
        _, sends, answers = self.in_channel()
        return None if sends is None else self.days(trust.deliveries(sends, answers, self.clock))

    def customers(self) -> Days | None:
        """Customers who came and left."""
        rows = self.rows("customers")
        return (
            None if rows is None else self.days(trust.customer_changes(rows, self.rows("churn"), self.clock))
        )

    def after_optout(self, purposes: list[str]) -> tuple[Days, int] | None:
        """Messages after an opt-out by campaign, in all channels, and how many people got one."""
        sends, answers = self.rows("sends"), self.rows("send_events")
        said, consents = self.rows("subscriptions"), self.rows("consents")
        about = {
            name: self._about(name) for name in purposes if any(word in name.lower() for word in MARKETING)
        }
        if sends is None or (answers is None and said is None and not about):
            return None
        after = kept.after_optout(sends, answers, said, consents, channels=self.channels, purposes=about)
        people = self.answer(kept.late_people(after)).to_pylist()[0]["people"]
        return self.days(kept.late_messages(after, self.clock)), int(people or 0)

    def _about(self, purpose: str) -> str | None:
        """The channel that a purpose names."""
        words = purpose.lower().replace("e-mail", "email").replace("newsletter", "email")
        named = [one for one in self.channels if one and one.lower().replace("e-mail", "email") in words]
        if named:
            return named[0]
        # of a channel that nothing is sent by; messages that name none are taken for e-mails
        return next((one for one in ("sms", "push") if one in words), None)

    def preferences(self) -> list[dict[str, Any]]:
        """People by the preference they stated last."""
        rows = self.rows("subscriptions")
        return [] if rows is None else self.answer(kept.preferences(rows)).to_pylist()

    def frequencies(self) -> list[str]:
        """Every frequency that anybody ever chose."""
        rows = self.rows("subscriptions")
        if rows is None:
            return []
        found = self.answer(rows.group_by(text=_blank(rows.pref_frequency)).aggregate(n=rows.count()))
        return sorted(row["text"] for row in found.to_pylist() if row["text"])

    def people(self) -> int:
        """How many customers there are."""
        rows = self.rows("customers")
        return 0 if rows is None else int(self.answer(rows.aggregate(n=rows.count())).to_pylist()[0]["n"])

    def honoured(self, frequencies: dict[str, int], wanted: set[str], block_days: int) -> Honoured | None:
        """Whether messages kept to preferences, by block of days counted back from the last."""
        said, sends = self.rows("subscriptions"), self.rows("sends")
        if said is None or sends is None or self.last is None:
            return None
        topics = self.answer(sends.group_by(topic=_blank(sends.topic)).aggregate(n=sends.count()))
        named = {name for row in topics.to_pylist() for name in kept.topics(row["topic"])}
        comparable = not named or not wanted or bool(named & wanted)
        if not comparable:  # such as subject lines: they are no topics that anybody could choose
            sends = sends.mutate(topic=ibis.null("string"))
        sums = kept.honoured(
            sends,
            said,
            frequencies=frequencies,
            clock=self.clock,
            end_day=self.last,
            block_days=block_days,
        )
        rows = sorted(self.answer(sums).to_pylist(), key=lambda row: row["block"])
        return Honoured(rows, comparable)


@dataclass(frozen=True)
class Honoured:
    """Of people with a preference and messages under it, those whose messages kept to it.

    Attributes:
        blocks: Rows of `block`, `judged`, `honoured`, `off_topic`, `too_often`; block 0 is the last.
        comparable: Whether topics of messages are of the kind that people chose from.
    """

    blocks: list[dict[str, Any]]
    comparable: bool


def _blank(column: Any) -> Any:
    return ibis.coalesce(column.cast("string"), ibis.literal(""))


def date_of(day: int) -> date:
    """The date of a day since 1970."""
    return EPOCH + timedelta(days=day)
