"""Contracts: how long subscriptions are kept and what they bring. The state; its view is beside it."""

from __future__ import annotations

from traitlets import Float, Instance, Int, List, Unicode

from workbench.analyses.contracts_found import ContractSettings, ContractsView
from workbench.analyses.experiment import experiments
from workbench.engines import has
from workbench.locale import say
from workbench.project import Project
from workbench.screens.state import ScreenState, splits

_ASKED = ("by", "period", "model", "horizon", "discount_per_year", "payment", "level")


class ContractsState(ScreenState):
    """What is asked about contracts, and the answer.

    Attributes:
        by, period, model, horizon, discount_per_year, payment, level: As in `ContractSettings`.
        groups: What `by` may be.
        found: The answer; None while there is none.
    """

    by = Unicode(None, allow_none=True)
    period = Unicode("month")
    model = Unicode("best")
    horizon = Int(ContractSettings.horizon)
    discount_per_year = Float(ContractSettings.discount_per_year)
    payment = Float(10.0)
    level = Float(ContractSettings.level)

    groups = List(Unicode())
    found = Instance(ContractsView, allow_none=True)

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self.observe(lambda _: self.answer(), _ASKED)
        self.answer()

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        self.missing = (
            None
            if has(engine, "customers", "churn")
            else say(
                "There are no contracts in this project yet: they need customers with the day on which they "
                "signed up, and a table of the days on which customers left (churn)."
            )
        )
        self.groups = [*experiments(engine), *splits(self.project)] if self.missing is None else []
        if self.by not in self.groups:
            self.by = None

    def settings(self) -> ContractSettings:
        """What is asked now."""
        return ContractSettings(**{name: getattr(self, name) for name in _ASKED})

    def answer(self) -> None:
        """Ask the project."""
        if self.missing is not None or not self.ready:
            return
        with self.working():
            found = None
            try:
                found = self.project.contracts(**vars(self.settings()))
            finally:
                self.found = found
            self.notice = None
