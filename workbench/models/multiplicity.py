"""Many comparisons at once: intervals that all hold together, and p-values adjusted for their number.

Simultaneous intervals of k quantities with the joint posterior θ, means m and standard deviations s:
    m_j ± c s_j,   c the level-quantile of max_j |θ_j − m_j| / s_j
(Montiel Olea & Plagborg-Møller 2019, J. Applied Econometrics 34(1)), and c = Φ⁻¹((1 + level^{1/k}) / 2) where
they are independent and Normal (Šidák 1967, JASA 62).

p-values p_(1) <= … <= p_(m):
    Benjamini–Hochberg   min over j >= i of m p_(j) / j          false discovery rate (1995, JRSS B 57)
    Hochberg             min over j >= i of (m − j + 1) p_(j)    family-wise error (1988, Biometrika 75)
Effects that are partially pooled (`pooling`) need neither to be honest on average; these answer "what would a
reader who trusts no model say?".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.errors import ModelError, check_between
from workbench.locale import say
from workbench.models.arms import Array


@dataclass(frozen=True)
class Simultaneous:
    """Intervals that hold all at once with the level's probability.

    Attributes:
        low, high: Shape (quantities,).
        factor: Standard deviations on either side, the same for all; 1.96 for one Normal at 95 %.
    """

    low: Array
    high: Array
    factor: float


def independent(means: ArrayLike, sds: ArrayLike, level: float = 0.95) -> Simultaneous:
    """For independent Normal posteriors; too wide, never too narrow, for positively correlated ones.

    Args:
        means, sds: One a quantity.
        level: That all of them hold.
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    means, sds = np.asarray(means, dtype=float), np.asarray(sds, dtype=float)
    if means.ndim != 1 or means.shape != sds.shape or not means.size:
        raise ModelError("Intervals that hold together need one standard deviation for each effect.")
    factor = float(special.ndtri((1 + level ** (1 / means.size)) / 2))
    return Simultaneous(means - factor * sds, means + factor * sds, factor)


def from_draws(draws: ArrayLike, level: float = 0.95) -> Simultaneous:
    """For any joint posterior, its correlations taken into account.

    Args:
        draws: Shape (draws, quantities).
        level: That all of them hold.

    Raises:
        ModelError: there are too few draws, or a quantity does not vary.
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    draws = np.asarray(draws, dtype=float)
    if draws.ndim != 2 or len(draws) < 100 or not draws.shape[1]:
        raise ModelError("Intervals that hold together need at least 100 draws of each effect.")
    means, sds = draws.mean(axis=0), draws.std(axis=0)
    if not (sds > 0).all():
        raise ModelError("An effect is the same in all draws, so it has no interval.")
    factor = float(np.quantile(np.abs((draws - means) / sds).max(axis=1), level))
    return Simultaneous(means - factor * sds, means + factor * sds, factor)


def benjamini_hochberg(p_values: ArrayLike) -> Array:
    """Adjusted p-values; those at most q are findings of which a share of q is expected to be false.

    >>> [round(float(p), 3) for p in benjamini_hochberg([0.005, 0.06, 0.007, 0.04, 0.01, 0.03])]
    [0.02, 0.06, 0.02, 0.048, 0.02, 0.045]
    """
    p = _p_values(p_values)
    return _stepped(p, p.size / np.arange(1, p.size + 1))


def hochberg(p_values: ArrayLike) -> Array:
    """Adjusted p-values; with those at most α the chance of any false finding is at most α.

    >>> [round(float(p), 3) for p in hochberg([0.005, 0.06, 0.007, 0.04, 0.01, 0.03])]
    [0.03, 0.06, 0.035, 0.06, 0.04, 0.06]
    """
    p = _p_values(p_values)
    return _stepped(p, np.arange(p.size, 0, -1.0))


def _p_values(p_values: ArrayLike) -> Array:
    p = np.asarray(p_values, dtype=float)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ModelError("Each p-value has to lie between 0 and 1.")
    return p


def _stepped(p: Array, factors: Array) -> Array:
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate((p[order] * factors)[::-1])[::-1]
    return np.minimum(adjusted, 1.0)
