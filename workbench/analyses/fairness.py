"""Whether groups of people fare differently: what they buy, pay and get, by an attribute such as age or sex.

Every group is held against all others together (`models.contrasts`): with what probability the two differ by
more than matters, however they came to. That is an association: groups differ in other ways as well. Groups
of fewer than ten people are left out, and totals are those of the groups that are shown.
What is measured is in `analyses.fairness_measures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import TYPE_CHECKING, Any

from workbench.analyses.consent import consent_checks
from workbench.analyses.experiment import control_of
from workbench.analyses.fairness_measures import BOUGHT, PRICED, SHOWN, Kind, Row, Unit, design_effect, sums
from workbench.clock import DAY
from workbench.engines import Engine, has, span, table
from workbench.errors import DataError, ModelError, check_between, check_choice
from workbench.locale import Message, say
from workbench.metrics.cells import ask
from workbench.metrics.group_sums import bought, grouped, priced, shown
from workbench.models.arms import Arm
from workbench.models.contrasts import contrast
from workbench.records import Check, Frozen, Interval, Number, Text, failures_first
from workbench.segments import NOT_KNOWN, names_in, parse
from workbench.tables.privacy.names import sensitive

if TYPE_CHECKING:
    from workbench.project import Project

SMALLEST_GROUP = 10
_MUCH_UNKNOWN = 0.2


class GroupResult(Frozen):
    """One group in one measure.

    Attributes:
        people: Customers whom the measure is about: all, those with an order, those shown an experience.
        value, interval: As seen; equal-tailed.
        pooled, pooled_interval: Drawn towards the other groups as far as the data say that they are alike.
        against_rest, against_rest_interval: Value / value of all others together − 1, pooled.
        probability_higher: That it is above the rest.
        probability_differs: That it lies further from the rest than matters.
        differs: Whether that is sure.
        refused: Why there is nothing but the value as seen.
    """

    group: str
    people: int
    value: Number
    interval: Interval | None = None
    pooled: Number | None = None
    pooled_interval: Interval | None = None
    against_rest: Number | None = None
    against_rest_interval: Interval | None = None
    probability_higher: Number | None = None
    probability_differs: Number | None = None
    differs: bool = False
    refused: Text | None = None


class Measure(Frozen):
    """One measure by group.

    Attributes:
        about: What exactly is counted.
        unit: `share`, `money` (in the project's currency), or `index`, where 1 is what all customers pay.
        everybody: The value over all groups that are shown.
        hidden: Groups that are left out because too few people are in them.
        spread: Posterior mean of the spread of the groups' values, in logs; 0.1 is about 10 %.
    """

    name: str
    title: Text
    about: Text
    unit: Unit
    everybody: Number
    groups: list[GroupResult]
    hidden: int
    spread: Number


class Fairness(Frozen):
    """How groups of an attribute fare.

    Attributes:
        sensitive: Whether the attribute's name says that it is sensitive.
        level: Of the intervals, and of what is called sure.
        matters: Smallest difference from the rest that matters, relative.
        days: Only what happened in so many days before the end of the data counts; None for all.
        customers: Those in the groups that are shown: a total of all would betray a small group.
        sizes: Group → customers, largest first, without the groups that are too small.
        hidden: Groups that are too small.
        flagged: Saved segment → the sensitive columns in its rule.
    """

    attribute: str
    sensitive: bool
    level: float
    matters: float
    days: int | None
    customers: int
    sizes: dict[str, int]
    hidden: int
    measures: list[Measure]
    flagged: dict[str, list[str]]
    checks: list[Check]
    verdict: Text


def analyse(
    project: Project, attribute: str, *, level: float = 0.95, matters: float = 0.02, days: int | None = None
) -> Fairness:
    """Hold the groups of an attribute of customers against each other.

    Args:
        project: The project.
        attribute: A column of customers. Numbers of many values are cut into five bands of about as many
            people each; of many texts the largest groups are told apart.
        level: Of the intervals; a difference is sure when its probability is as high.
        matters: Smallest difference from the rest that matters; 0.02 is 2 % of the rest's value.
        days: Only orders and exposures of so many days before the end of the data count; None for all.

    Raises:
        DataError: when there are no customers, there is no such column, or nobody can be told apart by it.
        WorkbenchError: when a setting is out of its range.
    """
    check_between(level, 0.5, 1, say("level"), open_low=True, open_high=True)
    check_between(matters, 0, 1, say("smallest difference that matters"), open_high=True)
    if days is not None:
        check_between(days, 1, 36500, say("number of days"))
    engine = project.engine
    check_choice(attribute, attributes(engine), say("attribute of customers"))
    people = grouped(engine, attribute)
    sizes = {
        row["group"]: int(row["n"])
        for row in _rows(engine, people.group_by("group").aggregate(n=people.count()))
    }
    kept = _visible(sizes)
    if len(kept) < 2:
        raise DataError(
            "“{attribute}” does not tell groups of at least {least:count} customers apart.",
            attribute=attribute,
            least=SMALLEST_GROUP,
        )
    last = span(engine, "orders", "events", "exposures")
    since = None if days is None or last is None else last[1] + 1 - days * DAY
    measures = _measures(engine, people, kept, since, level, matters)
    flagged = sensitive_segments(project)
    return Fairness(
        attribute=attribute,
        sensitive=sensitive(attribute),
        level=level,
        matters=matters,
        days=days,
        customers=sum(sizes[group] for group in kept),
        sizes={group: sizes[group] for group in sorted(kept, key=lambda group: -sizes[group])},
        hidden=len(sizes) - len(kept),
        measures=measures,
        flagged=flagged,
        checks=failures_first(
            [*_checks(attribute, sizes, kept, flagged), *consent_checks(project, "customers")]
        ),
        verdict=_verdict(attribute, measures, level, matters),
    )


def attributes(engine: Engine) -> list[str]:
    """The columns of customers by which groups can be told apart, the sensitive ones first.

    Raises:
        DataError: when the project has no customers.
    """
    customers = table(engine, "customers")
    names = [
        name
        for name, kind in customers.schema().items()
        if name != "customer_id" and (kind.is_string() or kind.is_boolean() or kind.is_numeric())
    ]
    if not names:
        return []
    filled = ask(
        engine, customers.aggregate(**{name: customers[name].count() for name in names})
    ).to_pylist()[0]
    return sorted((name for name in names if filled[name]), key=lambda name: not sensitive(name))


def sensitive_segments(project: Project) -> dict[str, list[str]]:
    """Saved segment → the sensitive columns that its rule asks for; those that ask for none are not in it."""
    asked = {
        name: sorted(filter(sensitive, names_in(parse(name, rule))))
        for name, rule in project.segments.items()
    }
    return {name: columns for name, columns in asked.items() if columns}


# --- measures -------------------------------------------------------------------------------------------


def _measures(
    engine: Engine, people: Any, kept: Sequence[str], since: int | None, level: float, matters: float
) -> list[Measure]:
    asked: list[tuple[Any, tuple[Kind, ...]]] = []
    if has(engine, "orders"):
        asked.append((bought(engine, people, since), BOUGHT))
    if has(engine, "orders", "order_items"):
        asked.append((priced(engine, people, since), PRICED))
    if has(engine, "exposures"):
        asked.append((shown(engine, people, _controls(engine), since), SHOWN))
    found = []
    for question, kinds in asked:
        rows = {row["group"]: sums(row) for row in _rows(engine, question) if row["group"] in kept}
        found += [one for kind in kinds if (one := _measure(kind, rows, level, matters)) is not None]
    return sorted(found, key=lambda one: not any(item.differs for item in one.groups))


def _measure(kind: Kind, rows: Mapping[str, Row], level: float, matters: float) -> Measure | None:
    """The measure; None where nothing of the kind was recorded, or fewer than two groups can be shown."""
    people = {group: int(kind.people(row)) for group, row in rows.items()}
    kept = _visible(people)
    together = {name: sum(rows[group][name] for group in kept) for name in next(iter(rows.values()), {})}
    if len(kept) < 2 or not kind.weight(together) or not kind.value(together):
        return None
    effect = design_effect([rows[group] for group in kept])
    arms, refused = {}, {}
    for group in kept:
        try:
            arms[group] = kind.arm(rows[group], effect)
        except ModelError as error:
            refused[group] = error.message
    results = {
        group: GroupResult(
            group=group,
            people=people[group],
            value=kind.value(rows[group]),
            interval=_interval(arms[group][0], level) if group in arms else None,
            refused=refused.get(group),
        )
        for group in kept
    }
    spread = 0.0
    if len(arms) > 1:
        logs = [centre for _, (centre, _) in arms.values()]
        errors = [error for _, (_, error) in arms.values()]
        contrasts = contrast(logs, errors, [kind.weight(rows[group]) for group in arms])
        spread = contrasts.tau
        for place, group in enumerate(arms):
            level_, rest = contrasts.levels[place], contrasts.against_rest[place]
            middle, low, high = (float(x) for x in rest.ppf(_quantiles(level)))
            outside = float(rest.cdf(log(1 - matters)) + 1 - rest.cdf(log(1 + matters)))
            pooled, least, most = (float(x) for x in level_.ppf(_quantiles(level)))
            results[group] = results[group].model_copy(
                update={
                    "pooled": exp(pooled),
                    "pooled_interval": (exp(least), exp(most)),
                    "against_rest": exp(middle) - 1,
                    "against_rest_interval": (exp(low) - 1, exp(high) - 1),
                    "probability_higher": 1 - float(rest.cdf(0.0)),
                    "probability_differs": outside,
                    "differs": outside >= level,
                }
            )
    return Measure(
        name=kind.name,
        title=kind.title,
        about=kind.about,
        unit=kind.unit,
        everybody=kind.value(together),
        groups=list(results.values()),
        hidden=len(rows) - len(kept),
        spread=spread,
    )


def _rows(engine: Engine, question: Any) -> list[dict[str, Any]]:
    return sorted(ask(engine, question).to_pylist(), key=lambda row: str(row["group"]))


def _controls(engine: Engine) -> dict[str, str]:
    """Experience → its variant without a treatment; experiences with one variant only have none."""
    rows = table(engine, "exposures").select("experience_id", "variant").distinct()
    arms: dict[str, list[str]] = {}
    for row in ask(engine, rows).to_pylist():
        arms.setdefault(row["experience_id"], []).append(row["variant"])
    return {name: control_of(variants) for name, variants in arms.items() if len(variants) > 1}


def _visible(people: Mapping[str, int]) -> list[str]:
    """The groups that may be shown, in their order; totals are those of these, so that no other is found."""
    return [group for group, n in people.items() if n >= SMALLEST_GROUP]


def _interval(arm: Arm, level: float) -> Interval:
    _, low, high = (float(x) for x in arm.ppf(_quantiles(level)))
    return low, high


def _quantiles(level: float) -> list[float]:
    return [0.5, (1 - level) / 2, (1 + level) / 2]


# --- words ----------------------------------------------------------------------------------------------


def _verdict(attribute: str, measures: Sequence[Measure], level: float, matters: float) -> Message:
    if not measures:
        return say(
            "There is nothing to hold the groups of {attribute} against each other by: no orders, and no"
            " exposures, of at least {least:count} people in two groups.",
            attribute=attribute,
            least=SMALLEST_GROUP,
        )
    sure = [
        (abs(log(1 + item.against_rest)), measure, item)
        for measure in measures
        for item in measure.groups
        if item.differs and item.against_rest is not None
    ]
    values = {"attribute": attribute, "all": len(measures), "matters": matters, "level": level}
    if not sure:
        return say(
            "By {attribute}, no group is sure to differ from the rest by more than {matters:whole_percent},"
            " in any of {all:count} measures.",
            **values,
        )
    _, measure, item = max(sure, key=lambda one: one[0])
    assert item.against_rest is not None
    values |= {"n": len({one[1].name for one in sure}), "measure": measure.title, "group": item.group}
    values |= {"size": abs(item.against_rest)}
    if item.against_rest > 0:
        return say(
            "By {attribute}, groups differ in {n:count} of {all:count} measures; most in “{measure}”: {group}"
            " is {size:percent} above the rest. That is an association.",
            **values,
        )
    return say(
        "By {attribute}, groups differ in {n:count} of {all:count} measures; most in “{measure}”: {group} is"
        " {size:percent} below the rest. That is an association.",
        **values,
    )


def _checks(
    attribute: str, sizes: Mapping[str, int], kept: Sequence[str], flagged: Mapping[str, Sequence[str]]
) -> list[Check]:
    found = [
        Check(
            name="targeting",
            status="warn",
            detail=say(
                "The segment “{segment}” asks for {columns:listing}, which is sensitive: use it to look at"
                " differences, not to decide what somebody gets.",
                segment=name,
                columns=list(columns),
            ),
        )
        for name, columns in flagged.items()
    ] or [
        Check(
            name="targeting",
            status="ok",
            detail=say("No saved segment asks for anything sensitive of people."),
        )
    ]
    hidden = len(sizes) - len(kept)
    if hidden:
        found.append(
            Check(
                name="small_groups",
                status="ok",
                detail=say(
                    "{n:count} groups are not shown, so that nobody can be recognised in one of fewer than "
                    "{least:count} people.",
                    n=hidden,
                    least=SMALLEST_GROUP,
                ),
                count=hidden,
            )
        )
    unknown = sizes.get(NOT_KNOWN, 0) / sum(sizes.values())
    if unknown > _MUCH_UNKNOWN:
        found.append(
            Check(
                name="unknown",
                status="warn",
                detail=say(
                    "Of {share:percent} of the customers “{attribute}” is not known; the others need not be"
                    " like them.",
                    share=unknown,
                    attribute=attribute,
                ),
                share=unknown,
            )
        )
    return found
