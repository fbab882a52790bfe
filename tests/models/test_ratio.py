"""Ratios of sums over people: simulation, Fieller's interval, the bootstrap, and what clicks are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workbench.errors import ModelError
from workbench.models import bootstrap
from workbench.models.arms import MeanArm, mean_arm
from workbench.models.comparison import compare
from workbench.models.linearised import ratio
from workbench.models.ratio import design_effect, holds
from workbench.moments import CrossMoments


def mailing(people: int, seed: int, rate: float = 0.1) -> np.ndarray:
    """Messages and clicks of people who each click at a rate of their own."""
    random = np.random.default_rng(seed)
    messages = 1 + random.poisson(19, people)
    return np.column_stack(
        [messages, random.binomial(messages, random.beta(rate * 19, 19 - rate * 19, people))]
    )


def pair(rows: np.ndarray) -> CrossMoments:
    x, y = rows.T.astype(float)
    return CrossMoments.of_sums(len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y)


def ratio_arm(rows: CrossMoments) -> MeanArm:
    return mean_arm(ratio(rows))


def test_a_ratio_is_that_of_the_sums_with_fiellers_interval() -> None:
    rows = mailing(3000, 1)
    arm = ratio_arm(pair(rows))
    assert arm.mean == pytest.approx(rows[:, 1].sum() / rows[:, 0].sum())
    x, y = rows.T
    n, t = len(x), stats.t.ppf(0.975, len(x) - 1)
    a = x.mean() ** 2 - t**2 * x.var(ddof=1) / n
    b = x.mean() * y.mean() - t**2 * np.cov(x, y)[0, 1] / n
    c = y.mean() ** 2 - t**2 * y.var(ddof=1) / n
    fieller = (b + np.array([-1, 1]) * np.sqrt(b * b - a * c)) / a
    assert arm.ppf([0.025, 0.975]) == pytest.approx(fieller, abs=0.02 * arm.sd)


def test_the_bootstrap_over_people_agrees() -> None:
    rows = mailing(2000, 2)
    arm, drawn = ratio_arm(pair(rows)), bootstrap.ratio(bootstrap.Histogram.of(rows), draws=4000, seed=3)
    assert drawn.mean == pytest.approx(arm.mean, abs=4 * arm.sd / np.sqrt(4000))
    assert drawn.sd == pytest.approx(arm.sd, rel=0.06)


def test_intervals_over_people_hold_the_truth_and_those_over_messages_do_not() -> None:
    people = messages = 0
    for seed in range(400):
        rows = mailing(200, 100 + seed)
        low, high = ratio_arm(pair(rows)).ppf([0.025, 0.975])
        people += low <= 0.1 <= high
        x, y = rows.sum(axis=0)
        low, high = stats.beta(y + 0.5, x - y + 0.5).ppf([0.025, 0.975])
        messages += low <= 0.1 <= high
    assert people > 0.92 * 400
    assert messages < people - 20


def test_twenty_messages_with_a_correlation_of_a_twentieth_count_as_ten() -> None:
    random = np.random.default_rng(4)
    a = 0.1 * (1 / 0.05 - 1)
    clicks = random.binomial(20, random.beta(a, 9 * a, 200_000))
    effect = design_effect(pair(np.column_stack([np.full_like(clicks, 20), clicks])))
    assert effect == pytest.approx(1 + 19 * 0.05, rel=0.02)


def test_parts_of_an_arm_add_up_and_two_arms_compare() -> None:
    one, two = mailing(1500, 5), mailing(1500, 6, rate=0.13)
    whole = ratio_arm(pair(one))
    assert ratio_arm(pair(one[:400]) + pair(one[400:])).sd == pytest.approx(whole.sd, rel=1e-9)
    result = compare(ratio_arm(pair(two)), whole)
    assert result.probability_better > 0.99
    assert result.lift == pytest.approx(0.3, abs=0.15)


def test_a_ratio_is_believed_only_where_what_it_is_divided_by_is_surely_above_zero() -> None:
    few = pair(np.array([[0, 0]] * 30 + [[50, 3], [1, 1]]))
    assert not holds(few)
    # There Fieller's interval has no ends at all: any ratio goes with some of the denominators.
    assert few.mean_x**2 < stats.t.ppf(0.975, few.n - 1) ** 2 * few.m2_x / (few.n - 1) / few.n
    assert holds(pair(mailing(200, 7)))
    assert not holds(pair(np.array([[3, 1]])))


def test_what_is_no_ratio_is_refused_in_words() -> None:
    with pytest.raises(ModelError, match="no ratio"):
        design_effect(pair(np.array([[0, 1], [0, 2]])))
    assert design_effect(pair(np.array([[1, 3], [2, 5], [1, 2]]))) is None
