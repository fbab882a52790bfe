"""Groups of customers whose parameters are known, and the same hierarchy by three other means."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from tests.models.buyers import counted, histories
from workbench.errors import ModelError
from workbench.models import hierarchical_value, pooled_value, purchases, random_coefficients
from workbench.models.importance import Array
from workbench.models.pooled_value import Group, over_segments, pool_purchases, pool_spend
from workbench.models.purchases import PurchaseDraws, PurchaseRows, expected_purchases
from workbench.models.random_coefficients import Evidence, HierarchyPrior
from workbench.models.shrinkage import HalfNormal
from workbench.models.shrinkage import pool as pool_effects
from workbench.models.spend import SpendRows, bin_spend, expected_spend

CONTROL, PERSONAL = "control", "personal"
MORE_OFTEN, LEAVE_LESS = 0.095, -0.163


def groups(
    sizes: Sequence[int],
    seed: int,
    effects: tuple[float, float] = (MORE_OFTEN, LEAVE_LESS),
    spread: float = 0.2,
    arms: Sequence[str] = (CONTROL, PERSONAL),
) -> dict[Group, PurchaseRows]:
    """Segments around CDNOW's parameters; the arm changes the log rate and the log odds of leaving."""
    rng, rows = np.random.default_rng(seed), dict[Group, PurchaseRows]()
    for index, size in enumerate(sizes):
        away = rng.normal(0, spread, 3)
        for arm in arms:
            rate, leave = effects if arm == PERSONAL else (0.0, 0.0)
            r, leaving = 0.243 * np.exp(away[1]), expit(logit(0.246) + away[2] + leave)
            values = {
                "r": r,
                "alpha": r / (0.243 / 4.414 * np.exp(away[0] + rate)),
                "a": 3.2 * leaving,
                "b": 3.2 * (1 - leaving),
            }
            T = rng.uniform(12, 52, size)
            rows[f"segment {index:02d}", arm] = counted(*histories("bg-nbd", values, T, rng), T, 1.0)
    return rows


def year(draws: PurchaseDraws) -> Array:
    """Log of the purchases expected in a year."""
    return np.log(expected_purchases(draws, 52).ravel())


@pytest.mark.requirement("V04")
def test_known_effects_of_an_arm_are_found() -> None:
    gaps = []
    for seed in range(4):
        found = pool_purchases(groups([4000] * 5, seed), CONTROL, "bg-nbd").effects[PERSONAL]
        assert np.all(found.std(axis=0) < [0.045, 0.075])
        gaps.append((found.mean(axis=0) - [MORE_OFTEN, LEAVE_LESS]) / found.std(axis=0))
    assert np.max(np.abs(gaps)) < 3
    assert abs(np.mean(gaps)) < 3 / np.sqrt(8)


@pytest.mark.sampling
@pytest.mark.requirement("V04")
def test_an_arm_that_does_nothing_is_as_likely_to_look_better_as_worse() -> None:
    better = []
    for seed in range(30):
        rows = groups([150] * 3, 100 + seed, effects=(0.0, 0.0))
        better.append(
            np.mean(pool_purchases(rows, CONTROL, "bg-nbd", draws=500).effects[PERSONAL] > 0, axis=0)
        )
    for shares in np.array(better).T:
        # A little nearer to a half than uniform: the prior lets effects differ between segments.
        assert stats.kstest(shares, "uniform").pvalue > 0.01
        assert np.mean((shares > 0.025) & (shares < 0.975)) > 0.85


