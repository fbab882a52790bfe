"""One experiment and one metric, read from whichever grain the project has them in.

Event level: exposures with times, orders and events after them. The engine is asked once for all metrics of
a table, all attributes of customers and all windows; what was asked for is a sum of the answer. Unit level:
one outcome a customer, as the file gave it. Summary level: the moments themselves. All three end in the same
cells (arm × group), and the rest of the analysis does not know which it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from workbench import segments
from workbench.analyses.groups import (
    MOST_GROUPS,
    by_touch,
    described,
    in_segments,
    names_in_rules,
    no_group,
    rules_for,
)
from workbench.analyses.groups import SEGMENTS as SEGMENTS
from workbench.engines import Engine, has, span, table, whole_seconds
from workbench.errors import DataError
from workbench.metrics import actions, exposure, outcome, touch
from workbench.metrics.actions import ORDERED, Timed
from workbench.metrics.cells import Cell, ask, fetch_cells
from workbench.metrics.over_time import EVERYBODY, KEYS, Grid, OverTime, over_time
from workbench.moments import Moments
from workbench.records import Assignment, EffectSettings

if TYPE_CHECKING:
    from workbench.project import Project

_MONEY = {
    "revenue",
    "spend",
    "margin",
    "value",
    "gasto",
    "importe",
    "ingresos",
    "order_value",
    "sales",
    "ventas",
}
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
        names = ask(engine, actions.names(table(engine, "events"))).to_pylist()
        often = sorted((row for row in names if row["name"]), key=lambda row: (-row["n"], row["name"]))
        for row in often[: actions.MOST_NAMES]:
            metrics += [f"event:{row['name']}", f"any:{row['name']}"]
    return metrics


def read(project: Project, settings: EffectSettings) -> Experiment:
    """Bring an experiment's cells out of the project.

    Raises:
        DataError: when the experiment, the metric or the group is not there, or has fewer than two arms.
    """
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
    if _in(engine, "summaries", settings.experiment, "metric", settings.metric):
        found = _summaries(engine, settings)
    elif timed is None or _in(engine, "outcomes", settings.experiment, "name", settings.metric):
        found = _outcome(project, settings)
    else:
        found = _timed(project, settings, timed)
    if len(found.assigned) < 2:
        raise DataError(
            "Experiment “{name}” has only one arm, “{arm}”; a comparison needs at least two.",
            name=settings.experiment,
            arm=", ".join(found.assigned) or "–",
        )
    return found


def _in(engine: Engine, name: str, experiment: str, column: str, value: str) -> bool:
    if not has(engine, name):
        return False
    rows = table(engine, name)
    rows = rows.filter((rows.experience_id == experiment) & (rows[column] == value))
    return bool(ask(engine, rows.aggregate(n=rows.count())).to_pylist()[0]["n"])


# --- summary level --------------------------------------------------------------------------------------


def _summaries(engine: Engine, settings: EffectSettings) -> Experiment:
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
        unit=_unit(kind, settings.metric),
        cells=cells,
        assigned={arm: cell.all.n for (arm, group), cell in sorted(cells.items(), key=str) if group is None},
        tables=("summaries",),
    )


# --- event level ----------------------------------------------------------------------------------------


def _timed(project: Project, settings: EffectSettings, metric: Timed) -> Experiment:
    engine = project.engine
    exposures = table(engine, "exposures")
    seconds = span(engine, "orders", "events", "exposures")
    exposed = _exposed(engine, exposures, settings.experiment)
    if seconds is None or exposed is None:
        raise DataError(
            "The exposures of “{name}” say no times, so orders cannot be counted after them; "
            "load outcomes with the file, or exposures with times.",
            name=settings.experiment,
        )
    everyone = exposure.assigned(exposures, settings.experiment)
    rules = rules_for(project, settings.by)
    if rules:
        by = SEGMENTS
        people, groups = in_segments(engine, everyone, rules, seconds[1] + 1), {by: "segment"}
    else:
        people, groups = described(engine, everyone, settings.by)
        by = settings.by or next(iter(groups), EVERYBODY)
    grid = Grid.of(settings.window_days)
    done = actions.actions(table(engine, metric.table), metric.table)
    question = over_time(
        people,
        done,
        groups=groups,
        grid=grid,
        exposed=exposed,
        until=seconds[1],
        falls=metric.table == "orders",
    )
    found = OverTime(ask(engine, question, KEYS), grid)
    in_arms = found.assigned(by)
    assigned = {arm: n for arm, n in in_arms.items() if arm is not None}
    cells = _with_everybody(
        found.cells(by, metric.name, settings.window_days, share=metric.share), settings.by
    )
    mature = sum(cell.all.n for (_, group), cell in cells.items() if group is None)
    kind: Literal["binary", "mean"] = "binary" if metric.share else "mean"
    return Experiment(
        kind=kind,
        unit=_unit(kind, settings.metric),
        cells=cells,
        assigned=assigned,
        tables=_read_tables(metric.table, settings.by, rules),
        two_arms=in_arms.get(None, 0),
        immature=sum(assigned.values()) - mature,
        recorded=recorded_assignment(engine, exposures, settings.experiment),
        planned=_planned(engine, exposures, settings.experiment, list(assigned)),
        times=True,
        seconds=seconds,
        rules=rules,
    )


def _exposed(engine: Engine, exposures: Any, experiment: str) -> tuple[int, int] | None:
    """First and last exposure in seconds since 1970; None when none says when."""
    rows = exposures.filter(exposures.experience_id == experiment)
    edges = {"first": rows.ts.min(), "last": rows.ts.max()}
    asked = {name: whole_seconds(edge) for name, edge in edges.items()}
    row = ask(engine, rows.aggregate(**asked)).to_pylist()[0]
    return None if row["first"] is None else (int(row["first"]), int(row["last"]))


# --- unit level -----------------------------------------------------------------------------------------


def _outcome(project: Project, settings: EffectSettings) -> Experiment:
    engine = project.engine
    exposures = table(engine, "exposures")
    everyone = exposure.assigned(exposures, settings.experiment)
    counts = ask(
        engine, everyone.group_by("arm").aggregate(n=everyone.count(), timed=everyone.as_of.count())
    ).to_pylist()
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
    units = units.select("arm", "value", **{name: units[column] for name, column in groups.items()})
    found = fetch_cells(engine, units, ["arm", *groups])
    cells = _with_everybody({(key[0], key[-1]): cell for key, cell in found.items()}, settings.by)
    kind: Literal["binary", "mean"] = (
        "binary" if not any(cell.fractions for cell in cells.values()) else "mean"
    )
    return Experiment(
        kind=kind,
        unit=_unit(kind, settings.metric),
        cells=cells,
        assigned=dict(sorted(assigned.items())),
        tables=_read_tables("outcomes", settings.by, rules),
        two_arms=sum(int(row["n"]) for row in counts if row["arm"] is None),
        recorded=recorded_assignment(engine, exposures, settings.experiment),
        planned=_planned(engine, exposures, settings.experiment, list(assigned)),
        times=times,
        rules=rules,
        late_rules=tuple(rules or [str(settings.by)]) if late else (),
    )


# --- groups ---------------------------------------------------------------------------------------------


def _with_everybody(
    found: Mapping[tuple[str, str], Cell], by: str | None
) -> dict[tuple[str, str | None], Cell]:
    """The cells of the groups, if there are to be any, and under None those of everybody."""
    cells: dict[tuple[str, str | None], Cell] = {}
    for (arm, group), cell in found.items():
        if by:
            cells[arm, group] = cell
        cells[arm, None] = cells.get((arm, None), Cell()) + cell
    if len({group for _, group in cells}) > MOST_GROUPS:
        raise DataError(
            "“{by}” has more than {most:count} groups; choose a column with fewer, or define segments.",
            by=by,
            most=MOST_GROUPS,
        )
    return cells


def _read_tables(actions_in: str, by: str | None, rules: dict[str, str]) -> tuple[str, ...]:
    used = {"exposures", actions_in}
    if by and touch.is_touch(by):
        used |= {"events"}
    elif by:
        used |= {"customers"} | (
            {"orders"} if any(map(segments.is_history, names_in_rules(rules))) else set()
        )
    return tuple(sorted(used))


def recorded_assignment(engine: Engine, exposures: Any, experiment: str) -> Assignment | None:
    """The least trustworthy assignment that the rows give; None when they give none."""
    rows = exposures.filter(exposures.experience_id == experiment)
    said = {row["assignment"] for row in ask(engine, rows.select("assignment").distinct()).to_pylist()} - {
        None
    }
    words: list[Assignment] = ["self", "rule", "unknown", "random"]
    for word in words:
        if word in said:
            return word
    return None


def _planned(engine: Engine, exposures: Any, experiment: str, arms: Iterable[str]) -> dict[str, float] | None:
    rows = exposures.filter(exposures.experience_id == experiment)
    if "p_assign" not in rows.columns:
        return None
    found = ask(
        engine,
        rows.group_by("variant").aggregate(
            low=rows.p_assign.min(), high=rows.p_assign.max(), given=rows.p_assign.count(), n=rows.count()
        ),
    ).to_pylist()
    constant = [r for r in found if r["given"] == r["n"] and r["low"] == r["high"] and r["low"] > 0]
    shares = {row["variant"]: float(row["low"]) for row in constant}
    return shares if set(shares) == set(arms) else None


def _unit(kind: str, metric: str) -> Literal["share", "money", "number"]:
    if kind == "binary":
        return "share"
    return "money" if metric.lower() in _MONEY else "number"
