"""Lesson 1: what is known of a rate after so many visitors, and how good an interval for it is.

A shop has a rate θ; of n visitors k buy. With every rate equally likely before, θ | k, n is
Beta(1 + k, 1 + n − k). The rates of all shops that had these numbers are spread like it: take shops with
rates from 0 to 1, keep those with k of n. The truth of a shop in this lesson is one of theirs.

An interval (l, u) that should hold the truth with probability 1 − α has the score
    S = (u − l) + 2/α · max(l − θ, 0) + 2/α · max(θ − u, 0),
the smaller the better; on average it is smallest for the α/2 and 1 − α/2 quantiles (Gneiting & Raftery 2007,
JASA 102, eq. 43). Its average under Beta(a, b) is exact: with F_c the distribution function of Beta(c, b) and
m = a / (a + b),
    E[max(θ − u, 0)] = m (1 − F_{a+1}(u)) − u (1 − F_a(u)),   E[max(l − θ, 0)] = l F_a(l) − m F_{a+1}(l).
An interval's cost is this average, divided by that of the best one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from workbench.errors import ModelError
from workbench.lessons.lesson import random
from workbench.locale import Message, say
from workbench.models.arms import BetaArm
from workbench.records import Check

type Interval = tuple[float, float]

LEVEL = 0.8
DOTS = 50
SHOPS = 10
FEWEST_HITS = 6
"""Whoever gives the best intervals has six or more hits of ten 97 times in 100."""
MOST_COST = 1.5
"""Of the best: what intervals cost that are about twice as wide as they should be, or a third as wide."""
_VISITORS = {"easy": (500, 5000), "medium": (50, 1000), "hard": (15, 150)}
_RATES = (0.01, 0.12)


@dataclass(frozen=True)
class Seen:
    """What everybody sees of a shop."""

    buyers: int
    visitors: int

    def __post_init__(self) -> None:
        if not 0 <= self.buyers <= self.visitors or not self.visitors:
            raise ModelError("A shop has at least one visitor, and no more buyers than visitors.")

    @property
    def rate(self) -> float:
        """Buyers among visitors."""
        return self.buyers / self.visitors

    @property
    def known(self) -> BetaArm:
        """What is known of the true rate."""
        return BetaArm(1.0 + self.buyers, 1.0 + self.visitors - self.buyers)

    @property
    def best(self) -> Interval:
        """The interval that holds the true rate 8 times in 10, with 1 in 10 on either side."""
        low, high = self.known.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)

    @property
    def dots(self) -> tuple[float, ...]:
        """Fifty equally likely rates."""
        found = self.known.ppf([(place + 0.5) / DOTS for place in range(DOTS)])
        return tuple(float(rate) for rate in found)

    def chance(self, interval: Interval) -> float:
        """The probability that an interval holds the true rate."""
        low, high = self.known.cdf(interval)
        return float(high - low)

    def score(self, interval: Interval) -> float:
        """The interval's average score, a share."""
        low, high = interval
        now, more = self.known, BetaArm(self.known.a + 1, self.known.b)
        below = low * now.cdf(low) - now.mean * more.cdf(low)
        above = now.mean * (1 - more.cdf(high)) - high * (1 - now.cdf(high))
        return float(high - low + 2 / (1 - LEVEL) * (below + above))

    def cost(self, interval: Interval) -> float:
        """The interval's average score, as a multiple of the best one's."""
        return self.score(interval) / self.score(self.best)


class HiddenShop:
    """A shop whose rate is not shown before somebody has said where it lies."""

    def __init__(self, seen: Seen, rate: float) -> None:
        self.seen = seen
        self._rate = rate

    def reveal(self, interval: Interval) -> float:
        """The true rate, in exchange for an interval."""
        checked(interval)
        return self._rate


class HiddenShops:
    """Ten shops whose rates are not shown before ten intervals are given."""

    def __init__(self, seen: Sequence[Seen], rates: Sequence[float]) -> None:
        self.seen = tuple(seen)
        self._rates = tuple(rates)

    def reveal(self, intervals: Sequence[Interval]) -> tuple[Grade, tuple[float, ...]]:
        """How good the intervals are, and the true rates.

        Raises:
            ModelError: there is not one interval for each shop.
        """
        if len(intervals) != len(self.seen):
            raise ModelError("Give one interval for each of the {n:count} shops.", n=len(self.seen))
        return graded(self.seen, [checked(one) for one in intervals], self._rates), self._rates


