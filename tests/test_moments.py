"""Moments are what they say, and those of parts add up to those of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ModelError
from workbench.moments import CrossMoments, Moments, added_up

values = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), max_size=30)


def of(numbers: list[float] | np.ndarray) -> Moments:
    return sum((Moments(1, float(x), 0.0) for x in numbers), Moments.empty())


@given(values, values)
def test_moments_of_parts_add_up_to_those_of_the_whole(first: list[float], second: list[float]) -> None:
    both = of(first) + of(second)
    whole = np.array(first + second)
    assert both.n == len(whole)
    if len(whole):
        scale = np.abs(whole).max() or 1.0
        assert both.mean == pytest.approx(whole.mean(), abs=1e-12 * scale)
        assert both.m2 == pytest.approx(((whole - whole.mean()) ** 2).sum(), abs=1e-10 * scale**2)


def test_the_order_of_rows_does_not_matter() -> None:
    numbers = np.random.default_rng(1).lognormal(3, 1, 500)
    forwards, backwards = of(numbers), of(numbers[::-1])
    assert forwards.mean == pytest.approx(backwards.mean, rel=1e-13)
    assert forwards.variance == pytest.approx(backwards.variance, rel=1e-12)


def test_a_small_spread_survives_a_large_mean() -> None:
    # Raw sums of squares of 1e9 + {0, 1} lose the variance altogether; deviations keep it.
    assert of([1e9, 1e9 + 1] * 500).variance == pytest.approx(250 / 999, rel=1e-8)


def test_nobody_changes_nothing() -> None:
    some = Moments.of_mean(10, 3.0, 2.0)
    assert some + Moments.empty() == Moments.empty() + some == some
    assert sum([]) == 0
    assert sum([some]) == some


def test_sums_and_sample_variance_describe_the_same_values() -> None:
    numbers = np.array([9.1, 10.4, 8.8, 12.0, 9.9])
    for moments in (
        Moments.of_sums(5, numbers.sum(), (numbers**2).sum()),
        Moments.of_mean(5, numbers.mean(), numbers.var(ddof=1)),
    ):
        assert moments.mean == pytest.approx(10.04)
        assert moments.total == pytest.approx(50.2)
        assert moments.variance == pytest.approx(numbers.var(ddof=1))


def test_moments_of_many_groups_are_those_of_everybody() -> None:
    random = np.random.default_rng(5)
    x = random.normal(1e6, 2, 900)
    y = 3 * x + random.normal(0, 5, 900)
    groups = np.split(np.arange(900), [0, 1, 1, 5, 300, 899])

    def of(one: np.ndarray) -> CrossMoments:
        a, b = x[one], y[one]
        if not len(one):
            return CrossMoments.empty()
        joint = float(((a - a.mean()) * (b - b.mean())).sum())
        spreads = float(a.var() * len(one)), float(b.var() * len(one))
        return CrossMoments(len(one), float(a.mean()), float(b.mean()), *spreads, joint)

    whole, added = of(np.arange(900)), added_up([of(one) for one in groups])
    assert vars(added) == pytest.approx(vars(whole), rel=1e-10)
    assert vars(added) == pytest.approx(
        vars(sum((of(one) for one in groups), CrossMoments.empty())), rel=1e-12
    )
    assert added_up([CrossMoments.empty()] * 2) == CrossMoments.empty()


def test_yes_and_no_are_zeros_and_ones() -> None:
    moments = Moments.of_binary(3, 10)
    assert moments.variance == pytest.approx(np.var([1] * 3 + [0] * 7, ddof=1))
    days = sum(Moments.of_binary(k % 7, 1000 + k) for k in range(365))
    assert days.successes == sum(k % 7 for k in range(365))


def test_values_that_are_not_yes_or_no_have_no_successes() -> None:
    with pytest.raises(ModelError, match="not yes or no"):
        _ = Moments.of_mean(10, 0.5, 4.0).successes
    with pytest.raises(ModelError, match="not yes or no"):
        _ = Moments.of_mean(3, 1 / 2, 0.25).successes


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Moments.of_binary(11, 10), "11 successes among 10"),
        (lambda: Moments.of_binary(-1, 10), "-1 successes"),
        (lambda: Moments.of_binary(2.5, 10), "2.5 successes"),
        (lambda: Moments.of_mean(10, 1.0, -1.0), "cannot be negative"),
        (lambda: Moments.of_mean(10, float("nan"), 1.0), "finite"),
        (lambda: Moments.of_sums(10, 100.0, 10.0), "variance would be negative"),
        (lambda: Moments.of_sums(0, 5.0, 25.0), "no customers at all"),
        (lambda: Moments(2, 0.0, -1.0), "cannot be negative"),
        (lambda: Moments(-2, 0.0, 1.0), "whole number"),
    ],
)
def test_impossible_numbers_are_refused_in_words(make, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match=words):
        make()


def test_rounding_in_sums_of_equal_values_is_no_negative_variance() -> None:
    assert Moments.of_sums(3, 0.3, 0.03).m2 == pytest.approx(0, abs=1e-17)
    assert Moments.of_sums(7, 7 * 0.1, 7 * 0.1**2 - 1e-18).m2 >= 0
