"""Whether people trust us with their data: tables → sums by day → rates, alarms, wishes → one sentence.

It looks at all people, also at those who agreed to nothing: whether they are let down is what is asked. Only
sums over them leave the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from workbench.analyses.trust_alarm import look
from workbench.analyses.trust_answer import AfterOptOut, Honoured, TrustSettings, TrustView, Wish
from workbench.analyses.trust_days import EPOCH, Array, Days, Reading, date_of
from workbench.analyses.trust_findings import checks, missing, sentence, sounding
from workbench.analyses.trust_measures import Measure, Span, person_weeks, rate, share, share_posterior
from workbench.definitions import Mute
from workbench.errors import check_choice
from workbench.locale import say
from workbench.metrics import honoured as kept
from workbench.metrics.trust import TOUCH_SECONDS

if TYPE_CHECKING:
    from workbench.project import Project

_DAY: Final = 86_400
_LATE_DAYS: Final = TOUCH_SECONDS // _DAY
PERSONALISATION: Final = ("personali", "profil", "perfil", "recommend", "recomend")
"""A purpose with one of these in it is taken for that of personalisation where none is named."""
_MOST_PURPOSES: Final = 6
_MOST_BLOCKS: Final = 13


def analyse(project: Project, **settings: Any) -> TrustView:
    """Look at everything that tells whether people trust the shop.

    Args:
        project: Where the tables are.
        settings: Those of `TrustSettings`.

    Raises:
        WorkbenchError: when a setting is out of its range, or names no channel or purpose that there is.
    """
    asked = TrustSettings(**settings)
    reading = Reading(project, asked.until, asked.channel)
    if asked.channel is not None:
        check_choice(asked.channel, reading.channels, say("channel"))
    deleted = _deletions(project, reading, asked)
    if reading.last is None:
        return _found(_blank(asked, reading, [deleted]))
    span = Span(reading.first, reading.last - reading.first + 1, asked.window_days, asked.weeks, asked.level)
    consents, subscribers, sent = reading.consents(), reading.subscribers(), reading.deliveries()
    purposes = _purposes(consents)
    personalisation = _personalisation(asked, purposes)
    wishes, frequencies, strange = _wishes(reading, asked.level)
    wanted = {one.wish for one in wishes if one.about == "content"}
    honoured, comparable = _honoured(reading, wanted, frequencies, asked)
    view = _blank(
        asked,
        reading,
        [
            *_consent_measures(consents, purposes, personalisation, span),
            *_list_measures(reading, subscribers, sent, span),
            _churn(reading, span),
            deleted,
        ],
    )
    view = replace(
        view,
        purposes=tuple(purposes),
        personalisation=personalisation,
        after=_after(reading, purposes, asked.window_days),
        wishes=tuple(wishes),
        honoured=honoured,
        strange=tuple(strange),
        comparable=comparable,
    )
    if subscribers is not None:
        view = replace(
            view,
            joined=subscribers.of("joined"),
            left=subscribers.of("left"),
            at_risk=subscribers.stock("at_risk"),
            alarm=look(reading, subscribers, sent, asked),
        )
        view = replace(view, muted=_muted(project, view))
    return _found(view)


def _muted(project: Project, view: TrustView) -> dict[str, Mute]:
    """Those of the alarms that are muted; one that began after the data that somebody saw then is not."""
    sounds = dict(sounding(view))
    found = {name: mute for name, mute in project.alarms.items() if name in sounds}
    change = None if view.alarm is None else view.alarm.open
    mute = found.get("trust.change")
    if mute is not None and change is not None and mute.seen is not None and change.since > mute.seen:
        del found["trust.change"]
    return found


def _blank(asked: TrustSettings, reading: Reading, measures: Iterable[Measure | None]) -> TrustView:
    """What is known without a list, consents or preferences."""
    none: Array = np.zeros(0)
    return TrustView(
        settings=asked,
        tables=reading.there,
        ends={name: date_of(day) for name, day in reading.ends.items()},
        first=None if reading.last is None else date_of(reading.first),
        until=None if reading.last is None else date_of(reading.last),
        channel=reading.channel,
        channels=tuple(reading.channels),
        purposes=(),
        personalisation=None,
        measures={one.name: one for one in measures if one is not None},
        joined=none,
        left=none,
        at_risk=none,
        after=None,
        alarm=None,
        wishes=(),
        honoured=None,
        strange=(),
        comparable=True,
    )


def _found(view: TrustView) -> TrustView:
    view = replace(view, checks=tuple(checks(view)), missing=tuple(missing(view)))
    return replace(view, sentence=sentence(view))


# --- consents -------------------------------------------------------------------------------------------


def _purposes(consents: Days | None) -> list[str]:
    """Those with most people first."""
    if consents is None:
        return []
    people = Counter[str]()
    for row in consents.rows.to_pylist():
        people[row["purpose"]] += row["agreed"] + row["refused"]
    return [name for name, _ in sorted(people.items(), key=lambda item: (-item[1], item[0]))]


def _personalisation(asked: TrustSettings, purposes: list[str]) -> str | None:
    if asked.personalisation is not None:
        return check_choice(asked.personalisation, purposes, say("purpose"))
    return next((one for one in purposes if any(word in one.lower() for word in PERSONALISATION)), None)


def _consent_measures(
    consents: Days | None, purposes: list[str], personalisation: str | None, span: Span
) -> Iterator[Measure | None]:
    """Of each purpose the share who agree, and how many of those withdraw; personalisation first."""
    if consents is None:
        return
    for purpose in sorted(purposes[:_MOST_PURPOSES], key=lambda one: one != personalisation):
        total = {
            name: consents.stock(name, purpose=purpose)
            for name in ("agreed", "refused", "withdrawn", "again")
        }
        agreeing = total["agreed"] + total["again"] - total["withdrawn"]
        yield share(
            f"consent:{purpose}",
            say("Agree to “{purpose}”", purpose=purpose),
            say("of those who were asked"),
            agreeing,
            total["agreed"] + total["refused"],
            span,
        )
        yield rate(
            f"withdrawn:{purpose}",
            say("Opted out of “{purpose}”", purpose=purpose),
            say("per 1,000 people who agreed and week"),
            consents.of("withdrawn", purpose=purpose),
            person_weeks(agreeing),
            span,
        )


# --- the list, messages, customers ----------------------------------------------------------------------


def _list_measures(
    reading: Reading, subscribers: Days | None, sent: Days | None, span: Span
) -> Iterator[Measure | None]:
    if subscribers is not None:
        yield rate(
            "unsubscribes",
            say("Unsubscribed"),
            say("per 1,000 people on the list and week"),
            subscribers.of("left"),
            person_weeks(subscribers.stock("at_risk")),
            span,
        )
    if sent is not None and "send_events" in reading.there:
        messages = say("per 1,000 messages delivered")
        by_link = say("Unsubscribed by a message")
        delivered = sent.of("delivered")
        yield rate(
            "unsubscribes_delivered", by_link, messages, sent.of("left"), delivered, span, late=_LATE_DAYS
        )
        yield rate(
            "complaints",
            say("Complained of a message"),
            messages,
            sent.of("complained"),
            delivered,
            span,
            late=_LATE_DAYS,
        )


def _churn(reading: Reading, span: Span) -> Measure | None:
    customers = reading.customers() if "churn" in reading.there else None
    if customers is None:
        return None
    there = customers.stock("came") - customers.stock("left")
    of = say("per 1,000 customers and week")
    return rate("churn", say("Ended as a customer"), of, customers.of("left"), person_weeks(there), span)


def _deletions(project: Project, reading: Reading, asked: TrustSettings) -> Measure | None:
    """People erased at their request, from the first entry of the access log until today."""
    entries, _ = project.people.access.entries()
    if not entries or "customers" not in reading.there:
        return None
    zone = ZoneInfo(project.settings.timezone)

    def day(time: str) -> int:
        return (datetime.fromisoformat(time).astimezone(zone).date() - EPOCH).days

    first, today = day(entries[0].time), (datetime.now(UTC).astimezone(zone).date() - EPOCH).days
    erased: dict[str, int] = {}
    for entry in entries:
        if entry.action == "erase" and entry.person is not None:
            erased.setdefault(entry.person, day(entry.time))
    days = max(1, today - first + 1)
    events = np.bincount([min(max(one - first, 0), days - 1) for one in erased.values()], minlength=days)
    people = np.full(days, (reading.people() + len(erased)) / 7.0)
    return rate(
        "deletions",
        say("Had their data erased"),
        say("per 1,000 customers and week"),
        events.astype(float),
        people,
        Span(first, days, asked.window_days, asked.weeks, asked.level),
    )


# --- what people asked for ------------------------------------------------------------------------------


def _after(reading: Reading, purposes: list[str], window_days: int) -> AfterOptOut | None:
    found = reading.after_optout(purposes)
    if found is None:
        return None
    days, people = found
    rows = days.rows.to_pylist()
    wrong = [row for row in rows if row["messages"] > row["informational"]]
    by_campaign = Counter[str]()
    for row in wrong:
        by_campaign[row["campaign_id"]] += row["messages"] - row["informational"]
    campaign, in_campaign = by_campaign.most_common(1)[0] if by_campaign else ("", 0)
    recent = days.of("messages")[-window_days:].sum() - days.of("informational")[-window_days:].sum()
    return AfterOptOut(
        messages=sum(by_campaign.values()),
        people=people,
        informational=sum(row["informational"] for row in rows),
        late_days=max((row["late"] for row in wrong), default=0) / _DAY,
        campaign=campaign,
        in_campaign=in_campaign,
        last=date_of(max(row["day"] for row in wrong)) if wrong else None,
        recent=int(recent),
    )


def _wishes(reading: Reading, level: float) -> tuple[list[Wish], dict[str, int], list[str]]:
    """What people want, in how many days they want one message, and frequencies that are not understood."""
    content, frequency, said = Counter[str](), Counter[str](), Counter[str]()
    for row in reading.preferences():
        n, often = row["people"], row["frequency"]
        for topic in kept.topics(row["content"] or ""):
            content[topic] += n
        said["content"] += n if row["content"] else 0
        if often:
            frequency[often] += n
            said["frequency"] += n
    found = []
    for about, counts in (("content", content), ("frequency", frequency)):
        for wish, people in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            posterior = share_posterior(people, said[about])
            assert posterior is not None
            low, high = posterior.ppf([(1 - level) / 2, (1 + level) / 2])
            interval = (float(low), float(high))
            found.append(Wish(about, wish, people, said[about], posterior.mean, interval))
    days = {wish: kept.frequency_days(wish) for wish in reading.frequencies()}
    known = {wish: value for wish, value in days.items() if value is not None}
    return found, known, sorted(days.keys() - known.keys())


def _honoured(
    reading: Reading, wanted: set[str], frequencies: dict[str, int], asked: TrustSettings
) -> tuple[Honoured | None, bool]:
    found = reading.honoured(frequencies, wanted, asked.window_days)
    if found is None or reading.last is None:
        return None, True
    span = Span(reading.first, reading.last - reading.first + 1, asked.window_days, asked.weeks, asked.level)
    whole = max(1, span.days // asked.window_days)
    rows = [row for row in found.blocks if row["block"] < min(whole, _MOST_BLOCKS)]
    if not rows:
        return None, found.comparable
    periods = []
    for row in reversed(rows):
        end = span.days - row["block"] * asked.window_days
        posterior = share_posterior(row["honoured"], row["judged"])
        periods.append(
            span.period(end - asked.window_days, end, row["honoured"], row["judged"], posterior, full=True)
        )
    last = rows[0]
    return Honoured(tuple(periods), int(last["off_topic"]), int(last["too_often"])), found.comparable
