"""Whether messages kept to what people asked for: to opt-outs, to topics, to how often (Ibis).

Opt-outs. A statement is an unsubscription, by whatever way, or a consent to marketing that was withdrawn; a
subscription or a consent takes it back. It is about one channel where it names one, else about all. A message
after an opt-out and before the next statement to the contrary should not have been sent; one that is
informational, such as of an order, may have been.

Preferences. The newest statement of a customer with a topic or a frequency holds until the next one. A
message keeps to it when its topic or its kind is among those named; one without a topic is held only against
those who name a kind. `n` days of a preference to hear once in
p days allow ⌈n / p⌉ messages. Informational messages are not counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import ibis

from workbench.engines import whole_seconds
from workbench.metrics.trust import Clock, day_of, number

_END: Final = 2**40
_ALL: Final = "*"
_SEPARATORS: Final = (";", "|", "/")
_DAYS: Final = {
    "daily": 1,
    "day": 1,
    "diaria": 1,
    "diario": 1,
    "dia": 1,
    "weekly": 7,
    "week": 7,
    "semanal": 7,
    "semana": 7,
    "fortnightly": 14,
    "fortnight": 14,
    "biweekly": 14,
    "quincenal": 14,
    "quincena": 14,
    "monthly": 28,
    "month": 28,
    "mensual": 28,
    "mes": 28,
    "quarterly": 84,
    "quarter": 84,
    "trimestral": 84,
    "trimestre": 84,
}
"""A month is its shortest, so that a message on the first of each month is one a month."""
_EVERY: Final = frozenset({"every", "cada"})
_ONCE: Final = frozenset({"once", "one", "a", "per", "each", "una", "un", "vez", "al", "por", "la"})


def frequency_days(text: str) -> int | None:
    """In how many days somebody wants one message; None where the words are not understood.

    >>> [frequency_days(text) for text in ("Weekly", "cada 14 días", "every 2 weeks", "una vez al mes")]
    [7, 14, 14, 28]
    >>> [frequency_days(text) for text in ("2 per week", "twice a week", "when it matters", "")]
    [None, None, None, None]
    """
    plain = text.lower().translate(str.maketrans("áéíóú", "aeiou"))
    counts, words = [int(count) for count in re.findall(r"\d+", plain)], re.findall(r"[a-z]+", plain)
    units = [_DAYS[name] for word in words for name in {word, word.removesuffix("s")} if name in _DAYS]
    once = counts in ([], [1])
    others = len(words) - len(units) - sum(word in (_EVERY | _ONCE if once else _EVERY) for word in words)
    if len(counts) > 1 or len(units) > 1 or others:
        return None
    return (units or [1])[0] * (counts or [1])[0] or None if units or counts else None


# --- opt-outs -------------------------------------------------------------------------------------------


def after_optout(
    sends: Any,
    answers: Any | None,
    subscriptions: Any | None,
    consents: Any | None,
    *,
    channels: Sequence[str],
    purposes: Mapping[str, str | None],
) -> Any:
    """The messages that were sent to people after they had opted out.

    Args:
        sends: All messages.
        answers: `send_events`; None without.
        subscriptions, consents: The tables; None without.
        channels: The channels of `sends`, "" for messages that name none.
        purposes: Purpose of marketing in `consents` → the channel it is about, None for all.

    Returns:
        Rows of `customer_id`, `campaign_id`, `at_`, `late` (seconds after the opt-out), `informational`.
    """
    said = list(_statements(sends, answers, subscriptions, consents, channels, purposes))
    if not said:
        raise ValueError("nobody could opt out: there are neither subscriptions nor consents nor answers")
    said = [rows.mutate(out=rows.out.cast("int64")) for rows in said]
    rows = ibis.union(*said) if len(said) > 1 else said[0]
    each = [
        rows.filter(rows.about.isin([channel, _ALL])).mutate(channel=ibis.literal(channel))
        for channel in channels
    ]
    rows = ibis.union(*each) if len(each) > 1 else each[0]
    by = ["customer_id", "channel"]
    rows = rows.group_by(*by, out_at="at_").aggregate(out=rows.out.max())  # of one second "no" holds
    rows = rows.mutate(before=rows.out.lag().over(group_by=by, order_by="out_at"))
    rows = rows.filter(rows.before.isnull() | (rows.before != rows.out))  # a second "no" says nothing new
    again = rows.out_at.lead().over(group_by=by, order_by="out_at")
    rows = rows.mutate(until=ibis.coalesce(again, ibis.literal(_END, "int64")))
    rows = rows.filter(rows.out == 1)
    both = _messages(sends).inner_join(rows, by)
    both = both.filter(both.at_ > both.out_at, both.at_ < both.until)
    return both.select("customer_id", "campaign_id", "at_", "informational", late=both.at_ - both.out_at)


def _statements(
    sends: Any,
    answers: Any | None,
    subscriptions: Any | None,
    consents: Any | None,
    channels: Sequence[str],
    purposes: Mapping[str, str | None],
) -> Iterator[Any]:
    """`customer_id`, `about` (a channel or all), `at_` and `out` (1, or 0 of a statement to the contrary)."""
    if subscriptions is not None:
        rows = subscriptions.filter(subscriptions.action.isin(["subscribe", "unsubscribe"]))
        medium = ibis.coalesce(rows.medium, ibis.literal(""))
        about = ibis.ifelse(medium.isin([one for one in channels if one]), medium, ibis.literal(_ALL))
        out = ibis.ifelse(rows.action == "unsubscribe", 1, 0)
        yield rows.select("customer_id", about=about, at_=whole_seconds(rows.ts), out=out)
    if answers is not None:
        left = answers.filter(answers.type == "unsubscribe").select("send_id", left_at=answers.ts)
        left = left.inner_join(_messages(sends), "send_id")
        at = whole_seconds(left.left_at)
        yield left.select("customer_id", about="channel", at_=at, out=ibis.literal(1, "int8"))
    if consents is not None and purposes:
        rows = consents.filter(consents.purpose.isin(list(purposes)), consents.ts.notnull())
        about = ibis.literal(_ALL)
        for purpose, channel in purposes.items():
            about = ibis.ifelse(rows.purpose == purpose, ibis.literal(channel or _ALL), about)
        out = ibis.ifelse(rows.granted, 0, 1)
        yield rows.select("customer_id", about=about, at_=whole_seconds(rows.ts), out=out)


def late_messages(after: Any, clock: Clock) -> Any:
    """What `after_optout` found: `day`, `campaign_id`, `messages`, `informational`, `late` (the longest)."""
    return after.group_by("campaign_id", day=day_of(after.at_, clock)).aggregate(
        messages=after.count(),
        informational=number(after.informational),
        late=ibis.ifelse(after.informational, ibis.literal(0, "int64"), after.late).max(),
    )


def late_people(after: Any) -> Any:
    """One row: `people` who got such messages that were not informational."""
    wrong = after.filter(~after.informational)
    return wrong.aggregate(people=wrong.customer_id.nunique())


def _messages(sends: Any) -> Any:
    """Those that may have arrived."""
    there = sends.filter(ibis.coalesce(sends.delivered, ibis.literal(True)))
    return there.select(
        "send_id",
        "customer_id",
        campaign_id=ibis.coalesce(there.campaign_id, ibis.literal("")),
        channel=ibis.coalesce(there.channel, ibis.literal("")),
        at_=whole_seconds(there.ts),
        informational=ibis.coalesce(there.kind, ibis.literal("")) == "informational",
    )


# --- preferences ----------------------------------------------------------------------------------------


def preferences(subscriptions: Any) -> Any:
    """How many people have which preference by their newest statement: `content`, `frequency`, `people`.

    Who has left is not counted, nor who has never stated any.
    """
    rows = subscriptions.mutate(at_=whole_seconds(subscriptions.ts))
    gone = rows.filter(rows.action.isin(["subscribe", "unsubscribe"]))
    gone = gone.mutate(out_=ibis.ifelse(gone.action == "unsubscribe", 1, 0))
    gone = gone.group_by("customer_id", "at_").aggregate(out_=gone.out_.max())
    gone = _newest(gone)
    gone = gone.filter(gone.out_ == 1).select("customer_id")
    last = _newest(_stated(subscriptions)).anti_join(gone, "customer_id")
    return last.group_by("content", "frequency").aggregate(people=last.count())


def _stated(subscriptions: Any) -> Any:
    """`customer_id`, `at_`, `content`, `frequency` of each statement of a preference."""
    rows = subscriptions.filter(subscriptions.pref_content.notnull() | subscriptions.pref_frequency.notnull())
    return rows.group_by("customer_id", at_=whole_seconds(rows.ts)).aggregate(
        content=rows.pref_content.max(), frequency=rows.pref_frequency.max()
    )


def _newest(rows: Any) -> Any:
    order = rows.mutate(place=ibis.row_number().over(group_by="customer_id", order_by=ibis.desc("at_")))
    return order.filter(order.place == 0)


def honoured(
    sends: Any,
    subscriptions: Any,
    *,
    frequencies: Mapping[str, int],
    clock: Clock,
    end_day: int,
    block_days: int,
) -> Any:
    """Of the people with a preference and messages under it, those whose messages kept to it.

    Args:
        sends: All messages.
        subscriptions: The table.
        frequencies: What stands in `pref_frequency` → in how many days one message is wanted.
        clock: What `clock.offsets` gives.
        end_day: The last day, days since 1970.
        block_days: Time is cut into blocks of so many days, counted back from the last day, block 0.

    Returns:
        `block`, and of people `judged`, `honoured`, `off_topic` (got another topic), `too_often`.
    """
    said = _stated(subscriptions)
    until = said.at_.lead().over(group_by="customer_id", order_by="at_")
    said = said.select(
        "customer_id",
        wanted=_listed(said.content),
        days=_days(said.frequency, frequencies),
        said_at="at_",
        until=ibis.coalesce(until, ibis.literal(_END, "int64")),
    )
    sent = sends.filter(
        ibis.coalesce(sends.delivered, ibis.literal(True)),
        ibis.coalesce(sends.kind, ibis.literal("")) != "informational",
    )
    sent = sent.select(
        "customer_id", at_=whole_seconds(sent.ts), topic=_listed(sent.topic), kind=_listed(sent.kind)
    )
    both = said.inner_join(sent, "customer_id")
    both = both.filter(both.at_ > both.said_at, both.at_ < both.until)
    both = both.mutate(block=(ibis.literal(end_day, "int64") - day_of(both.at_, clock)) // block_days)
    both = both.filter(both.block >= 0)
    of_kinds = both.wanted.contains(",informational,") | both.wanted.contains(",commercial,")
    named = both.topic.notnull() | (both.kind.notnull() & of_kinds)
    fits = _within(both.topic, both.wanted) | _within(both.kind, both.wanted)
    each = both.group_by("customer_id", "said_at", "until", "days", "block").aggregate(
        n=both.count(),
        topics=number(both.wanted.notnull() & named),
        off=number(both.wanted.notnull() & named & ~fits),
    )
    last = ibis.literal(end_day, "int64") - each.block * block_days
    first = last - (block_days - 1)
    since, to = day_of(each.said_at, clock), day_of(each.until, clock)
    held = ibis.ifelse(to < last, to, last) - ibis.ifelse(since > first, since, first) + 1
    allowed = (held + each.days - 1) // each.days
    often = each.days.notnull() & (each.n > allowed)
    each = each.mutate(
        judged=ibis.ifelse((each.topics > 0) | each.days.notnull(), 1, 0),
        off_=ibis.ifelse(each.off > 0, 1, 0),
        often_=ibis.ifelse(often, 1, 0),
    )
    people = each.group_by("customer_id", "block").aggregate(
        judged=each.judged.max(), off_=each.off_.max(), often_=each.often_.max()
    )
    people = people.filter(people.judged == 1)
    return people.group_by("block").aggregate(
        judged=people.count(),
        honoured=number((people.off_ == 0) & (people.often_ == 0)),
        off_topic=number(people.off_ == 1),
        too_often=number(people.often_ == 1),
    )


def topics(text: str) -> list[str]:
    """The topics that a preference names.

    >>> topics("Shoes; offers | Kids' wear")
    ['shoes', 'offers', "kids' wear"]
    """
    for mark in _SEPARATORS:
        text = text.replace(mark, ",")
    return list(dict.fromkeys(part for part in (one.strip().lower() for one in text.split(",")) if part))


def _listed(text: Any) -> Any:
    """The same in the engine: `,shoes,offers,` without spaces, null where there is nothing."""
    for mark in _SEPARATORS:
        text = text.replace(mark, ",")
    plain = text.lower().replace(" ", "")
    return ibis.ifelse(plain == "", ibis.null("string"), ibis.literal(",") + plain + ibis.literal(","))


def _within(one: Any, listed: Any) -> Any:
    return ibis.coalesce(listed.contains(one), ibis.literal(False))


def _days(frequency: Any, frequencies: Mapping[str, int]) -> Any:
    found: Any = ibis.null("int64")
    for text, days in frequencies.items():
        found = ibis.ifelse(frequency == text, ibis.literal(days, "int64"), found)
    return found
