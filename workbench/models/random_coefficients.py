"""Coefficients that differ between segments, from what each segment says of its own: nothing but Normals.

Of the coefficients c_s of segment s, shape (F,), the data say N(c_s; y_s, H_s⁻¹), where H_s may be singular:
a segment may know nothing of some of them. Between segments

    c_s ~ N(γ, D²),   γ ~ N(m, diag(b²)),   D = diag(d),   d_k ~ HalfNormal(scale_k)

where several coefficients may share one d. With c_s = γ + D ε_s and M_s = I + D H_s D, given D

    ε_s | γ ~ N(M_s⁻¹ D H_s (y_s - γ), M_s⁻¹),   γ ~ N(Q⁻¹ q, Q⁻¹),
    Q = diag(b⁻²) + Σ (H_s - H_s D M_s⁻¹ D H_s),   q = b⁻² m + Σ (I - H_s D M_s⁻¹ D) H_s y_s
    log p(D | data) = log p(D) + (qᵀ Q⁻¹ q - log|Q| + Σ (H_s y_s)ᵀ D M_s⁻¹ D H_s y_s - Σ log|M_s|) / 2,

which holds for any d, zero among them. The few d are drawn by importance sampling, from the product of their
conditional densities on grids with the prior mixed in, so that weights are bounded; γ and c_s then exactly.

Source: Lindley & Smith (1972), "Bayes estimates for the linear model", JRSS B 34(1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from workbench.errors import ModelError
from workbench.models.importance import ESS_LIMIT, KHAT_LIMIT, Array, Seed, pareto_smooth

_FEWEST_PROPOSALS = 2000
_ROUNDS = 3
_DEFENCE = 0.2
# Edges of the cells of a grid, in units of a prior's scale.
_EDGES = np.concatenate([[0.0], np.geomspace(0.02, 5.0, 32)])
_BATCH = 100_000  # matrices at once


@dataclass(frozen=True)
class Evidence:
    """What the segments' own data say of their coefficients.

    Attributes:
        precision: H_s, shape (segments, F, F).
        shift: H_s y_s, shape (segments, F).
    """

    precision: Array
    shift: Array


@dataclass(frozen=True)
class HierarchyPrior:
    """Priors of the typical coefficients and of how much they differ.

    Attributes:
        mean, sd: Of γ, shape (F,).
        spread_of: Which d is that of each coefficient, shape (F,); -1 where all segments share it.
        scales: Of the half-normal priors of d, shape (spreads,).
    """

    mean: Array
    sd: Array
    spread_of: NDArray[np.intp]
    scales: Array

    def spreads(self, d: Array) -> Array:
        """D's diagonal, shape (draws, F), from d, shape (draws, spreads)."""
        return np.where(self.spread_of < 0, 0.0, d[:, self.spread_of])


@dataclass(frozen=True)
class Coefficients:
    """Draws from the joint posterior.

    Attributes:
        each: c_s, shape (draws, segments, F).
        typical: γ, shape (draws, F).
        spreads: d, shape (draws, spreads).
        checks: khat and effective sample size of the importance sampling of d.
    """

    each: Array
    typical: Array
    spreads: Array
    checks: dict[str, float]


def sample(evidence: Evidence, prior: HierarchyPrior, draws: int, seed: Seed) -> Coefficients:
    """Draw all coefficients together; the same seed gives the same draws.

    Raises:
        ModelError: when khat is 0.7 or more or the effective sample size 400 or less: the result is withheld.
    """
    rng = np.random.default_rng(seed)
    cells = _grids(evidence, prior)
    d, log_q = _propose(rng, cells, prior.scales, max(draws, _FEWEST_PROPOSALS))
    log_prior = -0.5 * np.sum((d / prior.scales) ** 2, axis=1)
    log_weights, khat = pareto_smooth(log_prior + _log_marginal(evidence, prior, d) - log_q)
    weights = np.exp(log_weights)
    ess = float(1 / np.sum(weights**2))
    if not (khat < KHAT_LIMIT and ess > ESS_LIMIT):
        raise ModelError(
            "The result is withheld: how much the groups differ cannot be sampled reliably (khat "
            "{khat:number}, effective sample size {ess:count}); use fewer or larger groups.",
            khat=khat,
            ess=ess,
        )
    positions = (np.arange(draws) + rng.random()) / draws
    d = rng.permutation(d[np.searchsorted(np.cumsum(weights), positions).clip(max=len(d) - 1)])
    typical, each = _given(rng, evidence, prior, d)
    return Coefficients(each, typical, d, {"khat": khat, "ess": ess})


