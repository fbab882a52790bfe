"""Lesson 2: how often rules are wrong, by published rates and by exact counting; who passes."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy import special, stats

from workbench.errors import WorkbenchError
from workbench.lessons import DIFFICULTIES
from workbench.lessons.clones import NONE, A, B, Clones, Rule, Shop, at_the_end, crowd, peeking, shop, tally
from workbench.lessons.own_test import judged, own_test
from workbench.lessons.rule_grade import LEAST_FOUND, MOST_WRONG, Grade, graded
from workbench.models.operating import operating
from workbench.models.stopping import Looks, Share
from workbench.models.stopping import Rule as Asked

TESTS, PUBLISHED_TESTS = 20_000, 40_000


def agree(share: float, published: float, tests: int = TESTS) -> bool:
    """Within four Monte Carlo errors, ours and the published one's."""
    return abs(share - published) < 4 * sqrt(published * (1 - published) * (1 / tests + 1 / PUBLISHED_TESTS))


def test_published_rates_of_shipping_b_where_nothing_is_better() -> None:
    """5 % convert, twenty looks at 1,000 more each."""
    clones = Clones.simulate(Shop(0.05, 1000), 0.0, TESTS, np.random.default_rng(1), days=20)
    for rule, published in (
        (Rule(0.95, 1, 20), 0.211),
        (Rule(0.95, 20, 20), 0.048),
        (Rule(0.80, 1, 20, loss=0.002), 0.246),
    ):
        assert agree(tally(clones, rule, 0.0).b / TESTS, published)


def test_published_rates_of_any_winner_in_fourteen_looks() -> None:
    assert agree(peeking(1, "medium")[-1], 0.381, tests=4000)
    assert agree(at_the_end(1, "medium"), 0.099, tests=4000)
    by_day = peeking(1, "medium")
    assert list(by_day) == sorted(by_day)


def better(successes_a: np.ndarray, successes_b: np.ndarray, n: int) -> np.ndarray:
    """P(B > A) under flat priors, exactly (Miller 2014, "Formulas for Bayesian A/B testing")."""
    a1, b1 = 1 + successes_a[:, None, None], 1 + n - successes_a[:, None, None]
    a2, b2 = 1 + successes_b[None, :, None], 1 + n - successes_b[None, :, None]
    i = np.arange(int(successes_b.max()) + 1)[None, None, :]
    terms = special.betaln(a1 + i, b1 + b2) - special.betaln(1 + i, b2) - special.betaln(a1, b1)
    return np.where(i < a2, np.exp(terms) / (b2 + i), 0.0).sum(axis=2)


def counted(pages: Shop, lift: float, rule: Rule) -> tuple[float, float, float]:
    """Share of tests that crown B, that crown A, and days on average, by counting all that can happen."""
    n = pages.per_day
    each = [stats.binom.pmf(np.arange(n + 1), n, p) for p in (pages.rate, pages.rate * (1 + lift))]
    alive = np.ones((1, 1))
    crowned_b = crowned_a = days = 0.0
    for day in range(1, rule.last + 1):
        alive = np.apply_along_axis(np.convolve, 0, alive, each[0])
        alive = np.apply_along_axis(np.convolve, 1, alive, each[1])
        days += alive.sum()
        if day in rule.days:
            reached = np.arange(n * day + 1)
            sure = better(reached, reached, n * day)
            enough = np.minimum.outer(reached, reached) >= 10
            b, a = enough & (sure >= rule.sure), enough & (sure <= 1 - rule.sure)
            crowned_b += alive[b].sum()
            crowned_a += alive[a].sum()
            alive = np.where(a | b, 0.0, alive)
    return crowned_b, crowned_a, days


@pytest.mark.parametrize("lift", [0.0, 0.3])
@pytest.mark.parametrize("rule", [Rule(0.9, 1, 4), Rule(0.95, 2, 4), Rule(0.8, 3, 4)])
def test_clones_do_what_exact_counting_says(lift: float, rule: Rule) -> None:
    pages = Shop(0.4, 30)
    clones = Clones.simulate(pages, lift, TESTS, np.random.default_rng(3), days=4)
    found = tally(clones, rule, lift)
    b, a, days = counted(pages, lift, rule)
    for share, exact in ((found.b / TESTS, b), (found.a / TESTS, a)):
        assert share == pytest.approx(exact, abs=4 * sqrt(exact * (1 - exact) / TESTS) + 0.002)
    assert found.days == pytest.approx(days, abs=0.05)


def test_clones_do_what_the_design_of_a_test_says() -> None:
    rule, days = Rule(0.97, 7, 21, loss=0.004), (7, 14, 21)
    planned = Looks(tuple(day / 7 for day in days), tuple((500 * day, 500 * day) for day in days))
    other = operating(Share(0.10), planned, Asked(0.97, loss=0.004), [0.15], TESTS)[0]
    clones = Clones.simulate(Shop(), 0.15, TESTS, np.random.default_rng(5))
    found = tally(clones, rule, 0.15)
    assert found.right / TESTS == pytest.approx(other.adopted.value, abs=6 * other.adopted.error)
    assert found.days == pytest.approx(7 * other.weeks.value, abs=6 * 7 * other.weeks.error)


def test_every_test_ends_once() -> None:
    for one in crowd(2, "hard").tallies(Rule(0.9, 1, 21)):
        assert one.tests == 1000
        assert one.right + one.wrong + one.none == one.tests
        assert 1 <= one.days <= 21


