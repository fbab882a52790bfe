"""What a newly acquired customer is worth, how two groups differ, and whether the model foretells the future.

For each draw of the parameters of purchases (`purchases`) and of spend (`spend`), a customer's repeat
purchases within the horizon H are worth

    margin · E[spend] · ∫₀ᴴ (1+d)^(-t/52.1775) dE[X(t)],

t in weeks after the first purchase, d the discount a year, E[X(t)] the expected repeat purchases by then of a
customer just acquired. It is the limit of the usual sum over weeks of E[X(t)] - E[X(t-1)] discounted to the
middle of the week, from which it differs by less than one in a million.

Purchases and spend are taken to be independent between customers; see `spend.frequency_spend_correlation`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import check_between
from workbench.locale import say
from workbench.models.importance import Array, Seed
from workbench.models.purchases import PurchaseDraws, PurchaseRows, expected_purchases, total_purchases
from workbench.models.spend import SpendDraws, expected_spend


def value_per_customer(
    purchases: PurchaseDraws,
    spend: SpendDraws,
    horizon_weeks: ArrayLike = 52,
    discount_per_year: float = 0.1,
    margin: float = 1.0,
    first_purchase: bool = False,
) -> Array:
    """Expected discounted value of a newly acquired customer, draw by draw.

    Args:
        purchases: Draws; as many as of `spend`, and independent of them.
        spend: Draws.
        horizon_weeks: Weeks after the first purchase; several give a curve; infinite needs a discount.
        discount_per_year: A purchase a year from now is worth 1/(1 + discount) of one today.
        margin: Share of what is spent that is kept.
        first_purchase: Whether the first purchase is counted too, undiscounted and taken to be worth as much
            as a later one; else repeat purchases only.

    Returns:
        In the unit of money of `spend`, shape (draws, *shape of horizon_weeks).

    Raises:
        ModelError: when mean spend is not finite (q is 1 or less in any draw), or for an infinite horizon
            without a discount: the result is withheld.
    """
    number = (
        expected_purchases(purchases, horizon_weeks, discount_per_year=discount_per_year) + first_purchase
    )
    worth = margin * expected_spend(spend)
    return worth.reshape(-1, *(1,) * (number.ndim - 1)) * number


@dataclass(frozen=True)
class Difference:
    """The posterior of a difference.

    Attributes:
        draws: Of the difference, shape (draws,).
        mean, sd: Of these draws.
        low, high: Ends of the equal-tailed interval.
        level: Its probability.
        probability_positive: Share of the draws above zero.
    """

    draws: Array
    mean: float
    sd: float
    low: float
    high: float
    level: float
    probability_positive: float


def difference(values_a: Array, values_b: Array, level: float = 0.95) -> Difference:
    """The first group's value less the second's, from independent draws of the same number.

    The draws have to come from independent seeds (`importance.independent_seeds`).

    Raises:
        WorkbenchError: when the level is not between 0 and 1.
    """
    gap = values_a - values_b
    low, high = _interval(gap, level)
    return Difference(
        gap, float(gap.mean()), float(gap.std(ddof=1)), low, high, level, float(np.mean(gap > 0))
    )


@dataclass(frozen=True)
class Holdout:
    """What the model foretold from the past, and what came.

    Attributes:
        predicted: Mean of the predicted total of purchases.
        low, high: Ends of its equal-tailed prediction interval.
        level: The probability of that interval.
        actual: The total that came.
    """

    predicted: float
    low: float
    high: float
    level: float
    actual: float

    @property
    def within(self) -> bool:
        """Whether the interval holds what came."""
        return self.low <= self.actual <= self.high


def holdout(
    rows: PurchaseRows,
    purchases: PurchaseDraws,
    horizon_weeks: float,
    actual_total: float,
    level: float = 0.95,
    seed: Seed = 0,
) -> Holdout:
    """Hold the predicted total of the next weeks' repeat purchases against the actual one.

    The interval holds two kinds of doubt: about the parameters (200 draws of them at most) and about what
    these customers do by chance. For the second, each draw's total is a Poisson number whose rate is gamma
    distributed, with the mean and the exact variance of the sum over customers.

    Args:
        rows: Histories until the hold-out began; some of them only, to check a group of customers.
        purchases: Draws from the posterior given the histories until then.
        horizon_weeks: Length of the hold-out.
        actual_total: Repeat purchases of the customers in `rows` during the hold-out.
        level: Probability of the interval.
        seed: The same seed gives the same interval.

    Raises:
        WorkbenchError: when the level is not between 0 and 1.
    """
    rng = np.random.default_rng(seed)
    mean, variance = total_purchases(purchases.thin(200), rows, horizon_weeks)
    # Never below Poisson, even where an almost certain drop-out makes counts vary less.
    extra = np.maximum(variance - mean, 1e-9 * mean)
    futures = -(-20_000 // len(mean))
    rates = rng.gamma(mean**2 / extra, extra / mean, size=(futures, len(mean)))
    totals = rng.poisson(rates).astype(float)
    low, high = _interval(totals, level)
    return Holdout(float(mean.mean()), low, high, level, actual_total)


def _interval(draws: Array, level: float) -> tuple[float, float]:
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
