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

Quantiles are looked for from where Normal posteriors have them: those of a lift are then Fieller's (1954,
JRSS B 16). The loss is the one of Stucchio (2015), "Bayesian A/B testing at VWO", section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import hypot, inf

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.errors import ModelError
from workbench.models.arms import Arm, Array, BetaArm, MeanArm, invert, panels, stacked
from workbench.models.pair import Comparison, Interval, RopeScale, described, why_no_lift


@dataclass(frozen=True)
class Independent:
    """Two arms that know nothing of each other; or `stacked` ones."""

    treatment: Arm
    control: Arm

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of treatment − control; of one pair."""
        treatment, control = self.treatment, self.control
        return treatment.mean - control.mean, hypot(treatment.sd, control.sd)

    def at_most(self, scale: ArrayLike, shift: ArrayLike) -> Array:
        """P(treatment <= scale · control + shift)."""
        return self._law(scale, shift)[0]

    def losses(self) -> tuple[Array, Array]:
        """E[max(C − T, 0)] and E[max(T − C, 0)]."""
        x, width = _together([self.treatment, self.control])
        t, c = self.treatment.cdf(x), self.control.cdf(x)
        return (t * (1 - c) * width).sum(axis=-1), (c * (1 - t) * width).sum(axis=-1)

    def difference_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment − control."""
        t, c = self.treatment, self.control
        z = special.ndtri(q)[..., None]
        start = (t.mean - c.mean + z * np.hypot(t.sd, c.sd))[..., 0]
        return invert(
            lambda d: self._law(1.0, d)[:2],
            np.broadcast_to(q, start.shape),
            t.breaks[..., 0] - c.breaks[..., -1],
            t.breaks[..., -1] - c.breaks[..., 0],
            start,
        )

    def lift_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment / control − 1."""

        # Solved for asinh(T/C): even steps for ratios near 1, logarithmic ones for ratios without bound.
        def cdf(u: Array) -> tuple[Array, Array]:
            below, _, density = self._law(np.sinh(u), 0.0)
            return below, density * np.cosh(u)

        t, c, z = self.treatment, self.control, special.ndtri(q)[..., None]
        spread, other = t.sd**2, c.sd**2
        over = c.mean**2 - z * z * other  # Fieller's interval ends where this is above zero
        within = c.mean**2 * spread + t.mean**2 * other - z * z * spread * other
        ratio = t.mean / c.mean + 0 * z
        known = (over > 0) & (within > 0)
        fieller = (t.mean * c.mean + z * np.sqrt(np.where(known, within, 0.0))) / np.where(known, over, 1.0)
        start = np.arcsinh(np.where(known, fieller, ratio))[..., 0]
        far = np.abs(np.arcsinh(ratio[..., 0])) + np.log(1e12)
        return np.sinh(invert(cdf, np.broadcast_to(q, start.shape), -far, far, start)) - 1

    def density(self, x: Array) -> Array:
        """Density of treatment − control at x."""
        _, y, weight = self._nodes(np.ones(1), np.asarray(x)[..., None])
        return (weight * self.treatment.pdf(y)).sum(axis=-1)

    def _law(self, scale: ArrayLike, shift: ArrayLike) -> tuple[Array, Array, Array]:
        """P(T <= scale·C + shift), and its derivatives with respect to shift and to scale."""
        treatment = self.treatment
        scale, shift = (np.asarray(v, dtype=float)[..., None] for v in (scale, shift))
        x, y, weight = self._nodes(scale, shift)
        ends, outside = self._ends
        below = (weight * treatment.cdf(y)).sum(axis=-1)
        below += (treatment.cdf(scale * ends + shift) * outside).sum(axis=-1)
        density = weight * treatment.pdf(y)
        return below, density.sum(axis=-1), (density * x).sum(axis=-1)

    def _nodes(self, scale: Array, shift: Array) -> tuple[Array, Array, Array]:
        """The control's posterior cut up for integrals of what the treatment does at y = scale·x + shift.

        Returns:
            x, y, and the probability of each x.
        """
        other, (ends, _) = self.treatment.breaks, self._ends
        # Cut where either posterior turns, so that one much narrower than the other is not stepped over;
        # own cuts will do where the treatment is about as wide or wider, and not very skewed (wrong by 2e-8).
        steps = np.diff(other, axis=-1)
        smooth = isinstance(self.treatment, BetaArm | MeanArm)
        even = steps.max(axis=-1, keepdims=True) <= 5 * steps.min(axis=-1, keepdims=True)
        reach = np.abs(scale) * (ends[..., 1:] - ends[..., :1])
        if smooth and (even & (reach <= 1.2 * (other[..., -1:] - other[..., :1]))).all():
            x, weight = self._own
        else:
            turns = (other - shift) / np.where(scale == 0, 1e-300, scale)
            turns = np.clip(turns, ends[..., :1], ends[..., 1:])
            own = self.control.breaks
            own = np.broadcast_to(own, (*turns.shape[:-1], own.shape[-1]))
            x, weight = self._weighed(np.sort(np.concatenate([own, turns], axis=-1)))
        return x, scale * x + shift, weight

    @cached_property
    def _own(self) -> tuple[Array, Array]:
        return self._weighed(self.control.breaks)

    @cached_property
    def _ends(self) -> tuple[Array, Array]:
        """The control's outermost breaks, and the probability that lies outside; it counts at the ends."""
        ends = self.control.breaks[..., [0, -1]]
        return ends, np.abs(self.control.cdf(ends) - [0, 1])

    def _weighed(self, cuts: Array) -> tuple[Array, Array]:
        """Values of the control between cuts, and their probabilities."""
        x, width = panels(cuts, self.control.support)
        weight = self.control.pdf(x) * width
        inside = 1 - self._ends[1].sum(axis=-1, keepdims=True)
        return x, weight * inside / weight.sum(axis=-1, keepdims=True)


