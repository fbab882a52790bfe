"""Encouragement at random: what a treatment does to those whom the encouragement moves.

Customers are encouraged (z = 1) or not at random; d says who took the treatment, y is the outcome.

    intention to treat    a = E[y | z=1] − E[y | z=0]    (an effect of the encouragement, which is random)
    first stage           b = E[d | z=1] − E[d | z=0]    (the share that the encouragement moved)
    per customer moved    τ = a / b    (Wald 1940; Imbens & Angrist 1994, Econometrica 62:467)

τ needs more than chance: that the encouragement works through the treatment alone, and puts nobody off it.
With delivery in the place of d, and none in the other arm, it is the effect on the reachable.

Posterior: (a, b) is bivariate Normal, with variances and covariance of the arms' means. Then, b being surely
above zero,

    P(τ <= r) = P(a − r b <= 0) = Φ((r b̂ − â) / √(s_aa − 2 r s_ab + r² s_bb)),

whose quantiles are the limits of Fieller (1954, JRSS B 16:175); solved exactly, without draws. Where the
first stage is weak they run to infinity: below F = 10 (Staiger & Stock 1997, Econometrica 65:557) τ is
refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.errors import ModelError

type Array = NDArray[np.float64]

WEAKEST_F = 10.0


@dataclass(frozen=True)
class Arm:
    """Customers who were encouraged, or those who were not.

    Attributes:
        n: How many.
        taken: How many of them took the treatment.
        total, squares: Sums of their outcome and of its square.
        total_taken: Sum of the outcome of those who took it.
    """

    n: float
    taken: float
    total: float
    squares: float
    total_taken: float

    @property
    def mean(self) -> float:
        """Of the outcome."""
        return self.total / self.n

    @property
    def share(self) -> float:
        """Of customers who took the treatment."""
        return self.taken / self.n

    @property
    def covariance(self) -> Array:
        """Of the means of y and d."""
        n = self.n
        together = self.total_taken - self.total * self.taken / n
        y = self.squares - self.total**2 / n
        d = self.taken * (1 - self.share)
        return np.array([[y, together], [together, d]]) / (n * (n - 1))


@dataclass(frozen=True)
class Moved:
    """What is known of the effect on those whom the encouragement moves.

    Attributes:
        intention: a, in the outcome's units.
        moved: b, the share of customers that the encouragement moved.
        covariance: Of (a, b).
    """

    intention: float
    moved: float
    covariance: Array

    @property
    def strength(self) -> float:
        """F of the first stage."""
        return float(self.moved**2 / self.covariance[1, 1]) if self.covariance[1, 1] else inf

    @property
    def intention_sd(self) -> float:
        """Posterior standard deviation of the intention to treat."""
        return sqrt(float(self.covariance[0, 0]))

    def intention_interval(self, level: float) -> tuple[float, float]:
        """Of the intention to treat."""
        half = float(special.ndtri((1 + level) / 2)) * self.intention_sd
        return self.intention - half, self.intention + half

    @property
    def effect(self) -> float:
        """Posterior median of τ."""
        return self.intention / self.moved

    def cdf(self, r: ArrayLike) -> Array:
        """P(τ <= r)."""
        r = np.asarray(r, dtype=float)
        (aa, ab), (_, bb) = self.covariance
        return np.asarray(
            special.ndtr((r * self.moved - self.intention) / np.sqrt(aa - 2 * r * ab + r**2 * bb))
        )

    def ppf(self, q: ArrayLike) -> Array:
        """Quantiles of τ; infinite where even b = 0 is as likely as that.

        The root of (r b − a)² = k² (s_aa − 2 r s_ab + r² s_bb), k = Φ⁻¹(q), on the side of k.
        """
        k = special.ndtri(np.asarray(q, dtype=float))
        (aa, ab), (_, bb) = self.covariance
        lead = self.moved**2 - k**2 * bb
        half = self.moved * self.intention - k**2 * ab
        last = self.intention**2 - k**2 * aa
        root = np.sqrt(np.maximum(half**2 - lead * last, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (half + np.sign(k) * root) / lead
        return np.where(lead > 0, found, np.copysign(inf, k))

    def interval(self, level: float) -> tuple[float, float]:
        """Of τ."""
        low, high = self.ppf([(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)


def per_moved(encouraged: Arm, others: Arm) -> Moved:
    """The effect on those whom the encouragement moves.

    Raises:
        ModelError: when an arm is too small, or the encouragement moved too few to tell.

    >>> found = per_moved(Arm(1000, 600, 160, 160, 120), Arm(1000, 100, 120, 120, 30))
    >>> round(found.intention, 3), found.moved, round(found.effect, 3)
    (0.04, 0.5, 0.08)
    """
    if min(encouraged.n, others.n) < 2:
        raise ModelError("An arm has fewer than two customers; an encouragement needs both.")
    moved = encouraged.share - others.share
    sign = 1 if moved >= 0 else -1  # whoever moves people away from it encourages the opposite
    found = Moved(
        sign * (encouraged.mean - others.mean), sign * moved, encouraged.covariance + others.covariance
    )
    if found.moved <= 0 or found.strength < WEAKEST_F:
        raise ModelError(
            "The encouragement moved {share:percent} of the customers (F {f:number}), which is too few to "
            "say what it did to them; F has to be at least {least:number}.",
            share=max(found.moved, 0.0),
            f=found.strength if found.moved else 0.0,
            least=WEAKEST_F,
        )
    return found
