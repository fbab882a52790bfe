"""Compressed histories of occasions, and what the model says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from workbench.analyses.estimates import Estimate
from workbench.analyses.occasions_found import Bin, Cell, Foretold, Held, OccasionSettings
from workbench.errors import ModelError
from workbench.models import bg_bb
from workbench.models.bg_bb import OpportunityDraws, OpportunityRows
from workbench.models.importance import Array, independent_seeds

_LOOKED_AT = 500  # draws that customers are foretold with
_NUMBERS = 5_000_000  # that are in memory at once
_SIMULATED = 4_000_000  # customers, over all draws
_DRAWS = 1000
_BINS = 7


@dataclass(frozen=True)
class Counted:
    """Customers with equal histories, counted; columns as in `metrics.occasions.customers`."""

    n: Array
    x: Array
    t_x: Array
    known_x: Array
    known_t: Array
    count: Array

    @property
    def customers(self) -> int:
        """How many there are."""
        return int(self.count.sum())

    @classmethod
    def together(cls, parts: Sequence[Counted]) -> Counted:
        """Those of several groups, equal ones in one row."""
        names = ("n", "x", "t_x", "known_x", "known_t")
        whole = np.column_stack([np.concatenate([getattr(part, name) for part in parts]) for name in names])
        rows, place = np.unique(whole, axis=0, return_inverse=True)
        count = np.bincount(place.ravel(), np.concatenate([part.count for part in parts]))
        n, x, t_x, known_x, known_t = rows.T
        return cls(n, x, t_x, known_x, known_t, count)

    def rows(self) -> OpportunityRows:
        """As the model wants them: histories that differ only in what was known earlier are one row."""
        return _rows(self.x, self.t_x, self.n, self.count)

    def known(self, held: int) -> Counted:
        """Those who had an occasion before the last ones."""
        there = self.n > held
        return Counted(*(getattr(self, name)[there] for name in self.__dataclass_fields__))


def _rows(x: Array, t_x: Array, n: Array, count: Array) -> OpportunityRows:
    rows, place = np.unique(np.column_stack([x, t_x, n]), axis=0, return_inverse=True)
    x, t_x, n = rows.T
    return OpportunityRows(x, t_x, n, np.bincount(place.ravel(), count))


def futures(
    rows: OpportunityRows, draws: OpportunityDraws, ahead: int, seed: np.random.SeedSequence
) -> tuple[Array, Array]:
    """How many are still there, and take each of the next occasions, chance included, in each draw."""
    most = int(np.clip(_SIMULATED / rows.count.sum(), 50, _LOOKED_AT))
    there, taken = bg_bb.futures(draws.thin(most), ahead, rows, seed)
    return there.astype(float), taken.astype(float)


def from_draws(draws: Array, level: float) -> Estimate:
    """A posterior mean and its interval."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(np.mean(draws)), float(low), float(high))


@dataclass(frozen=True)
class Ahead:
    """What the model says of some customers.

    Attributes:
        rows: Their histories.
        active: Mean probability to be still there, shape (draws,).
        taken: Mean number of customers who take each of the next occasions, a customer: (draws, ahead).
        each_active, each_taken: Posterior means of a row's customers.
    """

    rows: OpportunityRows
    active: Array
    taken: Array
    each_active: Array
    each_taken: Array


def ahead_of(rows: OpportunityRows, draws: OpportunityDraws, ahead: int) -> Ahead:
    """Ask the model, some draws at a time."""
    looked_at = draws.thin(_LOOKED_AT)
    total, size = len(looked_at.alpha), max(1, int(_NUMBERS / (len(rows.n) * (ahead + 1))))
    share = rows.count / rows.count.sum()
    active, taken = np.zeros(total), np.zeros((total, ahead))
    each_active, each_taken = np.zeros(len(rows.n)), np.zeros(len(rows.n))
    for start in range(0, total, size):
        part = slice(start, start + size)
        some = OpportunityDraws(*(getattr(looked_at, name)[part] for name in bg_bb.PARAMETERS))
        there = bg_bb.probability_alive(some, rows.x, rows.t_x, rows.n)
        buys = bg_bb.expected_by_opportunity(some, ahead, rows.x, rows.t_x, rows.n)
        active[part], taken[part] = there @ share, np.einsum("drk,r->dk", buys, share)
        each_active += there.sum(axis=0) / total
        each_taken += buys.sum(axis=(0, 2)) / total
    return Ahead(rows, active, taken, each_active, each_taken)


def foretold(
    everybody: Counted,
    held: int,
    came: Callable[[], list[tuple[date, int]]],
    settings: OccasionSettings,
    seed: np.random.SeedSequence,
) -> Foretold | None:
    """The last periods, foretold from what was known before them.

    Args:
        everybody: All histories.
        held: How many periods are held back.
        came: Asks for who took each of them.
        settings: The question.
        seed: Of the draws.

    Returns:
        None where too few periods or too few who came again were there before.
    """
    before = everybody.known(held)
    if held < 1 or not before.customers or not np.any(before.known_x > 0):
        return None
    n = before.n - held
    rows = _rows(before.known_x, before.known_t, n, before.count)
    one, other = independent_seeds(seed, 2)
    try:
        draws = bg_bb.posterior(rows, _DRAWS, one)
    except ModelError:
        return None
    _, future = futures(rows, draws, held, other)
    each = ahead_of(OpportunityRows(before.known_x, before.known_t, n, before.count), draws, held).each_taken
    later = before.x - before.known_x
    methods = {
        "model": each,
        "same-rate": held * before.known_x / n,
        "nobody": np.zeros(len(later)),
    }
    share = before.count / before.count.sum()
    return Foretold(
        customers=before.customers,
        periods=tuple(
            Held(begin, from_draws(column, settings.level), n_came)
            for (begin, n_came), column in zip(came(), future.T, strict=True)
        ),
        total=from_draws(future.sum(axis=1), settings.level),
        came=int(before.count @ later),
        mean_errors={name: float(share @ np.abs(guess - later)) for name, guess in methods.items()},
        root_errors={name: float(np.sqrt(share @ (guess - later) ** 2)) for name, guess in methods.items()},
    )


def cells(everybody: Counted, ahead: Ahead) -> tuple[Cell, ...]:
    """Customers by how often they did it and since when they have not."""
    rows = ahead.rows
    silent, taken = rows.n - rows.t_x, rows.x
    across, up = bins(silent), bins(taken)
    found = []
    for high in up:
        for wide in across:
            here = _in(silent, wide) & _in(taken, high)
            count = rows.count * here
            if n := count.sum():
                found.append(
                    Cell(
                        wide,
                        high,
                        round(float(n)),
                        float(count @ ahead.each_active / n),
                        float(count @ ahead.each_taken / n),
                    )
                )
    return tuple(found)


def bins(values: Array, most: int = _BINS) -> list[Bin]:
    """Single numbers where there are few, growing ranges where there are many.

    >>> [(one.low, one.high) for one in bins(np.arange(31.0))]
    [(0, 0), (1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, None)]
    """
    top = int(values.max())
    if top < most:
        return [Bin(value, value) for value in range(top + 1)]
    found, low = [], 0
    for place in range(most - 1):
        width = 1 if place < 3 else 2 ** (place - 2)
        found.append(Bin(low, low + width - 1))
        low += width
    return [*(one for one in found if one.low <= top), *([Bin(low, None)] if low <= top else [])]


def _in(values: Array, one: Bin) -> NDArray[np.bool_]:
    return (values >= one.low) & (values <= (np.inf if one.high is None else one.high))
