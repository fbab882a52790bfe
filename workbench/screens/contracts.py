"""Contracts: how long subscriptions are kept and what they bring. The state; its view is beside it."""

from __future__ import annotations

from typing import Any

from traitlets import Float, Instance, Int, List, Unicode

from workbench.analyses.contracts_found import ContractSettings, ContractsView
from workbench.analyses.experiment import experiments
from workbench.engines import has
from workbench.locale import say
from workbench.screens.answering import FindingState
from workbench.screens.state import splits
from workbench.screens.work import Turn

_ASKED = ("by", "period", "model", "horizon", "discount_per_year", "payment", "level")


class ContractsState(FindingState):
    """What is asked about contracts, and the answer.

    Attributes:
        by, period, model, horizon, discount_per_year, payment, level: As in `ContractSettings`.
        groups: What `by` may be.
        found: The answer; None while there is none.
    """

    asked = _ASKED

    by = Unicode(None, allow_none=True)
    period = Unicode("month")
    model = Unicode("best")
    horizon = Int(ContractSettings.horizon)
    discount_per_year = Float(ContractSettings.discount_per_year)
    payment = Float(10.0)
    level = Float(ContractSettings.level)

    groups = List(Unicode())
    found = Instance(ContractsView, allow_none=True)

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
        self.settle()

    def fit(self) -> None:
        """Ask of what there is."""
        if self.by not in self.groups:
            self.by = None

    def settings(self) -> ContractSettings:
        """What is asked now."""
        return ContractSettings(**{name: getattr(self, name) for name in _ASKED})

    def find(self, turn: Turn) -> Any:
        return self.project.contracts(**vars(self.settings()))
