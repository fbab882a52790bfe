"""What scores hide: the same customers seen by a model of purchases, cell by cell and against a fixed rule.

A cell of recency and frequency treats its customers as equal. The model (`models.purchases`) knows how often
each of them used to buy, so a silence of ninety days is much for one and nothing for another: it gives each
history a probability to be alive, purchases to come, and the probability of none in the next days. The cells
are then parted by how these differ within them.

The share lost is had both ways: by a rule (nothing bought for so many days) and by the model, with a table of
where the two disagree. Where the data go on long enough after the date, it also says who came back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.analyses.estimates import Estimate, Needs
from workbench.analyses.rfm_segments import SCORES
from workbench.analyses.value import DRAWS, FEWER_DRAWS, MANY_ROWS
from workbench.errors import ModelError
from workbench.locale import say
from workbench.metrics.purchases import WEEK_DAYS
from workbench.models import purchases
from workbench.models.foretelling import Ahead, Histories, each_draw
from workbench.models.importance import Array
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.records import Check

MODEL = "mbg-nbd"
"""It lets customers leave after the first purchase; BG/NBD is certain that who bought once is still there."""

_SEED = 1
_SHOWN_DRAWS = 100  # of which intervals are made; many customers have a narrow posterior
_SPREAD = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class ModelCell:
    """Customers of one recency and frequency as the model sees them.

    Attributes:
        r, f: Scores.
        customers: How many there are.
        alive: Their mean probability to buy ever again.
        spread: That probability of the tenth, the half and the nine tenths of them.
        purchases: Expected days with a purchase within the horizon, of one customer on average.
        silent: Their mean probability of no purchase within the horizon.
    """

    r: int
    f: int
    customers: int
    alive: Estimate
    spread: tuple[float, float, float]
    purchases: Estimate
    silent: float


@dataclass(frozen=True)
class Verdicts:
    """Customers of whom a rule and the model say this.

    Attributes:
        quiet: Whether the rule calls them gone.
        gone: Whether the model does.
        customers: How many there are.
        alive: How many of them are expected to be alive.
        buyers: How many are expected to buy within the horizon.
        returned: How many did; None where the data do not reach so far.
    """

    quiet: bool
    gone: bool
    customers: int
    alive: Estimate
    buyers: Estimate
    returned: int | None


@dataclass(frozen=True)
class ModelView:
    """The model's view of all customers.

    Attributes:
        customers: How many there are.
        once: How many bought on one day only; they are in every number.
        cells: By recency and frequency.
        explained: Share of the differences between customers' P(alive), as a variance, that lies between
            cells; the rest is within them.
        purchases: Days with a purchase that all customers are expected to make within the horizon.
        quiet: Share that the rule calls gone.
        gone: Expected share that will never buy again.
        silent: Expected share that buys nothing within the horizon.
        table: The four combinations of what rule and model say.
        khat: Of the posterior.
    """

    customers: int
    once: int
    cells: tuple[ModelCell, ...]
    explained: float
    purchases: Estimate
    quiet: float
    gone: Estimate
    silent: Estimate
    table: tuple[Verdicts, ...]
    khat: float

    @property
    def check(self) -> Check:
        """That the posterior may be shown."""
        return Check(
            name="khat",
            status="ok",
            detail=say(
                "The importance sampling of the posterior is sound (largest k̂ {khat:number}; above 0.7 it "
                "would be withheld).",
                khat=self.khat,
            ),
        )


def model_view(
    rows: pa.Table, *, horizon_days: int, gone_below: float, level: float, observed: bool
) -> ModelView | Needs:
    """The model's view of the histories.

    Args:
        rows: What `rfm_sums.histories` gives.
        horizon_days: How far ahead.
        gone_below: The model calls a customer gone whose probability to be alive is below it.
        level: Of the intervals.
        observed: Whether the rows know who returned.
    """
    known = {name: rows[name].to_numpy().astype(float) for name in rows.column_names}
    n, weeks = known["n"], _weeks(*(known[name] for name in ("x", "first", "second", "n")))
    try:
        draws = _posterior(known)
    except ModelError as error:
        return Needs(error.message)
    told = _told(draws, weeks, horizon_days / WEEK_DAYS, level)
    everybody = np.ones(len(n), bool)
    quiet, gone = known["quiet"] == 1, told.usual_alive < gone_below
    alive, buys = told.mean(told.alive, everybody), told.mean(told.buys, everybody)
    cells = [(r, f) for r, f in product(SCORES, SCORES) if np.any((known["r"] == r) & (known["f"] == f))]
    return ModelView(
        customers=int(n.sum()),
        once=int(n[weeks.x == 0].sum()),
        cells=tuple(told.cell(r, f, (known["r"] == r) & (known["f"] == f)) for r, f in cells),
        explained=told.explained(10 * known["r"] + known["f"]),
        purchases=told.sum(told.purchases, everybody),
        quiet=float(n[quiet].sum() / n.sum()),
        gone=_other(alive),
        silent=_other(buys),
        table=tuple(
            Verdicts(
                quiet=says_rule,
                gone=says_model,
                customers=int(n[those].sum()),
                alive=told.sum(told.alive, those),
                buyers=told.sum(told.buys, those),
                returned=int(known["returned"][those].sum()) if observed else None,
            )
            for says_rule, says_model in product((True, False), repeat=2)
            for those in [(quiet == says_rule) & (gone == says_model)]
        ),
        khat=draws.checks["khat"],
    )


@dataclass(frozen=True)
class _Told:
    """What the draws say of each row; arrays of shape (draws, rows) and (rows,)."""

    n: Array
    alive: Array
    purchases: Array
    buys: Array
    level: float

    @cached_property
    def usual_alive(self) -> Array:
        """P(alive) of each row over all draws."""
        return np.asarray(self.alive.mean(axis=0))

    def sum(self, values: Array, those: NDArray[np.bool_]) -> Estimate:
        """Over the customers of some rows."""
        sums = values[:, those] @ self.n[those]
        low, high = np.quantile(sums, [(1 - self.level) / 2, (1 + self.level) / 2])
        return Estimate(float(sums.mean()), float(low), float(high))

    def mean(self, values: Array, those: NDArray[np.bool_]) -> Estimate:
        """Of one of the customers of some rows."""
        total, n = self.sum(values, those), float(self.n[those].sum())
        return Estimate(total.value / n, total.low / n, total.high / n)

    def cell(self, r: int, f: int, those: NDArray[np.bool_]) -> ModelCell:
        order = np.argsort(self.usual_alive[those])
        sorted_, within = self.usual_alive[those][order], np.cumsum(self.n[those][order])
        tenth, half, most = sorted_[np.searchsorted(within, np.array(_SPREAD) * within[-1])]
        return ModelCell(
            r=r,
            f=f,
            customers=int(self.n[those].sum()),
            alive=self.mean(self.alive, those),
            spread=(float(tenth), float(half), float(most)),
            purchases=self.mean(self.purchases, those),
            silent=1 - self.mean(self.buys, those).value,
        )

    def explained(self, cells: Array) -> float:
        """Share of the variance of P(alive) between customers that is between cells."""
        _, cell_of = np.unique(cells, return_inverse=True)
        size = np.bincount(cell_of, self.n)
        means = np.bincount(cell_of, self.n * self.usual_alive) / size
        whole = np.average(self.usual_alive, weights=self.n)
        total = np.average((self.usual_alive - whole) ** 2, weights=self.n)
        between = np.average((means - whole) ** 2, weights=size)
        return float(between / total) if total > 0 else 1.0


def _told(draws: PurchaseDraws, rows: PurchaseRows, weeks: float, level: float) -> _Told:
    # an hour and a half is no matter, and leaves fewer times to compute anything for
    ahead = Ahead(Histories(rows.x, rows.t_x.round(2), rows.T.round(2)))
    alive, number, buys = (np.empty((len(draws), len(rows.x))) for _ in range(3))
    for i, draw in enumerate(each_draw(draws)):
        alive[i] = ahead.alive(draw)
        number[i] = alive[i] * ahead.purchases_if_alive(draw, weeks)
        buys[i] = alive[i] * ahead.buys_if_alive(draw, weeks)
    return _Told(rows.n, alive, number, buys, level)


def _other(share: Estimate) -> Estimate:
    """The share of all others."""
    return Estimate(1 - share.value, 1 - share.high, 1 - share.low)


def _weeks(x: Array, first: Array, second: Array, n: Array) -> PurchaseRows:
    """Rows of sums of days as rows of average weeks."""
    return PurchaseRows(x, first / n / WEEK_DAYS, second / n / WEEK_DAYS, n)


def _posterior(known: dict[str, Array]) -> PurchaseDraws:
    """Draws of the parameters, which do not depend on how customers are scored.

    The rows of one history in several cells are one row again, so that they are fewer and the same whatever
    is asked.
    """
    history = np.stack([known[name] for name in ("x", "since", "tenure")])
    (x, _, _), row_of = np.unique(history, axis=1, return_inverse=True)
    first, second, n = (np.bincount(row_of, known[name]) for name in ("first", "second", "n"))
    rows = _weeks(x, first, second, n)
    return _fitted(np.stack([rows.x, rows.t_x, rows.T, rows.n]).tobytes())


@lru_cache(maxsize=4)
def _fitted(packed: bytes) -> PurchaseDraws:
    """Fitted once for the same histories, whatever is asked of them."""
    rows = PurchaseRows(*np.frombuffer(packed).reshape(4, -1))
    draws = DRAWS if len(rows.x) < MANY_ROWS else FEWER_DRAWS
    return purchases.posterior(rows, MODEL, draws, _SEED).thin(_SHOWN_DRAWS)
