"""A posterior without compilation: its mode, proposals around it, and weights that say how good those were.

For a log density log π(u) with its gradient, over an unconstrained vector u:

1. The mode u* by BFGS and Newton steps; C = (-∇² log π(u*))⁻¹ by differencing the gradient (Laplace).
2. Proposals u_s ~ q, a multivariate Student t at u* with scale matrix 1.2 C.
3. Weights w_s = π(u_s)/q(u_s), the largest replaced by the quantiles of a generalised Pareto distribution
   fitted to them. Its shape khat says whether they can be trusted (below 0.7); scaled to the sum one,
   1/Σw_s² is the number of independent draws they are worth (above 400).
4. Where few customers make the posterior crooked (khat above 0.5, or proposals worth less than 60 % of their
   number), steps 2 and 3 again with a mixture of narrower t kernels at resampled points, which follows the
   shape, and one wide t, which covers the tails.
5. Systematic resampling by the smoothed weights, which gives draws of equal weight.

khat judges the places that were visited: it cannot tell of a second mode that no proposal has reached.

Sources: Vehtari, Simpson, Gelman, Yao & Gabry (2024), "Pareto smoothed importance sampling", JMLR 25(72);
Zhang & Stephens (2009), "A new and efficient estimation method for the generalized Pareto distribution",
Technometrics 51(3); West (1993), "Approximating posterior distributions by mixtures", JRSS B 55(2);
Hesterberg (1995), "Weighted average importance sampling and defensive mixture distributions",
Technometrics 37(2).
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
Density = Callable[..., tuple[float, Array]]
"""Maps a vector to a log density and its gradient; with `gradient=False` the gradient may be left out."""
Seed = int | np.random.SeedSequence

KHAT_LIMIT = 0.7
ESS_LIMIT = 400

_DEGREES_OF_FREEDOM = 5
_WIDEN = 1.2
_GOOD_KHAT = 0.5
_GOOD_SHARE = 0.6
_ROUNDS = 6
_KERNELS = 200
_KERNEL_SCALE = 0.5
_DEFENCE = 0.3
_PROPOSALS_PER_DRAW = 2
_FEWEST_PROPOSALS = 2000


@dataclass(frozen=True)
class NormalPrior:
    """Independent normal priors on an unconstrained vector, cut at ten standard deviations.

    Attributes:
        mean: Centres, shape (parameters,).
        sd: Standard deviations, shape (parameters,).
    """

    mean: Array
    sd: Array

    def log_density(self, u: Array) -> tuple[float, Array]:
        """Log density without its constant, and its gradient; minus infinity outside the cut.

        The cut (1e-22 of the mass) keeps proposals away from sizes where differences of log-gamma functions
        lose every digit.
        """
        z = (u - self.mean) / self.sd
        value = -0.5 * float(z @ z) if np.all(np.abs(z) < 10) else -np.inf
        return value, -z / self.sd


def with_prior(log_likelihood: Density, prior: NormalPrior) -> Density:
    """The log posterior density, up to a constant."""

    def density(u: Array, gradient: bool = True) -> tuple[float, Array]:
        log_prior, prior_slope = prior.log_density(u)
        if not np.isfinite(log_prior):
            return log_prior, prior_slope
        value, slope = log_likelihood(u, gradient)
        return value + log_prior, slope + prior_slope

    return density


@dataclass(frozen=True)
class Mode:
    """The highest point of a log density.

    Attributes:
        point: Where it is, shape (parameters,).
        value: The log density there.
        covariance: Inverse of the negative Hessian there, shape (parameters, parameters).
    """

    point: Array
    value: float
    covariance: Array


@dataclass(frozen=True)
class Sample:
    """Draws of equal weight and how good the importance sampling was.

    Attributes:
        draws: Shape (draws, parameters).
        khat: Shape of the Pareto tail of the weights; below 0.7.
        ess: How many independent draws the weighted proposals are worth.
    """

    draws: Array
    khat: float
    ess: float


def independent_seeds(seed: Seed, count: int) -> list[np.random.SeedSequence]:
    """Seeds for `count` samples that have to be independent of each other, all derived from one."""
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    # Built from the key instead of spawn(), which remembers how often it was asked.
    return [
        np.random.SeedSequence(entropy=root.entropy, spawn_key=(*root.spawn_key, index))
        for index in range(count)
    ]


def find_mode(density: Density, start: Array) -> Mode:
    """Climb to the mode of a log density.

    Args:
        density: Maps a vector to the log density and its gradient.
        start: Where to begin, shape (parameters,).

    Raises:
        ModelError: when there is no isolated highest point, as for a likelihood that keeps rising.
    """
    scale = max(1.0, float(np.linalg.norm(density(start)[1])))

    def negative(u: Array) -> tuple[float, Array]:
        value, gradient = density(u)
        return (-value / scale, -gradient / scale) if np.isfinite(value) else (np.inf, np.zeros_like(u))

    # A climb that runs away overflows on its way; what it returns is judged below.
    with np.errstate(all="ignore"):
        point = minimize(negative, start, jac=True, method="BFGS", options={"gtol": 1e-7}).x
        for _ in range(5):
            curvature = _curvature(density, point)
            if not np.all(np.isfinite(curvature)) or np.min(np.linalg.eigvalsh(curvature)) <= 0:
                break
            step = np.linalg.solve(curvature, density(point)[1])
            point = point + step
            if np.max(np.abs(step)) < 1e-7:
                return Mode(point, density(point)[0], np.linalg.inv(curvature))
    raise ModelError(
        "These data do not determine the parameters of the model; "
        "use more customers or a longer period of observation."
    )


def _curvature(density: Density, point: Array, step: float = 1e-4) -> Array:
    """The negative Hessian, from central differences of the gradient."""
    shifts = step * np.eye(len(point))
    matrix = np.array([density(point - shift)[1] - density(point + shift)[1] for shift in shifts]) / (
        2 * step
    )
    return (matrix + matrix.T) / 2


@dataclass(frozen=True)
class Fit:
    """Maximum-likelihood estimates.

    Attributes:
        parameters: Estimate of each parameter, by name.
        standard_errors: Square roots of the diagonal of the inverse Hessian, by name.
        log_likelihood: At the estimates.
    """

    parameters: dict[str, float]
    standard_errors: dict[str, float]
    log_likelihood: float

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 log L + 2 k; the smaller the better."""
        return -2 * self.log_likelihood + 2 * len(self.parameters)

    def bic(self, customers: float) -> float:
        """Schwarz's criterion, -2 log L + k ln(customers); the smaller the better."""
        return float(-2 * self.log_likelihood + len(self.parameters) * np.log(customers))


