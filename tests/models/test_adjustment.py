"""Adjustment for what is known: the truth is found where it can be, and nothing is said where it cannot."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from tests.models.populations import compressed, confounded
from workbench.errors import ModelError
from workbench.models.adjustment import (
    ESTIMATES,
    Means,
    as_seen,
    by_regression,
    of_everybody,
    of_treated,
    overlap,
    propensity,
)
from workbench.models.overlap import LARGEST_IMBALANCE, adjust, balance, effective, without_counterpart


@pytest.mark.parametrize("binary", [True, False])
def test_the_keen_look_better_and_adjustment_finds_that_nothing_was_done_to_them(binary: bool) -> None:
    codes, treated, y, _ = confounded(60_000, np.random.default_rng(1), binary=binary)
    people = compressed(codes, treated, y, binary=binary)
    assert len(people.n) <= 3 * 4 * 2 * 2 * 5
    seen = as_seen(people)
    assert seen.difference > 10 * seen.sd
    for estimate in (by_regression, overlap, of_treated, of_everybody):
        found = estimate(people)
        assert abs(found.difference) < 4 * found.sd < 0.5 * seen.difference


def test_propensities_are_those_of_a_logistic_regression_by_statsmodels() -> None:
    codes, treated, y, _ = confounded(20_000, np.random.default_rng(2), binary=True)
    people = compressed(codes, treated, y, binary=True)
    design = np.delete(people.x, [1, 4, 8], axis=1)  # one level of each covariate as the base
    counts = np.column_stack([people.n * people.treated, people.n * ~people.treated])
    other = sm.GLM(counts, design, family=sm.families.Binomial()).fit()
    assert propensity(people) == pytest.approx(other.predict(design), abs=2e-4)


@pytest.mark.sampling
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("name", ["regression", *ESTIMATES])
def test_intervals_hold_the_truth_as_often_as_they_say(name: str, binary: bool) -> None:
    rng = np.random.default_rng(5)
    estimate = {"regression": by_regression, **ESTIMATES}[name]
    held, looks = 0, 200
    for _ in range(looks):
        codes, treated, y, truth = confounded(1_500, rng, binary=binary, effect=0.8)
        found = estimate(compressed(codes, treated, y, binary=binary))
        wanted = _true(name, codes, treated, truth)
        low, high = found.interval(0.95)
        held += low <= wanted <= high
    # 95 % ± four Monte Carlo errors of 1.54 %
    assert 0.888 <= held / looks <= 1.0


def _true(name: str, codes: np.ndarray, treated: np.ndarray, truth: np.ndarray) -> float:
    """The mean difference of the people an estimate speaks of."""
    if name in ("treated", "regression"):
        return float(truth[treated].mean())
    if name == "everybody":
        return float(truth.mean())
    # overlap: each pattern counts as the variance of its treatment
    keen = codes @ np.array([0.5, 0.3, -0.4]) - 0.8
    e = 1 / (1 + np.exp(-(keen - 0.2)))
    return float(np.average(truth, weights=e * (1 - e)))


@pytest.mark.parametrize("name", ["regression", *ESTIMATES])
def test_the_bayesian_bootstrap_over_people_with_everything_learnt_again_is_as_wide(name: str) -> None:
    codes, treated, y, _ = confounded(800, np.random.default_rng(8), binary=False)
    estimate = {"regression": by_regression, **ESTIMATES}[name]
    found = estimate(compressed(codes, treated, y, binary=False))
    rng = np.random.default_rng(9)
    draws = []
    people = compressed(np.column_stack([codes, np.arange(len(y))]), treated, y, binary=False)  # row by row
    people = type(people)(people.covariates[:3], people.codes[:, :3], *_rest(people))
    for _ in range(300):
        w = rng.exponential(size=len(people.n))
        w *= len(w) / w.sum()
        fold = rng.integers(0, 5, len(w))
        mean = people.total
        again = type(people)(
            people.covariates, people.codes, people.treated, fold, w, w * mean, w * mean**2, False
        )
        draws.append(estimate(again).difference)
    assert np.std(draws) == pytest.approx(found.sd, rel=0.2)
    assert np.mean(draws) == pytest.approx(found.difference, abs=0.35 * found.sd)


def _rest(people: object) -> list[object]:
    return [getattr(people, name) for name in ("treated", "fold", "n", "total", "squares", "binary")]


def test_either_model_may_be_wrong_if_the_other_is_right() -> None:
    """Robins, Rotnitzky & Zhao 1994: two covariates at once turn the outcome, as no main effect does."""
    rng = np.random.default_rng(11)
    n = 200_000
    codes = np.column_stack([rng.integers(0, 2, n), rng.integers(0, 2, n)])
    e = 1 / (1 + np.exp(-(1.5 * codes[:, 0] + 1.5 * codes[:, 1] - 1.5)))
    treated = rng.random(n) < e
    y = 5.0 * codes[:, 0] * codes[:, 1] + rng.normal(size=n)
    people = compressed(codes, treated, y, binary=False)
    regression = by_regression(people)
    assert abs(regression.difference) > 10 * regression.sd  # by regression alone it is wrong
    for estimate in (overlap, of_treated, of_everybody):
        found = estimate(people)
        assert abs(found.difference) < 4 * found.sd


def test_overlap_weights_balance_the_mean_of_every_level_exactly() -> None:
    """Li, Morgan & Zaslavsky 2018, theorem 3; the weak prior leaves next to nothing."""
    codes, treated, y, _ = confounded(30_000, np.random.default_rng(3), binary=True, pull=2.5)
    people = compressed(codes, treated, y, binary=True)
    weights = overlap(people).weights
    assert weights is not None
    lines = balance(people, weights)
    assert max(abs(line.before) for line in lines) > 0.5
    assert max(abs(line.after) for line in lines) < 1e-3
    assert max(effective(people, weights)) < sum(people.sizes)


def test_with_a_saturated_model_overlap_is_the_weighted_mean_of_the_differences_by_level() -> None:
    """With one covariate each stratum counts as n e (1 − e)."""
    rng = np.random.default_rng(4)
    level = rng.integers(0, 4, 40_000)
    treated = rng.random(40_000) < np.array([0.1, 0.3, 0.6, 0.8])[level]
    y = rng.normal(level + treated * level, 1.0)
    found = overlap(compressed(level[:, None], treated, y, binary=False))
    apart = [y[(level == k) & treated].mean() - y[(level == k) & ~treated].mean() for k in range(4)]
    share = np.array([treated[level == k].mean() for k in range(4)])
    weight = np.bincount(level) * share * (1 - share)
    assert found.difference == pytest.approx(np.average(apart, weights=weight), abs=2e-3)


def test_as_seen_is_the_welch_comparison_of_two_means() -> None:
    rng = np.random.default_rng(6)
    y, treated = rng.normal(3, 2, 500), rng.random(500) < 0.4
    found = as_seen(compressed(np.zeros((500, 1), int), treated, y, binary=False))
    a, b = y[treated], y[~treated]
    assert found.difference == pytest.approx(a.mean() - b.mean())
    assert found.sd == pytest.approx(np.sqrt(a.var() / a.size + b.var() / b.size))


def test_a_rule_leaves_nobody_to_compare_with_and_there_is_no_number() -> None:
    rng = np.random.default_rng(7)
    orders = rng.integers(0, 6, 5_000)
    treated = orders >= 3
    y = rng.random(5_000) < 0.1 + 0.05 * orders
    found = adjust(compressed(orders[:, None], treated, y, binary=True))
    assert found.overlap.alone[0] > 0.99
    assert all(one.means is None and one.refused is not None for one in found.answers.values())
    assert "no counterpart" in str(found.answers["overlap"].refused)


def test_a_rule_for_some_is_named_and_the_others_are_compared() -> None:
    rng = np.random.default_rng(17)
    codes, treated, y, _ = confounded(20_000, rng, binary=True)
    vip = rng.random(20_000) < 0.2
    people = compressed(np.column_stack([codes, vip]), treated | vip, y, binary=True, names=[*"abc", "vip"])
    found = adjust(people)
    assert [(one.covariate, one.level) for one in found.lost] == [("vip", "1")]
    assert found.people is not None
    assert sum(found.people.sizes) == (~vip).sum()
    one = found.answers["overlap"]
    assert one.refused is None
    assert one.means is not None
    assert abs(one.means.difference) < 4 * one.means.sd


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_a_treatment_that_few_or_nearly_all_have_by_chance_can_be_compared(share: float) -> None:
    rng = np.random.default_rng(10)
    codes, _, y, _ = confounded(40_000, rng, binary=True)
    people = compressed(codes, rng.random(40_000) < share, y, binary=True)
    assert not without_counterpart(people, propensity(people)).any()
    assert all(one.refused is None for one in adjust(people).answers.values())


def test_what_only_two_covariates_at_once_can_show_is_said() -> None:
    """The treatment turns on two covariates at once, which the propensity's main effects cannot follow."""
    rng = np.random.default_rng(12)
    n = 4_000
    codes = rng.integers(0, 2, (n, 2))
    treated = rng.random(n) < np.where(codes[:, 0] ^ codes[:, 1], 0.85, 0.15)
    people = compressed(codes, treated, rng.random(n) < 0.3, binary=True)
    found = adjust(people).answers["overlap"]
    assert max(abs(line.after) for line in found.balance) < 0.01
    assert found.worst_pair is not None
    assert found.worst_pair.after > 5 * LARGEST_IMBALANCE


def test_too_few_are_refused_in_a_sentence() -> None:
    codes, treated, y, _ = confounded(60, np.random.default_rng(13), binary=True)
    treated[:] = False
    treated[:20] = True
    with pytest.raises(ModelError, match="20 customers"):
        adjust(compressed(codes, treated, y, binary=True))
    with pytest.raises(ModelError, match="nobody in it"):
        compressed(codes, np.zeros(60), y, binary=True)


def test_a_ratio_needs_means_that_are_surely_above_zero() -> None:
    covariance = np.diag([1e-4, 1e-4])
    ratio = Means(0.3, 0.2, covariance).ratio(0.95)
    assert ratio is not None
    assert ratio[0] == pytest.approx(1.5)
    assert ratio[1] < 1.5 < ratio[2]
    assert Means(0.3, 0.02, covariance).ratio(0.95) is None
    assert Means(-0.3, 0.2, covariance).ratio(0.95) is None
