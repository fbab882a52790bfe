"""The two groups of a comparison that was not random, compressed, from whichever grain the project has.

With times: everybody known before the treatment could count is followed from the landmark
(`metrics.landmark`). With outcomes from a file: the customers of an experiment, as the file gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import ibis

from workbench.analyses.experiment import control_of, experiments, recorded_assignment
from workbench.analyses.timed import unit_of
from workbench.analyses.two_groups import is_measured, moments_of, period_of, two_groups, usual
from workbench.engines import Engine, has, span, table
from workbench.errors import DataError, check_between, check_choice
from workbench.locale import Message, say
from workbench.metrics import covariates, exposure, landmark, outcome
from workbench.metrics.actions import Timed
from workbench.metrics.cells import ask
from workbench.metrics.covariates import Cut, Patterns
from workbench.models.adjustment import Covariate, People
from workbench.models.instrument import Arm
from workbench.records import Assignment
from workbench.records.association import NotRandomSettings, Period, Unit

if TYPE_CHECKING:
    from workbench.project import Project


_TABLES = ("customers", "events", "orders", "exposures")


@dataclass(frozen=True)
class Followed:
    """Two groups, compressed.

    Attributes:
        people: With the outcome.
        before: With the placebo; None when there is none.
        about: What the placebo is, or why there is none.
        who: What the customers of either group are called.
        sizes: Customers of either group.
        left_out: Customers in neither, by the reason.
        period: When what counted; None without times.
        tables: Those that were read.
        main_table: The one with the outcome.
        rows: One row a customer (`treated`, `y`, the covariates' columns), for a second opinion.
        cuts: Covariate → its column there.
        encouraged: The encouraged and the others, and whether the treatment reached them; None without.
    """

    people: People
    before: People | None
    about: Message
    who: tuple[Message, Message]
    sizes: tuple[int, int]
    left_out: dict[str, int]
    covariates: list[str]
    kind: Literal["binary", "mean"]
    unit: Unit
    recorded: Assignment | None
    tables: tuple[str, ...]
    main_table: str
    seconds: tuple[int, int] | None
    period: Period | None
    rows: Any
    cuts: dict[str, Cut]
    encouraged: tuple[Arm, Arm] | None = field(default=None)


def read(project: Project, settings: NotRandomSettings) -> Followed:
    """Bring the two groups out of the project.

    Raises:
        DataError: when the treatment, the metric, a covariate or a date is not there.
        WorkbenchError: when a setting is out of its range.
    """
    check_between(settings.level, 0.5, 1, say("level"), open_low=True, open_high=True)
    check_between(settings.window_days, 1, 3650, say("number of days in the window"))
    engine = project.engine
    if settings.treatment == "experiment":
        known = experiments(engine)
        check_choice(settings.name, known, say("experiment"))
        metrics = known[settings.name]
        if Timed.of(settings.metric) is None or is_measured(engine, settings):
            check_choice(settings.metric, metrics, say("metric"))
            return _from_file(project, settings)
    return _timed(project, settings)


# --- with times -----------------------------------------------------------------------------------------


def _timed(project: Project, settings: NotRandomSettings) -> Followed:
    engine = project.engine
    metric = Timed.of(settings.metric)
    if metric is None:
        raise DataError(
            "“{metric}” has no times, so it cannot be counted after a landmark; choose what customers do.",
            metric=settings.metric,
        )
    seconds = span(engine, "orders", "events", "exposures")
    if seconds is None:
        raise DataError("This project has no orders and no events with times; load them first.")
    arm, control, who = two_groups(engine, settings)
    period = period_of(project, settings, seconds)
    moments = moments_of(project, period)
    everybody = _everybody(engine, settings, arm, control, moments)
    sizes = landmark.sizes(engine, everybody)
    people = landmark.compared(everybody)
    names = _covariates(engine, settings, timed=True)
    own = settings.name if settings.treatment == "event" else None
    meanwhile = (moments.since, moments.landmark)
    rows, cuts = covariates.described(engine, people, names, moments.since, meanwhile, without=own)
    rows = landmark.did(engine, rows, metric, moments.landmark, moments.until)
    kind: Literal["binary", "mean"] = "binary" if metric.share else "mean"
    found = _people(covariates.compressed(engine, rows, cuts), settings, metric.share)
    start = moments.since - moments.window
    about = say(
        "what customers did in the {days:count} days before the treatment could count",
        days=settings.window_days,
    )
    before = None
    if start > seconds[0]:
        past, past_cuts = covariates.described(
            engine, landmark.compared(everybody, start), names, start, meanwhile, without=own
        )
        past = landmark.did(engine, past, metric, start, moments.since)
        before = _perhaps(covariates.compressed(engine, past, past_cuts), metric.share)
    if before is None:
        about = say("The data begin too late to look at what these customers did before the treatment.")
    return Followed(
        people=found,
        before=before,
        about=about,
        who=who,
        sizes=(sizes.get("treated", 0), sizes.get("control", 0)),
        left_out={name: n for name, n in sizes.items() if name not in ("treated", "control", "other") and n},
        covariates=names,
        kind=kind,
        unit=unit_of(kind, settings.metric),
        recorded=_recorded(engine, settings),
        tables=tuple(name for name in _TABLES if has(engine, name)),
        main_table=metric.table if metric.table in _TABLES else "events",
        seconds=seconds,
        period=period,
        rows=rows,
        cuts=cuts,
        encouraged=_encouraged(engine, settings, rows, moments.landmark),
    )


def _everybody(
    engine: Engine, settings: NotRandomSettings, arm: str, control: str | None, moments: landmark.Period
) -> Any:
    if settings.treatment == "event":
        return landmark.by_event(engine, settings.name, moments)
    if settings.treatment == "column":
        return landmark.by_column(engine, settings.name, arm, control, moments)
    return landmark.by_exposure(engine, settings.name, arm, control, moments)


def _encouraged(
    engine: Engine, settings: NotRandomSettings, rows: Any, before: int
) -> tuple[Arm, Arm] | None:
    """The encouraged and the others, by whether the treatment reached them.

    Raises:
        DataError: when the experiment does not say that it was random.
    """
    if settings.encouragement is None:
        return None
    exposures = table(engine, "exposures")
    if recorded_assignment(engine, exposures, settings.encouragement) != "random":
        raise DataError(
            "“{name}” does not say that people were assigned at random, so it is no encouragement.",
            name=settings.encouragement,
        )
    assigned = exposure.in_one_arm(exposure.assigned(exposures, settings.encouragement))
    assigned = assigned.filter(assigned.as_of < before).select("customer_id", "arm")
    both = rows.select("customer_id", "treated", "y").inner_join(assigned, "customer_id")
    taken = both.treated.cast("float64")
    sums = both.group_by("arm").aggregate(
        n=both.count().cast("float64"),
        taken=taken.sum(),
        total=both.y.sum(),
        squares=(both.y * both.y).sum(),
        total_taken=(both.y * taken).sum(),
    )
    found = {row.pop("arm"): Arm(**row) for row in ask(engine, sums).to_pylist()}
    if len(found) != 2:
        raise DataError(
            "“{name}” has {n:count} arms before the landmark; an encouragement needs two.",
            name=settings.encouragement,
            n=len(found),
        )
    other = control_of(list(found))
    return next(arm for name, arm in found.items() if name != other), found[other]


# --- from a file ----------------------------------------------------------------------------------------


def _from_file(project: Project, settings: NotRandomSettings) -> Followed:
    engine = project.engine
    exposures = table(engine, "exposures")
    arm, control, who = two_groups(engine, settings)
    if control is None:
        raise DataError("“{name}” has only one arm; a comparison needs two.", name=settings.name)
    assigned = exposure.assigned(exposures, settings.name)
    values = outcome.per_customer(table(engine, "outcomes"), settings.name, settings.metric)
    people = assigned.left_join(values, "customer_id").drop("customer_id_right")
    people = people.mutate(
        group=ibis.cases(
            (people.arm.isnull(), "both"),
            (~people.arm.isin([arm, control]), "other"),
            (people.value.isnull(), "missing"),
            (people.arm == arm, "treated"),
            else_="control",
        ),
        y=people.value,
    )
    sizes = landmark.sizes(engine, people)
    names = _covariates(engine, settings, timed=False)
    compared = landmark.compared(people.select("customer_id", "group", "y"))
    rows, cuts = covariates.described(engine, compared, names, 0, None)
    fractions = (rows.y != 0) & (rows.y != 1)
    whole = not ask(engine, rows.aggregate(n=fractions.ifelse(1, 0).sum())).to_pylist()[0]["n"]
    kind: Literal["binary", "mean"] = "binary" if whole else "mean"
    before, about = None, say("The file gives nothing from before the treatment to look at.")
    if settings.placebo is not None:
        before, about = _column_before(engine, settings, rows, cuts)
    return Followed(
        people=_people(covariates.compressed(engine, rows, cuts), settings, whole),
        before=before,
        about=about,
        who=who,
        sizes=(sizes.get("treated", 0), sizes.get("control", 0)),
        left_out={name: n for name, n in sizes.items() if name in ("both", "missing") and n},
        covariates=names,
        kind=kind,
        unit=unit_of(kind, settings.metric),
        recorded=_recorded(engine, settings),
        tables=("customers", "exposures", "outcomes")
        if has(engine, "customers")
        else ("exposures", "outcomes"),
        main_table="outcomes",
        seconds=None,
        period=None,
        rows=rows,
        cuts=cuts,
    )


def _column_before(
    engine: Engine, settings: NotRandomSettings, rows: Any, cuts: Mapping[str, Cut]
) -> tuple[People | None, Message]:
    """The placebo that a column of customers is, or another outcome of the experiment."""
    name = str(settings.placebo)
    if name in cuts:
        raise DataError("“{name}” is a covariate and cannot be the placebo as well; leave it out.", name=name)
    customers = table(engine, "customers") if has(engine, "customers") else None
    if customers is not None and name in customers.columns and customers[name].type().is_numeric():
        values = customers.select("customer_id", past=customers[name].cast("float64"))
    else:
        check_choice(name, experiments(engine)[settings.name], say("number from before the treatment"))
        values = outcome.per_customer(table(engine, "outcomes"), settings.name, name).rename(past="value")
    past = rows.drop("y").left_join(values, "customer_id").drop("customer_id_right").rename(y="past")
    about = say("{column}, which was there before the treatment", column=name)
    return _perhaps(covariates.compressed(engine, past, cuts), binary=False), about


# --- both -----------------------------------------------------------------------------------------------


def _people(patterns: Patterns, settings: NotRandomSettings, binary: bool) -> People:
    if not (patterns.n[patterns.treated].sum() and patterns.n[~patterns.treated].sum()):
        raise DataError(
            "Nobody can be compared: of those known before, {treated:count} customers had “{name}” first "
            "between its beginning and the landmark, and {others:count} had not; choose other dates, or "
            "another group to hold them against.",
            treated=patterns.n[patterns.treated].sum(),
            others=patterns.n[~patterns.treated].sum(),
            name=settings.name,
        )
    return people_of(patterns, binary)


def _perhaps(patterns: Patterns, binary: bool) -> People | None:
    if not (patterns.n[patterns.treated].sum() and patterns.n[~patterns.treated].sum()):
        return None
    return people_of(patterns, binary)


def people_of(patterns: Patterns, binary: bool) -> People:
    """Compressed rows as the models want them."""
    return People(
        tuple(Covariate(name, levels) for name, levels in patterns.levels.items()),
        patterns.codes,
        patterns.treated,
        patterns.fold,
        patterns.n,
        patterns.total,
        patterns.squares,
        binary,
    )


def _covariates(engine: Engine, settings: NotRandomSettings, *, timed: bool) -> list[str]:
    return (
        list(settings.covariates) if settings.covariates is not None else usual(engine, settings, timed=timed)
    )


def _recorded(engine: Engine, settings: NotRandomSettings) -> Assignment | None:
    if settings.treatment != "experiment":
        return None
    return recorded_assignment(engine, table(engine, "exposures"), settings.name)