@dataclass(frozen=True)
class _Given:
    """What follows from one D, for each of several; shapes (d, segments, F, F), (d, F, F) and (d, F)."""

    whole: Array
    known: Array
    precision: Array
    shift: Array

    @classmethod
    def of(cls, evidence: Evidence, prior: HierarchyPrior, d: Array) -> _Given:
        D = prior.spreads(d)[:, None, :]
        H = evidence.precision
        whole = np.eye(H.shape[1]) + D[..., None] * H * D[..., None, :]
        # D H_s and, as a last column, D H_s y_s
        beside = D[..., None] * np.concatenate([H, evidence.shift[..., None]], axis=2)
        known = np.linalg.solve(whole, beside)
        less = np.swapaxes(beside, 2, 3) @ known
        precision = np.diag(prior.sd**-2) + np.sum(H - less[..., :-1, :-1], axis=1)
        shift = prior.mean * prior.sd**-2 + np.sum(evidence.shift - less[..., :-1, -1], axis=1)
        return cls(whole, known, precision, shift)


def _log_marginal(evidence: Evidence, prior: HierarchyPrior, d: Array) -> Array:
    """log p(data | d) up to a constant, shape (draws,)."""
    parts = []
    for some in np.array_split(d, -(-len(d) * len(evidence.shift) // _BATCH)):
        given = _Given.of(evidence, prior, some)
        D = prior.spreads(some)[:, None, :]
        fit = np.sum(D * evidence.shift * given.known[..., -1], axis=(1, 2))
        fit += np.sum(given.shift * _solve(given.precision, given.shift), axis=1)
        fit -= np.linalg.slogdet(given.whole)[1].sum(axis=1) + np.linalg.slogdet(given.precision)[1]
        parts.append(fit / 2)
    return np.concatenate(parts)


def _given(
    rng: np.random.Generator, evidence: Evidence, prior: HierarchyPrior, d: Array
) -> tuple[Array, Array]:
    """γ and c_s, one of each for each d."""
    parts = []
    for some in np.array_split(d, -(-len(d) * len(evidence.shift) // _BATCH)):
        given = _Given.of(evidence, prior, some)
        typical = _solve(given.precision, given.shift) + _chance(rng, given.precision)
        centre = given.known[..., -1] - (given.known[..., :-1] @ typical[:, None, :, None])[..., 0]
        each = typical[:, None] + prior.spreads(some)[:, None] * (centre + _chance(rng, given.whole))
        parts.append((typical, each))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _solve(matrices: Array, vectors: Array) -> Array:
    return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0])


def _chance(rng: np.random.Generator, precision: Array) -> Array:
    """A draw of N(0, precision⁻¹) for each matrix."""
    upper = np.swapaxes(np.linalg.cholesky(precision), -1, -2)
    return _solve(upper, rng.standard_normal(precision.shape[:-1]))


def _grids(evidence: Evidence, prior: HierarchyPrior) -> list[Array]:
    """Probabilities of the cells of each d, the others at their means, with a share of the prior's."""
    middle = (_EDGES[1:] + _EDGES[:-1]) / 2
    width = np.diff(_EDGES)
    mass = np.diff(erf(_EDGES / np.sqrt(2)))
    means = prior.scales * 0.5
    found = [mass] * len(means)
    for _ in range(_ROUNDS):
        for k, scale in enumerate(prior.scales):
            d = np.tile(means, (len(middle), 1))
            d[:, k] = scale * middle
            log_density = _log_marginal(evidence, prior, d) - middle**2 / 2 + np.log(width)
            share = np.exp(log_density - log_density.max())
            share /= share.sum()
            means[k] = scale * (share @ middle)
            found[k] = share
    return [(1 - _DEFENCE) * share + _DEFENCE * mass / mass.sum() for share in found]


def _propose(
    rng: np.random.Generator, cells: Sequence[Array], scales: Array, count: int
) -> tuple[Array, Array]:
    """Proposals of d, shape (count, spreads), and their log density."""
    d, log_q = np.empty((count, len(scales))), np.zeros(count)
    for k, (share, scale) in enumerate(zip(cells, scales, strict=True)):
        # One in each of `count` steps of the distribution function, so that chance is left to the pairing.
        u = rng.permutation((np.arange(count) + rng.random(count)) / count)
        ends = np.concatenate([[0.0], np.cumsum(share)])
        cell = np.searchsorted(ends, u, side="right").clip(1, len(share)) - 1
        width = _EDGES[cell + 1] - _EDGES[cell]
        inside = ((u - ends[cell]) / share[cell]).clip(0, 1)
        d[:, k] = scale * (_EDGES[cell] + width * inside)
        log_q += np.log(share[cell] / width)
    return d, log_q
