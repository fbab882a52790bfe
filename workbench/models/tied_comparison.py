"""A treatment held against the control that a prior of the lift ties it to.

Answers what `comparison.compare` answers, from one posterior (`tied_arms`): the interval, the probability,
the region of practical equivalence and the losses cannot contradict each other.
    expected loss of T = E[max(C − T, 0)] = Σ p(x) ∫_{y < x} (g⁻¹(x) − g⁻¹(y)) f(y | x) dy
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.models.arms import Arm, Array, invert
from workbench.models.pair import Comparison, Interval, RopeScale, described
from workbench.models.tied_arms import TiedArms

_LEGENDRE, _WEIGHTS = np.polynomial.legendre.leggauss(32)


@dataclass(frozen=True, eq=False)
class Tied:
    """A treatment and its control; a `Pair`.

    Attributes:
        arms: The joint posterior all numbers come from.
        index: Which treatment of it this is, from 1.
    """

    arms: TiedArms
    index: int

    @property
    def treatment(self) -> Arm:
        return self.arms.arms[self.index]

    @property
    def control(self) -> Arm:
        return self.arms.arms[0]

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of treatment − control."""
        values, weight = self.arms.values(self.index)
        apart = values - self.arms.control[:, None]
        mean = float((apart * weight).sum())
        return mean, float(np.sqrt((weight * (apart - mean) ** 2).sum()))

    def at_most(self, scale: ArrayLike, shift: ArrayLike) -> Array:
        """P(treatment <= scale · control + shift)."""
        return self.arms.at_most(self.index, scale, shift)[0]

    def losses(self) -> tuple[Array, Array]:
        """E[max(C − T, 0)] and E[max(T − C, 0)]."""
        arms, table = self.arms, self.arms.inner[self.index - 1]
        edge = np.arcsinh((arms.x - table.centre) / table.width)
        first, last = table.start, table.end
        found = []
        for low, high in ((first, np.clip(edge, first, last)), (np.clip(edge, first, last), last)):
            half = (high - low)[:, None] / 2
            steps = low[:, None] + half * (1 + _LEGENDRE)
            density = table.at_step(steps.T)[1].T * table.width[:, None] * np.cosh(steps)
            value = arms.link.back(table.centre[:, None] + table.width[:, None] * np.sinh(steps))
            inner = (np.abs(value - arms.control[:, None]) * density * half) @ _WEIGHTS
            found.append(inner @ arms.weight)
        return found[0], found[1]

    def difference_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment − control."""
        arms, treatment, control = self.arms, self.treatment, self.control
        y, _ = arms.inner[self.index - 1].nodes
        apart = arms.link.back(y[:, [0, -1]]) - arms.control[:, None]
        start = treatment.mean - control.mean + special.ndtri(q) * hypot(treatment.sd, control.sd)

        def cdf(d: Array) -> tuple[Array, Array]:
            return arms.at_most(self.index, 1.0, d)[:2]

        return invert(cdf, q, float(apart.min()), float(apart.max()), start)

    def lift_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment / control − 1."""

        def cdf(u: Array) -> tuple[Array, Array]:
            below, _, density = self.arms.at_most(self.index, np.sinh(u), 0.0)
            return below, density * np.cosh(u)

        centre = np.arcsinh(self.treatment.mean / self.control.mean)
        far = abs(centre) + np.log(1e12)
        return np.sinh(invert(cdf, q, -far, far, start=centre)) - 1

    def density(self, x: Array) -> Array:
        """Density of treatment − control at x."""
        return self.arms.at_most(self.index, 1.0, x)[1]


def compare(
    tied: TiedArms,
    index: int = 1,
    level: float = 0.95,
    rope: Interval | None = None,
    rope_scale: RopeScale = "difference",
    lower_is_better: bool = False,
) -> Comparison:
    """Hold a treatment against the control.

    Args:
        tied: The joint posterior.
        index: Which treatment, from 1.
        level, rope, rope_scale, lower_is_better: As for `comparison.compare`, as is what is raised.

    >>> from workbench.models.arms import UNIFORM, binary_arm
    >>> from workbench.models.lift import LiftPrior
    >>> from workbench.moments import Moments
    >>> control, treatment = (binary_arm(Moments.of_binary(s, 1000), UNIFORM) for s in (120, 150))
    >>> result = compare(TiedArms(control, [treatment], LiftPrior.between(-0.2, 0.25)))
    >>> round(result.probability_better, 3), round(result.difference, 4)
    (0.918, 0.0151)
    """
    pair = Tied(tied, index)
    return described(pair, [pair], level, rope, rope_scale, lower_is_better)[0]
