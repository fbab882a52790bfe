"""Who is held against whom, from when to when, and what is adjusted for, where a comparison is not random."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from workbench.analyses.experiment import control_of, experiments
from workbench.engines import Engine, has, table, whole_seconds
from workbench.errors import DataError, check_choice
from workbench.locale import Message, say
from workbench.metrics import actions, covariates, landmark
from workbench.metrics.cells import ask
from workbench.records.association import NOBODY, NotRandomSettings, Period, Treatment
from workbench.segments import label

if TYPE_CHECKING:
    from workbench.project import Project

_DAYS_BEFORE = 28
"""In which an event counts, where nobody says."""


def names(engine: Engine, treatment: Treatment) -> list[str]:
    """What some customers may have had and others not: experiments, events, or columns of customers."""
    if treatment == "column":
        return covariates.attributes(engine, numbers=False)
    if treatment == "event" and has(engine, "events"):
        found = ask(engine, actions.names(table(engine, "events"))).to_pylist()
        often = sorted((row for row in found if row["name"]), key=lambda row: (-row["n"], row["name"]))
        return [row["name"] for row in often[: actions.MOST_NAMES]]
    if treatment == "experiment" and has(engine, "exposures"):
        rows = table(engine, "exposures")
        return sorted(
            row["experience_id"] for row in ask(engine, rows.select("experience_id").distinct()).to_pylist()
        )
    return []


def metrics(engine: Engine, treatment: Treatment, name: str) -> list[str]:
    """What can have come of it."""
    if treatment == "experiment":
        return experiments(engine).get(name, [])
    found = list(actions.ORDERED) if has(engine, "orders") else []
    for event in names(engine, "event"):
        found += [f"event:{event}", f"any:{event}"] if (treatment, name) != ("event", event) else []
    return found


def usual(engine: Engine, settings: NotRandomSettings, *, timed: bool) -> list[str]:
    """What is adjusted for where nobody says."""
    columns = [
        name for name in covariates.attributes(engine) if name not in (settings.name, settings.placebo)
    ]
    if not timed:
        return columns
    found: list[str] = [name for name in ("country", "device", "source") if name in columns]
    events, orders = has(engine, "events"), has(engine, "orders")
    if events:
        others = {"device": "most_device", "source": "first_source"}
        found += [other for name, other in others.items() if name not in (*found, settings.name)]
    found.append("tenure")
    found += ["orders_90d"] if orders else []
    found += ["events_30d"] if events else []
    if settings.treatment != "column" or settings.since is not None:
        found += ["orders_meanwhile"] if orders else []
        found += ["events_meanwhile"] if events else []
    return found


def is_measured(engine: Engine, settings: NotRandomSettings) -> bool:
    """Whether the metric is an outcome that a file gave for the experiment."""
    if not has(engine, "outcomes"):
        return False
    rows = table(engine, "outcomes")
    rows = rows.filter((rows.experience_id == settings.name) & (rows.name == settings.metric))
    return bool(ask(engine, rows.aggregate(n=rows.count())).to_pylist()[0]["n"])


def two_groups(
    engine: Engine, settings: NotRandomSettings
) -> tuple[str, str | None, tuple[Message, Message]]:
    """The arm or value of the first group, that of the others, and what both are called."""
    if settings.treatment == "event":
        rows = table(engine, "events")
        rows = rows.filter(rows.name == settings.name)
        if not ask(engine, rows.aggregate(n=rows.count())).to_pylist()[0]["n"]:
            raise DataError("There is no event “{name}” in this project.", name=settings.name)
        return (
            "",
            None,
            (
                say("customers who did “{name}”", name=settings.name),
                say("customers who did not", name=settings.name),
            ),
        )
    if settings.treatment == "experiment":
        arms = values(engine, settings)
        control = settings.control or (control_of(arms) if len(arms) > 1 else NOBODY)
        others = [one for one in arms if one != control]
        arm = settings.arm or (others[0] if others else arms[0])
        check_choice(arm, arms, say("arm"))
        check_choice(control, [*arms, NOBODY], say("arm"))
        other = say("customers in no arm") if control == NOBODY else say("customers in “{arm}”", arm=control)
        return arm, None if control == NOBODY else control, (say("customers in “{arm}”", arm=arm), other)
    found = values(engine, settings)
    against = settings.control or (control_of(found) if len(found) == 2 else None)
    value = settings.arm or next((one for one in found if one != against), found[0])
    check_choice(value, found, say("value"))
    names = {"column": settings.name, "value": value, "other": against}
    other = say("customers with another {column}", **names)
    if against is not None:
        other = say("customers with {column} “{other}”", **names)
    return value, against, (say("customers with {column} “{value}”", **names), other)


def values(engine: Engine, settings: NotRandomSettings) -> list[str]:
    """The arms of the experiment, or the values of the column."""
    if settings.treatment == "experiment":
        rows = table(engine, "exposures")
        rows = rows.filter(rows.experience_id == settings.name).select(value=rows.variant)
    else:
        rows = table(engine, "customers")
        if settings.name not in rows.columns:
            raise DataError("There is no column “{name}” of customers.", name=settings.name)
        rows = rows.select(value=label(rows[settings.name]))
    rows = rows.filter(rows.value.notnull()).distinct().limit(covariates.MOST_VALUES)
    found = sorted(row["value"] for row in ask(engine, rows).to_pylist())
    if not found:
        raise DataError("“{name}” says nothing of any customer.", name=settings.name)
    return found


def period_of(project: Project, settings: NotRandomSettings, seconds: tuple[int, int]) -> Period:
    """The days, those that nobody gave included.

    Raises:
        DataError: when they do not lie within the data, one after the other.
    """
    first, last = (_day(project, second) for second in seconds)
    window = timedelta(days=settings.window_days)
    start = settings.landmark or _day(project, seconds[1] + 1) - window
    since = settings.since
    if since is None and settings.treatment == "experiment":
        rows = table(project.engine, "exposures")
        rows = rows.filter(rows.experience_id == settings.name)
        begun = ask(project.engine, rows.aggregate(at=whole_seconds(rows.ts.min()))).to_pylist()[0]["at"]
        if begun is None:
            raise DataError(
                "The exposures of “{name}” say no times, so nobody can be followed from a landmark.",
                name=settings.name,
            )
        since = _day(project, int(begun))
    elif since is None:
        since = start if settings.treatment == "column" else max(first, start - timedelta(days=_DAYS_BEFORE))
    if since > start or (since == start and settings.treatment != "column"):
        raise DataError(
            "The treatment counts from {since:date} on; that has to be before the landmark, {landmark:date}.",
            since=since,
            landmark=start,
        )
    if not first < start or start + window > last + timedelta(days=1):
        raise DataError(
            "The landmark, {landmark:date}, and the {days:count} days after it have to lie within the data, "
            "which go from {first:date} to {last:date}.",
            landmark=start,
            days=settings.window_days,
            first=first,
            last=last,
        )
    return Period(since=since, landmark=start, until=start + window)


def _day(project: Project, second: int) -> date:
    return datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo(project.settings.timezone)).date()


def moments_of(project: Project, period: Period) -> landmark.Period:
    """The first seconds of those days on the project's clock."""
    zone = ZoneInfo(project.settings.timezone)

    def second(day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())

    return landmark.Period(second(period.since), second(period.landmark), second(period.until))
