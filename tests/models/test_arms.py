"""Posteriors of one arm: published values, second methods and calibration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workbench.errors import ModelError
from workbench.models.arms import (
    UNIFORM,
    Arm,
    BetaArm,
    MeanArm,
    MeanPrior,
    binary_arm,
    hurdle_arm,
    mean_arm,
    panels,
)
from workbench.moments import Moments


def of(numbers: np.ndarray) -> Moments:
    return Moments.of_mean(len(numbers), float(numbers.mean()), float(numbers.var(ddof=1)))


def shop(n: int, seed: int, sigma: float = 1.0) -> np.ndarray:
    """Revenue of n customers, 5 % of whom buy for a lognormal amount."""
    random = np.random.default_rng(seed)
    return np.where(random.random(n) < 0.05, random.lognormal(3, sigma, n), 0.0)


def hurdle(revenue: np.ndarray) -> Arm:
    return hurdle_arm(of(revenue), of(revenue[revenue > 0]))


@pytest.mark.parametrize(
    ("successes", "n", "interval"),
    [
        (1580, 31500, (0.04778953, 0.05261059)),
        (1700, 32000, (0.05070795, 0.05562288)),
        (1550, 31000, (0.04761576, 0.05246826)),
    ],
)
def test_published_intervals_of_shares(successes: int, n: int, interval: tuple[float, float]) -> None:
    arm = binary_arm(Moments.of_binary(successes, n))
    assert arm.ppf([0.025, 0.975]) == pytest.approx(interval, abs=1e-8)


def test_published_normal_inverse_gamma_posterior() -> None:
    arm = mean_arm(Moments.of_sums(40, 386.6, 4255.42), MeanPrior(mean=9, weight=0.01))
    assert arm.mean == pytest.approx(9.66483, abs=5e-6)
    assert arm.dof == 2 * 20
    assert arm.scale**2 * 20 * 40.01 == pytest.approx(259.4677106)
    assert arm.ppf([0.025, 0.975]) == pytest.approx((8.5139674, 10.8157002), abs=1e-6)


def test_the_reference_posterior_of_a_mean_is_the_classical_t_interval() -> None:
    numbers = np.random.default_rng(2).normal(10, 3, 12)
    classical = stats.ttest_1samp(numbers, 0).confidence_interval(0.9)
    assert mean_arm(of(numbers)).ppf([0.05, 0.95]) == pytest.approx(tuple(classical))


def test_a_prior_worth_nothing_is_the_reference_prior() -> None:
    moments = of(np.random.default_rng(3).normal(10, 3, 12))
    nothing = mean_arm(moments, MeanPrior(mean=-50, weight=1e-12, shape=-0.5))
    reference = mean_arm(moments)
    assert (nothing.mean, nothing.sd, nothing.dof) == pytest.approx((reference.mean, reference.sd, 11))


@pytest.mark.parametrize(
    ("arm", "known"),
    [
        (BetaArm(121, 881), stats.beta(121, 881)),
        (BetaArm(0.5, 1e7 + 0.5), stats.beta(0.5, 1e7 + 0.5)),
        (BetaArm(3.5, 0.5), stats.beta(3.5, 0.5)),
        (MeanArm(3, 0.2, 3), stats.t(3, 3, 0.2)),
        (MeanArm(-1, 5, 1e6), stats.t(1e6, -1, 5)),
    ],
)
def test_arms_are_the_distributions_they_name(arm: Arm, known: stats.rv_continuous) -> None:
    q = np.array([1e-6, 0.025, 0.3, 0.5, 0.9, 0.999])
    x = known.ppf(q)
    assert arm.ppf(q) == pytest.approx(x, rel=1e-9)
    assert arm.cdf(x) == pytest.approx(q, rel=1e-9)
    assert arm.pdf(x) == pytest.approx(known.pdf(x), rel=1e-7)
    assert (arm.mean, arm.sd) == pytest.approx((known.mean(), known.std()))


@pytest.mark.parametrize(
    "arm",
    [
        BetaArm(121, 881),
        BetaArm(0.5, 10.5),
        BetaArm(0.5, 1e7 + 0.5),
        BetaArm(1e6, 9e6),
        MeanArm(3, 0.2, 5),
        MeanArm(3, 0.2, 1e6),
        hurdle(shop(1000, 4)),
    ],
)
def test_panels_integrate_a_posterior_exactly(arm: Arm) -> None:
    x, width = panels(arm.breaks, arm.support)
    weight = arm.pdf(x) * width
    assert weight.sum() == pytest.approx(1, abs=1e-6)
    assert weight @ x == pytest.approx(arm.mean, rel=1e-6)
    assert np.sqrt(weight @ (x - arm.mean) ** 2) == pytest.approx(arm.sd, rel=2e-4)


def test_shares_drawn_from_the_prior_lie_anywhere_in_their_posterior_equally_often() -> None:
    random = np.random.default_rng(5)
    for prior in (UNIFORM, (3.0, 60.0)):
        truth = random.beta(*prior, 3000)
        successes = random.binomial(200, truth)
        ranks = [
            float(binary_arm(Moments.of_binary(s, 200), prior).cdf(t))
            for s, t in zip(successes, truth, strict=True)
        ]
        assert stats.kstest(ranks, "uniform").pvalue > 0.001


def test_means_lie_anywhere_in_their_posterior_equally_often() -> None:
    random = np.random.default_rng(6)
    ranks = [float(mean_arm(of(random.normal(4, 2, 6))).cdf(4)) for _ in range(3000)]
    assert stats.kstest(ranks, "uniform").pvalue > 0.001


def test_share_times_value_against_simulation() -> None:
    arm = hurdle(shop(400, 7))
    random = np.random.default_rng(8)
    draws = random.beta(arm.share.a, arm.share.b, 400_000) * (
        arm.value.location + arm.value.scale * random.standard_t(arm.value.dof, 400_000)
    )
    assert arm.mean == pytest.approx(draws.mean(), abs=4 * draws.std() / np.sqrt(len(draws)))
    for q in (0.025, 0.25, 0.5, 0.9, 0.975):
        error = np.sqrt(q * (1 - q) / len(draws))
        assert float(arm.cdf(np.quantile(draws, q))) == pytest.approx(q, abs=4 * error)
        assert float(arm.cdf(arm.ppf(q))) == pytest.approx(q, abs=1e-9)


def test_with_many_customers_hurdle_and_plain_mean_agree() -> None:
    revenue = shop(200_000, 9)
    apart, plain = hurdle(revenue), mean_arm(of(revenue))
    q = [0.025, 0.5, 0.975]
    assert apart.ppf(q) == pytest.approx(plain.ppf(q), abs=0.03 * plain.sd)
    assert apart.sd == pytest.approx(plain.sd, rel=0.005)


@pytest.mark.sampling
def test_with_few_buyers_the_hurdle_interval_covers_the_truth_more_often() -> None:
    truth = 0.05 * np.exp(3 + 0.5)
    covered = {"hurdle": 0, "plain": 0}
    for seed in range(200):
        revenue = shop(400, 1000 + seed)
        for name, arm in (("hurdle", hurdle(revenue)), ("plain", mean_arm(of(revenue)))):
            low, high = arm.ppf([0.025, 0.975])
            covered[name] += low <= truth <= high
    assert covered["hurdle"] > covered["plain"]
    assert covered["hurdle"] > 0.88 * 200


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: binary_arm(Moments.empty()), "no customer"),
        (lambda: binary_arm(Moments.of_binary(1, 10), (0.0, 1.0)), "above 0"),
        (lambda: binary_arm(Moments.of_mean(10, 2.0, 4.0)), "not yes or no"),
        (lambda: mean_arm(Moments.of_mean(3, 2.0, 4.0)), "at least 4"),
        (lambda: mean_arm(Moments.empty()), "There are 0 customers"),
        (lambda: mean_arm(Moments.of_mean(50, 0.0, 0.0)), "All 50 values are 0"),
        (
            lambda: hurdle_arm(Moments.of_mean(5, 2.0, 4.0), Moments.of_mean(6, 2.0, 4.0)),
            r"more buyers \(6\) than customers \(5\)",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_in_words(make, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match=words):
        make()


def test_one_customer_is_data() -> None:
    assert binary_arm(Moments.of_binary(1, 1)).mean == pytest.approx(0.75)
    # With a prior that knows the spread, equal values are data too.
    arm = mean_arm(Moments.of_mean(50, 0.0, 0.0), MeanPrior(mean=0, weight=1, shape=2, rate=2))
    assert 0 < arm.sd < 1
