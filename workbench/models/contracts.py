"""How long contracts are kept: shifted beta-geometric, and beta-discrete-Weibull with a time of its own.

A contract ends at the end of its first, second, … period with a probability θ ~ Beta(α, β) that differs
between customers and, in the shifted beta-geometric (sBG), never changes for one of them. Retention of the
whole nevertheless rises with time, as those who leave easily have left. In the beta-discrete-Weibull (BdW)
the t-th renewal is as hard as t^c periods: c above 1, one grows tired; below 1, one gets used to it; c = 1
is sBG.

    S(t) = B(α, β + t^c) / B(α, β),     P(end in period t) = S(t-1) - S(t),     r_t = S(t) / S(t-1)

Rows are (t, ended, n): n contracts that ended in period t, or have been kept for t periods and still are. The
priors are logit α/(α+β) ~ N(-1, 1.5), ln(α+β) ~ N(1, 1.5) and ln c ~ N(0, 0.5).

Sources: Fader & Hardie (2007), "How to project customer retention", Journal of Interactive Marketing 21(1);
Fader, Hardie, Liu, Davin & Steenburgh (2018), "How to project customer retention revisited: the role of
duration dependence", Journal of Interactive Marketing 43; for the residual lifetime Fader & Hardie (2010),
"Customer-base valuation in a contractual setting", Marketing Science 29(1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, expit, psi

from workbench.errors import DataError, ModelError, check_choice
from workbench.locale import say
from workbench.models import importance
from workbench.models.importance import (
    Array,
    Fit,
    NormalPrior,
    Seed,
    find_mode,
    importance_sample,
    with_prior,
)

MODELS = ("sbg", "bdw")
_NAMES = ("alpha", "beta", "c")
_PRIOR_MEAN, _PRIOR_SD = np.array([-1.0, 1.0, 0.0]), np.array([1.5, 1.5, 0.5])
_NOTHING_LEFT = 1e-12


@dataclass(frozen=True)
class ContractRows:
    """Contracts of the same length, counted.

    Attributes:
        t: The period in which they ended, from 1; or, of those still kept, the periods so far.
        ended: Whether they ended.
        n: How many contracts.

    Raises:
        DataError: when a row is impossible.
    """

    t: Array
    ended: NDArray[np.bool_]
    n: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "t", np.asarray(self.t, dtype=float))
        object.__setattr__(self, "n", np.asarray(self.n, dtype=float))
        object.__setattr__(self, "ended", np.asarray(self.ended, dtype=bool))
        if self.t.ndim != 1 or not len(self.t) or not self.t.shape == self.n.shape == self.ended.shape:
            raise DataError("There are no contracts, or their columns differ in length.")
        fine = (self.t >= 1) & (np.rint(self.t) == self.t) & (self.n > 0)
        if not np.all(fine):
            row = int(np.argmin(fine))
            raise DataError(
                "{n} contracts of {t} periods are impossible: periods are counted from 1.",
                n=float(self.n[row]),
                t=float(self.t[row]),
            )

    @property
    def contracts(self) -> float:
        """How many contracts the rows stand for."""
        return float(self.n.sum())


@dataclass(frozen=True)
class ContractDraws:
    """Draws of the parameters, each of shape (draws,).

    Attributes:
        alpha, beta: Of the probabilities to end, between customers.
        c: How the difficulty of a renewal changes with time; 1 in sBG.
        checks: What the sampler says of itself.
    """

    alpha: Array
    beta: Array
    c: Array
    checks: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def point(cls, alpha: float, beta: float, c: float = 1.0) -> ContractDraws:
        """A single draw, such as an estimate: `ContractDraws.point(**fit.parameters)`."""
        return cls(np.array([alpha]), np.array([beta]), np.array([c]))


class ContractLikelihood:
    """The log likelihood of rows in α, β and, where it is free, c, with its gradient."""

    def __init__(self, rows: ContractRows) -> None:
        self._ended, self._n = rows.ended, rows.n
        self._t, places = np.unique(np.concatenate([rows.t, rows.t - 1]), return_inverse=True)
        self._now, self._before = np.split(places, 2)

    def __call__(self, parameters: Array, gradient: bool = True) -> tuple[float, Array]:
        """At (α, β) or (α, β, c), and the gradient of the same shape; zeros without `gradient`."""
        alpha, beta, c = *parameters[:2], parameters[2] if len(parameters) > 2 else 1.0
        tau = self._t**c
        survivors = betaln(alpha, beta + tau) - betaln(alpha, beta)
        now, before = survivors[self._now], survivors[self._before]
        kept = np.exp(now - before)  # renewal rate of the period
        value = float(self._n @ np.where(self._ended, before + np.log1p(-kept), now))
        if not gradient:
            return value, np.zeros(len(parameters))
        slopes = _slopes(self._t, tau, alpha, beta)
        now_slope, before_slope = slopes[:, self._now], slopes[:, self._before]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = kept / (1 - kept)
        ended = before_slope - share * (now_slope - before_slope)
        slope = np.where(self._ended, ended, now_slope) @ self._n
        return value, slope[: len(parameters)]


def _slopes(t: Array, tau: Array, alpha: float, beta: float) -> Array:
    """Derivatives of ln S(t) by α, β and c, shape (3, times); `tau` is t^c."""
    both, own = psi(alpha + beta) - psi(alpha + beta + tau), psi(beta + tau)
    by_c = (own - psi(alpha + beta + tau)) * tau * np.log(np.maximum(t, 1.0))
    return np.array([both, own - psi(beta) + both, by_c])


def _free(model: str) -> importance.Parameters:
    """The parameters of a model, and the unconstrained vector that stands for them."""
    count = 3 if check_choice(model, MODELS, say("model of contracts")) == "bdw" else 2

    def of_free(u: Array) -> Array:
        size = np.exp(u[..., 1])
        found = [expit(u[..., 0]) * size, expit(-u[..., 0]) * size]
        return np.stack([*found, np.exp(u[..., 2])] if count == 3 else found, axis=-1)

    def jacobian(parameters: Array) -> Array:
        alpha, beta = parameters[:2]
        turn = alpha * beta / (alpha + beta)
        whole = np.array([[turn, alpha, 0.0], [-turn, beta, 0.0], [0.0, 0.0, parameters[-1]]])
        return whole[:count, :count]

    return importance.Parameters(_NAMES[:count], of_free, jacobian)


def _check(rows: ContractRows) -> None:
    if not np.any(rows.ended):
        raise ModelError("No contract has ended yet, so nothing can be said of how long they are kept.")


def maximum_likelihood(rows: ContractRows, model: str = "sbg") -> Fit:
    """The parameters that make the rows most likely, with standard errors.

    Raises:
        ModelError: when no contract has ended, or the likelihood has no maximum.
    """
    _check(rows)
    free = _free(model)
    return importance.maximum_likelihood(ContractLikelihood(rows), free, default_prior(model).mean)


def default_prior(model: str) -> NormalPrior:
    """On (logit α/(α+β), ln α+β) and, for `bdw`, ln c."""
    count = len(_free(model).names)
    return NormalPrior(_PRIOR_MEAN[:count], _PRIOR_SD[:count])


def posterior(
    rows: ContractRows,
    model: str = "sbg",
    draws: int = 2000,
    seed: Seed = 0,
    prior: NormalPrior | None = None,
) -> ContractDraws:
    """Draws from the posterior by importance sampling; the same seed gives the same draws.

    Args:
        rows: The contracts.
        model: `sbg` or `bdw`.
        draws: How many.
        seed: Groups that are compared need independent seeds, see `importance.independent_seeds`.
        prior: `default_prior` unless given.

    Raises:
        ModelError: when no contract has ended, or the sample fails its own checks: the result is withheld.
    """
    _check(rows)
    free = _free(model)
    prior = prior or default_prior(model)
    density = with_prior(free.free(ContractLikelihood(rows)), prior)
    sample = importance_sample(density, prior.mean, draws, seed)
    found = free.of_free(sample.draws).T
    c = found[2] if model == "bdw" else np.ones(draws)
    return ContractDraws(found[0], found[1], c, {"khat": sample.khat, "ess": sample.ess})


def likelihood_at_mode(rows: ContractRows, model: str = "sbg") -> float:
    """The log likelihood where the posterior is highest, which exists where the likelihood has no maximum.

    Raises:
        ModelError: when no contract has ended.
    """
    _check(rows)
    free, prior = _free(model), default_prior(model)
    likelihood = ContractLikelihood(rows)
    mode = find_mode(with_prior(free.free(likelihood), prior), prior.mean)
    return likelihood(free.of_free(mode.point), gradient=False)[0]


def survivors(draws: ContractDraws, t: ArrayLike) -> Array:
    """S(t): the share of new contracts kept for t periods, shape (draws, *t.shape).

    >>> regular = ContractDraws.point(0.704077, 1.182043)
    >>> survivors(regular, [8, 12]).round(3)
    array([[0.22, 0.17]])
    """
    t = np.asarray(t, dtype=float)
    alpha, beta, c = (getattr(draws, name).reshape(-1, *(1,) * t.ndim) for name in _NAMES)
    return np.exp(betaln(alpha, beta + t**c) - betaln(alpha, beta))


def retention(draws: ContractDraws, t: ArrayLike) -> Array:
    """r_t: the share of those at the beginning of period t who renew at its end, shape (draws, *t.shape)."""
    t = np.asarray(t, dtype=float)
    return survivors(draws, t) / survivors(draws, t - 1)


def residual_lifetime(
    draws: ContractDraws, renewals: int, discount: float = 0.0, periods: int | None = None
) -> Array:
    """Expected discounted payments still to come from contracts about to be renewed for the next time.

    Args:
        draws: Parameters.
        renewals: How often they have been renewed; the next payment falls due now, if they renew.
        discount: A period: a payment k periods from now counts 1/(1 + discount)^k.
        periods: How many payments are counted; endless without, which needs a discount.

    Returns:
        Shape (draws,).

    Raises:
        ModelError: for an endless time without a discount.

    >>> high_end = ContractDraws.point(0.668088, 3.806095)
    >>> residual_lifetime(high_end, renewals=7, discount=0.1).round(3)
    array([7.53])
    """
    if periods is None:
        if discount <= 0:
            raise ModelError("Without a discount, payments cannot be added up over an endless time.")
        periods = int(np.ceil(-np.log(_NOTHING_LEFT) / np.log1p(discount)))
    k = np.arange(periods)
    kept = survivors(draws, renewals + 1 + k) / survivors(draws, renewals)[:, None]
    return np.asarray(kept @ (1 + discount) ** -k)
