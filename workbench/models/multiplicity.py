"""Many comparisons at once: the level of each that makes all of them hold, and p-values for their number.

Intervals of k quantities that hold all at once with the probability `level` are their own equal-tailed
intervals at a higher level, the same for all:
    of a joint posterior   2 Φ(c) − 1,   c the level-quantile of max_j |z_j|, z_j the Normal score of θ_j in
                           its own posterior (Montiel Olea & Plagborg-Møller 2019, J. Applied Econometrics
                           34(1), the quantile-based band of their algorithm 2)
    if independent         level^{1/k}   (Šidák 1967, JASA 62); wider than needed where they go together
So each of them contains the interval that holds alone, and has nothing in common with zero exactly when the
probability of its sign says so at that level.

p-values p_(1) <= … <= p_(m):
    Benjamini–Hochberg   min over j >= i of m p_(j) / j          false discovery rate (1995, JRSS B 57)
    Hochberg             min over j >= i of (m − j + 1) p_(j)    family-wise error (1988, Biometrika 75)
Effects that are partially pooled (`pooling`) need neither to be honest on average; these answer "what would a
reader who trusts no model say?".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.errors import ModelError, check_between
from workbench.locale import say
from workbench.models.arms import Array


def level_if_independent(quantities: int, level: float = 0.95) -> float:
    """The level of each of several independent intervals with which all hold.

    >>> round(level_if_independent(10), 4)
    0.9949
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    return float(level ** (1 / quantities))


def level_together(scores: ArrayLike, level: float = 0.95) -> float:
    """The level of each interval with which all hold, for any joint posterior.

    Args:
        scores: Normal scores of drawn quantities, each in its own posterior; shape (draws, quantities).
        level: That all of them hold.

    Raises:
        ModelError: there are too few draws, or no quantities.
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    z = np.asarray(scores, dtype=float)
    if z.ndim != 2 or len(z) < 100 or not z.shape[1]:
        raise ModelError("Intervals that hold together need at least 100 draws of each effect.")
    furthest = np.maximum(z.max(axis=1), -z.min(axis=1))
    # Chance may put the draws a little nearer than one interval alone has to reach.
    return max(level, float(2 * special.ndtr(np.quantile(furthest, level)) - 1))


def drawn_together(drawn: ArrayLike, level: float = 0.95) -> tuple[float, Array]:
    """Intervals of quantities that were drawn together, which all hold with one probability.

    Args:
        drawn: Shape (draws, quantities).
        level: That all of them hold.

    Returns:
        The level of each, and their ends, shape (quantities, 2).

    Raises:
        ModelError: there are too few draws, or no quantities.
    """
    values = np.asarray(drawn, dtype=float)
    places = values.argsort(axis=0).argsort(axis=0)
    scores = special.ndtri((places + 0.5) / len(values))
    # Independent ones need the most; what is above it is chance.
    each = min(level_together(scores, level), level_if_independent(values.shape[1], level))
    return each, np.quantile(values, [(1 - each) / 2, (1 + each) / 2], axis=0).T


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
