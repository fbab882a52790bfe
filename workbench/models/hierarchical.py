"""Effects per segment by PyMC's sampler: the hierarchy of `pooling` with the exact likelihood, and a hurdle.

Shares: effects on the log odds, pooled as in closed form; segments' base rates are drawn together as well.
Revenue of customers of whom many buy nothing (Duan et al. 1983, J. Business & Economic Statistics 1): who
buys, θ, and what a buyer spends, M, each with effects of its own by segment,
    revenue per customer = θ M
with a Gamma of log link for M, which is right about means whatever the values' shape (Manning & Mullahy 2001,
J. Health Economics 20). The equations and priors are those of `two_levels`.

Measured in 60 + 60 simulated experiments of 8 segments, 8 % buying, lognormal values (sd of the logs 0.8):
nothing was withheld, and 90 % intervals held the true difference 90.8 % of the time for shares (50 to 3,000
customers a cell; the closed form 90.4 %) and 91.3 % for revenue (500 to 3,000), where the plain means that
`pooling` draws together held it 84.8 % of the time, with errors 1.18 times as large.

Withheld unless the sampler's checks (`nuts.check_chains`) pass for every quantity of every segment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import special

from workbench.errors import ModelError, check_between
from workbench.locale import say
from workbench.models.arms import Array
from workbench.models.importance import Seed
from workbench.models.multiplicity import drawn_together
from workbench.models.nuts import Progress
from workbench.models.pooling import Effect
from workbench.models.two_levels import SIZES, Drawn, sample, values_of
from workbench.moments import Moments

DRAWS = 8000
PREDICTED = 0.9
"""Probability of the bands in which the cells' own values should lie."""
Buyers = tuple[Moments, Moments]
"""Moments of all customers of a cell, and of those with a value above zero."""


@dataclass(frozen=True)
class SampledEffect(Effect):
    """The effect in one segment.

    Attributes:
        probability_above_overall: That the effect on the segment's control is above that of a typical
            segment; on the log odds or, for revenue, the log scale.
        difference_together: Of the difference, an interval that holds together with those of all others.
    """

    probability_above_overall: float
    difference_together: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """What the sampler found.

    Attributes:
        segments: In the order given.
        everybody: The effect over all segments, each counted by its customers in both arms.
        tau: Posterior mean of the spread of effects between segments, in log odds.
        tau_value: The same of buyers' mean values, in logs; None for shares.
        inside: How many of the cells' own values lie in the band that the model predicts for them.
        cells: How many there are: arm × segment, and for revenue × (buyers, their mean value).
        checks: R-hat, effective sample size and divergences.
        level_of_each: Of the intervals `difference_together`, which all hold together with the level.
        differences: Draws of treatment − control of all segments together, in the outcome's units, shape
            (draws, segments).
        if_alike: The differences if all segments had the typical effect, shape (segments,).
    """

    segments: tuple[SampledEffect, ...]
    everybody: Effect
    tau: float
    tau_value: float | None
    inside: int
    cells: int
    checks: dict[str, float]
    level_of_each: float
    differences: Array = field(repr=False)
    if_alike: Array = field(repr=False)


