"""How often a rule for ending a test is wrong: the rule itself, at the planned looks, many times over.

A posterior probability does not say how often a rule errs, so that is simulated: customers come in between
looks, the rule (`models.stopping`) is asked at each look, and the first look at which it says something ends
the test. Under no effect a flat prior, "95 % sure" and 20 looks ship one test in five.

    Armitage, McPherson, Rowe (1969), "Repeated significance tests on accumulating data", JRSS A 132
    Deng, Lu, Chen (2016), "Continuous monitoring of A/B tests without pain", IEEE DSAA
    O'Hagan, Stevens, Campbell (2005), "Assurance in clinical trial design", Pharmaceutical Statistics 4
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.errors import ModelError, check_between
from workbench.locale import say
from workbench.models.lift import LiftPrior
from workbench.models.stopping import (
    ADOPT,
    DROP,
    NOTHING,
    SAME,
    Array,
    Ends,
    Looks,
    Measured,
    Metric,
    Rule,
    Whole,
    ends,
    proportion,
)


def simulate(metric: Metric, looks: Looks, rule: Rule, lifts: ArrayLike, rng: np.random.Generator) -> Ends:
    """One test for each of `lifts`, the true lift of the first treatment; further treatments have none."""
    wanted = np.clip(np.asarray(lifts, dtype=float), -1.0, metric.most)
    added = looks.added
    growth = np.ones((len(wanted), 1, added.shape[1]))
    growth[:, 0, 1] += wanted
    return ends(metric, looks, rule, *metric.draw(rng, growth, added))


@dataclass(frozen=True)
class Characteristics:
    """What the rule does where the truth is `lift`.

    Attributes:
        lift: Of the first treatment; further treatments have none.
        adopted: Share of tests that ship it.
        other: Share that ship another treatment, where there are several.
        dropped: Share that stay with control, sure that the treatment is worse.
        same: Share that end with "practically the same".
        undecided: Share that never decide.
        wrong: Share that end for an arm that is not the best.
        weeks: How long a test takes on average.
        customers: How many customers it takes on average, of all arms.
    """

    lift: float
    adopted: Measured
    other: Measured
    dropped: Measured
    same: Measured
    undecided: Measured
    wrong: Measured
    weeks: Measured
    customers: Measured


def operating(
    metric: Metric, looks: Looks, rule: Rule, lifts: Sequence[float], simulations: int = 4000, seed: int = 0
) -> list[Characteristics]:
    """The rule's operating characteristics at each true lift."""
    check_between(simulations, 100, 1_000_000, say("number of simulations"))
    rng = np.random.default_rng(seed)
    return [_at(metric, looks, rule, lift, simulations, rng) for lift in lifts]


def _at(
    metric: Metric, looks: Looks, rule: Rule, lift: float, simulations: int, rng: np.random.Generator
) -> Characteristics:
    found = simulate(metric, looks, rule, np.full(simulations, lift), rng)
    gain = -lift if rule.lower_is_better else lift
    adopted, dropped = found.outcome == ADOPT, found.outcome == DROP
    first = found.arm == 1
    wrong = dropped | (adopted & ~first) if gain > 0 else adopted
    weeks = np.array(looks.weeks)[found.look]
    customers = np.array(looks.customers).sum(axis=1)[found.look]

    def of(tests: NDArray[np.bool_]) -> Measured:
        return proportion(int(tests.sum()), simulations)

    def average(values: Array) -> Measured:
        return Measured(float(values.mean()), float(values.std() / sqrt(simulations)))

    return Characteristics(
        lift=lift,
        adopted=of(adopted & first),
        other=of(adopted & ~first),
        dropped=of(dropped),
        same=of(found.outcome == SAME),
        undecided=of(found.outcome == NOTHING),
        wrong=of(wrong),
        weeks=average(weeks),
        customers=average(customers),
    )


