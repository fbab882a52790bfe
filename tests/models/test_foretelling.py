"""Rows scored by interpolation are those scored one by one, and money by lines is money by draws."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.models import foretelling, purchases, spend
from workbench.models.foretelling import Ahead, Histories, SpendLines
from workbench.models.purchases import PurchaseDraws
from workbench.models.spend import SpendDraws


def drawn(model: str, **parameters: list[float]) -> PurchaseDraws:
    return PurchaseDraws({name: np.array(values) for name, values in parameters.items()}, model)


DRAWS = {
    "bg-nbd": drawn("bg-nbd", r=[0.24, 1.1], alpha=[4.4, 9.0], a=[0.79, 2.0], b=[2.4, 1.5]),
    "mbg-nbd": drawn("mbg-nbd", r=[0.52, 0.9], alpha=[6.2, 20.0], a=[0.89, 0.3], b=[1.6, 4.0]),
    "pareto-nbd": drawn("pareto-nbd", r=[0.55, 1.4], alpha=[10.6, 4.0], s=[0.61, 1.8], beta=[11.7, 30.0]),
}


def histories(seed: int, count: int) -> Histories:
    """Customers seen for a day up to five years, some of whom bought hundreds of times."""
    rng = np.random.default_rng(seed)
    T = np.exp(rng.uniform(np.log(1 / 7), np.log(260), count))
    x = np.floor(np.exp(rng.uniform(0, 6, count))) - 1
    return Histories(x, np.where(x > 0, T * rng.random(count), 0.0), T)


@pytest.mark.parametrize("model", DRAWS)
def test_rows_by_interpolation_are_rows_one_by_one(model: str) -> None:
    draws = DRAWS[model]
    known = histories(3, 400)
    ahead = Ahead(known)
    for i in range(len(draws)):
        one = draws.one(i)
        alive = ahead.alive(one)
        history = (known.x, known.t_x, known.T)
        direct = purchases.expected_purchases(one, 52, *history, discount_per_year=0.15)[0]
        assert alive * ahead.purchases_if_alive(one, 52, 0.15) == pytest.approx(direct, rel=1e-7, abs=1e-12)
        buys = 1 - purchases.probability_of_no_purchase(one, 13, *history)[0]
        assert alive * ahead.buys_if_alive(one, 13) == pytest.approx(buys, rel=1e-7, abs=1e-12)


def test_an_outlook_is_the_mean_over_the_draws() -> None:
    draws = DRAWS["mbg-nbd"]
    known = histories(4, 50)
    found = foretelling.outlook(draws, known, 52, 13, 0.1)
    worth = purchases.expected_purchases(draws, 52, known.x, known.t_x, known.T, 0.1)
    assert found.discounted == pytest.approx(worth.mean(axis=0), rel=1e-7, abs=1e-12)
    assert found.discounted_square == pytest.approx((worth**2).mean(axis=0), rel=1e-6, abs=1e-12)
    assert np.all(found.discounted <= found.purchases)
    quiet = purchases.probability_of_no_purchase(draws, 13, known.x, known.t_x, known.T)
    assert found.quiet == pytest.approx(quiet.mean(axis=0), rel=1e-7)


def test_money_by_lines_is_money_by_draws() -> None:
    rng = np.random.default_rng(5)
    draws = SpendDraws(rng.gamma(60, 0.1, 80), 3 + rng.random(80), 15 + rng.random(80))
    lines = SpendLines.of(draws, 30)
    x, spent = rng.integers(0, 31, 40), rng.gamma(2, 100, 40)
    spent[x == 0] = 0.0
    mean, square = lines.at(x, spent)
    direct = spend.expected_spend(draws, x, spent / np.maximum(x, 1))
    assert mean == pytest.approx(direct.mean(axis=0), rel=1e-10)
    assert square == pytest.approx((direct**2).mean(axis=0), rel=1e-10)
