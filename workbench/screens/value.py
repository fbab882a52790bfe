"""Lifetime value: what a new customer of each group is worth, and how sure that is."""

from __future__ import annotations

from datetime import date
from typing import Any

import ipywidgets
from traitlets import Bool, Float, Instance, Int, List, Unicode

from workbench.analyses.experiment import experiments
from workbench.engines import has
from workbench.locale import Texts, say
from workbench.project import Project
from workbench.publish.result import ResultView
from workbench.records import ValueRecord, ValueSettings
from workbench.screens import controls
from workbench.screens.confirming import ConfirmingState, confirmation
from workbench.screens.download import record_files
from workbench.screens.frame import columns
from workbench.screens.state import splits

_ASKED = ("by", "model", "horizon_weeks", "discount_per_year", "margin", "level", "until_day")


class ValueState(ConfirmingState):
    """What is asked about lifetime value, and the record that answers it.

    Attributes:
        by: An experiment, a column or a segment; None for everybody together.
        until_day: Last day that is used; None for all.
        groups: What `by` may be.
        record: The answer; None while there is none.
        kept: Whether the project has it.
    """

    by = Unicode(None, allow_none=True)
    model = Unicode("bg-nbd")
    horizon_weeks = Int(52)
    discount_per_year = Float(0.1)
    margin = Float(1.0)
    level = Float(0.95)
    until_day = Instance(date, allow_none=True)

    groups = List(Unicode())
    record = Instance(ValueRecord, allow_none=True)
    kept = Bool(False)

    def __init__(self, project: Project) -> None:
        self._stale = True
        super().__init__(project)
        self.observe(lambda _: self.answer(), _ASKED)
        self.answer()

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        self.missing = None if has(engine, "orders") else say("There are no orders in this project yet.")
        timed = [name for name, metrics in experiments(engine).items() if "conversion" in metrics]
        self.groups = [*timed, *splits(self.project)]
        if self.by not in self.groups:
            self.by = None
        self._stale = True

    def settings(self) -> ValueSettings:
        """What is asked now."""
        return ValueSettings(
            by=self.by,
            model=self.model,
            horizon_weeks=self.horizon_weeks,
            discount_per_year=self.discount_per_year,
            margin=self.margin,
            level=self.level,
            until=self.until_day,
        )

    @property
    def confirmed(self) -> bool:
        return self.record is not None and self.record.summary.confirmed is not None

    def ask(self, project: Project, settings: Any, **also: Any) -> ValueRecord:
        return project.lifetime_value(**dict(settings), keep=False, **also)

    def answer(self) -> None:
        """Ask the project, unless it was asked the same a moment ago."""
        if self.missing is not None or not self.ready:
            return
        self.stop()
        with self.working():
            record = None
            try:
                wanted = self.settings()
                known = self.record is not None and not self._stale and _plain(self.record) == wanted
                record = self.record if known else self.ask(self.project, wanted)
            finally:
                self.record, self._stale = record, False
            self.kept, self.notice = record.id in self.project.records, None

    def keep(self) -> None:
        """Keep the answer in the project, so that it can be published."""
        if self.record is None:
            return
        with self.working():
            self.project.records.add(self.record)
            self.kept = True
            self.notice = say("The result is kept; you can publish it.")


def _plain(record: ValueRecord) -> ValueSettings:
    """A record's settings, whether or not it was confirmed."""
    return record.settings.model_copy(update={"confirm": False})


def view(state: ValueState, t: Texts) -> ipywidgets.Widget:
    """The widgets of lifetime value."""
    result = ResultView(t)

    def show(_change: object = None) -> None:
        if state.record is not None:
            result.show(state.record)
        result.layout.display = "" if state.record else "none"

    show()
    state.observe(show, "record")
    asked = [
        *_main(state, t),
        _more(state, t),
        _confirmation(state, t),
        controls.keep(state, t),
        record_files(state, t),
        _help(t),
    ]
    return columns(state, asked, [result], t)


def _main(state: ValueState, t: Texts) -> list[ipywidgets.Widget]:
    return [
        controls.choice(
            state, "by", t("Split by"), lambda: controls.split_options(state.groups, t), follows="groups"
        ),
        controls.whole(state, "horizon_weeks", t("Horizon after the first purchase (weeks)"), 1, 520),
        controls.percent(state, "margin", t("Margin kept of revenue (%)"), 0.1, 100, 1),
        controls.percent(state, "discount_per_year", t("Discount a year (%)"), 0, 1000, 1),
        controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
    ]


def _more(state: ValueState, t: Texts) -> ipywidgets.Widget:
    models = [("BG/NBD", "bg-nbd"), ("MBG/NBD", "mbg-nbd")]
    until = ipywidgets.DatePicker(description=t("Last day that is used"))
    return controls.more(
        t,
        [
            controls.choice(state, "model", t("Model of the purchases"), lambda: models),
            controls.bind(state, "until_day", until),
        ],
    )


def _confirmation(state: ValueState, t: Texts) -> ipywidgets.Widget:
    return confirmation(state, t, t("Confirm with PyMC (a minute)"), t("Confirmed with PyMC"))


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("Split by"),
                t("An experiment compares its arms, among customers acquired after they were exposed."),
            ),
            (
                t("Horizon after the first purchase (weeks)"),
                t("Repeat purchases are counted for so long; the first one is not among them."),
            ),
            (t("Margin kept of revenue (%)"), t("What is left of an order's revenue for you.")),
            (t("Discount a year (%)"), t("How much less a purchase is worth for coming a year later.")),
            (t("Level of the intervals"), t("How likely it is that an interval holds the true value.")),
            (
                t("Model of the purchases"),
                t("MBG/NBD lets customers leave after the first purchase already, BG/NBD only later."),
            ),
            (t("Last day that is used"), t("To see what would have been said at that time.")),
            (
                t("Confirm with PyMC (a minute)"),
                t("A second, slower method samples the same posterior; both have to agree."),
            ),
        ],
    )
