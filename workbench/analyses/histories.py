"""Purchase histories by group, compressed, as lifetime-value models want them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pyarrow as pa

from workbench import segments
from workbench.analyses.checks import believed
from workbench.analyses.experiment import control_of, experiments, recorded_assignment
from workbench.analyses.groups import SEGMENTS, described
from workbench.clock import day_number, offsets
from workbench.engines import Engine, has, span, table
from workbench.errors import DataError, ModelError
from workbench.metrics import exposure, purchases
from workbench.metrics.cells import ask
from workbench.models import foretelling
from workbench.models.importance import Array
from workbench.models.purchases import PurchaseRows
from workbench.models.spend import SpendRows
from workbench.models.validation import Followed
from workbench.records import ValueSettings, Word

if TYPE_CHECKING:
    from workbench.project import Project

EXACT_UP_TO = 20_000
_MANY_ORDERS = 200_000
_MOST_GROUPS = 24  # of an attribute; more are not compared with each other
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Histories:
    """Compressed histories of all customers and of each group.

    Attributes:
        purchases: Histories by group, sorted by name; one group named "" when nobody asked for groups.
        spend: Spend of those who came back, by group.
        word: Whether differences between the groups may be called effects.
        control: The group the others are held against, in an experiment.
        first, until: First and last day with data.
        earlier: Customers of the experiment who had bought before they were exposed; left out.
        tables: Tables that were read.
        rules: Segment rules that were used.
    """

    purchases: dict[str, PurchaseRows]
    spend: dict[str, SpendRows]
    word: Word
    control: str | None
    first: date
    until: date
    earlier: int
    tables: tuple[str, ...]
    rules: dict[str, str]

    @property
    def everybody(self) -> PurchaseRows:
        """The histories of all groups together."""
        return PurchaseRows(*(_joined(self.purchases.values(), name) for name in ("x", "t_x", "T", "n")))

    @property
    def all_spend(self) -> SpendRows:
        """The spend of all groups together.

        Raises:
            ModelError: when nobody has bought again.
        """
        if not self.spend:
            raise ModelError(
                "None of the {n:count} customers has bought again, so nothing can be said of repeat "
                "purchases; use a longer period of observation.",
                n=self.everybody.customers,
            )
        return SpendRows(*(_joined(self.spend.values(), name) for name in ("x", "n", "mean_log", "var_log")))


def read(project: Project, settings: ValueSettings, end: date | None = None) -> Histories:
    """Bring compressed histories out of the project.

    Args:
        project: Where the orders are.
        settings: The question.
        end: Last day that is used, when it is not that of the settings.

    Raises:
        DataError: without orders, or when the group is not there.
    """
    engine = project.engine
    orders, clock, first, last = _orders(project, end or settings.until)
    grouping = Grouping.of(project, settings.by)
    everyone = purchases.customers(orders, clock=clock, end_day=last)
    if grouping.people is None:
        each, groups = described(engine, everyone, settings.by, _MOST_GROUPS)
    else:
        each, groups = purchases.told_apart(everyone, grouping.people), {str(settings.by): "group"}
    counted, times, spend = _rows(engine, orders, each, groups, settings.by)
    if not counted.kept:
        raise DataError(
            "There are no customers with orders to estimate a lifetime value from until {day:date}.",
            day=day_of(last),
        )
    return Histories(
        purchases={name: PurchaseRows(*rows) for name, rows in _split(times, "x", "t_x", "T", "n").items()},
        spend={
            name: SpendRows(*rows) for name, rows in _split(spend, "x", "n", "mean_log", "var_log").items()
        },
        word=grouping.word,
        control=grouping.control,
        first=day_of(first),
        until=day_of(last),
        earlier=counted.earlier,
        tables=("orders", *grouping.tables),
        rules=grouping.rules,
    )


def everyone(project: Project, settings: ValueSettings) -> Any:
    """Every customer who bought, one row each, as `metrics.purchases.customers` has them.

    Raises:
        DataError: without orders.
    """
    orders, clock, _, last = _orders(project, settings.until)
    return purchases.customers(orders, clock=clock, end_day=last)


def days_of(found: Histories) -> tuple[int, int]:
    """The first and the last day of the data, in days since 1970."""
    return (found.first - _EPOCH).days, (found.until - _EPOCH).days


def in_groups(project: Project, settings: ValueSettings) -> Any:
    """Every customer of the question, as `everyone` has them, with the column `group`.

    Raises:
        DataError: without orders, or when the group is not there.
    """
    bought, people = everyone(project, settings), Grouping.of(project, settings.by).people
    if people is not None:
        return purchases.of_people(bought, people)
    each, groups = described(project.engine, bought, settings.by, _MOST_GROUPS)
    return each.mutate(group=each[groups[settings.by]] if settings.by else ibis.literal(purchases.EVERYBODY))


def by_the_day(project: Project, settings: ValueSettings) -> PurchaseRows:
    """The histories of all customers of the question, by the day however many they are.

    Raises:
        DataError: without orders, or when the group is not there.
    """
    rows = ask(project.engine, purchases.distinct(in_groups(project, settings)), purchases.HISTORY)
    x, t_x, T, n = (rows[name].to_numpy().astype(float) for name in (*purchases.HISTORY, "n"))
    return PurchaseRows(x, t_x / purchases.WEEK_DAYS, T / purchases.WEEK_DAYS, n)


def days_of_orders(project: Project, settings: ValueSettings) -> tuple[date, date]:
    """The first day with an order, and the last one that is used.

    Raises:
        DataError: without orders.
    """
    _, _, first, last = _orders(project, settings.until)
    return day_of(first), day_of(last)


def _orders(project: Project, until: date | None) -> tuple[Any, purchases.Clock, int, int]:
    """The orders, the project's clock, and the first and last day that is used."""
    engine = project.engine
    orders = table(engine, "orders")
    seconds = span(engine, "orders")
    if seconds is None:
        raise DataError("The orders of this project have no times; load them again with their dates.")
    timezone = project.settings.timezone
    first, last = (day_number(moment, timezone) for moment in seconds)
    if until is not None:
        last = min(last, (until - _EPOCH).days)
    return orders, offsets(timezone, *seconds), first, last


