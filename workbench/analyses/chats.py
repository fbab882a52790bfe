"""Chats with people or assistants: how many are resolved, and whether success follows.

Those who chat are held against customers who were active in the same weeks and had not chatted, each week
weighted by how many began to chat in it. That takes out the season and who was there at all; why somebody
chats stays in, so the difference is an association and never an effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.analyses.estimates import Estimate, clustered, of_arm, share_of, success_name
from workbench.engines import Engine
from workbench.locale import Message, say
from workbench.metrics import engagement as sums
from workbench.metrics.cells import ask
from workbench.metrics.engagement import Clock
from workbench.models.arms import BetaArm
from workbench.models.comparison import compare


@dataclass(frozen=True)
class Chats:
    """Chats and what followed.

    Attributes:
        chats, customers: How many there are, and of whom.
        resolved: Share that was resolved before the customer's next chat; None without such an event.
        chatted: Share of those who chatted in whom success followed in the window, and how many they are.
        others: The same of customers active in the same weeks who had not chatted, and their weeks.
        difference: chatted − others: an association, never an effect.
        after: What followed, in a sentence, or what it needs to be known.
    """

    chats: int
    customers: int
    resolved: Estimate | None
    chatted: tuple[Estimate, int] | None
    others: tuple[Estimate, int] | None
    difference: Estimate | None
    sentence: Message
    after: Message


def chats(
    engine: Engine,
    events: Any,
    orders: Any,
    *,
    start: str,
    resolved: str | None,
    success: str | None,
    window_days: int,
    until: int,
    clock: Clock,
    level: float,
) -> Chats:
    """What is known of chats.

    Args:
        engine: Where to ask.
        events, orders: The tables; `orders` is needed where success is an order.
        start, resolved: Names of events.
        success: See `metrics.engagement.visits`.
        window_days: Success counts for so many days.
        until: The end of the data, in seconds since 1970.
        clock: What `clock.offsets` gives.
        level: Of the intervals.
    """
    (row,) = ask(engine, sums.of_chats(events, start, resolved), ["whole"]).to_pylist()
    share = None if resolved is None else share_of(row, "resolved", level)
    total, customers = int(row["resolved_n"]), int(row["resolved_customers"])
    first = _resolved(total, share)
    if success is None:
        after = say("What follows a chat needs the table orders, or an event that says what success is.")
        return Chats(total, customers, share, None, None, None, first, after)
    followed = sums.after_chats(
        events, orders, start=start, success=success, window_days=window_days, until=until, clock=clock
    )
    weeks = ask(engine, sums.chat_weeks(followed), ["week", "chatted"]).to_pylist()
    alike = ask(engine, sums.of_chatters(followed), ["chatted"]).to_pylist()
    arms = _arms(weeks, alike)
    if arms is None:
        after = say(
            "What follows a chat cannot be said yet: no chat has {days:count} days of data after it and "
            "others who were active in the same week.",
            days=window_days,
        )
        return Chats(total, customers, share, None, None, None, first, after)
    (one, n_one), (other, n_other) = arms
    chatted, others = of_arm(one, level), of_arm(other, level)
    found = compare(one, other, level)
    return Chats(
        chats=total,
        customers=customers,
        resolved=share,
        chatted=(chatted, n_one),
        others=(others, n_other),
        difference=Estimate(found.difference, *found.difference_interval),
        sentence=first,
        after=_after(chatted, others, success, window_days),
    )


def _arms(
    weeks: Sequence[Mapping[str, Any]], alike: Sequence[Mapping[str, Any]]
) -> tuple[tuple[BetaArm, int], tuple[BetaArm, int]] | None:
    """Those who chatted, and the others as if they had been active in the same weeks; None without either.

    With w the share of chatters whose chat was in a week, the others' share is m = Σ w k/n, worth
    1 / (d Σ w²/n) independent customers (Kish), d being the design effect of their weeks.
    """
    cells = {(int(row["week"]), int(row["chatted"])): (int(row["n"]), int(row["done"])) for row in weeks}
    both = [week for week, chatted in cells if chatted and (week, 0) in cells]
    ours = [cells[week, 1] for week in both]
    theirs = [cells[week, 0] for week in both]
    n = sum(size for size, _ in ours)
    if not n:
        return None
    done = sum(k for _, k in ours)
    weights = [size / n for size, _ in ours]
    share = sum(w * k / size for w, (size, k) in zip(weights, theirs, strict=True))
    effect = next(clustered(row, "done").design_effect for row in alike if not row["chatted"])
    worth = 1 / (effect * sum(w * w / size for w, (size, _) in zip(weights, theirs, strict=True)))
    one = BetaArm(0.5 + done, 0.5 + n - done)
    other = BetaArm(0.5 + share * worth, 0.5 + (1 - share) * worth)
    return (one, n), (other, sum(size for size, _ in theirs))


def _resolved(total: int, share: Estimate | None) -> Message:
    if share is None:
        return say("There are {n:count} chats; nothing says which were resolved.", n=total)
    return say(
        "{share:percent} of {n:count} chats were resolved (between {low:percent} and {high:percent}).",
        share=share.value,
        n=total,
        low=share.low,
        high=share.high,
    )


def _after(chatted: Estimate, others: Estimate, success: str, window_days: int) -> Message:
    return say(
        "Of those who chat {one:percent} come to {success} within {days:count} days, of others active in the "
        "same weeks {other:percent}: an association, since who chats may have been about to anyway.",
        success=success_name(success),
        days=window_days,
        one=chatted.value,
        other=others.value,
    )
