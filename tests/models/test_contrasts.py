"""Groups against the rest: a second method, what the rest is, and how often the truth is held."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import ModelError
from workbench.models.arms import BetaArm
from workbench.models.contrasts import contrast, log_mean, log_share

LOGS = np.log([0.10, 0.12, 0.09, 0.11])
ERRORS = np.array([0.05, 0.08, 0.2, 0.03])
PEOPLE = np.array([400.0, 150.0, 30.0, 1000.0])


def drawn(size: int = 400_000) -> np.ndarray:
    """The same posterior by importance sampling: τ from its prior, weighed by the marginal likelihood."""
    rng = np.random.default_rng(1)
    tau = np.abs(rng.normal(0, 0.5, size))
    spread = tau[:, None] ** 2 + ERRORS**2
    precision = (1 / spread).sum(axis=1)
    centre = (LOGS / spread).sum(axis=1) / precision
    misfit = np.log(spread) + (LOGS - centre[:, None]) ** 2 / spread
    weight = -misfit.sum(axis=1) / 2 - np.log(precision) / 2
    weight = np.exp(weight - weight.max())
    chosen = rng.choice(size, size, p=weight / weight.sum())
    mu = centre[chosen] + rng.normal(size=size) / np.sqrt(precision[chosen])
    own = tau[chosen, None] ** 2 / spread[chosen]
    return own * LOGS + (1 - own) * mu[:, None] + rng.normal(size=(size, 4)) * np.sqrt(own) * ERRORS


def test_contrasts_are_those_of_the_sampled_model() -> None:
    found, levels = contrast(LOGS, ERRORS, PEOPLE), drawn()
    for group in range(4):
        rest = np.delete(np.arange(4), group)
        others = np.log((np.exp(levels[:, rest]) * PEOPLE[rest]).sum(axis=1) / PEOPLE[rest].sum())
        sampled = levels[:, group] - others
        mixture = found.against_rest[group]
        assert mixture.mean == pytest.approx(sampled.mean(), abs=0.002)
        assert mixture.sd == pytest.approx(sampled.std(), rel=0.02)
        assert mixture.ppf([0.025, 0.975]) == pytest.approx(np.quantile(sampled, [0.025, 0.975]), abs=0.004)
        assert found.levels[group].mean == pytest.approx(levels[:, group].mean(), abs=0.002)


def test_two_large_groups_are_told_apart_by_their_plain_ratio() -> None:
    found = contrast(np.log([0.10, 0.11]), [0.005, 0.005], [1e5, 1e5])
    first, second = found.against_rest
    assert np.exp(second.mean) == pytest.approx(1.1, abs=0.005)
    assert first.mean == pytest.approx(-second.mean)
    assert first.cdf(0.0) > 0.9999


def test_the_rest_is_the_mean_over_its_people_not_over_its_groups() -> None:
    found = contrast(np.log([0.1, 0.1, 0.4]), [0.002] * 3, [100.0, 9900.0, 100.0])
    assert np.exp(found.against_rest[0].mean) == pytest.approx(
        0.1 / (0.1 * 9900 + 0.4 * 100) * 10000, rel=0.01
    )


@pytest.mark.sampling
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    held = []
    for _ in range(150):
        truth, errors = np.log(0.1) + rng.normal(0, 0.2, 5), rng.uniform(0.03, 0.3, 5)
        weights = rng.uniform(10, 1000, 5)
        found = contrast(truth + rng.normal(size=5) * errors, errors, weights)
        for group in range(5):
            rest = np.delete(np.arange(5), group)
            others = np.log((np.exp(truth[rest]) * weights[rest]).sum() / weights[rest].sum())
            low, high = found.against_rest[group].ppf([0.025, 0.975])
            held.append(low <= truth[group] - others <= high)
    assert 0.92 < np.mean(held) < 0.975


def test_logs_of_shares_and_means_are_those_of_draws() -> None:
    rng = np.random.default_rng(2)
    draws = np.log(rng.beta(4.5, 40.5, 200_000))
    assert log_share(BetaArm(4.5, 40.5)) == pytest.approx((draws.mean(), draws.std()), abs=0.005)
    value = np.exp(rng.normal(*log_mean(20.0, 5.0), 200_000))
    assert (value.mean(), value.std()) == pytest.approx((20.0, 5.0), rel=0.01)
    with pytest.raises(ModelError):
        log_mean(0.0, 1.0)
    with pytest.raises(ModelError):
        contrast([0.0], [1.0], [1.0])