@pytest.mark.sampling
@pytest.mark.requirement("V04")
def test_the_quick_answer_agrees_with_the_sampler() -> None:
    told: list[float] = []
    rows = groups([60, 120, 200, 300], seed=3)
    slow = hierarchical_value.sample_purchases(rows, CONTROL, "mbg-nbd", 4000, seed=1, progress=told.append)
    quick = pool_purchases(rows, CONTROL, "mbg-nbd", draws=4000, seed=2)
    assert slow.checks["rhat"] < 1.01
    assert slow.checks["divergences"] == 0
    assert told == sorted(told)
    ess = min(slow.checks["ess"], quick.checks["ess"])

    def assert_same(ours: Array, theirs: Array, tolerance: float, width: float) -> None:
        """Means within Monte Carlo error and a tolerance, in standard deviations; widths within a share."""
        gap = np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) / theirs.std(axis=0)
        assert np.max(gap) < tolerance + 4 * np.sqrt(2 / ess)
        assert ours.std(axis=0) == pytest.approx(theirs.std(axis=0), rel=width)

    assert_same(quick.effects[PERSONAL], slow.effects[PERSONAL], 0.15, 0.1)
    assert_same(quick.spreads, slow.spreads, 0.15, 0.15)
    for group in rows:
        assert_same(year(quick.groups[group]), year(slow.groups[group]), 0.2, 0.15)
    # The model that is compiled takes other data; it can be stopped.
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(ModelError, match="stopped"):
        hierarchical_value.sample_purchases(groups([50] * 3, 4), CONTROL, seed=1, cancel=cancel)
    with pytest.raises(ModelError, match="BG/NBD and MBG/NBD"):
        hierarchical_value.sample_purchases(rows, CONTROL, "pareto-nbd")


@pytest.mark.requirement("S05")
def test_small_groups_are_drawn_to_the_others_and_large_ones_are_not() -> None:
    rows = groups([60, 8000, 8000, 8000, 8000], 7, spread=0.05, arms=["all"])
    pooled = pool_purchases(rows, model="bg-nbd")
    small, large = ((f"segment {index:02d}", "all") for index in (0, 1))
    own = {group: year(purchases.posterior(rows[group], "bg-nbd")) for group in (small, large)}
    assert year(pooled.groups[small]).std() < 0.75 * own[small].std()
    assert year(pooled.groups[large]).std() == pytest.approx(own[large].std(), rel=0.12)
    assert abs(year(pooled.groups[large]).mean() - own[large].mean()) < 0.5 * own[large].std()


@pytest.mark.requirement("S05")
def test_the_luckiest_of_segments_that_are_alike_is_not_taken_for_the_best() -> None:
    rows = groups([200] * 10, 11, spread=0.0, arms=["all"])
    pooled = np.array([year(draws) for draws in pool_purchases(rows, model="bg-nbd").groups.values()])
    own = [year(purchases.posterior(some, "bg-nbd")).mean() for some in rows.values()]
    assert np.std(pooled.mean(axis=1)) < 0.6 * np.std(own)
    assert np.max(np.mean(pooled == pooled.max(axis=0), axis=1)) < 0.5


def test_an_arm_without_customers_in_a_segment_is_what_the_typical_effect_makes_of_its_control() -> None:
    rows = groups([2000] * 4, 5)
    last = "segment 03"
    full = pool_purchases(rows, CONTROL, "bg-nbd")
    del rows[last, PERSONAL]
    found = pool_purchases(rows, CONTROL, "bg-nbd")
    rate = {
        arm: np.log(found.groups[last, arm]["r"] / found.groups[last, arm]["alpha"])
        for arm in (CONTROL, PERSONAL)
    }
    effect = (rate[PERSONAL] - rate[CONTROL]).mean()
    assert effect == pytest.approx(found.effects[PERSONAL][:, 0].mean(), abs=0.02)
    assert year(found.groups[last, PERSONAL]).std() > 1.1 * year(full.groups[last, PERSONAL]).std()


