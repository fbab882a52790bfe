"""What customers with known histories will do, for any number of them: rows of equal histories, draw by draw.

A customer alive with x repeat purchases, watched for T weeks, will do the same whenever the last purchase
was, in each model here: with A = P(alive), which does depend on t_x,

    E[X] = A · E[X | alive, x, T],     P(none) = 1 - A · (1 - P(none | alive, x, T)).

Both conditionals are smooth in T. For each x that occurs they are computed at Chebyshev nodes in ln(1 + T)
and interpolated (barycentric formula, Berrut & Trefethen 2004, SIAM Review 46(3)): some hundred values
instead of one for each row, to nine digits or more. They are had from the public functions of `purchases`
at t_x = T, so that every model is served. Draws are walked through one by one: nothing of the size
draws × customers is kept.

Money: with s spent on x repeat purchases the next one is worth E[m] = p(v+s)/(px+q-1) on average, linear
in s for each draw; its mean and mean square over the draws therefore need two and three numbers for each
x. Draws of purchases and of spend are independent, so that means of products are products of means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.models.importance import Array
from workbench.models.purchases import (
    PurchaseDraws,
    expected_purchases,
    probability_alive,
    probability_of_no_purchase,
)
from workbench.models.spend import SpendDraws, expected_spend

_NODES = 24
_LEAST_ALIVE = 1e-300


@dataclass(frozen=True)
class Histories:
    """Histories, one a row.

    Attributes:
        x, t_x, T: Repeat purchases; weeks from the first purchase to the last, and until now; shape (rows,).
    """

    x: Array
    t_x: Array
    T: Array

    def at(self, places: NDArray[np.intp]) -> Histories:
        """The rows at these places."""
        return Histories(self.x[places], self.t_x[places], self.T[places])


class Ahead:
    """The next weeks of customers with these histories.

    Args:
        histories: One a row.
    """

    def __init__(self, histories: Histories) -> None:
        self.histories = histories
        self._x, self._x_of = np.unique(histories.x, return_inverse=True)
        self._T, self._T_of = np.unique(histories.T, return_inverse=True)
        self._nodes, self._weights = _interpolation(np.log1p(self._T))

    def alive(self, draw: PurchaseDraws) -> Array:
        """P(alive) for a single draw, shape (rows,)."""
        known = self.histories
        return probability_alive(draw, known.x, known.t_x, known.T)[0]

    def purchases_if_alive(self, draw: PurchaseDraws, weeks: float, discount_per_year: float = 0.0) -> Array:
        """Expected purchases of those alive, each discounted, for a single draw; shape (rows,)."""
        x, last, T = self._grid()
        number = expected_purchases(draw, weeks, x, last, T, discount_per_year)[0]
        return self._at_rows(number / self._grid_alive(draw))

    def buys_if_alive(self, draw: PurchaseDraws, weeks: float) -> Array:
        """The probability that those alive buy within the weeks, for a single draw; shape (rows,)."""
        x, last, T = self._grid()
        buys = 1 - probability_of_no_purchase(draw, weeks, x, last, T)[0]
        return self._at_rows(buys / self._grid_alive(draw))

    def _grid(self) -> tuple[Array, Array, Array]:
        """x, t_x, T at the nodes, each of shape (x values, nodes); somebody without repeats has t_x = 0."""
        x, T = np.meshgrid(self._x, np.expm1(self._nodes), indexing="ij")
        return x, np.where(x > 0, T, 0.0), T

    def _grid_alive(self, draw: PurchaseDraws) -> Array:
        return np.maximum(probability_alive(draw, *self._grid())[0], _LEAST_ALIVE)

    def _at_rows(self, at_nodes: Array) -> Array:
        return (at_nodes @ self._weights.T)[self._x_of, self._T_of]


def _interpolation(points: Array) -> tuple[Array, Array]:
    """Chebyshev nodes over the range of `points`, and the weights that give the points from them."""
    low, high = float(points[0]), float(points[-1])
    if high - low < 1e-12 or len(points) <= _NODES:
        return points, np.eye(len(points))
    k = np.arange(_NODES)
    nodes = (low + high) / 2 - (high - low) / 2 * np.cos(np.pi * k / (_NODES - 1))
    sign = np.where(k % 2, -1.0, 1.0) * np.where((k == 0) | (k == _NODES - 1), 0.5, 1.0)
    gap = points[:, None] - nodes
    exact = np.isclose(gap, 0, atol=1e-13)
    with np.errstate(divide="ignore"):
        terms = sign / np.where(exact, 1.0, gap)
    weights = terms / terms.sum(axis=1, keepdims=True)
    hit = exact.any(axis=1)
    weights[hit] = exact[hit] / exact[hit].sum(axis=1, keepdims=True)
    return nodes, weights


def each_draw(draws: PurchaseDraws) -> Iterator[PurchaseDraws]:
    """The draws one by one."""
    for i in range(len(draws)):
        yield draws.one(i)


@dataclass(frozen=True)
class Outlook:
    """What rows of customers will do, over the draws.

    Attributes:
        alive: Mean of P(alive), shape (rows,).
        purchases: Mean of the expected purchases.
        discounted: Mean of the same, each discounted.
        discounted_square: Mean of the square of that.
        quiet: Mean of the probability of no purchase.
    """

    alive: Array
    purchases: Array
    discounted: Array
    discounted_square: Array
    quiet: Array


def outlook(
    draws: PurchaseDraws,
    histories: Histories,
    weeks: float,
    quiet_weeks: float,
    discount_per_year: float = 0.0,
) -> Outlook:
    """Score rows of customers.

    Args:
        draws: Of the parameters.
        histories: One a row.
        weeks: How far ahead purchases are counted.
        quiet_weeks: How long nothing may be bought for `quiet`.
        discount_per_year: As of `purchases.expected_purchases`.
    """
    ahead = Ahead(histories)
    sums = np.zeros((5, len(histories.x)))
    for draw in each_draw(draws):
        alive = ahead.alive(draw)
        number = alive * ahead.purchases_if_alive(draw, weeks)
        worth = (
            alive * ahead.purchases_if_alive(draw, weeks, discount_per_year) if discount_per_year else number
        )
        quiet = 1 - alive * ahead.buys_if_alive(draw, quiet_weeks)
        for total, value in zip(sums, (alive, number, worth, worth**2, quiet), strict=True):
            total += value
    return Outlook(*sums / len(draws))


@dataclass(frozen=True)
class SpendLines:
    """The value of the next purchase for each number of repeat purchases, as polynomials of what was spent.

    Attributes:
        mean: Coefficients of 1 and s of its mean over the draws, shape (x values, 2).
        square: Coefficients of 1, s and s² of its mean square, shape (x values, 3).
    """

    mean: Array
    square: Array

    @classmethod
    def of(cls, draws: SpendDraws, most: int) -> SpendLines:
        """For 0, 1, ..., `most` repeat purchases.

        Raises:
            ModelError: when mean spend is not finite (q is 1 or less in any draw): the result is withheld.
        """
        x = np.arange(most + 1)
        base = expected_spend(draws, x, 0.0)
        slope = (expected_spend(draws, x, 1.0) - base) / np.maximum(x, 1)
        return cls(
            np.stack([base, slope], axis=-1).mean(axis=0),
            np.stack([base**2, 2 * base * slope, slope**2], axis=-1).mean(axis=0),
        )

    def at(self, x: NDArray[np.intp], spent: Array) -> tuple[Array, Array]:
        """Mean and mean square for customers whose x repeat purchases brought `spent`."""
        mean, square = self.mean[x], self.square[x]
        return mean[:, 0] + mean[:, 1] * spent, square[:, 0] + (square[:, 1] + square[:, 2] * spent) * spent
