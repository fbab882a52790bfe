"""Lesson 2: how good a rule for ending tests is, by tests that nobody has seen.

A rule has to keep two promises, few wrong winners and most better pages found, and among those that do the
faster is the better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from workbench.errors import ModelError
from workbench.lessons.clones import LONGEST, MANY, Crowd, Rule, Tally, crowd
from workbench.locale import Message, say
from workbench.models.stopping import proportion
from workbench.records import Check

MOST_WRONG = 0.10
LEAST_FOUND = 0.80
SLOWEST = 1.15
"""A rule passes that takes up to so many times as long as the fastest one known."""

EVERY = (1, 7, LONGEST)
LASTS = (7, 14, 21, 28)
_BARS = (0.8, 0.9, 0.95, 0.965, 0.975, 0.98, 0.985, 0.99, 0.995)


@dataclass(frozen=True)
class Measured:
    """What a rule does, as far as so many tests can tell.

    Attributes:
        wrong: Share of tests of equal pages with a winner.
        found: Share of the others in which the better page won.
        days: How long a test takes, on average over the three truths.
        margin: Two Monte Carlo errors of the shares.
    """

    wrong: float
    found: float
    days: float
    margin: float

    @classmethod
    def of(cls, tallies: Sequence[Tally]) -> Measured:
        """From tests of equal pages, and of pages where one is better."""
        same, *others = tallies
        found = sum(one.right for one in others) / sum(one.tests for one in others)
        wrong = same.wrong / same.tests
        days = sum(one.days for one in tallies) / len(tallies)
        margin = 2 * max(proportion(round(share * same.tests), same.tests).error for share in (wrong, found))
        return cls(wrong, found, days, margin)

    @property
    def low_enough(self) -> bool:
        """Whether few winners are wrong."""
        return self.wrong - self.margin <= MOST_WRONG

    @property
    def powerful(self) -> bool:
        """Whether enough is found."""
        return self.found + self.margin >= LEAST_FOUND


@dataclass(frozen=True)
class Grade(Measured):
    """How good a rule is.

    Attributes:
        fastest: The fastest rule known that keeps both promises, and how long it takes.
    """

    fastest: tuple[Rule, float]

    @property
    def fast(self) -> bool:
        """Whether it is hardly slower than the fastest that keeps both promises."""
        return self.days <= self.fastest[1] * SLOWEST

    @property
    def passed(self) -> bool:
        """Both promises kept, and hardly slower than the fastest."""
        return self.low_enough and self.powerful and self.fast

    def checks(self) -> list[Check]:
        """What was asked for, and what came of it."""
        wrong = say(
            "Where both pages are the same, your rule crowns a winner in {wrong:percent} of tests, give or "
            "take {margin:size_points} points; at most {most:whole_percent} pass.",
            wrong=self.wrong,
            margin=self.margin,
            most=MOST_WRONG,
        )
        found = say(
            "Where one is better, it finds it in {found:percent} of tests, give or take {margin:size_points} "
            "points; at least {least:whole_percent} pass.",
            found=self.found,
            margin=self.margin,
            least=LEAST_FOUND,
        )
        days = say(
            "It takes {days:number} days on average. The fastest rule we know that keeps both promises takes "
            "{fastest:number}; up to {slowest:number} pass.",
            days=self.days,
            fastest=self.fastest[1],
            slowest=self.fastest[1] * SLOWEST,
        )
        return [
            Check(name="wrong", status="ok" if self.low_enough else "fail", detail=wrong),
            Check(name="found", status="ok" if self.powerful else "fail", detail=found),
            Check(name="days", status="ok" if self.fast else "fail", detail=days),
        ]

    def advice(self) -> Message:
        """What to do next time."""
        if not self.low_enough:
            return say(
                "Too many wrong winners: raise the bar, or look less often. A smaller loss alone does not "
                "help."
            )
        if not self.powerful:
            return say("Too little is found: let the test run longer, or lower the bar a little.")
        if not self.fast:
            return say(
                "Safe but slow: with a higher bar you may look before the end, and clear cases end early."
            )
        return say("You may look as often as you like, as long as the bar pays for it.")


def graded(rule: Rule, seed: int, difficulty: str) -> Grade:
    """How good a rule is, by four thousand tests of each truth that nobody has seen."""
    found = Measured.of(_unseen(seed, difficulty).tallies(rule))
    return Grade(found.wrong, found.found, found.days, found.margin, _fastest(seed, difficulty))


def _unseen(seed: int, difficulty: str) -> Crowd:
    return crowd(seed, difficulty, MANY, 4)


def rules() -> list[Rule]:
    """The rules that the fastest is looked for among."""
    return [
        Rule(bar, every, last)
        for bar, last, every in product(_BARS, LASTS, EVERY)
        if every < last or every == LONGEST
    ]


@lru_cache(maxsize=4)
def _fastest(seed: int, difficulty: str) -> tuple[Rule, float]:
    unseen = _unseen(seed, difficulty)
    found = [(rule, Measured.of(unseen.tallies(rule))) for rule in rules()]
    kept = [(rule, one.days) for rule, one in found if one.low_enough and one.powerful]
    if not kept:
        raise ModelError("No rule keeps both promises in this shop; choose another seed.")
    return min(kept, key=lambda one: one[1])
