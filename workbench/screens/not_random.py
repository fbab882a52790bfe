"""The effect lab where people were not assigned at random: what is asked, and what can honestly be said."""

from __future__ import annotations

from datetime import date

from traitlets import Bool, Float, Instance, Int, List, Unicode

from workbench.analyses import two_groups
from workbench.analyses.checks import believed
from workbench.analyses.experiment import recorded_assignment
from workbench.analyses.second_opinion import available
from workbench.engines import has, table
from workbench.errors import WorkbenchError
from workbench.locale import say
from workbench.metrics import covariates
from workbench.project import Project
from workbench.records import AssociationRecord, NotRandomSettings
from workbench.records.association import Treatment
from workbench.screens.answering import AnsweringState, planned_split
from workbench.screens.work import Turn

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


class NotRandomState(AnsweringState):
    """What is asked of which two groups, and the record that answers it.

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
        record: The answer; None while there is none.
    """

    asked = _ASKED

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
    record = Instance(AssociationRecord, allow_none=True)

    def __init__(self, project: Project) -> None:
        self._settled_for: tuple[str, str | None] | None = None
        super().__init__(project)

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
        self.settle()

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

    def fit(self) -> None:
        """Let what is asked fit the treatment: its names, arms, metrics and covariates."""
        if self.missing is not None:
            return
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
        if self.randomised is None:
            return None
        asked = NotRandomSettings(name=self.randomised)
        return planned_split(self.split, two_groups.values(self.project.engine, asked))

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

    def ask(self, project: Project, settings: NotRandomSettings, turn: Turn) -> AssociationRecord:
        return project.not_random(**dict(settings), keep=False)
