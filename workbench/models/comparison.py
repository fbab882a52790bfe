"""Treatment against control, and the best of several arms, from posteriors that are independent.

Everything is an integral over one arm's posterior, so nothing carries Monte Carlo noise:
    P(T <= r C + d)          = ∫ f_C(x) F_T(r x + d) dx
    expected loss of T       = E[max(C − T, 0)] = ∫ F_T(x) (1 − F_C(x)) dx
    P(arm i is best)         = ∫ f_i(x) ∏_{j≠i} F_j(x) dx
    expected loss of arm i   = E[max_j μ_j − μ_i] = ∫ F_i(x) (1 − ∏_{j≠i} F_j(x)) dx
With r = 1 the first gives the difference T − C, with d = 0 the lift T/C − 1, and with both the probability
that treatment is better. Interval, probability and loss are read from this one posterior and cannot
contradict each other: P(T > C) > 97.5 % exactly when the 95 % interval lies above zero.

Integrals are right to 1e-9 in probability; with next to no conversions (or next to no failures) in an arm
to 1e-6, and to 3e-6 where all of ten million converted. Of 95 % intervals of differences and lifts of two
shares, 93.7 % to 95.7 % held the truth (1,500 simulations each of 200 to 20,000 customers, 5 to 300
conversions an arm).

The loss is the one of Stucchio (2015), "Bayesian A/B testing at VWO", section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, inf
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.errors import ModelError, check_between, check_choice
from workbench.locale import Message, say
from workbench.models.arms import Arm, Array, invert, panels

type Interval = tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """What is known about treatment − control.

    Attributes:
        treatment, control: The posteriors compared.
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

    treatment: Arm
    control: Arm
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

    def difference_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment − control."""
        return _difference_quantiles(self.treatment, self.control, q)

    def lift_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment / control − 1.

        Raises:
            ModelError: the lift is refused.
        """
        if self.lift_refused:
            raise ModelError(self.lift_refused)
        return _lift_quantiles(self.treatment, self.control, q)

    def dots(self, count: int = 50) -> Array:
        """`count` equally likely values of treatment − control: quantiles at (i + ½) / count."""
        return self.difference_quantiles((np.arange(count) + 0.5) / count)

    def density(self, points: int = 200) -> tuple[Array, Array]:
        """Where the density of treatment − control matters, and the density there."""
        low, high = self.difference_quantiles([0.0005, 0.9995])
        x = np.linspace(low, high, points)
        _, y, weight, _ = _slices(self.treatment, self.control, 1.0, x)
        return x, (weight * self.treatment.pdf(y)).sum(axis=-1)


