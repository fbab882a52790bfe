"""Lessons: what is predicted, played with, revealed and checked; without a widget, so that it can be tested.

A lesson is a `Lesson` (its words), a module of this room (its simulation and its checker), and a state and a
view in `workbench.screens.lessons`. Every simulation is drawn from a seed and has a truth. Whoever holds it
shows it once somebody has committed to a guess, and not before: the truth is in Python only until then.

    from workbench.lessons import belief
    shops = belief.hidden_shops(seed=1, difficulty="medium")
    shops.seen                                      # visitors and buyers of ten shops
    grade, rates = shops.reveal(intervals)          # how good the intervals were, and the true rates
"""

from workbench.lessons.lesson import DIFFICULTIES as DIFFICULTIES
from workbench.lessons.lesson import LESSONS as LESSONS
from workbench.lessons.lesson import Belief as Belief
from workbench.lessons.lesson import Lesson as Lesson
