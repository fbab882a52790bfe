"""Cohorts: what customers who began together did at the same age. The state; its view is beside it."""

from __future__ import annotations

from traitlets import Float, Instance, Int, List, Unicode

from workbench.analyses.experiment import experiments
from workbench.analyses.groups import few_values
from workbench.engines import has, table
from workbench.locale import say
from workbench.project import Project
from workbench.records import CohortRecord, CohortSettings
from workbench.records.cohorts import EXPOSED, FIRST_ORDER, SIGNED_UP
from workbench.screens.answering import AnsweringState
from workbench.screens.work import Turn

_ASKED = ("start", "period", "by", "mix_by", "margin", "first", "second", "age", "level")
_MOST_GROUPS = 24


class CohortsState(AnsweringState):
    """What is asked about cohorts, and the record that answers it.

    Attributes:
        start, period, by, mix_by, margin, level: As in `CohortSettings`.
        first, second: The two cohorts that are compared; None lets the data say.
        age: At which age; below 0 the last one.
        measure: What is in the cells; it is in the answer already.
        starts: What `start` may be.
        groups: Columns of customers.
        names: The cohorts of the answer.
        record: The answer; None while there is none.
    """

    asked = _ASKED

    start = Unicode(FIRST_ORDER)
    period = Unicode("month")
    by = Unicode(None, allow_none=True)
    mix_by = Unicode(None, allow_none=True)
    margin = Float(1.0)
    first = Unicode(None, allow_none=True)
    second = Unicode(None, allow_none=True)
    age = Int(-1)
    level = Float(0.95)
    measure = Unicode("active")

    starts = List(Unicode())
    groups = List(Unicode())
    names = List(Unicode())
    record = Instance(CohortRecord, allow_none=True)

    def __init__(self, project: Project) -> None:
        self._cohorts = (FIRST_ORDER, "month", None)
        super().__init__(project)
        self.observe(self._name, "record")
        self._name()

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        self.missing = None if has(engine, "orders") else say("There are no orders in this project yet.")
        signed = has(engine, "customers") and "signed_up" in table(engine, "customers").columns
        timed = [f"{EXPOSED}{name}" for name in experiments(engine)] if has(engine, "exposures") else []
        self.starts = [FIRST_ORDER, *([SIGNED_UP] if signed else []), *timed]
        self.groups = few_values(engine, _MOST_GROUPS)
        self.settle()

    def fit(self) -> None:
        """Ask of what there is; other cohorts have other names and ages."""
        if self.start not in self.starts:
            self.start = FIRST_ORDER
        for name in ("by", "mix_by"):
            if getattr(self, name) not in self.groups:
                setattr(self, name, None)
        wanted = (self.start, self.period, self.by)
        if wanted != self._cohorts:
            self._cohorts = wanted
            self.first = self.second = None
            self.age = -1

    def _name(self, _change: object = None) -> None:
        if self.record is not None:
            self.names = [one.name for one in self.record.summary.cohorts]

    def settings(self) -> CohortSettings:
        """What is asked now."""
        pair = (self.first, self.second) if self.first and self.second else None
        return CohortSettings(
            start=self.start,
            period=self.period,
            by=self.by,
            mix_by=self.mix_by,
            margin=self.margin,
            compare=pair,
            age=None if self.age < 0 else self.age,
            level=self.level,
        )

    def ask(self, project: Project, settings: CohortSettings, turn: Turn) -> CohortRecord:
        return project.cohorts(**dict(settings), keep=False)
