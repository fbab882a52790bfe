"""What happened to one customer, in the order of time: moments and stretches, each in a lane of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from workbench.analyses.person import Person
from workbench.locale import Message, say
from workbench.metrics.sessions import sessions

LANES = (
    *("visits", "orders", "refunds", "sent", "opened", "clicked", "unsubscribed", "bounced", "complained"),
    *("subscription", "surveys", "experiments", "leads", "referrals", "left", "consent"),
)
"""From top to bottom."""

_SEND_EVENTS = {
    "open": ("opened", say("Message opened: {what}")),
    "click": ("clicked", say("Message clicked: {what}")),
    "unsubscribe": ("unsubscribed", say("Unsubscribed from a message: {what}")),
    "bounce": ("bounced", say("Message not delivered: {what}")),
    "complaint": ("complained", say("Complained of a message: {what}")),
}
_SUBSCRIPTIONS = {
    "subscribe": say("Subscribed"),
    "unsubscribe": say("Unsubscribed"),
    "pause": say("Paused the subscription"),
    "resume": say("Resumed the subscription"),
    "preferences": say("Changed the preferences of the subscription"),
}
_EARLIEST = datetime(1, 1, 1)

Clock = Callable[[datetime], datetime]
"""Makes a time in UTC one on the project's clock; neither has a zone."""


@dataclass(frozen=True)
class Mark:
    """Something that happened at a moment.

    Attributes:
        lane: One of `LANES`.
        at: When, on the project's clock.
        said: What.
        size: Of an order, its amount.
        label: A word to be written beside it.
        hollow: A message that may not have been seen, an order that was given back since, an end.
    """

    lane: str
    at: datetime
    said: Message
    size: float | None = None
    label: str = ""
    hollow: bool = False


@dataclass(frozen=True)
class Statement:
    """A consent that was given or withdrawn; `at` is None where nobody knows when."""

    at: datetime | None
    granted: bool
    source: str | None


@dataclass(frozen=True)
class Agreement:
    """What a customer said about a purpose.

    Attributes:
        statements: What they said, the oldest first.
        stretches: When they agreed: from and to, None where there is no end.
    """

    purpose: str
    statements: tuple[Statement, ...]
    stretches: tuple[tuple[datetime | None, datetime | None], ...]

    @property
    def granted(self) -> bool:
        """Whether they agree now."""
        return bool(self.stretches) and self.stretches[-1][1] is None

    @property
    def since(self) -> datetime | None:
        """When that was said."""
        return self.statements[-1].at


def clock_of(timezone: str) -> Clock:
    """The project's clock."""
    zone = ZoneInfo(timezone)
    return lambda at: at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def visits(person: Person, most: int) -> pa.Table:
    """The newest sessions of a customer: `ts` of the first event, `seconds`, `pages`, `events`, `device`."""
    if not person.has("events"):
        return pa.table({})
    each = sessions(person.rows("events")).select("start", "seconds", "pages", "events", "device")
    rows = person.fetch(each.order_by(each.start.desc()).limit(most))
    begun = pc.multiply(rows["start"].cast(pa.int64()), 1_000_000).cast(pa.timestamp("us"))
    return rows.set_column(0, "ts", begun)


def agreements(rows: pa.Table, clock: Clock) -> tuple[Agreement, ...]:
    """What a customer said about each purpose, by purpose; as `tables.privacy.consent` understands it."""

    def statement(row: Mapping[str, Any]) -> Statement:
        return Statement(
            None if row["ts"] is None else clock(row["ts"]), bool(row["granted"]), row.get("source")
        )

    found = []
    ordered = sorted(rows.to_pylist(), key=lambda row: str(row["purpose"]))
    for purpose, said in groupby(ordered, key=lambda row: str(row["purpose"])):
        # of two in one second the withdrawal comes last, so that it holds
        statements = sorted(map(statement, said), key=lambda one: (_second(one), not one.granted))
        found.append(Agreement(purpose, tuple(statements), _stretches(statements)))
    return tuple(found)


def _second(one: Statement) -> datetime:
    return _EARLIEST if one.at is None else one.at.replace(microsecond=0)


def _stretches(statements: list[Statement]) -> tuple[tuple[datetime | None, datetime | None], ...]:
    last_of_each = [list(same)[-1] for _, same in groupby(statements, key=_second)]
    found: list[tuple[datetime | None, datetime | None]] = []
    for one, following in pairwise([*last_of_each, None]):
        assert one is not None
        if not one.granted:
            continue
        until = None if following is None else following.at
        if found and found[-1][1] is not None and found[-1][1] == one.at:
            found[-1] = (found[-1][0], until)  # said again
        else:
            found.append((one.at, until))
    return tuple(found)


