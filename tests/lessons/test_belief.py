"""Lesson 1: what is known of a rate, what an interval is worth, who passes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from workbench.errors import ModelError, WorkbenchError
from workbench.lessons import DIFFICULTIES
from workbench.lessons.belief import (
    FEWEST_HITS,
    FIRST,
    LEVEL,
    MOST_COST,
    SHOPS,
    Grade,
    Interval,
    Seen,
    graded,
    hidden_shop,
    hidden_shops,
)

SEEN = [Seen(0, 18), Seen(3, 130), Seen(10, 200), Seen(253, 2800)]


def test_shops_with_the_same_numbers_have_the_rates_that_the_posterior_says() -> None:
    """Shops with rates from 0 to 1, and of those the ones with 3 buyers among 20 visitors."""
    rng = np.random.default_rng(1)
    rates = rng.random(400_000)
    kept = rates[rng.binomial(20, rates) == 3]
    assert len(kept) > 10_000
    assert stats.kstest(kept, Seen(3, 20).known.cdf).pvalue > 1e-3


def test_the_truths_of_hidden_shops_are_theirs() -> None:
    places = [float(FIRST.known.cdf(hidden_shop(seed, "easy").reveal((0.0, 1.0)))) for seed in range(400)]
    assert stats.kstest(places, "uniform").pvalue > 1e-3
    ten = [hidden_shops(seed, "hard") for seed in range(60)]
    found = []
    for shops in ten:
        _, rates = shops.reveal([(0.0, 1.0)] * SHOPS)
        found += [float(seen.known.cdf(rate)) for seen, rate in zip(shops.seen, rates, strict=True)]
    assert stats.kstest(found, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("seen", SEEN)
def test_a_score_is_the_average_fine_over_truths(seen: Seen) -> None:
    """Gneiting and Raftery's interval score (2007, eq. 43), averaged over draws."""
    truth = np.random.default_rng(2).beta(1 + seen.buyers, 1 + seen.visitors - seen.buyers, 200_000)
    low, high = seen.best
    for interval in ((low, high), (low / 2, high * 1.5), (high, high * 1.2)):
        below, above = np.maximum(interval[0] - truth, 0), np.maximum(truth - interval[1], 0)
        each = interval[1] - interval[0] + 10 * (below + above)
        error = each.std() / np.sqrt(len(each))
        assert seen.score(interval) == pytest.approx(each.mean(), abs=5 * error)


@pytest.mark.parametrize("seen", SEEN)
def test_no_interval_is_cheaper_than_the_central_one(seen: Seen) -> None:
    steps = np.linspace(0.5, 1.6, 23)
    low, high = seen.best
    costs = [seen.cost((low * a, high * b)) for a, b in itertools.product(steps, steps) if low * a < high * b]
    assert min(costs) >= 1 - 1e-12
    assert seen.chance(seen.best) == pytest.approx(LEVEL)


def scaled(seen: Seen, factor: float) -> Interval:
    """The best interval, so many times as wide, as far as there are rates."""
    low, high = seen.best
    middle, half = (low + high) / 2, factor * (high - low) / 2
    return max(middle - half, 0.0), min(middle + half, 1.0)


def test_what_passes_is_about_half_to_twice_as_wide_as_it_should_be() -> None:
    seen = Seen(500, 10_000)
    assert seen.cost(scaled(seen, 2.0)) == pytest.approx(1.47, abs=0.01)
    assert seen.cost(scaled(seen, 1 / 3)) == pytest.approx(MOST_COST, abs=0.01)


def passes(difficulty: str, factor: float, classes: int = 150) -> float:
    """How often somebody passes whose intervals are so many times as wide as the best."""
    found = [hidden_shops(seed, difficulty) for seed in range(classes)]
    grades = [shops.reveal([scaled(seen, factor) for seen in shops.seen])[0] for shops in found]
    return float(np.mean([grade.passed for grade in grades]))


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_good_judges_pass_and_bad_ones_do_not(difficulty: str) -> None:
    expert = stats.binom.sf(FEWEST_HITS - 1, SHOPS, LEVEL)
    assert expert == pytest.approx(0.967, abs=5e-4)
    error = 4 * np.sqrt(expert * (1 - expert) / 150)
    assert passes(difficulty, 1.0) == pytest.approx(expert, abs=error)
    assert passes(difficulty, 0.25) < 0.1
    assert passes(difficulty, 3.0) < 0.1


def test_who_is_never_wrong_and_says_nothing_does_not_pass() -> None:
    grade, _ = hidden_shops(1, "medium").reveal([(0.0, 1.0)] * SHOPS)
    assert grade.hit == SHOPS
    assert not grade.passed
    assert [check.status for check in grade.checks()] == ["ok", "fail"]
    assert "Too wide" in str(grade.advice())


def test_a_grade_counts_the_truths_that_are_held() -> None:
    seen = [Seen(10, 200)] * 3
    grade = graded(seen, [(0.03, 0.08)] * 3, [0.03, 0.0801, 0.05])
    assert grade.hits == (True, False, True)
    assert grade.hit == 2
    assert Grade((True,) * 6 + (False,) * 4, 0.8, 1.0).passed
    assert not Grade((True,) * 5 + (False,) * 5, 0.8, 1.0).passed


def test_a_class_has_the_same_shops_and_others_have_others() -> None:
    everything = [(0.0, 1.0)] * SHOPS

    def shown(seed: int, difficulty: str, attempt: int = 0) -> object:
        shops = hidden_shops(seed, difficulty, attempt)
        return shops.seen, shops.reveal(everything)[1]

    assert shown(7, "medium") == shown(7, "medium")
    assert (
        len({str(shown(*one)) for one in ((7, "medium"), (8, "medium"), (7, "hard"), (7, "medium", 1))}) == 4
    )
    visitors = {level: [one.visitors for one in hidden_shops(7, level).seen] for level in DIFFICULTIES}
    assert min(visitors["easy"]) > max(visitors["hard"])


@pytest.mark.requirement("D25")
def test_a_truth_is_given_for_an_interval_only() -> None:
    for wrong in ((0.06, 0.02), (0.02, 1.2), (-0.1, 0.2), (0.05, 0.05)):
        with pytest.raises(ModelError, match="lower number to a higher"):
            hidden_shop(1, "easy").reveal(wrong)
    with pytest.raises(ModelError, match="each of the 10 shops"):
        hidden_shops(1, "easy").reveal([(0.0, 0.1)] * 9)
    with pytest.raises(WorkbenchError, match="seed"):
        hidden_shop(-1, "easy")
    with pytest.raises(WorkbenchError, match="difficulty"):
        hidden_shop(1, "impossible")
