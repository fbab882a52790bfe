"""Rates and their ratio: golden values, the F distribution, an integral, and how often intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from workbench.errors import ModelError
from workbench.models.rates import GammaRate, RateRatio

shapes = st.floats(0.5, 1e5)
exposures = st.floats(1e-3, 1e6)


@pytest.mark.requirement("T12")
def test_golden_balance_of_120_who_joined_and_80_who_left() -> None:
    ratio = RateRatio(GammaRate.of(120, 28), GammaRate.of(80, 28))
    assert ratio.cdf(2) == pytest.approx(0.976, abs=5e-4)
    assert ratio.cdf(1) == pytest.approx(0.002, abs=5e-4)


def test_golden_ratio_of_45_in_ten_thousand_to_200_in_a_hundred_thousand() -> None:
    ratio = RateRatio(GammaRate.of(45, 10_000), GammaRate.of(200, 100_000))
    assert ratio.median == pytest.approx(2.256, abs=1e-3)
    assert ratio.interval(0.95) == pytest.approx((1.615, 3.085), abs=2e-3)
    assert ratio.cdf(1) < 1e-4


@given(shapes, exposures, shapes, exposures, st.floats(0.001, 0.999))
def test_the_ratio_is_an_f_distribution(a: float, b: float, c: float, d: float, q: float) -> None:
    ratio = RateRatio(GammaRate(a, b), GammaRate(c, d))
    reference = stats.f(2 * a, 2 * c, scale=(a / b) / (c / d))
    assert ratio.ppf(q) == pytest.approx(reference.ppf(q), rel=1e-6)
    assert ratio.cdf(reference.ppf(q)) == pytest.approx(q, abs=1e-7)


@given(shapes, exposures, shapes, exposures, st.floats(0.01, 100))
def test_a_ratio_turned_round_is_the_same_knowledge(a: float, b: float, c: float, d: float, k: float) -> None:
    one, other = GammaRate(a, b), GammaRate(c, d)
    k *= one.mean / other.mean
    assert RateRatio(one, other).cdf(k) == pytest.approx(1 - RateRatio(other, one).cdf(1 / k), abs=1e-9)


def test_the_ratio_is_what_an_integral_over_both_rates_gives() -> None:
    one, other = GammaRate.of(7, 3.0), GammaRate.of(4, 2.0)
    density = stats.gamma(other.shape, scale=1 / other.rate).pdf
    for k in (0.5, 1.0, 2.5):
        found = integrate.quad(lambda x, k=k: density(x) * float(one.cdf(k * x)), 0, 30)[0]
        assert RateRatio(one, other).cdf(k) == pytest.approx(found, abs=1e-8)


@pytest.mark.sampling
@pytest.mark.parametrize("events", [4.0, 20.0, 300.0])
def test_intervals_hold_the_truth_as_often_as_they_say(events: float) -> None:
    """Over rates around `events` a unit, since counts are whole and one rate may be lucky."""
    random = np.random.default_rng(3)
    hits = ratios = 0
    for factor in np.exp(random.uniform(-0.5, 0.5, 1500)).tolist():
        truth = events * factor
        first, second = (GammaRate.of(int(random.poisson(mean)), 1.0) for mean in (truth, 2 * truth))
        low, high = first.interval(0.9)
        hits += low <= truth <= high
        low, high = RateRatio(second, first).interval(0.9)
        ratios += low <= 2.0 <= high
    assert 0.88 <= hits / 1500 <= 0.92
    assert 0.86 <= ratios / 1500 <= 0.93


def test_counts_that_vary_four_times_as_much_have_intervals_twice_as_wide() -> None:
    poisson, spread = GammaRate.of(10_000, 50), GammaRate.of(10_000, 50, dispersion=4)
    width, twice = (np.diff(one.interval(0.95))[0] for one in (poisson, spread))
    assert twice / width == pytest.approx(2, rel=1e-3)
    assert spread.mean == pytest.approx(poisson.mean, rel=1e-3)


@pytest.mark.parametrize(("events", "exposure"), [(1, 0), (-1, 5), (3, -2)])
def test_without_an_exposure_there_is_no_rate(events: float, exposure: float) -> None:
    with pytest.raises(ModelError, match="exposure above 0"):
        GammaRate.of(events, exposure)
