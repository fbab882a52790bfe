"""Lifetime value: what a new customer of each group is worth, and how sure that is."""

from __future__ import annotations

import threading
from datetime import date

import ipywidgets
from traitlets import Bool, Float, Instance, Int, List, Unicode

from workbench.analyses.experiment import experiments
from workbench.engines import has
from workbench.locale import Texts, say
from workbench.project import Project
from workbench.publish.result import html
from workbench.records import ValueRecord, ValueSettings
from workbench.screens.state import ScreenState, groups

_ASKED = ("by", "model", "horizon_weeks", "discount_per_year", "margin", "level", "until_day")


class ValueState(ScreenState):
    """What is asked about lifetime value, and the record that answers it.

    Attributes:
        by: An experiment, a column or a segment; None for everybody together.
        until_day: Last day that is used; None for all.
        groups: What `by` may be.
        record: The answer; None while there is none.
        kept: Whether the project has it.
        confirming: Whether PyMC is at work on the same question.
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
    confirming = Bool(False)

    def __init__(self, project: Project) -> None:
        self._stale = True
        self._thread: threading.Thread | None = None
        super().__init__(project)
        self.observe(lambda _: self.answer(), _ASKED)
        self.answer()

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        self.missing = None if has(engine, "orders") else say("There are no orders in this project yet.")
        self.groups = [*experiments(engine), *groups(self.project), *self.project.segments]
        if self.by not in self.groups:
            self.by = None
        self._stale = True

    def settings(self) -> ValueSettings:
        """What is asked now."""
        return ValueSettings(
            by=self.by,
            model=self.model,  # type: ignore[arg-type]  # the pick-list offers what there is
            horizon_weeks=self.horizon_weeks,
            discount_per_year=self.discount_per_year,
            margin=self.margin,
            level=self.level,
            until=self.until_day,
        )

    def answer(self) -> None:
        """Ask the project, unless it was asked the same a moment ago."""
        if self.missing is not None or not self.ready:
            return
        with self.working():
            record = None
            try:
                wanted = self.settings()
                if self.record is not None and not self._stale and _question(self.record) == wanted:
                    record = self.record
                else:
                    record = self.project.lifetime_value(**dict(wanted), keep=False)
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


def _question(record: ValueRecord) -> ValueSettings:
    """A record's settings, whether or not it was confirmed."""
    return record.settings.model_copy(update={"confirm": False})


def view(state: ValueState, t: Texts) -> ipywidgets.Widget:
    """The widgets of lifetime value."""
    return html("")
