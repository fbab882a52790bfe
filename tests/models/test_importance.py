"""Importance sampling against densities whose moments are known, and against another implementation."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import ModelError
from workbench.models.importance import (
    Array,
    NormalPrior,
    find_mode,
    importance_sample,
    independent_seeds,
    pareto_smooth,
    with_prior,
)

COVARIANCE = np.array([[4.0, 1.5, 0.0], [1.5, 1.0, 0.2], [0.0, 0.2, 0.3]])
CENTRE = np.array([1.0, -2.0, 30.0])


def gaussian(u: Array, gradient: bool = True) -> tuple[float, Array]:
    pull = np.linalg.solve(COVARIANCE, u - CENTRE)
    return float(-0.5 * (u - CENTRE) @ pull), -pull


def banana(u: Array, gradient: bool = True) -> tuple[float, Array]:
    """u0 ~ N(0, 1) and u1 | u0 ~ N(0.4 u0², variance 0.25): E[u1] = 0.4, Var[u1] = 0.57, no correlation."""
    gap = (u[1] - 0.4 * u[0] ** 2) / 0.25
    value = -0.5 * u[0] ** 2 - 0.125 * gap**2
    return float(value), np.array([-u[0] + 0.8 * u[0] * gap, -gap])


def heavy(u: Array, gradient: bool = True) -> tuple[float, Array]:
    """A multivariate t with a tenth of a degree of freedom: tails that no proposal here can follow."""
    size = 0.1 + len(u)
    return float(-size / 2 * np.log1p(u @ u / 0.1)), -size * u / (0.1 + u @ u)


def test_a_gaussian_is_recovered_with_good_weights() -> None:
    sample = importance_sample(gaussian, np.zeros(3), draws=4000, seed=1)
    error = np.sqrt(np.diag(COVARIANCE) / 4000)
    assert np.all(np.abs(sample.draws.mean(axis=0) - CENTRE) < 4 * error)
    assert np.cov(sample.draws.T) == pytest.approx(COVARIANCE, abs=0.3)
    assert sample.khat < 0.3
    assert sample.ess > 6000


def test_a_banana_needs_the_later_rounds_and_is_recovered() -> None:
    samples = [importance_sample(banana, np.array([0.5, 0.5]), draws=2000, seed=seed) for seed in range(5)]
    means = np.array([sample.draws.mean(axis=0) for sample in samples])
    spreads = np.array([sample.draws.std(axis=0) for sample in samples])
    assert all(sample.khat < 0.7 and sample.ess > 2000 for sample in samples)
    assert means.mean(axis=0) == pytest.approx([0, 0.4], abs=0.03)
    assert spreads.mean(axis=0) == pytest.approx([1, np.sqrt(0.57)], rel=0.05)


def test_tails_that_are_too_heavy_withhold_the_result() -> None:
    for seed in range(3):
        with pytest.raises(ModelError, match="result is withheld"):
            importance_sample(heavy, np.full(6, 0.1), draws=1000, seed=seed)


@pytest.mark.parametrize("shape", [0.1, 0.4, 0.8, 1.5])
def test_smoothing_agrees_with_arviz(shape: float) -> None:
    from arviz_stats.base import array_stats

    # ArviZ takes log likelihoods and turns their sign.
    log_weights = np.log1p(np.random.default_rng(4).pareto(1 / shape, size=10_000))
    ours, khat = pareto_smooth(log_weights)
    theirs, their_khat = array_stats.psislw(-log_weights)
    assert khat == pytest.approx(float(their_khat), abs=1e-6)
    assert ours == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("shape", [0.3, 0.9])
def test_khat_is_the_shape_of_a_pareto_tail(shape: float) -> None:
    rng = np.random.default_rng(5)
    khats = [pareto_smooth(np.log1p(rng.pareto(1 / shape, size=8000)))[1] for _ in range(40)]
    assert np.mean(khats) == pytest.approx(shape, abs=0.06)


def test_weights_without_a_tail_are_never_good() -> None:
    _, khat = pareto_smooth(np.r_[0.0, np.full(999, -1e5)])
    assert khat == np.inf


def test_the_mode_of_a_quadratic_is_exact() -> None:
    mode = find_mode(gaussian, np.zeros(3))
    assert mode.point == pytest.approx(CENTRE, abs=1e-8)
    assert mode.covariance == pytest.approx(COVARIANCE, rel=1e-6, abs=1e-8)


def test_a_density_that_keeps_rising_has_no_mode() -> None:
    with pytest.raises(ModelError, match="do not determine"):
        find_mode(lambda u: (float(-np.exp(-u).sum()), np.exp(-u)), np.zeros(2))


def test_a_prior_multiplies() -> None:
    """A normal likelihood and a normal prior: precisions add, means are weighted by them."""
    prior = NormalPrior(np.zeros(3), np.array([1.0, 2.0, 50.0]))
    mode = find_mode(with_prior(gaussian, prior), np.zeros(3))
    precision = np.linalg.inv(COVARIANCE) + np.diag(1 / prior.sd**2)
    assert mode.covariance == pytest.approx(np.linalg.inv(precision), rel=1e-6, abs=1e-8)
    assert mode.point == pytest.approx(np.linalg.solve(precision, np.linalg.solve(COVARIANCE, CENTRE)))


def test_one_seed_gives_independent_seeds_and_the_same_ones_again() -> None:
    first, second = independent_seeds(7, 2)
    again, _ = independent_seeds(7, 2)
    nested = independent_seeds(first, 2)
    streams = [np.random.default_rng(seed).standard_normal(20_000) for seed in (first, second, *nested)]
    assert np.array_equal(streams[0], np.random.default_rng(again).standard_normal(20_000))
    apart = np.corrcoef(streams) - np.eye(4)
    assert np.all(np.abs(apart) < 4 / np.sqrt(20_000))
