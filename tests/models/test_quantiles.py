"""Quantiles as means: by group, drawn towards each other, and of customers who count with weights."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from workbench.errors import ModelError
from workbench.models.arms import mean_arm
from workbench.models.bootstrap import quantile_band
from workbench.models.comparison import compare
from workbench.models.linearised import quantile
from workbench.models.pooling import pool_segments
from workbench.moments import Histogram, Moments

UPPER = 0.9
Z = float(special.ndtri(UPPER))


def weighed(values: np.ndarray, weights: np.ndarray) -> Histogram:
    order = np.argsort(values)
    return Histogram(values[order], np.ones(len(values)), weights[order], weights[order] ** 2)


def test_the_band_of_one_arm_is_that_of_the_bayesian_bootstrap() -> None:
    values = np.random.default_rng(1).lognormal(4, 1, 3000)
    found = quantile(Histogram.of(values), UPPER)
    middle, low, high = quantile_band(Histogram.of(values), UPPER)
    assert found.mean == pytest.approx(middle, rel=0.005)
    assert mean_arm(found).sd * 2 * 1.96 == pytest.approx(high - low, rel=0.05)


def test_weights_stand_for_customers() -> None:
    """Of weights that are all the same nothing changes; one of two is as the value twice, but less sure."""
    values = np.random.default_rng(2).lognormal(3, 0.8, 400)
    plain = quantile(Histogram.of(values), UPPER)
    same = quantile(weighed(values, np.full(400, 2.5)), UPPER)
    assert same.mean == plain.mean
    assert same.m2 == pytest.approx(plain.m2)
    twice = np.where(np.arange(400) < 100, 2.0, 1.0)
    found, repeated = quantile(weighed(values, twice), 0.5), quantile(Histogram.of(np.repeat(values, 2)), 0.5)
    assert found.mean == quantile(Histogram.of(np.r_[values, values[:100]]), 0.5).mean
    assert mean_arm(found).sd > mean_arm(repeated).sd


def test_with_weights_it_is_as_sure_as_a_bootstrap_of_the_customers() -> None:
    rng = np.random.default_rng(3)
    weights = rng.choice([1.2, 2.0, 6.0], 1500)
    values = rng.lognormal(3 + 0.1 * weights, 0.8)
    found = mean_arm(quantile(weighed(values, weights), UPPER))
    drawn = []
    for _ in range(600):
        some = rng.integers(0, 1500, 1500)
        drawn.append(quantile(weighed(values[some], weights[some]), UPPER).mean)
    assert found.sd == pytest.approx(np.std(drawn), rel=0.15)


@pytest.mark.requirement("X09")
def test_where_shares_moved_intervals_hold_the_quantile_of_everybody() -> None:
    """Half of the customers got the change with 20 %, half, who spend more, with 70 %."""
    rng = np.random.default_rng(4)
    some = np.random.default_rng(5)
    spends = some.random(1_000_000) < 0.5
    drawn = some.lognormal(np.where(spends, 4.2, 3.0), 0.7)
    truth = np.quantile(drawn, 0.5) * (np.exp(0.1) - 1)
    held = plainly = 0
    for _ in range(150):
        much = rng.random(1200) < 0.5
        p = np.where(much, 0.7, 0.2)
        new = rng.random(1200) < p
        values = rng.lognormal(np.where(much, 4.2, 3.0) + 0.1 * new, 0.7)
        weights = 1 / np.where(new, p, 1 - p)
        arms = [mean_arm(quantile(weighed(values[in_it], weights[in_it]), 0.5)) for in_it in (new, ~new)]
        low, high = compare(*arms, 0.9).difference_interval
        held += low <= truth <= high
        arms = [mean_arm(quantile(Histogram.of(values[in_it]), 0.5)) for in_it in (new, ~new)]
        low, high = compare(*arms, 0.9).difference_interval
        plainly += low <= truth <= high
    assert abs(held / 150 - 0.9) < 3 * np.sqrt(0.9 * 0.1 / 150)
    assert plainly < 15  # without the weights


@pytest.mark.requirement("C03")
def test_by_group_raw_and_pooled_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Six groups whose effects differ as the prior expects; 40 % buy nothing."""
    raw = pooled = wider = 0
    at = float(special.ndtri((UPPER - 0.4) / 0.6))
    experiments, groups = 60, 6
    for seed in range(experiments):
        rng = np.random.default_rng([6, seed])
        centres, effects = rng.normal(4, 0.3, groups), rng.normal(0.1, 0.15, groups)
        sides: list[list[Moments]] = [
            [
                quantile(Histogram.of(rng.lognormal(m, 0.8, 600) * (rng.random(600) > 0.4)), UPPER)
                for m in means
            ]
            for means in (centres, centres + effects)
        ]
        truth = np.exp(centres + effects + 0.8 * at) - np.exp(centres + 0.8 * at)
        together = pool_segments("mean", sides[0], sides[1], level=0.9).segments
        for one, other, part, true in zip(*sides, together, truth, strict=True):
            low, high = compare(mean_arm(other), mean_arm(one), 0.9).difference_interval
            raw += low <= true <= high
            assert not hasattr(part, "template")
            least, most = part.difference_interval  # type: ignore[union-attr] # a group that was pooled
            pooled += least <= true <= most
            wider += most - least < high - low
    trials = experiments * groups
    tolerance = 3 * np.sqrt(0.9 * 0.1 / trials)
    assert abs(raw / trials - 0.9) < tolerance
    assert abs(pooled / trials - 0.9) < tolerance
    assert wider / trials > 0.8  # what the groups have in common makes each surer


def test_a_quantile_that_cannot_be_told_is_not() -> None:
    values = np.r_[np.zeros(80), np.ones(20)]
    with pytest.raises(ModelError, match="cannot move"):
        quantile(Histogram.of(values), 0.5)
    with pytest.raises(ModelError, match="too few for a quantile"):
        quantile(Histogram.of(values), 0.99)
    few = weighed(np.arange(100.0), np.where(np.arange(100) > 96, 300.0, 1.0))
    with pytest.raises(ModelError, match="too few for a quantile"):  # three customers stand for all others
        quantile(few, UPPER)
