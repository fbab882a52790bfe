"""How often customers buy again, and whether they still will: BG/NBD and MBG/NBD on compressed rows.

A customer buys λ ~ Gamma(r, rate α) times a week until dropping out, which happens after each repeat purchase
(MBG: also after the first purchase of all) with probability p ~ Beta(a, b). Let m be 0 for BG/NBD, 1 for
MBG/NBD. A customer with x repeat purchases, the last at t_x, watched until T (weeks since the first one) has

    log L = lnΓ(r+x) - lnΓ(r) + r ln α - (r+x) ln(α+T)
          + lnB(a, b+x+m) - lnB(a, b) + ln(1 + e^d)
        d = ln a - ln(b+x+m-1) + (r+x) ln((α+T)/(α+t_x)),   -∞ for BG/NBD with x = 0

and P(alive) = 1/(1 + e^d). Identical customers share a row: a million of them make some 16,000 rows of weeks.

Of a customer alive, λ ~ Gamma(r+x, α+T) and p ~ Beta(a, b+x+m) are independent. Writing r, α, a, b for those,
purchases arrive after a further time s at the mean rate

    r/α · E[(1 + ps/α)^-(r+1)] = r/α · 2F1(a, r+1; a+b; -s/α),

which, unlike the closed form of its integral, has no singularity at a = 1; the integral is taken at
Gauss-Legendre nodes in the logarithm of time.

The priors do not depend on the unit of time: ln(r/α) ~ N(ln(2 Σnx/ΣnT), 1.5), ln r ~ N(0, 1.5),
logit(a/(a+b)) ~ N(-1, 1.5), ln(a+b) ~ N(1, 1.5).

BG/NBD calls every one-time buyer alive; MBG/NBD does not and is the default.

Sources: Fader, Hardie & Lee (2005), "Counting your customers the easy way", Marketing Science 24(2); notes
021 (P(alive)) and 027 (overflow) by Fader and Hardie; Batislam, Denizel & Filiztekin (2007), "Empirical
validation and comparison of models for customer base analysis", IJRM 24(3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, expit, gammaln, hyp2f1, log_expit, psi

from workbench.errors import DataError, ModelError, check_choice
from workbench.locale import say
from workbench.models import importance
from workbench.models.importance import Array, Fit, NormalPrior, Seed, importance_sample, with_prior

MODELS = ("bg-nbd", "mbg-nbd")
PARAMETERS = ("r", "alpha", "a", "b")
WEEKS_PER_YEAR = 365.2425 / 7

# Gauss-Legendre on (0, 1). Tried on parameters of every size, the short rule (1 + weeks/scale below e^4) errs
# by 2e-8 at most, the long one by 3e-5, for horizons without end.
_SHORT, _LONG = ((np.polynomial.legendre.leggauss(n) + np.array([[1.0], [0.0]])) / 2 for n in (12, 24))


@dataclass(frozen=True)
class PurchaseRows:
    """Customers with the same history, counted.

    Attributes:
        x: Repeat purchases (days with a purchase after the first), shape (rows,).
        t_x: Weeks from the first purchase to the last; zero where x is zero.
        T: Weeks from the first purchase to the end of observation.
        n: How many customers have this history.

    Raises:
        DataError: when a history is impossible.
    """

    x: Array
    t_x: Array
    T: Array
    n: Array

    def __post_init__(self) -> None:
        for name in ("x", "t_x", "T", "n"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=float))
        x, t_x, T, n = self.x, self.t_x, self.T, self.n
        if x.ndim != 1 or len(x) == 0 or not x.shape == t_x.shape == T.shape == n.shape:
            raise DataError("There are no purchase histories, or their columns differ in length.")
        rules = [
            (say("the number of repeat purchases has to be a whole number"), (x >= 0) & (x == np.rint(x))),
            (say("the weeks observed have to be zero or more"), (T >= 0) & np.isfinite(T)),
            (say("the last purchase cannot be after the end of observation"), t_x <= T),
            (
                say("the last purchase is later than the first only with repeat purchases"),
                (x > 0) == (t_x > 0),
            ),
            (say("the number of customers has to be above zero"), (n > 0) & np.isfinite(n)),
        ]
        for rule, holds in rules:
            if not np.all(holds):
                row = int(np.argmin(holds))
                raise DataError(
                    "A purchase history is impossible (x {x}, t_x {t_x}, T {T}, customers {n}): {rule}.",
                    x=float(x[row]),
                    t_x=float(t_x[row]),
                    T=float(T[row]),
                    n=float(n[row]),
                    rule=rule,
                )

    @property
    def customers(self) -> float:
        """How many customers the rows stand for."""
        return float(self.n.sum())

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> PurchaseRows:
        """The rows for which `chosen`, shape (rows,), is true, or at the places that it lists."""
        return PurchaseRows(self.x[chosen], self.t_x[chosen], self.T[chosen], self.n[chosen])


@dataclass(frozen=True)
class PurchaseDraws:
    """Draws of the parameters.

    Attributes:
        r, alpha: Shape and rate (weeks) of the purchase rates between customers, shape (draws,).
        a, b: Parameters of the drop-out probabilities between customers, shape (draws,).
        model: `bg-nbd` or `mbg-nbd`.
        checks: What the sampler says of itself, such as khat and the effective sample size.
    """

    r: Array
    alpha: Array
    a: Array
    b: Array
    model: str = "mbg-nbd"
    checks: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def point(cls, model: str, r: float, alpha: float, a: float, b: float) -> PurchaseDraws:
        """A single draw, such as an estimate: `PurchaseDraws.point("bg-nbd", **fit.parameters)`."""
        return cls(np.array([r]), np.array([alpha]), np.array([a]), np.array([b]), model)

    def thin(self, draws: int) -> PurchaseDraws:
        """At most `draws` of them, evenly spaced."""
        chosen = np.linspace(0, len(self.r) - 1, min(draws, len(self.r))).round().astype(int)
        return PurchaseDraws(
            self.r[chosen], self.alpha[chosen], self.a[chosen], self.b[chosen], self.model, self.checks
        )


def _chances(x: Array, model: str) -> Array:
    """How often a customer could have dropped out: in MBG/NBD at the first purchase too."""
    return x + (check_choice(model, MODELS, say("purchase model")) == "mbg-nbd")


def _dot(a: Array, b: Array) -> float:
    """Σab without BLAS, whose threads take longer to start than a product of this size takes."""
    return float(np.einsum("i,i->", a, b))


class PurchaseLikelihood:
    """The log likelihood of compressed rows in r, α, a, b, with its gradient.

    Log-gammas are taken once for each x and logarithms once for each t_x and T that occur; only ln(1 + e^d)
    is taken for each row.

    Attributes:
        tables: The arrays it is computed from, by name.
    """

    def __init__(self, rows: PurchaseRows, model: str) -> None:
        x_values, x_of = np.unique(rows.x, return_inverse=True)
        t_values, t_of = np.unique(rows.t_x, return_inverse=True)
        T_values, T_of = np.unique(rows.T, return_inverse=True)
        mortal = _chances(rows.x, model) > 0
        self.tables: dict[str, Any] = {
            "x": x_values,
            "t": t_values,
            "T": T_values,
            "chances": _chances(x_values, model),
            "n": rows.customers,
            "n_by_x": np.bincount(x_of, rows.n),
            "n_by_T": np.bincount(T_of, rows.n),
            "nx_by_T": np.bincount(T_of, rows.n * rows.x),
            "mortal_n": rows.n[mortal],
            "mortal_x": rows.x[mortal],
            "x_of": x_of[mortal],
            "t_of": t_of[mortal],
            "T_of": T_of[mortal],
        }

    def __call__(self, parameters: Array, gradient: bool = True) -> tuple[float, Array]:
        """The log likelihood at (r, α, a, b) and its gradient, shape (4,); zeros without `gradient`."""
        r, alpha, a, b = parameters
        k = self.tables
        x, chances, n = k["x"], k["chances"], k["n"]
        log_t, log_T = np.log(alpha + k["t"]), np.log(alpha + k["T"])
        buys, ab = r * k["n_by_T"] + k["nx_by_T"], a + b + chances
        stays = b + np.maximum(chances, 1) - 1
        gap = log_t[k["t_of"]] - log_T[k["T_of"]]
        shape = r + k["mortal_x"]
        d = (np.log(a) - np.log(stays))[k["x_of"]] - shape * gap
        small = np.exp(-np.abs(d))
        value = (
            k["n_by_x"] @ (gammaln(r + x) + gammaln(b + chances) - gammaln(ab))
            + n * (r * np.log(alpha) - gammaln(r) + gammaln(a + b) - gammaln(b))
            - buys @ log_T
            + _dot(k["mortal_n"], np.maximum(d, 0) + np.log1p(small))
        )
        if not gradient:
            return float(value), np.zeros(4)
        gone = k["mortal_n"] * np.where(d > 0, 1, small) / (1 + small)
        per_t, per_T = 1 / (alpha + k["t"]), 1 / (alpha + k["T"])
        psi_ab = psi(ab)
        slope = np.array(
            [
                k["n_by_x"] @ psi(r + x)
                + n * (np.log(alpha) - psi(r))
                - k["n_by_T"] @ log_T
                - _dot(gone, gap),
                n * r / alpha - buys @ per_T - _dot(gone, shape * (per_t[k["t_of"]] - per_T[k["T_of"]])),
                n * psi(a + b) - k["n_by_x"] @ psi_ab + gone.sum() / a,
                n * (psi(a + b) - psi(b))
                + k["n_by_x"] @ (psi(b + chances) - psi_ab)
                - _dot(gone, (1 / stays)[k["x_of"]]),
            ]
        )
        return float(value), slope


def default_prior(rows: PurchaseRows) -> NormalPrior:
    """The prior on (ln r/α, ln r, logit a/(a+b), ln a+b), centred by the data's own rate of purchase.

    Raises:
        ModelError: when nobody has bought again.
    """
    repeats = rows.n @ rows.x
    if repeats == 0:
        raise ModelError(
            "None of the {n:count} customers has bought again, so nothing can be said of repeat purchases; "
            "use a longer period of observation.",
            n=rows.customers,
        )
    return NormalPrior(np.array([np.log(2 * repeats / (rows.n @ rows.T)), 0.0, -1.0, 1.0]), np.full(4, 1.5))


def to_parameters(u: Array) -> Array:
    """(r, α, a, b) from (ln r/α, ln r, logit a/(a+b), ln a+b), shape (..., 4)."""
    log_rate, log_r, logit_dropout, log_size = np.moveaxis(u, -1, 0)
    size = np.exp(log_size)
    return np.stack(
        [np.exp(log_r), np.exp(log_r - log_rate), expit(logit_dropout) * size, expit(-logit_dropout) * size],
        axis=-1,
    )


def _jacobian(parameters: Array) -> Array:
    """Derivatives of (r, α, a, b), in rows, by the unconstrained vector, in columns."""
    r, alpha, a, b = parameters
    turn = a * b / (a + b)
    return np.array([[0, r, 0, 0], [-alpha, alpha, 0, 0], [0, 0, turn, a], [0, 0, -turn, b]])


FREE = importance.Parameters(PARAMETERS, to_parameters, _jacobian)


def maximum_likelihood(rows: PurchaseRows, model: str = "mbg-nbd") -> Fit:
    """The parameters that make the rows most likely, with standard errors.

    Raises:
        ModelError: when nobody has bought again, or the likelihood has no maximum.
    """
    return importance.maximum_likelihood(PurchaseLikelihood(rows, model), FREE, default_prior(rows).mean)


def posterior(
    rows: PurchaseRows,
    model: str = "mbg-nbd",
    draws: int = 2000,
    seed: Seed = 0,
    prior: NormalPrior | None = None,
) -> PurchaseDraws:
    """Draws from the posterior by importance sampling; the same seed gives the same draws.

    Args:
        rows: The histories.
        model: `bg-nbd` or `mbg-nbd`.
        draws: How many draws.
        seed: Groups that are compared need independent seeds, see `importance.independent_seeds`.
        prior: On (ln r/α, ln r, logit a/(a+b), ln a+b); `default_prior` unless given.

    Raises:
        ModelError: when nobody has bought again, or when khat is 0.7 or more or the effective sample size
            400 or less: the result is withheld.
    """
    prior = prior or default_prior(rows)
    density = with_prior(FREE.free(PurchaseLikelihood(rows, model)), prior)
    sample = importance_sample(density, prior.mean, draws, seed)
    r, alpha, a, b = to_parameters(sample.draws).T
    return PurchaseDraws(r, alpha, a, b, model, {"khat": sample.khat, "ess": sample.ess})


def probability_alive(draws: PurchaseDraws, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Array:
    """The probability that customers with these histories will still buy, shape (draws, *histories)."""
    x, t_x, T = np.broadcast_arrays(x, t_x, T)
    r, alpha, a, b = _columns(draws, x.ndim)
    chances = _chances(x, draws.model)
    d = np.log(a / (b + np.maximum(chances, 1) - 1)) + (r + x) * np.log((alpha + T) / (alpha + t_x))
    return expit(np.where(chances > 0, -d, np.inf))


def expected_purchases(
    draws: PurchaseDraws,
    weeks: ArrayLike,
    x: ArrayLike = 0,
    t_x: ArrayLike = 0,
    T: ArrayLike = 0,
    discount_per_year: float = 0.0,
) -> Array:
    """Expected repeat purchases of customers in the next weeks; without a history, of one just acquired.

    Args:
        draws: Parameters.
        weeks: How far ahead; infinite is allowed with a discount.
        x: Repeat purchases so far.
        t_x: Weeks from the first purchase to the last.
        T: Weeks from the first purchase until now. `weeks` and the history are broadcast together.
        discount_per_year: A purchase s weeks ahead counts 1/(1 + discount)^(s/52.1775).

    Returns:
        Shape (draws, *broadcast shape).

    Raises:
        ModelError: for an infinite time without a discount.

    >>> published = PurchaseDraws.point("bg-nbd", r=0.243, alpha=4.414, a=0.793, b=2.426)
    >>> expected_purchases(published, [1, 3, 32]).round(3)
    array([[0.053, 0.151, 1.045]])
    >>> expected_purchases(published, 39, x=2, t_x=30.43, T=38.86).round(3)
    array([1.226])
    """
    ahead, x, t_x, T = (np.asarray(value, dtype=float) for value in np.broadcast_arrays(weeks, x, t_x, T))
    r, alpha, a, b = _columns(draws, x.ndim)
    discount_per_week = np.log1p(discount_per_year) / WEEKS_PER_YEAR
    if np.any(np.isinf(ahead)):
        if discount_per_week <= 0:
            raise ModelError("Without a discount, purchases cannot be added up over an endless horizon.")
        # What lies beyond counts less than 1e-9 each.
        ahead = np.minimum(ahead, np.log(1e9) / discount_per_week)
    state = (r + x, alpha + T, a, b + _chances(x, draws.model))
    return probability_alive(draws, x, t_x, T) * _alive_moment(1, ahead, *state, discount_per_week)


def total_purchases(draws: PurchaseDraws, rows: PurchaseRows, weeks: float) -> tuple[Array, Array]:
    """Mean and variance, for each draw, of the purchases that all customers make in the next weeks.

    The variance is the exact one of a sum over independent customers, whose rates are unknown and who may
    drop out: for one of them E[X(X-1)] + E[X] - E[X]².

    Returns:
        Mean and variance, each of shape (draws,).
    """
    # What a customer alive will do depends on x and T only, so it is computed once for each pair of those.
    pairs, pair_of = np.unique(np.column_stack([rows.x, rows.T]), axis=0, return_inverse=True)
    x, T = pairs.T
    moments = np.empty((2, len(draws.r)))
    for i in range(len(draws.r)):
        one = PurchaseDraws.point(draws.model, draws.r[i], draws.alpha[i], draws.a[i], draws.b[i])
        alive = probability_alive(one, rows.x, rows.t_x, rows.T)[0]
        state = (one.r + x, one.alpha + T, one.a, one.b + _chances(x, one.model))
        mean, ordered_pairs = (alive * _alive_moment(k, np.asarray(weeks), *state)[pair_of] for k in (1, 2))
        moments[:, i] = _dot(rows.n, mean), _dot(rows.n, ordered_pairs + mean - mean**2)
    return moments[0], moments[1]


def purchase_probabilities(draws: PurchaseDraws, weeks: float, most: int) -> Array:
    """The probabilities of 0, 1, ..., `most` repeat purchases in the first weeks, shape (draws, most + 1).

    Source: Fader, Hardie & Lee (2005), equation 8; its last sum is a negative binomial tail, that is, an
    incomplete beta function. In MBG/NBD b/(a+b) of the customers survive the first purchase, with b+1 for b.
    """
    r, alpha, a, b = _columns(draws, 1)
    stays = np.ones_like(b)
    if draws.model == "mbg-nbd":
        stays, b = b / (a + b), b + 1
    k = np.arange(most + 1)
    later = np.maximum(k, 1)
    share = weeks / (alpha + weeks)
    arrivals = gammaln(r + k) - gammaln(r) - gammaln(k + 1) + r * np.log1p(-share) + k * np.log(share)
    active = np.exp(betaln(a, b + k) - betaln(a, b) + arrivals)
    gone = np.exp(betaln(a + 1, b + later - 1) - betaln(a, b)) * betainc(later, r, share)
    return stays * (active + np.where(k > 0, gone, 0)) + np.where(k == 0, 1 - stays, 0)


def _columns(draws: PurchaseDraws, axes: int) -> list[Array]:
    """r, α, a, b with `axes` trailing axes of length one."""
    return [getattr(draws, name).reshape(-1, *(1,) * axes) for name in PARAMETERS]


def _alive_moment(
    order: int, weeks: Array, r: Array, alpha: Array, a: Array, b: Array, discount_per_week: float = 0.0
) -> Array:
    """E[X] (order 1) or E[X(X-1)] (order 2) of the purchases X in the next weeks of a customer alive.

    Order 1 integrates the mean rate of the module's docstring; order 2 integrates the rate of ordered pairs,
    2s · r(r+1)/α² · b/(a+b) · E[(1 + ps/α)^-(r+2)] with p ~ Beta(a, b+1). All arguments are broadcast.
    """
    # Purchases fade over α weeks or, where customers hardly differ, over the life of the average one.
    scale = alpha / np.maximum(1, (r + order) * a / (a + b))
    end = np.log1p(weeks / scale)[..., None]
    r, alpha, a, b, scale = (value[..., None] for value in np.broadcast_arrays(r, alpha, a, b, scale))
    nodes, node_weights = _SHORT if np.max(end) < 4 else _LONG
    s = scale * np.expm1(end * nodes)
    survivors = _mean_power(a, b + order - 1, r + order, s / alpha)
    rate = r / alpha if order == 1 else 2 * s * r * (r + 1) / alpha**2 * b / (a + b)
    discounted = rate * survivors * np.exp(-discount_per_week * s) * (scale + s)
    return np.sum(end * discounted * node_weights, axis=-1)


def _mean_power(a: Array, b: Array, power: Array, w: Array) -> Array:
    """E[(1 + p w)^-power] with p ~ Beta(a, b): 2F1(a, power; a+b; -w).

    By Pfaff's transformation with the smaller of the two as exponent, which neither overflows nor cancels.
    """
    a, b, power, w = np.broadcast_arrays(a, b, power, w)
    small, large = np.minimum(a, power), np.maximum(a, power)
    with np.errstate(all="ignore"):
        mean = (1 + w) ** -small * hyp2f1(small, a + b - large, a + b, w / (1 + w))
    # SciPy gives up for a + b above 170, and loses its digits where power - a is a whole number.
    whole = np.abs(power - a - np.rint(power - a)) < 1e-9
    for at in zip(*np.nonzero(~np.isfinite(mean) | (whole & (w > 9))), strict=True):
        mean[at] = _mean_power_by_sum(a[at], b[at], power[at], w[at])
    return mean


def _mean_power_by_sum(a: float, b: float, power: float, w: float) -> float:
    """The same by the trapezoidal rule in logit p, exact to some ten digits."""
    middle, spread = np.log(a / b), np.sqrt(1 / a + 1 / b)
    step = min(0.4, 0.5 * spread)
    logit = np.arange(middle - 12 * spread - 40 / a - np.log1p(w), middle + 12 * spread + 40 / b, step)
    log_density = a * log_expit(logit) + b * log_expit(-logit) - betaln(a, b)
    return float(step * np.sum(np.exp(log_density - power * np.log1p(w * expit(logit)))))
