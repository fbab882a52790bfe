"""The record of two groups that were not made at random: what was asked, and what can honestly be said.

None of it is an effect: `Association` is a type of its own, and where groups cannot be compared the answer is
`Refused`, a sentence and no number. The only effects here are those of a randomised experiment that the
comparison is held against (`Randomised`).
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from workbench.records.base import Assignment, Frozen, Interval, Number, Record, Text

Treatment = Literal["experiment", "event", "column"]
Target = Literal["overlap", "treated", "everybody"]
Unit = Literal["share", "money", "number"]
NOBODY = "(in no arm)"
"""As the control arm: customers who were in no arm of the experiment."""


class NotRandomSettings(Frozen):
    """What was asked.

    Attributes:
        treatment: Whether some were in an arm of an experiment, did something, or have a value in a column.
        name: Of the experiment, the event or the column of customers.
        arm: The arm, or the value; None lets the data say.
        control: The arm or value the others have; None for the other arm or any other value, `NOBODY` for
            customers in no arm.
        assignment: How people came into their group.
        metric: As in `EffectSettings`.
        landmark: The day from which on everybody is followed; the last that leaves a whole window if None.
        since: The first day on which the treatment counts; that of the first exposure, the start of the four
            weeks before the landmark for an event, and the landmark for a column, if None.
        window_days: For how many days outcomes count.
        covariates: What is adjusted for; what is usual if None.
        target: Of whom the answer speaks: who could have gone either way, who had it, or everybody.
        placebo: A number from before the treatment, a column of customers or another outcome; for outcomes
            from a file, where there are no dates to look back from.
        encouragement: A randomised experiment that moved people towards the treatment.
        randomised: A randomised experiment with the same metric to hold the answer against.
        planned_split: Planned share of each of its arms; equal shares if None.
        second_opinion: Whether DoubleML is asked too.
        level: Probability of the intervals.
    """

    treatment: Treatment = "experiment"
    name: str
    arm: str | None = None
    control: str | None = None
    assignment: Assignment | None = None
    metric: str = "conversion"
    landmark: date | None = None
    since: date | None = None
    window_days: int = 28
    covariates: tuple[str, ...] | None = None
    target: Target = "overlap"
    placebo: str | None = None
    encouragement: str | None = None
    randomised: str | None = None
    planned_split: dict[str, float] | None = None
    second_opinion: bool = False
    level: float = 0.95


class Association(Frozen):
    """Two groups compared, as they are or adjusted for what is known of them; never an effect.

    Attributes:
        treated, control: Mean of the metric in either group, or what it is taken to be.
        difference: Of the first less the other, in the metric's unit per customer.
        ratio: Of the first to the other; None where the other is not surely above zero.
        customers: Of either group.
        effective: How many customers either group is worth once they are weighted.
    """

    word: Literal["association"] = "association"
    treated: Number
    control: Number
    difference: Number
    sd: Number
    interval: Interval
    ratio: Number | None
    ratio_interval: Interval | None
    customers: tuple[int, int]
    effective: tuple[Number, Number] | None = None


class Refused(Frozen):
    """Why there is no number."""

    reason: Text


class Encouraged(Frozen):
    """What a random encouragement did, per customer it moved.

    It is an effect only if the encouragement works through the treatment alone, which no data show.

    Attributes:
        intention: The difference between the encouraged and the others, which is an effect.
        moved: The share of customers who were moved.
        strength: F of that share.
        difference: Per customer moved.
    """

    word: Literal["association"] = "association"
    intention: Number
    intention_interval: Interval
    moved: Number
    strength: Number
    difference: Number
    interval: Interval


class Randomised(Frozen):
    """The same metric in a randomised experiment: an effect."""

    word: Literal["effect"] = "effect"
    experiment: str
    treated: Number
    control: Number
    difference: Number
    sd: Number
    interval: Interval


Rung = Literal[
    "seen",
    "comparable",
    "regression",
    "overlap",
    "treated",
    "everybody",
    "doubleml",
    "encouraged",
    "randomised",
]


class Step(Frozen):
    """A rung of the ladder from the naive comparison to the randomised one."""

    rung: Rung
    answer: Association | Encouraged | Randomised | Refused


class Group(Frozen):
    """One of the two groups: what its customers are called, and how many they are."""

    who: Text
    customers: int


class Period(Frozen):
    """The first day on which the treatment counts, the landmark, and the first day that is no outcome."""

    since: date
    landmark: date
    until: date


class OverlapShape(Frozen):
    """How likely customers of either group were to have it, as if both groups were equally large.

    Attributes:
        edges: Of the bins, from 0 to 1.
        treated, control: Customers of each group in each bin; None where they are too few to be published.
        alone: Share of each group without a counterpart in the other; None where they are too few.
    """

    edges: list[Number]
    treated: list[int | None]
    control: list[int | None]
    alone: tuple[Number | None, Number | None]


class LostLevel(Frozen):
    """Customers of whom nothing can be said: nearly all who have this level have no counterpart."""

    covariate: str
    level: str
    treated: int
    control: int


class BalanceLine(Frozen):
    """Standardised mean difference of a level between the groups, as they are and as they are compared.

    Attributes:
        customers: Those of either group who have the level and can be compared.
    """

    covariate: str
    level: str
    before: Number
    after: Number
    customers: tuple[int, int]


class Strength(Frozen):
    """A hidden cause as strong as something known.

    Attributes:
        treatment, outcome: The shares it would explain of who had it, and of the outcome.
        corrected: What a linear regression would then say; None when it would explain all of who had it.
    """

    covariate: str
    treatment: Number
    outcome: Number
    corrected: Number | None


class KnownCause(Frozen):
    """The strongest known yes-or-no cause: how much more frequent it is, and what goes with it."""

    covariate: str
    level: str
    imbalance: Number
    outcome_difference: Number


class Sensitivity(Frozen):
    """How strong a hidden cause would have to be.

    Attributes:
        ratio: The risk ratio of the answer, or the one that its difference stands for.
        e_value, e_value_interval: To explain the answer away, and to make its interval touch nothing.
        robustness, robustness_interval: The same as a share of what is left of both variances, in a linear
            regression.
        linear: Coefficient of that regression and its standard error.
        benchmarks: Hidden causes as strong as those known, the strongest first.
        strongest: What the slider starts from.
        outcome_sd: Standard deviation of the outcome.
    """

    ratio: Number
    e_value: Number
    e_value_interval: Number
    robustness: Number
    robustness_interval: Number
    linear: tuple[Number, Number]
    benchmarks: list[Strength]
    strongest: KnownCause | None
    outcome_sd: Number


class Placebo(Frozen):
    """The same comparison of something the treatment cannot have changed.

    Attributes:
        about: What it is.
        seen, answer: As the groups are, and adjusted like the answer.
    """

    about: Text
    seen: Association | Refused
    answer: Association | Refused


class AssociationSummary(Frozen):
    """What can be said of two groups that were not made at random; of others only why this does not say it.

    Attributes:
        groups: Those who had it, and the others.
        period: None for outcomes from a file, which says no dates.
        left_out: Customers who are in neither group, by the reason.
        covariates: What was adjusted for.
        answer: The rung that was asked for.
        comparable: Customers of either group with a counterpart; None when the groups do not overlap.
        balance: Before and after, of the answer.
        ladder: From the groups as they are to the randomised experiment, as far as there are rungs.
        placebo: None when there is nothing to look back at.
        sensitivity: None without an answer.
    """

    assignment: Assignment
    word: Literal["association"] = "association"
    kind: Literal["binary", "mean"]
    unit: Unit
    groups: tuple[Group, Group]
    period: Period | None
    left_out: dict[str, int]
    covariates: list[str]
    answer: Association | Refused
    overlap: OverlapShape | None = None
    comparable: tuple[int, int] | None = None
    lost: list[LostLevel] = Field(default_factory=list)
    balance: list[BalanceLine] = Field(default_factory=list)
    ladder: list[Step] = Field(default_factory=list)
    placebo: Placebo | None = None
    sensitivity: Sensitivity | None = None


class AssociationRecord(Record):
    """What was said of two groups that were not made at random.

    Attributes:
        verdict: The answer, or why there is none.
    """

    kind: Literal["association"] = "association"
    settings: NotRandomSettings
    summary: AssociationSummary
    verdict: Text
