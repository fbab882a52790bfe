"""How long people stay: against other methods, and on stays whose truth is known."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from scipy import special, stats

from workbench.errors import ModelError
from workbench.models.arms import Array
from workbench.models.clusters import Clustered
from workbench.models.durations import Counted, StaySums, log_normal, median_ratio, misfit

CAP = 1800.0
ENDS = [0.025, 0.975]


def sums_of(seconds: Array, cap: float = CAP) -> StaySums:
    logs = np.log(seconds[seconds < cap])
    return StaySums(logs.size, float(logs.sum()), float((logs**2).sum()), float((seconds >= cap).sum()))


def counted(seconds: Array, worth: float | None = None, cap: float = CAP) -> Counted:
    edges = np.exp(np.linspace(log(1.0), log(cap), 151))
    counts, _ = np.histogram(seconds[seconds < cap], edges)
    return Counted(edges, counts.astype(float), float((seconds >= cap).sum()), worth or seconds.size)


def lognormal_by_em(logs: Array, censored: float, at: float) -> tuple[float, float]:
    """Maximum likelihood with right-censoring, by expectation and maximisation: no grid, no derivatives."""
    mu, sigma, total, squares = (
        float(logs.mean()),
        float(logs.std()),
        float(logs.sum()),
        float((logs**2).sum()),
    )
    for _ in range(500):
        z = (at - mu) / sigma
        beyond = float(np.exp(-z * z / 2 - special.log_ndtr(-z)) / np.sqrt(2 * np.pi))
        mean = mu + sigma * beyond
        square = mu**2 + sigma**2 + sigma * (at + mu) * beyond
        n = logs.size + censored
        mu = (total + censored * mean) / n
        sigma = ((squares + censored * square) / n - mu**2) ** 0.5
    return mu, sigma


@pytest.mark.requirement("E01")
@pytest.mark.parametrize("median", [30.0, 900.0])
def test_the_censored_lognormal_is_that_of_expectation_and_maximisation(median: float) -> None:
    seconds = np.random.default_rng(1).lognormal(log(median), 1.2, 20_000)
    sums = sums_of(seconds[seconds >= 1e-6])
    found = log_normal(sums, least=1e-6, cap=CAP)
    mu, sigma = lognormal_by_em(np.log(seconds[seconds < CAP]), sums.censored, log(CAP))
    assert found.plane.mean(found.mu + 0 * found.sigma) == pytest.approx(mu, abs=0.002)
    assert found.plane.mean(found.sigma + 0 * found.mu) == pytest.approx(sigma, abs=0.002)
    assert found.plane.quantiles(found.medians, 0.5) == pytest.approx(median, rel=0.04)


def test_without_censoring_the_mean_of_logs_is_students_t() -> None:
    """Gelman et al., Bayesian Data Analysis 3, eq. 3.5, of which the wide priors leave little to see."""
    logs = np.random.default_rng(2).normal(3.5, 0.8, 300)
    found = log_normal(sums_of(np.exp(logs)), least=1e-6, cap=1e9)
    expected = stats.t(299, logs.mean(), logs.std(ddof=1) / np.sqrt(300)).ppf(ENDS)
    wide = expected[1] - expected[0]
    assert found.plane.quantiles(found.mu + 0 * found.sigma, ENDS) == pytest.approx(expected, abs=0.02 * wide)


def test_short_stays_that_do_not_count_do_not_move_the_rest() -> None:
    """The lognormal beyond a hurdle of ten seconds is the one that all stays came from."""
    seconds = np.random.default_rng(3).lognormal(3.0, 1.0, 40_000)
    long = seconds[seconds >= 10]
    found = log_normal(sums_of(long), least=10, cap=CAP)
    assert found.plane.mean(found.mu + 0 * found.sigma) == pytest.approx(3.0, abs=0.05)
    assert found.plane.quantiles(found.medians, 0.5) == pytest.approx(np.median(long), rel=0.02)
    assert found.plane.mean(found.beyond(30)) == pytest.approx((long > 30).mean(), abs=0.01)
    assert found.plane.mean(found.means) == pytest.approx(np.minimum(long, CAP).mean(), rel=0.02)


def test_of_few_stays_the_posterior_is_that_of_weighted_draws() -> None:
    """Draws from a rectangle, weighted by the density: crude, and without any grid."""
    logs = np.array([3.0, 3.4, 3.6, 4.1, 4.5])
    found = log_normal(sums_of(np.exp(logs)), least=1, cap=CAP)
    chance = np.random.default_rng(8)
    mu, log_sigma = chance.uniform(-5, 12, 600_000), chance.uniform(log(0.05), log(8), 600_000)
    sigma = np.exp(log_sigma)
    hurdle = special.log_ndtr(mu / sigma)
    squares = ((logs[:, None] - mu) ** 2).sum(axis=0)
    density = -5 * log_sigma - squares / (2 * sigma**2) - 5 * hurdle
    density += log_sigma - ((mu - log(30)) / 2) ** 2 / 2 - (sigma / 1.5) ** 2 / 2
    medians = np.exp(mu - sigma * special.ndtri_exp(hurdle - log(2)))
    order, weights = np.argsort(medians), np.exp(density - density.max())
    below = np.cumsum(weights[order]) / weights.sum()
    expected = np.interp([0.025, 0.5, 0.975], below, medians[order])
    assert found.plane.quantiles(found.medians, [0.025, 0.5, 0.975]) == pytest.approx(expected, rel=0.03)


def test_a_lognormal_is_told_from_what_is_none() -> None:
    chance = np.random.default_rng(4)
    for seconds, fits in ((chance.lognormal(3.5, 1, 5000), True), (chance.exponential(40, 5000), False)):
        kept = seconds[seconds >= 1]
        assert (misfit(log_normal(sums_of(kept), 1, CAP), counted(kept)) < 0.03) is fits


def test_the_counted_median_is_the_median() -> None:
    seconds = np.random.default_rng(5).exponential(60, 2001) + 1
    found = counted(seconds)
    assert found.median(0.5) == pytest.approx(np.median(seconds), rel=0.02)
    low, high = np.sort(seconds)[
        stats.binom(2001, 0.5).ppf(ENDS).astype(int)
    ]  # the distribution-free interval
    assert found.median(ENDS) == pytest.approx([low, high], rel=0.03)


def test_a_median_beyond_the_cap_is_at_least_the_cap() -> None:
    seconds = np.r_[np.full(40, 60.0), np.full(60, 5000.0)]
    assert counted(seconds).median(0.5) == pytest.approx(CAP)


def test_a_ratio_of_medians_turned_round_is_its_inverse() -> None:
    chance = np.random.default_rng(6)
    one, other = (counted(chance.lognormal(mu, 1, 3000) + 1) for mu in (3.9, 3.5))
    (low, middle, high), above = median_ratio(one, other, [0.025, 0.5, 0.975])
    assert low < np.exp(0.4) < high
    assert above > 0.999
    turned, below = median_ratio(other, one, [0.975, 0.5, 0.025])
    assert 1 / turned == pytest.approx([low, middle, high], rel=1e-6)
    assert below == pytest.approx(1 - above, abs=1e-9)


@pytest.mark.sampling
@pytest.mark.requirement("E01")
def test_intervals_hold_the_median_though_stays_of_a_customer_are_alike() -> None:
    """80 shops of 150 customers, 5 stays each: fewer than 71 of 95 % intervals hold it once in 100 times."""
    chance = np.random.default_rng(7)
    own, noise, mu = 0.6, 1.0, 3.3
    spread = np.hypot(own, noise)
    hurdle = special.ndtr((mu - 0.0) / spread)
    truth = np.exp(mu - spread * special.ndtri(hurdle / 2))
    modelled = plain = seen = 0
    for _ in range(80):
        who = np.repeat(np.arange(150), chance.geometric(0.2, 150))
        seconds = np.exp(chance.normal(0, own, 150)[who] + chance.normal(mu, noise, who.size))
        who, seconds = who[seconds >= 1], seconds[seconds >= 1]
        logs = np.log(np.minimum(seconds, CAP))
        x, n = np.bincount(who, logs, 150), np.bincount(who, minlength=150)
        alike = Clustered(x.sum(), n.sum(), x @ x, x @ n, n @ n, (n > 0).sum()).effect(float(logs.var()))
        for effect in (alike, 1.0):
            found = log_normal(sums_of(seconds), 1, CAP, effect)
            low, high = found.plane.quantiles(found.medians, ENDS)
            modelled += effect > 1 and low <= truth <= high
            plain += effect == 1 and low <= truth <= high
        low, high = counted(seconds, seconds.size / alike).median(ENDS)
        seen += low <= truth <= high
    assert modelled >= 71
    assert seen >= 71
    assert plain < 71  # without the design effect they are too narrow


def test_no_stays_and_sums_that_cannot_be_are_refused() -> None:
    for sums in (StaySums(0, 0, 0), StaySums(3, 9, 20)):
        with pytest.raises(ModelError):
            log_normal(sums, 1, CAP)
