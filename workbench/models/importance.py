r"""A posterior without compilation: its mode, a proposal around it, and weights that say how good that was.

For a log density $\log\pi(u)$ with its gradient, over an unconstrained vector $u$:

1. the mode $u^*$ by BFGS, then Newton steps; $C = (-\nabla^2\log\pi(u^*))^{-1}$ by differencing the gradient;
2. proposals $u_s \sim t_\nu(u^*, C)$, a multivariate Student t, whose tails are heavier than the posterior's;
3. weights $w_s = \pi(u_s)/t_\nu(u_s)$, their largest values replaced by the quantiles of a generalised Pareto
   distribution fitted to them; its shape $\hat k$ says whether the weights can be trusted ($\hat k < 0.7$);
4. systematic resampling by the smoothed weights, which gives draws of equal weight.

Sources: Vehtari, Simpson, Gelman, Yao & Gabry (2024), "Pareto smoothed importance sampling", JMLR 25(72);
Zhang & Stephens (2009), "A new and efficient estimation method for the generalized Pareto distribution",
Technometrics 51(3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln, logsumexp

from workbench.errors import ModelError

Array = NDArray[np.float64]
Density = Callable[[Array], tuple[float, Array]]
Seed = int | np.random.SeedSequence

KHAT_LIMIT = 0.7
_DEGREES_OF_FREEDOM = 8
_PROPOSALS_PER_DRAW = 2


def importance_sample(density: Density, start: Array, draws: int, seed: Seed) -> tuple[Array, float, float]:
    rng = np.random.default_rng(seed)
    mode = find_mode(density, start)
    proposals, log_q = _student(rng, mode.point, mode.covariance, _PROPOSALS_PER_DRAW * draws)
    log_p = np.array([density(u)[0] for u in proposals])
    log_weights, khat = pareto_smooth(log_p - log_q)
    weights = np.exp(log_weights)
    return proposals[_systematic(rng, weights, draws)], khat, float(1 / np.sum(weights**2))


@dataclass(frozen=True)
class Mode:
    point: Array
    value: float
    covariance: Array


def find_mode(density: Density, start: Array) -> Mode:
    scale = max(1.0, float(np.linalg.norm(density(start)[1])))

    def negative(u: Array) -> tuple[float, Array]:
        value, gradient = density(u)
        return -value / scale, -gradient / scale

    with np.errstate(all="ignore"):
        point = minimize(negative, start, jac=True, method="BFGS", options={"gtol": 1e-7}).x
        for _ in range(4):
            curvature = _curvature(density, point)
            try:
                np.linalg.cholesky(curvature)
            except np.linalg.LinAlgError as error:
                raise ModelError("x") from error
            step = np.linalg.solve(curvature, density(point)[1])
            point = point + step
            if np.max(np.abs(step)) < 1e-8:
                break
        else:
            raise ModelError("y")
    return Mode(point, density(point)[0], np.linalg.inv(curvature))


def _curvature(density: Density, point: Array, step: float = 1e-4) -> Array:
    shifts = step * np.eye(len(point))
    rows = [(density(point - s)[1] - density(point + s)[1]) / (2 * step) for s in shifts]
    matrix = np.array(rows)
    return (matrix + matrix.T) / 2


def _student(rng: np.random.Generator, centre: Array, covariance: Array, count: int) -> tuple[Array, Array]:
    size, df = len(centre), _DEGREES_OF_FREEDOM
    root = np.linalg.cholesky(covariance)
    normal = rng.standard_normal((count, size))
    shrink = rng.chisquare(df, count) / df
    draws = centre + (normal / np.sqrt(shrink)[:, None]) @ root.T
    distance = np.sum(normal**2, axis=1) / shrink
    log_density = (
        gammaln((df + size) / 2)
        - gammaln(df / 2)
        - size / 2 * np.log(df * np.pi)
        - np.sum(np.log(np.diag(root)))
        - (df + size) / 2 * np.log1p(distance / df)
    )
    return draws, log_density


def pareto_smooth(log_weights: Array) -> tuple[Array, float]:
    weights = log_weights - np.max(log_weights)
    count = len(weights)
    tail = int(np.ceil(min(0.2 * count, 3 * np.sqrt(count))))
    order = np.argsort(weights)
    largest = order[-tail:]
    cutoff = weights[order[-tail - 1]]
    base = np.exp(cutoff)
    shape, scale = _fit_pareto(np.exp(weights[largest]) - base)
    if np.isfinite(shape):
        p = (np.arange(tail) + 0.5) / tail
        weights = weights.copy()
        weights[largest] = np.log(base + scale * np.expm1(-shape * np.log1p(-p)) / shape)
    weights = np.minimum(weights, 0.0)
    return weights - logsumexp(weights), shape


def _fit_pareto(excess: Array) -> tuple[float, float]:
    n = len(excess)
    grid = 30 + int(np.sqrt(n))
    quartile = excess[int(n / 4 + 0.5) - 1]
    theta = 1 / excess[-1] + (1 - np.sqrt(grid / (np.arange(grid) + 0.5))) / (3 * quartile)
    shape = np.mean(np.log1p(-theta[:, None] * excess), axis=1)
    profile = n * (np.log(-theta / shape) - shape - 1)
    theta_mean = np.sum(theta * np.exp(profile - logsumexp(profile)))
    k = float(np.mean(np.log1p(-theta_mean * excess)))
    return (n * k + 5) / (n + 10), -k / theta_mean


def _systematic(rng, weights, count):
    positions = (np.arange(count) + rng.random()) / count
    return np.minimum(np.searchsorted(np.cumsum(weights), positions), len(weights) - 1)
