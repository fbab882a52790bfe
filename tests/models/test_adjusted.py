"""Adjustment for the past: regression as a second method, calibration, balance, missing pasts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workbench.errors import ModelError
from workbench.models.adjusted import Covaried, adjust, adjusted_lift, balance, slopes
from workbench.models.arms import mean_arm
from workbench.models.comparison import compare
from workbench.moments import CrossMoments, Moments


def people(n: int, seed: int, lift: float = 0.0, covariates: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """An outcome and what was known before, which explains half of its variance."""
    random = np.random.default_rng(seed)
    past = random.gamma(2, 1, (n, covariates))
    scale = np.sqrt(2 * covariates)
    return (10 + lift) + past.sum(axis=1) + random.normal(0, scale, n), past


def pair(x: np.ndarray, y: np.ndarray) -> CrossMoments:
    return CrossMoments.of_sums(len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y)


def test_slopes_are_those_of_a_regression_over_everybody() -> None:
    y, x = people(500, 1, covariates=3)
    arms = [Covaried.of(y[:200], x[:200]), Covaried.of(y[200:], x[200:])]
    design = np.column_stack([np.ones(500), x])
    assert slopes(arms) == pytest.approx(np.linalg.lstsq(design, y)[0][1:])


@pytest.mark.requirement("X14")
def test_adjusted_means_are_those_of_people_with_the_same_past() -> None:
    control, treatment = people(4000, 2), people(4000, 3, lift=0.2)
    adjusted = adjust([Covaried.of(*control), Covaried.of(*treatment)])
    assert adjusted.variance_removed == pytest.approx(0.5, abs=0.03)
    raw = compare(
        *(
            mean_arm(Moments.of_mean(4000, side[0].mean(), side[0].var(ddof=1)))
            for side in (treatment, control)
        )
    )
    better = compare(mean_arm(adjusted.moments[1]), mean_arm(adjusted.moments[0]))
    assert better.difference_sd == pytest.approx(raw.difference_sd * np.sqrt(0.5), rel=0.03)
    # Analysis of covariance as the second method: dummy, covariate, one slope.
    y, x = np.r_[control[0], treatment[0]], np.r_[control[1], treatment[1]][:, 0]
    design = np.column_stack([np.ones(8000), np.repeat([0, 1], 4000), x])
    beta, rest, *_ = np.linalg.lstsq(design, y)
    se = np.sqrt(rest[0] / 7997 * np.linalg.inv(design.T @ design)[1, 1])
    assert better.difference == pytest.approx(beta[1], abs=0.02 * se)
    assert better.difference_sd == pytest.approx(se, rel=0.01)


def test_adjusted_intervals_of_differences_and_lifts_hold_the_truth() -> None:
    differences = lifts = 0
    for seed in range(400):
        arms = [Covaried.of(*people(300, 10_000 + 2 * seed + i, lift=0.6 * i)) for i in (0, 1)]
        try:
            adjusted = adjust(arms)
        except ModelError:  # one in a thousand is refused by chance
            continue
        low, high = compare(*(mean_arm(m) for m in reversed(adjusted.moments))).difference_interval
        differences += low <= 0.6 <= high
        lift, se = adjusted_lift(arms[1], arms[0], adjusted.theta)
        lifts += abs(lift - 0.6 / 12) <= 1.96 * se
    assert 0.92 * 400 < differences < 0.98 * 400
    assert 0.92 * 400 < lifts < 0.98 * 400


def test_people_without_a_past_are_kept_with_an_indicator() -> None:
    random = np.random.default_rng(5)
    y, x = people(1000, 6)
    gone = random.random(1000) < 0.3
    y = y - 3.0 * gone
    known, missing = (
        pair(x[~gone, 0], y[~gone]),
        Moments.of_mean(gone.sum(), y[gone].mean(), y[gone].var(ddof=1)),
    )
    together = Covaried.with_missing(known, missing)
    by_hand = Covaried.of(y, np.column_stack([np.where(gone, 0.0, x[:, 0]), gone]))
    assert together.n == 1000
    assert together.means == pytest.approx(by_hand.means)
    assert together.scatter == pytest.approx(by_hand.scatter)
    # With the indicator the slope is that of those with a past; without it zeros pass for quiet pasts.
    first, second = (
        Covaried.of(y[i::2], np.column_stack([np.where(gone, 0.0, x[:, 0]), gone])[i::2]) for i in (0, 1)
    )
    assert slopes([first, second])[0] == pytest.approx(known.c_xy / known.m2_x)
    # Nobody without a past: the indicator does not vary and changes nothing.
    whole = [Covaried.with_missing(pair(x[i::2, 0], y[i::2]), Moments.empty()) for i in (0, 1)]
    plain = [Covaried.of_pair(pair(x[i::2, 0], y[i::2])) for i in (0, 1)]
    assert adjust(whole).moments == adjust(plain).moments


def test_groups_add_up_and_the_unit_of_the_past_does_not_matter() -> None:
    y, x = people(900, 7, covariates=2)
    whole = Covaried.of(y, x)
    parts = Covaried.of(y[:100], x[:100]) + Covaried.of(y[100:], x[100:])
    assert parts.scatter == pytest.approx(whole.scatter)
    sums = np.column_stack([y, x])
    assert Covaried.of_sums(900, sums.sum(axis=0), sums.T @ sums).scatter == pytest.approx(whole.scatter)
    euros, cents = (
        adjust([Covaried.of(y[i::2], x[i::2] * np.array([1, unit])) for i in (0, 1)]) for unit in (1, 1e5)
    )
    for one, other in zip(euros.moments, cents.moments, strict=True):
        assert one.mean == pytest.approx(other.mean, rel=1e-9)
        assert one.m2 == pytest.approx(other.m2, rel=1e-9)


def test_covariates_that_say_the_same_twice_do_no_harm() -> None:
    y, x = people(400, 8)
    twice = np.column_stack([x, 2 * x])
    once, doubled = (adjust([Covaried.of(y[i::2], c[i::2]) for i in (0, 1)]) for c in (x, twice))
    assert doubled.moments[1].mean == pytest.approx(once.moments[1].mean)
    assert doubled.balance.p_value == pytest.approx(once.balance.p_value)


def test_balance_by_chance_is_evenly_spread_and_its_interval_holds_nothing() -> None:
    p_values, held = [], 0
    for seed in range(400):
        arms = [
            Covaried.of(*people(n, 20_000 + 3 * seed + i, covariates=2)) for i, n in enumerate((80, 120, 60))
        ]
        found = balance(arms)
        p_values.append(found.p_value)
        low, high = found.interval()
        held += int(((low <= 0) & (high >= 0)).sum())
    assert stats.kstest(p_values, "uniform").pvalue > 0.001
    assert held / (400 * 4) == pytest.approx(0.95, abs=0.02)


@pytest.mark.requirement("X14")
def test_arms_that_were_unlike_before_are_not_adjusted() -> None:
    y, x = people(2000, 9)
    arms = [Covaried.of(y[:1000], x[:1000]), Covaried.of(y[1000:], x[1000:] + 0.4)]
    found = balance(arms)
    assert found.beyond_chance
    assert float(found.difference[0, 0]) == pytest.approx(0.4 / np.sqrt(2), abs=0.1)
    with pytest.raises(ModelError, match="not assigned at random"):
        adjust(arms)


def test_what_cannot_be_adjusted_is_refused_in_words() -> None:
    y, x = people(100, 10)
    arm = Covaried.of(y, x)
    with pytest.raises(ModelError, match="two arms"):
        adjust([arm])
    with pytest.raises(ModelError, match="explains nothing"):
        adjust([Covaried.of(y, np.ones(100)), Covaried.of(y, np.ones(100))])
    with pytest.raises(ModelError, match="no noise"):
        adjust([Covaried.of(np.ones(50), x[:50]), Covaried.of(np.ones(50), x[50:])])
    around_zero = Covaried.of(y - y.mean(), x)
    with pytest.raises(ModelError, match="Read the difference instead"):
        adjusted_lift(arm, around_zero, slopes([arm]))
