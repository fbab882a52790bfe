"""Pareto/NBD against published numbers, the hypergeometric form, numerical integrals and other formulas."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1, hyperu

from tests.models.buyers import counted, histories
from workbench.models.pareto_nbd import NAMES, ParetoLikelihood
from workbench.models.purchases import (
    PurchaseDraws,
    PurchaseRows,
    expected_purchases,
    log_likelihood,
    maximum_likelihood,
    posterior,
    probability_alive,
    purchase_probabilities,
)

DATA = Path(__file__).parents[1] / "data"
CDNOW = PurchaseRows(*np.loadtxt(DATA / "cdnow_rows.csv", delimiter=",", skiprows=1, unpack=True))
ESTIMATE = (0.55327556, 10.5776132, 0.60621348, 11.66790722)
POINTS = [
    ESTIMATE,
    (3.0, 0.5, 7.0, 0.2),
    (0.05, 90.0, 0.1, 30.0),
    (2.0, 9.0, 0.1, 0.01),
    (0.5, 0.01, 3.0, 99.0),
]


def pareto(r: float, alpha: float, s: float, beta: float) -> PurchaseDraws:
    return PurchaseDraws.point("pareto-nbd", r=r, alpha=alpha, s=s, beta=beta)


AT = pareto(*ESTIMATE)


def hypergeometric(rows: PurchaseRows, r: float, alpha: float, s: float, beta: float) -> float:
    """Customer by customer, as note 009 writes it."""
    x, large, small = rows.x, max(alpha, beta), min(alpha, beta)
    second = s + 1 if alpha >= beta else r + x

    def part(t: np.ndarray) -> np.ndarray:
        z = (large - small) / (large + t)
        return hyp2f1(r + s + x, second, r + s + x + 1, z) / (large + t) ** (r + s + x)

    there = (alpha + rows.T) ** -(r + x) * (beta + rows.T) ** -s
    gone = s / (r + s + x) * (part(rows.t_x) - part(rows.T))
    each = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(there + gone)
    return float(rows.n @ each)


def integrated(x: float, t_x: float, T: float, r: float, alpha: float, s: float, beta: float) -> float:
    """One customer, by adaptive quadrature over the time of leaving."""
    constant = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    scale = -(r + x) * np.log(alpha + t_x) - s * np.log(beta + t_x)

    def leaving(t: float) -> float:
        return float(np.exp(-(r + x) * np.log(alpha + t) - (s + 1) * np.log(beta + t) - scale))

    points = t_x + (T - t_x) * np.array([0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1])
    parts = [quad(leaving, *ends, epsabs=0, epsrel=1e-12)[0] for ends in pairwise(points)]
    there = np.exp(-(r + x) * np.log(alpha + T) - s * np.log(beta + T) - scale)
    return float(constant + scale + np.log(there + s * sum(parts)))


@pytest.mark.requirement("V03")
def test_the_known_estimates_for_cdnow() -> None:
    fit = maximum_likelihood(CDNOW, "pareto-nbd")
    assert fit.log_likelihood == pytest.approx(-9594.97393, abs=1e-5)
    assert list(fit.parameters.values()) == pytest.approx(ESTIMATE, rel=5e-7)
    assert list(fit.standard_errors.values()) == pytest.approx([0.0476, 0.8427, 0.1873, 6.2105], rel=7e-4)
    # Schmittlein et al. (1987) as fitted by Fader, Hardie & Lee (2005)
    assert list(fit.parameters.values()) == pytest.approx([0.553, 10.578, 0.606, 11.669], rel=9e-4)


@pytest.mark.requirement("P03")
def test_predictions_are_the_known_ones() -> None:
    assert probability_alive(AT, 26, 30.86, 31) == pytest.approx([0.99792], abs=5e-6)
    assert expected_purchases(AT, 52, 26, 30.86, 31) == pytest.approx([25.45655], abs=5e-6)
    assert expected_purchases(AT, [1, 3, 9])[0] == pytest.approx([0.0510, 0.1461, 0.3913], abs=5e-5)


@pytest.mark.parametrize("point", POINTS[:3])
def test_the_likelihood_is_the_hypergeometric_one(point: tuple[float, ...]) -> None:
    assert ParetoLikelihood(CDNOW)(np.array(point))[0] == pytest.approx(
        hypergeometric(CDNOW, *point), rel=1e-10 if point == ESTIMATE else 1e-7
    )


@pytest.mark.parametrize("point", [*POINTS, (0.5, 2.0, 0.3, 200.0), (20.0, 100.0, 50.0, 1000.0)])
def test_single_customers_agree_with_adaptive_quadrature(point: tuple[float, ...]) -> None:
    """To nine digits, busy customers who left long ago among them, whose hypergeometric form overflows."""
    known = [
        (0, 0, 38.86),
        (1, 0.14, 30),
        (2, 30.43, 38.86),
        (29, 38, 38.7),
        (400, 30, 365),
        (500, 71.5, 260),
    ]
    rows = PurchaseRows(*np.array(known, dtype=float).T, np.ones(len(known)))
    by_hand = np.array([integrated(*one, *point) for one in known])
    assert log_likelihood(pareto(*point), rows)[0] == pytest.approx(by_hand, rel=1e-9, abs=1e-9)
    # and so do rows that share a grid
    assert ParetoLikelihood(rows)(np.array(point))[0] == pytest.approx(by_hand.sum(), rel=1e-9)


@pytest.mark.parametrize("point", POINTS)
def test_the_gradient_is_the_slope(point: tuple[float, ...]) -> None:
    at, likelihood = np.array(point), ParetoLikelihood(CDNOW)
    _, gradient = likelihood(at)
    for i, size in enumerate(at):
        step = np.eye(4)[i] * size * 1e-5
        slope = (likelihood(at + step)[0] - likelihood(at - step)[0]) / (2 * step[i])
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("point", [*POINTS, (0.5, 10.0, 1.0, 12.0), (1.0, 5.0, 40.0, 900.0)])
def test_expected_purchases_have_the_closed_form(point: tuple[float, ...]) -> None:
    """Note 009's P(alive)(r+x)(β+T)/((α+T)(s-1)) [1 - ((β+T)/(β+T+t))^(s-1)], which has a hole at s = 1."""
    r, alpha, s, beta = point
    x, t_x, T = 3, 20.0, 30.0
    near = s if s != 1 else 1 + 1e-9
    for weeks in (0.5, 52, 20_000):
        shrunk = -np.expm1((near - 1) * np.log((beta + T) / (beta + T + weeks)))
        known = (r + x) * (beta + T) / ((alpha + T) * (near - 1)) * shrunk
        known = known * probability_alive(pareto(*point), x, t_x, T)
        assert expected_purchases(pareto(*point), weeks, x, t_x, T) == pytest.approx(known, rel=1e-6)


