"""Which metrics can be computed from what is loaded, which need what, and on which checks each depends.

    for line in readiness(engine, checks=checks):
        line.metric.name, line.light, line.cells  # a row of the matrix metric × table

Every entry of `CATALOGUE` is something the workbench computes; what it does not compute is not listed. A
column that is there but empty in every row counts as not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.engines import Engine
from workbench.locale import Message, say
from workbench.records import Check
from workbench.tables.checks.stored import Profile, profiles

Light = Literal["ready", "partly", "missing"]
Provenance = Literal["first", "zero", "third"]
"""Who collected a column: the shop itself, the customer by telling it, or somebody else."""

_NOT_ATTRIBUTES = frozenset({"customer_id", "first_seen", "signed_up"})


@dataclass(frozen=True)
class Need:
    """What a metric reads of one table.

    Attributes:
        table: A standard table.
        columns: Columns that have to hold something.
        attribute: Whether it needs a column that describes customers, whichever.
        better: Column → what is lost without it.
    """

    table: str
    columns: tuple[str, ...] = ()
    attribute: bool = False
    better: Mapping[str, Message] | None = None


@dataclass(frozen=True)
class Metric:
    """Something the workbench computes.

    Attributes:
        name: Its stable name.
        title: What it says.
        needs: What it reads.
        checks: Names of the table checks it depends on.
    """

    name: str
    title: Message
    needs: tuple[Need, ...]
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Readiness:
    """Whether a metric can be computed now.

    Attributes:
        metric: Which metric. light: `missing` when something it needs is not there; `partly` when something
        it is better with is not
            there, or a check it depends on asks for care; else `ready`.
        missing: What is not there, in words.
        caveats: What is lost without columns it is better with.
        cells: The light by table, for the tables it reads.
        checks: Those of the checks it depends on that were made.
    """

    metric: Metric
    light: Light
    missing: tuple[Message, ...]
    caveats: tuple[Message, ...]
    cells: Mapping[str, Light]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Loss:
    """What a metric would lose without some columns.

    Attributes:
        metric: Which metric.
        columns: The columns it reads now and could not read then, as `table.column`.
        before, after: Its light with and without them.
        missing: What would not be there, in words.
    """

    metric: Metric
    columns: tuple[str, ...]
    before: Light
    after: Light
    missing: tuple[Message, ...]


def _of(table: str, names: str) -> tuple[str, ...]:
    return tuple(f"{table}.{name}" for name in names.split())


_WHEN = "future strays gaps drops"
_ORDERS = _of("orders", f"repeated again orphans {_WHEN} dates night hours")
_MONEY = _of("orders", "cents items negative refund outliers currency")
_EVENTS = _of("events", f"repeated twice orphans {_WHEN} names dates night bots")
_EXPOSURES = _of("exposures", "future strays orphans crossed")
_EXPOSED_AT = _of("exposures", "dates hours")
_CUSTOMERS = _of("customers", "repeated")
_OUTCOME_CHECKS = _of("outcomes", "repeated orphans")

_ASSIGNMENT = {
    "assignment": say(
        "Exposures do not say how people were assigned: differences are associations until you say it."
    )
}
_REFUND = {"refund": say("Orders say nothing of refunds: revenue is what was ordered.")}
_AMOUNTS = {"revenue": say("Orders say nothing of revenue: segments can count orders only.")}
_PEOPLE = Need("exposures", ("customer_id", "experience_id", "variant"), better=_ASSIGNMENT)
_TIMED_PEOPLE = Need("exposures", ("customer_id", "experience_id", "variant", "ts"), better=_ASSIGNMENT)
_PURCHASES = Need("orders", ("customer_id", "ts"))
_SALES = Need("orders", ("customer_id", "ts", "revenue"), better=_REFUND)
_OUTCOMES = Need("outcomes", ("customer_id", "experience_id", "name", "value"))
_DESCRIBED = Need("customers", ("customer_id",), attribute=True)

CATALOGUE: tuple[Metric, ...] = (
    Metric(
        "effect.conversion",
        say("Effect on conversion: customers who order in the days after they were exposed"),
        (_TIMED_PEOPLE, _PURCHASES),
        (*_EXPOSURES, *_EXPOSED_AT, *_ORDERS),
    ),
    Metric(
        "effect.revenue",
        say("Effect on revenue per customer in the days after they were exposed"),
        (_TIMED_PEOPLE, _SALES),
        (*_EXPOSURES, *_EXPOSED_AT, *_ORDERS, *_MONEY),
    ),
    Metric(
        "effect.events",
        say("Effect on how often customers do something in the days after they were exposed"),
        (_TIMED_PEOPLE, Need("events", ("customer_id", "ts", "name"))),
        (*_EXPOSURES, *_EXPOSED_AT, *_EVENTS),
    ),
    Metric(
        "effect.outcome",
        say("Effect on an outcome that came with a file, one number a customer"),
        (_PEOPLE, _OUTCOMES),
        (*_EXPOSURES, *_OUTCOME_CHECKS),
    ),
    Metric(
        "effect.summaries",
        say("Effect from the totals of each variant"),
        (Need("summaries", ("experience_id", "variant", "metric", "n", "mean", "m2")),),
    ),
    Metric(
        "effect.conversion.by_attribute",
        say("Effect on conversion by a group of customers, such as country or device"),
        (_TIMED_PEOPLE, _PURCHASES, _DESCRIBED),
        (*_EXPOSURES, *_EXPOSED_AT, *_ORDERS, *_CUSTOMERS),
    ),
    Metric(
        "effect.conversion.by_history",
        say("Effect on conversion by what customers had bought before they were exposed"),
        (_TIMED_PEOPLE, _PURCHASES, Need("customers", ("customer_id",))),
        (*_EXPOSURES, *_EXPOSED_AT, *_ORDERS, *_CUSTOMERS),
    ),
    Metric(
        "effect.outcome.by_attribute",
        say("Effect on an outcome that came with a file by a group of customers, such as country or device"),
        (_PEOPLE, _OUTCOMES, _DESCRIBED),
        (*_EXPOSURES, *_OUTCOME_CHECKS, *_CUSTOMERS),
    ),
    Metric(
        "lifetime_value",
        say("Lifetime value of a customer"),
        (_SALES,),
        (*_ORDERS, *_MONEY),
    ),
    Metric(
        "lifetime_value.by_attribute",
        say("Lifetime value by a group of customers, such as country or device"),
        (_SALES, _DESCRIBED),
        (*_ORDERS, *_MONEY, *_CUSTOMERS),
    ),
    Metric(
        "lifetime_value.by_experiment",
        say("Lifetime value of the customers of each variant"),
        (_PEOPLE, _SALES),
        (*_EXPOSURES, *_ORDERS, *_MONEY),
    ),
    Metric(
        "segments.by_attribute",
        say("Size of segments of customers by their attributes"),
        (_DESCRIBED,),
        _CUSTOMERS,
    ),
    Metric(
        "segments.by_history",
        say("Size of segments of customers by what they have bought"),
        (Need("customers", ("customer_id",)), Need("orders", ("customer_id", "ts"), better=_AMOUNTS)),
        (*_CUSTOMERS, *_ORDERS, *_MONEY),
    ),
)


def readiness(
    engine: Engine, metrics: Sequence[Metric] = CATALOGUE, *, checks: Iterable[Check] = ()
) -> list[Readiness]:
    """For each metric whether it can be computed now, and what it needs.

    Args:
        engine: Where the tables are.
        metrics: Which metrics.
        checks: What `table_checks` found.
    """
    found, made = profiles(engine), {check.name: check for check in checks}
    return [_readiness(metric, found, made, hidden=()) for metric in metrics]


def losses(
    engine: Engine,
    provenance: Mapping[str, Provenance],
    metrics: Sequence[Metric] = CATALOGUE,
    *,
    without: Provenance = "third",
) -> list[Loss]:
    """What would be lost if the columns of one provenance were no longer there.

    Args:
        engine: Where the tables are.
        provenance: `table.column` → who collected it; columns that are not named are kept.
        metrics: Which metrics.
        without: The provenance that is left out.

    Returns:
        The metrics that read one of these columns now; those that can be computed now and not then come
        first.
    """
    found = profiles(engine)
    hidden = {column for column, party in provenance.items() if party == without}
    lost = []
    for metric in metrics:
        columns = tuple(column for column in _read(metric, found) if column in hidden)
        if columns:
            before, after = (_readiness(metric, found, {}, hidden=one) for one in ((), hidden))
            lost.append(Loss(metric, columns, before.light, after.light, after.missing))
    return sorted(lost, key=lambda loss: (loss.before == "missing", loss.after != "missing"))


def _read(metric: Metric, found: Mapping[str, Profile]) -> list[str]:
    """The filled columns that a metric reads or may read, as `table.column`."""
    columns = []
    for need in metric.needs:
        profile = found.get(need.table)
        names = [*need.columns, *(need.better or ())]
        if need.attribute and profile:
            names += _attributes(profile)
        columns += [f"{need.table}.{name}" for name in names if profile and profile.holds(name)]
    return list(dict.fromkeys(columns))


def _attributes(profile: Profile) -> list[str]:
    return [name for name in profile.filled if name not in _NOT_ATTRIBUTES and profile.holds(name)]


def _readiness(
    metric: Metric, found: Mapping[str, Profile], made: Mapping[str, Check], *, hidden: Collection[str]
) -> Readiness:
    missing: list[Message] = []
    caveats: list[Message] = []
    cells: dict[str, Light] = {}
    checks = tuple(made[name] for name in metric.checks if name in made)
    for need in metric.needs:
        lacks, loses = _lacking(need, found.get(need.table), hidden)
        doubted = any(check.status != "ok" for check in checks if check.name.partition(".")[0] == need.table)
        missing += lacks
        caveats += loses
        cells[need.table] = "missing" if lacks else "partly" if loses or doubted else "ready"
    lights = set(cells.values())
    light: Light = "missing" if "missing" in lights else "partly" if "partly" in lights else "ready"
    return Readiness(metric, light, tuple(missing), tuple(caveats), cells, checks)


def _lacking(
    need: Need, profile: Profile | None, hidden: Collection[str]
) -> tuple[list[Message], list[Message]]:
    """What a table lacks that is needed, and what is lost without that which would be better."""
    if profile is None:
        return [say("Needs the table {table}.", table=need.table)], []

    def holds(name: str) -> bool:
        return profile.holds(name) and f"{need.table}.{name}" not in hidden

    lacks = []
    columns = [name for name in need.columns if not holds(name)]
    if columns:
        lacks.append(say("Needs {columns:listing} in the table {table}.", columns=columns, table=need.table))
    if need.attribute and not any(map(holds, _attributes(profile))):
        lacks.append(say("Needs a column that describes customers, such as country or device."))
    return lacks, [words for name, words in (need.better or {}).items() if not holds(name)]
