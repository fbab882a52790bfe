"""The effect lab: an experiment, a metric, and what the one did to the other; every change is answered."""

from __future__ import annotations

import re

import ipywidgets
from traitlets import Bool, Float, Instance, Int, List, Unicode

from workbench.analyses.experiment import experiments
from workbench.decisions import metric_name
from workbench.engines import fetch, has, table
from workbench.errors import WorkbenchError
from workbench.locale import Texts, say
from workbench.project import Project
from workbench.publish.result import ResultView
from workbench.records import EffectRecord, EffectSettings
from workbench.screens import controls
from workbench.screens.frame import columns
from workbench.screens.state import ScreenState, groups, splits

PRIORS = {"uniform": (1.0, 1.0), "jeffreys": (0.5, 0.5)}
_ASKED = (
    "experiment",
    "metric",
    "by",
    "control",
    "assignment",
    "level",
    "window_days",
    "rope",
    "prior",
    "split",
    "lower_is_better",
)


class EffectState(ScreenState):
    """What is asked of which experiment, and the record that answers it.

    Attributes:
        by: Column or segments to split by; None for everybody together.
        control: The arm that the others are held against; None lets the data say.
        assignment: How people came into their arms; None lets the data say.
        rope: Smallest relative lift that matters.
        split: Planned shares of the arms in their order, such as `80 20`; empty for equal shares.
        names: What `experiment` may be.
        metrics: What `metric` may be.
        groups: What `by` may be.
        arms: What `control` may be.
        record: The answer; None while there is none.
        kept: Whether the project has it.
    """

    experiment = Unicode(allow_none=True)
    metric = Unicode(allow_none=True)
    by = Unicode(None, allow_none=True)
    control = Unicode(None, allow_none=True)
    assignment = Unicode(None, allow_none=True)
    level = Float(0.95)
    window_days = Int(14)
    rope = Float(0.01)
    prior = Unicode("uniform")
    split = Unicode("")
    lower_is_better = Bool(False)

    names = List(Unicode())
    metrics = List(Unicode())
    groups = List(Unicode())
    arms = List(Unicode())
    record = Instance(EffectRecord, allow_none=True)
    kept = Bool(False)

    def __init__(self, project: Project) -> None:
        self._experiments: dict[str, list[str]] = {}
        self._stale = True
        self._settling = False
        super().__init__(project)
        self.observe(self._changed, _ASKED)
        self.answer()

    def refresh(self) -> None:
        super().refresh()
        self._experiments = {name: m for name, m in experiments(self.project.engine).items() if m}
        self.names = list(self._experiments)
        self.missing = None if self.names else say("There is no experiment in this project yet.")
        self._stale = True
        self._settle()

    def _changed(self, _change: object) -> None:
        if self._settling:
            return
        with self.working():
            self._settle()
        self.answer()

    def _settle(self) -> None:
        """Let what is asked fit the experiment: its metrics, groups and arms."""
        self._settling = True
        try:
            if self.experiment not in self._experiments:
                self.experiment = self.names[0] if self.names else None
            self.metrics = self._experiments.get(self.experiment or "", [])
            if self.metric not in self.metrics:
                self.metric = self.metrics[0] if self.metrics else None
            arms = self._arms()
            if arms != self.arms:
                self.arms, self.split = arms, ""
            self.groups = self._groups()
            if self.control not in self.arms:
                self.control = None
            if self.by not in self.groups:
                self.by = None
        finally:
            self._settling = False

    def _arms(self) -> list[str]:
        engine, found = self.project.engine, set[str]()
        for name in ("exposures", "summaries"):
            if has(engine, name):
                rows = table(engine, name)
                rows = rows.filter(rows.experience_id == (self.experiment or ""))
                found |= {row["variant"] for row in fetch(engine, rows.select("variant").distinct())}
        return sorted(found)

    def _groups(self) -> list[str]:
        engine = self.project.engine
        if has(engine, "summaries"):
            rows = table(engine, "summaries")
            rows = rows.filter(
                (rows.experience_id == (self.experiment or "")) & (rows.metric == (self.metric or ""))
            )
            if fetch(engine, rows.aggregate(n=rows.count()))[0]["n"]:
                return groups(self.project, "summaries")
        return splits(self.project)

    def settings(self) -> EffectSettings:
        """What is asked now.

        Raises:
            WorkbenchError: when the planned split is not one number for each arm.
        """
        return EffectSettings(
            experiment=self.experiment or "",
            metric=self.metric or "",
            by=self.by,
            control=self.control,
            assignment=self.assignment,
            level=self.level,
            window_days=self.window_days,
            prior=PRIORS[self.prior],
            rope=self.rope,
            planned_split=self._planned(),
            lower_is_better=self.lower_is_better,
        )

    def _planned(self) -> dict[str, float] | None:
        if not self.split.strip():
            return None
        shares = [float(part.replace(",", ".")) for part in re.findall(r"\d+(?:[.,]\d+)?", self.split)]
        if len(shares) != len(self.arms) or min(shares, default=0) <= 0:
            raise WorkbenchError(
                "The planned split “{split}” is not one: give a number for each arm, in this order: {arms}.",
                split=self.split,
                arms=", ".join(self.arms),
            )
        return dict(zip(self.arms, shares, strict=True))

    def answer(self) -> None:
        """Ask the project, unless it was asked the same a moment ago."""
        if self.missing is not None or not self.ready:
            return
        with self.working():
            record = None
            try:
                wanted = self.settings()
                same = self.record is not None and wanted == self.record.settings and not self._stale
                record = self.record if same else self.project.effect(**dict(wanted), keep=False)
            finally:
                self.record, self._stale = record, False
            if not same:
                self.kept, self.notice = record.id in self.project.records, None

    def keep(self) -> None:
        """Keep the answer in the project, so that it can be published."""
        if self.record is None:
            return
        with self.working():
            self.project.records.add(self.record)
            self.kept = True
            self.notice = say("The result is kept; you can publish it.")


