"""BG/NBD and MBG/NBD: customers may leave after each purchase.

A customer buys λ ~ Gamma(r, rate α) times a week until dropping out, which happens after each repeat purchase
(MBG: also after the first purchase of all) with probability p ~ Beta(a, b). Let m be 0 for BG/NBD, 1 for
MBG/NBD. A customer with x repeat purchases, the last at t_x, watched until T (weeks since the first one) has

    log L = lnΓ(r+x) - lnΓ(r) + r ln α - (r+x) ln(α+T)
          + lnB(a, b+x+m) - lnB(a, b) + ln(1 + e^d)
        d = ln a - ln(b+x+m-1) + (r+x) ln((α+T)/(α+t_x)),   -∞ for BG/NBD with x = 0

Of a customer alive, λ ~ Gamma(r+x, α+T) and p ~ Beta(a, b+x+m) are independent. Writing r, α, a, b for those,
the customer is one still after a further time s with probability E[(1 + ps/α)^-r] = 2F1(a, r; a+b; -s/α),
and purchases arrive at the mean rate

    r/α · E[(1 + ps/α)^-(r+1)] = r/α · 2F1(a, r+1; a+b; -s/α),

which, unlike the closed form of its integral, has no singularity at a = 1.

The priors do not depend on the unit of time: ln(r/α) ~ N(ln(2 Σnx/ΣnT), 1.5), ln r ~ N(0, 1.5),
logit(a/(a+b)) ~ N(-1, 1.5), ln(a+b) ~ N(1, 1.5).

Sources: Fader, Hardie & Lee (2005), "Counting your customers the easy way", Marketing Science 24(2); notes
021 (P(alive)) and 027 (overflow) by Fader and Hardie; Batislam, Denizel & Filiztekin (2007), "Empirical
validation and comparison of models for customer base analysis", IJRM 24(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import betainc, betaln, expit, gammaln, hyp2f1, log_expit, psi, xlogy

from workbench.models.buying import PurchaseRows, Values, dot, rate_centre
from workbench.models.importance import Array, NormalPrior, Parameters

NAMES = ("r", "alpha", "a", "b")
_LEAST_DROPOUT = 1e-9  # a geometric number of a smaller probability is beyond any horizon, and beyond int64


def _to_parameters(u: Array) -> Array:
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


@dataclass(frozen=True)
class BetaGeometric:
    """BG/NBD, or MBG/NBD.

    Attributes:
        first: How often a customer may have left with the first purchase: 0 in BG/NBD, 1 in MBG/NBD.
    """

    first: int
    parameters: ClassVar = Parameters(NAMES, _to_parameters, _jacobian)

    def prior(self, rows: PurchaseRows) -> NormalPrior:
        """On (ln r/α, ln r, logit a/(a+b), ln a+b)."""
        return NormalPrior(np.array([rate_centre(rows), 0.0, -1.0, 1.0]), np.full(4, 1.5))

    def likelihood(self, rows: PurchaseRows) -> BetaGeometricLikelihood:
        return BetaGeometricLikelihood(rows, self.first)

    def log_there(self, values: Values, x: Array, T: Array) -> Array:
        r, alpha, a, b = (values[name] for name in NAMES)
        buys = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + T)
        return buys + betaln(a, b + x + self.first) - betaln(a, b)

    def log_odds_gone(self, values: Values, x: Array, t_x: Array, T: Array) -> Array:
        r, alpha, a, b = (values[name] for name in NAMES)
        chances = x + self.first
        d = np.log(a / (b + np.maximum(chances, 1) - 1)) + (r + x) * np.log((alpha + T) / (alpha + t_x))
        return np.where(chances > 0, d, -np.inf)

    def of_alive(self, values: Values, x: Array, T: Array) -> Values:
        r, alpha, a, b = (values[name] for name in NAMES)
        return dict(zip(NAMES, np.broadcast_arrays(r + x, alpha + T, a, b + x + self.first), strict=True))

    def stays(self, values: Values, weeks: Array) -> Array:
        r, alpha, a, b = (values[name] for name in NAMES)
        return _mean_power(a, b, r, weeks / alpha)

    def buys_nothing(self, values: Values, weeks: Array) -> Array:
        """Nobody leaves without buying, so it is that of a purchase rate alone."""
        return np.exp(-values["r"] * np.log1p(weeks / values["alpha"]))

    def counts(self, values: Values, weeks: float, k: Array) -> Array:
        """Fader, Hardie & Lee (2005), equation 8; its last sum is an incomplete beta function."""
        r, alpha, a, b = (values[name] for name in NAMES)
        later = np.maximum(k, 1)
        share = weeks / (alpha + weeks)
        arrivals = gammaln(r + k) - gammaln(r) - gammaln(k + 1) + r * np.log1p(-share) + xlogy(k, share)
        active = np.exp(betaln(a, b + k) - betaln(a, b) + arrivals)
        gone = np.exp(betaln(a + 1, b + later - 1) - betaln(a, b)) * betainc(later, r, share)
        return active + np.where(k > 0, gone, 0)

    def rate(self, order: int, values: Values, ahead: Array) -> Array:
        """For pairs 2s · r(r+1)/α² · b/(a+b) · E[(1 + ps/α)^-(r+2)] with p ~ Beta(a, b+1)."""
        r, alpha, a, b = (values[name] for name in NAMES)
        there = _mean_power(a, b + order - 1, r + order, ahead / alpha)
        return there * (r / alpha if order == 1 else 2 * ahead * r * (r + 1) / alpha**2 * b / (a + b))

    def time_scale(self, order: int, values: Values) -> Array:
        """α weeks or, where customers hardly differ, the life of the average one."""
        r, alpha, a, b = (values[name] for name in NAMES)
        return alpha / np.maximum(1, (r + order) * a / (a + b))

    def futures(self, rng: np.random.Generator, values: Values, weeks: float) -> Array:
        """X = min(Poisson(λ·weeks), Geometric(p))."""
        rate = rng.gamma(values["r"], 1 / values["alpha"])
        dropout = rng.beta(values["a"], values["b"])
        until_gone = rng.geometric(np.maximum(dropout, _LEAST_DROPOUT))
        return np.minimum(rng.poisson(rate * weeks), until_gone).astype(float)


class BetaGeometricLikelihood:
    """The log likelihood of compressed rows in r, α, a, b, with its gradient.

    Log-gammas are taken once for each x and logarithms once for each t_x and T that occur; only ln(1 + e^d)
    is taken for each row.

    Args:
        rows: The histories.
        first: 0 for BG/NBD, 1 for MBG/NBD.
    """

    def __init__(self, rows: PurchaseRows, first: int) -> None:
        x_values, x_of = np.unique(rows.x, return_inverse=True)
        t_values, t_of = np.unique(rows.t_x, return_inverse=True)
        T_values, T_of = np.unique(rows.T, return_inverse=True)
        mortal = rows.x + first > 0
        self.tables: dict[str, Any] = {
            "x": x_values,
            "t": t_values,
            "T": T_values,
            "chances": x_values + first,
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
            - dot(buys, log_T)
            + dot(k["mortal_n"], np.maximum(d, 0) + np.log1p(small))
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
                - dot(k["n_by_T"], log_T)
                - dot(gone, gap),
                n * r / alpha - dot(buys, per_T) - dot(gone, shape * (per_t[k["t_of"]] - per_T[k["T_of"]])),
                n * psi(a + b) - k["n_by_x"] @ psi_ab + gone.sum() / a,
                n * (psi(a + b) - psi(b))
                + k["n_by_x"] @ (psi(b + chances) - psi_ab)
                - dot(gone, (1 / stays)[k["x_of"]]),
            ]
        )
        return float(value), slope


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
