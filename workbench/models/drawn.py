"""Posteriors that are known by their draws, and comparisons of them.

Everything is a count or a mean over the same draws, so that probability, interval, region of practical
equivalence and losses of a comparison cannot contradict each other: quantiles are order statistics (the
smallest draw that at least a share q lies at or below), so an interval of 95 % lies above zero exactly when
more than 97.5 % of the draws do. The error of a probability p is √(p (1 − p) / draws): 0.003 at p = 0.975 and
2,000 draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import ModelError, check_between, check_choice
from workbench.locale import say
from workbench.models.arms import Array
from workbench.models.comparison import (
    Comparison,
    Interval,
    _why_no_lift,  # the same rule in the same words for every kind of posterior
)


@dataclass(frozen=True, eq=False)
class DrawnArm:
    """Posterior of one arm's value, as draws; an `Arm`.

    Attributes:
        draws: Independent of those of other arms; shape (draws,).
    """

    draws: Array
    support = (-inf, inf)

    @property
    def mean(self) -> float:
        return float(self.draws.mean())

    @property
    def sd(self) -> float:
        return float(self.draws.std())

    @cached_property
    def _sorted(self) -> Array:
        return np.sort(self.draws)

    @property
    def breaks(self) -> Array:
        return np.unique(np.quantile(self._sorted, np.linspace(0, 1, 33)))

    def cdf(self, x: ArrayLike) -> Array:
        """Share of draws at or below x."""
        return np.searchsorted(self._sorted, x, side="right") / self.draws.size

    def pdf(self, x: ArrayLike) -> Array:
        """Density at x, by Normal kernels (Silverman 1986, eq. 3.31)."""
        return density_of(self._sorted, np.asarray(x, dtype=float))

    def ppf(self, q: ArrayLike) -> Array:
        """The q-quantile."""
        return quantiles_of(self._sorted, q)


@dataclass(frozen=True)
class DrawnComparison(Comparison):
    """What is known about treatment − control from draws; reads as any `Comparison`.

    Attributes:
        differences: Treatment − control, sorted.
        lifts: Treatment / control − 1, sorted; empty where it is refused.
    """

    differences: Array
    lifts: Array

    def difference_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment − control."""
        return quantiles_of(self.differences, q)

    def lift_quantiles(self, q: ArrayLike) -> Array:
        """Quantiles of treatment / control − 1.

        Raises:
            ModelError: the lift is refused.
        """
        if self.lift_refused:
            raise ModelError(self.lift_refused)
        return quantiles_of(self.lifts, q)

    def density(self, points: int = 200) -> tuple[Array, Array]:
        """Where the density of treatment − control matters, and the density there."""
        low, high = self.difference_quantiles([0.0005, 0.9995])
        x = np.linspace(low, high, points)
        return x, density_of(self.differences, x)


def compare(
    treatment: DrawnArm,
    control: DrawnArm,
    level: float = 0.95,
    rope: Interval | None = None,
    rope_scale: Literal["difference", "lift"] = "difference",
    lower_is_better: bool = False,
) -> DrawnComparison:
    """Hold the treatment's draws against the control's; arguments are those of `comparison.compare`.

    Raises:
        ModelError: the arms have different numbers of draws, or the region is turned round.
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    check_choice(rope_scale, ["difference", "lift"], say("scale of the region of practical equivalence"))
    if treatment.draws.shape != control.draws.shape:
        raise ModelError("Arms are compared draw by draw, so each needs as many draws as the other.")
    apart = treatment.draws - control.draws
    refused = _why_no_lift(control, level)
    differences = np.sort(apart)
    lifts = np.sort(apart / control.draws) if refused is None else np.array([])
    ends = [(1 - level) / 2, (1 + level) / 2]
    masses = None
    if rope is not None:
        low, high = rope
        if low > high:
            raise ModelError(
                "The region of practical equivalence runs from {low:number} to {high:number}; "
                "put the lower end first.",
                low=low,
                high=high,
            )
        over = differences if rope_scale == "difference" else lifts
        if over.size:
            masses = (
                float((over < low).mean()),
                float(((over >= low) & (over <= high)).mean()),
                float((over > high).mean()),
            )
    better = -apart if lower_is_better else apart
    low, high = (float(x) for x in quantiles_of(differences, ends))
    return DrawnComparison(
        treatment=treatment,
        control=control,
        level=level,
        difference=float(apart.mean()),
        difference_sd=float(apart.std()),
        difference_interval=(low, high),
        probability_better=float((better > 0).mean()),
        expected_loss=float(np.maximum(-better, 0).mean()),
        expected_loss_control=float(np.maximum(better, 0).mean()),
        lift=None if refused else treatment.mean / control.mean - 1,
        lift_interval=None
        if refused
        else (float(quantiles_of(lifts, ends[0])), float(quantiles_of(lifts, ends[1]))),
        lift_refused=refused,
        rope=masses,
        lower_is_better=lower_is_better,
        differences=differences,
        lifts=lifts,
    )


def best(arms: Sequence[DrawnArm], lower_is_better: bool = False) -> tuple[Array, Array]:
    """How often each arm is the best, and what choosing it loses on average; one value an arm."""
    if len(arms) < 2:
        raise ModelError("There is only one arm; choosing the best needs two or more.")
    draws = np.array([arm.draws for arm in arms]) * (-1 if lower_is_better else 1)
    first = np.bincount(draws.argmax(axis=0), minlength=len(arms)) / draws.shape[1]
    return first, (draws.max(axis=0) - draws).mean(axis=1)


def quantiles_of(ordered: Array, q: ArrayLike) -> Array:
    """The smallest draw at or below which a share q of the draws lies."""
    # A share such as 0.025 · 2000 may come out a rounding error above 50.
    rank = np.ceil(np.asarray(q, dtype=float) * ordered.size * (1 - 1e-12)).astype(np.intp)
    return ordered[np.clip(rank - 1, 0, ordered.size - 1)]


def density_of(ordered: Array, x: Array) -> Array:
    """Density of draws at x, by Normal kernels."""
    low, high = np.quantile(ordered, [0.25, 0.75])
    spread = min(float(ordered.std()), float(high - low) / 1.349) or float(ordered.std())
    width = 0.9 * spread * ordered.size**-0.2
    if not width > 0:
        raise ModelError("All draws are the same, so there is no density to draw.")
    z = (x[..., None] - ordered) / width
    return np.exp(-z * z / 2).mean(axis=-1) / (width * np.sqrt(2 * np.pi))
