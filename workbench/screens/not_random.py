"""The effect lab where people were not assigned at random: what is asked, and what can honestly be said."""

from __future__ import annotations

import re
from datetime import date

from traitlets import Bool, Float, Instance, Int, List, Unicode

from workbench.analyses import two_groups
from workbench.analyses.association import Association, NotRandomSettings, NotRandomView, Treatment
from workbench.analyses.checks import believed
from workbench.analyses.experiment import recorded_assignment
from workbench.analyses.second_opinion import available
from workbench.engines import has, table
from workbench.errors import WorkbenchError
from workbench.locale import say
from workbench.metrics import covariates
from workbench.project import Project
from workbench.screens.state import ScreenState

TREATMENTS: tuple[Treatment, ...] = ("experiment", "event", "column")
_ASKED = (
    "assignment",
    "treatment",
    "name",
    "arm",
    "control",
    "metric",
    "window_days",
    "landmark",
    "since",
    "adjust_for",
    "target",
    "level",
    "placebo",
    "encouragement",
    "randomised",
    "split",
    "second_opinion",
)


class NotRandomState(ScreenState):
    """What is asked of which two groups, and the view that answers it.

    Attributes:
        assignment: How people came to it; None lets the data say.
        treatment: Whether it is an arm of an experiment, something people did, or a value in a column.
        name: Of the experiment, the event or the column.
        arm, control: Arms or values; None lets the data say.
        adjust_for: The covariates; what is usual if empty and nobody chose.
        split: Planned shares of the arms of `randomised` in their order, such as `80 20`; empty: equal.
        treatments: What `treatment` may be.
        names, arms, metrics: What `name`, `arm` and `control`, and `metric` may be.
        known: What may be adjusted for.
        befores: What `placebo` may be; empty where there are dates to look back from.
        random: Experiments that were random, to hold the answer against.
        shown: The answer; None while there is none.
        imbalance, outcome_difference: The hidden cause that the slider asks about.
    """

    assignment = Unicode(None, allow_none=True)
    treatment = Unicode("experiment")
    name = Unicode(None, allow_none=True)
    arm = Unicode(None, allow_none=True)
    control = Unicode(None, allow_none=True)
    metric = Unicode(None, allow_none=True)
    window_days = Int(28)
    landmark = Instance(date, allow_none=True)
    since = Instance(date, allow_none=True)
    adjust_for = List(Unicode())
    target = Unicode("overlap")
    level = Float(0.95)
    placebo = Unicode(None, allow_none=True)
    encouragement = Unicode(None, allow_none=True)
    randomised = Unicode(None, allow_none=True)
    split = Unicode("")
    second_opinion = Bool(False)

    treatments = List(Unicode())
    names = List(Unicode())
    arms = List(Unicode())
    metrics = List(Unicode())
    known = List(Unicode())
    befores = List(Unicode())
    random = List(Unicode())
    shown = Instance(NotRandomView, allow_none=True)
    imbalance = Float(0.0)
    outcome_difference = Float(0.0)

    def __init__(self, project: Project) -> None:
        self._settling = False
        self._stale = True
        self._settled_for: tuple[str, str | None] | None = None
        super().__init__(project)
        self.observe(self._changed, _ASKED)
        self.answer()

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        self.treatments = [kind for kind in TREATMENTS if two_groups.names(engine, kind)]
        self.missing = None
        if not self.treatments or not has(engine, "customers"):
            self.missing = say("There is nothing yet that some customers had and others did not.")
        self.random = [
            name
            for name in two_groups.names(engine, "experiment")
            if recorded_assignment(engine, table(engine, "exposures"), name) == "random"
        ]
        self._stale = True
        self._settle()

    @property
    def believed(self) -> str:
        """How people came to it, as far as is known."""
        recorded = None
        if self.treatment == "experiment" and self.name:
            recorded = recorded_assignment(
                self.project.engine, table(self.project.engine, "exposures"), self.name
            )
        return believed(recorded, self.assignment)

    @property
    def second_available(self) -> bool:
        """Whether a second opinion can be asked for."""
        return available()

    def _changed(self, _change: object) -> None:
        if self._settling:
            return
        with self.working():
            self._settle()
        self.answer()

    def _settle(self) -> None:
        """Let what is asked fit the treatment: its names, arms, metrics and covariates."""
        if self.missing is not None:
            return
        self._settling = True
        try:
            engine = self.project.engine
            if self.treatment not in self.treatments:
                self.treatment = self.treatments[0]
            self.names = two_groups.names(engine, self.treatment)
            if self.name not in self.names:
                self.name = next((one for one in self._likely() if one not in self.random), self.names[0])
            self.metrics = two_groups.metrics(engine, self.treatment, self.name)
            if self.metric not in self.metrics:
                self.metric = self.metrics[0] if self.metrics else None
            asked = self._settings(None)
            self.arms = [] if self.treatment == "event" else two_groups.values(engine, asked)
            timed = not (self.treatment == "experiment" and two_groups.is_measured(engine, asked))
            columns = covariates.attributes(engine)
            rows = table(engine, "customers")
            self.befores = [] if timed else [name for name in columns if rows[name].type().is_numeric()]
            if self.placebo not in self.befores:
                self.placebo = None
            self.known = [
                name
                for name in (*columns, *(covariates.HISTORY if timed else ()))
                if name not in (self.name, self.placebo) and self._can(name)
            ]
            if self._settled_for != (self.treatment, self.name):
                self._settled_for = (self.treatment, self.name)
                self.arm = self.control = self.landmark = self.since = self.placebo = None
                self.assignment = None
                self.adjust_for = two_groups.usual(engine, asked, timed=timed)
            extra = [name for name in self.adjust_for if name not in self.known and name != self.placebo]
            self.known = [*self.known, *extra]
            self.adjust_for = [name for name in self.known if name in self.adjust_for]
        finally:
            self._settling = False

    def _likely(self) -> list[str]:
        """The names, the likeliest to be meant first; what everybody does is never it."""
        if self.treatment != "event":
            return self.names
        middle = len(self.names) // 2
        return [*self.names[middle:], *self.names[:middle]]

    def _can(self, name: str) -> bool:
        """Whether the table that a covariate is made of is there."""
        kind = name.partition("_")[0]
        source = {"orders": "orders", "revenue": "orders", "events": "events"}.get(kind)
        return source is None or name not in covariates.HISTORY or has(self.project.engine, source)

    def _settings(self, adjust_for: tuple[str, ...] | None) -> NotRandomSettings:
        return NotRandomSettings.model_validate(
            {
                "treatment": self.treatment,
                "name": self.name or "",
                "arm": self.arm,
                "control": self.control,
                "assignment": self.assignment,
                "metric": self.metric or "",
                "landmark": self.landmark,
                "since": self.since,
                "window_days": self.window_days,
                "covariates": adjust_for,
                "target": self.target,
                "placebo": self.placebo,
                "encouragement": self.encouragement,
                "randomised": self.randomised,
                "planned_split": self._planned(),
                "second_opinion": self.second_opinion,
                "level": self.level,
            }
        )

    def _planned(self) -> dict[str, float] | None:
        if self.randomised is None or not self.split.strip():
            return None
        asked = NotRandomSettings(name=self.randomised)
        arms = two_groups.values(self.project.engine, asked)
        shares = [float(part.replace(",", ".")) for part in re.findall(r"\d+(?:[.,]\d+)?", self.split)]
        if len(shares) != len(arms) or min(shares, default=0) <= 0:
            raise WorkbenchError(
                "The planned split “{split}” is not one: give a number for each arm, in this order: {arms}.",
                split=self.split,
                arms=", ".join(arms),
            )
        return dict(zip(arms, shares, strict=True))

    def settings(self) -> NotRandomSettings:
        """What is asked now.

        Raises:
            WorkbenchError: when there is no metric to ask about.
        """
        if self.metric is None:
            raise WorkbenchError(
                "There is nothing that could have come of it; load orders, events or outcomes."
            )
        return self._settings(tuple(self.adjust_for))

    def answer(self) -> None:
        """Ask the project, unless it was asked the same a moment ago."""
        if self.missing is not None or not self.ready:
            return
        with self.working():
            shown = None
            try:
                wanted = self.settings()
                same = self.shown is not None and wanted == self.shown.settings and not self._stale
                shown = self.shown if same else self.project.not_random(**dict(wanted))
            finally:
                self.shown, self._stale = shown, False
            if shown is not None and not same:
                self._as_strong_as_known(shown)

    def _as_strong_as_known(self, shown: NotRandomView) -> None:
        """Set the slider to a cause as strong as the strongest that is known, against the answer."""
        strongest = None if shown.sensitivity is None else shown.sensitivity.strongest
        if strongest is None or not isinstance(shown.answer, Association):
            self.imbalance = self.outcome_difference = 0.0
            return
        self.imbalance = round(abs(strongest.imbalance), 3)
        size = abs(strongest.outcome_difference)
        self.outcome_difference = float(f"{size if shown.answer.difference >= 0 else -size:.3g}")
