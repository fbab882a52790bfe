"""Encouragement at random: a published trial, a second method, and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from workbench.errors import ModelError
from workbench.models.instrument import Arm, Moved, per_moved


def arm(y: np.ndarray, d: np.ndarray) -> Arm:
    return Arm(len(y), d.sum(), y.sum(), (y * y).sum(), (y * d).sum())


def encouraged(n: int, rng: np.random.Generator, moved: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z, d, y: the keen take it anyway and do better anyway; it adds 2 to those who are moved."""
    z = rng.random(n) < 0.5
    always = rng.random(n) < 0.2
    complier = ~always & (rng.random(n) < moved)
    d = always | (complier & z)
    y = rng.normal(1.0 + 3.0 * always, 2.0) + 2.0 * d
    return z, d, y


def test_vitamin_a_as_published() -> None:
    """Sommer & Zeger 1991; Imbens & Rubin 1997, Annals of Statistics 25:305."""
    found = per_moved(Arm(12_094, 9_675, 46, 46, 12), Arm(11_588, 0, 74, 74, 0))
    assert found.intention == pytest.approx(-0.0026, abs=5e-5)
    assert found.moved == pytest.approx(0.80, abs=5e-4)
    assert found.effect == pytest.approx(-0.0032, abs=5e-5)
    assert found.interval(0.95)[1] < 0


def test_the_point_is_two_stage_least_squares_and_the_interval_that_of_fieller() -> None:
    z, d, y = encouraged(4_000, np.random.default_rng(1), 0.3)
    found = per_moved(arm(y[z], d[z]), arm(y[~z], d[~z]))
    first = sm.OLS(d.astype(float), sm.add_constant(z.astype(float))).fit()
    second = sm.OLS(y, sm.add_constant(first.fittedvalues)).fit()
    assert found.effect == pytest.approx(second.params[1])
    # Fieller: the values r for which y − r d does not differ between the arms (Anderson & Rubin 1949)
    for r in found.interval(0.95):
        rest = y - r * d
        assert stats.ttest_ind(rest[z], rest[~z], equal_var=False).pvalue == pytest.approx(0.05, abs=1e-4)


def test_draws_of_the_two_differences_have_these_quantiles() -> None:
    found = Moved(0.03, 0.2, np.array([[1e-4, 2e-5], [2e-5, 4e-4]]))
    assert found.strength == pytest.approx(100)
    draws = np.random.default_rng(2).multivariate_normal([0.03, 0.2], found.covariance, 400_000)
    ratio = draws[:, 0] / draws[:, 1]
    for q in (0.025, 0.25, 0.5, 0.9, 0.975):
        assert found.ppf(q) == pytest.approx(np.quantile(ratio, q), abs=2e-3)
        assert found.cdf(found.ppf(q)) == pytest.approx(q)


@pytest.mark.sampling
def test_intervals_hold_the_effect_on_the_moved_whoever_takes_it_anyway() -> None:
    rng = np.random.default_rng(3)
    held, naive, looks = 0, [], 400
    for _ in range(looks):
        z, d, y = encouraged(1_500, rng, 0.25)
        low, high = per_moved(arm(y[z], d[z]), arm(y[~z], d[~z])).interval(0.95)
        held += low <= 2.0 <= high
        naive.append(y[d].mean() - y[~d].mean())
    assert 0.906 <= held / looks <= 0.994  # 95 % ± four Monte Carlo errors
    assert np.mean(naive) > 3.5


def test_what_moves_next_to_nobody_is_refused() -> None:
    z, d, y = encouraged(2_000, np.random.default_rng(4), 0.02)
    with pytest.raises(ModelError, match="too few"):
        per_moved(arm(y[z], d[z]), arm(y[~z], d[~z]))
    with pytest.raises(ModelError, match="fewer than two"):
        per_moved(Arm(1, 1, 1, 1, 1), Arm(100, 0, 1, 1, 0))


def test_where_the_first_stage_may_be_nothing_the_interval_has_no_end() -> None:
    weak = Moved(0.03, 0.02, np.diag([1e-4, 4e-4]))
    low, high = weak.interval(0.95)
    assert (low, high) == (-np.inf, np.inf)


def test_whoever_is_reached_in_one_arm_only_gets_the_diluted_effect_back() -> None:
    """27 % of the treated arm are reached, so the effect on them is 1 / 0.27 of that on everybody."""
    rng = np.random.default_rng(5)
    reachable = rng.random(200_000) < 0.27
    z = rng.random(200_000) < 0.5
    y = (rng.random(200_000) < 0.10 + 0.05 * (reachable & z)).astype(float)
    found = per_moved(arm(y[z], (reachable & z)[z]), arm(y[~z], np.zeros((~z).sum(), bool)))
    assert found.moved == pytest.approx(0.27, abs=0.005)
    assert found.effect == pytest.approx(found.intention / found.moved)
    low, high = found.interval(0.999)
    assert low < 0.05 < high