@dataclass(frozen=True)
class Parameters:
    """Positive parameters of a model and the unconstrained vector that stands for them.

    Attributes:
        names: Of the parameters.
        of_free: The parameters, shape (..., parameters), of unconstrained vectors of the same shape.
        jacobian: Their derivatives at one point, parameters in rows, the unconstrained vector in columns.
    """

    names: tuple[str, ...]
    of_free: Callable[[Array], Array]
    jacobian: Callable[[Array], Array]

    def free(self, likelihood: Density) -> Density:
        """The same log likelihood as a function of the unconstrained vector."""

        def density(u: Array, gradient: bool = True) -> tuple[float, Array]:
            parameters = self.of_free(u)
            value, slope = likelihood(parameters, gradient)
            return value, slope @ self.jacobian(parameters) if gradient else slope

        return density


def maximum_likelihood(likelihood: Density, parameters: Parameters, start: Array) -> Fit:
    """Climb to the maximum of a log likelihood of `parameters`, from an unconstrained vector.

    Raises:
        ModelError: when the likelihood has no maximum.
    """
    mode = find_mode(parameters.free(likelihood), start)
    estimates = parameters.of_free(mode.point)
    jacobian = parameters.jacobian(estimates)
    errors = np.sqrt(np.diag(jacobian @ mode.covariance @ jacobian.T))
    return Fit(
        dict(zip(parameters.names, estimates.tolist(), strict=True)),
        dict(zip(parameters.names, errors.tolist(), strict=True)),
        mode.value,
    )


def importance_sample(density: Density, start: Array, draws: int, seed: Seed) -> Sample:
    """Draw from a density by Pareto-smoothed importance sampling.

    Args:
        density: Maps a vector to the log density (up to a constant) and its gradient.
        start: Where the climb to the mode begins, shape (parameters,).
        draws: How many draws to return.
        seed: The same seed gives the same draws.

    Raises:
        ModelError: when there is no mode, or when khat is 0.7 or more or the effective sample size 400 or
            less: the result is withheld.
    """
    rng = np.random.default_rng(seed)
    mode = find_mode(density, start)
    count = max(_PROPOSALS_PER_DRAW * draws, _FEWEST_PROPOSALS)
    proposal = [_Kernels(1.0, mode.point[None], _WIDEN * mode.covariance)]
    for _ in range(_ROUNDS):
        proposals = np.vstack([part.draw(rng, count) for part in proposal])
        log_q = logsumexp([part.log_density(proposals) for part in proposal], axis=0)
        with np.errstate(all="ignore"):
            log_p = np.array([density(u, False)[0] for u in proposals])
        log_weights, khat = pareto_smooth(np.where(np.isfinite(log_p), log_p - log_q, -np.inf))
        weights = np.exp(log_weights)
        ess = float(1 / np.sum(weights**2))
        if khat < _GOOD_KHAT and ess > _GOOD_SHARE * count:
            break
        proposal = _follow(rng, proposals, weights)
    if not (khat < KHAT_LIMIT and ess > ESS_LIMIT):
        raise ModelError(
            "The result is withheld: the posterior cannot be sampled reliably (khat {khat:number}, effective "
            "sample size {ess:count}); use more customers or the full sampler.",
            khat=khat,
            ess=ess,
        )
    return Sample(proposals[_systematic(rng, weights, draws)], khat, ess)


