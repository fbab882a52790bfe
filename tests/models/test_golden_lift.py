"""Published posteriors of a lift: Normal effects, quantiles, the scale of a prior, log odds."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from workbench.errors import ModelError
from workbench.models.arms import JEFFREYS, MeanArm, binary_arm
from workbench.models.lift import (
    LiftPrior,
    log_bayes_factor,
    log_lift,
    log_odds_ratio,
    posterior,
    relative_lift,
)
from workbench.models.tied_arms import TiedArms
from workbench.models.tied_comparison import compare
from workbench.moments import Moments


def known(mean: float, se: float) -> MeanArm:
    """A mean with a Normal posterior."""
    return MeanArm(mean, se, 1e12)


def share(successes: int, n: int) -> MeanArm:
    p = successes / n
    return known(p, sqrt(p * (1 - p) / n))


def of_sums(n: int, total: float, squares: float) -> MeanArm:
    moments = Moments.of_sums(n, total, squares)
    return known(moments.mean, sqrt(moments.variance / n))


def test_relative_lift_of_two_shares_with_a_flat_prior() -> None:
    effect = posterior(*relative_lift(share(51, 100), share(49, 100)), scale="difference")
    assert (effect.mean, effect.sd) == pytest.approx((0.04082, 0.14725), abs=5e-6)
    assert effect.interval(0.95) == pytest.approx((-0.24779, 0.32943), abs=5e-6)
    assert effect.probability_above(0) == pytest.approx(0.60918, abs=5e-6)
    assert effect.expected_losses()[::-1] == pytest.approx((0.08140, 0.04058), abs=5e-6)


def test_relative_lift_of_two_means_with_and_without_a_prior() -> None:
    estimate = relative_lift(of_sums(10, 105, 1111.5), of_sums(10, 100, 1002.25))
    flat = posterior(*estimate, scale="difference")
    assert (flat.mean, flat.sd) == pytest.approx((0.05, 0.03572), abs=5e-6)
    assert flat.interval() == pytest.approx((-0.02, 0.12), abs=1e-5)
    assert flat.probability_above(0) == pytest.approx(0.91923, abs=5e-6)
    assert flat.expected_losses()[::-1] == pytest.approx((0.05131, 0.00131), abs=5e-6)
    held = posterior(*estimate, LiftPrior(0.1, sqrt(0.1), "difference"))
    assert (held.mean, held.sd) == pytest.approx((0.05063, 0.03549), abs=5e-6)
    assert held.interval() == pytest.approx((-0.01893, 0.12019), abs=5e-6)
    assert held.probability_above(0) == pytest.approx(0.92315, abs=5e-6)
    assert held.expected_losses()[::-1] == pytest.approx((0.05186, 0.00123), abs=5e-6)


def test_expected_losses_of_a_normal_effect() -> None:
    losses = posterior(0.1, 0.05, scale="difference").expected_losses()
    assert losses[::-1] == pytest.approx((0.1004245351308, 0.0004245351308414), abs=1e-12)


def test_relative_lift_of_a_posthog_mean() -> None:
    treatment, control = of_sums(2461, 1922.7, 94698.29), of_sums(2507, 1196.87, 37377.9767)
    effect = posterior(*relative_lift(treatment, control), scale="difference")
    assert effect.mean == pytest.approx(0.63646, abs=1e-5)  # printed cut off, not rounded
    assert effect.interval() == pytest.approx((-0.0873, 1.36026), abs=1e-4)
    assert effect.probability_above(0) == pytest.approx(0.95759, abs=1e-5)


def test_difference_and_lift_of_two_quantiles() -> None:
    def arm(n: int, quantile: float, low: float, high: float) -> MeanArm:
        # The published variances are those of the band times (n − 1) / n.
        return known(quantile, (high - low) / (2 * 1.959963984540054) * sqrt((n - 1) / n))

    control = arm(11054, 7.157987489967789, 7.098780136176828, 7.217194843758751)
    treatment = arm(10861, 7.694499927525767, 7.64180598628119, 7.747193868770344)
    difference = treatment.mean - control.mean
    flat = posterior(difference, np.hypot(treatment.sd, control.sd), scale="difference")
    assert flat.mean == pytest.approx(0.5365124375579775, abs=1e-12)
    assert flat.interval() == pytest.approx((0.4572559589115422, 0.6157689162044128), abs=1e-8)
    held = posterior(*relative_lift(treatment, control), LiftPrior(0, 1, "difference"))
    assert held.mean == pytest.approx(0.07495037261804469, abs=1e-8)
    assert held.interval() == pytest.approx((0.06340765898986044, 0.08649308624622894), abs=1e-8)


def test_the_scale_of_a_prior_matters() -> None:
    treatment, control = share(10, 200), share(4, 200)
    # These standard errors are too large for a relative lift to be offered; the arithmetic is the point.
    ratio, sd = 2.5, np.hypot(treatment.sd, 2.5 * control.sd) / control.mean
    on_lift = posterior(ratio - 1, sd, LiftPrior(0, sqrt(0.1), "difference"))
    assert on_lift.mean == pytest.approx(0.067, abs=5e-4)
    assert on_lift.probability_above(0) == pytest.approx(0.586, abs=5e-4)
    se = np.hypot(treatment.sd / treatment.mean, control.sd / control.mean)
    on_log = posterior(np.log(ratio), se, LiftPrior(0, sqrt(0.1)))
    assert on_log.quantiles(0.5) == pytest.approx(0.232, abs=5e-4)
    assert on_log.interval() == pytest.approx((-0.286, 1.12), abs=5e-3)
    assert on_log.probability_above(0) == pytest.approx(0.773, abs=5e-4)


def test_log_odds_in_closed_form_and_exact() -> None:
    control, treatment = Moments.of_binary(1000, 20_000), Moments.of_binary(1100, 20_000)
    prior = LiftPrior(0, 0.1, "log odds")
    estimate = log_odds_ratio(treatment, control)
    effect = posterior(*estimate, prior)
    assert (effect.mean, effect.sd) == pytest.approx((0.083689, 0.040941), abs=5e-7)
    assert effect.probability_above(0) == pytest.approx(0.97953, abs=5e-6)
    assert np.exp(log_bayes_factor(*estimate, prior)) == pytest.approx(3.3075, abs=5e-5)
    # Exact binomial likelihoods, where half a customer more is the Jeffreys prior; 3.3078 is within 0.3 %.
    tied = TiedArms(binary_arm(control, JEFFREYS), [binary_arm(treatment, JEFFREYS)], prior)
    assert compare(tied).probability_better == pytest.approx(0.97953, abs=1e-4)
    assert np.exp(tied.log_bayes_factor()) == pytest.approx(3.3078, rel=3e-3)


def test_a_lift_needs_a_baseline_that_is_surely_positive() -> None:
    for control in (known(0.1, 0.05), known(-2.0, 0.1), known(0.0, 1.0)):
        with pytest.raises(ModelError, match="Read the difference instead"):
            relative_lift(known(1.0, 0.1), control)
        with pytest.raises(ModelError, match="Read the difference instead"):
            log_lift(known(1.0, 0.1), control)
