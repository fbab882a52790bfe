"""Whether groups of people fare differently: an attribute, and what each group buys, pays and gets."""

from __future__ import annotations

from traitlets import Float, Instance, Int, List, Unicode

from workbench.analyses.fairness import Fairness, attributes
from workbench.engines import has
from workbench.locale import say
from workbench.project import Project
from workbench.screens.state import ScreenState

_ASKED = ("attribute", "level", "matters", "days")


class FairnessState(ScreenState):
    """What is asked of the groups of which attribute, and the answer.

    Attributes:
        attribute: A column of customers.
        level: Of the intervals, and of what is called sure.
        matters: Smallest difference from the rest that matters.
        days: Only so many days before the end of the data count; None for all.
        names: What `attribute` may be, the sensitive ones first.
        answered: The answer; None while there is none.
    """

    attribute = Unicode("")
    level = Float(0.95)
    matters = Float(0.02)
    days = Int(None, allow_none=True)
    names = List(Unicode())
    answered = Instance(Fairness, allow_none=True)

    def __init__(self, project: Project) -> None:
        self._watched = False
        super().__init__(project)
        self.observe(lambda _: self.answer(), _ASKED)

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        there = has(engine, "customers")
        self.missing = None if there else say("There are no customers in this project yet.")
        self.names = attributes(engine) if there else []
        if there and not self.names:
            self.missing = say("Nothing is known of customers by which groups could be told apart.")
        if self.attribute not in self.names:
            self.attribute = self.names[0] if self.names else ""
        self.answered = None

    def watch(self) -> None:
        """Say that somebody watches from now on, so that there is an answer to see."""
        if not self._watched:
            self._watched = True
            self.answer()

    def answer(self) -> None:
        """Ask the project, if somebody watches."""
        if self.missing is not None or not self.ready or not self._watched:
            return
        with self.working():
            self.answered = self.project.fairness(
                self.attribute, level=self.level, matters=self.matters, days=self.days
            )
