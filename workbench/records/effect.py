"""The record of an experiment: what was asked of it, and what came out."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from workbench.records.base import Assignment, Density, Frozen, Interval, Number, Record, Text, Word
from workbench.records.together import Frequentist, Ranking, Together


class ArmResult(Frozen):
    """One arm over everybody: customers, posterior mean of the metric and its interval."""

    arm: str
    n: int
    total: Number
    mean: Number
    sd: Number
    interval: Interval
    probability_best: Number
    expected_loss: Number
    buyers: int | None = None
    value_per_buyer: Number | None = None


class Pooled(Frozen):
    """A segment's effect, drawn towards the effect over all segments as far as the data say.

    Attributes:
        probability_above_overall: Probability that the segment's effect lies above the typical one; far
            from a half where the segment differs from the rest.
        difference_together: Interval of the difference that holds together with those of all segments.
    """

    difference: Number
    difference_interval: Interval
    lift: Number | None
    lift_interval: Interval | None
    probability_better: Number
    probability_above_overall: Number
    difference_together: Interval | None = None


class Comparison(Frozen):
    """An arm against the control, over everybody or in one segment.

    Attributes:
        segment: The segment, or None for everybody.
        n: Customers in the arm and in the control, together. arm_n: Those in the arm; None where not known.
        difference: Posterior mean of arm − control, in the metric's unit per customer.
        lift: arm / control − 1; None when the control's mean is not clearly above zero.
        expected_loss: What choosing the arm loses on average if it is the worse one, per customer.
        expected_loss_control: The same for staying with the control.
        rope: Probability of a lift below, inside and above the zone that does not matter.
        pooled: Of a segment, in closed form. confirmed: The same by PyMC's sampler, where it was asked.
    """

    arm: str
    control: str
    segment: str | None
    n: int
    arm_n: int | None = None
    control_mean: Number
    arm_mean: Number
    difference: Number
    difference_sd: Number
    difference_interval: Interval
    lift: Number | None
    lift_interval: Interval | None
    probability_better: Number
    expected_loss: Number
    expected_loss_control: Number
    rope: tuple[Number, Number, Number] | None = None
    pooled: Pooled | None = None
    confirmed: Pooled | None = None
    density: Density | None = None
    word: Word


class OtherMetric(Frozen):
    """A metric that is looked at beside the one that decides.

    Attributes:
        metric, per: As in `EffectSettings`.
        role: A guardrail that surely gets worse withholds the verdict; a secondary metric explains.
        lower_is_better: Whether it should go down.
    """

    metric: str
    per: str | None = None
    role: Literal["secondary", "guardrail"] = "secondary"
    lower_is_better: bool = False


class EffectSettings(Frozen):
    """What was asked of an experiment.

    Attributes:
        metric: `conversion`, `revenue`, or the name of an outcome that was loaded; see `metrics.actions`.
        per: Another metric that it is divided by, as clicks by views; None for each customer.
        by: A column of customers, a saved segment, or `segments` for all of them; None for everybody. Several
            columns joined by ` × ` are crossed.
        control: The arm the others are held against.
        assignment: How people came into their arm.
        level: Probability of the intervals; "sure" means more than 1 − (1 − level) / 2.
        window_days: Days after the first exposure up to which outcomes count.
        from_day: Day after the first exposure from which they count; later than 0 asks who stayed.
        statistic: The mean, the mean with the largest values cut, or a quantile.
        quantile: Which quantile; or, of a mean with the largest values cut, from which quantile of the values
            above zero on (over all arms together).
        prior: Beta prior of a conversion rate, as its two parameters.
        lift_prior: Between which lifts the effect is expected to lie, with a probability of 95 %; None where
            nothing is expected.
        rope: Smallest relative lift that matters; lifts within ±rope are called practically nothing.
        planned_split: Planned share of each arm; None means equal shares.
        lower_is_better: Whether the metric should go down.
        before_days: Days before the first exposure that are compared, too; 0 for none.
        adjust: Whether what customers did in those days is taken out of the difference.
        delivered: Name of the event that shows that the treatment reached somebody.
        excluded: First and last day of stretches that do not count, in any arm.
        together: Arm → the arm that it is counted in.
        others: Metrics looked at beside this one.
        factors: Arm → its levels of two factors that were crossed; None where the arms' names say it, as
            `red+big` does, and empty where they seem to and do not.
        crossed_with: A second experiment; the customers who were in both are looked at, each combination of
            arms as one arm, from the later of their two first exposures on.
        looks: How often the result was looked at while data came in, this time included; None to count them.
        arm: The arm to speak of, and to show by group; None for the one that is likeliest the best.
        confirm: Whether PyMC samples the effects by group as well.
    """

    experiment: str
    metric: str
    per: str | None = None
    by: str | None = None
    control: str | None = None
    assignment: Assignment | None = None
    level: float = 0.95
    window_days: int = 14
    from_day: int = 0
    statistic: Literal["mean", "cut", "quantile"] = "mean"
    quantile: float = 0.99
    prior: tuple[float, float] = (1.0, 1.0)
    lift_prior: tuple[float, float] | None = None
    rope: float = 0.01
    planned_split: dict[str, float] | None = None
    lower_is_better: bool = False
    before_days: int = 28
    adjust: bool = False
    delivered: str | None = None
    excluded: tuple[tuple[date, date], ...] = ()
    together: dict[str, str] = Field(default_factory=dict)
    others: tuple[OtherMetric, ...] = ()
    arm: str | None = None
    factors: dict[str, tuple[str, str]] | None = None
    crossed_with: str | None = None
    looks: int | None = None
    confirm: bool = False


class Witness(Frozen):
    """The same comparison by another model, or of another statistic.

    Attributes:
        name: `hurdle`, `bootstrap`, `cut`, `adjusted`, `periods`, or `hierarchical`, the hurdle by group
            of a confirmation.
    """

    name: Literal["hurdle", "bootstrap", "cut", "adjusted", "periods", "hierarchical"]
    difference: Number
    difference_interval: Interval
    probability_better: Number


class Gain(Frozen):
    """What is known from the days before the first exposure.

    Attributes:
        days: How many days.
        means: Mean of the metric in those days, by arm.
        imbalance: The difference from the control there, in standard deviations of a customer.
        imbalance_interval: Its interval; without zero where chance does not explain it.
        variance_removed: Share of the difference's variance that goes when it is adjusted.
    """

    days: int
    means: dict[str, Number]
    imbalance: Number
    imbalance_interval: Interval
    variance_removed: Number


class Week(Frozen):
    """The effect on those first exposed in one week, and on all up to it."""

    start: date
    n: int
    difference: Number
    difference_interval: Interval
    so_far: Number
    so_far_interval: Interval


class Delivery(Frozen):
    """Whom the treatment reached, and what it did to them.

    Attributes:
        shares: Share of each arm's customers whom it reached.
        reached: Difference for those whom it reaches because they were assigned to it; None when too few.
    """

    arm: str
    shares: dict[str, Number]
    reached: Number | None = None
    reached_interval: Interval | None = None


class OtherResult(Frozen):
    """What became of a metric beside the one that decides, in the arm that the verdict speaks of.

    Attributes:
        p: Welch's p-value of no difference; None where customers count with weights.
    """

    metric: OtherMetric
    unit: Literal["share", "money", "number"]
    control_mean: Number
    arm_mean: Number
    difference: Number
    difference_interval: Interval
    lift: Number | None
    lift_interval: Interval | None
    probability_better: Number
    p: Number | None = None


class Prior(Frozen):
    """What was believed before the data, and how much hangs on it.

    Attributes:
        lift: Between which lifts the effect was expected (95 %).
        tipping: The range around nothing at which we stop being sure: who expects the lift to lie in a
            narrower one is not convinced by these data; None where we are not sure to begin with.
        strip: Name of a prior → probability of being better under it.
    """

    lift: Interval | None
    tipping: Interval | None
    strip: dict[str, Number]


class RuleRate(Frozen):
    """How often "sure" would have adopted an arm that does nothing, at as many looks as there were.

    Attributes:
        looks: At evenly growing data.
        adopted: Share of 2,000 simulated experiments without an effect. error: Its Monte Carlo error.
    """

    looks: int
    adopted: Number
    error: Number


class Confirmation(Frozen):
    """What is to be known of PyMC's sampler of the effects by group.

    Attributes:
        tau: Posterior mean of the spread of effects between groups, in log odds.
        tau_value: The same of what a buyer is worth, in logs; None for shares.
        inside: How many of the `cells` lie in the middle 90 % of what the model foretells for them.
        rhat, ess: The largest R-hat and the least effective sample size of all quantities.
    """

    tau: Number
    tau_value: Number | None
    inside: int
    cells: int
    rhat: Number
    ess: Number


class FactorRow(Frozen):
    """What a level of one of two crossed factors does instead of the control's.

    Attributes:
        what: Its `main` effect, every level of the other factor counting alike; its `simple` effect at one
            level of the other; or the `interaction`, what both do together beyond the sum of the two.
        factor: The first, 0, or the second, 1.
        level, base: The level, and the control's.
        at: The level of the other factor; None for a main effect.
        probability_better: Of a change for the better; of an interaction, of one that adds to the two.
    """

    what: Literal["main", "simple", "interaction"]
    factor: Literal[0, 1]
    level: str
    base: str
    at: str | None
    difference: Number
    difference_interval: Interval
    probability_better: Number


class EffectSummary(Frozen):
    """What came out of `EffectSettings`; `kind` is `binary` or `mean`, money or not is `unit`."""

    metric: str
    kind: Literal["binary", "mean"]
    unit: Literal["share", "money", "number"]
    control: str
    assignment: Assignment
    word: Word
    arms: list[ArmResult]
    comparisons: list[Comparison]
    probability_best: dict[str, Number]
    customers: int
    arm: str
    pooled_on: str | None = None
    witnesses: list[Witness] = Field(default_factory=list)
    gain: Gain | None = None
    weeks: list[Week] = Field(default_factory=list)
    delivery: Delivery | None = None
    others: list[OtherResult] = Field(default_factory=list)
    prior: Prior | None = None
    rule: RuleRate | None = None
    factorial: list[FactorRow] = Field(default_factory=list)
    confirmation: Confirmation | None = None
    together: Together | None = None
    ranking: Ranking | None = None
    frequentist: Frequentist | None = None


class EffectRecord(Record):
    """An experiment's answer."""

    kind: Literal["effect"] = "effect"
    settings: EffectSettings
    summary: EffectSummary
    verdict: Text
    outcome: Literal["adopt", "drop", "keep_measuring", "withheld", "describe"]
