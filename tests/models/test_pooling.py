"""Partial pooling: a published posterior, its two limits, and its calibration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from workbench.errors import ModelError, WorkbenchError
from workbench.locale import Message
from workbench.models.arms import binary_arm, mean_arm
from workbench.models.comparison import compare
from workbench.models.pooling import PooledEffect, SegmentEffects, pool_segments
from workbench.models.shrinkage import HalfCauchy, HalfNormal, NormalMixture, pool
from workbench.moments import Moments

SCHOOLS = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]


def shares(*counts: tuple[int, int]) -> list[Moments]:
    return [Moments.of_binary(successes, n) for successes, n in counts]


def effects(result: SegmentEffects) -> list[PooledEffect]:
    found = [segment for segment in result.segments if isinstance(segment, PooledEffect)]
    assert len(found) == len(result.segments)
    return found


def test_published_posterior_of_the_eight_schools() -> None:
    pooled = pool(*SCHOOLS, HalfCauchy(5), (0, 5))
    assert pooled.overall.mean == pytest.approx(4.39682, abs=5e-6)
    assert pooled.overall.sd == pytest.approx(3.31770, abs=5e-6)
    assert pooled.tau == pytest.approx(3.5977, abs=5e-5)
    assert [pooled.effects[i].mean for i in (0, 6, 4)] == pytest.approx([6.21188, 6.29672, 3.61548], abs=5e-6)
    assert pooled.effects[0].sd == pytest.approx(5.59313, abs=5e-6)


def test_eight_schools_against_simulation_of_every_parameter() -> None:
    """Rejection-free: draw τ and μ from the prior, weight by the likelihood, then θ given both."""
    y, se = (np.array(side, dtype=float) for side in SCHOOLS)
    random, count = np.random.default_rng(12), 400_000
    mu, tau = random.normal(0, 5, count), np.abs(5 * random.standard_cauchy(count))
    log_weight = stats.norm.logpdf(y, mu[:, None], np.hypot(tau[:, None], se)).sum(axis=1)
    kept = random.choice(count, 100_000, p=special.softmax(log_weight))
    mu, tau = mu[kept, None], tau[kept, None]
    own = tau**2 / (tau**2 + se**2)
    theta = own * y + (1 - own) * mu + np.sqrt(own) * se * random.normal(size=own.shape)
    pooled = pool(y, se, HalfCauchy(5), (0, 5))
    assert pooled.own_weight == pytest.approx(own.mean(axis=0), abs=0.005)
    assert pooled.probability_above_overall == pytest.approx((theta > mu).mean(axis=0), abs=0.01)
    for s, effect in enumerate(pooled.effects):
        assert effect.ppf([0.05, 0.5, 0.95]) == pytest.approx(
            np.quantile(theta[:, s], [0.05, 0.5, 0.95]), abs=0.2
        )


def test_quantiles_of_a_mixture_are_where_its_probability_is() -> None:
    mixture = NormalMixture(np.array([0.7, 0.3]), np.array([0.0, 8.0]), np.array([1.0, 0.1]))
    q = np.array([1e-6, 0.05, 0.5, 0.6999, 0.7001, 0.95])
    assert mixture.cdf(mixture.ppf(q)) == pytest.approx(q, rel=1e-9)
    assert mixture.mean == pytest.approx(2.4)
    assert mixture.sd == pytest.approx(np.sqrt(0.7 + 0.3 * 0.01 + 0.21 * 64))


def test_pooled_effects_lie_between_raw_and_overall() -> None:
    y, se = (np.array(side, dtype=float) for side in SCHOOLS)
    pooled = pool(y, se, HalfNormal(10))
    means = np.array([effect.mean for effect in pooled.effects])
    # To within a hundredth of a posterior sd: the overall effect itself moves with τ.
    low, high = np.minimum(y, pooled.overall.mean), np.maximum(y, pooled.overall.mean)
    assert np.all((means > low - 0.05) & (means < high + 0.05))
    assert np.all((pooled.own_weight > 0) & (pooled.own_weight < 1))
    # Precise segments keep more of their own effect.
    assert np.all(np.diff(pooled.own_weight[np.argsort(se)]) <= 1e-12)


def test_without_spread_all_share_one_effect_and_with_much_each_keeps_its_own() -> None:
    y, se = (np.array(side, dtype=float) for side in SCHOOLS)
    one = pool(y, se, HalfNormal(1e-4))
    common, error = np.average(y, weights=se**-2.0), (se**-2.0).sum() ** -0.5
    for effect in (*one.effects, one.overall):
        assert (effect.mean, effect.sd) == pytest.approx((common, error), abs=1e-3)
    assert one.probability_above_overall == pytest.approx([0.5] * 8, abs=1e-3)
    apart = pool([-5000, 0, 5000, 200, 90], [15, 10, 16, 11, 9], HalfNormal(1e5))
    assert [e.mean for e in apart.effects] == pytest.approx([-5000, 0, 5000, 200, 90], abs=0.2)
    assert [e.sd for e in apart.effects] == pytest.approx([15, 10, 16, 11, 9], rel=1e-3)


def test_many_precise_segments_show_the_true_spread() -> None:
    random = np.random.default_rng(13)
    pooled = pool(
        random.normal(0.1, 0.2, 400) + random.normal(0, 0.01, 400), np.full(400, 0.01), HalfNormal(0.15)
    )
    assert pooled.tau == pytest.approx(0.2, rel=0.1)
    assert pooled.overall.mean == pytest.approx(0.1, abs=0.04)


def test_one_segment_keeps_its_own_effect() -> None:
    pooled = pool([1.3], [0.4], HalfNormal(0.15))
    assert (pooled.effects[0].mean, pooled.effects[0].sd) == pytest.approx((1.3, 0.4))
    control, treatment = shares((1200, 10_000)), shares((1500, 10_000))
    (alone,) = effects(pool_segments("binary", control, treatment))
    exact = compare(binary_arm(treatment[0]), binary_arm(control[0]))
    assert alone.difference_interval == pytest.approx(
        exact.difference_interval, abs=1e-3 * exact.difference_sd
    )
    assert alone.lift_interval == pytest.approx(exact.lift_interval, abs=5e-4)


@pytest.mark.requirement("S05")
def test_intervals_cover_and_pooling_errs_less_than_the_raw_effects() -> None:
    random = np.random.default_rng(14)
    covered, pooled_error, raw_error = [], [], []
    for _ in range(60):
        sizes = np.exp(random.uniform(np.log(100), np.log(3000), 10)).astype(int)
        base = random.uniform(0.03, 0.2, 10)
        after = special.expit(special.logit(base) + random.normal(0.1, abs(random.normal(0, 0.15)), 10))
        control, treatment = (
            shares(*zip(random.binomial(sizes, p), sizes, strict=True)) for p in (base, after)
        )
        for segment, truth in zip(
            effects(pool_segments("binary", control, treatment, level=0.9)), after - base, strict=True
        ):
            low, high = segment.difference_interval
            covered.append(low <= truth <= high)
            pooled_error.append((segment.difference - truth) ** 2)
            raw_error.append((segment.raw_difference - truth) ** 2)
    assert np.mean(covered) == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 600))
    assert np.mean(pooled_error) < 0.5 * np.mean(raw_error)


@pytest.mark.requirement("S05")
def test_base_rates_are_not_pooled() -> None:
    # Segments that convert at 2 % and at 40 % with one and the same effect keep their rates and their effect.
    base = np.array([0.02, 0.10, 0.40])
    after = special.expit(special.logit(base) + 0.2)
    n = 100_000
    control, treatment = (shares(*((round(n * p), n) for p in side)) for side in (base, after))
    result = pool_segments("binary", control, treatment)
    for segment, truth in zip(effects(result), after - base, strict=True):
        assert segment.difference == pytest.approx(truth, rel=0.01)
        assert 0.3 < segment.probability_above_overall < 0.7
    assert result.tau < 0.06


def test_the_best_of_twenty_equal_segments_is_not_believed() -> None:
    random = np.random.default_rng(15)
    control, treatment = (shares(*((s, 200) for s in random.binomial(200, 0.1, 20))) for _ in range(2))
    found = effects(pool_segments("binary", control, treatment))
    raw = max(segment.raw_difference for segment in found)
    assert raw > 0.04
    assert max(segment.difference for segment in found) < raw / 2


def test_a_segment_that_differs_is_seen() -> None:
    control = shares(*[(1000, 10_000)] * 8)
    treatment = shares((1600, 10_000), *[(1050, 10_000)] * 7)
    found = effects(pool_segments("binary", control, treatment))
    assert found[0].probability_above_overall > 0.99
    assert found[0].own_weight > 0.9
    assert all(segment.probability_above_overall < 0.5 for segment in found[1:])


def test_probability_and_interval_never_contradict_each_other() -> None:
    random = np.random.default_rng(16)
    control, treatment = (shares(*((s, 300) for s in random.binomial(300, 0.2, 30))) for _ in range(2))
    for level in (0.5, 0.8, 0.95):
        for segment in effects(pool_segments("binary", control, treatment, level, tau_scale=0.5)):
            assert segment.lift_interval is not None
            sure = segment.probability_better > (1 + level) / 2
            assert sure == (segment.difference_interval[0] > 0) == (segment.lift_interval[0] > 0)


def test_back_in_the_outcomes_units_against_simulation() -> None:
    control, treatment = shares((12, 150), (40, 500), (0, 20)), shares((25, 150), (44, 500), (0, 20))
    result = pool_segments("binary", control, treatment, level=0.95)
    sides = [[(binary_arm(m).a, binary_arm(m).b) for m in side] for side in (control, treatment)]
    (centre, spread), (other, other_spread) = (
        (
            np.array([special.digamma(a) - special.digamma(b) for a, b in side]),
            np.array([special.polygamma(1, a) + special.polygamma(1, b) for a, b in side]),
        )
        for side in sides
    )
    apart, both = other - centre, spread + other_spread
    pooled = pool(apart, np.sqrt(both), HalfNormal(0.15))
    random, count = np.random.default_rng(17), 400_000
    for s, segment in enumerate(effects(result)):
        mixture = pooled.effects[s]
        which = random.choice(len(mixture.weights), count, p=mixture.weights)
        theta = random.normal(mixture.means[which], mixture.sds[which])
        tied = centre[s] - spread[s] / both[s] * (theta - apart[s])
        base = random.normal(tied, np.sqrt(spread[s] * other_spread[s] / both[s]))
        before, after = special.expit(base), special.expit(base + theta)
        for draws, (low, high) in (
            (after - before, segment.difference_interval),
            (after / before - 1, segment.lift_interval or (0.0, 0.0)),
        ):
            error = 4 * np.sqrt(0.025 * 0.975 / count)
            assert (draws < low).mean() == pytest.approx(0.025, abs=error)
            assert (draws > high).mean() == pytest.approx(0.025, abs=error)
        assert (theta > 0).mean() == pytest.approx(segment.probability_better, abs=2 / np.sqrt(count))


def spending(n: int, mean: float) -> Moments:
    return Moments.of_mean(n, mean, (3 * mean) ** 2)


def test_clearly_positive_means_are_pooled_as_ratios() -> None:
    control = [spending(4000, 2.0), spending(8000, 20.0), spending(2000, 0.5)]
    treatment = [spending(4000, 2.2), spending(8000, 22.0), spending(2000, 0.55)]
    result = pool_segments("mean", control, treatment)
    assert result.scale == "log mean"
    # The same lift everywhere, whatever the size of the basket.
    assert [segment.lift for segment in effects(result)] == pytest.approx([0.1] * 3, abs=0.002)
    assert result.overall.lift == pytest.approx(0.1, abs=0.002)
    for segment, c in zip(effects(result), control, strict=True):
        assert segment.difference == pytest.approx(0.1 * c.mean, rel=0.05)


def test_means_near_zero_are_pooled_as_differences() -> None:
    control = [spending(4000, 2.0), Moments.of_mean(60, 0.3, 4.0)]
    treatment = [spending(4000, 2.2), Moments.of_mean(60, 0.5, 4.0)]
    result = pool_segments("mean", control, treatment)
    assert result.scale == "difference"
    assert result.tau_scale == pytest.approx(0.15 * (control[0] + control[1]).mean)
    large, small = effects(result)
    assert large.lift == pytest.approx(large.difference / 2, rel=0.05)
    assert small.lift is small.lift_interval is None
    # Alone, a difference is that of the two means.
    (alone,) = effects(pool_segments("mean", control[1:], treatment[1:], tau_difference=0.2))
    exact = compare(mean_arm(treatment[1]), mean_arm(control[1]))
    assert alone.difference == pytest.approx(0.2, abs=1e-9)
    assert alone.difference_interval == pytest.approx(
        exact.difference_interval, abs=0.02 * exact.difference_sd
    )


def test_scores_around_zero_need_a_prior_in_their_own_units() -> None:
    score = [Moments.of_mean(500, x, 0.7) for x in (0.02, -0.01)]
    with pytest.raises(ModelError, match="own units"):
        pool_segments("mean", score, score[::-1])
    assert pool_segments("mean", score, score[::-1], tau_difference=0.05).tau_scale == 0.05


def test_a_segment_without_an_arm_gets_a_reason_and_leaves_the_others_alone() -> None:
    control = [*shares((100, 1000), (90, 1000)), Moments.empty()]
    treatment = shares((120, 1000), (130, 1000), (3, 10))
    result = pool_segments("binary", control, treatment)
    assert isinstance(result.segments[2], Message)
    assert "no customer" in str(result.segments[2])
    without = pool_segments("binary", control[:2], treatment[:2])
    assert result.segments[:2] == without.segments
    assert result.overall == without.overall


def test_lower_can_be_better() -> None:
    control, treatment = shares((100, 1000), (90, 1000)), shares((120, 1000), (130, 1000))
    usual, turned = (
        effects(pool_segments("binary", control, treatment, lower_is_better=turn)) for turn in (False, True)
    )
    for one, other in zip(usual, turned, strict=True):
        assert other.probability_better == pytest.approx(1 - one.probability_better)
        assert other.difference == one.difference


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: pool([1.0, 2.0], [1.0], HalfNormal(1)), "2 effects and 1 standard"),
        (lambda: pool([], [], HalfNormal(1)), "0 effects"),
        (lambda: pool([1.0], [0.0], HalfNormal(1)), "above zero"),
        (lambda: pool([np.nan], [1.0], HalfNormal(1)), "finite"),
        (lambda: pool_segments("binary", shares((1, 9)), []), "Control has 1 segments and treatment 0"),
        (lambda: pool_segments("binary", [Moments.empty()], shares((1, 9))), "No segment"),
        (lambda: pool_segments("binary", [], []), "No segment"),
        (lambda: pool_segments("count", shares((1, 9)), shares((1, 9))), "count"),
        (lambda: pool_segments("binary", shares((1, 9)), shares((1, 9)), level=2), "level"),
    ],
)
def test_what_cannot_be_pooled_is_refused_in_words(make, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(WorkbenchError, match=words):
        make()