def marks(
    person: Person, sittings: pa.Table, tables: Mapping[str, pa.Table], clock: Clock
) -> tuple[Mark, ...]:
    """All moments, the oldest first.

    Args:
        person: Whose they are.
        sittings: What `visits` gives.
        tables: Table → rows, what `Person.newest` gives.
        clock: Their times are put on it.
    """

    def rows(name: str) -> Iterable[dict[str, Any]]:
        """Rows with a time, which becomes one of the clock."""
        for row in tables.get(name, pa.table({})).to_pylist():
            if row.get("ts") is not None:
                yield {**row, "ts": clock(row["ts"])}

    found = [
        *_visits(sittings, clock),
        *(mark for row in rows("orders") for mark in _order(row)),
        *(
            Mark("refunds", row["ts"], say("{amount:money} given back", amount=row["amount"]))
            for row in rows("refunds")
        ),
        *_messages(rows("sends"), rows("send_events"), tables),
        *(
            Mark(
                "subscription",
                row["ts"],
                _SUBSCRIPTIONS[row["action"]],
                hollow=row["action"] in ("unsubscribe", "pause"),
            )
            for row in rows("subscriptions")
        ),
        *_surveys(rows("surveys")),
        *(
            Mark(
                "experiments",
                row["ts"],
                say("{experience}: {variant}", experience=row["experience_id"], variant=row["variant"]),
                label=str(row["variant"]),
            )
            for row in rows("exposures")
        ),
        *(Mark("leads", row["ts"], say("Lead: {stage}", stage=row["stage"] or "–")) for row in rows("leads")),
        *_referrals(person, clock),
        *(
            Mark("left", row["ts"], say("Left: {reason}", reason=row["reason"] or "–"))
            for row in rows("churn")
        ),
    ]
    return tuple(sorted(found, key=lambda mark: (mark.at, LANES.index(mark.lane))))


def _visits(sittings: pa.Table, clock: Clock) -> Iterable[Mark]:
    for row in sittings.to_pylist():
        at, pages = clock(row["ts"]), int(row["pages"])
        said = say("Visit, pages: {pages:count}", pages=pages)
        if row["device"]:
            said = say("Visit ({device}), pages: {pages:count}", device=row["device"], pages=pages)
        yield Mark("visits", at, said)


def _order(row: Mapping[str, Any]) -> Iterable[Mark]:
    amount, back = row["revenue"], row.get("refund") or 0.0
    if amount is None:
        yield Mark("orders", row["ts"], say("Order of an unknown amount"))
    elif amount < 0:
        said = say("Credit of {amount:money}", amount=-amount)
        yield Mark("refunds", row["ts"], said)
    elif back:
        said = say("Order of {amount:money}, {back:money} given back since", amount=amount, back=back)
        yield Mark("orders", row["ts"], said, size=float(amount), hollow=True)
    else:
        yield Mark("orders", row["ts"], say("Order of {amount:money}", amount=amount), size=float(amount))


def _messages(
    sends: Iterable[dict[str, Any]], events: Iterable[dict[str, Any]], tables: Mapping[str, pa.Table]
) -> Iterable[Mark]:
    known = tables.get("sends", pa.table({})).to_pylist()
    names = {row["send_id"]: _message_name(row) for row in known}
    for row in sends:
        yield Mark("sent", row["ts"], say("Message sent: {what}", what=names[row["send_id"]]), hollow=True)
    for row in events:
        lane, said = _SEND_EVENTS[row["type"]]
        yield Mark(lane, row["ts"], Message(said.text, {"what": names.get(row["send_id"], "–")}))


def _message_name(row: Mapping[str, Any]) -> str:
    parts = [row.get(name) for name in ("campaign_id", "topic", "channel")]
    return ", ".join(str(part) for part in parts if part) or "–"


def _surveys(rows: Iterable[dict[str, Any]]) -> Iterable[Mark]:
    """One mark for all answers to a survey that were given at once."""
    ordered = sorted(rows, key=lambda row: (row["ts"], str(row["instrument"])))
    for (at, instrument), given in groupby(ordered, key=lambda row: (row["ts"], str(row["instrument"]))):
        answers = [row for row in given if row.get("score") is not None]
        if len(answers) == 1:
            (row,) = answers
            said = say("{instrument}: {score:plain}", instrument=instrument, score=row["score"])
            if row.get("scale_max") is not None:
                said = say(
                    "{instrument}: {score:plain} of {most:plain}",
                    instrument=instrument,
                    score=row["score"],
                    most=row["scale_max"],
                )
            yield Mark("surveys", at, said, label=f"{row['score']:g}")
        else:
            said = say("{instrument}: {n:count} answers", instrument=instrument, n=len(answers))
            yield Mark("surveys", at, said)


def _referrals(person: Person, clock: Clock) -> Iterable[Mark]:
    if not person.has("referrals"):
        return
    rows = person.rows("referrals")
    for row in person.fetch(rows.select("ts", brought=rows.referrer_id == person.name)).to_pylist():
        if row["ts"] is not None:
            said = (
                say("Brought another customer") if row["brought"] else say("Was brought by another customer")
            )
            yield Mark("referrals", clock(row["ts"]), said)
