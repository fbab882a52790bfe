"""Means of money by group, drawn towards each other: a group of few customers knows its own mean badly.

Each mean is taken as a multiple of that of all customers, y_s with standard error se_s, and pooled as
`models.shrinkage` has it, with a half-normal prior of 0.5 for the spread between groups. The variance within
a small group is not known well either, so that of all groups counts in it as if of 20 customers more.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.models.importance import Array, Seed, independent_seeds
from workbench.models.shrinkage import HalfNormal, pool

MONEY, FIRST, LATER = "money", "first", "later"
"""Revenue of the first purchase; the share of margin in that of first and in that of later purchases."""
_SPREAD = 0.5
_AS_IF = 20.0
_UNKNOWN = 100.0  # standard error of a group without any, in means of all
_LEAST = 1e-6


class GroupMoney:
    """Draws of the means of all groups.

    Args:
        sums: Of each group, as `metrics.order_money.SUMS`.
        draws: How many.
        seed: The same seed gives the same draws.
    """

    def __init__(self, sums: Mapping[str, Mapping[str, float]], draws: int, seed: Seed) -> None:
        self._sums = sums
        self._draws = draws
        self._seeds = dict(zip((MONEY, FIRST, LATER), independent_seeds(seed, 3), strict=True))
        self._known: dict[str, dict[str, Array]] = {}

    def drawn(self, what: str, group: str) -> Array:
        """Draws of one of the three means of a group, shape (draws,)."""
        if what not in self._known:
            self._known[what] = self._pooled(what)
        return self._known[what][group]

    def _pooled(self, what: str) -> dict[str, Array]:
        seen = {group: _seen(sums, what) for group, sums in self._sums.items()}
        mean, weight, square = np.array(list(seen.values())).T
        n = np.array([sums["n"] for sums in self._sums.values()])
        whole = float(np.nansum(weight * mean) / weight.sum()) if weight.sum() else 0.0
        scale = abs(whole) or 1.0
        known = weight > 0
        # of one customer, in units of the mean of all
        variance = np.where(known, square / np.where(known, weight / n, 1.0) ** 2, 0.0) / scale**2
        common = float(n @ variance / n.sum())
        error = np.sqrt((n * variance + _AS_IF * common) / (n + _AS_IF) / n)
        error = np.where(known, np.maximum(error, _LEAST), _UNKNOWN)
        found = pool(np.where(known, mean, whole) / scale, error, HalfNormal(_SPREAD))
        rng = np.random.default_rng(self._seeds[what])
        # draws come in the order of the spread, which those of other quantities must not share
        drawn = scale * rng.permutation(found.draw(self._draws, int(rng.integers(2**31))))
        return dict(zip(seen, drawn.T, strict=True))


def _seen(sums: Mapping[str, float], what: str) -> tuple[float, float, float]:
    """A ratio m/k over customers, k, and the mean square of m - ratio · k of a customer."""
    if what == MONEY:
        m, k, mm, mk, kk = sums["first"], sums["n"], sums["first_square"], sums["first"], sums["n"]
    else:
        m, k, mm, mk, kk = (sums[f"{what}_{name}"] for name in ("m", "k", "mm", "mk", "kk"))
    if k <= 0:
        return float("nan"), 0.0, 0.0
    ratio = m / k
    return ratio, k, max(0.0, mm - 2 * ratio * mk + ratio**2 * kk) / sums["n"]
