"""What every lesson's state has: a seed, steps that open one after the other, and what was believed."""

from __future__ import annotations

from traitlets import Int, List, Unicode

from workbench.lessons import Belief, Lesson
from workbench.lessons.lesson import random
from workbench.project import Project
from workbench.screens.state import Guarded

SEED, DIFFICULTY = 1, "medium"


class LessonState(Guarded):
    """A lesson without its widgets.

    What is hidden stays in attributes that begin with an underscore; no trait has it before it is revealed,
    since what a view shows goes to the browser.

    Attributes:
        lesson: Its words.
        project: The learner's own; None where there is none.
        seed: Of everything random; the same seed is the same lesson.
        difficulty: A name of `lessons.DIFFICULTIES`.
        step: The step that is open, from 0.
        reached: The last step that may be opened.
        beliefs: What was believed beside what is true, in the order of revealing.
    """

    lesson: Lesson

    seed = Int(SEED)
    difficulty = Unicode(DIFFICULTY)
    step = Int(0)
    reached = Int(0)
    beliefs = List()

    def __init__(
        self, project: Project | None = None, seed: int = SEED, difficulty: str = DIFFICULTY
    ) -> None:
        super().__init__()
        self.project = project
        with self.working():
            self.reached = self.open_from_the_start
            random(seed, difficulty, 0)  # refuses what is not one
            self.seed, self.difficulty = seed, difficulty
        self.begin()
        self.observe(lambda _: self.restart(), ["seed", "difficulty"])

    @property
    def open_from_the_start(self) -> int:
        """The last step that may be opened at once: all of them by who teaches in the project's team."""
        team = None if self.project is None else self.project.team
        return len(self.lesson.steps) - 1 if team and team.may("teach") else 0

    def begin(self) -> None:
        """Draw what is hidden, and forget every answer."""

    def restart(self) -> None:
        """Begin anew, with the seed and the difficulty that are chosen now."""
        with self.working():
            self.step, self.reached = 0, self.open_from_the_start
            self.beliefs = []
            self.begin()

    def go_on(self) -> None:
        """Open the next step."""
        self.reached = max(self.reached, self.step + 1)
        self.step += 1

    def remember(self, belief: Belief) -> None:
        """Keep a prediction beside the truth."""
        self.beliefs = [*self.beliefs, belief]
