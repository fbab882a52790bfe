"""Purchases that can only happen at certain times: BG/BB on compressed rows.

At each of n opportunities (a yearly appeal, a monthly box, a fair) a customer who is still there buys with
probability p ~ Beta(α, β); before each they leave for good with probability θ ~ Beta(γ, δ). Having bought x
times, the last at opportunity t_x, they have the likelihood

    L = b(x, n-x) · l(0, n)  +  Σ_{i=0}^{n-t_x-1} b(x, t_x-x+i) · l(1, t_x+i)
        b(i, j) = B(α+i, β+j) / B(α, β),   l(i, j) = B(γ+i, δ+j) / B(γ, δ)

and, n being what was seen, buy at opportunity n+k with probability b(x+1, n-x) · l(0, n+k) / L. Sums of these
have no singularity, unlike the closed form at γ = 1. The counts (x, t_x, n) say all, so that rows are few.

The priors are on logit α/(α+β) ~ N(0, 1.5), logit γ/(γ+δ) ~ N(-1, 1.5) and both logs of a sum ~ N(1, 1.5).

Source: Fader, Hardie & Shang (2010), "Customer-base analysis in a discrete-time noncontractual setting",
Marketing Science 29(6), equations 5, 7 and 13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, expit, gammaln, logsumexp, psi

from workbench.errors import DataError, ModelError
from workbench.models import importance
from workbench.models.importance import Array, Fit, NormalPrior, Seed, importance_sample, with_prior

PARAMETERS = ("alpha", "beta", "gamma", "delta")
PRIOR = NormalPrior(np.array([0.0, 1.0, -1.0, 1.0]), np.full(4, 1.5))
"""On (logit α/(α+β), ln α+β, logit γ/(γ+δ), ln γ+δ)."""


@dataclass(frozen=True)
class OpportunityRows:
    """Customers with the same history of opportunities, counted.

    Attributes:
        x: Opportunities at which they bought, shape (rows,).
        t_x: The last of these, counted from 1; 0 for who never did.
        n: Opportunities there were.
        count: How many customers.

    Raises:
        DataError: when a row is impossible.
    """

    x: Array
    t_x: Array
    n: Array
    count: Array

    def __post_init__(self) -> None:
        for name in ("x", "t_x", "n", "count"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=float))
        x, t_x, n, count = self.x, self.t_x, self.n, self.count
        if x.ndim != 1 or not len(x) or not x.shape == t_x.shape == n.shape == count.shape:
            raise DataError("There are no customers with opportunities, or their columns differ in length.")
        whole = [np.rint(part) == part for part in (x, t_x, n)]
        fine = (
            (x >= 0)
            & (x <= t_x)
            & (t_x <= n)
            & (n > 0)
            & (count > 0)
            & ((x > 0) == (t_x > 0))
            & np.all(whole, 0)
        )
        if not np.all(fine):
            row = int(np.argmin(fine))
            raise DataError(
                "The history of {count} customers is impossible: {x} purchases, the last at opportunity "
                "{t_x} of {n}.",
                count=float(count[row]),
                x=float(x[row]),
                t_x=float(t_x[row]),
                n=float(n[row]),
            )


@dataclass(frozen=True)
class OpportunityDraws:
    """Draws of the parameters, each of shape (draws,).

    Attributes:
        alpha, beta: Of the probabilities to buy, between customers.
        gamma, delta: Of the probabilities to leave.
        checks: What the sampler says of itself.
    """

    alpha: Array
    beta: Array
    gamma: Array
    delta: Array
    checks: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def point(cls, alpha: float, beta: float, gamma: float, delta: float) -> OpportunityDraws:
        """A single draw, such as an estimate."""
        return cls(np.array([alpha]), np.array([beta]), np.array([gamma]), np.array([delta]))


class OpportunityLikelihood:
    """The log likelihood of compressed rows in α, β, γ, δ, with its gradient."""

    def __init__(self, rows: OpportunityRows) -> None:
        ends = (rows.n - rows.t_x).astype(int)  # terms of the sum; one more stands for "still there"
        self._row = np.repeat(np.arange(len(rows.n)), ends + 1)
        first = np.concatenate([[0], np.cumsum(ends + 1)[:-1]])
        self._first = first
        i = np.arange(len(self._row)) - first[self._row]
        here = i == ends[self._row]
        self._bought = rows.x[self._row]
        self._not = (rows.t_x - rows.x)[self._row] + i
        self._left = np.where(here, 0.0, 1.0)
        self._stayed = rows.t_x[self._row] + i
        self._count = rows.count

    def __call__(self, parameters: Array, gradient: bool = True) -> tuple[float, Array]:
        """At (α, β, γ, δ), and its gradient, shape (4,); zeros without `gradient`."""
        alpha, beta, gamma, delta = parameters
        a, b = alpha + self._bought, beta + self._not
        c, d = gamma + self._left, delta + self._stayed
        terms = betaln(a, b) - betaln(alpha, beta) + betaln(c, d) - betaln(gamma, delta)
        top = np.maximum.reduceat(terms, self._first)
        weight = np.exp(terms - top[self._row])
        total = np.add.reduceat(weight, self._first)
        value = float(self._count @ (top + np.log(total)))
        if not gradient:
            return value, np.zeros(4)
        weight *= (self._count / total)[self._row]
        sums = weight.sum()
        both, leave = weight @ psi(a + b), weight @ psi(c + d)
        buys, goes = psi(alpha + beta) * sums - both, psi(gamma + delta) * sums - leave
        return value, np.array(
            [
                weight @ psi(a) - psi(alpha) * sums + buys,
                weight @ psi(b) - psi(beta) * sums + buys,
                weight @ psi(c) - psi(gamma) * sums + goes,
                weight @ psi(d) - psi(delta) * sums + goes,
            ]
        )


def to_parameters(u: Array) -> Array:
    """(α, β, γ, δ) from (logit α/(α+β), ln α+β, logit γ/(γ+δ), ln γ+δ), shape (..., 4)."""
    buy, buy_size, leave, leave_size = np.moveaxis(u, -1, 0)
    sizes = np.exp(buy_size), np.exp(leave_size)
    return np.stack(
        [expit(buy) * sizes[0], expit(-buy) * sizes[0], expit(leave) * sizes[1], expit(-leave) * sizes[1]],
        axis=-1,
    )


def _jacobian(parameters: Array) -> Array:
    alpha, beta, gamma, delta = parameters
    buy, leave = alpha * beta / (alpha + beta), gamma * delta / (gamma + delta)
    return np.array([[buy, alpha, 0, 0], [-buy, beta, 0, 0], [0, 0, leave, gamma], [0, 0, -leave, delta]])


FREE = importance.Parameters(PARAMETERS, to_parameters, _jacobian)


def maximum_likelihood(rows: OpportunityRows) -> Fit:
    """The parameters that make the rows most likely, with standard errors.

    Raises:
        ModelError: when nobody bought, or the likelihood has no maximum.
    """
    _check(rows)
    return importance.maximum_likelihood(OpportunityLikelihood(rows), FREE, PRIOR.mean)


def posterior(
    rows: OpportunityRows, draws: int = 2000, seed: Seed = 0, prior: NormalPrior = PRIOR
) -> OpportunityDraws:
    """Draws from the posterior by importance sampling; the same seed gives the same draws.

    Raises:
        ModelError: when nobody bought, or the sample fails its own checks: the result is withheld.
    """
    _check(rows)
    density = with_prior(FREE.free(OpportunityLikelihood(rows)), prior)
    sample = importance_sample(density, prior.mean, draws, seed)
    alpha, beta, gamma, delta = to_parameters(sample.draws).T
    return OpportunityDraws(alpha, beta, gamma, delta, {"khat": sample.khat, "ess": sample.ess})


def _check(rows: OpportunityRows) -> None:
    if not np.any(rows.x > 0):
        raise ModelError("Nobody bought at any opportunity, so nothing can be said of further ones.")


def _log_likelihood(draws: OpportunityDraws, x: Array, t_x: Array, n: Array) -> Array:
    """Of single customers, shape (draws, customers)."""
    alpha, beta, gamma, delta = (getattr(draws, name)[:, None] for name in PARAMETERS)
    terms = [betaln(alpha + x, beta + n - x) + betaln(gamma, delta + n)]
    for i in range(int(np.max(n - t_x, initial=0))):
        one = betaln(alpha + x, beta + t_x - x + i) + betaln(gamma + 1, delta + t_x + i)
        terms.append(np.where(i < n - t_x, one, -np.inf))
    return np.asarray(logsumexp(terms, axis=0) - betaln(alpha, beta) - betaln(gamma, delta))


def probability_alive(draws: OpportunityDraws, x: ArrayLike, t_x: ArrayLike, n: ArrayLike) -> Array:
    """The probability to be there at the next opportunity, shape (draws, customers).

    >>> donors = OpportunityDraws.point(1.203522, 0.749716, 0.656718, 2.783443)
    >>> probability_alive(donors, [0, 2, 6], [0, 4, 6], 6).round(2)
    array([[0.11, 0.59, 0.93]])
    """
    x, t_x, n = (np.atleast_1d(np.asarray(value, dtype=float)) for value in np.broadcast_arrays(x, t_x, n))
    alpha, beta, gamma, delta = (getattr(draws, name)[:, None] for name in PARAMETERS)
    there = betaln(alpha + x, beta + n - x) + betaln(gamma, delta + n + 1)
    return np.exp(there - betaln(alpha, beta) - betaln(gamma, delta) - _log_likelihood(draws, x, t_x, n))


def expected_purchases(
    draws: OpportunityDraws,
    ahead: int,
    x: ArrayLike = 0,
    t_x: ArrayLike = 0,
    n: ArrayLike = 0,
    discount: float = 0.0,
) -> Array:
    """Expected purchases at the next opportunities; without a history, of a customer just acquired.

    Args:
        draws: Parameters.
        ahead: How many opportunities.
        x, t_x, n: Histories; broadcast together.
        discount: Between two opportunities: a purchase at the k-th counts 1/(1 + discount)^k.

    Returns:
        Shape (draws, customers).
    """
    x, t_x, n = (np.atleast_1d(np.asarray(value, dtype=float)) for value in np.broadcast_arrays(x, t_x, n))
    alpha, beta, gamma, delta = (getattr(draws, name)[:, None] for name in PARAMETERS)
    buys = betaln(alpha + x + 1, beta + n - x) - betaln(alpha, beta) - betaln(gamma, delta)
    buys = buys - _log_likelihood(draws, x, t_x, n)
    total = np.zeros(np.broadcast_shapes(alpha.shape, x.shape))
    for k in range(1, ahead + 1):
        total += np.exp(buys + betaln(gamma, delta + n + k) - k * np.log1p(discount))
    return total


def purchase_probabilities(draws: OpportunityDraws, n: int) -> Array:
    """The probabilities of 0, 1, …, n purchases at the first n opportunities, shape (draws, n + 1)."""
    alpha, beta, gamma, delta = (getattr(draws, name)[:, None] for name in PARAMETERS)
    x = np.arange(n + 1)

    def ways(i: int) -> Array:
        """ln of how many ways there are to buy x times out of i."""
        found = gammaln(i + 1.0) - gammaln(x + 1.0) - gammaln(np.maximum(i - x, 0) + 1.0)
        return np.where(x <= i, found, -np.inf)

    terms = [ways(n) + betaln(alpha + x, beta + n - x) + betaln(gamma, delta + n)]
    for i in range(n):
        # who left before opportunity i + 1; more purchases than opportunities are no way
        one = betaln(alpha + x, beta + np.maximum(i - x, 0)) + betaln(gamma + 1, delta + i)
        terms.append(ways(i) + one)
    return np.exp(logsumexp(terms, axis=0) - betaln(alpha, beta) - betaln(gamma, delta))