def compare(
    treatment: Arm,
    control: Arm,
    level: float = 0.95,
    rope: Interval | None = None,
    rope_scale: Literal["difference", "lift"] = "difference",
    lower_is_better: bool = False,
) -> Comparison:
    """Hold the treatment's posterior against the control's.

    Args:
        treatment, control: Independent posteriors, in the same units.
        level: Of the intervals, above 0 and below 1.
        rope: From where to where a change is too small to matter.
        rope_scale: Whether `rope` is a difference in the outcome's units or a lift (0.02 is 2 %).
        lower_is_better: For outcomes such as unsubscribes: turns probability and losses round, not the
            difference or the lift.

    Raises:
        ModelError: the region of practical equivalence is turned round.
        WorkbenchError: the level or the rope's scale is not one.

    >>> from workbench.models.arms import UNIFORM, binary_arm
    >>> from workbench.moments import Moments
    >>> control, treatment = (binary_arm(Moments.of_binary(s, 1000), UNIFORM) for s in (120, 150))
    >>> result = compare(treatment, control)
    >>> round(result.probability_better, 6), round(result.expected_loss, 6)
    (0.975068, 0.000144)
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    check_choice(rope_scale, ["difference", "lift"], say("scale of the region of practical equivalence"))
    ends = np.array([(1 - level) / 2, (1 + level) / 2])
    above, losses = _above_and_losses(treatment, control)
    if lower_is_better:
        above, losses = 1 - above, losses[::-1]
    refused = _why_no_lift(control, level)
    low, high = _difference_quantiles(treatment, control, ends)
    lift_interval = None if refused else _lift_quantiles(treatment, control, ends)
    masses = None
    if rope is not None:
        if rope[0] > rope[1]:
            raise ModelError(
                "The region of practical equivalence runs from {low:number} to {high:number}; "
                "put the lower end first.",
                low=rope[0],
                high=rope[1],
            )
        if rope_scale == "difference" or not refused:
            zone = np.array(rope)
            scale, shift = (1.0, zone) if rope_scale == "difference" else (1 + zone, 0.0)
            below, up_to = _at_most(treatment, control, scale, shift)[0]
            masses = (float(below), float(up_to - below), float(1 - up_to))
    return Comparison(
        treatment=treatment,
        control=control,
        level=level,
        difference=treatment.mean - control.mean,
        difference_sd=hypot(treatment.sd, control.sd),
        difference_interval=(float(low), float(high)),
        probability_better=above,
        expected_loss=losses[0],
        expected_loss_control=losses[1],
        lift=None if refused else treatment.mean / control.mean - 1,
        lift_interval=None if lift_interval is None else (float(lift_interval[0]), float(lift_interval[1])),
        lift_refused=refused,
        rope=masses,
        lower_is_better=lower_is_better,
    )


def best(arms: Sequence[Arm], lower_is_better: bool = False) -> tuple[Array, Array]:
    """How likely each arm is the best of all, and what choosing it loses on average.

    Args:
        arms: Two or more independent posteriors, in the same units.
        lower_is_better: Whether the best arm is the one with the lowest mean.

    Returns:
        Probability of being best, which sums to 1, and expected loss against the best, in the outcome's
        units; one value an arm.

    Raises:
        ModelError: there are fewer than two arms.
    """
    if len(arms) < 2:
        raise ModelError("There is only one arm; choosing the best needs two or more.")
    x, width = _together(arms)
    below = np.array([arm.cdf(x) for arm in arms])
    if lower_is_better:
        below = 1 - below
    rivals = np.array([np.delete(below, i, axis=0).prod(axis=0) for i in range(len(arms))])
    first = np.array([arm.pdf(x) for arm in arms]) * rivals @ width
    losses = below * (1 - rivals) @ width
    return first / first.sum(), losses


def _together(arms: Sequence[Arm]) -> tuple[Array, Array]:
    """Nodes and widths that follow all these posteriors at once."""
    supports = {arm.support for arm in arms}
    support = supports.pop() if len(supports) == 1 else (-inf, inf)
    return panels(np.unique(np.concatenate([arm.breaks for arm in arms])), support)


def _slices(
    treatment: Arm, control: Arm, scale: ArrayLike, shift: ArrayLike
) -> tuple[Array, Array, Array, Array]:
    """Control's posterior cut up for integrals of what the treatment does at y = scale·x + shift.

    Args:
        scale, shift: Broadcast to the shape of the cases asked for.

    Returns:
        x, y and the probability of each x; then the y of the two ends of the control's breaks.
    """
    scale, shift = np.broadcast_arrays(*(np.asarray(v, dtype=float)[..., None] for v in (scale, shift)))
    ends = control.breaks[[0, -1]]
    # Cut where either posterior turns, so that one much narrower than the other is not stepped over.
    turns = np.clip((treatment.breaks - shift) / np.where(scale == 0, 1e-300, scale), *ends)
    own = np.broadcast_to(control.breaks, (*shift.shape[:-1], len(control.breaks)))
    x, width = panels(np.sort(np.concatenate([own, turns], axis=-1)), control.support)
    weight = control.pdf(x) * width
    weight *= np.diff(control.cdf(ends)) / weight.sum(axis=-1, keepdims=True)
    return x, scale * x + shift, weight, scale * ends + shift


def _at_most(treatment: Arm, control: Arm, scale: ArrayLike, shift: ArrayLike) -> tuple[Array, Array, Array]:
    """P(T <= scale·C + shift), and its derivatives with respect to shift and to scale."""
    x, y, weight, ends = _slices(treatment, control, scale, shift)
    # What lies outside the breaks counts at the ends.
    outside = np.abs(control.cdf(control.breaks[[0, -1]]) - [0, 1])
    below = (weight * treatment.cdf(y)).sum(axis=-1) + treatment.cdf(ends) @ outside
    density = weight * treatment.pdf(y)
    return below, density.sum(axis=-1), (density * x).sum(axis=-1)


def _above_and_losses(treatment: Arm, control: Arm) -> tuple[float, tuple[float, float]]:
    """P(T > C), E[max(C − T, 0)] and E[max(T − C, 0)]."""
    x, width = _together([treatment, control])
    t, c = treatment.cdf(x), control.cdf(x)
    above = 1 - float(_at_most(treatment, control, 1.0, 0.0)[0])
    return above, (float(t * (1 - c) @ width), float(c * (1 - t) @ width))


def _difference_quantiles(treatment: Arm, control: Arm, q: ArrayLike) -> Array:
    t, c = treatment.breaks, control.breaks
    return invert(
        lambda d: _at_most(treatment, control, 1.0, d)[:2],
        q,
        t[0] - c[-1],
        t[-1] - c[0],
        start=treatment.mean - control.mean + special.ndtri(q) * hypot(treatment.sd, control.sd),
    )


def _lift_quantiles(treatment: Arm, control: Arm, q: ArrayLike) -> Array:
    # Solved for asinh(T/C): even steps for ratios near 1, logarithmic ones for ratios without bound.
    def cdf(u: Array) -> tuple[Array, Array]:
        below, _, density = _at_most(treatment, control, np.sinh(u), 0.0)
        return below, density * np.cosh(u)

    centre = np.arcsinh(treatment.mean / control.mean)
    far = abs(centre) + np.log(1e12)
    return np.sinh(invert(cdf, q, -far, far, start=centre)) - 1


def _why_no_lift(control: Arm, level: float) -> Message | None:
    """A ratio means something only when its denominator is surely positive."""
    allowed = min(0.001, (1 - level) / 20)
    chance = float(control.cdf(0.0))
    if chance <= allowed:
        return None
    return say(
        "A relative change needs a control mean that is surely above zero; here it is zero or less "
        "with probability {chance:percent}. Read the difference instead.",
        chance=chance,
    )
