"""What is asked about trust, and what there is to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from workbench.analyses.trust_alarm import AlarmView
from workbench.analyses.trust_days import Array
from workbench.analyses.trust_measures import Measure, Period
from workbench.definitions import Mute
from workbench.errors import check_between
from workbench.locale import Message, say
from workbench.models.change_point import Rule
from workbench.models.rates import Interval
from workbench.records import Check


@dataclass(frozen=True)
class TrustSettings:
    """What is asked about trust.

    Attributes:
        window_days: The last days are so many; they are held against as many before them.
        kappa: At least so many should join for each who leaves.
        sure: Probability of fewer than that at which the first alarm is raised.
        hazard: Probability that the rate of leaving changes on a day, for the second alarm.
        recent_days, probability, ratio: See `models.change_point.Rule`.
        level: Of the intervals.
        weeks: Weeks that are shown.
        channel: The channel of the list; None for that of most messages.
        personalisation: The purpose of personalisation in `consents`; None lets the names say.
        until: The last day that is used; None for all.
        simulated_years: Years without a change in which false alarms are counted.
        seed: Of the simulation.
    """

    window_days: int = 28
    kappa: float = 2.0
    sure: float = 0.975
    hazard: float = 1 / 90
    recent_days: int = 7
    probability: float = 0.9
    ratio: float = 1.25
    level: float = 0.95
    weeks: int = 26
    channel: str | None = None
    personalisation: str | None = None
    until: date | None = None
    simulated_years: int = 200
    seed: int = 1

    def __post_init__(self) -> None:
        check_between(self.window_days, 7, 366, say("number of days"))
        check_between(self.kappa, 0, 1000, say("least ratio of joining to leaving"), open_low=True)
        check_between(self.sure, 0.5, 1, say("probability"), open_high=True)
        check_between(self.level, 0, 1, say("level"), open_low=True, open_high=True)
        check_between(self.weeks, 1, 156, say("number of weeks"))
        check_between(self.simulated_years, 1, 10_000, say("number of simulated years"))
        assert self.rule

    @property
    def rule(self) -> Rule:
        """When the second alarm is raised."""
        return Rule(self.hazard, self.recent_days, self.probability, self.ratio)


@dataclass(frozen=True)
class AfterOptOut:
    """Messages that were sent to people after they had opted out.

    Attributes:
        messages: How many, without informational ones.
        people: How many people got one.
        informational: How many informational ones beside them, which may have been due to an order.
        late_days: Days from the opt-out to the last such message to the same person.
        campaign, in_campaign: The campaign most of them are of, and how many are.
        last: The day of the last one.
        recent: How many were in the last days.
    """

    messages: int
    people: int
    informational: int
    late_days: float
    campaign: str
    in_campaign: int
    last: date | None
    recent: int


@dataclass(frozen=True)
class Wish:
    """How many people want a topic, a kind of message or a frequency.

    Attributes:
        about: `content` or `frequency`.
        wish: As they or the form put it.
        people: How many want it.
        of: How many said anything of this kind.
        share, interval: Posterior of the share of people.
    """

    about: str
    wish: str
    people: int
    of: int
    share: float
    interval: Interval


@dataclass(frozen=True)
class Honoured:
    """People whose messages kept to what they asked for: topics they chose, no more often than they chose.

    Attributes:
        periods: Shares of people with a preference and messages under it, each over as many days as the
            window has, the oldest first.
        off_topic, too_often: In the last of them, people who got another topic, and too many messages.
    """

    periods: tuple[Period, ...]
    off_topic: int
    too_often: int

    @property
    def now(self) -> Period:
        """The last days."""
        return self.periods[-1]


@dataclass(frozen=True)
class TrustView:
    """What there is to say about trust.

    Attributes:
        settings: What was asked.
        tables: The tables with rows that tell of trust.
        ends: Table → the day of its last row.
        first, until: The days that were looked at; None when there is nothing.
        channel: The channel of the list, "" where none is named. channels: those that there are.
        purposes: Purposes of consents, those with most people first.
        personalisation: That of personalisation; None when none is.
        measures: Signs of trust by name; see `trust.analyse`.
        joined, left, at_risk: People on each day from `first` to `until`; empty without a list.
        after: Messages after an opt-out; None where that cannot be known.
        alarm: None without a list.
        muted: Alarms that sound and are muted: the name of the check → who did, why and until when.
        wishes: What people want.
        honoured: None where no message can be held against a wish.
        strange: Frequencies that people chose and that are not understood.
        comparable: Whether topics of messages are of the kind that people chose from.
        sentence: What all of it means.
        checks: What was checked, failures first.
        missing: What cannot be said, and which table to load.
    """

    settings: TrustSettings
    tables: frozenset[str]
    ends: Mapping[str, date]
    first: date | None
    until: date | None
    channel: str
    channels: tuple[str, ...]
    purposes: tuple[str, ...]
    personalisation: str | None
    measures: Mapping[str, Measure]
    joined: Array
    left: Array
    at_risk: Array
    after: AfterOptOut | None
    alarm: AlarmView | None
    wishes: tuple[Wish, ...]
    honoured: Honoured | None
    strange: tuple[str, ...]
    comparable: bool
    muted: Mapping[str, Mute] = field(default_factory=dict)
    sentence: Message = field(default_factory=lambda: say(""))
    checks: tuple[Check, ...] = ()
    missing: tuple[Message, ...] = ()
