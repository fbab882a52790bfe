"""A treatment held against the control that a prior of the lift ties it to.

Answers what `comparison.Comparison` answers, from one posterior (`tied_arms`): the interval, the probability,
the region of practical equivalence and the losses cannot contradict each other.
    expected loss of T = E[max(C − T, 0)] = Σ p(x) ∫_{y < x} (g⁻¹(x) − g⁻¹(y)) f(y | x) dy
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.errors import ModelError, check_between, check_choice
from workbench.locale import say
from workbench.models.arms import Array, invert
from workbench.models.comparison import (
    Comparison,
    Interval,
    _why_no_lift,  # the same rule in the same words for both kinds of posterior
)
from workbench.models.tied_arms import TiedArms

_LEGENDRE, _WEIGHTS = np.polynomial.legendre.leggauss(32)


@dataclass(frozen=True)
class TiedComparison(Comparison):
    """What is known about treatment − control under a prior of the lift; reads as any `Comparison`.

    Attributes:
        tied: The joint posterior all numbers come from.
        index: Which treatment of it this is, from 1.
    """

    tied: TiedArms
    index: int

    def difference_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment − control."""
        return _difference_quantiles(self.tied, self.index, q)

    def lift_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment / control − 1.

        Raises:
            ModelError: the lift is refused.
        """
        if self.lift_refused:
            raise ModelError(self.lift_refused)
        return _lift_quantiles(self.tied, self.index, q)

    def density(self, points: int = 200) -> tuple[Array, Array]:
        """Where the density of treatment − control matters, and the density there."""
        low, high = self.difference_quantiles([0.0005, 0.9995])
        x = np.linspace(low, high, points)
        return x, self.tied.at_most(self.index, 1.0, x)[1]


def compare(
    tied: TiedArms,
    index: int = 1,
    level: float = 0.95,
    rope: Interval | None = None,
    rope_scale: Literal["difference", "lift"] = "difference",
    lower_is_better: bool = False,
) -> TiedComparison:
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
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    check_choice(rope_scale, ["difference", "lift"], say("scale of the region of practical equivalence"))
    treatment, control = tied.arms[index], tied.arms[0]
    ends = np.array([(1 - level) / 2, (1 + level) / 2])
    above, losses = 1 - float(tied.at_most(index, 1.0, 0.0)[0]), _losses(tied, index)
    if lower_is_better:
        above, losses = 1 - above, losses[::-1]
    refused = _why_no_lift(control, level)
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
            below, up_to = tied.at_most(index, scale, shift)[0]
            masses = (float(below), float(up_to - below), float(1 - up_to))
    low, high = _difference_quantiles(tied, index, ends)
    lifts = None if refused else _lift_quantiles(tied, index, ends)
    values, weight = tied.values(index)
    apart = values - tied.control[:, None]
    difference = float((apart * weight).sum())
    return TiedComparison(
        treatment=treatment,
        control=control,
        level=level,
        difference=difference,
        difference_sd=float(np.sqrt((weight * (apart - difference) ** 2).sum())),
        difference_interval=(float(low), float(high)),
        probability_better=above,
        expected_loss=losses[0],
        expected_loss_control=losses[1],
        lift=None if refused else treatment.mean / control.mean - 1,
        lift_interval=None if lifts is None else (float(lifts[0]), float(lifts[1])),
        lift_refused=refused,
        rope=masses,
        lower_is_better=lower_is_better,
        tied=tied,
        index=index,
    )


def _losses(tied: TiedArms, index: int) -> tuple[float, float]:
    """E[max(C − T, 0)] and E[max(T − C, 0)]."""
    table = tied.inner[index - 1]
    edge = np.arcsinh((tied.x - table.centre) / table.width)
    first, last = table.start, table.end
    found = []
    for low, high in ((first, np.clip(edge, first, last)), (np.clip(edge, first, last), last)):
        half = (high - low)[:, None] / 2
        steps = low[:, None] + half * (1 + _LEGENDRE)
        density = table.at_step(steps.T)[1].T * table.width[:, None] * np.cosh(steps)
        value = tied.link.back(table.centre[:, None] + table.width[:, None] * np.sinh(steps))
        inner = (np.abs(value - tied.control[:, None]) * density * half) @ _WEIGHTS
        found.append(float(inner @ tied.weight))
    return found[0], found[1]


def _difference_quantiles(tied: TiedArms, index: int, q: ArrayLike) -> Array:
    """Quantiles of treatment − control."""
    y, _ = tied.inner[index - 1].nodes
    apart = tied.link.back(y[:, [0, -1]]) - tied.control[:, None]
    treatment, control = tied.arms[index], tied.arms[0]
    start = treatment.mean - control.mean + special.ndtri(q) * hypot(treatment.sd, control.sd)
    return invert(lambda d: tied.at_most(index, 1.0, d)[:2], q, float(apart.min()), float(apart.max()), start)


def _lift_quantiles(tied: TiedArms, index: int, q: ArrayLike) -> Array:
    """Quantiles of treatment / control − 1."""

    def cdf(u: Array) -> tuple[Array, Array]:
        below, _, density = tied.at_most(index, np.sinh(u), 0.0)
        return below, density * np.cosh(u)

    centre = np.arcsinh(tied.arms[index].mean / tied.arms[0].mean)
    far = abs(centre) + np.log(1e12)
    return np.sinh(invert(cdf, q, -far, far, start=centre)) - 1
