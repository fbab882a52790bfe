"""Whether groups of people fare differently: an attribute, and what each group buys, pays and gets."""

from __future__ import annotations

from traitlets import Bool, Float, Instance, Int, List, Unicode

from workbench.analyses.fairness import Fairness, attributes
from workbench.engines import has
from workbench.locale import say
from workbench.screens.answering import FindingState
from workbench.screens.work import Turn

_ASKED = ("attribute", "level", "matters", "days")


class FairnessState(FindingState):
    """What is asked of the groups of which attribute, and the answer.

    Attributes:
        attribute: A column of customers.
        level: Of the intervals, and of what is called sure.
        matters: Smallest difference from the rest that matters.
        days: Only so many days before the end of the data count; None for all.
        names: What `attribute` may be, the sensitive ones first.
        found: The answer; None while there is none.
    """

    asked = _ASKED

    awaited = Bool(False)
    attribute = Unicode("")
    level = Float(0.95)
    matters = Float(0.02)
    days = Int(None, allow_none=True)
    names = List(Unicode())
    found = Instance(Fairness, allow_none=True)

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        there = has(engine, "customers")
        self.missing = None if there else say("There are no customers in this project yet.")
        self.names = attributes(engine) if there else []
        if there and not self.names:
            self.missing = say("Nothing is known of customers by which groups could be told apart.")
        self.found = None
        self.settle()

    def fit(self) -> None:
        """Ask of what there is."""
        if self.attribute not in self.names:
            self.attribute = self.names[0] if self.names else ""

    def find(self, turn: Turn) -> Fairness:
        return self.project.fairness(self.attribute, level=self.level, matters=self.matters, days=self.days)