def pareto_smooth(log_weights: Array) -> tuple[Array, float]:
    """Smooth the largest importance weights and judge them all.

    Args:
        log_weights: Log of target over proposal, shape (proposals,), up to a constant.

    Returns:
        Log weights whose exponentials sum to one, and khat (infinite when too few proposals carry weight).
    """
    log_weights = log_weights - np.max(log_weights)
    count = len(log_weights)
    tail = int(np.ceil(min(0.2 * count, 3 * np.sqrt(count))))
    order = np.argsort(log_weights)
    largest = order[-tail:]
    cutoff = np.exp(log_weights[order[-tail - 1]])
    khat, scale = _fit_pareto(np.exp(log_weights[largest]) - cutoff)
    if np.isfinite(khat):
        probability = (np.arange(tail) + 0.5) / tail
        excess = scale * np.expm1(-khat * np.log1p(-probability)) / khat
        log_weights[largest] = np.minimum(np.log(cutoff + excess), 0.0)
    return log_weights - logsumexp(log_weights), khat


def _fit_pareto(excess: Array) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution, from sorted excesses over a cut-off.

    The shape is drawn towards 0.5 as by ten observations (Vehtari et al. 2024, appendix C).
    """
    count = len(excess)
    quartile = excess[int(count / 4 + 0.5) - 1]
    if not quartile > 0:
        return np.inf, np.nan
    grid = 30 + int(np.sqrt(count))
    theta = 1 / excess[-1] + (1 - np.sqrt(grid / (np.arange(grid) + 0.5))) / (3 * quartile)
    shapes = np.mean(np.log1p(-theta[:, None] * excess), axis=1)
    profile = count * (np.log(-theta / shapes) - shapes - 1)
    chosen = float(theta @ np.exp(profile - logsumexp(profile)))
    shape = float(np.mean(np.log1p(-chosen * excess)))
    return (count * shape + 5) / (count + 10), -shape / chosen


@dataclass(frozen=True)
class _Kernels:
    """A share of the proposals: Student t kernels of one scale matrix at several centres, equally likely."""

    share: float
    centres: Array
    scale: Array

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        count = round(self.share * count)
        normal = rng.standard_normal((count, self.centres.shape[1])) @ np.linalg.cholesky(self.scale).T
        stretch = np.sqrt(rng.chisquare(_DEGREES_OF_FREEDOM, count) / _DEGREES_OF_FREEDOM)
        return self.centres[rng.integers(len(self.centres), size=count)] + normal / stretch[:, None]

    def log_density(self, points: Array) -> Array:
        df, size = _DEGREES_OF_FREEDOM, points.shape[1]
        root = np.linalg.cholesky(self.scale)
        whiten = np.linalg.inv(root).T
        gaps = (points @ whiten)[:, None, :] - (self.centres @ whiten)[None, :, :]
        kernels = -(df + size) / 2 * np.log1p(np.sum(gaps**2, axis=2) / df)
        constant = gammaln((df + size) / 2) - gammaln(df / 2) - size / 2 * np.log(df * np.pi)
        constant += np.log(self.share / len(self.centres)) - np.sum(np.log(np.diag(root)))
        return constant + logsumexp(kernels, axis=1)


def _follow(rng: np.random.Generator, proposals: Array, weights: Array) -> list[_Kernels]:
    """The next proposal: it follows the weighted sample (West) and guards the tails (Hesterberg)."""
    # Truncated, so that one lucky proposal does not decide where the next round looks.
    weights = np.minimum(weights, len(weights) ** -0.5)
    weights = weights / weights.sum()
    mean = weights @ proposals
    covariance = (weights[:, None] * (proposals - mean)).T @ (proposals - mean)
    centres = proposals[_systematic(rng, weights, _KERNELS)]
    # Drawn towards the mean so that the kernels together keep the covariance.
    centres = mean + np.sqrt(1 - _KERNEL_SCALE**2) * (centres - mean)
    return [
        _Kernels(_DEFENCE, mean[None], 3 * covariance),
        _Kernels(1 - _DEFENCE, centres, _KERNEL_SCALE**2 * covariance),
    ]


def _systematic(rng: np.random.Generator, weights: Array, count: int) -> NDArray[np.intp]:
    """Indices of `count` draws of equal weight (one uniform number, evenly spaced positions), shuffled."""
    positions = (np.arange(count) + rng.random()) / count
    chosen = np.searchsorted(np.cumsum(weights), positions)
    return rng.permutation(np.minimum(chosen, len(weights) - 1))
