"""Everything that is known of one customer: who they are in numbers, what happened, what is to be expected.

Nothing is computed from rows that they had not agreed to have analysed, and each look is logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from workbench.analyses import happenings
from workbench.analyses.happenings import Agreement, Clock, Mark
from workbench.analyses.outlook import Bought, Outlook, Shop, Standing, outlook
from workbench.analyses.person import Person, find
from workbench.clock import day_number
from workbench.engines import fetch, span
from workbench.errors import DataError, check_between, check_choice
from workbench.locale import Message, say
from workbench.metrics import rfm
from workbench.records import Check
from workbench.tables.privacy.names import sensitive
from workbench.tables.schema import TABLES

if TYPE_CHECKING:
    from workbench.project import Project

MOST_ROWS = 2_000
"""So many rows of a table are looked at, the newest."""

Example = Literal["typical", "most", "away"]
EXAMPLES: tuple[Example, ...] = ("typical", "most", "away")
"""Like many who came back; with the most orders; who bought often, but long ago."""

_TOLD_APART_BY = ("order_id", "campaign_id", "experience_id")
_CERTAIN, _LIKELY, _OPEN, _UNLIKELY = 0.9, 0.6, 0.4, 0.1
_NOTHING = 0.5  # of the project's currency
_SEEN_SINCE_DAYS = 14
# what they did themselves; a message may be opened by the program that reads mail
_THEIR_DOING = ("visits", "orders", "clicked", "unsubscribed", "subscription", "surveys")


@dataclass(frozen=True)
class Attribute:
    """What is known of a customer besides what they did."""

    name: str
    value: Any
    sensitive: bool


@dataclass(frozen=True)
class CustomerView:
    """One customer.

    Attributes:
        pseudonym: What they are called here; empty where only a name of the shop's own systems is known.
        until: The last day of the project's data.
        sentence: Who this is, in numbers.
        bought: Their orders; None without any.
        standing: Their scores; None where they have bought nothing, or may no longer be looked at.
        outlook: What is to be expected; None where nothing can or may be said.
        last_seen: When they last did something.
        marks: What happened, the oldest first.
        agreements: What they agreed to.
        attributes: What is known of them besides.
        tables: Table → its newest rows about them, without what names somebody or is sensitive.
        rows: Table → how many rows about them may be analysed.
        checks: What was looked at, and what is not shown.
    """

    pseudonym: str
    until: date | None
    sentence: Message
    bought: Bought | None
    standing: Standing | None
    outlook: Outlook | None
    last_seen: datetime | None
    marks: tuple[Mark, ...]
    agreements: tuple[Agreement, ...]
    attributes: tuple[Attribute, ...]
    tables: Mapping[str, pa.Table]
    rows: Mapping[str, int]
    checks: tuple[Check, ...]


def analyse(
    project: Project, identifier: str, *, horizon_weeks: float = 52, level: float = 0.95
) -> CustomerView:
    """Look at one customer; it is written into the access log.

    Args:
        project: Where they are.
        identifier: Theirs, as the shop's own systems have it; or their pseudonym.
        horizon_weeks: How far ahead is looked.
        level: Probability of the intervals.

    Raises:
        DataError: when nobody of that name is there, or they were erased.
        ProjectError: when the key is not on this computer, or the look cannot be logged.
        WorkbenchError: when a setting is out of its range.
    """
    check_between(horizon_weeks, 1, 520, say("horizon in weeks"))
    check_between(level, 0.5, 1, say("level"), open_low=True, open_high=True)
    person = find(project, identifier)
    project.people.access.add("read", person=person.mark, page="one customer")
    clock = happenings.clock_of(project.settings.timezone)
    tables = {name: person.newest(name, MOST_ROWS) for name in TABLES if person.has(name)}
    visits = happenings.visits(person, MOST_ROWS)
    marks = happenings.marks(person, visits, tables, clock)
    shop = Shop.of(project) if person.has("orders") else None
    bought = shop.bought(person) if shop is not None else None
    seen = _last_seen(marks, visits, clock)
    left = next((mark.at for mark in reversed(marks) if mark.lane == "left"), None)
    gone = left is not None and not any(mark.lane == "orders" and mark.at > left for mark in marks)
    agreed = happenings.agreements(tables.pop("consents", pa.table({})), clock)
    withdrawn = _withdrawn(person, agreed)
    expected, doubts = None, list[Check]()
    if bought is not None and bought.history is not None and not gone and withdrawn is None:
        expected, doubts = outlook(project, bought.history, horizon_weeks, level)
        doubts += _seen_since(expected, marks, seen)
    customers = tables.pop("customers", pa.table({}))
    return CustomerView(
        pseudonym=person.pseudonym,
        until=_until(project),
        sentence=_sentence(person, bought, seen, left if gone else None, withdrawn, expected, clock),
        bought=bought,
        standing=shop.standing(bought) if shop and bought and withdrawn is None else None,
        outlook=expected,
        last_seen=seen,
        marks=marks,
        agreements=agreed,
        attributes=tuple(_attributes(customers)),
        tables={
            name: _shown(name, rows) for name, rows in [("visits", visits), *tables.items()] if rows.num_rows
        },
        rows={name: held.rows for name, held in person.permitted.items()},
        checks=(*doubts, *_consent_checks(person), *_row_checks(person)),
    )


def example(project: Project, kind: Example) -> str:
    """The pseudonym of a customer to begin with.

    Args:
        project: Where they are.
        kind: One of `EXAMPLES`.

    Raises:
        DataError: when there is no such customer, or the tables are in a database.
    """
    check_choice(kind, EXAMPLES, say("example"))
    if project.in_place:
        raise DataError(
            "The tables are in a database, out of which the identifiers of customers are never taken; type"
            " one that you know."
        )
    shop = Shop.of(project)
    if shop is None or shop.scale is None:
        raise DataError("Nobody has bought anything yet; type the identifier of a customer.")
    rows: Any = rfm.scored(shop.customers, shop.scale)
    if kind == "typical":
        again = rows.filter(rows.frequency > 1)
        counted = again.group_by("frequency").aggregate(n=again.count(), recency=again.recency.median())
        usual = fetch(project.everything, counted.order_by(counted.n.desc(), "frequency").limit(1))
        for one in usual:
            rows = again.filter(again.frequency == one["frequency"])
            rows = rows.mutate(off=(rows.recency.cast("float64") - float(one["recency"])).abs())
        wanted = rows.order_by("off", "customer_id") if usual else rows.order_by("customer_id")
    elif kind == "most":
        wanted = rows.order_by(rows.frequency.desc(), "customer_id")
    else:
        wanted = rows.filter(rows.r == 1).order_by(rows.frequency.desc(), "customer_id")
    found = fetch(project.everything, wanted.select("customer_id").limit(1))
    if not found:
        raise DataError("Nobody here stays away longer than the others.")
    return str(found[0]["customer_id"])


def _until(project: Project) -> date | None:
    seconds = span(project.engine, "orders", "events", "exposures")
    return None if seconds is None else _day(seconds[1], project.settings.timezone)


def _day(second: int, timezone: str) -> date:
    return date(1970, 1, 1) + timedelta(days=day_number(second, timezone))


def _withdrawn(person: Person, agreed: tuple[Agreement, ...]) -> datetime | None:
    """Since when somebody who had agreed to what is asked for no longer does: they are not seen since."""
    ends = [one.stretches[-1][1] for one in agreed if one.purpose == person.purpose and one.stretches]
    return ends[0] if ends else None


def _last_seen(marks: tuple[Mark, ...], visits: pa.Table, clock: Clock) -> datetime | None:
    """The last moment of what they did themselves; a visit lasts until its last event."""
    moments = [mark.at for mark in marks if mark.lane in _THEIR_DOING]
    for row in visits.to_pylist():
        moments.append(clock(row["ts"]) + timedelta(seconds=int(row["seconds"])))
    return max(moments, default=None)


def _local(second: int, clock: Clock) -> datetime:
    return clock(datetime.fromtimestamp(second, UTC).replace(tzinfo=None))


def _attributes(customers: pa.Table) -> list[Attribute]:
    return [
        Attribute(name, value, sensitive(name))
        for row in customers.to_pylist()[:1]
        for name, value in row.items()
        if value is not None
    ]


def _shown(name: str, rows: pa.Table) -> pa.Table:
    """The columns that hold something, nothing sensitive, and no number that only machines use."""
    time = TABLES[name].time if name in TABLES else "ts"
    kept = [
        column
        for column in rows.column_names
        if rows[column].null_count < rows.num_rows
        and not sensitive(column)
        and not (column.endswith("_id") and column not in _TOLD_APART_BY)
    ]
    return rows.select(sorted(kept, key=lambda column: column != time))


# --- in words -------------------------------------------------------------------------------------------


def _sentence(
    person: Person,
    bought: Bought | None,
    seen: datetime | None,
    left: datetime | None,
    withdrawn: datetime | None,
    expected: Outlook | None,
    clock: Clock,
) -> Message:
    if person.purpose is not None and not set(person.permitted) - {"consents"}:
        return say(
            "This customer has not agreed to “{purpose}”, so nothing of what they did is analysed.",
            purpose=person.purpose,
        )
    parts = [_who(person, bought, seen, clock)]
    if left is not None:
        parts.append(say("They left on {day:date}.", day=left.date()))
    if withdrawn is not None:
        parts.append(
            say(
                "Since {day:date} they no longer agree to “{purpose}”: what came later is not looked at, and"
                " nothing is foretold.",
                day=withdrawn.date(),
                purpose=person.purpose,
            )
        )
    if expected is not None:
        parts.append(_what(expected))
    return say("{parts:sentences}", parts=parts)


def _who(person: Person, bought: Bought | None, seen: datetime | None, clock: Clock) -> Message:
    if bought is not None:
        orders = say("{n:count} orders", n=bought.orders) if bought.orders > 1 else say("one order")
        values = {"since": bought.first, "orders": orders, "money": bought.money}
        if seen is None:
            return say("A customer since {since:date}: {orders}, {money:money} spent.", **values)
        return say(
            "A customer since {since:date}: {orders}, {money:money} spent, last seen on {seen:date}.",
            **values,
            seen=seen.date(),
        )
    firsts = [held.first for name, held in person.permitted.items() if held.first is not None]
    if not firsts:
        return say("A customer without an order, of whom nothing is known that has a date.")
    since = _local(min(firsts), clock).date()
    if seen is None:
        return say("Known since {since:date}, without an order and without a visit so far.", since=since)
    return say(
        "Known since {since:date}, without an order so far; last seen on {seen:date}.",
        since=since,
        seen=seen.date(),
    )


def still_there(alive: float) -> Message:
    """In words, whether a customer is still one.

    >>> str(still_there(0.95)), str(still_there(0.5))
    ('Very probably still a customer', 'Perhaps still a customer, perhaps not')
    """
    if alive >= _CERTAIN:
        return say("Very probably still a customer")
    if alive >= _LIKELY:
        return say("Probably still a customer")
    if alive > _OPEN:
        return say("Perhaps still a customer, perhaps not")
    if alive > _UNLIKELY:
        return say("Probably no longer a customer")
    return say("Very probably no longer a customer")


def _what(expected: Outlook) -> Message:
    values = {
        "still": still_there(expected.alive.mean),
        "share": expected.alive.mean,
        "weeks": expected.weeks,
    }
    if expected.money is None:
        low, high = expected.purchases.interval
        return say(
            "{still} ({share:percent}), expected to buy {n:number} times in the next {weeks:count} weeks"
            " (between {low:number} and {high:number}).",
            **values,
            n=expected.purchases.mean,
            low=low,
            high=high,
        )
    low, high = expected.money.interval
    if high < _NOTHING:
        return say(
            "{still} ({share:percent}): next to nothing is to be expected in the next {weeks:count} weeks.",
            **values,
        )
    return say(
        "{still} ({share:percent}), expected to bring {money:money} in the next {weeks:count} weeks (between"
        " {low:money} and {high:money}).",
        **values,
        money=expected.money.mean,
        low=low,
        high=high,
    )


def _seen_since(expected: Outlook | None, marks: tuple[Mark, ...], seen: datetime | None) -> list[Check]:
    """A word of caution where somebody who no longer buys still comes by, which the model does not know."""
    last = max((mark.at for mark in marks if mark.lane == "orders"), default=None)
    if expected is None or seen is None or last is None or expected.alive.mean > _OPEN:
        return []
    if (seen - last).days < _SEEN_SINCE_DAYS:
        return []
    detail = say(
        "The probability knows of orders only. The last one was on {last:date}, but the customer was seen on"
        " {seen:date}, so they may be nearer than it says.",
        last=last.date(),
        seen=seen.date(),
    )
    return [Check(name="seen_since", status="warn", detail=detail)]


def _consent_checks(person: Person) -> list[Check]:
    """What is left out since they had not agreed."""
    if person.purpose is None:
        return []
    everything = sum(held.rows for name, held in person.held.items() if name != "consents")
    kept = sum(held.rows for name, held in person.permitted.items() if name != "consents")
    detail = say(
        "All that is known of this customer may be analysed for “{purpose}”.", purpose=person.purpose
    )
    if kept < everything:
        detail = say(
            "{n:count} of {all:count} rows about this customer are left out, since “{purpose}” had not been"
            " agreed to when they happened.",
            n=everything - kept,
            all=everything,
            purpose=person.purpose,
        )
    return [Check(name="consent", status="warn" if kept < everything else "ok", detail=detail)]


def _row_checks(person: Person) -> list[Check]:
    """Tables of which not all is shown."""
    many = [name for name, held in person.permitted.items() if held.rows > MOST_ROWS]
    if not many:
        return []
    detail = say(
        "There are more than {most:count} rows about this customer in {tables:listing}; the newest are shown,"
        " and numbers are of all.",
        most=MOST_ROWS,
        tables=many,
    )
    return [Check(name="rows", status="ok", detail=detail)]
