"""What people do with their trust: consents, the list of subscribers, messages and what came of them (Ibis).

All but `optout` are sums by day, on the project's clock; over disjoint sets of customers they add up.

Of statements of a customer in one second the most careful one holds: a withdrawal, an unsubscription. What
happened before anything is known of a customer is on the day `BEGINNING`.

A customer is on the list from a subscription to an unsubscription, here or by a link in a message, and at
risk of leaving while nothing is paused. Who got a message or changed a subscription without ever subscribing
was on the list before: from the first message to them, or from the beginning. Messages that are
informational, such as of an order, make nobody a subscriber.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import ibis

from workbench.clock import DAY
from workbench.engines import whole_seconds

Clock = Sequence[tuple[int, int]]

_BEFORE_ALL: Final = -(2**31) // DAY * DAY
BEGINNING: Final = _BEFORE_ALL // DAY
"""The day, counted since 1970, of what was so before the data begin."""
TOUCH_SECONDS: Final = 72 * 3600
"""Somebody who leaves so soon after a message left because of it."""

_LEFT, _PAUSED, _IN, _JOINED = range(4)
_CODES: Final = {"unsubscribe": _LEFT, "pause": _PAUSED, "resume": _IN, "subscribe": _JOINED}


def day_of(at: Any, clock: Clock) -> Any:
    """Days since 1970 on the project's clock of whole seconds since 1970.

    Args:
        at: The seconds, int64.
        clock: What `clock.offsets` gives.
    """
    ahead: Any = ibis.literal(clock[0][1], "int64")
    for since, seconds in clock[1:]:
        ahead = ibis.ifelse(at >= since, ibis.literal(seconds, "int64"), ahead)
    return (at + ahead) // DAY


def number(condition: Any) -> Any:
    """How many rows meet a condition; one that is unknown is not met."""
    return ibis.ifelse(condition, ibis.literal(1, "int64"), ibis.literal(0, "int64")).sum()


# --- consents -------------------------------------------------------------------------------------------


def consent_changes(consents: Any, clock: Clock) -> Any:
    """What consents of a day changed.

    Returns:
        `purpose`, `day`, and of customers: `agreed` and `refused` (their first word), `withdrawn` (yes
        before, no now), `again` (the other way round).
    """
    said = _consent_states(consents)
    first, before = said.before.isnull(), said.before
    return said.group_by("purpose", day=day_of(said.at_, clock)).aggregate(
        agreed=number(first & (said.granted_ == 1)),
        refused=number(first & (said.granted_ == 0)),
        withdrawn=number((before == 1) & (said.granted_ == 0)),
        again=number((before == 0) & (said.granted_ == 1)),
    )


def optout(consents: Any, purpose: str) -> Any:
    """Opt-outs as actions of customers, in the form of `actions.actions`, for a guardrail of an experiment.

    An opt-out is a "no" of somebody who had said "yes", or nothing yet; a second "no" is none.

    Args:
        consents: The table `consents`.
        purpose: What is opted out of, as it stands there; personalisation, for example.

    Returns:
        Rows of `customer_id`, `ts`, `name` (`optout`) and `x` (1).
    """
    said = _consent_states(consents.filter(consents.purpose == purpose, consents.ts.notnull()))
    out = said.filter((said.granted_ == 0) & (said.before.isnull() | (said.before == 1)))
    one = ibis.literal(1, "int8").cast("float64")
    return out.select("customer_id", ts=out.at_.as_timestamp("s"), name=ibis.literal("optout"), x=one)


def _consent_states(consents: Any) -> Any:
    """`customer_id`, `purpose`, `at_`, `granted_` (1 or 0) and what it was `before`, null at first."""
    at = ibis.coalesce(whole_seconds(consents.ts), ibis.literal(_BEFORE_ALL, "int64"))
    said = consents.group_by("customer_id", "purpose", at_=at).aggregate(
        granted_=ibis.ifelse(consents.granted, 1, 0).min()
    )
    before = said.granted_.lag().over(group_by=["customer_id", "purpose"], order_by="at_")
    return said.mutate(before=before)


# --- the list -------------------------------------------------------------------------------------------


def list_changes(states: Any, clock: Clock) -> Any:
    """What happened to the list on each day.

    Args:
        states: Of `list_states`.
        clock: What `clock.offsets` gives.

    Returns:
        `day`, `joined` and `left` (people), and `at_risk` (by how much the number of those at risk changed).
    """
    now, before = ibis.ifelse(states.code >= _IN, 1, 0), ibis.ifelse(states.before >= _IN, 1, 0)
    return states.group_by(day=day_of(states.at_, clock)).aggregate(
        joined=number(states.joined), left=number(states.left), at_risk=(now - before).sum()
    )


def list_states(subscriptions: Any | None, sends: Any | None, answers: Any | None) -> Any:
    """Each change of a customer's place on the list.

    Args:
        subscriptions: The table, or those of its rows that are about a channel; None without, and then there
            have to be `answers`.
        sends: The messages of that channel; None without.
        answers: `send_events` of them; None without.

    Returns:
        `customer_id`, `at_` (seconds), `code`, the code `before` (null at first), `joined`, `left`.
    """
    said, seen = [], []
    if subscriptions is not None:
        rows = subscriptions.mutate(at_=whole_seconds(subscriptions.ts))
        seen.append(rows.select("customer_id", first_send=ibis.null("int64")))
        rows = rows.filter(rows.action.isin(list(_CODES)))
        said.append(rows.select("customer_id", "at_", code=_code(rows.action)))
    if sends is not None:
        asked = sends.filter(ibis.coalesce(sends.kind, ibis.literal("commercial")) != "informational")
        seen.append(asked.select("customer_id", first_send=whole_seconds(asked.ts)))
        if answers is not None:
            left = answers.filter(answers.type == "unsubscribe").select("send_id", left_at=answers.ts)
            left = left.inner_join(sends.select("send_id", "customer_id"), "send_id")
            at = whole_seconds(left.left_at)
            said.append(left.select("customer_id", at_=at, code=ibis.literal(_LEFT, "int64")))
    rows = ibis.union(*said) if len(said) > 1 else said[0]
    rows = rows.group_by("customer_id", "at_").aggregate(code=rows.code.min())
    people = ibis.union(*seen) if len(seen) > 1 else seen[0]
    known = ibis.union(rows, _there_before(rows, people))
    before = known.code.lag().over(group_by="customer_id", order_by="at_")
    known = known.mutate(before=before)
    return known.mutate(
        joined=(known.code == _JOINED) & (known.before.isnull() | (known.before == _LEFT)),
        left=(known.code == _LEFT) & (known.before > _LEFT),
    )


def _there_before(rows: Any, people: Any) -> Any:
    """A row for each customer whose first word was no subscription: when they were on the list at first."""
    order = rows.mutate(place=ibis.row_number().over(group_by="customer_id", order_by="at_"))
    first = order.filter(order.place == 0).select("customer_id", first_at="at_", first_code="code")
    people = people.group_by("customer_id").aggregate(first_send=people.first_send.min())
    each = people.left_join(first, "customer_id").drop("customer_id_right")
    each = each.filter(each.first_code.isnull() | (each.first_code != _JOINED))
    begin = ibis.literal(_BEFORE_ALL, "int64")
    sent_before = each.first_send.notnull() & (each.first_at.isnull() | (each.first_send < each.first_at))
    at = ibis.ifelse(sent_before, each.first_send, begin)
    return each.select("customer_id", at_=at, code=ibis.literal(_IN, "int64"))


def _code(action: Any) -> Any:
    found: Any = ibis.literal(_LEFT, "int64")
    for name, code in _CODES.items():
        found = ibis.ifelse(action == name, ibis.literal(code, "int64"), found)
    return found


def leaving_by_campaign(states: Any, sends: Any, answers: Any | None, clock: Clock) -> Any:
    """Of which campaign people left: that whose message they left by, else that of the last in 72 hours.

    Returns:
        `campaign_id` (`` where there was no such message, or it names none), `day`, `left` (people).
    """
    left = states.filter(states.left).select("customer_id", left_at="at_")
    sent = sends.select(
        "customer_id", "send_id", campaign_id=_text(sends.campaign_id), sent_at=whole_seconds(sends.ts)
    )
    by_link: Any = ibis.literal(0, "int64")
    if answers is not None:
        came = answers.filter(answers.type == "unsubscribe")
        came = came.group_by("send_id").aggregate(n_=came.count())
        sent = sent.left_join(came, "send_id").drop("send_id_right")
        by_link = ibis.ifelse(sent.n_.notnull(), 1, 0)
    sent = sent.mutate(by_link=by_link)
    both = left.inner_join(sent, "customer_id")
    near = (both.by_link == 1) | (both.left_at - both.sent_at <= TOUCH_SECONDS)
    both = both.filter(both.sent_at <= both.left_at, near)
    order = [both.by_link.desc(), both.sent_at.desc(), both.send_id]
    place = ibis.row_number().over(ibis.window(group_by=["customer_id", "left_at"], order_by=order))
    both = both.mutate(place=place)
    last = both.filter(both.place == 0)
    return last.group_by("campaign_id", day=day_of(last.left_at, clock)).aggregate(left=last.count())


# --- messages -------------------------------------------------------------------------------------------


def deliveries(sends: Any, answers: Any | None, clock: Clock) -> Any:
    """Messages by the day they were sent on, and what came of them whenever it came.

    A message that a file says nothing about was delivered, unless it bounced.

    Returns:
        `campaign_id` (`` where it has none), `day`, `sent`, `delivered`, and of the delivered ones those by
        which somebody `left` and those that somebody `complained` of.
    """
    no = ibis.literal(0, "int64")
    rows = sends.select(
        "send_id", "delivered", campaign_id=_text(sends.campaign_id), at_=whole_seconds(sends.ts)
    )
    if answers is None:
        rows = rows.mutate(bounced=no, left_=no, complained_=no)
    else:
        came = answers.group_by("send_id").aggregate(
            bounced=_most(answers.type == "bounce"),
            left_=_most(answers.type == "unsubscribe"),
            complained_=_most(answers.type == "complaint"),
        )
        rows = rows.left_join(came, "send_id").drop("send_id_right")
        rows = rows.mutate(
            **{name: ibis.coalesce(rows[name], no) for name in ("bounced", "left_", "complained_")}
        )
    there = ibis.ifelse(rows.delivered.isnull(), rows.bounced == 0, rows.delivered)
    rows = rows.mutate(there=there)
    return rows.group_by("campaign_id", day=day_of(rows.at_, clock)).aggregate(
        sent=rows.count(),
        delivered=number(rows.there),
        left=number(rows.there & (rows.left_ == 1)),
        complained=number(rows.there & (rows.complained_ == 1)),
    )


def _most(condition: Any) -> Any:
    return ibis.ifelse(condition, ibis.literal(1, "int64"), ibis.literal(0, "int64")).max()


def _text(column: Any) -> Any:
    return ibis.coalesce(column.cast("string"), ibis.literal(""))


# --- customers ------------------------------------------------------------------------------------------


def customer_changes(customers: Any, churn: Any | None, clock: Clock) -> Any:
    """How many customers came and left on each day: `day`, `came`, `left`.

    A customer came when they signed up or were first seen, whichever was earlier.
    """
    never = ibis.literal(_BEFORE_ALL, "int64")
    marks = [whole_seconds(customers[name]) for name in ("first_seen", "signed_up") if name in customers]
    came = customers.mutate(at_=ibis.coalesce(_least(marks), never) if marks else never)
    rows = [came.select("at_", came=ibis.literal(1, "int64"), left=ibis.literal(0, "int64"))]
    if churn is not None:
        gone = churn.semi_join(customers, "customer_id")
        gone = gone.select(
            at_=whole_seconds(gone.ts), came=ibis.literal(0, "int64"), left=ibis.literal(1, "int64")
        )
        rows.append(gone)
    both = ibis.union(*rows) if len(rows) > 1 else rows[0]
    return both.group_by(day=day_of(both.at_, clock)).aggregate(came=both.came.sum(), left=both.left.sum())


def _least(moments: list[Any]) -> Any:
    """The earliest that is known: engines do not agree on the least of something and nothing."""
    if len(moments) == 1:
        return moments[0]
    one, other = moments
    return ibis.ifelse(one.isnull() | (other < one), ibis.coalesce(other, one), one)
