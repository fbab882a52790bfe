"""Several segments at once: intervals that hold together, ranks, and what the luckiest looks like."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from workbench.errors import ModelError
from workbench.locale import Message
from workbench.models.multiplicity import drawn_together, level_if_independent, level_together
from workbench.models.pooling import PooledEffect, SegmentEffects, pool_segments
from workbench.models.ranking import largest_by_luck, rank
from workbench.models.shrinkage import HalfNormal, pool
from workbench.moments import Moments


def shares(successes: np.ndarray, customers: np.ndarray) -> list[Moments]:
    return [Moments.of_binary(int(s), int(n)) for s, n in zip(successes, customers, strict=True)]


def effects(found: SegmentEffects) -> list[PooledEffect]:
    assert not any(isinstance(part, Message) for part in found.segments)
    return [part for part in found.segments if isinstance(part, PooledEffect)]


def experiment(
    random: np.random.Generator, segments: int, level: float = 0.95
) -> tuple[SegmentEffects, np.ndarray, np.ndarray]:
    """Pooled effects, the true differences and the customers of each segment."""
    sizes = np.exp(random.uniform(np.log(200), np.log(3000), segments)).astype(int)
    base = random.uniform(0.05, 0.2, segments)
    spread = abs(random.normal(0, 0.15))
    after = special.expit(special.logit(base) + random.normal(0.05, spread, segments))
    control, treatment = (shares(random.binomial(sizes, p), sizes) for p in (base, after))
    return pool_segments("binary", control, treatment, level=level), after - base, 2 * sizes


def test_intervals_of_independent_quantities_hold_all_at_once_as_sidak_says() -> None:
    random = np.random.default_rng(5)
    each = level_if_independent(12)
    reach = stats.norm.ppf((1 + each) / 2)
    estimates = np.abs(random.normal(0, 1, (20_000, 12)))
    assert (estimates <= reach).all(axis=1).mean() == pytest.approx(0.95, abs=4 * np.sqrt(0.0475 / 20_000))
    assert (estimates <= 1.96).all(axis=1).mean() < 0.6
    assert level_together(random.normal(0, 1, (50_000, 12))) == pytest.approx(each, abs=5e-4)


def test_draws_know_how_much_quantities_go_together() -> None:
    random = np.random.default_rng(6)
    same = np.repeat(random.normal(0, 1, (50_000, 1)), 5, axis=1)
    assert level_together(same) == pytest.approx(0.95, abs=2e-3)
    half = np.sqrt(0.5) * (same + random.normal(0, 1, same.shape))
    # Five Normals of which each two correlate by a half: the multivariate Normal as the second method.
    exact = stats.multivariate_normal(np.zeros(5), 0.5 + 0.5 * np.eye(5))
    reach = stats.norm.ppf((1 + level_together(half)) / 2)
    held = exact.cdf(np.full(5, reach), lower_limit=np.full(5, -reach))
    assert held == pytest.approx(0.95, abs=3e-3)
    with pytest.raises(ModelError, match="100 draws"):
        level_together(np.ones((10, 2)))


def test_effects_drawn_together_have_their_own_posteriors() -> None:
    seen, errors = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]
    pooled = pool(seen, errors, HalfNormal(10))
    drawn = pooled.draw(40_000, seed=3)
    scores = pooled.scores(drawn)
    for s, effect in enumerate(pooled.effects):
        assert stats.kstest(drawn[:, s], effect.cdf).pvalue > 1e-4
        off = np.abs(scores[:, s] - special.ndtri(effect.cdf(drawn[:, s])))
        assert off.mean() < 0.004
        assert off.max() < 0.06
    # Without a spread they are one effect; with a very large one they have nothing in common.
    one = pool(seen, errors, HalfNormal(1e-4)).draw(2000)
    assert np.corrcoef(one.T).min() > 0.999
    apart = pool([-5000, 0, 5000, 200, 90], [15, 10, 16, 11, 9], HalfNormal(1e5)).draw(20_000)
    assert np.abs(np.corrcoef(apart.T) - np.eye(5)).max() < 0.03


def test_differences_drawn_together_are_those_of_the_quadrature() -> None:
    found, _, _ = experiment(np.random.default_rng(8), 6)
    for drawn, part in zip(found.joint.differences.T, effects(found), strict=True):
        low, high = part.difference_interval
        error = 4 * np.sqrt(0.025 * 0.975 / len(drawn))
        assert (drawn < low).mean() == pytest.approx(0.025, abs=error)
        assert (drawn > high).mean() == pytest.approx(0.025, abs=error)


def test_a_claim_of_many_is_never_easier_than_one_alone_and_follows_the_probability() -> None:
    random = np.random.default_rng(9)
    for _ in range(10):
        found, _, _ = experiment(random, 8)
        assert 0.95 <= found.level_of_each <= level_if_independent(8) + 1e-12
        for part in effects(found):
            (low, high), (least, most) = part.difference_interval, part.difference_together
            assert least <= low < high <= most
            sure = max(part.probability_better, 1 - part.probability_better)
            assert (sure > (1 + found.level_of_each) / 2) == (least > 0 or most < 0)


@pytest.mark.sampling
def test_intervals_hold_together_and_ranks_hold_as_often_as_they_say() -> None:
    """240 experiments of 8 segments whose truth is known; intervals of 90 %."""
    random = np.random.default_rng(10)
    together, alone, ranks, first, claimed = [], [], [], [], []
    for _ in range(240):
        found, truth, customers = experiment(random, 8, level=0.9)
        parts = effects(found)
        for held, name in ((together, "difference_together"), (alone, "difference_interval")):
            low, high = np.array([getattr(part, name) for part in parts]).T
            held.append(bool(((low <= truth) & (truth <= high)).all()))
        places = rank(found.joint.differences * customers, 0.9)
        true = (-truth * customers).argsort().argsort() + 1
        ranks += list((places.low <= true) & (true <= places.high))
        likeliest = int(places.top.argmax())
        claimed.append(float(places.top[likeliest]))
        first.append(true[likeliest] == 1)
    assert np.mean(together) == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 240))
    assert np.mean(alone) < 0.65
    # Whole places hold more than they promise, and segments of one experiment are not independent.
    assert 0.88 < np.mean(ranks) < 0.98
    assert np.mean(first) == pytest.approx(np.mean(claimed), abs=4 * np.sqrt(0.25 / 240))


def test_ranks_of_two_are_a_normal_probability() -> None:
    random = np.random.default_rng(11)
    drawn = random.normal([1.0, 0.0], [1.0, 2.0], (200_000, 2))
    found = rank(drawn)
    assert found.top[0] == pytest.approx(stats.norm.cdf(1 / np.sqrt(5)), abs=0.005)
    assert found.top.sum() == pytest.approx(1)
    assert (found.low.tolist(), found.high.tolist()) == ([1, 1], [2, 2])


def test_ranks_are_places_and_the_sure_ones_are_one_place() -> None:
    random = np.random.default_rng(12)
    drawn = random.normal([0, 30, 10, 10], 1, (5000, 4))
    found = rank(drawn)
    assert (found.low.tolist(), found.high.tolist()) == ([4, 1, 2, 2], [4, 1, 3, 3])
    assert found.top.tolist() == [0, 1, 0, 0]
    with pytest.raises(ModelError, match="at least one quantity"):
        rank(np.empty((10, 0)))


@pytest.mark.requirement("S05")
def test_the_best_of_twenty_equal_segments_looks_like_fourteen_per_cent() -> None:
    """Exact with the binomial, as published; and what is said of the same by Normal errors."""
    below = stats.binom(200, 0.1).cdf(np.arange(200)) ** 20
    assert (1 - below).sum() / 200 == pytest.approx(0.1413, abs=5e-5)
    by_normal, luck = largest_by_luck(np.full(20, 0.1), np.full(20, np.sqrt(0.09 / 200)), 0.1413)
    assert by_normal == pytest.approx(0.1413, abs=0.002)
    assert luck == pytest.approx(1 - stats.norm.cdf(0.0413 / np.sqrt(0.09 / 200)) ** 20)
    random = np.random.default_rng(13)
    seen = random.normal([0.0, 0.5, 1.0], [1.0, 2.0, 0.5], (400_000, 3)).max(axis=1)
    expected, at_least = largest_by_luck([0.0, 0.5, 1.0], [1.0, 2.0, 0.5], 2.5)
    assert expected == pytest.approx(seen.mean(), abs=4 * seen.std() / np.sqrt(400_000))
    assert at_least == pytest.approx((seen >= 2.5).mean(), abs=4 * np.sqrt(0.25 / 400_000))
    with pytest.raises(ModelError, match="above zero"):
        largest_by_luck([0.0], [0.0], 1.0)


@pytest.mark.requirement("S05")
def test_nothing_is_claimed_of_twenty_equal_segments_and_none_is_surely_first() -> None:
    random = np.random.default_rng(14)
    sizes = np.full(20, 200)
    wrong = 0
    for _ in range(40):
        control, treatment = (shares(random.binomial(sizes, 0.1), sizes) for _ in range(2))
        found = pool_segments("binary", control, treatment)
        parts = effects(found)
        wrong += any(low > 0 or high < 0 for low, high in (part.difference_together for part in parts))
        places = rank(found.joint.differences)
        assert places.top.max() < 0.5
        assert places.high.min() > 5
        # What luck shows is close to what it is said to show, and little of it is left.
        luck, _ = largest_by_luck(np.zeros(20), np.full(20, np.sqrt(2 * 0.09 / 200)), 0.0)
        assert max(part.raw_difference for part in parts) < 2 * luck
        assert max(part.difference for part in parts) < luck
    assert wrong <= 6  # of 40 at 5 %: more than that once in a hundred times


def test_intervals_of_draws_all_hold_as_often_as_they_say_whatever_the_draws_look_like() -> None:
    """Of skewed draws that go together: in 95 % of them all are inside, and each alone more often."""
    random = np.random.default_rng(8)
    common = random.normal(0, 1, (20_000, 1))
    drawn = np.exp(0.7 * common + 0.5 * random.normal(0, 1, (20_000, 6)))
    each, ends = drawn_together(drawn, 0.95)
    inside = (ends[:, 0] <= drawn) & (drawn <= ends[:, 1])
    assert inside.all(axis=1).mean() == pytest.approx(0.95, abs=0.003)
    assert inside.mean(axis=0) == pytest.approx(each, abs=1e-3)
    assert 0.95 < each < level_if_independent(6, 0.95) - 5e-4
    alone = random.normal(0, 1, (20_000, 6))
    assert drawn_together(alone, 0.95)[0] == pytest.approx(level_if_independent(6, 0.95), abs=1e-3)
