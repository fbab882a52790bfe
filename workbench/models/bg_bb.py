"""Purchases that can only happen at certain times: BG/BB on compressed rows.

At each of n opportunities (a yearly appeal, a monthly box, a fair) a customer who is still there buys with
probability p ~ Beta(α, β); before each they leave for good with probability θ ~ Beta(γ, δ). Having bought x
times, the last at opportunity t_x, they have the likelihood

    L = b(x, n-x) · l(0, n)  +  Σ_{i=0}^{n-t_x-1} b(x, t_x-x+i) · l(1, t_x+i)
        b(i, j) = B(α+i, β+j) / B(α, β),   l(i, j) = B(γ+i, δ+j) / B(γ, δ)

and, n being what was seen, buy at opportunity n+k with probability b(x+1, n-x) · l(0, n+k) / L. Sums of these
have no singularity, unlike the closed form at γ = 1. The counts (x, t_x, n) say all, so that rows are few,
and all terms are of one table by x and j = t_x+i, whose beta functions are products of rising factorials.

The priors are on logit α/(α+β) ~ N(0, 1.5), logit γ/(γ+δ) ~ N(-1, 1.5) and both logs of a sum ~ N(1, 1.5).

Source: Fader, Hardie & Shang (2010), "Customer-base analysis in a discrete-time noncontractual setting",
Marketing Science 29(6), equations 5, 7 and 13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, expit, gammaln, logsumexp

from workbench.errors import DataError, ModelError
from workbench.models import importance
from workbench.models.importance import Array, Fit, NormalPrior, Seed, importance_sample, with_prior

IntArray = NDArray[np.int64]
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

    def thin(self, most: int) -> OpportunityDraws:
        """At most so many of the draws, spread over all."""
        kept = np.linspace(0, len(self.alpha) - 1, min(most, len(self.alpha))).round().astype(int)
        parts = (self.alpha, self.beta, self.gamma, self.delta)
        alpha, beta, gamma, delta = (part[kept] for part in parts)
        return OpportunityDraws(alpha, beta, gamma, delta, self.checks)

    @classmethod
    def point(cls, alpha: float, beta: float, gamma: float, delta: float) -> OpportunityDraws:
        """A single draw, such as an estimate."""
        return cls(np.array([alpha]), np.array([beta]), np.array([gamma]), np.array([delta]))


@dataclass(frozen=True)
class _Paths:
    """Logs of rising factorials a(a+1)…(a+k-1), k from 0, of which all beta functions here are made.

    Attributes:
        alpha, beta, both: Of α, β and α+β, each of shape (draws, periods).
        delta, leave: Of δ and γ+δ.
        gamma: ln γ, shape (draws, 1).
    """

    alpha: Array
    beta: Array
    both: Array
    delta: Array
    leave: Array
    gamma: Array

    @classmethod
    def of(cls, draws: OpportunityDraws, periods: int) -> _Paths:
        return cls(
            alpha=_risen(draws.alpha, periods),
            beta=_risen(draws.beta, periods),
            both=_risen(draws.alpha + draws.beta, periods),
            delta=_risen(draws.delta, periods),
            leave=_risen(draws.gamma + draws.delta, periods),
            gamma=np.log(draws.gamma)[:, None],
        )

    def bought(self, x: IntArray, n: IntArray) -> Array:
        """ln b(x, n-x), shape (draws, …)."""
        return self.alpha[:, x] + self.beta[:, n - x] - self.both[:, n]

    def stayed(self, n: IntArray) -> Array:
        """ln l(0, n)."""
        return self.delta[:, n] - self.leave[:, n]

    def grid(self, most_x: int, most_n: int) -> Array:
        """ln of each term of the sum, by x and j = t_x + i: shape (draws, most_x + 1, most_n)."""
        x, j = np.arange(most_x + 1)[:, None], np.arange(most_n)[None, :]
        left = self.gamma + self.delta[:, :most_n] - self.leave[:, 1 : most_n + 1]
        terms = self.bought(np.minimum(x, j), j * np.ones_like(x)) + left[:, None, :]
        return np.where(j >= x, terms, -np.inf)

    def log_likelihood(self, x: IntArray, t_x: IntArray, n: IntArray) -> Array:
        """Of single customers, shape (draws, customers).

        Terms fall as j grows, so that the difference of two sums from the end loses no digits.
        """
        terms = self.grid(int(x.max()), int(n.max()))
        rest = np.full((*terms.shape[:2], terms.shape[2] + 1), -np.inf)
        rest[..., :-1] = np.logaddexp.accumulate(terms[..., ::-1], axis=-1)[..., ::-1]
        since, beyond = rest[:, x, t_x], rest[:, x, n]
        gone = t_x < n
        with np.errstate(invalid="ignore", divide="ignore"):
            left = np.where(gone, since + np.log1p(-np.exp(beyond - since)), -np.inf)
        return np.asarray(np.logaddexp(self.bought(x, n) + self.stayed(n), left))


def _risen(start: Array, periods: int) -> Array:
    logs = np.log(np.asarray(start)[:, None] + np.arange(periods))
    return np.concatenate([np.zeros((len(logs), 1)), np.cumsum(logs, axis=1)], axis=1)


def _slopes(start: float, periods: int) -> Array:
    """Derivatives of `_risen` in its start, of one draw."""
    return np.concatenate([[0.0], np.cumsum(1 / (start + np.arange(periods)))])


class OpportunityLikelihood:
    """The log likelihood of compressed rows in α, β, γ, δ, with its gradient."""

    def __init__(self, rows: OpportunityRows) -> None:
        self._x, self._t_x, self._n = (part.astype(int) for part in (rows.x, rows.t_x, rows.n))
        self._count = rows.count
        self._periods = int(self._n.max()) + 1

    def __call__(self, parameters: Array, gradient: bool = True) -> tuple[float, Array]:
        """At (α, β, γ, δ), and its gradient, shape (4,); zeros without `gradient`."""
        x, t_x, n = self._x, self._t_x, self._n
        alpha, beta, gamma, delta = parameters
        paths = _Paths.of(OpportunityDraws.point(alpha, beta, gamma, delta), self._periods)
        each = paths.log_likelihood(x, t_x, n)[0]
        value = float(self._count @ each)
        if not gradient:
            return value, np.zeros(4)
        a, b, ab, d, cd = (
            _slopes(start, self._periods) for start in (alpha, beta, alpha + beta, delta, gamma + delta)
        )
        here = self._count * np.exp((paths.bought(x, n) + paths.stayed(n))[0] - each)
        j, bought, left = self._left(paths, each)
        stay = here @ ab[n], here @ cd[n]
        return value, np.array(
            [
                here @ a[x] - stay[0] + left @ (a[bought] - ab[j]),
                here @ b[n - x] - stay[0] + left @ (b[j - bought] - ab[j]),
                left.sum() / gamma - stay[1] - left @ cd[j + 1],
                here @ d[n] - stay[1] + left @ (d[j] - cd[j + 1]),
            ]
        )

    def _left(self, paths: _Paths, each: Array) -> tuple[IntArray, IntArray, Array]:
        """j, x and how many customers probably left just then, of each term of the sum."""
        terms = paths.grid(int(self._x.max()), int(self._n.max()))[0]
        most = np.full(len(terms), -np.inf)
        np.maximum.at(most, self._x, -each)
        most = np.where(np.isfinite(most), most, 0.0)
        weight = self._count * np.exp(-each - most[self._x])
        steps = np.zeros((terms.shape[0], terms.shape[1] + 1))
        np.add.at(steps, (self._x, self._t_x), weight)
        np.subtract.at(steps, (self._x, self._n), weight)
        counts = np.exp(terms + most[:, None]) * np.cumsum(steps, axis=1)[:, :-1]
        bought, j = np.nonzero(np.isfinite(terms))
        return j, bought, counts[bought, j]


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


def _whole(x: ArrayLike, t_x: ArrayLike, n: ArrayLike) -> list[IntArray]:
    """Histories as whole numbers, each of shape (customers,)."""
    together = np.broadcast_arrays(x, t_x, n)
    return [np.atleast_1d(np.asarray(value)).astype(int) for value in together]


def probability_alive(draws: OpportunityDraws, x: ArrayLike, t_x: ArrayLike, n: ArrayLike) -> Array:
    """The probability to be there at the next opportunity, shape (draws, customers).

    >>> donors = OpportunityDraws.point(1.203522, 0.749716, 0.656718, 2.783443)
    >>> probability_alive(donors, [0, 2, 6], [0, 4, 6], 6).round(2)
    array([[0.11, 0.59, 0.93]])
    """
    x, t_x, n = _whole(x, t_x, n)
    paths = _Paths.of(draws, int(n.max()) + 2)
    return np.exp(paths.bought(x, n) + paths.stayed(n + 1) - paths.log_likelihood(x, t_x, n))


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
    return expected_by_opportunity(draws, ahead, x, t_x, n) @ (1 + discount) ** -np.arange(1.0, ahead + 1)


def expected_by_opportunity(
    draws: OpportunityDraws, ahead: int, x: ArrayLike = 0, t_x: ArrayLike = 0, n: ArrayLike = 0
) -> Array:
    """The probability to buy at each of the next opportunities, shape (draws, customers, ahead)."""
    x, t_x, n = _whole(x, t_x, n)
    paths = _Paths.of(draws, int(n.max()) + ahead + 1)
    buys = paths.bought(x + 1, n + 1) - paths.log_likelihood(x, t_x, n)
    return np.exp(buys[..., None] + paths.stayed(n[:, None] + np.arange(1, ahead + 1)))


def futures(
    draws: OpportunityDraws, ahead: int, rows: OpportunityRows, seed: Seed = 0
) -> tuple[IntArray, IntArray]:
    """How many of the customers are still there, and buy at each of the next opportunities: simulated.

    Who is there at the next opportunity has p ~ Beta(α+x, β+n-x) and θ ~ Beta(γ, δ+n+1).

    Returns:
        One future a draw: of shape (draws,) and (draws, ahead).
    """
    rng = np.random.default_rng(seed)
    count = rows.count.astype(int)
    alive = probability_alive(draws, rows.x, rows.t_x, rows.n).clip(0, 1)
    found = np.zeros((len(draws.alpha), ahead), dtype=np.int64)
    there = rng.binomial(count, alive)
    parameters = zip(draws.alpha, draws.beta, draws.gamma, draws.delta, strict=True)
    for i, (a, b, c, d) in enumerate(parameters):
        row = np.repeat(np.arange(len(count)), there[i])
        p = rng.beta(a + rows.x[row], b + (rows.n - rows.x)[row])
        stays = 1 - rng.beta(c, d + rows.n[row] + 1)
        for k in range(ahead):
            found[i, k] = rng.binomial(1, p).sum()
            kept = rng.random(len(p)) < stays
            p, stays = p[kept], stays[kept]
    return there.sum(axis=1), found


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
