"""Do people leave the list faster than they join it, or than they used to; and how much to believe of that.

Two alarms. The balance: are fewer than κ people joining for each who leaves, by the counts of the last days?
The change: have people begun to leave faster than is usual for the weekday, the list and what was sent?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.analyses.trust_days import Array, Days, Reading, date_of
from workbench.models.alarm_calibration import (
    FalseAlarms,
    Noticed,
    balance_false_alarms,
    change_false_alarms,
    noticed,
)
from workbench.models.change_point import MESSAGE_DAYS, Alarm, alarms, dispersion, usual_counts, watch
from workbench.models.rates import GammaRate, Interval, RateRatio

if TYPE_CHECKING:
    from workbench.analyses.trust_answer import TrustSettings

FEWEST_DAYS: Final = 56
FEWEST_LEFT: Final = 20
_BEFORE_DAYS: Final = 56
_SUREST: Final = 1 - 1e-9  # nothing is certain, whatever a float can hold
_RISES: Final = (1.5, 2.0)


@dataclass(frozen=True)
class Balance:
    """Joining against leaving in the last days.

    Attributes:
        joined, left: People.
        days: In so many days.
        ratio, interval: How many join for each who leaves: median and interval of the posterior.
        below: Probability that it is less than κ.
        shrinking: Probability that it is less than 1, so that the list shrinks.
        raised: Whether `below` is above what was asked for.
        false_alarms: Where exactly κ join for each who leaves.
    """

    joined: int
    left: int
    days: int
    ratio: float
    interval: Interval
    below: float
    shrinking: float
    raised: bool
    false_alarms: FalseAlarms


@dataclass(frozen=True)
class Campaign:
    """The campaign that most of those who left beyond what is usual left by.

    Attributes:
        name: Its id.
        left: People who left by it, since the change.
        all_left: People who left by any or none.
        delivered: Its messages, since the change and the days before it that work on.
        ratio, interval: How many times as many left per message as by all messages before.
        probability: That it is more.
    """

    name: str
    left: int
    all_left: int
    delivered: int
    ratio: float
    interval: Interval
    probability: float


@dataclass(frozen=True)
class Change:
    """A rise of the rate at which people leave.

    Attributes:
        day: When the alarm was raised.
        since: The first day of the new level.
        until: The first day on which that was over; None while it is not.
        days: Places of the days: what it is held against begins, it begins, it ends.
        probability: Highest probability of a change in the days before.
        left: People who left in it.
        expected: Who would have left at the level before.
        ratio, interval: The level over that before it.
        campaign: Which is likeliest to have brought it; None when none stands out.
    """

    day: date
    since: date
    until: date | None
    days: tuple[int, int, int]
    probability: float
    left: int
    expected: float
    ratio: float
    interval: Interval
    campaign: Campaign | None = None


@dataclass(frozen=True)
class AlarmView:
    """Both alarms.

    Attributes:
        balance: The first; None where nobody joined and nobody left.
        changes: What the second raised, the newest first.
        watched: Whether there are enough days and people for the second.
        dispersion: Variance over mean of how many leave on a day, around what is usual.
        false_alarms: Of the second, in years like the last one without a change; None when it is not watched.
        noticed: What it would notice.
    """

    balance: Balance | None
    changes: tuple[Change, ...]
    watched: bool
    dispersion: float
    false_alarms: FalseAlarms | None
    noticed: tuple[Noticed, ...]

    @property
    def open(self) -> Change | None:
        """The change that goes on."""
        return next((change for change in self.changes if change.until is None), None)


@dataclass(frozen=True)
class _Leaving:
    """How many left on each day and would usually; `spread` is their dispersion, `first` the first day."""

    left: Array
    usual: Array
    spread: float
    first: int

    def rate(self, days: slice) -> GammaRate:
        """The level of these days, in multiples of what is usual."""
        return GammaRate.of(float(self.left[days].sum()), float(self.usual[days].sum()), self.spread)


def look(reading: Reading, subscribers: Days, deliveries: Days | None, settings: TrustSettings) -> AlarmView:
    """Both alarms at the end of the data."""
    joined, left = subscribers.of("joined"), subscribers.of("left")
    at_risk = np.maximum(subscribers.stock("at_risk"), 0.0)
    messages = np.zeros_like(left) if deliveries is None else deliveries.of("delivered")
    usual = usual_counts(left, at_risk, messages, date_of(subscribers.first).weekday())
    spread = round(dispersion(left, usual), 3)
    balance = _balance(joined, left, spread, settings)
    if left.size < FEWEST_DAYS or left.sum() < FEWEST_LEFT:
        return AlarmView(balance, (), False, spread, None, ())
    rule, seed = settings.rule, settings.seed
    raised = alarms(watch(left, usual, rule, spread), rule)
    by_campaign = reading.leaving() if raised else None
    leaving = _Leaving(left, usual, spread, subscribers.first)
    changes = []
    for place, alarm in enumerate(raised):
        change = _change(alarm, raised[:place], leaving, settings.level)
        if by_campaign is not None and deliveries is not None:
            campaign = _likeliest(by_campaign, deliveries, change, settings.level)
            change = replace(change, campaign=campaign)
        changes.append(change)
    return AlarmView(
        balance=balance,
        changes=tuple(reversed(changes)),
        watched=True,
        dispersion=spread,
        false_alarms=change_false_alarms(usual, spread, rule, settings.simulated_years, seed),
        noticed=tuple(noticed(usual, spread, rule, factor, seed) for factor in _RISES),
    )


def _balance(joined: Array, left: Array, spread: float, settings: TrustSettings) -> Balance | None:
    days = min(settings.window_days, left.size)
    came, went = float(joined[-days:].sum()), float(left[-days:].sum())
    if not came + went:
        return None
    ratio = RateRatio(GammaRate.of(came, days), GammaRate.of(went, days))
    below = min(float(ratio.cdf(settings.kappa)), _SUREST)
    a_day = round(max(float(left.mean()), 1 / left.size), 4)
    return Balance(
        joined=int(came),
        left=int(went),
        days=days,
        ratio=ratio.median,
        interval=ratio.interval(settings.level),
        below=below,
        shrinking=float(ratio.cdf(1.0)),
        raised=below > settings.sure,
        false_alarms=balance_false_alarms(
            a_day, settings.kappa, days, settings.sure, spread, settings.simulated_years, settings.seed
        ),
    )


def _change(alarm: Alarm, earlier: Sequence[Alarm], leaving: _Leaving, level: float) -> Change:
    """What an alarm is about, held against the weeks before it that no earlier alarm is about."""
    end = leaving.left.size if alarm.until is None else alarm.until
    over = [one.until for one in earlier if one.until is not None and one.until < alarm.since]
    now = slice(alarm.since, end)
    before = slice(max(0, alarm.since - _BEFORE_DAYS, *over), alarm.since)
    ratio = RateRatio(leaving.rate(now), leaving.rate(before))
    return Change(
        day=date_of(leaving.first + alarm.day),
        since=date_of(leaving.first + alarm.since),
        until=None if alarm.until is None else date_of(leaving.first + alarm.until),
        days=(before.start, alarm.since, end),
        probability=alarm.probability,
        left=int(leaving.left[now].sum()),
        expected=ratio.second.mean * float(leaving.usual[now].sum()),
        ratio=ratio.median,
        interval=ratio.interval(level),
    )


def _likeliest(by_campaign: Days, deliveries: Days, change: Change, level: float) -> Campaign | None:
    """The campaign by which most left beyond what messages usually bring; None if that may be chance."""
    begin, since, end = change.days
    before, now, working = slice(begin, since), slice(since, end), slice(max(0, since - MESSAGE_DAYS), end)
    sent_before = float(deliveries.of("delivered")[before].sum())
    if not sent_before:
        return None
    as_usual = GammaRate.of(float(by_campaign.of("left")[before].sum()), sent_before)
    found = []
    for name in sorted(set(by_campaign.rows["campaign_id"].to_pylist()) - {""}):
        left = float(by_campaign.of("left", campaign_id=name)[now].sum())
        sent = float(deliveries.of("delivered", campaign_id=name)[working].sum())
        if left and sent:
            found.append((left - as_usual.mean * sent, name, left, sent))
    if not found:
        return None
    _, name, left, sent = max(found)
    ratio = RateRatio(GammaRate.of(left, sent), as_usual)
    more = 1 - float(ratio.cdf(1.0))
    if more < (1 + level) / 2:
        return None
    return Campaign(name, int(left), change.left, int(sent), ratio.median, ratio.interval(level), more)
