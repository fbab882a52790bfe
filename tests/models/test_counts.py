"""Overdispersed counts: against other methods, and on counts whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special, stats

from workbench.errors import ModelError
from workbench.models.arms import Array
from workbench.models.comparison import compare
from workbench.models.counts import negative_binomial

ENDS = [0.025, 0.975]


def draw(chance: np.random.Generator, mean: Array, dispersion: float) -> Array:
    """Counts of these means."""
    return chance.poisson(chance.gamma(1 / dispersion, dispersion, mean.size) * mean)


def test_the_posterior_is_that_of_a_plain_sum_over_a_fine_grid() -> None:
    """With SciPy's own negative binomial."""
    y, e = np.array([3, 0, 7, 1, 4, 12]), np.array([100.0, 40.0, 210.0, 90.0, 60.0, 400.0])
    centre = np.log((y.sum() + 0.5) / e.sum())

    log_mean, log_spread = np.linspace(-12, 4, 800)[:, None], np.linspace(-8, 3, 500)
    k = np.exp(-2 * log_spread)
    logs = -(((log_mean - centre) / 2) ** 2) / 2 + log_spread - np.exp(2 * log_spread) / 8
    for count, exposure in zip(y, e, strict=True):
        logs = logs + stats.nbinom.logpmf(count, k, k / (k + np.exp(log_mean) * exposure))
    weights = np.exp(logs - logs.max())
    found = negative_binomial(y, e)
    for by, nodes, at in (
        (weights.sum(axis=1), log_mean[:, 0], np.log(found.rate.ppf([0.05, 0.5, 0.9]))),
        (weights.sum(axis=0), log_spread, np.log(found.variation([0.05, 0.5, 0.9]))),
    ):
        below = (np.cumsum(by) - by / 2) / by.sum()
        assert np.interp(at, nodes, below) == pytest.approx([0.05, 0.5, 0.9], abs=2e-3)


def test_many_customers_give_the_estimates_of_maximum_likelihood() -> None:
    import statsmodels.api as sm

    y = draw(np.random.default_rng(1), np.full(20_000, 0.4), 3.0)
    fit = sm.NegativeBinomial(y, np.ones((y.size, 1))).fit(disp=False)
    values, n = np.unique(y, return_counts=True)
    found = negative_binomial(values, weights=n)
    assert found.rate.mean == pytest.approx(np.exp(fit.params[0]), rel=2e-3)
    assert found.variation(0.5) ** 2 == pytest.approx(fit.params[1], rel=0.01)
    assert found.rate.sd == pytest.approx(fit.bse[0] * np.exp(fit.params[0]), rel=0.02)


def test_a_histogram_is_its_customers() -> None:
    y = np.array([0, 0, 0, 1, 0, 2, 0, 1])
    values, n = np.unique(y, return_counts=True)
    one, other = negative_binomial(y), negative_binomial(values, weights=n)
    assert one.rate.ppf(ENDS) == pytest.approx(other.rate.ppf(ENDS), rel=1e-9)


def test_a_unit_of_exposure_may_be_any() -> None:
    y, e = np.array([3, 0, 7, 1]), np.array([100.0, 40.0, 210.0, 90.0])
    one, other = negative_binomial(y, e), negative_binomial(y, e / 1000)
    assert other.rate.ppf(ENDS) == pytest.approx(1000 * one.rate.ppf(ENDS), rel=1e-6)


@pytest.mark.sampling
@pytest.mark.requirement("E04")
@pytest.mark.parametrize(
    ("units", "mean", "dispersion", "unequal"), [(150, 0.3, 4.0, False), (15, 0.03, 0.5, True)]
)
def test_intervals_hold_the_mean(units: int, mean: float, dispersion: float, unequal: bool) -> None:
    """200 simulations; with a coverage of 95 % fewer than 181 happen once in two hundred times."""
    chance, held = np.random.default_rng(2), 0
    for _ in range(200):
        exposure = chance.lognormal(6, 1, units) if unequal else np.ones(units)
        low, high = negative_binomial(draw(chance, mean * exposure, dispersion), exposure).rate.ppf(ENDS)
        held += low <= mean <= high
    assert held >= 181


