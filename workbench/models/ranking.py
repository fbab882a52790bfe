"""Which segment gains most: gains ranked, how sure each rank is, and what the largest seen is worth.

A segment's gain is its effect times the customers in it. Ranks are counted in draws of all gains together
(`joint`), so they know what is not known of any of them:
    rank of s in a draw = 1 + #{j : gain_j > gain_s},   P(top) = share of draws in which it is 1
What looks best is partly what was lucky (the winner's curse): of 20 segments of 200 customers who all convert
at 10 %, the best looks like 14.1 %. Of effects y_j ~ N(θ_j, se_j²) the largest seen is expected to be
    E[max_j y_j] = x_0 + ∫_{x_0}^∞ (1 − ∏_j F_j(x)) dx,   x_0 below all of them
Pooled effects (`pooling`) are what is left after luck is taken out, so it is they that are ranked.
Louis (1984), J. American Statistical Association 79:393; Goldstein & Spiegelhalter (1996), J. Royal
Statistical Society A 159:385, on ranks and their intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.errors import ModelError, check_between
from workbench.locale import say
from workbench.models.arms import Array

type Ranks = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Ranks of several quantities; 1 is the largest. Arrays have the shape (quantities,).

    Attributes:
        low, high: Interval of each rank, with at least the level's probability.
        top: Probability of being the first.
    """

    low: Ranks
    high: Ranks
    top: Array


def rank(drawn: ArrayLike, level: float = 0.95) -> Ranking:
    """Ranks of quantities that were drawn together.

    Args:
        drawn: Shape (draws, quantities).
        level: Of the intervals.

    Raises:
        ModelError: there are no draws or no quantities.
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    values = np.asarray(drawn, dtype=float)
    if values.ndim != 2 or not values.size:
        raise ModelError("Ranks need draws of at least one quantity.")
    draws, quantities = values.shape
    order = np.argsort(-values, axis=1)
    # How often each quantity comes at each place: one count for all.
    counts = np.bincount((order * quantities + np.arange(quantities)).ravel(), minlength=quantities**2)
    below = counts.reshape(quantities, quantities).cumsum(axis=1) / draws
    tail = (1 - level) / 2
    low, high = ((below < q).sum(axis=1) + 1 for q in (tail + 1e-12, 1 - tail - 1e-12))
    return Ranking(low, high, below[:, 0])


def largest_by_luck(effects: ArrayLike, standard_errors: ArrayLike, seen: float) -> tuple[float, float]:
    """The largest effect expected to be seen of several, and the probability of one as large as `seen`.

    Args:
        effects: What they are in truth.
        standard_errors: Of what is seen of each, above zero.
        seen: The largest that was.

    >>> [round(x, 3) for x in largest_by_luck([0.0] * 20, [1.0] * 20, 3.0)]
    [1.867, 0.027]
    """
    truth, errors = np.asarray(effects, dtype=float), np.asarray(standard_errors, dtype=float)
    if truth.ndim != 1 or truth.shape != errors.shape or not truth.size or not (errors > 0).all():
        raise ModelError("The largest of effects needs the standard error of each, above zero.")
    x, step = np.linspace((truth - 9 * errors).min(), (truth + 9 * errors).max(), 2001, retstep=True)
    below = np.exp(special.log_ndtr((np.append(x, seen)[:, None] - truth) / errors).sum(axis=1))
    return float(x[0] + (1 - below[:-1]).sum() * step - step / 2), float(1 - below[-1])
