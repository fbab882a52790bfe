"""Arms whose shares changed: against sums over customers, other formulas and many drawn experiments."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import ModelError
from workbench.models.adaptive import (
    Period,
    Propensities,
    assignment_p_value,
    check_overlap,
    doubly_robust,
    hajek,
    horvitz_thompson,
)
from workbench.models.linearised import adjusted, ratio, slope
from workbench.moments import CrossMoments, Moments, WeightedMoments, WeightedSums


def weighted(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> WeightedMoments:
    ww = w * w
    products = (w, ww, w * x, w * y, ww * x, ww * y, ww * x * x, ww * y * y, ww * x * y)
    return WeightedMoments.of(WeightedSums(len(w), *(float(part.sum()) for part in products)))


def propensities(p: np.ndarray) -> Propensities:
    few = int((p < 0.01).sum())
    sums = (float(part.sum()) for part in (p, p * (1 - p), 1 / p, 1 / p**2))
    return Propensities(len(p), len(p), p.min(), p.max(), few, *sums)


def some(seed: int = 0, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.gamma(2.0, 3.0, n)
    return 1 / rng.uniform(0.05, 0.9, n), x, 0.7 * x + rng.normal(5, 2, n)


def test_equal_weights_are_no_weights() -> None:
    _, x, y = some()
    plain = CrossMoments.of_sums(len(x), x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum())
    for weight in (1.0, 7.3):
        found = weighted(np.full(len(x), weight), x, y)
        assert (found.mean_x, found.mean_y) == pytest.approx((plain.mean_x, plain.mean_y), rel=1e-12)
        assert (found.m2_x, found.m2_y, found.c_xy) == pytest.approx(
            (plain.m2_x, plain.m2_y, plain.c_xy), rel=1e-9
        )
        assert found.effective == pytest.approx(len(x))


def test_a_weighted_mean_is_the_ratio_of_two_sums() -> None:
    """The delta method for Σ w y / Σ w, from the moments of the two, is another way to the same numbers."""
    w, x, y = some()
    wy = w * y
    pair = CrossMoments.of_sums(len(w), w.sum(), wy.sum(), (w * w).sum(), (wy * wy).sum(), (w * wy).sum())
    other, found = ratio(pair), hajek(weighted(w, x, y))
    assert (found.n, found.mean, found.m2) == pytest.approx((other.n, other.mean, other.m2), rel=1e-9)
    assert found.mean == pytest.approx(np.average(y, weights=w))


def test_whatever_is_cut_up_adds_up_again() -> None:
    w, x, y = some()
    parts = [weighted(w[i::3], x[i::3], y[i::3]) for i in range(3)]
    whole = weighted(w, x, y)
    for together in (sum(parts, CrossMoments.empty()), sum(parts), parts[2] + parts[0] + parts[1]):
        assert isinstance(together, WeightedMoments)
        assert together.sums == pytest.approx(whole.sums)
        assert together.y.m2 == pytest.approx(whole.y.m2, rel=1e-9)


def test_ratios_and_adjusted_means_of_weighted_customers_have_the_error_of_resampled_ones() -> None:
    w, x, y = some(3, 800)
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, len(w), (4000, len(w)))
    found = weighted(w, x, y)
    theta = slope([found])
    (wx, wy), sw = ((w[drawn] * v[drawn]).sum(axis=1) for v in (x, y)), w[drawn].sum(axis=1)
    for moments, resampled in (
        (ratio(found), wy / wx),
        (adjusted(found, theta, found.mean_x), (wy - theta * wx) / sw),
    ):
        assert np.sqrt(moments.m2 / (moments.n * (moments.n - 1))) == pytest.approx(resampled.std(), rel=0.05)
    assert adjusted(found, theta, found.mean_x).m2 < 0.5 * found.y.m2


def test_horvitz_thompson_is_the_mean_of_scores_that_are_nothing_for_the_others() -> None:
    w, x, y = some()
    scores = np.r_[w * y, np.zeros(700)]
    found = horvitz_thompson(weighted(w, x, y), len(scores))
    assert (found.mean, found.variance) == pytest.approx((scores.mean(), scores.var(ddof=1)))


def test_doubly_robust_is_the_mean_of_the_scores_of_all_customers() -> None:
    rng = np.random.default_rng(5)
    scores, groups, periods, before = [], [], [], []
    for week, share in enumerate((0.5, 0.2, 0.8, 0.05)):
        chosen = rng.random(300) < share
        y = rng.gamma(2.0, 3.0, 300) + week
        own, w = y[chosen], np.full(int(chosen.sum()), 1 / share)
        before.append((own, w))
        seen = before[:1] if week == 0 else before[:week]
        model = np.average(np.concatenate([a for a, _ in seen]), weights=np.concatenate([b for _, b in seen]))
        scores.append(np.where(chosen, model + (y - model) / share, model))
        groups.append(scores[-1] - scores[-1].mean())
        periods.append(Period(weighted(w, own, own), 300))
    found, everything = doubly_robust(periods), np.concatenate(scores)
    assert found.mean == pytest.approx(everything.mean())
    error = np.sqrt((np.concatenate(groups) ** 2).sum()) / len(everything)
    assert np.sqrt(found.m2 / (found.n * (found.n - 1))) == pytest.approx(error)


def test_a_period_without_the_arm_is_filled_from_the_periods_before() -> None:
    w, x, y = some(2, 100)
    periods = [Period(None, 50), Period(weighted(w, x, y), 200), Period(None, 150)]
    assert doubly_robust(periods).mean == pytest.approx(np.average(y, weights=w))
    with pytest.raises(ModelError, match="no customer"):
        doubly_robust([Period(None, 50)])


def test_arms_that_are_compared_in_different_weeks_are_made_comparable() -> None:
    """A ramp-up from 10 % to 90 % while everybody buys less and less; the new arm does nothing at all."""
    rng = np.random.default_rng(8)
    shares, levels = np.linspace(0.1, 0.9, 8), np.linspace(0.3, 0.1, 8)
    naive, found, robust, held = [], [], [], []
    for _ in range(400):
        arms: dict[bool, list[Period]] = {True: [], False: []}
        counted = {True: [0, 0], False: [0, 0]}
        for share, level in zip(shares, levels, strict=True):
            new = rng.random(250) < share
            y = (rng.random(250) < level).astype(float)
            for side, p in ((True, share), (False, 1 - share)):
                own = y[new == side]
                arms[side].append(Period(weighted(np.full(len(own), 1 / p), own, own), 250))
                counted[side][0] += int(own.sum())
                counted[side][1] += len(own)
        naive.append(counted[True][0] / counted[True][1] - counted[False][0] / counted[False][1])
        sides = [[p.arm for p in arms[side] if p.arm is not None] for side in (True, False)]
        means = [hajek(sum(side[1:], side[0])) for side in sides]
        others = [doubly_robust(arms[side]) for side in (True, False)]
        found.append(means[0].mean - means[1].mean)
        robust.append(others[0].mean - others[1].mean)
        held.append([abs(m[0].mean - m[1].mean) < 1.96 * error(*m) for m in (means, others)])
    assert np.mean(naive) < -0.04  # a fifth of what customers do
    assert abs(np.mean(found)) < 4 * np.std(found) / 20
    assert abs(np.mean(robust)) < 4 * np.std(robust) / 20
    assert (np.mean(held, axis=0) > 0.92).all()
    assert (np.mean(held, axis=0) < 0.98).all()


def error(one: Moments, other: Moments) -> float:
    return float(np.sqrt(sum(m.m2 / (m.n * (m.n - 1)) for m in (one, other))))


@pytest.mark.parametrize(
    "split", [[[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]], [[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.05, 0.15, 0.8]]]
)
def test_a_split_that_changes_is_tested_at_its_level_and_finds_who_is_lost(
    split: list[list[float]],
) -> None:
    rng, arms = np.random.default_rng(4), len(split[0])
    alarms, found = [], []
    for _ in range(1500):
        p = np.repeat(split, 400, axis=0)
        arm = (rng.random(1200)[:, None] > p.cumsum(axis=1)).sum(axis=1)
        own = p[np.arange(1200), arm]
        alarms.append(assignment_p_value([propensities(own[arm == a]) for a in range(arms)]) < 0.05)
        kept = (arm != arms - 1) | (rng.random(1200) > 0.15)
        lost = assignment_p_value([propensities(own[kept & (arm == a)]) for a in range(arms)])
        found.append(lost < 0.05)
    assert 0.02 < np.mean(alarms) < 0.065  # Bonferroni errs on the side of silence
    assert np.mean(found) > 5 * np.mean(alarms)


@pytest.mark.requirement("X09")
def test_without_usable_probabilities_there_is_no_answer() -> None:
    good = propensities(np.full(100, 0.5))
    check_overlap({"A": good, "B": propensities(np.array([0.01, 1.0]))})
    with pytest.raises(ModelError, match="7 customers come without the probability"):
        check_overlap({"A": good, "B": Propensities(100, 93, 0.1, 0.9, 0, 50, 20, 300, 2000)})
    with pytest.raises(ModelError, match=r"2 customers got “B” with a probability below 1\.0 %"):
        check_overlap({"A": good, "B": propensities(np.array([0.009, 0.001, 0.3]))})
    for odd in (0.0, -0.2, 1.5):
        with pytest.raises(ModelError, match="above 0 and at most 1"):
            check_overlap({"A": good, "B": Propensities(1, 1, odd, odd, 0, 1, 1, 1, 1)})
