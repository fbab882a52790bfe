"""More about value. The state; its view is beside it."""

from __future__ import annotations

from traitlets import Bool, Float, Instance

from workbench.analyses.value_beside import ValueBeside
from workbench.screens.state import ScreenState
from workbench.screens.value import ValueState

_ASKED = ("credited", "treatment_cost")


class ValueBesideState(ScreenState):
    """What stands beside the value that is asked for.

    Attributes:
        credited: Share of a referred customer's value that is credited to who brought them.
        treatment_cost: What the treatment of an experiment costs for each customer who has it.
        shown: Whether anybody sees it; only then is the project asked.
        found: The answer; None while there is none.
    """

    credited = Float(0.5)
    treatment_cost = Float(0.0)

    shown = Bool(False)
    found = Instance(ValueBeside, allow_none=True)

    def __init__(self, value: ValueState) -> None:
        self.value = value
        self._stale = True
        super().__init__(value.project)
        self.observe(lambda _: self._change(), _ASKED)
        value.observe(lambda _: self._change(), "record")
        self.observe(lambda _: self.answer(), "shown")

    def _change(self) -> None:
        self._stale = True
        self.answer()

    def answer(self) -> None:
        """Ask the project, when somebody wants to know and the answer is not known."""
        if not self.ready or not self.shown or not self._stale:
            return
        self._stale = False
        own = {name: getattr(self, name) for name in _ASKED}
        self.wait_for(lambda _: self.project.value_beside(**dict(self.value.settings()), **own), self._take)

    def _take(self, found: ValueBeside | None) -> None:
        self._stale, self.found = found is None, found
