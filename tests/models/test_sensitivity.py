"""How strong a hidden cause has to be: published numbers, a second method, and planted hidden causes."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from tests.models.populations import compressed, confounded
from workbench.errors import ModelError
from workbench.models.adjustment import as_seen
from workbench.models.sensitivity import (
    as_strong_as,
    corrected,
    e_value,
    e_value_of_interval,
    ratio_of_difference,
    regress,
    robustness_value,
    strongest_level,
)


def test_e_values_as_published() -> None:
    """VanderWeele & Ding 2017: respiratory death without breastfeeding, RR 3.9 (1.8 to 8.7)."""
    assert e_value(3.9) == pytest.approx(7.26, abs=0.005)
    assert e_value_of_interval(1.8, 8.7) == pytest.approx(3.0, abs=0.005)
    assert e_value(1 / 3.9) == pytest.approx(e_value(3.9))
    assert e_value_of_interval(0.9, 1.4) == 1.0
    assert ratio_of_difference(0.5, 2.0) == pytest.approx(np.exp(0.91 * 0.25))
    with pytest.raises(ModelError):
        e_value(0.0)


def test_robustness_of_darfur_as_published() -> None:
    """Cinelli & Hazlett 2020, table 1: estimate 0.097, se 0.023, df 783."""
    assert robustness_value(0.09731582 / 0.02325654, 783) == pytest.approx(0.139, abs=5e-4)
    assert robustness_value(0.09731582 / 0.02325654, 783, level=0.95) == pytest.approx(0.076, abs=5e-4)
    # a cause as strong as being female: 0.9 % of the treatment, 12.5 % of the outcome, estimate 0.075
    treatment, outcome = as_strong_as(0.00908, 0.1090)
    assert treatment == pytest.approx(0.00916, abs=1e-5)
    assert outcome == pytest.approx(0.1246, abs=1e-4)


def test_a_cause_that_explains_the_robustness_value_of_both_brings_the_estimate_to_nothing() -> None:
    t, df = 4.2, 783.0
    rv = robustness_value(t, df)
    assert np.sqrt(df * rv * rv / (1 - rv)) == pytest.approx(t)


def test_the_regression_and_its_partial_shares_are_those_of_ordinary_least_squares() -> None:
    codes, treated, y, _ = confounded(3_000, np.random.default_rng(1), binary=False, effect=1.0)
    found = regress(compressed(codes, treated, y, binary=False, names=list("abc")))
    blocks = [np.eye(codes[:, at].max() + 1)[codes[:, at]][:, 1:] for at in range(3)]
    ones, z = np.ones((3_000, 1)), treated.astype(float)[:, None]
    full = sm.OLS(y, np.hstack([ones, z, *blocks])).fit()
    assert found.estimate == pytest.approx(full.params[1])
    assert found.se == pytest.approx(full.bse[1])
    assert found.df == full.df_resid
    without_b = [ones, blocks[0], blocks[2]]
    outcome = 1 - full.ssr / sm.OLS(y, np.hstack([z, *without_b])).fit().ssr
    treatment = (
        1 - sm.OLS(z, np.hstack([ones, *blocks])).fit().ssr / sm.OLS(z, np.hstack(without_b)).fit().ssr
    )
    b = next(one for one in found.benchmarks if one.covariate == "b")
    assert (b.treatment, b.outcome) == pytest.approx(as_strong_as(treatment, outcome))


def test_a_hidden_twin_of_a_covariate_does_what_the_benchmark_says() -> None:
    """Two causes that are alike, one of them left out: the benchmark of the other gives the bias."""
    rng = np.random.default_rng(2)
    n = 400_000
    known, hidden = rng.random(n) < 0.5, rng.random(n) < 0.5
    treated = rng.random(n) < 0.3 + 0.2 * known + 0.2 * hidden
    y = 2.0 * known + 2.0 * hidden + rng.normal(size=n)
    found = regress(compressed(known[:, None], treated, y, binary=False))
    assert found.estimate > 0.3
    corrected_by = found.benchmarks[0].corrected
    assert corrected_by is not None
    assert abs(corrected_by) < 0.02


def test_the_slider_gives_back_the_truth_when_it_is_set_to_the_cause_that_was_left_out() -> None:
    """VanderWeele & Arah 2011: the bias is γ (p₁ − p₀)."""
    rng = np.random.default_rng(3)
    n = 400_000
    hidden = rng.random(n) < 0.3
    treated = rng.random(n) < 0.2 + 0.5 * hidden
    y = 1.5 * hidden + 0.4 * treated + rng.normal(size=n)
    seen = as_seen(compressed(np.zeros((n, 1), int), treated, y, binary=False))
    imbalance = hidden[treated].mean() - hidden[~treated].mean()
    assert corrected(seen.difference, imbalance, 1.5) == pytest.approx(0.4, abs=5 * seen.sd)


def test_the_strongest_known_level_is_the_one_that_makes_the_largest_difference() -> None:
    rng = np.random.default_rng(4)
    n = 50_000
    codes = rng.integers(0, 2, (n, 2))
    treated = rng.random(n) < 0.2 + 0.6 * codes[:, 1]
    y = 3.0 * codes[:, 1] + 0.1 * codes[:, 0] + rng.normal(size=n)
    found = strongest_level(compressed(codes, treated, y, binary=False, names=["weak", "strong"]))
    assert found is not None
    assert found.covariate == "strong"
    assert abs(found.imbalance * found.outcome_difference) == pytest.approx(0.6 * 3.0, rel=0.05)
