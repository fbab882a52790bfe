"""One customer given the posterior: published numbers, closed forms, futures that come true as said."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import ModelError
from workbench.models.one_customer import History, future
from workbench.models.purchases import PurchaseDraws, probability_of_no_purchase
from workbench.models.spend import SpendDraws

BG = PurchaseDraws.point("bg-nbd", r=0.243, alpha=4.414, a=0.793, b=2.426)
MBG = PurchaseDraws.point("mbg-nbd", r=0.8, alpha=9.0, a=0.9, b=2.5)
PARETO = PurchaseDraws.point("pareto-nbd", r=0.553, alpha=10.578, s=0.606, beta=11.669)
SPEND = SpendDraws.point(p=6.25, q=3.74, v=15.44)
PUBLISHED = History(x=2, t_x=30.43, T=38.86, spent=2 * 22.35)


@pytest.mark.requirement("D22")
def test_published_customer() -> None:
    """Fader, Hardie & Lee (2005), table 4's customer, and the spend of note 025."""
    found = future(BG, SPEND, PUBLISHED, weeks=39)
    assert found.alive[0] == pytest.approx(0.72658, abs=5e-6)
    assert found.purchases[0] == pytest.approx(1.22603, abs=5e-6)
    assert found.money is not None
    assert found.money[0] / found.purchases[0] == pytest.approx(24.664, abs=5e-4)


def test_who_bought_once_is_certain_to_be_there_for_one_model_only() -> None:
    once = History(x=0, t_x=0.0, T=38.86)
    twin = PurchaseDraws(BG.parameters, "mbg-nbd")
    assert future(BG, None, once, 10).alive[0] == 1.0
    assert future(twin, None, once, 10).alive[0] == pytest.approx(0.6373, abs=5e-5)


def test_without_a_repeat_purchase_spend_is_that_of_the_population() -> None:
    found = future(MBG, SPEND, History(x=0, t_x=0.0, T=5.0), weeks=20)
    assert found.money is not None
    assert found.money[0] / found.purchases[0] == pytest.approx(35.219, abs=5e-4)


@pytest.mark.parametrize("draws", [BG, MBG, PARETO], ids=["bg-nbd", "mbg-nbd", "pareto-nbd"])
@pytest.mark.parametrize("weeks", [4.0, 52.0])
def test_futures_have_the_mean_and_the_share_of_none_that_the_formulas_say(
    draws: PurchaseDraws, weeks: float
) -> None:
    found = future(draws, SPEND, PUBLISHED, weeks, seed=7)
    counts = found.possible_purchases
    error = counts.std() / np.sqrt(len(counts))
    assert counts.mean() == pytest.approx(found.purchases[0], abs=4 * error)
    none = probability_of_no_purchase(draws, weeks, PUBLISHED.x, PUBLISHED.t_x, PUBLISHED.T)[0]
    assert np.mean(counts == 0) == pytest.approx(none, abs=0.015)
    money = found.possible_money
    assert money is not None
    assert found.money is not None
    assert money.mean() == pytest.approx(found.money[0], abs=4 * money.std() / np.sqrt(len(money)))
    assert np.array_equal(money > 0, counts > 0)


def test_what_was_said_of_single_customers_comes_true_as_often_as_said() -> None:
    """Customers of the model itself, watched for a while: nine in ten end inside a 90 % interval, or more,
    since numbers of purchases are whole."""
    random, watched, weeks = np.random.default_rng(3), 40.0, 30.0
    inside = []
    for _ in range(150):
        rate = random.gamma(MBG["r"][0], 1 / MBG["alpha"][0])
        dropout = random.beta(MBG["a"][0], MBG["b"][0])
        at, times = 0.0, [0.0]
        while random.random() >= dropout and at < watched + weeks:
            at += random.exponential(1 / rate)
            times.append(at)
        past = [time for time in times if 0 < time <= watched]
        came = sum(watched < time <= watched + weeks for time in times)
        history = History(len(past), max(past, default=0.0), watched)
        low, high = np.quantile(future(MBG, None, history, weeks).possible_purchases, [0.05, 0.95])
        inside.append(low <= came <= high)
    assert np.mean(inside) > 0.9 - 3 * np.sqrt(0.9 * 0.1 / len(inside))


def test_the_interval_of_the_expectation_is_the_spread_over_the_draws() -> None:
    """With parameters that are known there is none; what one customer does varies all the same."""
    known = future(MBG, SPEND, PUBLISHED, 26)
    assert len(known.purchases) == 1
    assert known.possible_purchases.std() > 0
    twice = {"r": [0.7, 0.9], "alpha": [9.0, 9.0], "a": [0.9, 0.9], "b": [2.5, 2.5]}
    several = PurchaseDraws({name: np.array(values) for name, values in twice.items()})
    spend = SpendDraws(np.full(2, 6.25), np.full(2, 3.74), np.full(2, 15.44))
    found = future(several, spend, PUBLISHED, 26)
    for index in (0, 1):
        alone = several.one(index)
        assert found.purchases[index] == future(alone, SPEND, PUBLISHED, 26).purchases[0]
    assert future(several, spend, PUBLISHED, 26, seed=1).possible_money is not None


def test_spend_without_a_mean_is_withheld() -> None:
    with pytest.raises(ModelError, match="mean spend is not finite"):
        future(MBG, SpendDraws.point(p=6.0, q=0.9, v=15.0), PUBLISHED, 26)
