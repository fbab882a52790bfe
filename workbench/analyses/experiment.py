"""One experiment and one metric, read from whichever grain the project has them in.

Event level: exposures with times, orders after them. Unit level: one outcome a customer, as the file gave
it. Summary level: the moments themselves. All three end in the same cells (arm × group), and the rest of
the analysis does not know which it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

import ibis

from workbench import segments
from workbench.engines import Engine, fetch, has, span, table
from workbench.errors import DataError, WorkbenchError
from workbench.metrics import conversion, exposure, outcome, revenue
from workbench.metrics.cells import Cell, fetch_cells
from workbench.moments import Moments
from workbench.records import Assignment, EffectSettings

if TYPE_CHECKING:
    from workbench.project import Project

SEGMENTS = "segments"
_ORDER_METRICS = {"conversion": conversion.per_customer, "revenue": revenue.per_customer}
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
_MOST_GROUPS = 200
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
    if has(engine, "summaries"):
        rows = table(engine, "summaries")
        for row in fetch(engine, rows.select("experience_id", "metric").distinct()):
            found.setdefault(row["experience_id"], set()).add(row["metric"])
    if has(engine, "outcomes"):
        rows = table(engine, "outcomes")
        for row in fetch(engine, rows.select("experience_id", "name").distinct()):
            found.setdefault(row["experience_id"], set()).add(row["name"])
    if has(engine, "exposures"):
        rows = table(engine, "exposures")
        for row in fetch(engine, rows.group_by("experience_id").aggregate(times=rows.ts.count())):
            metrics = found.setdefault(row["experience_id"], set())
            if row["times"] and has(engine, "orders"):
                metrics.update(_ORDER_METRICS)
    return {name: sorted(metrics) for name, metrics in sorted(found.items())}


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
    found = (
        _summaries(engine, settings)
        if _in(engine, "summaries", settings.experiment, "metric", settings.metric)
        else _people(project, settings)
    )
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
    return bool(fetch(engine, rows.aggregate(n=rows.count()))[0]["n"])


# --- summary level --------------------------------------------------------------------------------------


def _summaries(engine: Engine, settings: EffectSettings) -> Experiment:
    rows = table(engine, "summaries")
    fixed = {"experience_id", "variant", "metric", "kind", "n", "mean", "m2"}
    attributes = [name for name in rows.columns if name not in fixed]
    if settings.by and settings.by not in attributes:
        raise _no_group(settings.by, attributes)
    rows = rows.filter((rows.experience_id == settings.experiment) & (rows.metric == settings.metric))
    found = fetch(engine, rows)
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


# --- unit and event level -------------------------------------------------------------------------------


def _people(project: Project, settings: EffectSettings) -> Experiment:
    engine = project.engine
    exposures = table(engine, "exposures")
    everyone = exposure.assigned(exposures, settings.experiment)
    named = _in(engine, "outcomes", settings.experiment, "name", settings.metric)
    counts = fetch(
        engine,
        everyone.group_by(["arm", "arms"]).aggregate(
            n=everyone.count(), first=everyone.as_of.min(), last=everyone.as_of.max()
        ),
    )
    assigned = {
        row["arm"]: int(row["n"]) for row in sorted(counts, key=lambda r: r["arm"]) if row["arms"] == 1
    }
    times = any(row["first"] is not None for row in counts)
    people = exposure.in_one_arm(everyone)
    seconds = span(engine, "orders", "events", "exposures")
    immature = 0
    if not named:
        if seconds is None or not times:
            raise DataError(
                "The exposures of “{name}” say no times, so orders cannot be counted after them; "
                "load outcomes with the file, or exposures with times.",
                name=settings.experiment,
            )
        grown = exposure.mature(people, settings.window_days, seconds[1])
        immature = sum(assigned.values()) - int(fetch(engine, grown.aggregate(n=grown.count()))[0]["n"])
        people = grown
        values = _ORDER_METRICS[settings.metric](table(engine, "orders"), people, settings.window_days)
    else:
        values = outcome.per_customer(table(engine, "outcomes"), settings.experiment, settings.metric)
    units = people.left_join(values, "customer_id").drop("customer_id_right")
    if not named:
        units = units.mutate(value=ibis.coalesce(units.value, segments.zero()))
    rules, late = _rules(project, settings.by), False
    if settings.by:
        end = seconds[1] + 1 if seconds else 0
        units, late = _grouped(engine, units, settings.by, rules, end)
    cells: dict[tuple[str, str | None], Cell] = {}
    for key, cell in fetch_cells(engine, units, ["arm", "group"] if settings.by else ["arm"]).items():
        if settings.by:
            cells[key[0], key[1]] = cell
        cells[key[0], None] = cells.get((key[0], None), Cell()) + cell
    if len({group for _, group in cells}) > _MOST_GROUPS:
        raise DataError(
            "“{by}” has more than {most:count} groups; choose a column with fewer, or define segments.",
            by=settings.by,
            most=_MOST_GROUPS,
        )
    kind = "binary" if not any(cell.fractions for cell in cells.values()) else "mean"
    if settings.metric == "revenue" and not named:
        kind = "mean"
    used = {"exposures", "outcomes" if named else "orders"}
    if settings.by:
        used |= {"customers"} | ({"orders"} if any(map(segments.is_history, _names(rules))) else set())
    return Experiment(
        kind=cast(Literal["binary", "mean"], kind),
        unit=_unit(kind, settings.metric),
        cells=cells,
        assigned=assigned,
        tables=tuple(sorted(used)),
        two_arms=sum(int(row["n"]) for row in counts if row["arms"] > 1),
        immature=immature,
        recorded=recorded_assignment(engine, exposures, settings.experiment),
        planned=_planned(engine, exposures, settings.experiment, list(assigned)),
        times=times,
        seconds=seconds if not named else None,
        rules=rules,
        late_rules=tuple(rules) if late else (),
    )


def _rules(project: Project, by: str | None) -> dict[str, str]:
    if not by or (has(project.engine, "customers") and by in table(project.engine, "customers").columns):
        return {}
    saved = dict(project.segments)
    if by in saved:
        return {by: saved[by]}
    if by in (SEGMENTS, "segment") and saved:
        return saved
    columns = [c for c in table(project.engine, "customers").columns if c != "customer_id"]
    raise _no_group(by, [*columns, *saved])


def _names(rules: dict[str, str]) -> set[str]:
    return set().union(
        *(segments.names_in(segments.parse(name, rule)) for name, rule in rules.items()), set()
    )


def _grouped(engine: Engine, units: Any, by: str, rules: dict[str, str], end: int) -> tuple[Any, bool]:
    """`units` with a column `group`, and whether history had to be taken at the end of the data."""
    if rules:
        late = any(segments.is_history(name) for name in _names(rules))
        timed = fetch(engine, units.aggregate(n=units.as_of.count()))[0]["n"]
        dated = units.mutate(as_of=ibis.coalesce(units.as_of, ibis.literal(end, "int64")))
        flagged = segments.assign(engine, rules, dated)
        return flagged.rename(group="segment"), late and not timed
    customers = table(engine, "customers")
    labels = customers.select("customer_id", group=customers[by].cast("string"))
    joined = units.left_join(labels, "customer_id").drop("customer_id_right")
    return joined.mutate(group=ibis.coalesce(joined.group, ibis.literal(segments.NOT_KNOWN))), False


def recorded_assignment(engine: Engine, exposures: Any, experiment: str) -> Assignment | None:
    """The least trustworthy assignment that the rows give; None when they give none."""
    rows = exposures.filter(exposures.experience_id == experiment)
    said = {row["assignment"] for row in fetch(engine, rows.select("assignment").distinct())} - {None}
    words: list[Assignment] = ["self", "rule", "unknown", "random"]
    for word in words:
        if word in said:
            return word
    return None


def _planned(engine: Engine, exposures: Any, experiment: str, arms: Iterable[str]) -> dict[str, float] | None:
    rows = exposures.filter(exposures.experience_id == experiment)
    if "p_assign" not in rows.columns:
        return None
    found = fetch(
        engine,
        rows.group_by("variant").aggregate(
            low=rows.p_assign.min(), high=rows.p_assign.max(), given=rows.p_assign.count(), n=rows.count()
        ),
    )
    constant = [r for r in found if r["given"] == r["n"] and r["low"] == r["high"] and r["low"] > 0]
    shares = {row["variant"]: float(row["low"]) for row in constant}
    return shares if set(shares) == set(arms) else None


def _unit(kind: str, metric: str) -> Literal["share", "money", "number"]:
    if kind == "binary":
        return "share"
    return "money" if metric.lower() in _MONEY else "number"


def _no_group(by: str, known: list[str]) -> WorkbenchError:
    return DataError(
        "There is no column or segment “{by}” to group by; there are: {known}.",
        by=by,
        known=", ".join(known) or "–",
    )