@dataclass(frozen=True)
class Aftermath:
    """What customers acquired by a day did until then and afterwards.

    Attributes:
        followed: Rows of equal histories and futures.
        spent: What the repeat purchases of each row's customers brought until then, all together.
        later_spent: What those afterwards brought, over all customers.
        by_week: Purchases in each week afterwards, shape (weeks,); the last may be a part of one.
    """

    followed: Followed
    spent: Array
    later_spent: float
    by_week: Array


def read_aftermath(project: Project, settings: ValueSettings, split: date) -> Aftermath:
    """What came after a day, of the customers of the question.

    Raises:
        DataError: without orders, without a customer by then, or when the group is not there.
    """
    engine = project.engine
    orders, clock, _, last = _orders(project, settings.until)
    day = (split - _EPOCH).days
    each = purchases.followed(orders, clock=clock, split_day=day, end_day=last)
    people = Grouping.of(project, settings.by).people
    if people is not None:
        each = purchases.of_people(each, people)
    rows = ask(engine, purchases.counted_followed(each, by_week=_many(engine, orders)), purchases.FOLLOWED)
    if not rows.num_rows:
        raise DataError(
            "There are no customers with orders to estimate a lifetime value from until {day:date}.",
            day=split,
        )
    x, week, later, n, recency, tenure, spent, later_spent = (
        rows[name].to_numpy().astype(float)
        for name in ("x", "b", "later", "n", "first", "second", "s", "later_s")
    )
    # one T for all customers of a week, so that what those alive will do is computed for few values
    _, week_of = np.unique(week, return_inverse=True)
    T = (np.bincount(week_of, tenure) / np.bincount(week_of, n))[week_of] / purchases.WEEK_DAYS
    t_x = np.minimum(recency / n / purchases.WEEK_DAYS, T)
    weekly = ask(engine, purchases.weekly(each, orders, clock=clock, split_day=day, end_day=last), ["week"])
    by_week = np.zeros(-(-(last - day) // int(purchases.WEEK_DAYS)))
    by_week[weekly["week"].to_numpy()] = weekly["n"].to_numpy()
    weeks = (last - day) / purchases.WEEK_DAYS
    return Aftermath(
        Followed(foretelling.Histories(x, t_x, T), n, later, weeks),
        _settled(spent),
        float(_settled(later_spent.sum(keepdims=True))[0]),
        by_week,
    )


def _many(engine: Engine, orders: Any) -> bool:
    """Whether there are so many orders that customers are put together by the week."""
    return int(ask(engine, orders.aggregate(n=orders.count())).to_pylist()[0]["n"]) > _MANY_ORDERS


class _Counted(NamedTuple):
    """How many customers are in a group, and how many had bought before they were exposed."""

    kept: int
    earlier: int


def _rows(
    engine: Engine, orders: Any, each: Any, groups: dict[str, str], by: str | None
) -> tuple[_Counted, pa.Table, pa.Table]:
    """How many customers there are, and the rows of their times and of their spend.

    Few customers are counted first, and then asked for by the day and the cent; of many orders, all
    attributes are asked for at once, in weeks and bins.
    """
    attribute = purchases.EVERYBODY if by is None else by
    named = each.mutate(group=ibis.literal(purchases.EVERYBODY) if by is None else each[groups[by]])
    counted = None
    if not _many(engine, orders):
        kept = named.group.count()
        sizes = named.aggregate(kept=kept, earlier=named.count() - kept)
        counted = _Counted(**{name: int(n) for name, n in ask(engine, sizes).to_pylist()[0].items()})
    if counted is None or counted.kept > EXACT_UP_TO:
        found = purchases.Compressed(ask(engine, purchases.compressed(each, groups), purchases.KEYS))
        counted = _Counted(found.customers, found.in_no_group)
        if counted.kept > EXACT_UP_TO:
            return counted, found.times(attribute), found.spend(attribute)
    named = named.filter(named.group.notnull())
    return counted, ask(engine, purchases.exact_times(named)), ask(engine, purchases.exact_spend(named))


def repeat_purchases(histories: Histories, acquired_until: date) -> float:
    """Repeat purchases, over all time, of customers whose first purchase was by a day."""
    rows = histories.everybody
    weeks = (histories.until - acquired_until).days / purchases.WEEK_DAYS
    return float(rows.n @ (rows.x * (weeks - 0.006 <= rows.T)))


@dataclass(frozen=True)
class Grouping:
    """Which customers are in which group, and what a difference between groups may be called.

    Attributes:
        people: Rows of `customer_id`, `group` and perhaps `as_of`; None for everybody, by attribute or not.
    """

    people: Any = None
    word: Word = "association"
    control: str | None = None
    tables: tuple[str, ...] = ()
    rules: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Project, by: str | None) -> Grouping:
        engine = project.engine
        if by is None:
            return cls()
        columns = [
            name
            for name in (table(engine, "customers").columns if has(engine, "customers") else [])
            if name != "customer_id"
        ]
        if by in columns:
            return cls(tables=("customers",))
        saved = dict(project.segments)
        rules = {by: saved[by]} if by in saved else saved if by in (SEGMENTS, "segment") else {}
        if rules:
            return cls._segments(engine, rules)
        known = experiments(engine)
        if by == "variant" and len(known) == 1:
            by = next(iter(known))
        if by in known and has(engine, "exposures"):
            return cls._experiment(engine, by)
        raise DataError(
            "There is no column, segment or experiment “{by}” to group by; there are: {known}.",
            by=by,
            known=", ".join([*columns, *saved, *known]) or "–",
        )

    @classmethod
    def _segments(cls, engine: Engine, rules: dict[str, str]) -> Grouping:
        for name, rule in rules.items():
            used = [
                word for word in segments.names_in(segments.parse(name, rule)) if segments.is_history(word)
            ]
            if used:
                raise DataError(
                    "Segment “{name}” is made of the orders themselves ({column}), so their value cannot be "
                    "compared by it; use a segment of attributes.",
                    name=name,
                    column=", ".join(sorted(used)),
                )
        customers = table(engine, "customers").select("customer_id")
        assigned = segments.assign(engine, rules, customers)
        return cls(people=assigned.rename(group="segment"), tables=("customers",), rules=rules)

    @classmethod
    def _experiment(cls, engine: Engine, name: str) -> Grouping:
        exposures = table(engine, "exposures")
        people = exposure.in_one_arm(exposure.assigned(exposures, name)).rename(group="arm")
        shown = exposures.filter(exposures.experience_id == name, exposures.variant.notnull())
        arms = ask(engine, shown.group_by("variant").aggregate(timed=shown.ts.count())).to_pylist()
        if not any(arm["timed"] for arm in arms):
            people = people.drop("as_of")
        assignment = believed(recorded_assignment(engine, exposures, name), None)
        return cls(
            people=people,
            word="effect" if assignment == "random" else "association",
            control=control_of([arm["variant"] for arm in arms]),
            tables=("exposures",),
        )


def moment_of(day: date, timezone: str) -> datetime:
    """The beginning of a day on the project's clock, as records keep it."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))


def day_of(number: int) -> date:
    """The day that is so many days after the first of 1970."""
    return _EPOCH + timedelta(days=int(number))


def _split(rows: pa.Table, *names: str) -> dict[str, list[Array]]:
    """Columns of the rows of each group, by its name."""
    groups = np.asarray(rows["group"].to_pylist(), dtype=object)
    columns = [_settled(rows[name].to_numpy().astype(float)) for name in names]
    return {name: [column[groups == name] for column in columns] for name in sorted(set(groups))}


def _settled(values: Array) -> Array:
    """To twelve digits: parallel sums differ in the last bits."""
    known = np.where(values == 0, 1.0, np.abs(values))
    scale = 10.0 ** (11 - np.floor(np.log10(known)))
    return np.round(values * scale) / scale


def _joined(parts: Iterable[object], name: str) -> Array:
    return np.concatenate([getattr(part, name) for part in parts])
