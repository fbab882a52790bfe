"""Experiments whose truth is known: what happens in two arms when the treatment changes the metric.

Each world is a function of a random generator and a change in logs (0 is no effect): it simulates customers,
makes of them what the workbench makes (moments, then a posterior an arm), and says what is true.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import optimize, special

from workbench.models import bootstrap, linearised
from workbench.models.arms import Arm, binary_arm, hurdle_arm, mean_arm
from workbench.moments import CrossMoments, Histogram, Moments


class Pair(NamedTuple):
    """Posteriors of two arms, and the true value in each."""

    control: Arm
    treatment: Arm
    before: float
    after: float


class World(NamedTuple):
    """Experiments of one kind.

    Attributes:
        simulate: From a generator and the change in logs to what is known and true.
        error: About the standard error of the log of the lift, without an effect.
    """

    simulate: Callable[[Generator, float], Pair]
    error: float


def conversion(customers: int, rate: float) -> World:
    """Customers of an arm convert at one rate."""

    def simulate(rng: Generator, change: float) -> Pair:
        rates = rate, rate * exp(change)
        control, treatment = (
            binary_arm(Moments.of_binary(rng.binomial(customers, p), customers)) for p in rates
        )
        return Pair(control, treatment, *rates)

    return World(simulate, sqrt(2 * (1 - rate) / (customers * rate)))


def counts(customers: int, mean: float = 0.3, dispersion: float = 4.0) -> World:
    """Customers act at rates of their own (negative binomial); their mean is asked."""
    shape = 1 / dispersion

    def simulate(rng: Generator, change: float) -> Pair:
        means = mean, mean * exp(change)
        control, treatment = (
            mean_arm(_moments(rng.negative_binomial(shape, shape / (shape + m), customers), customers))
            for m in means
        )
        return Pair(control, treatment, *means)

    return World(simulate, sqrt(2 * (1 / mean + dispersion) / customers))


def revenue(customers: int, sd: float, how: str, buyers: float = 0.05) -> World:
    """Few buy, and spend lognormal amounts; the change is half one of buyers, half one of what they spend.

    Args:
        customers: Of an arm.
        sd: Of the log of what a buyer spends.
        how: It is read: `mean`, `hurdle`, or `cut` (values above the 99 % quantile of those above zero, over
            both arms, count as it; the truth is then the mean of values that are cut there).
        buyers: Share of customers in the control.
    """
    centre, cut_from = 3.5, 0.99

    def simulate(rng: Generator, change: float) -> Pair:
        shares = buyers, buyers * exp(change / 2)
        centres = centre, centre + change / 2
        values = [
            np.sort(rng.lognormal(mu, sd, rng.binomial(customers, share)))
            for share, mu in zip(shares, centres, strict=True)
        ]
        truth = [share * exp(mu + sd * sd / 2) for share, mu in zip(shares, centres, strict=True)]
        if how == "hurdle":
            arms: list[Arm] = [hurdle_arm(_moments(v, customers), _moments(v, len(v))) for v in values]
            return Pair(arms[0], arms[1], truth[0], truth[1])
        if how == "cut":
            seen = [Histogram(v, np.ones(len(v))) for v in values]
            threshold = bootstrap.winsor_threshold(seen, cut_from, nonzero=True)
            values = [np.minimum(v, threshold) for v in values]
            truth = _means_when_cut(shares, centres, sd, cut_from)
        control, treatment = (mean_arm(_moments(v, customers)) for v in values)
        return Pair(control, treatment, truth[0], truth[1])

    return World(simulate, sqrt(2 * exp(sd * sd) / (customers * buyers)))


def _means_when_cut(
    shares: tuple[float, float], centres: tuple[float, float], sd: float, quantile: float
) -> list[float]:
    """Means of values that are cut at this quantile of those above zero of both arms together."""

    def below(at: float) -> float:
        return float(np.average(special.ndtr((at - np.array(centres)) / sd), weights=shares)) - quantile

    at = float(optimize.brentq(below, min(centres) - 9 * sd, max(centres) + 9 * sd, xtol=1e-12))
    return [
        share
        * float(
            exp(mu + sd * sd / 2) * special.ndtr((at - mu) / sd - sd) + exp(at) * special.ndtr((mu - at) / sd)
        )
        for share, mu in zip(shares, centres, strict=True)
    ]


def clicks_per_view(people: int, rate: float = 0.1, alike: float = 19.0) -> World:
    """People see eight pages on average and click at rates of their own, Beta around the arm's."""

    def simulate(rng: Generator, change: float) -> Pair:
        rates = rate, rate * exp(change)
        arms = []
        for p in rates:
            views = 1 + rng.poisson(7, people)
            clicks = rng.binomial(views, rng.beta(alike * p, alike * (1 - p), people))
            arms.append(mean_arm(linearised.ratio(_cross(views, clicks))))
        return Pair(arms[0], arms[1], *rates)

    # 1.4 times the variance of independent views, as they are eight a person with a correlation of 1/20
    return World(simulate, sqrt(2 * 1.4 * (1 - rate) / (rate * 8 * people)))


def quantile(customers: int, q: float, sd: float = 1.0) -> World:
    """Lognormal values; the change makes all of them longer."""
    z = float(special.ndtri(q))

    def simulate(rng: Generator, change: float) -> Pair:
        centres = 4.0, 4.0 + change
        one_each = np.ones(customers)
        control, treatment = (
            mean_arm(linearised.quantile(Histogram(np.sort(rng.lognormal(mu, sd, customers)), one_each), q))
            for mu in centres
        )
        return Pair(control, treatment, *(exp(mu + sd * z) for mu in centres))

    density = exp(-z * z / 2) / sqrt(2 * np.pi) / sd
    return World(simulate, sqrt(2 * q * (1 - q) / customers) / density)


def adjusted(customers: int) -> World:
    """What customers spent before says 40 % of how much they spend now; both are skewed."""
    level, noise = 0.8, 4.0
    mean = 10 * exp(level * level / 2)

    def simulate(rng: Generator, change: float) -> Pair:
        pairs = []
        for factor in (1.0, exp(change)):
            customer = rng.lognormal(0, level, customers)
            past, now = customer * rng.gamma(noise, 10 / noise, (2, customers))
            pairs.append(_cross(past, factor * now))
        theta, centre = linearised.slope(pairs), (pairs[0] + pairs[1]).mean_x
        control, treatment = (mean_arm(linearised.adjusted(pair, theta, centre)) for pair in pairs)
        return Pair(control, treatment, mean, mean * exp(change))

    variance = exp(level**2) * (1 + 1 / noise) - 1
    return World(simulate, sqrt(2 * 0.6 * variance / customers))


def small_lifts(customers: int, rate: float) -> World:
    """Conversion whose change is one of log odds, as a prior of the lift has it."""

    def simulate(rng: Generator, change: float) -> Pair:
        odds = rate / (1 - rate) * exp(change)
        rates = rate, odds / (1 + odds) if change else rate
        control, treatment = (
            binary_arm(Moments.of_binary(rng.binomial(customers, p), customers)) for p in rates
        )
        return Pair(control, treatment, *rates)

    return World(simulate, sqrt(2 / (customers * rate * (1 - rate))))


def _moments(values: NDArray[Any], customers: int) -> Moments:
    """Of so many customers, those without a value at 0."""
    return Moments.of_sums(customers, float(values.sum()), float(values @ values))


def _cross(x: NDArray[Any], y: NDArray[Any]) -> CrossMoments:
    sums = (float(part) for part in (x.sum(), y.sum(), x @ x, y @ y, x @ y))
    return CrossMoments.of_sums(len(x), *sums)
