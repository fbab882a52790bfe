"""What an effect is worth over months, against what it costs: a net present value linear in the effect.

With g the gain of one customer (unknown; what is known of it is a posterior), n customers reached a month, of
whom the share s is personalised, over H months,

    kept(m)  = mean of 2^(−u / h) over month m, u from m − 1 to m        the effect fades by half in h months
    D(m)     = (1 + r)^(−m / 12)                                         money at the end of month m, today
    A(M)     = n s Σ_{m ≤ M} kept(m) D(m)                                customers whose whole gain counts
    C(M)     = cost once + Σ_{m ≤ M} D(m) (cost a month + n s · cost a customer)
    net(M)   = A(M) g − C(M)                                             net present value

The net present value and its discounting are those of Fisher (1930), The Theory of Interest, and every
textbook since: Σ C(t) / (1 + r)^t. Because net(M) is linear in g and A(M) > 0, nothing needs draws:

    quantile     q(net(M)) = A(M) q(g) − C(M)
    it pays      P(net(M) > 0) = P(g > C(M) / A(M))
    break-even   P(paid back by month M) = P(g > min_{m ≤ M} C(m) / A(m))
    an assumption may be wrong until A(H) q_{1−p}(g) = C(H), where p is how sure the rule wants to be
    perfect information is worth E[max(net, 0)] − max(E[net], 0)
                 Raiffa, Schlaifer (1961), Applied Statistical Decision Theory, chapter 4
    worst cases  E[net | net below its 5 % quantile]
                 Rockafellar, Uryasev (2000), Journal of Risk 2(3)
    k times as many customers: the posterior mean m of g will be N(m, s² (1 − 1/k)) and its sd s / √k, so
                 the chance that the rule decides is Φ((m − b − z s/√k) / t) + Φ((b − m − z s/√k) / t)
                 with t = s √(1 − 1/k), b = C / A, z = Φ⁻¹(p)
                 O'Hagan, Stevens, Campbell (2005), Pharmaceutical Statistics 4
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, inf, isinf, log, sqrt
from typing import Literal

import numpy as np
from scipy import optimize, special

from workbench.models.arms import Array

type Field = Literal[
    "customers",
    "share",
    "gain",
    "months",
    "half_life",
    "cost_once",
    "cost_per_month",
    "cost_per_customer",
    "discount_per_year",
]
TAIL = 0.0005
"""Mass beyond either end of a density that a record keeps (`models.pair.Comparison.density`)."""
LONGEST = 120
"""Months."""
_LINEAR: tuple[Field, ...] = ("customers", "share", "cost_once", "cost_per_month", "cost_per_customer")
_FASTEST, _SLOWEST = 0.05, 1200.0
"""Half-lives in months, between which a limit is looked for."""


@dataclass(frozen=True)
class Known:
    """What is known of the gain of one customer.

    Attributes:
        x: Values, increasing.
        cdf: Probability of a gain of at most x.
        mean, sd: Of the posterior.
    """

    x: Array
    cdf: Array
    mean: float
    sd: float

    @classmethod
    def of(cls, x: Sequence[float], density: Sequence[float], mean: float, sd: float) -> Known:
        """From a posterior density on a grid that leaves out `TAIL` on either side."""
        at, height = np.asarray(x, dtype=float), np.asarray(density, dtype=float)
        mass = np.concatenate([[0.0], np.cumsum(np.diff(at) * (height[1:] + height[:-1]) / 2)])
        return cls(at, TAIL + mass / mass[-1] * (1 - 2 * TAIL), mean, sd)

    def times(self, factor: float) -> Known:
        """Of the gain times a number other than zero."""
        if factor < 0:
            return Known(self.x[::-1] * factor, 1 - self.cdf[::-1], self.mean * factor, -self.sd * factor)
        return Known(self.x * factor, self.cdf, self.mean * factor, self.sd * factor)

    def quantile(self, q: float) -> float:
        """The value that the gain does not exceed with probability q."""
        return float(np.interp(q, self.cdf, self.x))

    def above(self, value: float) -> float:
        """P(gain > value); beyond the ends of the density no surer than `TAIL`."""
        return float(1 - np.interp(value, self.x, self.cdf))

    def beyond(self, value: float) -> float:
        """E[max(gain − value, 0)], from the area above the distribution function."""
        if value <= self.x[0]:
            return self.mean - value
        inside = self.x[self.x > value]
        at = np.concatenate([[value], inside])
        left = 1 - np.interp(at, self.x, self.cdf, right=1.0)
        return float(np.trapezoid(left, at))

    def worst(self, share: float) -> float:
        """E[gain | gain is among the lowest `share`]."""
        q = np.linspace(TAIL, share, 400)
        return float(np.trapezoid(np.interp(q, self.cdf, self.x), q) / (share - TAIL))


@dataclass(frozen=True)
class Course:
    """Customers and money over the months.

    Attributes:
        customers: Reached a month.
        share: Of them that is personalised.
        months: How many are looked at.
        half_life: Months in which the effect halves; infinite where it stays.
        cost_once, cost_per_month, cost_per_customer: The last of each customer that is personalised.
        discount_per_year: What money loses of its value in a year by being had later.
        gain: What a customer's gain is multiplied by; 1 but where it is varied.
    """

    customers: float
    share: float
    months: int
    half_life: float = inf
    cost_once: float = 0.0
    cost_per_month: float = 0.0
    cost_per_customer: float = 0.0
    discount_per_year: float = 0.0
    gain: float = 1.0

    @cached_property
    def kept(self) -> Array:
        """Share of the effect that is left in each month, shape (months,)."""
        if isinf(self.half_life):
            return np.ones(self.months)
        rate = log(2) / self.half_life
        ends = np.exp(-rate * np.arange(self.months + 1))
        return -np.diff(ends) / rate

    @cached_property
    def discounts(self) -> Array:
        """What one unit of money of each month is worth today, shape (months,)."""
        return np.asarray((1 + self.discount_per_year) ** (-np.arange(1, self.months + 1) / 12))

    @cached_property
    def counted(self) -> Array:
        """Customers whose whole gain counts, by the end of each month, shape (months + 1,)."""
        each = self.customers * self.share * self.gain * self.kept * self.discounts
        return np.concatenate([[0.0], np.cumsum(each)])

    @cached_property
    def costs(self) -> Array:
        """What it has cost by the end of each month, shape (months + 1,)."""
        each = (self.cost_per_month + self.customers * self.share * self.cost_per_customer) * self.discounts
        return self.cost_once + np.concatenate([[0.0], np.cumsum(each)])

    @cached_property
    def needed(self) -> Array:
        """The gain of a customer with which it has just paid by the end of each month, shape (months,)."""
        return np.asarray(self.costs[1:] / self.counted[1:])

    def net(self, gain: float) -> Array:
        """Net present value by the end of each month, shape (months + 1,)."""
        return self.counted * gain - self.costs


@dataclass(frozen=True)
class Spread:
    """A quantity of which a posterior is known.

    Attributes:
        mean, median: Of it.
        bands: Level → the ends of its equal-tailed interval.
    """

    mean: float
    median: float
    bands: dict[float, tuple[float, float]]


def spread(known: Known, scale: float, shift: float, levels: Sequence[float]) -> Spread:
    """Of scale · gain + shift; the scale is not negative."""
    return Spread(
        scale * known.mean + shift,
        scale * known.quantile(0.5) + shift,
        {
            level: (
                scale * known.quantile((1 - level) / 2) + shift,
                scale * known.quantile((1 + level) / 2) + shift,
            )
            for level in levels
        },
    )


def fan(known: Known, course: Course, levels: Sequence[float]) -> list[Spread]:
    """The net present value by the end of each month, the beginning included."""
    return [
        spread(known, float(scale), -float(cost), levels)
        for scale, cost in zip(course.counted, course.costs, strict=True)
    ]


def return_on_cost(known: Known, course: Course, levels: Sequence[float]) -> Spread | None:
    """Net present value as a share of what it costs; None where it costs nothing."""
    cost = float(course.costs[-1])
    return spread(known, float(course.counted[-1]) / cost, -1.0, levels) if cost > 0 else None


def paid_back(known: Known, course: Course) -> Array:
    """The probability that it has paid for itself by the end of each month, shape (months,)."""
    return np.array([known.above(needed) for needed in np.minimum.accumulate(course.needed)])


def month_of(chances: Array, chance: float) -> int | None:
    """The first month by which something has happened with this probability; None where none is."""
    reached = np.flatnonzero(chances >= chance)
    return int(reached[0]) + 1 if len(reached) else None


def stops_paying(known: Known, course: Course) -> int | None:
    """The first month that is expected to cost more than it brings; None where each one pays."""
    people = course.customers * course.share
    brought = people * course.gain * known.mean * course.kept
    loses = np.flatnonzero(brought < course.cost_per_month + people * course.cost_per_customer)
    return int(loses[0]) + 1 if len(loses) else None


def worst(known: Known, course: Course, share: float = 0.05) -> float:
    """Mean net present value of the worst cases."""
    return float(course.counted[-1]) * known.worst(share) - float(course.costs[-1])


def perfect_information(known: Known, course: Course) -> float:
    """What it is worth to know the effect exactly before it is decided."""
    counted, cost = float(course.counted[-1]), float(course.costs[-1])
    return max(0.0, counted * known.beyond(cost / counted) - max(0.0, counted * known.mean - cost))


# --- how wrong an assumption may be ---------------------------------------------------------------------


@dataclass(frozen=True)
class Limit:
    """How far one assumption may move, all others as they are, while we are as sure as the rule asks for.

    Attributes:
        name: The assumption.
        taken: As it was made; infinite for an effect that stays.
        limit: Where that certainty begins or ends; None where it holds for any value of this one alone, or
            for none.
        least: Whether the limit is the least that it may be; otherwise it is the most.
    """

    name: Field
    taken: float
    limit: float | None
    least: bool


def limits(known: Known, course: Course, sure: float) -> list[Limit]:
    """Limits of all assumptions.

    Args:
        known: The gain of one customer.
        course: The assumptions.
        sure: The probability of paying that the rule asks for.
    """
    low = known.quantile(1 - sure)

    def net(**changed: float) -> float:
        return float(replace(course, **changed).net(low)[-1])  # type: ignore[arg-type]  # months are whole

    found: list[Limit] = []
    for name in _LINEAR:
        start = net(**{name: 0.0})
        slope = net(**{name: 1.0}) - start
        root = -start / slope if slope else None
        reachable = root is not None and root > 0 and (name != "share" or root <= 1)
        found.append(Limit(name, getattr(course, name), root if reachable else None, slope > 0))
    cost = float(course.costs[-1])
    enough = cost / (float(course.counted[-1]) * low) if low > 0 else 0.0
    half_life = _root(lambda value: net(half_life=value), _FASTEST, _SLOWEST)
    discount = _root(lambda value: net(discount_per_year=value), 1e-4, 10.0)
    return [
        *found,
        Limit("gain", 1.0, enough or None, True),
        Limit("months", course.months, _months(low, course), True),
        Limit("half_life", course.half_life, half_life, True),
        Limit("discount_per_year", course.discount_per_year, discount, False),
    ]


def _months(gain: float, course: Course) -> float | None:
    """The first month from which on it has paid up to the horizon, or the first one after it."""
    unpaid = replace(course, months=LONGEST).net(gain)[1:] < 0
    if unpaid[course.months - 1]:
        later = np.flatnonzero(~unpaid[course.months :])
        return float(course.months + 1 + later[0]) if len(later) else None
    before = np.flatnonzero(unpaid[: course.months])
    return float(before[-1]) + 2 if len(before) else None


def _root(net: Callable[[float], float], low: float, high: float) -> float | None:
    """Where a function of a positive number changes its sign, looked for on the scale of its logarithm."""

    def of(value: float) -> float:
        return net(exp(value))

    if of(log(low)) * of(log(high)) >= 0:
        return None
    return exp(float(optimize.brentq(of, log(low), log(high), xtol=1e-10)))


# --- measuring longer, and afterwards -------------------------------------------------------------------


def more_data(known: Known, needed: float, sure: float, wanted: float) -> float:
    """How many times as many customers the experiment needs in all, so that it is likely to be decided.

    Args:
        known: The gain of one customer.
        needed: The gain with which it just pays.
        sure: The probability that the rule asks for, either way.
        wanted: The chance that it is decided.

    Returns:
        At least 1, which is where it is decided already.
    """
    z, distance = float(special.ndtri(sure)), known.mean - needed
    if abs(distance) >= z * known.sd:
        return 1.0

    def short(more: float) -> float:
        times = 1 + exp(more)
        t, margin = known.sd * sqrt(1 - 1 / times), z * known.sd / sqrt(times)
        chance = special.ndtr((distance - margin) / t) + special.ndtr((-distance - margin) / t)
        return float(chance) - wanted

    return 1 + exp(float(optimize.brentq(short, log(1e-6), log(1e9))))


def shows_after(mean: float, sd: float, customers: float, held: float, level: float) -> int | None:
    """The first month by which a hold-out tells the effect from nothing.

    Args:
        mean: The effect on a customer.
        sd: Of one customer's value.
        customers: Reached a month.
        held: Share of them that is kept from it.
        level: Of the interval that leaves nothing out.

    Returns:
        None where that takes more than `LONGEST` months.
    """
    if mean == 0 or not 0 < held < 1:
        return None
    z = float(special.ndtri((1 + level) / 2))
    months = (z * sd / mean) ** 2 * (1 / held + 1 / (1 - held)) / customers
    return None if months > LONGEST else max(1, int(np.ceil(months)))


def share_that_shows(mean: float, sd: float, customers: float, level: float) -> float | None:
    """The smallest hold-out that tells the effect from nothing; None where half of the customers do not.

    Args:
        mean, sd, level: As of `shows_after`.
        customers: In all, over the time in which it is to show.
    """
    z = float(special.ndtri((1 + level) / 2))
    known = customers * (mean / (z * sd)) ** 2 if sd else inf  # 1 / held + 1 / (1 − held) may be this large
    return None if known < 4 else (1 - sqrt(1 - 4 / known)) / 2
