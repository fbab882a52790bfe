"""Bayes factors of the planned split: published ones, a conservation law, and looking every day."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from workbench.errors import ModelError
from workbench.models.sample_ratio import log_bayes_factor, sample_ratio_p_value


def test_published_bayes_factors_of_an_even_split() -> None:
    """Uniform alternatives: 115 of 200 (factor 1.2), and Lindley's births, where χ² disagrees."""
    assert np.exp(-log_bayes_factor([115, 85], concentration=2)) == pytest.approx(1.197, abs=5e-4)
    births = np.exp(-log_bayes_factor([49_581, 48_870], concentration=2))
    assert births / (1 + births) == pytest.approx(0.95, abs=1e-3)
    assert sample_ratio_p_value([49_581, 48_870]) == pytest.approx(0.0235, abs=5e-5)


@pytest.mark.parametrize(("shares", "concentration"), [((0.5, 0.5), 1000), ((0.3, 0.7), 20), ((4, 1), 2)])
def test_over_all_splits_with_the_planned_shares_it_is_one_on_average(
    shares: tuple[float, float], concentration: float
) -> None:
    k = np.arange(61)
    found = np.exp([log_bayes_factor([int(a), 60 - int(a)], shares, concentration) for a in k])
    assert stats.binom(60, shares[0] / sum(shares)).pmf(k) @ found == pytest.approx(1, rel=1e-9)


def test_three_arms_are_the_integral_over_their_shares() -> None:
    counts, shares, kappa = np.array([40, 35, 50]), np.array([0.3, 0.3, 0.4]), 50.0
    p = np.random.default_rng(1).dirichlet(kappa * shares, 400_000)
    ratio = np.exp((counts * np.log(p / shares)).sum(axis=1))
    assert np.exp(log_bayes_factor([*map(int, counts)], [*shares], kappa)) == pytest.approx(
        ratio.mean(), abs=4 * ratio.std() / np.sqrt(len(ratio))
    )
    assert log_bayes_factor([40, 35, 0], [1, 1, 0]) == log_bayes_factor([40, 35])


@pytest.mark.requirement("X11")
def test_looking_every_day_seldom_finds_what_is_not_there_and_soon_what_is() -> None:
    random = np.random.default_rng(2)
    days = np.arange(1, 31)

    def looked(share: float) -> np.ndarray:
        """The largest factor over 30 days of 2,000 customers, in 2,000 experiments."""
        treated = random.binomial(2000, share, (2000, 30)).cumsum(axis=1)
        n, kappa = 2000.0 * days, 1000.0
        logs = (
            special.gammaln(kappa / 2 + treated)
            + special.gammaln(kappa / 2 + n - treated)
            - 2 * special.gammaln(kappa / 2)
            - special.gammaln(kappa + n)
            + special.gammaln(kappa)
            + n * np.log(2)
        )
        last = int(treated[0, -1])
        assert logs[0, -1] == pytest.approx(log_bayes_factor([last, 60_000 - last]), rel=1e-9)
        return np.asarray(logs.max(axis=1))

    assert (looked(0.5) > np.log(100)).mean() <= 0.01 + 4 * np.sqrt(0.0099 / 2000)
    assert (looked(0.51) > np.log(1000)).mean() > 0.7


def test_what_is_no_split_is_refused_in_words() -> None:
    with pytest.raises(ModelError, match="one share"):
        log_bayes_factor([10, 20], [0.5])
    with pytest.raises(ModelError, match="two arms"):
        log_bayes_factor([10, 20], [1, 0])
