"""The effect lab: an experiment, a metric, and what the one did to the other; every change is answered."""

from __future__ import annotations

from typing import Any, Literal

from traitlets import Bool, Float, Instance, Int, List, Unicode

from workbench.analyses import crossed
from workbench.analyses.experiment import experiments, sums_in
from workbench.analyses.groups import CROSSED
from workbench.analyses.posteriors import STRIP, lifts_of_past_tests
from workbench.engines import has, table
from workbench.errors import WorkbenchError
from workbench.locale import say
from workbench.metrics.actions import Timed
from workbench.metrics.cells import ask
from workbench.project import Project
from workbench.records import EffectRecord, EffectSettings, Interval, OtherMetric
from workbench.screens.answering import planned_split
from workbench.screens.confirming import ConfirmingState
from workbench.screens.state import groups, splits
from workbench.screens.stretches import stretches
from workbench.screens.work import Turn

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
    "arm",
    "per",
    "and_by",
    "from_day",
    "statistic",
    "quantile",
    "expected",
    "expected_low",
    "expected_high",
    "before_days",
    "adjust",
    "delivered",
    "excluded",
    "together",
    "guardrails",
    "secondary",
    "falling",
    "crossed_with",
)
OWN, PAST = "own", "past"


class EffectState(ConfirmingState):
    """What is asked of which experiment, and the record that answers it.

    Attributes:
        by: Column or segments to split by; None for everybody together.
        control: The arm that the others are held against; None lets the data say.
        assignment: How people came into their arms; None lets the data say.
        rope: Smallest relative lift that matters.
        arm: The arm to speak of; None for the likeliest best.
        per: The metric that the metric is divided by; None for each customer.
        and_by: A second column to cross the first with.
        expected: Which lifts were expected before: a name of `analyses.posteriors.STRIP`, `own` for those
            between `expected_low` and `expected_high`, `past` for what earlier experiments showed, or None.
        delivered: The event that shows that the treatment reached somebody.
        excluded: Stretches of days that do not count, such as `2026-11-27 2026-11-30`, one a line.
        together: Arms that are one, joined by `+`, one such arm a line.
        guardrails, secondary: Metrics that are looked at beside the one that decides.
        falling: Those of them that should go down.
        crossed_with: A second experiment, looked at together with the first.
        split: Planned shares of the arms in their order, such as `80 20`; empty for equal shares.
        names: What `experiment` may be.
        metrics: What `metric` may be.
        sums: What `per` may be.
        events: What `delivered` may be.
        groups: What `by` may be.
        arms: What `control` may be.
        overlapping: What `crossed_with` may be: experiments that share customers with this one.
        record: The answer; None while there is none.
    """

    asked = _ASKED

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
    arm = Unicode(None, allow_none=True)
    per = Unicode(None, allow_none=True)
    and_by = Unicode(None, allow_none=True)
    from_day = Int(0)
    statistic = Unicode("mean")
    quantile = Float(0.99)
    expected = Unicode(None, allow_none=True)
    expected_low = Float(-0.2)
    expected_high = Float(0.25)
    before_days = Int(28)
    adjust = Bool(False)
    delivered = Unicode(None, allow_none=True)
    excluded = Unicode("")
    together = Unicode("")
    guardrails = List(Unicode())
    secondary = List(Unicode())
    falling = List(Unicode())
    crossed_with = Unicode(None, allow_none=True)

    names = List(Unicode())
    metrics = List(Unicode())
    sums = List(Unicode())
    events = List(Unicode())
    groups = List(Unicode())
    arms = List(Unicode())
    overlapping = List(Unicode())
    record = Instance(EffectRecord, allow_none=True)

    def __init__(self, project: Project) -> None:
        # what the tables hold, as of the last look at them
        self._experiments: dict[str, list[str]] = {}
        self._sums: list[str] = []
        self._arms_of: dict[str, list[str]] = {}
        self._overlapping: dict[str, list[str]] = {}
        self._summed: dict[tuple[str, str], bool] = {}
        super().__init__(project)

    def refresh(self) -> None:
        super().refresh()
        self._experiments = {name: m for name, m in experiments(self.project.engine).items() if m}
        self.names = list(self._experiments)
        self.missing = None if self.names else say("There is no experiment in this project yet.")
        self._sums = sums_in(self.project.engine)
        self._arms_of, self._summed, self._overlapping = {}, {}, {}
        self.settle()

    def fit(self) -> None:
        """Let what is asked fit the experiment: its metrics, groups and arms."""
        if self.experiment not in self._experiments:
            self.experiment = self.names[0] if self.names else None
        self.metrics = self._experiments.get(self.experiment or "", [])
        if self.metric not in self.metrics:
            self.metric = self.metrics[0] if self.metrics else None
        timed = Timed.of(self.metric or "") is not None
        self.sums = self._sums if timed else []
        self.events = [m.removeprefix("any:") for m in self.metrics if m.startswith("any:")]
        if self.per not in self.sums or self.per == self.metric:
            self.per = None
        if self.delivered not in self.events:
            self.delivered = None
        for name in ("guardrails", "secondary", "falling"):
            setattr(self, name, [m for m in getattr(self, name) if m in self.metrics])
        self.overlapping = self._others_with_them() if timed else []
        if self.crossed_with not in self.overlapping:
            self.crossed_with = None
        arms = self._arms()
        if arms != self.arms:
            self.arms, self.split = arms, ""
        self.groups = self._groups()
        if self.control not in self.arms:
            self.control = None
        if self.by not in self.groups:
            self.by = None
        if self.and_by not in self.groups or self.by is None or self.and_by == self.by:
            self.and_by = None
        if self.arm not in self.arms or self.arm == self.control:
            self.arm = None

    def _others_with_them(self) -> list[str]:
        name = self.experiment or ""
        if name not in self._overlapping:
            self._overlapping[name] = crossed.overlapping(self.project.engine, name)
        return self._overlapping[name]

    def _arms(self) -> list[str]:
        name = self.experiment or ""
        if self.crossed_with is not None:
            return crossed.arms(self.project.engine, name, self.crossed_with)
        if name not in self._arms_of:
            found = set[str]()
            for rows in self._rows("exposures", "summaries"):
                found |= set(
                    ask(self.project.engine, rows.select("variant").distinct())["variant"].to_pylist()
                )
            self._arms_of[name] = sorted(found)
        return self._arms_of[name]

    def _groups(self) -> list[str]:
        asked = self.experiment or "", self.metric or ""
        if asked not in self._summed:
            counts = (
                ask(self.project.engine, rows.filter(rows.metric == asked[1]).aggregate(n=rows.count()))
                for rows in self._rows("summaries")
            )
            self._summed[asked] = any(count["n"][0].as_py() for count in counts)
        return groups(self.project, "summaries") if self._summed[asked] else splits(self.project)

    def _rows(self, *names: str) -> list[Any]:
        """The experiment's rows of those of the tables that are there."""
        engine = self.project.engine
        tables = [table(engine, name) for name in names if has(engine, name)]
        return [rows.filter(rows.experience_id == (self.experiment or "")) for rows in tables]

    def settings(self) -> EffectSettings:
        """What is asked now.

        Raises:
            WorkbenchError: when the planned split is not one number for each arm.
        """
        return EffectSettings(
            experiment=self.experiment or "",
            metric=self.metric or "",
            per=self.per,
            by=self.by if self.and_by is None else f"{self.by}{CROSSED}{self.and_by}",
            control=self.control,
            arm=self.arm,
            assignment=self.assignment,
            level=self.level,
            window_days=self.window_days,
            prior=PRIORS[self.prior],
            rope=self.rope,
            planned_split=planned_split(self.split, self.arms),
            lower_is_better=self.lower_is_better,
            from_day=self.from_day,
            statistic=self.statistic,
            quantile=self.quantile,
            lift_prior=self._expected(),
            before_days=self.before_days,
            adjust=self.adjust,
            delivered=self.delivered,
            excluded=stretches(self.excluded),
            together=self._together(),
            crossed_with=self.crossed_with,
            others=self._others(),
        )

    def _expected(self) -> Interval | None:
        if self.expected == OWN:
            return self.expected_low, self.expected_high
        if self.expected == PAST:
            return lifts_of_past_tests(self.project, self.metric or "", self.per, self.experiment or "")
        return STRIP[self.expected] if self.expected else None

    def _together(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in filter(str.strip, self.together.splitlines()):
            names = [name.strip() for name in line.split("+")]
            unknown = [name for name in names if name not in self.arms]
            if unknown or len(names) < 2:
                raise WorkbenchError(
                    "“{line}” does not name arms to be taken together; write them as {arms}.",
                    line=line.strip(),
                    arms=" + ".join(self.arms[-2:]),
                )
            found |= dict.fromkeys(names, " + ".join(names))
        return found

    def _others(self) -> tuple[OtherMetric, ...]:
        roles: dict[Literal["guardrail", "secondary"], list[str]] = {
            "guardrail": self.guardrails,
            "secondary": self.secondary,
        }
        return tuple(
            OtherMetric(metric=metric, role=role, lower_is_better=metric in self.falling)
            for role, metrics in roles.items()
            for metric in metrics
            if metric != self.metric or self.per
        )

    @property
    def confirmable(self) -> bool:
        return self.record is not None and self.record.settings.by is not None

    @property
    def confirmed(self) -> bool:
        return self.record is not None and self.record.summary.confirmation is not None

    def ask(self, project: Project, settings: EffectSettings, turn: Turn) -> EffectRecord:
        def first(record: EffectRecord) -> None:
            turn.show(lambda: self._show(record))

        return project.effect(
            **dict(settings),
            keep=False,
            progress=turn.tell,
            cancel=turn.cancel,
            first=None if settings.confirm else first,  # what PyMC confirms is shown already
        )

    def same(self, answered: EffectSettings, wanted: EffectSettings) -> bool:
        """Whether it answers the question, at whichever look."""
        return super().same(answered.model_copy(update={"looks": wanted.looks}), wanted)
