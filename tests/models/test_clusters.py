"""Shares of visits of the same customers."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.models.arms import Array
from workbench.models.clusters import Clustered


def sums(x: Array, n: Array) -> Clustered:
    return Clustered(*(float(one) for one in (x.sum(), n.sum(), x @ x, x @ n, n @ n, (n > 0).sum())))


def test_the_variance_is_that_of_leaving_out_one_customer_after_the_other() -> None:
    """The jackknife is another estimate of the same variance (Cochran, section 6.17)."""
    chance = np.random.default_rng(1)
    n = chance.geometric(0.3, 300)
    x = chance.binomial(n, chance.beta(1, 3, 300))
    left_out = (x.sum() - x) / (n.sum() - n)
    jackknife = 299 / 300 * ((left_out - left_out.mean()) ** 2).sum()
    assert sums(x, n).variance == pytest.approx(jackknife, rel=0.03)


def test_sums_of_two_halves_are_those_of_the_whole() -> None:
    x, n = np.array([1, 0, 2, 3]), np.array([2, 1, 2, 5])
    assert sums(x[:2], n[:2]) + sums(x[2:], n[2:]) == sums(x, n)


def test_one_visit_a_customer_is_a_plain_share() -> None:
    x = np.r_[np.ones(30), np.zeros(970)]
    found = sums(x, np.ones(1000))
    assert found.design_effect == pytest.approx(1, abs=0.002)
    assert found.share().a == pytest.approx(30.5, rel=0.002)


def test_ten_equal_visits_a_customer_are_worth_one() -> None:
    x = np.r_[np.full(30, 10.0), np.zeros(70)]
    found = sums(x, np.full(100, 10.0))
    assert found.share().a + found.share().b == pytest.approx(100, rel=0.02)


def test_nobody_and_somebody_alone_are_no_certainty() -> None:
    none = sums(np.zeros(50), np.full(50, 20.0))
    assert none.share().ppf(0.975) == pytest.approx(0.0492, abs=0.001)  # of fifty, not of a thousand
    alone = Clustered(5, 20, 25, 100, 400, 1)
    assert alone.share().ppf(0.975) - alone.share().ppf(0.025) > 0.7
    assert alone.mean() is None
