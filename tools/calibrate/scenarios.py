"""Which metrics are measured, and in which worlds: a row of the tables each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import sqrt

import numpy as np
from numpy.random import Generator
from scipy import special

from tools.calibrate import worlds
from tools.calibrate.answers import LEVELS, MAIN, Answer, compared
from tools.calibrate.worlds import World
from workbench.models import instrument
from workbench.models.arms import Array
from workbench.models.comparison import compare
from workbench.models.lift import LiftPrior
from workbench.models.pooling import PooledEffect, pool_segments
from workbench.moments import Moments

type Ask = Callable[[Generator, bool], list[Answer]]

REACH = 4.0
"""Standard errors up to which effects are spread evenly: nothing is expected of them beforehand."""


@dataclass(frozen=True)
class Scenario:
    """A row of the tables.

    Attributes:
        metric: One of `METRICS`.
        case: Which case of it.
        simulated: From what, in words.
        ask: Simulates one experiment, without an effect or with one, and says what was found.
        experiments: How many without an effect, and how many with one.
        world: Scenarios of one world read the same experiments.
        averaged: Truths come from what is expected of them: intervals then hold the truth as often as they
            say over all of these, not for each; experiments without an effect do not count among them.
    """

    metric: str
    case: str
    simulated: str
    ask: Ask
    experiments: tuple[int, int] = (1500, 1500)
    world: str = ""
    averaged: bool = False

    @property
    def name(self) -> str:
        return f"{self.metric}, {self.case}"


def _evenly(world: World) -> Ask:
    """Arms that have nothing to do with each other; lifts spread evenly."""

    def ask(rng: Generator, effect: bool) -> list[Answer]:
        pair = world.simulate(rng, rng.uniform(-REACH, REACH) * world.error if effect else 0.0)
        return [compared(compare(pair.treatment, pair.control, MAIN), pair.before, pair.after)]

    return ask


def _as_expected(world: World, prior: LiftPrior, *, told: bool) -> Ask:
    """Lifts come from the prior, which the model is told or not."""

    def ask(rng: Generator, effect: bool) -> list[Answer]:
        pair = world.simulate(rng, rng.normal(prior.mean, prior.sd) if effect else 0.0)
        if not told:
            return [compared(compare(pair.treatment, pair.control, MAIN), pair.before, pair.after)]
        from workbench.models import tied_comparison
        from workbench.models.tied_arms import TiedArms

        tied = TiedArms(pair.control, [pair.treatment], prior)
        return [compared(tied_comparison.compare(tied, 1, MAIN), pair.before, pair.after)]

    return ask


def _reachable(
    customers: int, share: float, rates: tuple[float, float], rng: Generator, effect: bool
) -> list[Answer]:
    """Of both arms a share could be reached; in the treatment it is, which changes the conversion of those.

    Args:
        rates: Of the reachable and of all others, without the treatment.
    """
    everyone = share * rates[0] + (1 - share) * rates[1]
    error = sqrt(2 * everyone * (1 - everyone) / customers) / share
    change = rng.uniform(-REACH, REACH) * error if effect else 0.0
    reachable = rng.binomial(customers, share, 2)
    others = rng.binomial(customers - reachable, rates[1])
    converted = rng.binomial(reachable, (rates[0], rates[0] + change))
    control, treatment = others + converted
    found = instrument.per_moved(
        instrument.Arm(customers, reachable[1], treatment, treatment, converted[1]),
        instrument.Arm(customers, 0, control, control, 0),
    )
    intervals = np.array([found.interval(level) for level in LEVELS])
    return [Answer(change, None, intervals, None, 1 - float(found.cdf(0.0)))]


def _segments(
    spread: Callable[[Generator, int], Array], which: str, rng: Generator, effect: bool
) -> list[Answer]:
    """Eight segments of 300 to 3,000 customers an arm, of whom 3 % to 20 % convert.

    Args:
        spread: Effects of so many segments, in log odds.
        which: Of them are looked at: `all`, or those that are `affected` or `unaffected`.
    """
    segments = 8
    sizes = np.exp(rng.uniform(np.log(300), np.log(3000), segments)).astype(int)
    before = rng.uniform(0.03, 0.2, segments)
    effects = spread(rng, segments) if effect else np.zeros(segments)
    after = np.where(effects == 0, before, special.expit(special.logit(before) + effects))
    control, treatment = (
        [Moments.of_binary(s, n) for s, n in zip(rng.binomial(sizes, p), sizes, strict=True)]
        for p in (before, after)
    )
    by_level = [pool_segments("binary", control, treatment, level=level).segments for level in LEVELS]
    answers = []
    for place, found in enumerate(zip(*by_level, strict=True)):
        if which != "all" and (which == "affected") != (effects[place] != 0):
            continue
        pooled = [one for one in found if isinstance(one, PooledEffect)]
        answers.append(
            Answer(
                difference=float(after[place] - before[place]),
                lift=float(after[place] / before[place] - 1),
                difference_intervals=np.array([one.difference_interval for one in pooled]),
                lift_intervals=np.array([one.lift_interval for one in pooled]),
                better=pooled[0].probability_better,
            )
        )
    return answers


def _as_the_prior_expects(rng: Generator, segments: int) -> Array:
    tau = abs(rng.normal(0, 0.15))
    return rng.uniform(-0.4, 0.4) + rng.normal(0, tau, segments)


def _three_times_as_different(rng: Generator, segments: int) -> Array:
    return rng.uniform(-0.4, 0.4) + rng.normal(0, 0.45, segments)


def _one_of_all(rng: Generator, segments: int) -> Array:
    return np.where(np.arange(segments) == rng.integers(segments), 0.6, 0.0)


def _shares() -> Iterator[Scenario]:
    """Conversion, with and without an expectation of the lift."""
    for customers in (250, 1_500, 15_000):
        yield Scenario(
            "conversion",
            f"{customers * 0.02:,.0f} conversions an arm",
            f"{customers:,} customers an arm, 2 % convert",
            _evenly(worlds.conversion(customers, 0.02)),
        )
    prior = LiftPrior.between(-0.2, 0.25, scale="log odds", baseline=0.05)
    for customers in (600, 6_000):
        for told in (True, False):
            yield Scenario(
                "conversion with a lift prior" if told else "conversion, small lifts",
                f"{customers * 0.05:,.0f} conversions an arm",
                f"{customers:,} customers an arm, 5 % convert; 95 % of lifts between −20 % and +25 %, "
                f"of which the model is {'' if told else 'not '}told",
                _as_expected(worlds.small_lifts(customers, 0.05), prior, told=told),
                world=f"small lifts {customers}",
                averaged=True,
            )


def _amounts() -> Iterator[Scenario]:
    """Counts, revenue, and what is linearised."""
    for customers in (200, 5_000):
        yield Scenario(
            "count",
            f"{customers:,} customers an arm",
            "negative binomial, mean 0.3, variance 0.66",
            _evenly(worlds.counts(customers)),
        )
    models = {"mean": "Student t", "hurdle": "buyers and their value", "cut": "largest values cut"}
    for customers, sd in ((500, 1.0), (20_000, 1.0), (20_000, 1.5)):
        for how, words in models.items():
            yield Scenario(
                "revenue",
                f"{words}, {customers * 0.05:,.0f} buyers an arm" + (", heavy tail" if sd > 1 else ""),
                f"{customers:,} customers an arm, 5 % buy, sd {sd} of the log of what they spend",
                _evenly(worlds.revenue(customers, sd, how)),
                (1000, 1000) if how == "hurdle" else (1500, 1500),
                world=f"revenue {customers} {sd}",
            )
    for people in (200, 2_000):
        yield Scenario(
            "ratio",
            f"clicks per view, {people:,} people an arm",
            "8 views a person, 10 % clicked, correlation 0.05 within a person",
            _evenly(worlds.clicks_per_view(people)),
        )
    for q, customers in ((0.5, 200), (0.9, 500), (0.9, 5_000)):
        yield Scenario(
            "quantile",
            f"{q * 100:.0f} %, {customers:,} customers an arm",
            "lognormal, sd 1 of the log",
            _evenly(worlds.quantile(customers, q)),
        )
    for customers in (300, 3_000):
        yield Scenario(
            "adjusted mean",
            f"{customers:,} customers an arm",
            "skewed spending, of which the past explains 40 %",
            _evenly(worlds.adjusted(customers)),
        )


def _parts() -> Iterator[Scenario]:
    """Effects on a part of the customers."""
    for customers, share in ((2_000, 0.3), (20_000, 0.1)):
        yield Scenario(
            "effect on the reachable",
            f"{share * customers:,.0f} of {customers:,} reached",
            f"{share * 100:.0f} % of an arm can be reached; of them 40 %, of others 20 % convert",
            partial(_reachable, customers, share, (0.4, 0.2)),
        )
    apart = "one segment at +0.6 in log odds, seven at 0"
    for case, words, spread, which, experiments in (
        ("as alike as expected", "effects from the prior", _as_the_prior_expects, "all", (500, 1500)),
        ("three times as different", "spread 0.45 in log odds", _three_times_as_different, "all", (0, 1500)),
        ("the only one affected", f"{apart}; that one", _one_of_all, "affected", (0, 2000)),
        ("those not affected", f"{apart}; the seven", _one_of_all, "unaffected", (0, 1000)),
    ):
        yield Scenario(
            "pooled segment effects",
            case,
            f"8 segments of 300 to 3,000 customers an arm, 3 % to 20 % convert; {words}",
            partial(_segments, spread, which),
            experiments,
            world="one segment" if which != "all" else "",
            averaged=spread is _as_the_prior_expects,
        )


SCENARIOS: dict[str, Scenario] = {one.name: one for one in (*_shares(), *_amounts(), *_parts())}
METRICS = tuple(dict.fromkeys(one.metric for one in SCENARIOS.values()))