def compare(
    treatment: Arm,
    control: Arm,
    level: float = 0.95,
    rope: Interval | None = None,
    rope_scale: RopeScale = "difference",
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
    return compare_each([(treatment, control)], level, rope, rope_scale, lower_is_better)[0]


def compare_each(
    pairs: Sequence[tuple[Arm, Arm]],
    level: float = 0.95,
    rope: Interval | None = None,
    rope_scale: RopeScale = "difference",
    lower_is_better: bool = False,
) -> list[Comparison]:
    """Hold each treatment against its control, as `compare` does, all of one kind at once.

    Args:
        pairs: Each a treatment and its control.
        level, rope, rope_scale, lower_is_better: As for `compare`, as is what is raised.
    """
    alike: dict[object, list[int]] = {}
    for index, (treatment, control) in enumerate(pairs):
        kinds = type(treatment), type(control)
        alone = not {*kinds} <= {BetaArm, MeanArm}
        # the skewed need more steps to their quantiles, which those beside them would have to make, too
        skewed = not (_about_normal(treatment) and _about_normal(control))
        refused = why_no_lift(control, level) is not None
        alike.setdefault((kinds, skewed, refused, index if alone else None), []).append(index)
    found: dict[int, Comparison] = {}
    for places in alike.values():
        each = [Independent(*pairs[index]) for index in places]
        whole = each[0]
        if len(each) > 1:
            whole = Independent(*(stacked(side) for side in zip(*(pairs[i] for i in places), strict=True)))
        results = described(whole, each, level, rope, rope_scale, lower_is_better)
        found |= zip(places, results, strict=True)
    return [found[index] for index in range(len(pairs))]


def _about_normal(arm: Arm) -> bool:
    return min(arm.a, arm.b) > 30 if isinstance(arm, BetaArm) else isinstance(arm, MeanArm) and arm.dof > 30


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
    return panels(np.sort(np.concatenate([arm.breaks for arm in arms], axis=-1)), support)
