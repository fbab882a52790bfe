"""The Bayesian bootstrap over people: any mean, ratio or quantile without a model of how people vary.

Each person's value may be any of those seen, with unknown shares w ~ Dirichlet(1, …, 1) (Rubin 1981, Annals
of Statistics 9(1)). Of m people with the same value only the sum of their m shares matters, and with
exponential weights, normalised, that is a Gamma(m) weight: rows that are alike are compressed without loss.
    mean        Σ w v / Σ w                 winsorised mean   Σ w min(v, c) / Σ w
    ratio       Σ w y / Σ w x
Quantiles need no draws: with N_k of n people at or below the k-th distinct value,
    P(Q_q <= v_k) = P(Beta(N_k, n − N_k) >= q) = P(Binomial(n − 1, q) < N_k)
which are the classical bands from order statistics (David & Nagaraja 2003, Order Statistics, section 7.1).

The unit is the person: a person with many orders is one row. The weights cannot see a whale that has not
bought yet, so means of very heavy tails are too sure; `lognormal` and the winsorised mean beside it show how
much.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import special

from workbench.errors import ModelError, check_between
from workbench.locale import say
from workbench.models.arms import Array
from workbench.models.drawn import DrawnArm
from workbench.moments import Histogram

DRAWS = 2000
_AT_ONCE = 4_000_000  # weights that are held in memory at once


def mean(histogram: Histogram, cap: float | None = None, draws: int = DRAWS, seed: int = 0) -> DrawnArm:
    """Posterior of the mean.

    Args:
        histogram: Of one value a person.
        cap: Values above it count as it (`winsor_threshold`).
        draws: How many; each costs about 25 ns a distinct value.
        seed: Arms need different ones.
    """
    values = _single(histogram)
    if cap is not None:
        values = np.minimum(values, cap)
    total, weight = _weighted(histogram, np.column_stack([values, np.ones_like(values)]), draws, seed).T
    return DrawnArm(total / weight)


def ratio(pairs: Histogram, draws: int = DRAWS, seed: int = 0) -> DrawnArm:
    """Posterior of Σ y / Σ x.

    Args:
        pairs: Of (x, y) of a person, x from zero.

    Raises:
        ModelError: these are not pairs, an x is negative, or all are zero.
    """
    if pairs.values.ndim != 2:
        raise ModelError("A ratio needs two values a person: what is divided by, and what is divided.")
    x = pairs.values[:, 0]
    if (x < 0).any() or not (x > 0).any():
        raise ModelError("What is divided by has to be zero or more, and above zero for somebody.")
    below, above = _weighted(pairs, pairs.values, draws, seed).T
    return DrawnArm(above / below)


def quantile(histogram: Histogram, q: float, draws: int = DRAWS, seed: int = 0) -> DrawnArm:
    """Posterior of a quantile, as draws, for comparisons; `quantile_band` is exact.

    Args:
        histogram: Of one value a person.
        q: Which, above 0 and below 1.
    """
    values, below = quantile_distribution(histogram, q)
    uniform = np.random.default_rng(seed).random(draws)
    return DrawnArm(values[np.searchsorted(below, uniform)])


def quantile_distribution(histogram: Histogram, q: float) -> tuple[Array, Array]:
    """Distinct values, increasing, and the probability that the q-quantile is at most each."""
    check_between(q, 0, 1, say("quantile"), open_low=True, open_high=True)
    order = np.argsort(_single(histogram), kind="stable")
    at_most = np.cumsum(histogram.counts[order])
    below = np.ones(order.size)
    below[:-1] = special.betaincc(at_most[:-1], histogram.n - at_most[:-1], q)
    return histogram.values[order], below


def quantile_band(histogram: Histogram, q: float, level: float = 0.95) -> tuple[float, float, float]:
    """The q-quantile's posterior median, and the ends of its equal-tailed interval, exact."""
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    values, below = quantile_distribution(histogram, q)
    middle, low, high = (
        float(values[np.searchsorted(below, p)]) for p in (0.5, (1 - level) / 2, (1 + level) / 2)
    )
    return middle, low, high


def winsor_threshold(arms: Iterable[Histogram], q: float = 0.99, nonzero: bool = False) -> float:
    """The value above which values are cut, the same for all arms.

    A threshold of each arm's own would cut more of the arm that does better.

    Args:
        arms: All of them.
        q: Share of people that keep their value.
        nonzero: Take the share of those whose value is not zero; with few buyers the 99 % quantile of
            everybody may be below what a buyer spends.

    Raises:
        ModelError: nobody has a value that is not zero.
    """
    check_between(q, 0, 1, say("share of people that keep their value"), open_low=True)
    arms = list(arms)
    values = np.concatenate([_single(arm) for arm in arms])
    counts = np.concatenate([arm.counts for arm in arms])
    if nonzero:
        values, counts = values[values != 0], counts[values != 0]
    if not values.size:
        raise ModelError("Everybody's value is zero, so there is nothing to cut.")
    order = np.argsort(values, kind="stable")
    share = np.cumsum(counts[order]) / counts.sum()
    return float(values[order][np.searchsorted(share, q * (1 - 1e-12))])


def _single(histogram: Histogram) -> Array:
    if histogram.values.ndim != 1:
        raise ModelError("This needs one value a person, not two.")
    return histogram.values


def _weighted(histogram: Histogram, columns: Array, draws: int, seed: int) -> Array:
    """Weighted sums of columns (k, c), shape (draws, c)."""
    check_between(draws, 100, 1_000_000, say("number of draws"))
    rng = np.random.default_rng(seed)
    rows = max(1, _AT_ONCE // len(columns))
    return np.concatenate(
        [
            rng.standard_gamma(histogram.counts, (min(rows, draws - start), len(columns))) @ columns
            for start in range(0, draws, rows)
        ]
    )
