"""The pages of the lessons: what all have is in `stepping` and `page`, each has a state and a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import check_choice
from workbench.lessons import LESSONS
from workbench.locale import say

if TYPE_CHECKING:
    import ipywidgets

    from workbench.project import Project


def lesson(
    number: int,
    project: Project | None = None,
    language: str | None = None,
    *,
    seed: int | None = None,
    difficulty: str | None = None,
) -> ipywidgets.VBox:
    """The page of a lesson.

    Raises:
        WorkbenchError: there is no lesson of this number.
    """
    from workbench.screens.lessons import belief, belief_view, winners, winners_view
    from workbench.screens.lessons.page import lesson_page

    numbers = [str(place + 1) for place in range(len(LESSONS))]
    check_choice(str(number), numbers, say("lesson"))
    if number == 1:
        return lesson_page(belief.BeliefState, belief_view.steps, project, language, seed, difficulty)
    return lesson_page(winners.WinnersState, winners_view.steps, project, language, seed, difficulty)
