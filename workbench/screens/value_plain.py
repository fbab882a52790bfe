"""The plain formula of customer value: four numbers of the shop's own, to be changed, beside the model."""

from __future__ import annotations

from traitlets import Float, Instance

from workbench.analyses.value_plain import PlainValue, plain_product
from workbench.locale import say
from workbench.models.plain_value import Plain
from workbench.screens.state import ScreenState
from workbench.screens.value import ValueState

_NUMBERS = ("order_value", "purchases_per_year", "years", "margin")


class PlainState(ScreenState):
    """The four numbers and what they make.

    Attributes:
        order_value, purchases_per_year, years, margin: Of the product; the shop's own at first.
        found: The product, the model's answer and what lies between; None while there is none.
    """

    order_value = Float(1.0)
    purchases_per_year = Float(1.0)
    years = Float(1.0)
    margin = Float(1.0)

    found = Instance(PlainValue, allow_none=True)

    def __init__(self, value: ValueState) -> None:
        self._value = value
        self._taking = False
        super().__init__(value.project)
        self.observe(lambda _: self.answer(), _NUMBERS)
        value.observe(lambda _: self.reset(), "record")
        self.reset()

    def reset(self) -> None:
        """Back to the shop's own numbers."""
        self._ask(None)

    def answer(self) -> None:
        """Hold the four numbers against the model."""
        if not self._taking:
            own = self.found is None  # nothing was taken yet that could have been changed
            self._ask(None if own else Plain(**{name: getattr(self, name) for name in _NUMBERS}))

    def stop(self) -> None:
        """End the question; the numbers are again those of the answer that is shown."""
        if self.busy:
            self.drop()
            self._put(self.found)
            self.problem, self.notice = None, say("Stopped.")

    def _ask(self, used: Plain | None) -> None:
        if not self.ready:
            return

        def take(found: PlainValue | None) -> None:
            self.found, self.notice = found, None
            self._put(found)

        with self.working():
            self.drop()
            settings = self._value.settings()
            self.wait_for(lambda _: plain_product(self.project, settings, used), take)

    def _put(self, found: PlainValue | None) -> None:
        if found is None:
            return
        self._taking = True
        try:
            with self.hold_trait_notifications():
                for name in _NUMBERS:
                    setattr(self, name, getattr(found.used, name))
        finally:
            self._taking = False
