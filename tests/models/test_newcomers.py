"""New customers at kept points in time, against the integral taken anew and against simulated lives."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import ModelError
from workbench.models.importance import Array
from workbench.models.newcomers import Newcomers
from workbench.models.purchases import WEEKS_PER_YEAR, PurchaseDraws, expected_purchases

CDNOW = {
    "bg-nbd": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426},
    "mbg-nbd": {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614},
    "pareto-nbd": {"r": 0.553, "alpha": 10.58, "s": 0.606, "beta": 11.67},
}
OTHERS = {
    "bg-nbd": [{"r": 20.0, "alpha": 0.5, "a": 0.2, "b": 3.0}, {"r": 0.1, "alpha": 80.0, "a": 0.05, "b": 0.5}],
    "mbg-nbd": [{"r": 100.0, "alpha": 100.0, "a": 5.0, "b": 5.0}],
    "pareto-nbd": [{"r": 3.0, "alpha": 0.05, "s": 1.0, "beta": 1.0}],
}


@pytest.mark.requirement("V01")
@pytest.mark.parametrize("model", CDNOW)
def test_any_horizon_and_discount_is_the_integral_itself(model: str) -> None:
    for parameters in (CDNOW[model], *OTHERS[model]):
        draws = PurchaseDraws.point(model, **parameters)
        kept = Newcomers(draws)
        for discount in (0.0, 0.1, 1.5):
            weeks = [1.0, 13.0, 52.0, 260.0, 520.0]
            exact = expected_purchases(draws, weeks, discount_per_year=discount)
            assert kept.purchases(weeks, discount) == pytest.approx(exact, rel=3e-7)
        endless = expected_purchases(draws, np.inf, discount_per_year=0.1)
        assert kept.purchases(np.inf, 0.1) == pytest.approx(endless, rel=5e-5)
        # asked for longer horizons, the shorter ones stay what they were
        assert kept.purchases(52.0) == pytest.approx(expected_purchases(draws, 52), rel=3e-7)


def lives(model: str, customers: int, seed: int) -> tuple[Array, Array, Array]:
    """Rate of purchase, time of leaving (weeks), and draws to place purchases, by the models' own stories."""
    rng, p = np.random.default_rng(seed), CDNOW[model]
    rate = rng.gamma(p["r"], 1 / p["alpha"], customers)
    if model == "pareto-nbd":
        return rate, rng.exponential(1 / rng.gamma(p["s"], 1 / p["beta"], customers)), rng.random(customers)
    chance = rng.beta(p["a"], p["b"], customers)
    stays = rng.random(customers) >= chance if model == "mbg-nbd" else np.ones(customers, bool)
    # after each repeat purchase with this chance: leaving is an exponential time of rate λp
    return rate, np.where(stays, rng.exponential(1 / (rate * chance)), 0.0), rng.random(customers)


@pytest.mark.requirement("V01", "V03")
@pytest.mark.parametrize("model", CDNOW)
def test_simulated_customers_stay_and_buy_as_long_as_expected(model: str) -> None:
    """Discounted years as a customer, and purchases at the rate λ meanwhile, over two years at 20 %."""
    rate, gone, _ = lives(model, 400_000, seed=1)
    weeks, per_week = 104.0, np.log(1.2) / WEEKS_PER_YEAR
    until = np.minimum(gone, weeks)
    discounted = -np.expm1(-per_week * until) / per_week
    kept = Newcomers(PurchaseDraws.point(model, **CDNOW[model]))
    for simulated, expected in (
        (discounted / WEEKS_PER_YEAR, kept.years(weeks, 0.2)[0]),
        (rate * discounted, kept.purchases(weeks, 0.2)[0]),
    ):
        error = simulated.std() / np.sqrt(len(simulated))
        assert simulated.mean() == pytest.approx(expected, abs=4 * error)


def test_an_endless_sum_needs_a_discount() -> None:
    with pytest.raises(ModelError, match="Without a discount"):
        Newcomers(PurchaseDraws.point("bg-nbd", **CDNOW["bg-nbd"])).purchases(np.inf)
