"""Adjustment for the past: regression as a second method, calibration, the published case, tea-tasting."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from workbench.models.arms import mean_arm
from workbench.models.comparison import compare
from workbench.models.frequentist import welch
from workbench.models.linearised import adjusted, slope
from workbench.moments import CrossMoments, Moments


def people(n: int, seed: int, lift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """An outcome and what was known before, which explains half of its variance."""
    random = np.random.default_rng(seed)
    past = random.gamma(2, 1, n)
    return (10 + lift) + past + random.normal(0, sqrt(2), n), past


def pair(y: np.ndarray, x: np.ndarray) -> CrossMoments:
    return CrossMoments.of_sums(len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y)


def adjust(control: CrossMoments, treatment: CrossMoments) -> tuple[Moments, Moments]:
    """Both as the package adjusts them: one slope within the arms, the past as that of everybody."""
    theta, centre = slope([control, treatment]), (control.x + treatment.x).mean
    return adjusted(control, theta, centre), adjusted(treatment, theta, centre)


def test_adjusted_means_are_those_of_people_with_the_same_past() -> None:
    before, after = people(4000, 2), people(4000, 3, lift=0.2)
    arms = pair(*before), pair(*after)
    control, treatment = adjust(*arms)
    raw = compare(*(mean_arm(arm.y) for arm in reversed(arms)))
    better = compare(mean_arm(treatment), mean_arm(control))
    assert better.difference_sd == pytest.approx(raw.difference_sd * sqrt(0.5), rel=0.03)
    # Analysis of covariance as the second method: dummy, covariate, one slope.
    y, x = np.r_[before[0], after[0]], np.r_[before[1], after[1]]
    design = np.column_stack([np.ones(8000), np.repeat([0, 1], 4000), x])
    beta, rest, *_ = np.linalg.lstsq(design, y)
    se = np.sqrt(rest[0] / 7997 * np.linalg.inv(design.T @ design)[1, 1])
    assert slope(arms) == pytest.approx(beta[2])
    assert better.difference == pytest.approx(beta[1], abs=1e-9)
    assert better.difference_sd == pytest.approx(se, rel=0.01)


def test_adjusted_intervals_of_differences_and_lifts_hold_the_truth() -> None:
    differences = lifts = 0
    for seed in range(400):
        control, treatment = adjust(
            *(pair(*people(300, 10_000 + 2 * seed + i, lift=0.6 * i)) for i in (0, 1))
        )
        found = compare(mean_arm(treatment), mean_arm(control))
        differences += found.difference_interval[0] <= 0.6 <= found.difference_interval[1]
        assert found.lift_interval is not None
        lifts += found.lift_interval[0] <= 0.6 / 12 <= found.lift_interval[1]
    assert 0.92 * 400 < differences < 0.98 * 400
    assert 0.92 * 400 < lifts < 0.98 * 400


def test_the_unit_of_the_past_does_not_matter() -> None:
    y, x = people(900, 7)
    euros, cents = (adjust(pair(y[::2], x[::2] * unit), pair(y[1::2], x[1::2] * unit)) for unit in (1, 1e5))
    for one, other in zip(euros, cents, strict=True):
        assert (one.mean, one.m2) == pytest.approx((other.mean, other.m2), rel=1e-9)


def test_published_adjusted_means_and_standard_errors() -> None:
    control = CrossMoments.of_sums(2801, 195, 280, 390, 560, -18)
    treatment = CrossMoments.of_sums(2800, 110, 205, 380, 510, -8)
    # Published with the slope over everybody, and not centred: ȳ − θ x̄ instead of ȳ − θ (x̄ − x̄ of all).
    theta = slope([control + treatment])
    assert theta == pytest.approx(-0.069566052, abs=5e-10)
    one, other = (adjusted(arm, theta, 0.0) for arm in (control, treatment))
    assert (one.mean, other.mean) == pytest.approx((0.104807347, 0.075947238), abs=5e-10)
    assert sqrt(one.variance / one.n + other.variance / other.n) == pytest.approx(0.0114240, abs=5e-8)
    # The slope within the arms, which the package takes, says the same to a hundredth of its error.
    one, other = adjust(control, treatment)
    difference = compare(mean_arm(other), mean_arm(one))
    assert difference.difference == pytest.approx(-0.0288601, abs=0.01 * 0.0114240)
    assert difference.difference_sd == pytest.approx(0.0114240, rel=1e-3)
    # GrowthBook's lift is over the control's plain mean; over the adjusted one it is about as sure.
    lift = welch(other, one)
    assert lift.relative == pytest.approx(-0.288704169, abs=0.005)
    assert lift.relative_standard_error == pytest.approx(0.0996542, rel=0.02)


def test_tea_tasting_adjusts_to_the_same_means() -> None:
    import tea_tasting as tt

    data = tt.make_users_data(n_users=600, covariates=True, rng=3, return_type="pandas")
    theirs = tt.Experiment(orders=tt.Mean("orders", covariate="orders_covariate")).analyze(data)["orders"]
    sides = (data[data["variant"] == variant] for variant in (0, 1))
    control, treatment = (
        pair(rows["orders"].to_numpy(float), rows["orders_covariate"].to_numpy(float)) for rows in sides
    )
    theta, centre = slope([control + treatment]), (control.x + treatment.x).mean
    one, other = (adjusted(arm, theta, centre) for arm in (control, treatment))
    assert (one.mean, other.mean) == pytest.approx((theirs.control, theirs.treatment))
    test = welch(other, one)
    assert test.interval == pytest.approx((theirs.effect_size_ci_lower, theirs.effect_size_ci_upper))
    assert test.p_value == pytest.approx(theirs.pvalue)
    one, other = adjust(control, treatment)
    assert other.mean - one.mean == pytest.approx(theirs.effect_size, abs=0.01 * test.standard_error)
