"""How well a model foretells a period that it has not seen, customer by customer.

Customers are rows of equal histories (x, t_x, T) until a day and of equal purchases y afterwards, counted.
The model is fitted to the histories alone; its prediction for a customer is the posterior mean of
E[X | history].

    mean absolute error, root mean squared error, correlation     of predictions and y
    calibration     customers in tenths by their probability to buy at all, beside the share that did
    Brier score     mean of (probability − whether they bought)², beside that of everybody's share
    CRPS            E|X − y| − E|X − X'|/2 over futures X, X' drawn for the customer: an error in purchases
    coverage        the share of customers whose y lies in their own central interval. Counts are discrete,
                    so y is spread over its own probability (randomised PIT), which is uniform when the
                    model is right

Beside it stand two who know no model: "nobody buys again" and "everybody goes on at the rate x/T so far".
The absolute error alone misleads: most customers buy nothing, so "nobody" does well by it.

Sources: Fader, Hardie & Lee (2005), section 4; Gneiting & Raftery (2007), "Strictly proper scoring rules",
JASA 102; Czado, Gneiting & Held (2009), "Predictive model assessment for count data", Biometrics 65.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.models.foretelling import Ahead, Histories, each_draw
from workbench.models.importance import Array, Seed
from workbench.models.purchases import PurchaseDraws, possible_purchases

_TENTHS = 10
_MOST_X = 7
_FUTURES = 200
_MOST_SIMULATED = 20_000
_LEVELS = (0.5, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Followed:
    """Customers with equal histories and equal futures, counted.

    Attributes:
        histories: Until the hold-out began.
        n: How many customers, shape (rows,).
        later: Purchases of each during the hold-out.
        weeks: Length of the hold-out.
    """

    histories: Histories
    n: Array
    later: Array
    weeks: float

    @property
    def total(self) -> float:
        """Purchases of all of them."""
        return float(self.n @ self.later)


@dataclass(frozen=True)
class Errors:
    """How far predictions are off.

    Attributes:
        total: Predicted purchases of all customers.
        mae, rmse: Mean absolute and root mean squared error, purchases a customer.
        correlation: With what came; None where all predictions are equal.
    """

    total: float
    mae: float
    rmse: float
    correlation: float | None


@dataclass(frozen=True)
class Band:
    """Customers alike in what was foretold of them, or in x.

    Attributes:
        n: How many.
        predicted: Their mean prediction.
        low, high: Between them lies the mean over the draws, with 95 %; equal to it for a tenth.
        actual: What came, on average.
    """

    label: float
    n: float
    predicted: float
    low: float
    high: float
    actual: float


@dataclass(frozen=True)
class Foretold:
    """One model's predictions, judged.

    Attributes:
        predicted: Posterior mean of each row's purchases, shape (rows,).
        errors: Of these.
        by_x: By repeat purchases so far, the last band for 7 and more.
        by_probability: In tenths by the probability to buy at all; `label` is the tenth.
        brier, brier_of_share: Of these probabilities, and of everybody's share.
        crps: In purchases; `crps_of_all` is that of the distribution of y over all customers.
        coverage: Level → share of customers whose purchases lie in their central interval.
    """

    predicted: Array
    errors: Errors
    by_x: tuple[Band, ...]
    by_probability: tuple[Band, ...]
    brier: float
    brier_of_share: float
    crps: float
    crps_of_all: float
    coverage: dict[float, float]


def errors(followed: Followed, predicted: Array) -> Errors:
    """Hold predictions, shape (rows,), against what came."""
    n, y = followed.n, followed.later
    gap = predicted - y
    count = n.sum()
    mean_p, mean_y = n @ predicted / count, followed.total / count
    deviation_p, deviation_y = predicted - mean_p, y - mean_y
    spread = np.sqrt((n @ deviation_p**2) * (n @ deviation_y**2))
    return Errors(
        float(n @ predicted),
        float(n @ np.abs(gap) / count),
        float(np.sqrt(n @ gap**2 / count)),
        float(n @ (deviation_p * deviation_y) / spread) if spread > 0 else None,
    )


def nobody(followed: Followed) -> Errors:
    """Of "nobody buys again"."""
    return errors(followed, np.zeros_like(followed.n))


def same_rate(followed: Followed) -> Errors:
    """Of "everybody goes on at the rate so far": x/T purchases a week."""
    known = followed.histories
    return errors(followed, known.x / np.maximum(known.T, 1 / 7) * followed.weeks)


def judge(followed: Followed, draws: PurchaseDraws, seed: Seed = 0) -> Foretold:
    """Foretell each customer's purchases and hold them against what came.

    Args:
        followed: The customers.
        draws: From the posterior given their histories; walked through one by one.
        seed: Of the futures that are drawn.
    """
    known, n, y = followed.histories, followed.n, followed.later
    ahead = Ahead(known)
    group = np.minimum(known.x, _MOST_X).astype(int)
    in_group = np.bincount(group, n, _MOST_X + 1)
    predicted, buys = np.zeros_like(n), np.zeros_like(n)
    by_draw = []
    for draw in each_draw(draws):
        alive = ahead.alive(draw)
        number = alive * ahead.purchases_if_alive(draw, followed.weeks)
        predicted += number / len(draws)
        buys += alive * ahead.buys_if_alive(draw, followed.weeks) / len(draws)
        by_draw.append(np.bincount(group, n * number, _MOST_X + 1))
    means = np.array(by_draw)[:, in_group > 0] / in_group[in_group > 0]
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    actual = np.bincount(group, n * y, _MOST_X + 1)
    by_x = tuple(
        Band(float(x), float(in_group[x]), float(m), float(a), float(b), float(actual[x] / in_group[x]))
        for x, m, a, b in zip(np.nonzero(in_group)[0], means.mean(axis=0), low, high, strict=True)
    )
    bought = (y > 0).astype(float)
    share = n @ bought / n.sum()
    rng = np.random.default_rng(seed)
    crps, coverage = _of_futures(followed, draws, rng)
    return Foretold(
        predicted=predicted,
        errors=errors(followed, predicted),
        by_x=by_x,
        by_probability=_tenths(n, buys, bought),
        brier=float(n @ (buys - bought) ** 2 / n.sum()),
        brier_of_share=float(share * (1 - share)),
        crps=crps,
        crps_of_all=_crps_of_all(n, y),
        coverage=coverage,
    )


def _tenths(n: Array, probability: Array, bought: Array) -> tuple[Band, ...]:
    """About as many customers in each; rows that are equal stay together."""
    order = np.argsort(probability, kind="stable")
    before = np.cumsum(n[order]) - n[order]
    tenth = np.empty(len(n), dtype=int)
    tenth[order] = np.minimum(before / n.sum() * _TENTHS, _TENTHS - 1).astype(int)
    size, said, came = (np.bincount(tenth, n * values, _TENTHS) for values in (1, probability, bought))
    bands = []
    for i in np.nonzero(size)[0]:
        foretold, bought_ = float(said[i] / size[i]), float(came[i] / size[i])
        bands.append(Band(float(i + 1), float(size[i]), foretold, foretold, foretold, bought_))
    return tuple(bands)


def _of_futures(
    followed: Followed, draws: PurchaseDraws, rng: np.random.Generator
) -> tuple[float, dict[float, float]]:
    """CRPS and coverage, from futures drawn for each row, or for a sample of customers."""
    known, n, y = followed.histories, followed.n, followed.later
    if len(n) > _MOST_SIMULATED:
        place = (np.arange(_MOST_SIMULATED) + rng.random()) / _MOST_SIMULATED
        chosen = np.minimum(np.searchsorted(np.cumsum(n) / n.sum(), place), len(n) - 1)
        known, y, n = known.at(chosen), y[chosen], np.ones(_MOST_SIMULATED)
    many = (_FUTURES, len(y))
    x, t_x, T = (np.broadcast_to(values, many) for values in (known.x, known.t_x, known.T))
    futures = possible_purchases(draws, followed.weeks, x, t_x, T, rng)
    # E|X − X'| between the futures of one customer, by sorting them
    ranked = np.sort(futures, axis=0)
    rank = 2 * np.arange(1, _FUTURES + 1) - _FUTURES - 1
    between = 2 * (rank @ ranked) / (_FUTURES * (_FUTURES - 1))
    crps = np.abs(futures - y).mean(axis=0) - between / 2
    # of a customer whose y has the probabilities from `below` to `below + same`, the share inside
    below, same = (futures < y).mean(axis=0), np.maximum((futures == y).mean(axis=0), 1e-9)
    coverage = {}
    for level in _LEVELS:
        low, high = (1 - level) / 2, (1 + level) / 2
        inside = np.clip(np.minimum(below + same, high) - np.maximum(below, low), 0, None) / same
        coverage[level] = float(n @ inside / n.sum())
    return float(n @ crps / n.sum()), coverage


def _crps_of_all(n: Array, y: Array) -> float:
    """The CRPS of foretelling of each customer the distribution of all: half of E|Y − Y'|."""
    values, of = np.unique(y, return_inverse=True)
    share = np.bincount(of, n) / n.sum()
    below = np.cumsum(share)[:-1]
    return float(np.sum(below * (1 - below) * np.diff(values)))


def tracking(followed: Followed, draws: PurchaseDraws, weeks: Array) -> Array:
    """Expected purchases of all customers within each of `weeks`, shape (draws, weeks)."""
    ahead, n = Ahead(followed.histories), followed.n
    totals = []
    for draw in each_draw(draws):
        alive = n * ahead.alive(draw)
        totals.append([float(alive @ ahead.purchases_if_alive(draw, week)) for week in weeks])
    return np.array(totals)