@pytest.mark.requirement("E04")
def test_posts_that_reached_few_are_drawn_to_the_others() -> None:
    chance = np.random.default_rng(3)
    exposure = np.r_[np.full(40, 20.0), np.full(40, 20_000.0)]
    rates = chance.gamma(4, 0.05 / 4, 80)
    y = chance.poisson(rates * exposure)
    found = negative_binomial(y, exposure)
    own, drawn = y / exposure, found.unit_rates(y, exposure)
    assert drawn[40:] == pytest.approx(own[40:], rel=0.05)
    assert drawn[:40].std() < 0.6 * own[:40].std()
    assert ((drawn - rates) ** 2)[:40].sum() < 0.6 * ((own - rates) ** 2)[:40].sum()


@pytest.mark.requirement("E02")
def test_visits_have_at_least_one_page() -> None:
    y = draw(np.random.default_rng(4), np.full(60_000, 1.8), 0.7)
    values, n = np.unique(y[y > 0], return_counts=True)
    found = negative_binomial(values, weights=n, truncated=True)
    assert found.rate.ppf(0.5) == pytest.approx(1.8, rel=0.05)
    told = found.shares(range(1, 60))
    assert told.sum() == pytest.approx(1, abs=1e-4)
    assert told[:8] == pytest.approx(n[:8] / n.sum(), abs=0.005)


def test_no_reaction_at_all_is_data_too() -> None:
    few, many = (negative_binomial([0], weights=[n]).rate.ppf(0.975) for n in (10, 10_000))
    assert many < few / 500
    assert 0 < few < 1


def test_it_is_an_arm_like_any_other() -> None:
    one = negative_binomial([0, 1, 2, 3], weights=[70, 20, 7, 3]).rate
    other = negative_binomial([0, 1, 2, 3], weights=[60, 25, 10, 5]).rate
    assert one.cdf(one.ppf([0.01, 0.3, 0.99])) == pytest.approx([0.01, 0.3, 0.99], abs=1e-9)
    x = np.linspace(*one.breaks[[1, -2]], 20_001)
    assert integrate.simpson(one.pdf(x), x=x) == pytest.approx(1, abs=1e-5)
    assert integrate.simpson(one.pdf(x) * x, x=x) == pytest.approx(one.mean, rel=1e-4)
    assert compare(one, one).probability_better == pytest.approx(0.5, abs=1e-6)
    assert compare(other, one).difference == pytest.approx(other.mean - one.mean)
    draws = (
        one.ppf(np.random.default_rng(5).random(20_000)),
        other.ppf(np.random.default_rng(6).random(20_000)),
    )
    assert compare(other, one).probability_better == pytest.approx((draws[1] > draws[0]).mean(), abs=0.01)


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ModelError):
        negative_binomial([])
    with pytest.raises(ModelError):
        negative_binomial([1, -1])
    with pytest.raises(ModelError):
        negative_binomial([1, 2], [1.0, 0.0])
    with pytest.raises(ModelError):
        negative_binomial([0, 2], truncated=True)


def test_large_counts_keep_their_digits() -> None:
    """Far beyond where ln Γ(y + k) − ln Γ(k) loses them: about Poisson, so about Gamma(Σy, Σe)."""
    y = np.random.default_rng(7).poisson(2e6, 50)
    found = negative_binomial(y)
    assert found.rate.mean == pytest.approx(y.mean(), rel=1e-3)
    assert found.rate.sd == pytest.approx(np.sqrt(y.sum()) / 50, rel=0.3)
    assert special.gammaln(2e6) > 1e7  # what is subtracted
