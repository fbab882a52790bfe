"""What is known of a treatment and a control, whatever their joint posterior is.

Independent arms (`comparison`), arms that a prior of the lift ties together (`tied_comparison`) and draws
(`drawn`) are each a `Pair`, and all that is said of one is read from it here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import ModelError, check_between, check_choice
from workbench.locale import Message, say
from workbench.models.arms import Arm, Array

type Interval = tuple[float, float]
type RopeScale = Literal["difference", "lift"]


class Pair(Protocol):
    """The joint posterior of a treatment and a control; or several such at once, where arrays begin with
    an axis of the pairs.
    """

    @property
    def treatment(self) -> Arm: ...
    @property
    def control(self) -> Arm: ...
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of treatment − control; of one pair."""

    def at_most(self, scale: ArrayLike, shift: ArrayLike) -> Array:
        """P(treatment <= scale · control + shift); scale and shift are numbers or of shape (cases,)."""

    def losses(self) -> tuple[Array, Array]:
        """E[max(C − T, 0)] and E[max(T − C, 0)]."""

    def difference_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment − control."""

    def lift_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment / control − 1."""

    def density(self, x: Array) -> Array:
        """Density of treatment − control at x; of one pair."""


@dataclass(frozen=True)
class Comparison:
    """What is known about treatment − control.

    Attributes:
        pair: The joint posterior of the two that all numbers come from.
        level: Of all intervals; they are equal-tailed.
        difference: Posterior mean of treatment − control, in the outcome's units.
        difference_sd: Its posterior standard deviation.
        difference_interval: Its interval.
        probability_better: P(treatment is better than control).
        expected_loss: Of choosing the treatment: what is lost on average if control is in truth better,
            counting nothing where it is not; in the outcome's units.
        expected_loss_control: The same of staying with control.
        lift: Treatment / control − 1 of the posterior means; None when `lift_refused`.
        lift_interval: Interval of the ratio of the two means − 1.
        lift_refused: Why there is no lift.
        rope: Posterior mass below, inside and above the region of practical equivalence; None if none is
            given, or if it is a lift and there is none.
        lower_is_better: Whether the better arm is the one with the lower mean.
    """

    pair: Pair
    level: float
    difference: float
    difference_sd: float
    difference_interval: Interval
    probability_better: float
    expected_loss: float
    expected_loss_control: float
    lift: float | None
    lift_interval: Interval | None
    lift_refused: Message | None
    rope: tuple[float, float, float] | None
    lower_is_better: bool

    @property
    def treatment(self) -> Arm:
        """Its posterior."""
        return self.pair.treatment

    @property
    def control(self) -> Arm:
        """Its posterior."""
        return self.pair.control

    def difference_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment − control."""
        return self.pair.difference_quantiles(q)

    def lift_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment / control − 1.

        Raises:
            ModelError: the lift is refused.
        """
        if self.lift_refused:
            raise ModelError(self.lift_refused)
        return self.pair.lift_quantiles(q)

    def dots(self, count: int = 50) -> Array:
        """`count` equally likely values of treatment − control: quantiles at (i + ½) / count."""
        return self.difference_quantiles((np.arange(count) + 0.5) / count)

    def density(self, points: int = 200) -> tuple[Array, Array]:
        """Where the density of treatment − control matters, and the density there."""
        low, high = self.difference_quantiles([0.0005, 0.9995])
        x = np.linspace(low, high, points)
        return x, self.pair.density(x)


def described(
    whole: Pair,
    each: Sequence[Pair],
    level: float,
    rope: Interval | None,
    rope_scale: RopeScale,
    lower_is_better: bool,
) -> list[Comparison]:
    """What is known of pairs.

    Args:
        whole: All of them at once; the only one, where there is one.
        each: One after the other; all have a lift, or none.
        level, rope, rope_scale, lower_is_better: As for `compare`, as is what is raised.
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    check_choice(rope_scale, ["difference", "lift"], say("scale of the region of practical equivalence"))
    if rope is not None and rope[0] > rope[1]:
        raise ModelError(
            "The region of practical equivalence runs from {low:number} to {high:number}; "
            "put the lower end first.",
            low=rope[0],
            high=rope[1],
        )
    refused = [why_no_lift(pair.control, level) for pair in each]
    has_lift = refused[0] is None

    def rows(values: Array) -> Array:
        return np.reshape(values, (len(each), -1))

    scale, shift = np.ones(1), np.zeros(1)
    if rope is not None and (has_lift or rope_scale == "difference"):
        zone = np.array(rope)
        of_lift = rope_scale == "lift"
        scale = np.append(scale, 1 + zone if of_lift else np.ones(2))
        shift = np.append(shift, np.zeros(2) if of_lift else zone)
    below = rows(whole.at_most(scale, shift))
    losses = np.concatenate([rows(loss) for loss in whole.losses()], axis=1)
    ends = np.array([(1 - level) / 2, (1 + level) / 2])
    differences = rows(whole.difference_quantiles(ends))
    lifts = rows(whole.lift_quantiles(ends)) if has_lift else np.full(differences.shape, np.nan)
    found = []
    for index, pair in enumerate(each):
        (up_to, *zone_ends), (chosen, stayed) = below[index].tolist(), losses[index].tolist()
        difference, sd = pair.moments()
        low, high = differences[index].tolist()
        low_lift, high_lift = lifts[index].tolist()
        found.append(
            Comparison(
                pair=pair,
                level=level,
                difference=difference,
                difference_sd=sd,
                difference_interval=(low, high),
                probability_better=up_to if lower_is_better else 1 - up_to,
                expected_loss=stayed if lower_is_better else chosen,
                expected_loss_control=chosen if lower_is_better else stayed,
                lift=pair.treatment.mean / pair.control.mean - 1 if has_lift else None,
                lift_interval=(low_lift, high_lift) if has_lift else None,
                lift_refused=refused[index],
                rope=(zone_ends[0], zone_ends[1] - zone_ends[0], 1 - zone_ends[1]) if zone_ends else None,
                lower_is_better=lower_is_better,
            )
        )
    return found


def why_no_lift(control: Arm, level: float) -> Message | None:
    """Why there is no relative change of a control: a ratio needs a denominator that is surely positive."""
    allowed = min(0.001, (1 - level) / 20)
    chance = float(control.cdf(0.0))
    if chance <= allowed:
        return None
    return say(
        "A relative change needs a control mean that is surely above zero; here it is zero or less "
        "with probability {chance:percent}. Read the difference instead.",
        chance=chance,
    )