def view(state: EffectState, t: Texts) -> ipywidgets.Widget:
    """The widgets of the effect lab."""
    result = ResultView(t)

    def show(_change: object = None) -> None:
        if state.record is not None:
            result.show(state.record)
        result.layout.display = "" if state.record else "none"

    show()
    state.observe(show, "record")
    asked = [*_main(state, t), _more(state, t), controls.keep(state, t), _help(t)]
    return columns(state, asked, [result], t)


def _main(state: EffectState, t: Texts) -> list[ipywidgets.Widget]:
    assignments = [
        (t("as the data say"), None),
        (t("at random"), "random"),
        (t("by a rule"), "rule"),
        (t("people chose"), "self"),
        (t("not known"), "unknown"),
    ]
    return [
        controls.choice(
            state, "experiment", t("Experiment"), lambda: [(n, n) for n in state.names], follows="names"
        ),
        controls.choice(
            state,
            "metric",
            t("Metric"),
            lambda: [(t(metric_name(m)), m) for m in state.metrics],
            follows="metrics",
        ),
        controls.choice(
            state, "by", t("Split by"), lambda: controls.split_options(state.groups, t), follows="groups"
        ),
        controls.choice(
            state,
            "control",
            t("Control arm"),
            lambda: [(t("as the data say"), None), *((arm, arm) for arm in state.arms)],
            follows="arms",
        ),
        controls.choice(state, "assignment", t("How people came into their arm"), lambda: assignments),
        controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
    ]


def _more(state: EffectState, t: Texts) -> ipywidgets.Widget:
    priors = [(t("uniform"), "uniform"), (t("Jeffreys"), "jeffreys")]
    return controls.more(
        t,
        [
            controls.whole(state, "window_days", t("Window after the first exposure (days)"), 1, 3650),
            controls.percent(state, "rope", t("Smallest lift that matters (%)"), 0, 99, 0.5),
            controls.choice(state, "prior", t("Prior of a conversion rate"), lambda: priors),
            controls.text(state, "split", t("Planned split"), example="50 / 50"),
            controls.tick(state, "lower_is_better", t("Lower is better")),
        ],
    )


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (t("Experiment"), t("An experience that people were shown in at least two variants, the arms.")),
            (
                t("Metric"),
                t("What should change: conversion counts each customer once, revenue adds up their orders."),
            ),
            (
                t("Split by"),
                t("Shows the effect in each group, drawn towards the overall one as far as groups agree."),
            ),
            (t("Control arm"), t("The arm that the others are held against, usually the old experience.")),
            (
                t("How people came into their arm"),
                t("Only a random assignment lets a difference be called an effect."),
            ),
            (t("Level of the intervals"), t("How likely it is that an interval holds the true value.")),
            (
                t("Window after the first exposure (days)"),
                t("Orders count for so long; customers exposed too late for a whole window are left out."),
            ),
            (t("Smallest lift that matters (%)"), t("Differences below it are called practically the same.")),
            (
                t("Prior of a conversion rate"),
                t("What is believed before the data; with hundreds of customers it hardly matters."),
            ),
            (
                t("Planned split"),
                t("One number for each arm, in alphabetical order; empty means equal shares."),
            ),
            (t("Lower is better"), t("For metrics that should go down, such as returns.")),
        ],
    )
