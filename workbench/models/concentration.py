"""How unevenly what is still to come is spread over the customers there are.

A customer with the history (x, t_x, T) who spent s on x repeat purchases is expected to bring

    E[X | x, t_x, T] · (share of revenue kept · E[spend | x, s] - cost of a purchase)

within the horizon. Histories and spend are counted in rows of their own. The models take how often and how
much people buy to be independent, so that within customers of the same x each history is paired with each
spend, in proportion; spend comes in at most twelve equal parts of the customers of an x, each with its mean,
which keeps every total, since E[spend | x, s] is linear in s.

Customers are put in order by what is expected of them on average over the draws, as somebody would who has to
choose. What the highest tenth holds is then uncertain because the parameters are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.models.foretelling import Ahead, Histories
from workbench.models.importance import Array
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.models.spend import SpendDraws, SpendRows, expected_spend

TENTHS = 10
_DRAWS = 100
_PARTS = 12


@dataclass(frozen=True)
class Concentration:
    """Tenths of the customers, the most valuable first.

    Attributes:
        share: What each tenth holds of all that is to come, draw by draw, shape (draws, 10).
        mean: What a customer of each tenth is expected to bring, shape (10,).
        total: What all are expected to bring, draw by draw.
        negative: Share of customers who are expected to cost more than they bring.
        half: Share of the customers who hold half of what is to come, draw by draw.
    """

    share: Array
    mean: Array
    total: Array
    negative: float
    half: Array


def concentration(
    purchases: PurchaseDraws,
    spend: SpendDraws,
    rows: PurchaseRows,
    money: SpendRows,
    weeks: float,
    discount_per_year: float,
    kept: Array | float = 1.0,
    cost_per_order: float = 0.0,
) -> Concentration:
    """What the customers in `rows` are expected to bring, by tenths.

    Args:
        purchases, spend: As many draws of each; a hundred of them are used.
        rows: Histories of the customers.
        money: Spend of those who bought again.
        weeks: How far ahead; infinite needs a discount.
        discount_per_year: As of `purchases.expected_purchases`.
        kept: Share of revenue that is kept, one for all draws or one for each.
        cost_per_order: What a purchase costs.
    """
    some = np.linspace(0, len(purchases) - 1, min(_DRAWS, len(purchases))).round().astype(int)
    known = SpendDraws(spend.p[some], spend.q[some], spend.v[some])
    share = np.broadcast_to(np.asarray(kept, dtype=float), (len(purchases),))[some]
    x, spent, part, row = _paired(rows, money)
    number = _purchases(purchases.take(some), rows, weeks, discount_per_year)
    worth = share[:, None] * expected_spend(known, x, spent / np.maximum(x, 1)) - cost_per_order
    customers = rows.n[row] * part
    # the draws of how often and of how much are independent, so the mean of the product is that of the means
    expected = number.mean(axis=0)[row] * worth.mean(axis=0)
    order = np.argsort(-expected, kind="stable")
    customers, expected, row, worth = customers[order], expected[order], row[order], worth[:, order]
    upto = np.concatenate([[0.0], np.cumsum(customers)])
    cuts = np.linspace(0, upto[-1], TENTHS + 1)
    shares, totals, halves = [], [], []
    for at in range(len(some)):
        held = np.concatenate([[0.0], np.cumsum(customers * number[at, row] * worth[at])])
        shares.append(np.diff(np.interp(cuts, upto, held)) / held[-1])
        totals.append(held[-1])
        halves.append(upto[np.argmax(held >= held[-1] / 2)] / upto[-1])
    mean = np.diff(np.interp(cuts, upto, np.concatenate([[0.0], np.cumsum(customers * expected)])))
    return Concentration(
        share=np.array(shares),
        mean=mean * TENTHS / upto[-1],
        total=np.array(totals),
        negative=float(customers[expected < 0].sum() / upto[-1]),
        half=np.array(halves),
    )


def _purchases(draws: PurchaseDraws, rows: PurchaseRows, weeks: float, discount_per_year: float) -> Array:
    """Expected purchases of each row, draw by draw, shape (draws, rows)."""
    ahead = Ahead(Histories(rows.x, rows.t_x, rows.T))
    each = (draws.one(at) for at in range(len(draws)))
    return np.stack(
        [ahead.alive(one) * ahead.purchases_if_alive(one, weeks, discount_per_year) for one in each]
    )


def _paired(rows: PurchaseRows, money: SpendRows) -> tuple[Array, Array, Array, NDArray[np.intp]]:
    """Each row of histories with each part of the spend of its x.

    Returns:
        x, what was spent, the part's share of the row's customers, and the row.
    """
    found = []
    for x in np.unique(rows.x):
        mine = np.flatnonzero(rows.x == x)
        spent, part = _parts(money, x)
        found.append(
            (
                np.full(len(mine) * len(part), x),
                np.tile(spent, len(mine)),
                np.tile(part, len(mine)),
                np.repeat(mine, len(part)),
            )
        )
    x_of, spent_of, part_of, row_of = (np.concatenate(column) for column in zip(*found, strict=True))
    return x_of, spent_of, part_of, row_of


def _parts(money: SpendRows, x: float) -> tuple[Array, Array]:
    """What customers with x repeat purchases spent on them: means of up to twelve parts, and their shares."""
    mine = np.flatnonzero(money.x == x)
    if not len(mine):
        return np.zeros(1), np.ones(1)  # nothing is known of their spend, so they are like somebody new
    mine = mine[np.argsort(money.mean_log[mine])]
    n, spent = money.n[mine], np.exp(money.mean_log[mine]) * (1 + money.var_log[mine] / 2)
    part_of = np.minimum((np.cumsum(n) - n / 2) / n.sum() * _PARTS, _PARTS - 1).astype(int)
    customers = np.bincount(part_of, n)
    there = customers > 0
    return np.bincount(part_of, n * spent)[there] / customers[there], customers[there] / n.sum()
