"""Lesson 2: tests of two pages that differ by chance only, and a rule that ends them: how often is it wrong?

Page A converts a share of its visitors, page B that share times 1 + lift. Both get as many visitors a day.
Each day the posterior of both shares says how sure one may be that B is better, and what choosing it would
lose on average if it is not (`models.stopping`). A rule crowns a winner on the first day on which it is sure
enough; clones are tests that differ by chance only. A winner is wrong that is not the better page; where both
are the same, any.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import check_between
from workbench.lessons.lesson import random
from workbench.locale import say
from workbench.models.stopping import Rule as Asked
from workbench.models.stopping import Share, answers

LONGEST = 28
CLONES, MANY = 1000, 4000
NONE, A, B = range(3)

_LIFTS = {"easy": 0.20, "medium": 0.15, "hard": 0.12}


@dataclass(frozen=True)
class Shop:
    """Two pages.

    Attributes:
        rate: Share of A's visitors that buy.
        per_day: Visitors of each page a day.
        lift: By how much B is better, or A, where they are not the same.
    """

    rate: float = 0.10
    per_day: int = 500
    lift: float = 0.15


def shop(difficulty: str) -> Shop:
    """The shop of a difficulty: the harder, the smaller the difference that is to be found."""
    random(0, difficulty, 0)  # refuses what is not one
    return Shop(lift=_LIFTS[difficulty])


@dataclass(frozen=True)
class Rule:
    """When to crown a winner.

    Attributes:
        sure: How sure one has to be of either page.
        every: Days between looks; the last day is always one.
        last: The day on which the test ends, winner or not.
        loss: What the choice may lose on average, as a share of A's rate; None for any.
    """

    sure: float = 0.95
    every: int = 1
    last: int = 14
    loss: float | None = None

    def __post_init__(self) -> None:
        check_between(self.sure, 0.5, 1, say("probability"), open_low=True, open_high=True)
        check_between(self.last, 1, LONGEST, say("last day"))
        check_between(self.every, 1, LONGEST, say("number of days between looks"))

    @property
    def days(self) -> NDArray[np.int64]:
        """The days on which one looks."""
        whole = np.arange(self.every, self.last + 1, self.every, dtype=np.int64)
        return whole if len(whole) and whole[-1] == self.last else np.append(whole, self.last)


class Ended(NamedTuple):
    """How tests ended: the winner (`NONE`, `A` or `B`) and the day of each."""

    winner: NDArray[np.int64]
    day: NDArray[np.int64]


@dataclass(frozen=True)
class Clones:
    """Many tests with one truth.

    Attributes:
        better: How sure one may be that B is better, shape (tests, days).
        loss_b, loss_a: What choosing B, or A, loses on average, as a share of A's rate.
        enough: Whether there are enough buyers to say anything.
    """

    better: NDArray[np.float64]
    loss_b: NDArray[np.float64]
    loss_a: NDArray[np.float64]
    enough: NDArray[np.bool_]

    @classmethod
    def simulate(
        cls, pages: Shop, lift: float, tests: int, rng: np.random.Generator, days: int = LONGEST
    ) -> Clones:
        """So many tests in which B's rate is A's times 1 + `lift`."""
        metric = Share(pages.rate)
        growth = np.broadcast_to([1.0, 1.0 + lift], (tests, 1, 2))
        added = np.full((days, 2), pages.per_day, dtype=np.int64)
        buyers = metric.draw(rng, growth, added)[0].cumsum(axis=1)
        visitors = added.cumsum(axis=0).astype(float)
        known = metric.posterior(visitors, buyers, buyers)
        a, b = (type(known)(*(part[..., arm] for part in known)) for arm in (0, 1))
        found = answers(b, a, Asked())
        enough = metric.enough(visitors, buyers)
        return cls(found.better, found.loss / pages.rate, found.loss_control / pages.rate, enough)

    def ended(self, rule: Rule) -> Ended:
        """Where a rule ends each test."""
        looks = rule.days - 1
        better, enough = self.better[:, looks], self.enough[:, looks]
        b, a = enough & (better >= rule.sure), enough & (better <= 1 - rule.sure)
        if rule.loss is not None:
            b &= self.loss_b[:, looks] <= rule.loss
            a &= self.loss_a[:, looks] <= rule.loss
        said = a | b
        look = np.where(said.any(axis=1), said.argmax(axis=1), len(looks) - 1)
        at = np.arange(len(look)), look
        return Ended(np.where(b[at], B, np.where(a[at], A, NONE)), rule.days[look])


@dataclass(frozen=True)
class Tally:
    """What came of many tests with one truth.

    Attributes:
        lift: By how much B is better.
        b, a, none: Tests that crowned B, crowned A, or nobody.
        days: How long they took on average.
    """

    lift: float
    b: int
    a: int
    none: int
    days: float

    @property
    def tests(self) -> int:
        """All of them."""
        return self.b + self.a + self.none

    @property
    def wrong(self) -> int:
        """Tests with a winner that is not the better page."""
        return self.a + self.b if not self.lift else self.a if self.lift > 0 else self.b

    @property
    def right(self) -> int:
        """Tests with a winner that is."""
        return 0 if not self.lift else self.b if self.lift > 0 else self.a


def tally(clones: Clones, rule: Rule, lift: float) -> Tally:
    """What a rule makes of clones whose truth is `lift`."""
    winner, day = clones.ended(rule)
    b, a = int((winner == B).sum()), int((winner == A).sum())
    return Tally(lift, b, a, len(winner) - a - b, float(day.mean()))


@dataclass(frozen=True)
class Crowd:
    """A thousand clones for each of three truths: both the same, B better, A better."""

    pages: Shop
    clones: tuple[tuple[float, Clones], ...]

    def tallies(self, rule: Rule) -> tuple[Tally, Tally, Tally]:
        """What a rule makes of them, in that order."""
        same, b, a = (tally(clones, rule, lift) for lift, clones in self.clones)
        return same, b, a


@lru_cache(maxsize=4)
def crowd(seed: int, difficulty: str, tests: int = CLONES, place: int = 2) -> Crowd:
    """The clones of a class: the same for every rule, so that rules differ by what they do only."""
    pages = shop(difficulty)
    rng = random(seed, difficulty, place)
    lifts = (0.0, pages.lift, 1 / (1 + pages.lift) - 1)
    return Crowd(pages, tuple((lift, Clones.simulate(pages, lift, tests, rng)) for lift in lifts))


def peeking(seed: int, difficulty: str, sure: float = 0.95, last: int = 14) -> tuple[float, ...]:
    """Share of tests of two equal pages that have crowned a winner by each day, when looked at daily."""
    winner, day = crowd(seed, difficulty, tests=MANY, place=3).clones[0][1].ended(Rule(sure, 1, last))
    return tuple(float(((winner != NONE) & (day <= by)).mean()) for by in range(1, last + 1))


def at_the_end(seed: int, difficulty: str, sure: float = 0.95, last: int = 14) -> float:
    """The same, when looked at once."""
    return float(
        (
            crowd(seed, difficulty, tests=MANY, place=3).clones[0][1].ended(Rule(sure, last, last))[0] != NONE
        ).mean()
    )
