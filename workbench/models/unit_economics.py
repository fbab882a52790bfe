"""What one newly acquired customer leaves, costs and pays back, draw by draw.

With N(H) the discounted repeat purchases within the horizon H and A(H) the discounted years as a customer
(`newcomers`), w what a repeat purchase leaves, f what the first one does and c what a year of service costs,

    value(H) = f + w · N(H) - c · A(H),        net of acquisition: value(H) - CAC.

The difference between two groups is shared out by Shapley values among what they may differ in: how soon
customers drop out (retention), how often they buy meanwhile (frequency), what a purchase leaves (order value)
and what it costs to win them. Each draw's parts add up to that draw's difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from workbench.models.importance import Array, Seed
from workbench.models.newcomers import Newcomers
from workbench.models.shapley import shapley_values

RETENTION, FREQUENCY, ORDER_VALUE, ACQUISITION = "retention", "frequency", "order_value", "acquisition"


@dataclass(frozen=True)
class Gains:
    """What a customer leaves, draw by draw.

    Attributes:
        purchase: Of a repeat purchase, shape (draws,).
        first: Of the first purchase; zero where it is not counted.
        service_per_year: What a year as a customer costs.
        acquisition: What winning the customer cost; zero where that is not subtracted.
    """

    purchase: Array
    first: Array
    service_per_year: float
    acquisition: Array


def earned(customers: Newcomers, gains: Gains, weeks: ArrayLike, discount_per_year: float) -> Array:
    """Value before the cost of acquisition, shape (draws, *shape of weeks).

    Raises:
        ModelError: for an infinite time without a discount.
    """
    number = customers.purchases(weeks, discount_per_year)
    shape = (-1, *(1,) * (number.ndim - 1))
    value = gains.first.reshape(shape) + gains.purchase.reshape(shape) * number
    if gains.service_per_year:
        value = value - gains.service_per_year * customers.years(weeks, discount_per_year)
    return value


def acquisition_cost(cost: float, customers: float, draws: int, seed: Seed) -> Array:
    """The posterior of what it costs to win a customer, from money spent and customers won with it.

    The money is known. The customers won are a Poisson number: had the same been spent again, others would
    have come. Its rate has Jeffreys' prior, so that the posterior is Gamma(customers + 1/2).
    """
    rates = np.random.default_rng(seed).gamma(customers + 0.5, size=draws)
    return np.asarray(cost / rates)


def payback_weeks(earned_by_week: Array, weeks: Array, cost: Array) -> Array:
    """The first of the weeks by whose end a customer has earned more than they cost, draw by draw.

    Args:
        earned_by_week: Shape (draws, weeks), from the first purchase on.
        weeks: Increasing, the first one zero.
        cost: Shape (draws,).

    Returns:
        Shape (draws,); infinite where that never happens within these weeks.
    """
    paid = earned_by_week > cost[:, None]
    return np.where(paid.any(axis=1), weeks[paid.argmax(axis=1)], np.inf)


@dataclass(frozen=True)
class Ranks:
    """Where each of several groups stands, over the draws; one is the most valuable.

    Attributes:
        top: The probability to be the most valuable, shape (groups,).
        low, high: Ends of the interval of the rank, shape (groups,).
    """

    top: Array
    low: Array
    high: Array


def ranks(values: Sequence[Array], level: float) -> Ranks:
    """Ranks of groups from independent draws of their values."""
    drawn = np.argsort(np.argsort(-np.stack(values), axis=0), axis=0) + 1
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=1, method="inverted_cdf")
    return Ranks((drawn == 1).mean(axis=1), low, high)


def difference_parts(
    customers: Mapping[tuple[bool, bool], Newcomers],
    gains: tuple[Gains, Gains],
    weeks: float,
    discount_per_year: float,
) -> dict[str, Array]:
    """What the difference between two groups is made of, draw by draw.

    Args:
        customers: By whether they buy as often as those of the first group, and drop out as they do.
        gains: Of the first group and of the second.
        weeks: The horizon.
        discount_per_year: As of `earned`.

    Returns:
        Part → draws, shape (draws,); they add up to the first group's value less the second's, net of what
        winning the customers cost where that is among the gains.
    """
    first, second = gains
    counted = {who: one.purchases(weeks, discount_per_year) for who, one in customers.items()}
    served = first.service_per_year or second.service_per_year
    years = {who: one.years(weeks, discount_per_year) for who, one in customers.items()} if served else {}

    def value(changed: frozenset[str]) -> Array:
        who = (FREQUENCY in changed, RETENTION in changed)
        gain = first if ORDER_VALUE in changed else second
        cost = first.acquisition if ACQUISITION in changed else second.acquisition
        worth = gain.first + gain.purchase * counted[who] - cost
        return worth - gain.service_per_year * years[who] if served else worth

    players = [RETENTION, FREQUENCY, ORDER_VALUE]
    if np.any(first.acquisition != second.acquisition):
        players.append(ACQUISITION)
    return shapley_values(players, value)