@pytest.mark.requirement("V01")
@pytest.mark.parametrize("point", [ESTIMATE, (0.5, 10.0, 1.7, 30.0), (2.0, 20.0, 0.4, 5.0)])
def test_discounted_purchases_without_an_end_have_the_closed_form(point: tuple[float, ...]) -> None:
    """Fader, Hardie & Lee (2005), "RFM and CLV", equation 4: with Tricomi's confluent function."""
    r, alpha, s, beta = point
    x, t_x, T = 4, 25.0, 38.0
    per_week = np.log1p(0.15) / (365.2425 / 7)
    tricomi = hyperu(1, 2 - s, per_week * (beta + T))
    known = probability_alive(pareto(*point), x, t_x, T) * (r + x) / (alpha + T) * (beta + T) * tricomi
    found = expected_purchases(pareto(*point), np.inf, x, t_x, T, discount_per_year=0.15)
    assert found == pytest.approx(known, rel=2e-6)


def test_almost_equal_customers_behave_as_equal_ones() -> None:
    """With r and s large and their ratios fixed, λ and μ are known: E[X(t)] = λ (1 - exp(-μ t))/μ."""
    rate, leaving, size = 0.2, 0.05, 1e6
    draws = pareto(size, size / rate, size, size / leaving)
    for weeks in (1, 52, 5000):
        known = -rate * np.expm1(-leaving * weeks) / leaving
        assert expected_purchases(draws, weeks) == pytest.approx([known], rel=1e-5)
    # nobody buys before leaving: exp(-(λ+μ)t) + μ/(λ+μ) (1 - exp(-(λ+μ)t))
    both = rate + leaving
    silent = np.exp(-both * 13) - leaving / both * np.expm1(-both * 13)
    assert purchase_probabilities(draws, 13, 0)[0] == pytest.approx([silent], rel=1e-5)


def test_averages_of_weeks_are_moved_by_little() -> None:
    """Of many times that occur a grid of fewer is made; a Newton step on the exact rows goes nowhere."""
    truth = dict(zip(NAMES, ESTIMATE, strict=True))
    rng = np.random.default_rng(5)
    T = rng.uniform(12, 52, 30_000)
    x, last = histories("pareto-nbd", truth, T, rng)
    rows = counted(x, last, T, 1)
    grid = ParetoLikelihood(rows)
    assert len(np.unique(np.concatenate([rows.t_x, rows.T]))) > 2000
    assert len(grid.tables["edges"]) < 500
    fit = maximum_likelihood(rows, "pareto-nbd")
    at, errors = (np.array(list(each.values())) for each in (fit.parameters, fit.standard_errors))

    def exact(point: np.ndarray) -> float:
        return float(rows.n @ log_likelihood(pareto(*point), rows)[0])

    steps = np.diag(0.05 * errors)
    slope = [(exact(at + step) - exact(at - step)) / (2 * step.max()) for step in steps]
    curve = np.array([(grid(at + step)[1] - grid(at - step)[1]) / (2 * step.max()) for step in steps])
    assert np.all(np.abs(np.linalg.solve(curve, slope)) < 0.08 * errors)


def test_the_posterior_surrounds_the_maximum() -> None:
    """β has a long tail to the right on CDNOW, as is known; r and α do not."""
    draws, fit = posterior(CDNOW, "pareto-nbd", draws=1000, seed=1), maximum_likelihood(CDNOW, "pareto-nbd")
    for name in ("r", "alpha"):
        assert abs(np.median(draws[name]) - fit.parameters[name]) < 0.5 * fit.standard_errors[name]
        assert draws[name].std() == pytest.approx(fit.standard_errors[name], rel=0.15)
    low, high = np.quantile(draws["s"] / draws["beta"], [0.05, 0.95])
    assert low < fit.parameters["s"] / fit.parameters["beta"] < high
    assert draws.checks["khat"] < 0.5
