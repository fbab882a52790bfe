"""What a lifetime value's record says of several groups at once: drawn towards each other, and each alone."""

from __future__ import annotations

from pydantic import Field

from workbench.records.base import Frozen, Interval, Number


class Alone(Frozen):
    """What a group's own customers say, had there been no other group."""

    mean: Number
    interval: Interval


class PooledGroups(Frozen):
    """How much groups are alike, and what that takes from the one that looks best.

    Attributes:
        groups: How many were drawn towards each other.
        average, average_interval: Value of a customer of any of them, each group by its customers.
        spread, spread_interval: Standard deviation of the groups' values.
        differs: By which share groups typically differ in `frequency`, in the odds of `leaving` and in
            `order_value`: e^σ - 1.
        best: The group with the largest value by its own customers alone; None where none stands alone.
        seen, kept: That value, and what is left of it.
    """

    groups: int
    average: Number
    average_interval: Interval
    spread: Number
    spread_interval: Interval
    differs: dict[str, Number]
    best: str | None = None
    seen: Number | None = None
    kept: Number | None = None


class ArmEffect(Frozen):
    """What an arm does in a typical segment.

    Attributes:
        name: `frequency`, the odds of `leaving` (Pareto/NBD: its rate), or `order_value`.
        change, interval: As a share of the control's: e^β - 1.
        probability_up: That it is raised.
        differs: By which share the effect typically differs between segments: e^τ - 1.
    """

    name: str
    change: Number
    interval: Interval
    probability_up: Number
    differs: Number


class SegmentDifference(Frozen):
    """The value of an arm's customers less that of the control's, in one segment.

    Attributes:
        customers: Of both arms.
        mean, interval, probability_positive: Pooled over the segments.
        alone: What the segment's own customers say; None where they are too few to say anything.
        top: The probability that the arm adds most in this segment.
        rank: The interval of the segment's place by what the arm adds; one is the most.
    """

    segment: str
    customers: int
    mean: Number
    interval: Interval
    probability_positive: Number
    alone: Alone | None = None
    top: Number | None = None
    rank: tuple[int, int] | None = None


class ArmWithin(Frozen):
    """An arm against the control, over segments.

    Attributes:
        mean, interval, probability_positive: Of the difference, were all customers of all segments in it.
        spread, spread_interval: Standard deviation of the segments' differences.
        confirmed: `mean` by the full sampler, where that was asked for.
    """

    arm: str
    mean: Number
    interval: Interval
    probability_positive: Number
    spread: Number
    spread_interval: Interval
    effects: list[ArmEffect]
    segments: list[SegmentDifference]
    confirmed: Number | None = None


class Within(Frozen):
    """The arms of an experiment within the segments of `by`."""

    by: str
    control: str
    arms: list[ArmWithin] = Field(default_factory=list)
