"""Lesson 2: one's own test of two pages, day by day, and what the truth makes of the winner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.errors import check_between
from workbench.lessons.clones import LONGEST, NONE, A, B, Shop, shop
from workbench.lessons.lesson import random
from workbench.locale import Message, say
from workbench.models.arms import BetaArm
from workbench.models.comparison import compare


@dataclass(frozen=True)
class Day:
    """What is known at the end of a day: buyers of A and B, and what follows for B − A.

    Attributes:
        day: From 1.
        a, b: Buyers so far.
        visitors: Of each page so far.
        better: How sure one may be that B is better.
        loss_b, loss_a: What choosing that page loses on average, in shares.
        most, half: Where the difference lies, 95 % and 50 %.
    """

    day: int
    a: int
    b: int
    visitors: int
    better: float
    loss_b: float
    loss_a: float
    most: tuple[float, float]
    half: tuple[float, float]


class OwnTest:
    """A test whose truth is not shown before a winner is chosen, or none."""

    def __init__(self, pages: Shop, lift: float, rng: np.random.Generator) -> None:
        self.pages = pages
        self._lift = lift
        rates = [pages.rate, pages.rate * (1 + lift)]
        self._buyers = rng.binomial(pages.per_day, rates, (LONGEST, 2)).cumsum(axis=0)

    def after(self, day: int) -> Day:
        """What one sees at the end of a day.

        Raises:
            WorkbenchError: the test is not that long.
        """
        check_between(day, 1, LONGEST, say("day"))
        a, b = (int(buyers) for buyers in self._buyers[day - 1])
        visitors = self.pages.per_day * day
        arms = [BetaArm(1.0 + buyers, 1.0 + visitors - buyers) for buyers in (b, a)]
        found = compare(arms[0], arms[1])
        half = compare(arms[0], arms[1], level=0.5).difference_interval
        return Day(
            day,
            a,
            b,
            visitors,
            found.probability_better,
            found.expected_loss,
            found.expected_loss_control,
            found.difference_interval,
            half,
        )

    def reveal(self, winner: int) -> float:
        """By how much B is better, in exchange for a winner."""
        check_between(winner, NONE, B, say("winner"))
        return self._lift


def own_test(seed: int, difficulty: str) -> OwnTest:
    """The test of a class: as likely without a difference as with one, either way."""
    pages = shop(difficulty)
    rng = random(seed, difficulty, 1)
    lift = float(rng.choice([0.0, 0.0, pages.lift, 1 / (1 + pages.lift) - 1]))
    return OwnTest(pages, lift, rng)


def today(seen: Day) -> Message:
    """What a day shows, in one sentence."""
    ahead = seen.better >= 0.5
    words = {
        "day": seen.day,
        "a": seen.a / seen.visitors,
        "b": seen.b / seen.visitors,
        "sure": seen.better if ahead else 1 - seen.better,
        "loss": seen.loss_b if ahead else seen.loss_a,
    }
    if ahead:
        return say(
            "Day {day:count}: A converts {a:percent}, B {b:percent}. We are {sure:percent} sure that B is "
            "better. Choosing B now loses {loss:size_points} points on average.",
            **words,
        )
    return say(
        "Day {day:count}: A converts {a:percent}, B {b:percent}. We are {sure:percent} sure that A is "
        "better. Choosing A now loses {loss:size_points} points on average.",
        **words,
    )


def judged(winner: int, lift: float) -> Message:
    """What the truth makes of a winner."""
    if not lift:
        if winner == NONE:
            return say("Both pages are the same, and you crowned nobody: right.")
        return say("Both pages are the same: you crowned a winner where there is none.")
    better = B if lift > 0 else A
    words = {"page": "B" if lift > 0 else "A", "size": max(lift, 1 / (1 + lift) - 1)}
    if winner == better:
        return say("{page} is better, by {size:whole_percent} of the other's rate: right.", **words)
    if winner == NONE:
        return say("{page} is better, by {size:whole_percent} of the other's rate: you missed it.", **words)
    return say(
        "{page} is better, by {size:whole_percent} of the other's rate: you crowned the wrong one.", **words
    )