def assurance(
    metric: Metric, looks: Looks, rule: Rule, belief: LiftPrior, simulations: int = 4000, seed: int = 0
) -> list[Measured]:
    """∫ P(adopted by a look | δ) dπ(δ), for each look.

    O'Hagan, Stevens, Campbell (2005), "Assurance in clinical trial design", Pharmaceutical Statistics 4. The
    lifts are one random value from each of as many equal slices of the belief, which leaves less to chance.
    """
    rng = np.random.default_rng(seed)
    q = (np.arange(simulations) + rng.random(simulations)) / simulations
    lifts = np.expm1(belief.mean + belief.sd * special.ndtri(q))
    return simulate(metric, looks, rule, lifts, rng).by_look(len(looks.weeks), ADOPT)


def detectable(found: Sequence[Characteristics], power: float = 0.8, *, lower: bool = False) -> float | None:
    """The smallest gain that is adopted with probability `power`; None where none of those asked for is.

    Between the lifts asked for the probit of the probability is taken to be a line.
    """
    points = sorted(
        (abs(one.lift), one.adopted.value) for one in found if (one.lift < 0) == lower or not one.lift
    )
    floor = 0.25 / 1000  # a probit needs something that is neither 0 nor 1
    for (before, low), (after, high) in pairwise(points):
        if low < power <= high:
            y0, y, y1 = special.ndtri(np.clip([low, power, high], floor, 1 - floor))
            return float(before + (after - before) * (y - y0) / (y1 - y0)) * (-1 if lower else 1)
    return None


class FalseWins(NamedTuple):
    """How often the rule found a winner between customers who had all been given the same.

    Attributes:
        splits: How often they were split at random.
        adopted: Share of splits in which the rule would have shipped the second half.
        either: Share in which it would have ended for one of the halves.
        interval: 95 % interval of `either`, Beta(½, ½) prior.
    """

    splits: int
    adopted: Measured
    either: Measured
    interval: tuple[float, float]


def false_wins(
    values: ArrayLike,
    counts: ArrayLike,
    metric: Metric,
    looks: Looks,
    rule: Rule,
    splits: int = 1000,
    seed: int = 0,
) -> FalseWins:
    """Split one's own customers at random, and run the rule on the halves (an A/A test).

    The number of customers of each value that fall to an arm between two looks is multivariate
    hypergeometric: nobody is drawn twice.

    Args:
        values: The metric's distinct values.
        counts: Customers with each of them.
        metric: How the lab models it.
        looks: Their customers must be no more than there are.

    Raises:
        ModelError: there are fewer customers than the looks need.
    """
    values = np.asarray(values, dtype=float)
    left = np.tile(np.asarray(counts, dtype=np.int64), (splits, 1))
    added = looks.added
    there = int(left[0].sum()) if left.size else 0
    if there < added.sum():
        raise ModelError(
            "There are {n:count} customers to split, and the looks need {wanted:count}.",
            n=there,
            wanted=int(added.sum()),
        )
    rng = np.random.default_rng(seed)
    totals, squares = np.zeros((2, splits, *added.shape))
    for place in np.ndindex(*added.shape):
        taken = _hypergeometric(rng, left, int(added[place]))
        left -= taken
        totals[(slice(None), *place)] = taken @ values
        squares[(slice(None), *place)] = taken @ values**2
    found = ends(metric, looks, rule, totals, squares)
    wins = int(np.isin(found.outcome, (ADOPT, DROP)).sum())
    low, high = special.betaincinv(wins + 0.5, splits - wins + 0.5, [0.025, 0.975])
    interval = (float(low) if wins else 0.0, float(high) if wins < splits else 1.0)
    return FalseWins(
        splits, proportion(int((found.outcome == ADOPT).sum()), splits), proportion(wins, splits), interval
    )


def _hypergeometric(rng: np.random.Generator, left: Whole, wanted: int) -> Whole:
    """`wanted` customers without replacement from each row of `left`, by value."""
    taken = np.zeros_like(left)
    rest, more = left.sum(axis=1), np.full(len(left), wanted)
    for value in range(left.shape[1] - 1):
        rest = rest - left[:, value]
        taken[:, value] = rng.hypergeometric(left[:, value], rest, more)
        more = more - taken[:, value]
    taken[:, -1] = more
    return taken
