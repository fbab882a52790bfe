"""Amounts in the wrong unit, sign or currency are found; large or whole ones are no fault."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.tables.checking import alarms, checked, orders_on

RNG = np.random.default_rng(1)
ORDERS = orders_on([20] * 30, RNG)
REVENUE = np.asarray(ORDERS["revenue"])


def found(name: str, *, currency: str = "EUR", **columns: Any) -> Any:
    return checked(orders={**ORDERS, **columns}, currency=currency)[f"orders.{name}"]


def lines(factor: float = 1.0) -> dict[str, Any]:
    """Two lines an order that add up to its revenue."""
    return {
        "order_id": np.repeat(ORDERS["order_id"], 2),
        "sku": ["s"] * (2 * REVENUE.size),
        "quantity": pa.array(np.tile([1.0, 2.0], REVENUE.size)),
        "price": np.stack([REVENUE / 2, REVENUE / 4], 1).ravel() * factor,
    }


def test_amounts_in_order_are_fine() -> None:
    assert alarms(checked(orders=ORDERS, order_items=lines())) == set()


@pytest.mark.requirement("D17")
def test_amounts_that_look_like_cents_are_asked_about() -> None:
    cents = found("cents", revenue=(REVENUE * 100).round())
    assert (cents.status, cents.count) == ("warn", 600)
    assert "cents" in str(cents.detail)
    assert "600" not in str(cents.detail)
    assert found("cents", revenue=REVENUE.round()).status == "ok"  # whole euros of an ordinary size
    assert found("cents", revenue=(REVENUE * 100).round() + 0.5).status == "ok"  # large, but not whole


@pytest.mark.parametrize("currency", ["JPY", "CLP", "COP"])
def test_whole_amounts_are_usual_where_nobody_pays_in_cents(currency: str) -> None:
    assert found("cents", currency=currency, revenue=(REVENUE * 100).round()).status == "ok"


def test_lines_tell_cents_however_small_the_amounts() -> None:
    in_cents = checked(orders={**ORDERS, "revenue": REVENUE * 100}, order_items=lines())["orders.cents"]
    assert in_cents.status == "warn"
    assert "revenue is about 100 times" in str(in_cents.detail)
    prices = checked(orders=ORDERS, order_items=lines(100))["orders.cents"]
    assert prices.status == "warn"
    assert "lines is about 100 times" in str(prices.detail)


def test_orders_that_do_not_agree_with_their_lines_are_counted() -> None:
    revenue = REVENUE.copy()
    revenue[:60] *= 3
    other = checked(orders={**ORDERS, "revenue": revenue}, order_items=lines())["orders.items"]
    assert (other.status, other.count, other.share) == ("warn", 60, 0.1)
    discounted = {**ORDERS, "revenue": REVENUE * 0.3, "discount": REVENUE * 0.7}
    assert checked(orders=discounted, order_items=lines())["orders.items"].status == "ok"


def test_signs_and_parts_larger_than_the_whole_are_counted() -> None:
    revenue = REVENUE.copy()
    revenue[[3, 5]] *= -1
    negative = found("negative", revenue=revenue)
    assert (negative.status, negative.count, negative.examples) == ("warn", 2, ("o3", "o5"))
    parts = np.zeros(REVENUE.size)
    parts[:4] = REVENUE[:4] * 2
    assert (found("refund", refund=parts).status, found("refund", refund=parts).count) == ("warn", 4)
    assert (found("refund", refund=-parts).status, found("refund", refund=-parts).count) == ("warn", 4)
    assert (found("margin", margin=parts).status, found("margin", margin=parts).count) == ("warn", 4)
    assert found("margin", margin=-parts).status == "ok"  # a loss
    assert found("discount", discount=parts).status == "ok"  # four of 600 sold at a third of the price


def test_a_few_orders_that_decide_everything_are_found() -> None:
    revenue = REVENUE.copy()
    revenue[7] = 20_000.0
    one = found("outliers", revenue=revenue)
    assert (one.status, one.count, one.examples) == ("warn", 1, ("o7",))
    assert one.share == pytest.approx(20_000 / revenue.sum())
    heavy = np.exp(RNG.normal(3, 1, REVENUE.size))  # log-normal: a long tail is no fault
    assert found("outliers", revenue=heavy).status == "ok"


@pytest.mark.requirement("D17")
def test_a_currency_without_a_rate_withholds_its_sums() -> None:
    currency = ["EUR"] * 590 + ["MXN"] * 8 + ["USD"] * 2
    rates = {"date": pa.array([np.datetime64("2025-01-01", "us")]), "currency": ["USD"], "rate": [0.9]}
    without = checked(orders={**ORDERS, "currency": currency})["orders.currency"]
    assert (without.status, without.count, without.examples) == ("fail", 10, ("MXN: 8", "USD: 2"))
    rated = checked(orders={**ORDERS, "currency": currency}, rates=rates)["orders.currency"]
    assert (rated.status, rated.count, rated.examples) == ("fail", 8, ("MXN: 8",))
    own = checked(orders={**ORDERS, "currency": ["EUR"] * 600})["orders.currency"]
    assert (own.status, own.count) == ("ok", 0)
