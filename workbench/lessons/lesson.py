"""What every lesson has: its words, a seed that a class shares, a difficulty, and what was believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.errors import check_between, check_choice
from workbench.locale import Message, say

DIFFICULTIES = {"easy": say("easy"), "medium": say("medium"), "hard": say("hard")}
LARGEST_SEED = 999_999


@dataclass(frozen=True)
class Lesson:
    """The words around a lesson.

    Attributes:
        stem: The name of its notebook, without its ending; it begins with its number.
        title: What it is called.
        wrong: The belief that it sets right.
        minutes: How long it takes, from and to.
        steps: What its steps are called, the prediction first.
    """

    stem: str
    title: Message
    wrong: Message
    minutes: tuple[int, int]
    steps: tuple[Message, ...]


LESSONS = (
    Lesson(
        "1-what-does-5-percent-mean",
        say("What does 5 % mean?"),
        say("“The rate that we see is the rate.”"),
        (20, 25),
        (say("Guess"), say("Play"), say("Check yourself"), say("Your own shop")),
    ),
    Lesson(
        "2-better-by-how-much",
        say("Better: by how much, and how sure?"),
        say("“95 % sure: done. And looking costs nothing.”"),
        (25, 30),
        (say("Guess"), say("Run a test"), say("A thousand of you"), say("Check yourself")),
    ),
)


@dataclass(frozen=True)
class Belief:
    """A prediction beside the truth.

    Attributes:
        question: What was asked.
        believed: What was said before.
        true: What came out.
    """

    question: Message
    believed: Message
    true: Message


def random(seed: int, difficulty: str, place: int) -> np.random.Generator:
    """Random numbers of one part of a lesson: the same for everybody who has the seed and the difficulty.

    Args:
        seed: What a class shares.
        difficulty: A name of `DIFFICULTIES`.
        place: Which part of the lesson; parts do not share numbers.

    Raises:
        WorkbenchError: the seed or the difficulty is not one.
    """
    check_between(seed, 0, LARGEST_SEED, say("seed"))
    check_choice(difficulty, DIFFICULTIES, say("difficulty"))
    return np.random.default_rng([seed, list(DIFFICULTIES).index(difficulty), place])