def test_pareto_is_pooled_too() -> None:
    rng, rows = np.random.default_rng(2), dict[Group, PurchaseRows]()
    for segment, away in zip("abc", rng.normal(0, 0.2, 3), strict=True):
        for arm, rate in ((CONTROL, 0.0), (PERSONAL, 0.3)):
            values = {"r": 0.553, "alpha": 10.578 * np.exp(-away - rate), "s": 0.606, "beta": 11.669}
            T = rng.uniform(12, 52, 1500)
            rows[segment, arm] = counted(*histories("pareto-nbd", values, T, rng), T, 1.0)
    found = pool_purchases(rows, CONTROL, "pareto-nbd").effects[PERSONAL]
    assert np.all(np.abs(found.mean(axis=0) - [0.3, 0.0]) < 3 * found.std(axis=0))
    assert np.mean(found[:, 0] > 0) > 0.99


def test_spend_is_pooled_too() -> None:
    rng, rows = np.random.default_rng(4), dict[Group, SpendRows]()
    for segment, away in zip("abcd", rng.normal(0, 0.2, 4), strict=True):
        for arm, more in ((CONTROL, 0.0), (PERSONAL, 0.1)):
            x = 1.0 + rng.poisson(1.0, 3000)
            rate = rng.gamma(3.74, 1 / (15.44 * np.exp(away + more)), x.size)
            rows[segment, arm] = bin_spend(x, rng.gamma(6.25 * x) / rate / x)
    pooled = pool_spend(rows, CONTROL)
    found = pooled.effects[PERSONAL][:, 0]
    assert abs(found.mean() - 0.1) < 3 * found.std()
    values = {group: np.log(expected_spend(draws)) for group, draws in pooled.groups.items()}
    gap = over_segments(values, rows, PERSONAL, CONTROL)
    assert abs(gap.mean() - 0.1) < 3 * gap.std()
    assert gap.std() < found.std()


def test_without_arms_one_segment_keeps_its_own() -> None:
    rows = groups([3000], 6, arms=["all"])
    (pooled,) = pool_purchases(rows, model="bg-nbd").groups.values()
    (some,) = rows.values()
    own = purchases.posterior(some, "bg-nbd")
    assert year(pooled).mean() == pytest.approx(year(own).mean(), abs=0.15 * year(own).std())
    assert year(pooled).std() == pytest.approx(year(own).std(), rel=0.1)


def test_a_control_that_is_not_there_is_refused() -> None:
    rows = groups([50], 1)
    with pytest.raises(ModelError, match="control arm"):
        pool_purchases(rows, "nobody")
    with pytest.raises(ModelError, match="control arm"):
        pool_purchases(rows)


def test_leaving_is_a_share_of_customers() -> None:
    published = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
    draws = PurchaseDraws.point("pareto-nbd", **published)
    still = purchases.probability_still_customer(draws, purchases.WEEKS_PER_YEAR)
    assert pooled_value.leaving(draws) == pytest.approx(1 - still[:, None].ravel())
    assert pooled_value.leaving(PurchaseDraws.point("bg-nbd", r=1, alpha=1, a=1, b=3)) == pytest.approx(0.25)


def test_one_coefficient_is_the_normal_hierarchy_of_effects() -> None:
    """The eight schools of Rubin (1981), by quadrature over one spread."""
    effects = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
    errors = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    exact = pool_effects(effects, errors, HalfNormal(10), (0, 20))
    found = random_coefficients.sample(
        Evidence(errors[:, None, None] ** -2.0, (effects / errors**2)[:, None]),
        HierarchyPrior(np.zeros(1), np.full(1, 20.0), np.zeros(1, dtype=int), np.full(1, 10.0)),
        20_000,
        1,
    )
    assert found.typical.mean() == pytest.approx(exact.overall.mean, abs=0.15)
    assert found.typical.std() == pytest.approx(exact.overall.sd, rel=0.03)
    assert found.spreads.mean() == pytest.approx(exact.tau, rel=0.03)
    for school, effect in enumerate(exact.effects):
        assert found.each[:, school, 0].mean() == pytest.approx(effect.mean, abs=0.2)
        assert found.each[:, school, 0].std() == pytest.approx(effect.sd, rel=0.03)