@dataclass(frozen=True)
class Grade:
    """How good intervals for several shops are.

    Attributes:
        hits: Which of them hold the truth.
        chance: How often intervals like these would hold it, on average over the shops.
        cost: Average cost of an interval, as a multiple of the best one's.
    """

    hits: tuple[bool, ...]
    chance: float
    cost: float

    @property
    def hit(self) -> int:
        """How many hold the truth."""
        return sum(self.hits)

    @property
    def enough(self) -> bool:
        """Whether enough of them hold it."""
        return self.hit * SHOPS >= FEWEST_HITS * len(self.hits)

    @property
    def passed(self) -> bool:
        """Enough hits, and not dear."""
        return self.enough and self.cost <= MOST_COST

    def checks(self) -> list[Check]:
        """What was asked for, and what came of it."""
        hits = say(
            "{hit:count} of your {n:count} intervals hold the truth; {fewest:count} or more pass. Intervals "
            "like these are right for {chance:count} of 100 shops; 80 were asked for.",
            hit=self.hit,
            n=len(self.hits),
            fewest=FEWEST_HITS,
            chance=100 * self.chance,
        )
        cost = say(
            "Your intervals cost {cost:number} times as much as the best that the numbers allow; up to "
            "{most:plain} passes.",
            cost=self.cost,
            most=MOST_COST,
        )
        return [
            Check(name="hits", status="ok" if self.enough else "fail", detail=hits),
            Check(name="cost", status="ok" if self.cost <= MOST_COST else "fail", detail=cost),
        ]

    def advice(self) -> Message:
        """What to do next time."""
        if self.chance < LEVEL - 0.1:
            return say(
                "Too narrow: you are surer than the numbers allow. Go wider, above all where visitors are "
                "few."
            )
        if self.chance > LEVEL + 0.1:
            return say(
                "Too wide: hardly ever wrong, but they say less than the numbers do. Dare more, above all "
                "where visitors are many."
            )
        if self.cost > MOST_COST:
            return say(
                "On average you are as sure as you should be, but too wide for some shops and too narrow for "
                "others: let the number of visitors decide."
            )
        if not self.passed:
            return say(
                "Your intervals are good and you had bad luck: that happens to the best as well, about 3 "
                "times in 100. Take other shops and try again."
            )
        return say("That is what being well calibrated means: as sure as the numbers allow.")


def graded(seen: Sequence[Seen], intervals: Sequence[Interval], rates: Sequence[float]) -> Grade:
    """How good intervals for shops are whose true rates are known."""
    both = list(zip(seen, intervals, strict=True))
    hits = tuple(low <= rate <= high for (low, high), rate in zip(intervals, rates, strict=True))
    cost = sum(shop.cost(interval) for shop, interval in both) / len(both)
    chance = sum(shop.chance(interval) for shop, interval in both) / len(both)
    return Grade(hits, chance, cost)


FIRST = Seen(10, 200)
"""What is guessed at first: 5 %."""


def hidden_shop(seed: int, difficulty: str) -> HiddenShop:
    """One of all the shops that had 10 buyers among 200 visitors."""
    rng = random(seed, difficulty, 0)
    return HiddenShop(FIRST, float(rng.beta(FIRST.known.a, FIRST.known.b)))


def hidden_shops(seed: int, difficulty: str, attempt: int = 0) -> HiddenShops:
    """Ten shops of different sizes; the harder, the fewer visitors. Every attempt has others."""
    rng = random(seed, difficulty, 1 + attempt)
    low, high = _VISITORS[difficulty]
    shops = []
    for _ in range(SHOPS):
        visitors = _round(exp(rng.uniform(log(low), log(high))))
        shops.append(Seen(int(rng.binomial(visitors, rng.uniform(*_RATES))), visitors))
    return HiddenShops(shops, [float(rng.beta(shop.known.a, shop.known.b)) for shop in shops])


def worth(seen: Seen, interval: Interval) -> Message:
    """What an interval for a shop is worth."""
    chance = seen.chance(interval)
    words = {"low": interval[0], "high": interval[1], "chance": 100 * chance}
    if chance < LEVEL - 0.1:
        return say(
            "Your guess holds {chance:count} of 100 such shops; 80 were asked for, so it is too narrow: you "
            "were surer than 200 visitors allow.",
            **words,
        )
    if chance > LEVEL + 0.1:
        return say(
            "Your guess holds {chance:count} of 100 such shops; 80 were asked for, so it is too wide: you "
            "could have said more.",
            **words,
        )
    return say("Your guess holds {chance:count} of 100 such shops; 80 were asked for: well judged.", **words)


def reading(seen: Seen) -> Message:
    """What a shop's numbers say of its rate, in one sentence."""
    low, high = seen.best
    return say(
        "{buyers:count} buyers among {visitors:count} visitors are {rate:share}. The rate behind them lies "
        "between {low:share} and {high:share} in 40 of 50 such shops: {width:size_points} points apart.",
        buyers=seen.buyers,
        visitors=seen.visitors,
        rate=seen.rate,
        low=low,
        high=high,
        width=high - low,
    )


def _round(visitors: float) -> int:
    """To two digits."""
    step = 10 ** max(0, len(str(int(visitors))) - 2)
    return round(visitors / step) * step


def checked(interval: Interval) -> Interval:
    """The interval, once it is one.

    Raises:
        ModelError: it is turned round, or goes beyond 0 and 100 %.
    """
    low, high = interval
    if not 0 <= low < high <= 1:
        raise ModelError("An interval goes from a lower number to a higher one, between 0 % and 100 %.")
    return interval
