"""Contracts: the two published groups of subscribers, simulated ones, and what cannot be said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import hyp2f1

from tests.models.buyers import subscribers
from workbench.errors import DataError, ModelError
from workbench.models import contracts, importance
from workbench.models.contracts import ContractDraws, ContractRows
from workbench.models.importance import NormalPrior

# of 1000 contracts, those left after each year: Fader & Hardie (2007), table 1, both groups over 13 years
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394]


def rows_of(left: list[int]) -> ContractRows:
    """Ends by year, and those still there after the last one."""
    ends = -np.diff(left)
    years = np.arange(1, len(left))
    return ContractRows(
        [*years, years[-1]], [*np.ones(len(ends), bool), False], [*ends.astype(float), float(left[-1])]
    )


@pytest.mark.parametrize(
    ("left", "alpha", "beta", "likelihood", "later"),
    [
        (REGULAR, 0.704077, 1.182043, -1680.26519, [0.220, 0.204, 0.191, 0.180, 0.170]),
        (HIGH_END, 0.668088, 3.806095, -1611.15815, [0.460, 0.436, 0.414, 0.395, 0.378]),
    ],
)
def test_the_published_subscribers(
    left: list[int], alpha: float, beta: float, likelihood: float, later: list[float]
) -> None:
    """Fitted to seven years, the five that follow are foretold to one point in a hundred or two."""
    fit = contracts.maximum_likelihood(rows_of(left[:8]))
    assert [fit.parameters["alpha"], fit.parameters["beta"]] == pytest.approx([alpha, beta], abs=2e-6)
    assert fit.log_likelihood == pytest.approx(likelihood, abs=1e-5)
    foretold = contracts.survivors(ContractDraws.point(**fit.parameters), np.arange(8, 13))[0]
    assert np.round(foretold, 3) == pytest.approx(later)
    assert np.abs(foretold - np.array(left[8:]) / 1000).max() < 0.02


def test_the_published_retention_and_residual_lifetime() -> None:
    regular, high_end = (ContractDraws.point(0.704077, 1.182043), ContractDraws.point(0.668088, 3.806095))
    rates = contracts.retention(regular, np.arange(1, 8))[0]
    assert np.round(rates, 4) == pytest.approx([0.6267, 0.7560, 0.8188, 0.8559, 0.8804, 0.8978, 0.9107])
    assert contracts.residual_lifetime(high_end, 7, 0.1)[0] == pytest.approx(7.530, abs=5e-4)
    a, b, n = 0.668088, 3.806095, 8
    closed = (b + n - 1) / (a + b + n - 1) * hyp2f1(1, b + n, a + b + n, 1 / 1.1)
    assert contracts.residual_lifetime(high_end, 7, 0.1)[0] == pytest.approx(closed, rel=1e-9)


@pytest.mark.sampling
@pytest.mark.parametrize("model", contracts.MODELS)
def test_simulation_based_calibration(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Survival of contracts drawn from the prior lies anywhere in its posterior: ranks are uniform.

    `make calibrate` asks the same of hundreds of data sets.
    """
    monkeypatch.setattr(importance, "_FEWEST_PROPOSALS", 1000)
    rng = np.random.default_rng(7)
    usual = contracts.default_prior(model)
    prior = NormalPrior(usual.mean, usual.sd * 0.6)  # at its ends all contracts end at once, or none does
    ranks, withheld = [], 0
    while len(ranks) < 30:
        u = prior.mean + prior.sd * rng.normal(size=len(prior.mean))
        mean, size, c = 1 / (1 + np.exp(-u[0])), np.exp(u[1]), np.exp(u[2]) if model == "bdw" else 1.0
        truth = (float(mean * size), float((1 - mean) * size), float(c))
        rows = subscribers(*truth, int(rng.integers(2**31)), 1000)
        try:
            found = contracts.posterior(rows, model, 400, int(rng.integers(2**31)), prior)
        except ModelError:
            withheld += 1
            continue
        at = np.array([1.0, 6.0, 12.0])
        draws, true = contracts.survivors(found, at), contracts.survivors(ContractDraws.point(*truth), at)
        ranks.append((draws < true).mean(axis=0))
    counts = np.apply_along_axis(lambda column: np.histogram(column, 5, (0, 1))[0], 0, np.array(ranks))
    # chi squared with 4 degrees of freedom is above 18.5 once in a thousand
    assert np.all(((counts - 6) ** 2 / 6).sum(axis=0) < 18.5)
    assert withheld <= 3


def test_who_gets_used_to_it_is_found_by_the_time_of_its_own() -> None:
    rows = subscribers(0.8, 2.0, 0.6, 3, 30_000)
    found = contracts.posterior(rows, "bdw", 1000, seed=1)
    low, high = np.quantile(found.c, [0.005, 0.995])
    assert low < 0.6 < high < 1
    plain, timed = (contracts.maximum_likelihood(rows, model) for model in contracts.MODELS)
    assert timed.log_likelihood > plain.log_likelihood + 10


def test_a_gradient_is_the_slope_of_the_likelihood() -> None:
    rows, at = subscribers(0.8, 2.0, 1.4, 5, 500), np.array([0.7, 2.2, 1.3])
    likelihood = contracts.ContractLikelihood(rows)
    slope = likelihood(at)[1]
    for i, step in enumerate(1e-6 * np.eye(3)):
        assert slope[i] == pytest.approx(
            (likelihood(at + step)[0] - likelihood(at - step)[0]) / 2e-6, rel=1e-5
        )


def test_what_cannot_be_said_is_told() -> None:
    with pytest.raises(ModelError, match="No contract has ended"):
        contracts.posterior(ContractRows([3], [False], [100]))
    with pytest.raises(ModelError, match="discount"):
        contracts.residual_lifetime(ContractDraws.point(1.0, 1.0), 0)
    with pytest.raises(DataError, match="counted from 1"):
        ContractRows([0], [True], [1])
