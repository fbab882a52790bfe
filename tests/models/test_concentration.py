"""Tenths of customers against customers taken one by one, and the plain product against the model."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.test_lifetime_value import BG, SPEND, shop
from workbench.models.concentration import concentration
from workbench.models.newcomers import Newcomers
from workbench.models.plain_value import corrections, observed
from workbench.models.purchases import expected_purchases
from workbench.models.spend import bin_spend, expected_spend


@pytest.mark.requirement("V08")
def test_tenths_are_those_of_customers_taken_one_by_one() -> None:
    """4,000 customers with their own spend; histories and spend are paired by x only, as the models do."""
    rows, x, mean_spend, _ = shop(4_000, seed=11)
    found = concentration(BG, SPEND, rows, bin_spend(x, mean_spend), 52, 0.1, kept=0.4, cost_per_order=1.0)
    own = np.zeros(len(rows.x))
    own[rows.x > 0] = mean_spend
    each = 0.4 * expected_spend(SPEND, rows.x, own)[0] - 1.0
    value = expected_purchases(BG, 52, rows.x, rows.t_x, rows.T, 0.1)[0] * each
    value = np.sort(value)[::-1]
    tenths = value.reshape(10, -1).sum(axis=1)
    assert found.total[0] == pytest.approx(value.sum(), rel=0.02)
    assert found.share[0] == pytest.approx(tenths / tenths.sum(), abs=0.015)
    assert found.share[0].sum() == pytest.approx(1.0)
    assert found.mean == pytest.approx(tenths / 400, rel=0.05, abs=0.1)
    half = np.argmax(np.cumsum(value) >= value.sum() / 2) / len(value)
    assert found.half[0] == pytest.approx(half, abs=0.01)


@pytest.mark.requirement("V08")
def test_a_purchase_that_costs_more_than_it_leaves_makes_customers_cost() -> None:
    rows, x, mean_spend, _ = shop(1_000, seed=12)
    found = concentration(BG, SPEND, rows, bin_spend(x, mean_spend), 52, 0.1, kept=0.4, cost_per_order=12.0)
    assert 0.05 < found.negative < 0.95
    assert found.share[0, 0] > 0.5


@pytest.mark.requirement("V02")
def test_the_steps_from_the_plain_product_multiply_to_the_model() -> None:
    rows, x, mean_spend, _ = shop(3_000, seed=13)
    plain = observed(rows, bin_spend(x, mean_spend), margin=0.4)
    assert plain.order_value == pytest.approx((x * mean_spend).sum() / x.sum(), rel=1e-3)
    assert plain.purchases_per_year == pytest.approx(rows.x.sum() / rows.T.sum() * 52.1775)
    assert plain.years == pytest.approx(rows.t_x.mean() / 52.1775)
    found = corrections(plain, Newcomers(BG), SPEND, rows, 52.0, 0.1)
    assert plain.value * np.prod(list(found.factors.values())) == pytest.approx(found.draws[0])
    # nobody's time is over yet, so the plain product's lifespan is too short
    assert found.factors["lifespan"] > 1.5
    assert 0.3 < found.still_customers < 0.9
