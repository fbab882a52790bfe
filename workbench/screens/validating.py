"""How well models foretell: fitted until a day, held against what came. The state; its view is beside it."""

from __future__ import annotations

from traitlets import Bool, Instance, Int

from workbench.records.validation import Validation
from workbench.screens.state import ScreenState
from workbench.screens.value import ValueState


class ValidatingState(ScreenState):
    """A hold-out of the customers whose value is asked for.

    Attributes:
        held_days: So many days are held back; 0 for a third of the time.
        shown: Whether anybody sees it; only then is the project asked.
        found: What came of it; None where too little can be held back, or nobody has asked yet.
        asked: Whether the project has been asked.
    """

    held_days = Int(0)

    shown = Bool(False)
    asked = Bool(False)
    found = Instance(Validation, allow_none=True)

    def __init__(self, value: ValueState) -> None:
        self.value = value
        self._stale = True
        super().__init__(value.project)
        self.observe(lambda _: self._change(), "held_days")
        value.observe(lambda _: self._change(), ["by", "model", "until_day"])
        self.observe(lambda _: self.answer(), "shown")

    def _change(self) -> None:
        self._stale = True
        self.answer()

    def answer(self) -> None:
        """Ask the project, when somebody wants to know and the answer is not known."""
        if not self.ready or not self.shown or not self._stale or self.value.missing is not None:
            return
        self._stale, self.asked, self.found = False, False, None
        settings = {"by": self.value.by, "model": self.value.model, "until": self.value.until_day}
        held = self.held_days or None
        self.wait_for(
            lambda _: (self.project.validation(held_days=held, compare=True, **settings),), self._take
        )

    def _take(self, found: tuple[Validation | None] | None) -> None:
        self._stale, self.asked = found is None, found is not None
        self.found = found and found[0]
