"""Lifetime value: what a new customer of each group is worth. The state; its views are beside it."""

from __future__ import annotations

from datetime import date
from typing import Any

from traitlets import Bool, Float, Instance, Int, List, Unicode

from workbench.analyses.experiment import experiments
from workbench.analyses.value_money import margin_known
from workbench.engines import has
from workbench.locale import say
from workbench.project import Project
from workbench.records import ValueRecord, ValueSettings
from workbench.screens.confirming import ConfirmingState
from workbench.screens.state import splits
from workbench.screens.work import Turn

_ASKED = (
    *(
        "by",
        "within",
        "model",
        "definition",
        "margin",
        "margin_measured",
        "cost_per_order",
        "service_cost_per_year",
    ),
    *("acquisition", "acquisition_cost", "first_purchase", "horizon_weeks", "endless"),
    *("discount_per_year", "level", "until_day"),
)


class ValueState(ConfirmingState):
    """What is asked about lifetime value, and the record that answers it.

    Attributes:
        by: An experiment, a column or a segment; None for everybody together.
        within: A column or a segment in which the arms are compared too, where `by` is an experiment.
        definition: `revenue`, `margin` or `net`; what it does not use is kept, but not asked.
        margin_measured: Whether the margin is that of the orders, where they carry one, rather than `margin`.
        acquisition: Where the cost of winning a customer comes from: nowhere (an empty text), `amount`, which
            is `acquisition_cost`, or `measured`.
        endless: No horizon, instead of `horizon_weeks`.
        until_day: Last day that is used; None for all.
        groups: What `by` may be.
        inner: What `within` may be; empty unless `by` is an experiment.
        has_margin, has_spend: What can be measured.
        record: The answer; None while there is none.
    """

    asked = _ASKED

    by = Unicode(None, allow_none=True)
    within = Unicode(None, allow_none=True)
    model = Unicode("bg-nbd")
    definition = Unicode("revenue")
    margin = Float(1.0)
    margin_measured = Bool(True)
    cost_per_order = Float(0.0)
    service_cost_per_year = Float(0.0)
    acquisition = Unicode("")
    acquisition_cost = Float(0.0)
    first_purchase = Bool(False)
    horizon_weeks = Int(52)
    endless = Bool(False)
    discount_per_year = Float(0.1)
    level = Float(0.95)
    until_day = Instance(date, allow_none=True)

    groups = List(Unicode())
    inner = List(Unicode())
    has_margin = Bool(False)
    has_spend = Bool(False)
    record = Instance(ValueRecord, allow_none=True)

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        self.missing = None if has(engine, "orders") else say("There are no orders in this project yet.")
        self._timed = [name for name, metrics in experiments(engine).items() if "conversion" in metrics]
        self.groups = [*self._timed, *splits(self.project)]
        self.has_margin = self.missing is None and margin_known(self.project)
        self.has_spend = has(engine, "spend")
        if self.by not in self.groups:
            self.by = None
        self.settle()

    def fit(self) -> None:
        self.inner = (
            [name for name in self.groups if name not in self._timed] if self.by in self._timed else []
        )
        if self.within not in self.inner:
            self.within = None

    def settings(self) -> ValueSettings:
        """What is asked now: what the definition uses."""
        asked: dict[str, Any] = {}
        if self.definition != "revenue":
            measured = self.margin_measured and self.has_margin
            asked["margin"] = "measured" if measured else self.margin
        if self.definition == "net":
            asked["cost_per_order"] = self.cost_per_order
            asked["service_cost_per_year"] = self.service_cost_per_year
            if self.acquisition == "measured":
                asked["acquisition_cost"] = "measured"
            elif self.acquisition == "amount":
                asked["acquisition_cost"] = self.acquisition_cost
        return ValueSettings(
            by=self.by,
            within=self.within,
            model=self.model,
            definition=self.definition,
            first_purchase=self.first_purchase,
            horizon_weeks=None if self.endless else self.horizon_weeks,
            discount_per_year=self.discount_per_year,
            level=self.level,
            until=self.until_day,
            **asked,
        )

    @property
    def confirmed(self) -> bool:
        return self.record is not None and self.record.settings.confirm

    def ask(self, project: Project, settings: Any, turn: Turn) -> ValueRecord:
        return project.lifetime_value(**dict(settings), keep=False, progress=turn.tell, cancel=turn.cancel)
