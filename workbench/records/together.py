"""What the record of an experiment says of several segments at once, and of tests without a prior."""

from __future__ import annotations

from pydantic import Field

from workbench.records.base import Frozen, Interval, Number


class Together(Frozen):
    """In which segments a difference can be claimed, all claims holding together with the record's level.

    Attributes:
        level_of_each: Of the interval of each segment with which all hold together.
        better, worse: The segments whose interval leaves zero out.
        segments: How many there are.
        pooled: Whether the intervals are those of the pooled effects; else each segment's own.
        sampled: Whether they come from PyMC's draws of all segments together, rather than in closed form.
    """

    level_of_each: Number
    better: list[str]
    worse: list[str]
    segments: int
    pooled: bool
    sampled: bool = False


class RankedSegment(Frozen):
    """What a segment gains if everybody in it gets the treatment.

    Attributes:
        customers: In all arms.
        gain, gain_interval: Pooled difference × customers, in the metric's unit, by `Ranking.days`.
        rank_interval: First and last place that are likely; 1 gains most, or loses least.
        probability_top: Of gaining most of all.
    """

    segment: str
    customers: int
    gain: Number
    gain_interval: Interval
    rank_interval: tuple[int, int]
    probability_top: Number


class Ranking(Frozen):
    """Segments by what they gain, the best first.

    Attributes:
        days: Days in which the gain comes together at the pace of the experiment; None where there are no
            times, and it is that of the experiment's own customers.
        best_seen: The segment with the best difference as seen.
        seen, pooled: Its difference as seen, and pooled.
        by_luck: The best difference that would be seen, on average, were the effect the same in all.
        luck: The probability of one at least as good as that seen, were it so.
        sampled: Whether it comes from PyMC's draws of all segments together, rather than in closed form.
    """

    days: int | None
    segments: list[RankedSegment]
    best_seen: str
    seen: Number
    pooled: Number
    by_luck: Number
    luck: Number
    sampled: bool = False


class PValue(Frozen):
    """The p-value of one of several differences.

    Attributes:
        name: Of a segment or a metric.
        rate: Adjusted for their number, so that of those up to 5 % a share of 5 % is expected to be false.
        any: Adjusted so that of those up to 5 % none at all is false, with a probability of 95 %.
    """

    name: str
    p: Number
    rate: Number
    any: Number


class Frequentist(Frozen):
    """What is said without a prior, by tests of the means.

    Attributes:
        difference, interval, p: Welch's.
        lift, lift_interval: On the logarithmic scale; None where a mean is not above zero.
        always, always_p: What holds at every look.
        segments, metrics: Of several, with their number taken into account.
    """

    difference: Number
    interval: Interval
    p: Number
    lift: Number | None
    lift_interval: Interval | None
    always: Interval
    always_p: Number
    segments: list[PValue] = Field(default_factory=list)
    metrics: list[PValue] = Field(default_factory=list)