def test_looks_are_on_the_days_of_the_rule() -> None:
    assert list(Rule(every=7, last=21).days) == [7, 14, 21]
    assert list(Rule(every=7, last=10).days) == [7, 10]
    assert list(Rule(every=28, last=14).days) == [14]
    with pytest.raises(WorkbenchError, match="last day"):
        Rule(last=29)


# --- one's own test ----------------------------------------------------------------------------------------


def test_a_day_says_what_its_buyers_say() -> None:
    mine = own_test(5, "medium")
    for day in (1, 6):
        seen = mine.after(day)
        exact = better(np.array([seen.a]), np.array([seen.b]), seen.visitors)[0, 0]
        assert seen.better == pytest.approx(exact, abs=1e-6)
        gain = (seen.b - seen.a) / (seen.visitors + 2)
        assert seen.loss_a - seen.loss_b == pytest.approx(gain, abs=1e-9)
        assert seen.most[0] < seen.half[0] < gain < seen.half[1] < seen.most[1]


def test_a_class_has_the_same_test_and_half_have_no_difference() -> None:
    assert own_test(9, "easy").after(28) == own_test(9, "easy").after(28)
    truths = [own_test(seed, "easy").reveal(NONE) for seed in range(200)]
    assert set(np.round(truths, 9)) == {0.0, 0.2, round(1 / 1.2 - 1, 9)}
    assert np.mean(np.array(truths) == 0) == pytest.approx(0.5, abs=4 * sqrt(0.25 / 200))


def test_a_test_converts_as_its_truth_says() -> None:
    found = [(own_test(seed, "easy").after(28), own_test(seed, "easy").reveal(NONE)) for seed in range(60)]
    visitors = sum(day.visitors for day, _ in found)
    assert sum(day.a for day, _ in found) / visitors == pytest.approx(0.1, abs=4 * sqrt(0.09 / visitors))
    wanted = np.mean([0.1 * (1 + lift) for _, lift in found])
    assert sum(day.b for day, _ in found) / visitors == pytest.approx(wanted, abs=4 * sqrt(0.1 / visitors))


def test_a_winner_is_judged_by_the_truth() -> None:
    said = {(w, lift): str(judged(w, lift)) for w in (NONE, A, B) for lift in (0.0, 0.15, 1 / 1.15 - 1)}
    right = [key for key, words in said.items() if words.endswith("right.")]
    assert {(w, np.sign(lift)) for w, lift in right} == {(NONE, 0), (B, 1), (A, -1)}
    assert all("15 %" in words for (_, lift), words in said.items() if lift)


# --- the checker -------------------------------------------------------------------------------------------


def at_the_bar(rule: Rule, difficulty: str) -> Grade:
    return graded(rule, 1, difficulty)


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_the_fastest_rule_passes_and_famous_habits_do_not(difficulty: str) -> None:
    habit = at_the_bar(Rule(0.95, 1, 14), difficulty)
    fastest = at_the_bar(habit.fastest[0], difficulty)
    assert fastest.passed
    assert not habit.passed
    assert not habit.low_enough
    promised = at_the_bar(Rule(0.8, 1, 28, loss=0.002), difficulty)
    assert not promised.low_enough
    hasty = at_the_bar(Rule(0.995, 1, 7), difficulty)
    assert hasty.low_enough
    assert hasty.passed == (hasty.powerful and hasty.fast)


def test_a_rule_that_is_safe_and_slow_is_told_so() -> None:
    slow = at_the_bar(Rule(0.99, 28, 28), "easy")
    assert (slow.low_enough, slow.powerful, slow.passed) == (True, True, False)
    assert [check.status for check in slow.checks()] == ["ok", "ok", "fail"]
    assert "Safe but slow" in str(slow.advice())
    timid = at_the_bar(Rule(0.995, 1, 7), "hard")
    assert (timid.low_enough, timid.powerful) == (True, False)
    assert "Too little is found" in str(timid.advice())


def test_grades_are_those_of_another_method() -> None:
    """A rule that looks every week: wrong winners and finds by the lab's own operating characteristics."""
    rule, days = Rule(0.975, 7, 14), (7, 14)
    grade = at_the_bar(rule, "medium")
    planned = Looks(tuple(day / 7 for day in days), tuple((500 * day, 500 * day) for day in days))
    same, b, a = operating(
        Share(shop("medium").rate), planned, Asked(0.975), [0.0, 0.15, 1 / 1.15 - 1], TESTS, seed=4
    )
    assert grade.wrong == pytest.approx(same.adopted.value + same.dropped.value, abs=2.5 * grade.margin)
    assert grade.found == pytest.approx((b.adopted.value + a.dropped.value) / 2, abs=2.5 * grade.margin)
    days_on_average = 7 * np.mean([one.weeks.value for one in (same, b, a)])
    assert grade.days == pytest.approx(days_on_average, abs=0.2)
    assert grade.wrong < MOST_WRONG
    assert grade.found > LEAST_FOUND


def test_there_is_a_rule_that_passes_for_every_class() -> None:
    for seed in range(10, 13):
        for difficulty in DIFFICULTIES:
            fastest, _ = graded(Rule(), seed, difficulty).fastest
            assert graded(fastest, seed, difficulty).passed