def sample_shares(
    control: Sequence[Moments],
    treatment: Sequence[Moments],
    level: float = 0.95,
    lower_is_better: bool = False,
    draws: int = DRAWS,
    seed: Seed = 0,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Hierarchy:
    """Effects per segment on a yes-or-no outcome.

    Args:
        control, treatment: One a segment, in the same order.
        level: Of the equal-tailed intervals.
        lower_is_better: Turns `probability_better` round, not the effects.
        draws: In four chains together.
        seed: Of the chains.
        progress: Told now and then, from another thread, the share that is done.
        cancel: Stops the sampler once it is set.

    Raises:
        ModelError: there is no segment or too many, the values are not yes or no, a check fails (the result
            is withheld), or it was stopped.
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    n = _table([control, treatment], lambda cell: cell.n)
    k = _table([control, treatment], lambda cell: cell.successes)
    found = sample(n, k, None, draws, seed, progress, cancel)
    theta = special.expit(found.cells(0))
    within = _within(np.random.default_rng(0).binomial(n.astype(int), theta), k)
    typical = special.expit(found.typical(0))
    return _hierarchy(found, theta, typical, n.sum(axis=0), within.ravel(), level, lower_is_better)


def sample_hurdle(
    control: Sequence[Buyers],
    treatment: Sequence[Buyers],
    level: float = 0.95,
    lower_is_better: bool = False,
    draws: int = DRAWS,
    seed: Seed = 0,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Hierarchy:
    """Effects per segment on revenue per customer, or on any other sum that is never negative.

    Arguments and errors as for `sample_shares`, and:

    Raises:
        ModelError: some values are negative, or too few buyers differ in what they spend in one of the arms.
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    sides = [control, treatment]
    everyone = _table(sides, lambda cell: cell[0].total)
    buyers = _table(sides, lambda cell: cell[1].total)
    if np.any(buyers > everyone * (1 + 1e-9)):
        raise ModelError("Some values are negative, so buyers and what they spend cannot be told apart.")
    n = _table(sides, lambda cell: cell[0].n)
    k = _table(sides, lambda cell: cell[1].n)
    mean = _table(sides, lambda cell: cell[1].mean)
    squares = _table(sides, lambda cell: cell[1].m2)
    found = sample(n, k, values_of(k, mean, squares), draws, seed, progress, cancel)
    theta, value = special.expit(found.cells(0)), np.exp(found.cells(1))
    rng = np.random.default_rng(0)
    shape = np.maximum(k, 1) * found.draws["kappa"][:, :, None]
    within = np.r_[
        _within(rng.binomial(n.astype(int), theta), k).ravel(),
        _within(value / shape * rng.standard_gamma(shape), mean)[k > 0],
    ]
    typical = special.expit(found.typical(0)) * np.exp(found.typical(1))
    return _hierarchy(found, theta * value, typical, n.sum(axis=0), within, level, lower_is_better)


def _table(sides: Sequence[Sequence[Any]], value: Callable[[Any], float]) -> Array:
    """A number of each cell, shape (arms, segments)."""
    control, treatment = sides
    if len(control) != len(treatment) or not 0 < len(control) <= SIZES[-1]:
        raise ModelError(
            "Control has {control:count} segments and treatment {treatment:count}; there have to be as many "
            "of both, and at most {most:count}.",
            control=len(control),
            treatment=len(treatment),
            most=SIZES[-1],
        )
    return np.array([[value(cell) for cell in side] for side in sides], dtype=float)


def _hierarchy(
    found: Drawn,
    values: Array,
    typical: Array,
    customers: Array,
    within: Array,
    level: float,
    lower_is_better: bool,
) -> Hierarchy:
    """What is said of it.

    Args:
        found: The draws.
        values: Of the cells in the outcome's units, shape (draws, arms, segments).
        typical: Of the treatment, were its effect the typical one, shape (draws, segments).
        customers: By segment.
        within: Whether the cells' own values are foretold.
        level: Of the intervals.
        lower_is_better: Whether the outcome should go down.
    """
    before, after = values[:, 0], values[:, 1]
    above, weight = np.mean(after > typical, axis=0), customers / customers.sum()
    tau = found.draws["tau"].mean(axis=0)
    each, wider = drawn_together(after - before, level)
    return Hierarchy(
        segments=tuple(
            SampledEffect(
                **_effect(before[:, s], after[:, s], level, lower_is_better),
                probability_above_overall=float(above[s]),
                difference_together=(float(wider[s, 0]), float(wider[s, 1])),
            )
            for s in range(values.shape[2])
        ),
        everybody=Effect(**_effect(before @ weight, after @ weight, level, lower_is_better)),
        tau=float(tau[0]),
        tau_value=float(tau[1]) if tau.size > 1 else None,
        inside=int(within.sum()),
        cells=within.size,
        checks=found.checks,
        level_of_each=each,
        differences=after - before,
        if_alike=(typical - before).mean(axis=0),
    )


def _within(predicted: Array, own: Array) -> Array:
    """Whether the cells' own values lie in the middle of what is predicted for them, (arms, segments)."""
    low, high = np.quantile(predicted, [(1 - PREDICTED) / 2, (1 + PREDICTED) / 2], axis=0)
    return (low <= own) & (own <= high)


def _effect(before: Array, after: Array, level: float, lower_is_better: bool) -> dict[str, Any]:
    """The fields of an `Effect` from draws of both arms in the outcome's units."""
    q = [0.5, (1 - level) / 2, (1 + level) / 2]
    difference, lift = np.quantile(after - before, q), np.quantile(after / before - 1, q)
    return {
        "difference": float(difference[0]),
        "difference_interval": (float(difference[1]), float(difference[2])),
        "lift": float(lift[0]),
        "lift_interval": (float(lift[1]), float(lift[2])),
        "probability_better": float(np.mean(after < before if lower_is_better else after > before)),
    }
