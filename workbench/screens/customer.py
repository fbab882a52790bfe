"""One customer: an identifier, and everything that is known of whom it stands for."""

from __future__ import annotations

from traitlets import Float, Instance, Int, Unicode

from workbench.analyses.customer import CustomerView, Example, analyse, example
from workbench.analyses.person import tables_of_persons
from workbench.locale import say
from workbench.project import Project
from workbench.screens.state import ScreenState
from workbench.screens.work import Turn


class CustomerState(ScreenState):
    """Who is looked at, and what is known of them.

    What is typed is not kept: once somebody is found, their pseudonym takes its place.

    Attributes:
        identifier: Theirs, as the shop's own systems have it, or their pseudonym.
        horizon_weeks: How far ahead is looked.
        level: Probability of the intervals.
        shown: What is known of them; None while nobody is looked at.
    """

    identifier = Unicode("")
    horizon_weeks = Int(52)
    level = Float(0.95)

    shown = Instance(CustomerView, allow_none=True)

    def __init__(self, project: Project) -> None:
        self._settling = False
        self._asked: tuple[str, int, float] | None = None
        self._kind: Example | None = None
        super().__init__(project)
        self.observe(lambda _: self.look(), "identifier")
        self.observe(lambda _: self.answer(), ["horizon_weeks", "level"])

    def refresh(self) -> None:
        super().refresh()
        there = tables_of_persons(self.project.everything)
        self.missing = None if there else say("There are no customers in this project yet.")
        self._asked = None

    def look(self) -> None:
        """Look at whom the identifier stands for, unless they are being looked at."""
        if self._settling or not self.identifier.strip() or self._asked == self._question():
            return
        self._ask(None)

    def try_one(self, kind: Example) -> None:
        """Look at a customer that is chosen for what they did."""
        self._ask(kind)

    def answer(self) -> None:
        """Ask again about whoever is looked at."""
        if self.shown is not None or self.busy:
            self._ask(self._kind)

    def _ask(self, kind: Example | None) -> None:
        question = identifier, horizon_weeks, level = self._question()
        self._kind, self._asked = kind, question

        def find(_turn: Turn) -> CustomerView:
            who = identifier if kind is None else example(self.project, kind)
            return analyse(self.project, who, horizon_weeks=horizon_weeks, level=level)

        def take(found: CustomerView | None) -> None:
            self.shown, self._kind, self._asked = found, None, None
            if found is not None:
                self._show_pseudonym(found.pseudonym)
                self._asked = self._question()

        with self.working():
            self.drop()
            self.wait_for(find, take)

    def _question(self) -> tuple[str, int, float]:
        return self.identifier.strip(), self.horizon_weeks, self.level

    def _show_pseudonym(self, pseudonym: str) -> None:
        self._settling = True
        try:
            self.identifier = pseudonym or self.identifier
        finally:
            self._settling = False
