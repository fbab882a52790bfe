"""How each of several groups differs from all the others together, partially pooled, exact.

Levels are pooled as in `shrinkage`, on the log scale: y_s | θ_s ~ N(θ_s, se_s²), θ_s ~ N(μ, τ²). With w_j the
share of people who are in group j, the others together are at the mean of their values, so that
    c_s = θ_s − log Σ_{j≠s} v_j exp(θ_j),   v_j = w_j / Σ_{j≠s} w_j
is the log of the ratio of the group to the rest. Given τ the θ are jointly Normal,
    E θ_j = m_j = k_j y_j + (1 − k_j) μ̂,   Cov(θ_i, θ_j) = [i=j] k_j se_j² + (1 − k_i)(1 − k_j) V,
with k_j = τ² / (τ² + se_j²), and c_s is Normal to first order around m (delta method), with the gradient
g_j = v_j exp(m_j) / Σ v exp(m):
    Var c_s = k_s se_s² + Σ g_j² k_j se_j² + V ((1 − k_s) − Σ g_j (1 − k_j))²
Its posterior is the mixture of these over τ.

Held against μ, the value of a typical group, two groups could never be told apart, however many people are in
them: with two groups μ is known no better than their distance. Held against the rest they can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from scipy import special

from workbench.errors import ModelError
from workbench.models.arms import Array, BetaArm
from workbench.models.shrinkage import HalfNormal, NormalMixture, Pooled, pool


@dataclass(frozen=True)
class Contrasts:
    """Groups held against the rest.

    Attributes:
        levels: The log of each group's value, pooled.
        against_rest: The log of the ratio of each group's value to that of all others together, pooled.
        tau: Posterior mean of the spread of the groups, in logs.
    """

    levels: tuple[NormalMixture, ...]
    against_rest: tuple[NormalMixture, ...]
    tau: float


def contrast(
    logs: Sequence[float], standard_errors: Sequence[float], weights: Sequence[float], tau_scale: float = 0.5
) -> Contrasts:
    """Pool the groups and hold each against the others.

    Args:
        logs: Estimates of the logs of the groups' values, shape (groups,).
        standard_errors: Theirs, above 0.
        weights: People in each group, above 0.
        tau_scale: Scale of the half-Normal prior of the spread of groups in logs; at 0.5 a group's value
            seldom lies further than a factor of 2.7 from the typical one.

    Raises:
        ModelError: there are fewer than two groups, or a number is out of its range.
    """
    y, se, w = (np.asarray(values, dtype=float) for values in (logs, standard_errors, weights))
    if y.size < 2 or w.shape != y.shape or not (w > 0).all():
        raise ModelError(
            "There is only one group; telling groups apart needs two or more with people in them."
        )
    pooled = pool(y, se, HalfNormal(tau_scale))
    own = _own_weights(pooled, se)
    means = np.stack([level.means for level in pooled.effects], axis=1)
    variance = pooled.overall.sds**2
    found = []
    for s in range(y.size):
        rest = np.delete(np.arange(y.size), s)
        parts = w[rest] / w[rest].sum() * np.exp(means[:, rest])
        total = parts.sum(axis=1)
        gradient = parts / total[:, None]
        shared = (1 - own[:, s]) - (gradient * (1 - own[:, rest])).sum(axis=1)
        spread = own[:, s] * se[s] ** 2 + (gradient**2 * own[:, rest] * se[rest] ** 2).sum(axis=1)
        spread += variance * shared**2
        found.append(NormalMixture(pooled.overall.weights, means[:, s] - np.log(total), np.sqrt(spread)))
    return Contrasts(pooled.effects, tuple(found), pooled.tau)


def log_share(arm: BetaArm) -> tuple[float, float]:
    """Mean and standard deviation of the log of a share that is Beta(a, b): ψ(a) − ψ(a + b) and its variance.

    >>> [round(x, 4) for x in log_share(BetaArm(30.5, 70.5))]
    [-1.2089, 0.1529]
    """
    centre = special.digamma(arm.a) - special.digamma(arm.a + arm.b)
    variance = special.polygamma(1, arm.a) - special.polygamma(1, arm.a + arm.b)
    return float(centre), float(np.sqrt(variance))


def log_mean(mean: float, sd: float) -> tuple[float, float]:
    """Mean and standard deviation of the log of a positive value, as those of the lognormal with its moments.

    Raises:
        ModelError: the mean is not above zero.
    """
    if mean <= 0:
        raise ModelError(
            "A mean of {mean:number} has no ratio to others; it has to be above zero.", mean=mean
        )
    variance = np.log1p((sd / mean) ** 2)
    return log(mean) - float(variance) / 2, float(np.sqrt(variance))


def _own_weights(pooled: Pooled, se: Array) -> Array:
    """k of each group at each node of τ, shape (nodes, groups).

    The nodes' τ is read off V = 1 / Σ 1 / (τ² + se²), which grows with τ.
    """
    variance = pooled.overall.sds**2
    grid = np.linspace(
        np.log(se.min()) - 16, np.log(max(se.max(), np.sqrt(variance.max() * se.size))) + 2, 4000
    )
    known = 1 / (1 / (np.exp(2 * grid)[:, None] + se**2)).sum(axis=1)
    square = np.exp(2 * np.interp(variance, known, grid))[:, None]
    return square / (square + se**2)
