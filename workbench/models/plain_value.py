"""The plain product of averages, and how far and why it is off.

    order value × purchases a year × years × margin

Its four numbers are what a shop can read off its orders. Step by step they are replaced by what they stand
for, so that the steps multiply to the model's answer:

    order value      mean spend of a customer not seen yet, not the mean of all orders
    frequency        purchases a year while a customer, not over all weeks watched
    lifespan         years as a customer within the horizon, to come too, not from first to last purchase
    customers differ the mean of products (those who buy more often leave sooner or later than others), not
                     the product of means
    discount         what comes later is worth less
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.models.importance import Array
from workbench.models.newcomers import Newcomers
from workbench.models.purchases import WEEKS_PER_YEAR, PurchaseRows, probability_alive
from workbench.models.spend import SpendDraws, SpendRows, expected_spend

_FEW_DRAWS = 100


@dataclass(frozen=True)
class Plain:
    """The four numbers of the plain product.

    Attributes:
        order_value: Mean of all repeat purchases.
        purchases_per_year: Repeat purchases for each year that customers were watched.
        years: From the first purchase to the last, on average.
        margin: Share of revenue that is kept.
    """

    order_value: float
    purchases_per_year: float
    years: float
    margin: float

    @property
    def value(self) -> float:
        """Their product."""
        return self.order_value * self.purchases_per_year * self.years * self.margin


def observed(rows: PurchaseRows, money: SpendRows, margin: float) -> Plain:
    """What a shop reads off its orders."""
    spent = float(money.n @ (np.exp(money.mean_log) * (1 + money.var_log / 2)))
    return Plain(
        order_value=spent / float(money.n @ money.x),
        purchases_per_year=float(rows.n @ rows.x / (rows.n @ rows.T)) * WEEKS_PER_YEAR,
        years=float(rows.n @ rows.t_x / rows.customers) / WEEKS_PER_YEAR,
        margin=margin,
    )


@dataclass(frozen=True)
class Corrections:
    """From the plain product to the model's answer.

    Attributes:
        model: What stands in each number's place: spend, purchases a year, years.
        factors: By step, what it multiplies the result by; all together, model over plain.
        draws: The model's answer, shape (draws,).
        still_customers: Share of the customers who are probably customers still.
    """

    model: Plain
    factors: dict[str, float]
    draws: Array
    still_customers: float


def corrections(
    plain: Plain,
    newcomers: Newcomers,
    spend: SpendDraws,
    rows: PurchaseRows,
    weeks: float,
    discount_per_year: float,
) -> Corrections:
    """Hold the plain product against the model, of repeat purchases within the horizon.

    Args:
        plain: The four numbers.
        newcomers, spend: The posterior.
        rows: The customers it was fitted to.
        weeks: The horizon; finite.
        discount_per_year: As of `newcomers`.
    """
    draws = newcomers.draws
    each = expected_spend(spend)
    rate = float((draws["r"] / draws["alpha"]).mean()) * WEEKS_PER_YEAR
    years = float(newcomers.years(weeks).mean())
    number = float(newcomers.purchases(weeks).mean())
    discounted = newcomers.purchases(weeks, discount_per_year)
    factors = {
        "order_value": float(each.mean()) / plain.order_value,
        "frequency": rate / plain.purchases_per_year,
        "lifespan": years / plain.years,
        "differ": number / (rate * years),
        "discount": float(discounted.mean()) / number,
    }
    alive = probability_alive(draws.thin(_FEW_DRAWS), rows.x, rows.t_x, rows.T).mean(axis=0)
    return Corrections(
        model=Plain(float(each.mean()), rate, years, plain.margin),
        factors=factors,
        draws=plain.margin * each * discounted,
        still_customers=float(rows.n @ alive / rows.customers),
    )
