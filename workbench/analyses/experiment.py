"""One experiment and one metric, read from whichever grain the project has them in.

Event level: exposures with times, orders and events after them. The engine is asked once for all metrics of
a table, all attributes of customers and all windows; what was asked for is a sum of the answer. Unit level:
one outcome a customer, as the file gave it. Summary level: the moments themselves. All three end in the same
cells (arm × group), and the rest of the analysis does not know which it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from workbench import segments
from workbench.analyses import crossed, propensities
from workbench.analyses.groups import (
    MOST_GROUPS,
    and_everybody,
    by_touch,
    described,
    in_segments,
    names_in_rules,
    no_group,
    rules_for,
)
from workbench.analyses.groups import SEGMENTS as SEGMENTS
from workbench.analyses.timed import Timeline, event_names, read_tables, unit_of
from workbench.engines import Engine, has, span, table
from workbench.errors import DataError
from workbench.locale import say
from workbench.metrics import actions, exposure, outcome
from workbench.metrics.actions import ORDERED, Timed
from workbench.metrics.cells import Cell, ask, fetch_cells
from workbench.moments import CrossMoments, Moments
from workbench.records import Assignment, EffectSettings

if TYPE_CHECKING:
    from workbench.project import Project

# Names that arms without a treatment usually have, English and Spanish.
_CONTROLS = (
    "control",
    "generic",
    "generico",
    "genérico",
    "baseline",
    "holdout",
    "hold-out",
    "original",
    "default",
    "standard",
    "none",
    "off",
    "a",
    "0",
    "false",
    "no",
)


@dataclass(frozen=True)
class Experiment:
    """What is known of an experiment and a metric.

    Attributes:
        cells: Sufficient statistics by arm and group; the group is None for everybody.
        assigned: Customers put into each arm, before anybody was left out for another reason.
        two_arms: Customers seen in more than one arm; they are in no cell.
        immature: Customers exposed too late for a whole window; they are in no cell.
        recorded: How the data say that people were assigned, where they say it.
        planned: Shares the data give for each arm, where they do.
        times: Whether the exposures say when.
        seconds: First and last moment of the data, where there are times.
        rules: The segment rules that were used.
        late_rules: Segments that could only be evaluated at the end of the data.
        timeline: Where more can be asked about them; None without times.
        propensities: Where the shares of the arms changed and customers are weighted: the probabilities of
            their arms, by arm and group, None for everybody.
        periods: Then, too, what is in the cells of everybody, by arm and week of the exposure.
        control: The arm without a treatment, where its name does not say it: that of two experiments.
    """

    kind: Literal["binary", "mean"]
    unit: Literal["share", "money", "number"]
    cells: dict[tuple[str, str | None], Cell]
    assigned: dict[str, int]
    tables: tuple[str, ...]
    two_arms: int = 0
    immature: int = 0
    recorded: Assignment | None = None
    planned: dict[str, float] | None = None
    times: bool = False
    seconds: tuple[int, int] | None = None
    rules: dict[str, str] = field(default_factory=dict)
    late_rules: tuple[str, ...] = ()
    timeline: Timeline | None = None
    propensities: propensities.ByGroup | None = None
    periods: Mapping[tuple[str, int], CrossMoments] = field(default_factory=dict)
    control: str | None = None

    @property
    def arms(self) -> list[str]:
        """The arms, sorted."""
        return sorted(self.assigned)

    @property
    def groups(self) -> list[str]:
        """The groups, sorted; empty when nobody asked for groups."""
        return sorted({group for _, group in self.cells if group is not None})

    @property
    def missing(self) -> int:
        """Customers in one arm whose outcome is not known."""
        return sum(cell.missing for (_, group), cell in self.cells.items() if group is None)


def control_of(arms: Sequence[str]) -> str:
    """The arm that is likeliest to be the one without a treatment, by its name; else the first.

    >>> control_of(["personalizada", "Genérica"]), control_of(["B", "A"]), control_of(["red", "blue"])
    ('Genérica', 'A', 'blue')
    """
    arms = sorted(arms)
    for name in _CONTROLS:
        for arm in arms:
            if arm.strip().lower() == name:
                return arm
    for arm in arms:
        if any(word in arm.lower() for word in ("control", "gener", "genér", "holdout", "baseline", "sin ")):
            return arm
    return arms[0]


def experiments(engine: Engine) -> dict[str, list[str]]:
    """The experiments of a project, each with the metrics that it can be asked about."""
    found: dict[str, set[str]] = {}
    for name, metric in (("summaries", "metric"), ("outcomes", "name")):
        if has(engine, name):
            rows = table(engine, name)
            for row in ask(engine, rows.select("experience_id", metric).distinct()).to_pylist():
                found.setdefault(row["experience_id"], set()).add(row[metric])
    if has(engine, "exposures"):
        rows = table(engine, "exposures")
        timed = _timed_metrics(engine)
        for row in ask(engine, rows.group_by("experience_id").aggregate(times=rows.ts.count())).to_pylist():
            found.setdefault(row["experience_id"], set()).update(timed if row["times"] else [])
    usual = list(ORDERED)
    return {
        name: sorted(metrics, key=lambda m: (usual.index(m) if m in usual else len(usual), m))
        for name, metrics in sorted(found.items())
    }


def _timed_metrics(engine: Engine) -> list[str]:
    """Metrics of what customers do, as far as the tables have it."""
    metrics = list(ORDERED) if has(engine, "orders") else []
    if has(engine, "events"):
        for name in event_names(engine):
            metrics += [f"event:{name}", f"any:{name}"]
        if "page" in table(engine, "events").columns:
            metrics += list(actions.STAYED)
    return metrics


_OF_THE_ANSWER = {
    *("level", "prior", "lift_prior", "rope", "lower_is_better", "planned_split", "control", "arm"),
    *("factors", "others", "looks", "confirm"),
}
"""Settings that nothing that is read depends on."""


def read(project: Project, settings: EffectSettings) -> Experiment:
    """Bring an experiment's cells out of the project; once, while its tables are what they are.

    Raises:
        DataError: when the experiment, the metric or the group is not there, or has fewer than two arms.
    """
    kept = getattr(project.engine, "kept", None)  # some engines know whether their tables have changed
    if kept is None:
        return _read(project, settings)
    asked = settings.model_dump_json(exclude=_OF_THE_ANSWER)
    question = (Experiment, asked, tuple(project.segments.items()), project.settings.timezone)
    return cast(Experiment, kept(question, lambda: _read(project, settings)))


def _read(project: Project, settings: EffectSettings) -> Experiment:
    engine = project.engine
    known = experiments(engine)
    if settings.experiment not in known:
        raise DataError(
            "There is no experiment “{name}” in this project; there are: {known}.",
            name=settings.experiment,
            known=", ".join(known) or "–",
        )
    if settings.metric not in known[settings.experiment]:
        raise DataError(
            "Experiment “{name}” has no metric “{metric}”; it has: {known}.",
            name=settings.experiment,
            metric=settings.metric,
            known=", ".join(known[settings.experiment]) or "–",
        )
    timed = Timed.of(settings.metric)
    dated = timed is not None and not _in(engine, "outcomes", settings.experiment, "name", settings.metric)
    if _in(engine, "summaries", settings.experiment, "metric", settings.metric):
        _without_times(settings)
        found = _summaries(engine, settings)
    elif timed is None or not dated:
        _without_times(settings)
        found = _outcome(project, settings)
    else:
        found = _timed(project, settings, timed, _under(engine, settings))
    if len(found.assigned) < 2:
        raise DataError(
            "Experiment “{name}” has only one arm, “{arm}”; a comparison needs at least two.",
            name=settings.experiment,
            arm=", ".join(found.assigned) or "–",
        )
    return found


def _without_times(settings: EffectSettings) -> None:
    """That nothing is asked for that needs to know when things happened.

    Raises:
        DataError: when something is.
    """
    asked = [
        (settings.per is not None, say("dividing by another metric")),
        (settings.from_day > 0, say("a first day that counts")),
        (settings.statistic != "mean", say("another statistic than the mean")),
        (settings.adjust, say("taking out what they did before")),
        (settings.delivered is not None, say("delivery")),
        (bool(settings.excluded), say("days that do not count")),
        (bool(settings.together), say("arms that are one")),
        (settings.crossed_with is not None, say("a second experiment")),
    ]
    wanted = [words for is_asked, words in asked if is_asked]
    if wanted:
        raise DataError(
            "“{metric}” came as one number a customer or an arm, without times, so this cannot be asked of "
            "it: {wanted:listing}; load exposures with times, and orders or events.",
            metric=settings.metric,
            wanted=wanted,
        )


def _under(engine: Engine, settings: EffectSettings) -> Timed | None:
    """The metric that the metric is divided by.

    Raises:
        DataError: when there is none of that name.
    """
    if settings.per is None:
        return None
    sums = sums_in(engine)
    found = Timed.of(settings.per)
    if found is None or settings.per not in sums:
        raise DataError(
            "“{metric}” cannot be divided by “{per}”; it can be divided by: {known}.",
            metric=settings.metric,
            per=settings.per,
            known=", ".join(sums) or "–",
        )
    return found


def sums_in(engine: Engine) -> list[str]:
    """The metrics that add up, which another can be divided by."""
    return [name for name in _timed_metrics(engine) if not (Timed.of(name) or Timed("", "", 1)).share]


def _in(engine: Engine, name: str, experiment: str, column: str, value: str) -> bool:
    if not has(engine, name):
        return False
    rows = table(engine, name)
    rows = rows.filter((rows.experience_id == experiment) & (rows[column] == value))
    return bool(ask(engine, rows.aggregate(n=rows.count())).to_pylist()[0]["n"])


# --- summary level --------------------------------------------------------------------------------------


def _summaries(engine: Engine, settings: EffectSettings) -> Experiment:
    if settings.assignment == "adaptive":
        raise propensities.not_given(settings.experiment)
    rows = table(engine, "summaries")
    fixed = {"experience_id", "variant", "metric", "kind", "n", "mean", "m2"}
    attributes = [name for name in rows.columns if name not in fixed]
    if settings.by and settings.by not in attributes:
        raise no_group(settings.by, attributes)
    rows = rows.filter((rows.experience_id == settings.experiment) & (rows.metric == settings.metric))
    found = ask(engine, rows).to_pylist()
    cells: dict[tuple[str, str | None], Cell] = {}
    for row in found:
        cell = Cell(Moments(int(row["n"]), float(row["mean"]), float(row["m2"])))
        group = segments.NOT_KNOWN if settings.by and row[settings.by] is None else row.get(settings.by or "")
        for key in {(row["variant"], None), (row["variant"], group)}:
            cells[key] = cells.get(key, Cell()) + cell
    kind = "binary" if all(row["kind"] == "binary" for row in found) else "mean"
    return Experiment(
        kind=cast(Literal["binary", "mean"], kind),
        unit=unit_of(kind, settings.metric),
        cells=cells,
        assigned={arm: cell.all.n for (arm, group), cell in sorted(cells.items(), key=str) if group is None},
        tables=("summaries",),
    )


# --- event level ----------------------------------------------------------------------------------------


def _timed(project: Project, settings: EffectSettings, metric: Timed, under: Timed | None) -> Experiment:
    engine = project.engine
    exposures = table(engine, "exposures")
    recorded = recorded_assignment(engine, exposures, settings.experiment)
    if settings.crossed_with is None:
        adaptive = propensities.is_adaptive(engine, exposures, settings, recorded)
    else:
        both = [recorded, recorded_assignment(engine, exposures, settings.crossed_with)]
        crossed.check(engine, exposures, settings, both)
        recorded, adaptive = crossed.recorded_of(both), False
    timeline = Timeline(project, settings, metric, under, adaptive=adaptive)
    shares = timeline.propensities if adaptive else None
    assigned = {arm: n for arm, n in sorted(timeline.in_arms.items(), key=str) if arm is not None}
    cells = timeline.cells()
    _not_too_many(cells, settings.by)
    mature = sum(cell.all.n for (_, group), cell in cells.items() if group is None)
    kind: Literal["binary", "mean"] = "binary" if timeline.counts_successes else "mean"
    people = timeline.people
    control, planned = None, None
    if settings.crossed_with is not None:
        control = crossed.control(engine, settings, control_of)
        planned = crossed.planned(engine, exposures, settings)
    else:
        exposures = exposure.together(exposures, settings.together)
        planned = propensities.planned(engine, exposures, settings.experiment, list(assigned))
    return Experiment(
        kind=kind,
        unit=timeline.unit,
        cells=cells,
        assigned=assigned,
        tables=read_tables([metric, *([under] if under else [])], settings.by, people.rules),
        two_arms=timeline.in_arms.get(None, 0),
        immature=sum(assigned.values()) - mature,
        recorded=recorded,
        planned=planned,
        control=control,
        times=True,
        seconds=people.seconds,
        rules=people.rules,
        timeline=timeline,
        propensities=shares,
        periods=timeline.by_week(timeline.second) if adaptive else {},
    )


# --- unit level -----------------------------------------------------------------------------------------


def _outcome(project: Project, settings: EffectSettings) -> Experiment:
    engine = project.engine
    exposures = table(engine, "exposures")
    everyone = exposure.assigned(exposures, settings.experiment)
    counts = ask(
        engine, everyone.group_by("arm").aggregate(n=everyone.count(), timed=everyone.as_of.count())
    ).to_pylist()
    recorded = recorded_assignment(engine, exposures, settings.experiment)
    adaptive = propensities.is_adaptive(engine, exposures, settings, recorded)
    if adaptive:
        everyone = exposure.with_propensity(everyone, exposures, settings.experiment)
    assigned = {row["arm"]: int(row["n"]) for row in counts if row["arm"] is not None}
    times = any(row["timed"] for row in counts)
    values = outcome.per_customer(table(engine, "outcomes"), settings.experiment, settings.metric)
    units = exposure.in_one_arm(everyone).left_join(values, "customer_id").drop("customer_id_right")
    rules, late = rules_for(project, settings.by), False
    groups = {}
    if rules:
        seconds = span(engine, "orders", "events", "exposures")
        history = any(map(segments.is_history, names_in_rules(rules)))
        late = history and not times
        units = in_segments(engine, units, rules, seconds[1] + 1 if seconds else 0)
        groups = {"group": "segment"}
    elif settings.by:
        late = by_touch(engine, settings.by) and not times
        units, groups = described(engine, units, settings.by)
        groups = {"group": groups[settings.by]}
    shares = propensities.of_arms(engine, units, list(groups.values())) if adaptive else None
    kept = ["arm", "value", *(["as_of", "propensity"] if adaptive else [])]
    units = units.select(*kept, **{name: units[column] for name, column in groups.items()})
    found = fetch_cells(engine, units, ["arm", *groups])
    cells = and_everybody({(key[0], key[-1]): cell for key, cell in found.items()}, settings.by)
    _not_too_many(cells, settings.by)
    kind: Literal["binary", "mean"] = (
        "binary" if not any(cell.fractions for cell in cells.values()) else "mean"
    )
    unit, periods = unit_of(kind, settings.metric), dict[tuple[str, int], CrossMoments]()
    if adaptive:
        kind = "mean"
        cells, periods = propensities.weighted(engine, units, cells, list(groups))
    return Experiment(
        kind=kind,
        unit=unit,
        cells=cells,
        assigned=dict(sorted(assigned.items())),
        tables=tuple(sorted({"outcomes", *read_tables([], settings.by, rules)})),
        two_arms=sum(int(row["n"]) for row in counts if row["arm"] is None),
        recorded=recorded,
        planned=propensities.planned(engine, exposures, settings.experiment, list(assigned)),
        times=times,
        rules=rules,
        late_rules=tuple(rules or [str(settings.by)]) if late else (),
        propensities=shares,
        periods=periods,
    )


# --- groups ---------------------------------------------------------------------------------------------


def _not_too_many(cells: Mapping[tuple[str, str | None], Cell], by: str | None) -> None:
    if len({group for _, group in cells}) > MOST_GROUPS + 1:
        raise DataError(
            "“{by}” has more than {most:count} groups; choose a column with fewer, or define segments.",
            by=by,
            most=MOST_GROUPS,
        )


def recorded_assignment(engine: Engine, exposures: Any, experiment: str) -> Assignment | None:
    """The least trustworthy assignment that the rows give; None when they give none."""
    rows = exposures.filter(exposures.experience_id == experiment)
    said = {row["assignment"] for row in ask(engine, rows.select("assignment").distinct()).to_pylist()} - {
        None
    }
    words: list[Assignment] = ["self", "rule", "unknown", "adaptive", "random"]
    for word in words:
        if word in said:
            return word
    return None
