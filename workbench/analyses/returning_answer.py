"""What is asked about coming back, and what the answer holds."""

from __future__ import annotations

from datetime import date
from typing import Literal

from workbench.records import Assignment, Check, Frozen, Interval, Number, Text, Word

FEWEST_FOLLOWED = 30
"""A curve ends where fewer are at risk."""
Outcome = Literal["order", "repeat", "churn"]
About = Literal["order", "second", "repeat", "churn"]


class ReturningSettings(Frozen):
    """What was asked.

    Attributes:
        outcome: The first order after the exposure; buying again, from the first order after the exposure to
            the second; or the end of a customer. None takes the first of these that the tables tell.
        control, arm, assignment, planned_split: As in `EffectSettings`.
        days: After how many days shares are compared; the largest is as far as anybody is followed.
        until: The last day that counts; that of the data if None.
        by: An attribute, segment or touch to split by; None for everybody together.
        level: Probability of the intervals.
    """

    experiment: str
    outcome: Outcome | None = None
    control: str | None = None
    arm: str | None = None
    assignment: Assignment | None = None
    planned_split: dict[str, float] | None = None
    days: tuple[int, ...] = (30, 60, 90, 180)
    until: date | None = None
    by: str | None = None
    level: float = 0.95


class Point(Frozen):
    """A curve after a number of days: the share, its interval, and how many are still followed without it."""

    day: int
    share: Number
    interval: Interval
    at_risk: int


class ArmCurve(Frozen):
    """One arm.

    Attributes:
        people: Whose time is counted.
        events: To how many of them it has happened.
        points: From day 0 to where the curve ends.
    """

    arm: str
    people: int
    events: int
    points: tuple[Point, ...]

    @property
    def end(self) -> int:
        """The day after which too few are followed."""
        return self.points[-1].day


class ByDay(Frozen):
    """The shares of an arm and the control after a number of days; the difference is in favour of the arm."""

    day: int
    arm_share: Number
    control_share: Number
    difference: Number
    interval: Interval
    probability_better: Number


class Ratio(Frozen):
    """A ratio: posterior median, interval, and the probability that it is below 1."""

    value: Number
    interval: Interval
    probability_below: Number


class Against(Frozen):
    """An arm against the control.

    Attributes:
        horizon: The day up to which both are followed.
        by_day: After the days that were asked for, as far as both are followed.
        hazard_ratio: Of the chance in a day, arm to control, over all days; None where nothing happened.
        split: The day that parts early from late, when half of the events have been.
        early, late, change: The ratio in either part, and late to early; None where a part says nothing.
        largest_hazard: The largest chance in a day.
        days_less: By how many days among the first `horizon` the arm is without the event for longer.
        days_interval: Its interval.
    """

    arm: str
    control: str
    horizon: int
    by_day: tuple[ByDay, ...]
    hazard_ratio: Ratio | None
    split: int | None
    early: Ratio | None
    late: Ratio | None
    change: Ratio | None
    largest_hazard: Number
    days_less: Number
    days_interval: Interval


class Curves(Frozen):
    """Everything about one kind of event; the shares of `churn` are of those who are still there."""

    about: About
    word: Word
    arms: tuple[ArmCurve, ...]
    comparisons: tuple[Against, ...]

    def against(self, arm: str) -> Against:
        """The comparison of an arm."""
        return next(one for one in self.comparisons if one.arm == arm)


class GroupReturn(Frozen):
    """The arm that is spoken of against the control, in one group.

    Attributes:
        people: Of both arms, whose time is counted.
        events: To how many of them it has happened.
        against: Without the early and the late part of the ratio.
        pooled: The ratio, drawn towards that of the other groups; None where it stands alone.
    """

    group: str
    people: int
    events: int
    against: Against
    pooled: Ratio | None


class Returning(Frozen):
    """The answer.

    Attributes:
        arm: The one that is spoken of.
        assignment: How people are believed to have been assigned.
        outcomes: What the project can be asked about.
        until: The last day that counts.
        main: What was asked about.
        beside: Of buying again, the share of all customers with two orders.
        groups: The largest groups of which something can be said; empty where nobody asked for groups.
        checks: Failures first; one withholds the verdict.
    """

    settings: ReturningSettings
    control: str
    arm: str
    assignment: Assignment
    outcomes: tuple[Outcome, ...]
    until: date
    main: Curves
    beside: Curves | None
    groups: tuple[GroupReturn, ...]
    checks: tuple[Check, ...]
    verdict: Text

    @property
    def failed(self) -> bool:
        """Whether the verdict is withheld."""
        return any(check.status == "fail" for check in self.checks)
