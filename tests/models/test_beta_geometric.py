"""BG/NBD and MBG/NBD: the likelihood as the papers write it, and three formulas for one expectation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import betaln, gammaln, hyp2f1

from workbench.models.beta_geometric import BetaGeometricLikelihood
from workbench.models.purchases import (
    PurchaseDraws,
    PurchaseRows,
    expected_purchases,
    maximum_likelihood,
    probability_alive,
    purchase_probabilities,
)

DATA = Path(__file__).parents[1] / "data"
CDNOW = PurchaseRows(*np.loadtxt(DATA / "cdnow_rows.csv", delimiter=",", skiprows=1, unpack=True))
BG = PurchaseDraws.point("bg-nbd", r=0.24259291, alpha=4.41353166, a=0.79288612, b=2.42575361)
BG_ROUNDED = PurchaseDraws.point("bg-nbd", r=0.243, alpha=4.414, a=0.793, b=2.426)
FIRST = {"bg-nbd": 0, "mbg-nbd": 1}


def bg(r: float, alpha: float, a: float, b: float) -> PurchaseDraws:
    return PurchaseDraws.point("bg-nbd", r=r, alpha=alpha, a=a, b=b)


def plain_log_likelihood(rows: PurchaseRows, model: str, r: float, alpha: float, a: float, b: float) -> float:
    """Customer by customer, as the papers write it."""
    total = 0.0
    for x, t_x, T, n in zip(rows.x, rows.t_x, rows.T, rows.n, strict=True):
        m = float(model == "mbg-nbd")
        alive = betaln(a, b + x + m) - betaln(a, b) - (r + x) * np.log(alpha + T)
        gone = -np.inf
        if x + m > 0:
            gone = betaln(a + 1, b + x + m - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
        buys = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        total += n * (buys + np.logaddexp(alive, gone))
    return total


def closed_form(weeks: float, r: float, alpha: float, a: float, b: float) -> float:
    """Fader, Hardie & Lee (2005), equation 9."""
    z = weeks / (alpha + weeks)
    shrunk = (alpha / (alpha + weeks)) ** r * hyp2f1(r, b, a + b - 1, z)
    return (a + b - 1) / (a - 1) * (1 - shrunk)


def integrated(weeks: float, r: float, alpha: float, a: float, b: float) -> float:
    """E[X(t)] = ∫ Beta(p; a, b) (1 - (α/(α + p t))^r)/p dp, the rate integrated out by hand."""
    value, _ = quad(
        lambda p: -np.expm1(-r * np.log1p(p * weeks / alpha)) / p if p > 0 else r * weeks / alpha,
        0,
        1,
        weight="alg",
        wvar=(a - 1, b - 1),
        epsabs=0,
        epsrel=1e-11,
        limit=400,
    )
    return value / np.exp(betaln(a, b))


@pytest.mark.requirement("V03")
def test_bg_nbd_gives_the_published_estimates_for_cdnow() -> None:
    fit = maximum_likelihood(CDNOW, "bg-nbd")
    assert fit.log_likelihood == pytest.approx(-9582.42556, abs=1e-5)
    assert list(fit.parameters.values()) == pytest.approx(
        [0.24259291, 4.41353166, 0.79288612, 2.42575361], rel=2e-7
    )
    assert list(fit.standard_errors.values()) == pytest.approx([0.0126, 0.3782, 0.1857, 0.7053], rel=4e-3)


@pytest.mark.requirement("V03")
def test_mbg_nbd_gives_the_known_estimates_for_cdnow() -> None:
    fit = maximum_likelihood(CDNOW, "mbg-nbd")
    assert fit.log_likelihood == pytest.approx(-9582.13268, abs=1e-5)
    assert list(fit.parameters.values()) == pytest.approx([0.524838, 6.182992, 0.891356, 1.613999], rel=1e-6)


@pytest.mark.parametrize("model", FIRST)
@pytest.mark.parametrize("parameters", [(0.24, 4.4, 0.8, 2.4), (3.0, 0.5, 7.0, 0.2), (0.05, 90.0, 0.1, 30.0)])
def test_the_likelihood_is_the_sum_over_customers_and_its_gradient_its_slope(
    model: str, parameters: tuple[float, ...]
) -> None:
    point = np.array(parameters)
    likelihood = BetaGeometricLikelihood(CDNOW, FIRST[model])
    value, gradient = likelihood(point)
    assert value == pytest.approx(plain_log_likelihood(CDNOW, model, *parameters), rel=1e-12)
    for i, size in enumerate(point):
        step = np.eye(4)[i] * size * 1e-5
        slope = (likelihood(point + step)[0] - likelihood(point - step)[0]) / (2 * step[i])
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-4)


@pytest.mark.requirement("P03")
def test_predictions_are_the_published_ones() -> None:
    weeks = [0.1429, 1, 3, 31.8571, 32, 78]
    assert expected_purchases(BG, weeks)[0] == pytest.approx(
        [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8580], abs=5e-5
    )
    assert expected_purchases(BG, 39, 2, 30.43, 38.86) == pytest.approx([1.22591], abs=5e-6)
    assert probability_alive(BG, 2, 30.43, 38.86) == pytest.approx([0.72661], abs=5e-6)
    assert expected_purchases(BG, 52, 26, 30.86, 31) == pytest.approx([25.7595], abs=5e-5)
    assert probability_alive(BG, 26, 30.86, 31) == pytest.approx([0.96892], abs=5e-6)
    assert expected_purchases(BG_ROUNDED, 39, 2, 30.43, 38.86) == pytest.approx([1.22603], abs=5e-6)
    assert probability_alive(BG_ROUNDED, 2, 30.43, 38.86) == pytest.approx([0.72658], abs=5e-6)
    assert purchase_probabilities(BG_ROUNDED, 2, 10)[0, 10] == pytest.approx(1.07869e-7, rel=1e-5)
    assert purchase_probabilities(BG_ROUNDED, 39, 0) == pytest.approx(0.5737864, abs=5e-8)


def test_only_mbg_nbd_doubts_a_one_time_buyer() -> None:
    as_mbg = PurchaseDraws(BG_ROUNDED.parameters, "mbg-nbd")
    assert probability_alive(BG_ROUNDED, 0, 0, 38.86) == 1
    assert probability_alive(as_mbg, 0, 0, 38.86) == pytest.approx([0.6373], abs=5e-5)


@pytest.mark.requirement("P03")
def test_conditional_means_by_frequency_are_the_published_ones() -> None:
    ahead = expected_purchases(BG, 39, CDNOW.x, CDNOW.t_x, CDNOW.T)[0]
    frequency = np.minimum(CDNOW.x, 7).astype(int)
    customers = np.bincount(frequency, CDNOW.n)
    assert customers.tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert np.bincount(frequency, CDNOW.n * ahead) / customers == pytest.approx(
        [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157], abs=5e-4
    )


@pytest.mark.parametrize(
    "parameters",
    [(0.243, 4.414, 0.793, 2.426), (2.0, 5.0, 3.0, 1.0), (0.3, 0.2, 0.2, 0.3), (0.5, 10.0, 0.05, 5.0)],
)
@pytest.mark.parametrize("weeks", [0.5, 52, 20_000])
def test_expected_purchases_agree_with_two_other_formulas(
    parameters: tuple[float, ...], weeks: float
) -> None:
    value = expected_purchases(bg(*parameters), weeks)[0]
    assert value == pytest.approx(closed_form(weeks, *parameters), rel=1e-7)
    assert value == pytest.approx(integrated(weeks, *parameters), rel=1e-7)


def test_almost_equal_customers_behave_as_equal_ones() -> None:
    """With a, b and r large and their ratios fixed, p and λ are known: E[X(t)] = (1 - exp(-λ p t))/p."""
    rate, dropout, size = 0.2, 0.15, 1e6
    draws = bg(size, size / rate, dropout * size, (1 - dropout) * size)
    for weeks in (1, 52, 5000):
        known = -np.expm1(-rate * dropout * weeks) / dropout
        assert expected_purchases(draws, weeks) == pytest.approx([known], rel=1e-5)


@pytest.mark.parametrize("b", [150.0, 180.0, 2539.0, 1e5])
def test_a_drop_out_that_hardly_varies_is_no_trouble(b: float) -> None:
    draws = bg(0.32, 0.65, b / 6, b)
    p = np.linspace(0, 1, 400_001)[1:-1]
    density = np.exp((b / 6 - 1) * np.log(p) + (b - 1) * np.log1p(-p) - betaln(b / 6, b))
    known = np.sum(density * -np.expm1(-0.32 * np.log1p(p * 52 / 0.65)) / p) * (p[1] - p[0])
    assert expected_purchases(draws, 52) == pytest.approx([known], rel=1e-7)


@pytest.mark.parametrize("r", [0.243, 0.5, 1.0])
def test_nothing_happens_at_a_equal_to_one(r: float) -> None:
    near = np.array([1 - 1e-6, 1.0, 1 + 1e-6])
    values = {"r": np.full(3, r), "alpha": np.full(3, 4.4), "a": near, "b": np.full(3, 2.4)}
    draws = PurchaseDraws(values, "bg-nbd")
    below, at, above = expected_purchases(draws, 5000)
    assert above < at < below
    assert at == pytest.approx((below + above) / 2, rel=1e-6)
    assert at == pytest.approx(integrated(5000, r, 4.4, 1.0, 2.4), rel=1e-5)
