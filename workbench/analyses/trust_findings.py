"""What the figures about trust mean: the sentence, what was checked, and what cannot be said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from workbench.analyses.trust_alarm import FEWEST_DAYS, FEWEST_LEFT, Balance, Change
from workbench.analyses.trust_answer import TrustView
from workbench.locale import Message, say
from workbench.models.rates import GammaRate
from workbench.records import Check, failures_first

COMPLAINTS_WATCH: Final = 0.001
COMPLAINTS_LIMIT: Final = 0.003
"""Google asks senders to keep reports of spam below 0.1 % of messages and never to reach 0.3 %
(https://support.google.com/a/answer/81126), counted over those that reached an inbox of its own."""
_STALE_DAYS: Final = 28
_IMPORT_SHARE, _IMPORT_PEOPLE = 0.5, 20


def sentence(view: TrustView) -> Message:
    """What it means: the two worst problems, or that there is none."""
    problems = list(_problems(view))
    muted = [
        say("Muted until {until:date}: {alarm}", until=view.muted[name].until, alarm=alarm)
        for name, alarm in sounding(view)
        if name in view.muted
    ]
    said = [*problems[:2], *muted]
    if not said and view.checks:
        said.append(say("Nothing that was checked says that trust is being lost."))
    agree = view.measures.get(f"consent:{view.personalisation}")
    if not problems and not muted and agree is not None and agree.now.value is not None:
        said.append(
            say(
                "{share:percent} of those who were asked agree to “{purpose}”.",
                share=agree.now.value,
                purpose=view.personalisation,
            )
        )
    if not said:
        return say("Nothing here tells yet whether people trust you with their data.")
    return say("{sentences:sentences}", sentences=said)


def _problems(view: TrustView) -> Iterator[Message]:
    after = view.after
    if after is not None and after.messages:
        yield say(
            "{messages:count} messages went to {people:count} people who had opted out; there must be none.",
            messages=after.messages,
            people=after.people,
        )
    yield from (alarm for name, alarm in sounding(view) if name not in view.muted)
    yield from (one.detail for one in _complaints(view) if one.status != "ok")


def sounding(view: TrustView) -> Iterator[tuple[str, Message]]:
    """The alarms that sound, muted or not: the name of the check, and what it means."""
    alarm = view.alarm
    if alarm is not None and alarm.open is not None:
        yield "trust.change", _rise(alarm.open)
    if alarm is not None and alarm.balance is not None and alarm.balance.raised:
        yield "trust.balance", _unbalanced(alarm.balance, view.settings.kappa)


def _rise(change: Change) -> Message:
    words = {"ratio": change.ratio, "since": change.since}
    if change.campaign is None:
        return say("People leave {ratio:number} times as fast as before since {since:date}.", **words)
    return say(
        "People leave {ratio:number} times as fast as before since {since:date}, most likely because of"
        " “{name}”.",
        name=change.campaign.name,
        **words,
    )


def _unbalanced(balance: Balance, kappa: float) -> Message:
    return say(
        "In the last {days:count} days {joined:count} people joined the list and {left:count} left: we are"
        " {sure:percent} sure that fewer than {kappa:plain} join for each who leaves.",
        days=balance.days,
        joined=balance.joined,
        left=balance.left,
        sure=balance.below,
        kappa=kappa,
    )


# --- checks ---------------------------------------------------------------------------------------------


def checks(view: TrustView) -> list[Check]:
    """What was checked, failures first; an alarm that is muted is told of with who muted it, and why."""
    found = (
        *_after_optout(view),
        *_change(view),
        *_balance(view),
        *_complaints(view),
        *_fresh(view),
        *_imports(view),
        *_understood(view),
    )
    return failures_first(_as_muted(one, view) for one in found)


def _as_muted(check: Check, view: TrustView) -> Check:
    mute = view.muted.get(check.name)
    if mute is None:
        return check
    detail = say(
        "{alarm} Muted by {who} until {until:date}: “{reason}”.",
        alarm=check.detail,
        who=mute.who,
        until=mute.until,
        reason=mute.reason,
    )
    return check.model_copy(update={"status": "warn", "detail": detail})


def _after_optout(view: TrustView) -> Iterator[Check]:
    after = view.after
    if after is None:
        return
    if after.messages:
        assert after.last is not None
        values = {
            "n": after.messages,
            "people": after.people,
            "last": after.last,
            "late": after.late_days,
            "recent": after.recent,
            "days": view.settings.window_days,
        }
        said = say(
            "{n:count} messages were sent to {people:count} people after they had opted out, up to"
            " {late:number} days after; the last on {last:date}, {recent:count} in the last {days:count}"
            " days. Take these people out of what is sent.",
            **values,
        )
        examples = (after.campaign,) if after.campaign else ()
        yield Check(
            name="trust.after_optout", status="fail", detail=said, count=after.messages, examples=examples
        )
    else:
        yield Check(
            name="trust.after_optout", status="ok", detail=say("No message was sent after an opt-out.")
        )
    if after.informational:
        yield Check(
            name="trust.after_optout.informational",
            status="warn",
            detail=say(
                "{n:count} informational messages were sent to people who had opted out: that is right only"
                " where they are about an order or an account.",
                n=after.informational,
            ),
            count=after.informational,
        )


def _change(view: TrustView) -> Iterator[Check]:
    if view.alarm is None or not view.alarm.watched:
        return
    change = view.alarm.open
    if change is None:
        detail = say("People leave the list as fast as is usual for the weekday, its size and what was sent.")
        yield Check(name="trust.change", status="ok", detail=detail)
        return
    values = {
        "since": change.since,
        "ratio": change.ratio,
        "low": change.interval[0],
        "high": change.interval[1],
        "left": change.left,
        "expected": change.expected,
        "day": change.day,
    }
    said = say(
        "Since {since:date} people leave {ratio:number} times as fast as before (between {low:number} and"
        " {high:number}): {left:count} have left, {expected:count} would have. It was seen on {day:date}.",
        **values,
    )
    yield Check(name="trust.change", status="fail", detail=said, count=change.left)
    if change.campaign is not None:
        one = change.campaign
        yield Check(
            name="trust.change.campaign",
            status="warn",
            detail=say(
                "{left:count} of those {all:count} left by the campaign “{name}”: {ratio:number} times as"
                " many for each message as usual. Look at whom it was sent to, and at what it says.",
                left=one.left,
                all=one.all_left,
                name=one.name,
                ratio=one.ratio,
            ),
            count=one.left,
        )


def _balance(view: TrustView) -> Iterator[Check]:
    balance = None if view.alarm is None else view.alarm.balance
    if balance is None:
        return
    if balance.raised:
        shrinks = balance.shrinking > view.settings.sure
        said = _unbalanced(balance, view.settings.kappa)
        yield Check(name="trust.balance", status="fail" if shrinks else "warn", detail=said)
        return
    yield Check(
        name="trust.balance",
        status="ok",
        detail=say(
            "In the last {days:count} days {joined:count} people joined the list and {left:count} left: it"
            " is not sure that fewer than {kappa:plain} join for each who leaves ({sure:percent}).",
            days=balance.days,
            joined=balance.joined,
            left=balance.left,
            kappa=view.settings.kappa,
            sure=balance.below,
        ),
    )


def _complaints(view: TrustView) -> Iterator[Check]:
    found = view.measures.get("complaints")
    if found is None or found.now.value is None:
        return
    posterior = GammaRate.of(found.now.events, found.now.among)
    values = {"rate": found.now.value, "n": found.now.events, "days": view.settings.window_days}
    if posterior.cdf(COMPLAINTS_LIMIT) < 1 - view.settings.sure:
        said = say(
            "{rate:share} of messages were complained of in the last {days:count} days ({n:count}): above"
            " 0.3 % mailboxes begin to refuse messages. Send to fewer people, and make it easier to leave.",
            **values,
        )
        yield Check(name="trust.complaints", status="fail", detail=said)
    elif posterior.cdf(COMPLAINTS_WATCH) < 1 - view.settings.sure:
        said = say(
            "{rate:share} of messages were complained of in the last {days:count} days ({n:count}): mailboxes"
            " ask for less than 0.1 %.",
            **values,
        )
        yield Check(name="trust.complaints", status="warn", detail=said)
    else:
        said = say(
            "{n:count} messages were complained of in the last {days:count} days: not surely more than the"
            " 0.1 % that mailboxes ask for.",
            **values,
        )
        yield Check(name="trust.complaints", status="ok", detail=said)


def _fresh(view: TrustView) -> Iterator[Check]:
    if view.until is None:
        return
    for name in ("subscriptions", "sends", "send_events", "consents"):
        last: date | None = view.ends.get(name)
        if last is not None and (view.until - last).days > _STALE_DAYS:
            yield Check(
                name=f"trust.{name}.fresh",
                status="warn",
                detail=say(
                    "The last of the {table} is of {last:date}, while other data go on until {until:date}:"
                    " what is shown after that day may be missing and not nought. Load newer ones.",
                    table=name,
                    last=last,
                    until=view.until,
                ),
            )


def _imports(view: TrustView) -> Iterator[Check]:
    days = view.settings.window_days
    window = view.joined[-days:]
    if window.size < 7 or window.max() < max(_IMPORT_PEOPLE, _IMPORT_SHARE * window.sum()):
        return
    assert view.until is not None
    place = int(window.argmax())
    yield Check(
        name="trust.imports",
        status="warn",
        detail=say(
            "{n:count} of the {all:count} people who joined in the last {days:count} days did so on"
            " {day:date}: if that was a list that was loaded, they did not choose to join, and the balance"
            " looks too good.",
            n=window[place],
            all=window.sum(),
            days=days,
            day=date.fromordinal(view.until.toordinal() - (window.size - 1 - place)),
        ),
        count=int(window[place]),
    )


def _understood(view: TrustView) -> Iterator[Check]:
    if view.strange:
        yield Check(
            name="trust.frequencies",
            status="warn",
            detail=say(
                "These frequencies are not understood, so nobody's messages are held against them:"
                " {names:listing}. Write them as “weekly”, “monthly” or “every 14 days”.",
                names=[f"“{name}”" for name in view.strange],
            ),
        )
    if not view.comparable:
        yield Check(
            name="trust.topics",
            status="warn",
            detail=say(
                "No topic of a message is one that people could choose, so messages are held against how"
                " often people want them only. Give messages the topics of the preference page."
            ),
        )


# --- what cannot be said --------------------------------------------------------------------------------


def missing(view: TrustView) -> Iterator[Message]:
    """What cannot be said, and which table to load."""
    there = view.tables
    if "consents" not in there:
        yield say(
            "Consents and opt-outs: load the table consents, a row for each consent that was given or"
            " withdrawn."
        )
    elif view.personalisation is None:
        yield say(
            "Opt-outs from personalisation: no purpose is about it by its name; choose which one is among"
            " {names:listing}.",
            names=list(view.purposes),
        )
    if "subscriptions" not in there and view.alarm is None:
        yield say(
            "The list and its alarms: load the table subscriptions, a row for each time somebody"
            " subscribed or unsubscribed."
        )
    elif view.alarm is not None and not view.alarm.watched:
        yield say(
            "A rise of the rate at which people leave: it takes {days:count} days and {people:count}"
            " people who left to know what is usual.",
            days=FEWEST_DAYS,
            people=FEWEST_LEFT,
        )
    if "sends" not in there:
        yield say(
            "Messages after an opt-out, and whether preferences are honoured: load the table sends, a row"
            " for each message."
        )
    if "send_events" not in there:
        yield say(
            "Complaints and unsubscriptions by message: load the table send_events, a row for each thing"
            " that came of a message."
        )
    if not view.wishes:
        yield say(
            "What people ask for: load the table subscriptions with the columns pref_content and"
            " pref_frequency."
        )
    elif view.honoured is None and "sends" in there:
        yield say("Whether preferences are honoured: nobody with a preference has got a message since.")
    if "churn" not in there:
        yield say("Customers who left: load the table churn, a row for each customer who did.")
    if "customers" not in there:
        yield say("Requests to be erased: load the table customers, a row for each customer.")
    elif "deletions" not in view.measures:
        yield say("Requests to be erased: they are counted in the access log, in which there is nothing yet.")
