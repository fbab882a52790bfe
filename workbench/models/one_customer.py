"""What one customer will still do, given what they did: alive or gone, purchases and money to come.

Of a customer with x repeat purchases, the last t_x weeks after the first one, watched for T weeks, who spent
s on the repeat purchases, each draw of the parameters of `purchases` and `spend` gives

    P(alive),   E[X] = P(alive) · E[X | alive],   E[money] = E[X] · p(v+s)/(px+q-1).

Their spread over the draws is what is not known of customers like this one; with many customers it is narrow.
What this one alone will do is chance besides. It is drawn from the same models: the purchases X as
`purchases.possible_purchases` says, then ν ~ Gamma(px+q, v+s) and money ~ Gamma(pX, ν).

Sources: as of `purchases` and `spend`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.models.importance import Array, Seed
from workbench.models.purchases import (
    PurchaseDraws,
    expected_purchases,
    possible_purchases,
    probability_alive,
)
from workbench.models.spend import SpendDraws, expected_spend

_FUTURES = 20_000


@dataclass(frozen=True)
class History:
    """What a customer did until now.

    Attributes:
        x: Repeat purchases.
        t_x: Weeks from the first purchase to the last.
        T: Weeks from the first purchase until now.
        spent: What the repeat purchases brought; nothing is learnt from zero or less.
    """

    x: int
    t_x: float
    T: float
    spent: float = 0.0


@dataclass(frozen=True)
class Future:
    """The posterior of a customer's next weeks.

    Attributes:
        alive: The probability that they will still buy, draw by draw, shape (draws,).
        purchases: Their expected purchases, draw by draw.
        money: What these are expected to bring, draw by draw; None without draws of spend.
        possible_purchases: Purchases that may come, shape (futures,).
        possible_money: What they may bring, shape (futures,); None without draws of spend.
    """

    alive: Array
    purchases: Array
    money: Array | None
    possible_purchases: Array
    possible_money: Array | None


def future(
    purchases: PurchaseDraws, spend: SpendDraws | None, history: History, weeks: float, seed: Seed = 0
) -> Future:
    """What a customer is expected to do in the next weeks, and what may happen.

    Args:
        purchases: Draws of the parameters of all customers.
        spend: As many draws, independent of these; None where spend is not known.
        history: What this one did.
        weeks: How far ahead; finite.
        seed: Of the futures; the same seed gives the same ones.

    Raises:
        ModelError: when mean spend is not finite (q is 1 or less in any draw): the result is withheld.
    """
    x, t_x, T = history.x, history.t_x, history.T
    alive = probability_alive(purchases, x, t_x, T)
    number = expected_purchases(purchases, weeks, x, t_x, T)
    rng = np.random.default_rng(seed)
    bought = possible_purchases(purchases, weeks, np.full(_FUTURES, x), t_x, T, rng)
    if spend is None:
        return Future(alive, number, None, bought, None)
    known = (x, history.spent / x) if x > 0 and history.spent > 0 else (0, 0.0)
    money = number * expected_spend(spend, *known)
    drawn = np.arange(_FUTURES) % len(spend.p)
    return Future(alive, number, money, bought, _possible_money(rng, spend, drawn, known, bought))


def _possible_money(
    rng: np.random.Generator,
    draws: SpendDraws,
    drawn: NDArray[np.intp],
    known: tuple[int, float],
    bought: Array,
) -> Array:
    x, mean = known
    p = draws.p[drawn]
    rate = rng.gamma(p * x + draws.q[drawn], 1 / (draws.v[drawn] + x * mean))
    paid = bought > 0
    return np.where(paid, rng.gamma(np.where(paid, p * bought, 1.0)) / rate, 0.0)
