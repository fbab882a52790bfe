"""Simulation-based calibration: among draws from the posterior the truth takes every rank equally often.

Parameters are drawn from a prior, customers from the parameters, counted in rows as large data are, and draws
from the posterior under the same prior. The rank of the true value among independent draws is then uniform
(Talts, Betancourt, Simpson, Vehtari & Gelman 2018, arXiv 1804.06788). A likelihood that is wrong, a bin that
shifts the customers or draws that are too narrow would bend it. `make calibrate` asks the same of hundreds of
data sets.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from tests.models.buyers import counted, histories
from workbench.models import importance, purchases, spend
from workbench.models.importance import NormalPrior
from workbench.models.purchases import MODELS, PurchaseDraws, expected_purchases
from workbench.models.spend import SpendDraws, bin_spend, expected_spend

pytestmark = pytest.mark.sampling
DATA_SETS, DRAWS, BINS = 48, 63, 8
PRIORS = {
    "bg-nbd": NormalPrior(np.array([np.log(0.35), -0.2, -1.0, 1.0]), np.full(4, 0.5)),
    "mbg-nbd": NormalPrior(np.array([np.log(0.35), -0.2, -1.0, 1.0]), np.full(4, 0.5)),
    "pareto-nbd": NormalPrior(np.array([np.log(0.35), -0.2, np.log(0.06), 0.0]), np.full(4, 0.5)),
}


@pytest.fixture(autouse=True)
def _fewer_proposals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "_FEWEST_PROPOSALS", 1000)


def rank(truth: np.ndarray, draws: np.ndarray) -> int:
    """The place of the truth among draws that are spread over the sample."""
    return int(np.sum(draws[:DRAWS] < truth))


def assert_uniform(ranks: list[int]) -> None:
    counts = np.bincount(np.array(ranks) * BINS // (DRAWS + 1), minlength=BINS)
    assert chisquare(counts).pvalue > 0.005
    # Ranks that pile up at the middle or the ends, or on one side, sooner than the bins show it.
    place = (np.array(ranks) + 0.5) / (DRAWS + 1)
    assert abs(place.mean() - 0.5) < 3 * np.sqrt(1 / 12 / len(ranks))
    assert abs(place.var() * 12 - 1) < 3 * np.sqrt(0.8 / len(ranks))


@pytest.mark.requirement("V03")
@pytest.mark.parametrize("model", MODELS)
def test_the_truth_takes_every_rank_among_draws_of_purchases(model: str) -> None:
    prior, ranks = PRIORS[model], dict[str, list[int]]()
    T = np.repeat(np.arange(8.0, 20.0), 20)
    for seed in range(DATA_SETS):
        rng = np.random.default_rng(seed)
        truth = PurchaseDraws.of_free(rng.normal(prior.mean, prior.sd)[None], model, {})
        values = {name: float(value[0]) for name, value in truth.parameters.items()}
        x, last = histories(model, values, T, rng)
        # the middle of half a week
        rows = counted(x, np.where(x > 0, np.floor(2 * last) / 2 + 0.25, 0.0), T, 2)
        draws = purchases.posterior(rows, model, DRAWS, seed=1000 + seed, prior=prior)
        for name, value in truth.parameters.items():
            ranks.setdefault(name, []).append(rank(value[0], draws[name]))
        ahead = rank(expected_purchases(truth, 52)[0], expected_purchases(draws, 52))
        ranks.setdefault("a year of purchases", []).append(ahead)
    for each in ranks.values():
        assert_uniform(each)


@pytest.mark.requirement("V03")
def test_the_truth_takes_every_rank_among_draws_of_spend() -> None:
    prior, ranks = NormalPrior(np.array([3.0, 1.5, 1.3]), np.full(3, 0.3)), dict[str, list[int]]()
    for seed in range(DATA_SETS):
        rng = np.random.default_rng(seed)
        truth = SpendDraws(*spend.to_parameters(rng.normal(prior.mean, prior.sd))[:, None])
        x = rng.geometric(0.4, 250).astype(float)
        scale = rng.gamma(truth.q[0], 1 / truth.v[0], len(x)) * x
        rows = bin_spend(x, rng.gamma(truth.p[0] * x, 1 / scale))
        draws = spend.posterior(rows, DRAWS, seed=1000 + seed, prior=prior)
        for name in spend.PARAMETERS:
            ranks.setdefault(name, []).append(rank(getattr(truth, name)[0], getattr(draws, name)))
        if np.all(draws.q > 1) and truth.q[0] > 1:
            mean = rank(expected_spend(truth)[0], expected_spend(draws))
            ranks.setdefault("mean spend", []).append(mean)
    for each in ranks.values():
        assert_uniform(each)
