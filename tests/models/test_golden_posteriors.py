"""Published posteriors of arms, peeking simulated; other tests of this folder hold the rest.

Exact Betas and the best of three: `test_comparison`; Normal-inverse-gamma: `test_arms`; eight schools:
`test_pooling`. They are repeated here where one line shows a published number.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from tests.second_methods.lognormal import LognormalHurdle, lognormal_hurdle
from workbench.models.arms import UNIFORM, BetaArm, MeanPrior, binary_arm, mean_arm
from workbench.models.comparison import best, compare
from workbench.models.drawn import best as best_drawn
from workbench.models.lift import LiftPrior, posterior
from workbench.models.rates import GammaRate
from workbench.models.shrinkage import HalfCauchy, pool
from workbench.moments import Moments

N, POSITIVE = np.array([31500, 32000, 31000]), np.array([1580, 1700, 1550])


def test_conversion_of_two_arms() -> None:
    arms = [binary_arm(Moments.of_binary(s, 1000), UNIFORM) for s in (120, 150)]
    result = compare(arms[1], arms[0])
    assert result.probability_better == pytest.approx(0.975068, abs=5e-7)
    assert (result.expected_loss, result.expected_loss_control) == pytest.approx(
        (0.000144, 0.030084), abs=5e-7
    )


def test_exact_betas() -> None:
    result = compare(BetaArm(70, 90), BetaArm(40, 60))
    assert result.probability_better == pytest.approx(0.7262717462, abs=5e-11)
    assert (result.expected_loss_control, result.expected_loss) == pytest.approx(
        (0.0481119843, 0.0106119843), abs=5e-11
    )


def test_best_of_three_exact_and_as_bayesian_testing_draws_it() -> None:
    from bayesian_testing.experiments import BinaryDataTest

    probability, loss = best(
        [binary_arm(Moments.of_binary(int(s), int(n))) for s, n in zip(POSITIVE, N, strict=True)]
    )
    assert probability == pytest.approx([0.0411975, 0.9254342, 0.0333682], abs=5e-8)
    assert loss == pytest.approx([0.00302113, 0.0000551747, 0.00317962], rel=2e-6)
    theirs = BinaryDataTest()
    for name, n, s in zip("ABC", N, POSITIVE, strict=True):
        theirs.add_variant_data_agg(name, totals=int(n), positives=int(s))
    drawn = [row["prob_being_best"] for row in theirs.evaluate(sim_count=20_000, seed=52)]
    assert drawn == pytest.approx(probability, abs=4 * np.sqrt(0.07 / 20_000))
    assert drawn == pytest.approx([0.04185, 0.92235, 0.0358], abs=4 * np.sqrt(0.14 / 20_000))


def test_normal_inverse_gamma_and_gamma_poisson() -> None:
    arm = mean_arm(Moments.of_sums(40, 386.6, 4255.42), MeanPrior(mean=9, weight=0.01))
    assert arm.mean == pytest.approx(9.66483, abs=5e-6)
    assert arm.ppf([0.025, 0.975]) == pytest.approx((8.5139674, 10.8157002), abs=5e-8)
    rate = GammaRate(0.1 + 43, 0.1 + 15)
    assert rate.mean == pytest.approx(2.8543046, abs=5e-8)
    assert rate.ppf([0.025, 0.975]) == pytest.approx((2.0665133, 3.7673357), abs=5e-8)


def test_delta_lognormal() -> None:
    logs = [
        Moments.of_sums(1580, 3831.806394737816, 11029.923165846496),
        Moments.of_sums(1700, 4211.72986767986, 12259.51868396913),
        Moments.of_sums(1550, 4055.965234848171, 12357.911862914),
    ]
    beta = [(1.0, 0.5), (0.5, 0.5), (0.5, 0.5)]
    normal = [MeanPrior(1, 0.01), MeanPrior(2, 0.02), MeanPrior(1, 0.01, shape=1, rate=2)]
    arms: list[LognormalHurdle] = [
        lognormal_hurdle(int(n), moments, share, value)
        for n, moments, share, value in zip(N, logs, beta, normal, strict=True)
    ]
    # The published plug-ins have (s + a) / (n + b) for the mean of a Beta, an a short in the denominator.
    short = [(n + a + b) / (n + b) for n, (a, b) in zip(N, beta, strict=True)]
    assert [arm.plug_in * s for arm, s in zip(arms, short, strict=True)] == pytest.approx(
        [0.98309, 1.08266, 1.20276], abs=5e-6
    )
    draws = 200_000
    probability, loss = best_drawn([arm.arm(draws, seed=i) for i, arm in enumerate(arms)])
    for ours, published in zip(probability, (0.00017, 0.0329, 0.9669), strict=True):
        assert ours == pytest.approx(published, abs=4 * np.sqrt(published / draws) + 5e-5)
    assert loss == pytest.approx([0.2210, 0.1214, 0.00084], abs=4 * 0.08 / np.sqrt(draws))


def test_eight_schools() -> None:
    pooled = pool([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18], HalfCauchy(5), (0, 5))
    assert (pooled.overall.mean, pooled.overall.sd, pooled.tau) == pytest.approx(
        (4.39682, 3.31770, 3.5977), abs=5e-5
    )
    assert [pooled.effects[i].mean for i in (0, 6, 4)] == pytest.approx([6.21188, 6.29672, 3.61548], abs=5e-6)


def better(successes: np.ndarray, n: np.ndarray | int) -> np.ndarray:
    """P(B > A) under flat priors by moments of the Betas, right to 0.002 at 100 conversions; arms first."""
    a, b = successes + 1.0, n - successes + 1.0
    mean, variance = a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1))
    return special.ndtr((mean[1] - mean[0]) / np.sqrt(variance.sum(axis=0)))


def looks(rate: float, per_look: int, count: int, tests: int, seed: int) -> np.ndarray:
    """Conversions so far at each look; shape (arms, tests, looks)."""
    random = np.random.default_rng(seed)
    return random.binomial(per_look, rate, (2, tests, count)).cumsum(axis=2)


def test_peeking_finds_a_winner_in_four_of_ten_tests_without_one() -> None:
    tests = 40_000
    successes = looks(0.1, 500, 14, tests, seed=1)
    sure = np.abs(better(successes, 500 * np.arange(1, 15)) - 0.5) > 0.45
    once, ever = sure[:, -1].mean(), sure.any(axis=1).mean()
    assert once == pytest.approx(0.099, abs=4 * np.sqrt(0.09 / tests) + 5e-4)
    assert ever == pytest.approx(0.381, abs=4 * np.sqrt(0.24 / tests) + 5e-4)


def test_a_prior_of_the_lift_makes_peeking_cheaper() -> None:
    """5 % baseline, no effect, 20 looks of 1,000 per arm: how often B is shipped."""
    tests = 40_000
    successes, n = looks(0.05, 1000, 20, tests, seed=2), 1000 * np.arange(1, 21)
    flat = better(successes, n) > 0.95
    shares = successes / n
    estimate = np.log(shares[1] / shares[0])
    se = np.sqrt(((1 - shares) / successes).sum(axis=0))
    shipped = {
        sd: (posterior(estimate, se, LiftPrior(0, sd)).probability_above(0) > 0.95).any(axis=1).mean()
        for sd in (0.1, 0.05)
    }
    error = 4 * np.sqrt(0.16 / tests) + 5e-4
    assert flat.any(axis=1).mean() == pytest.approx(0.211, abs=error)
    assert flat[:, -1].mean() == pytest.approx(0.048, abs=error)
    assert shipped[0.1] == pytest.approx(0.097, abs=error)
    assert shipped[0.05] == pytest.approx(0.028, abs=error)
