"""Purchase histories by group, compressed, as lifetime-value models want them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
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
from workbench.models.importance import Array
from workbench.models.purchases import PurchaseRows
from workbench.models.spend import SpendRows
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
    orders = table(engine, "orders")
    seconds = span(engine, "orders")
    if seconds is None:
        raise DataError("The orders of this project have no times; load them again with their dates.")
    timezone = project.settings.timezone
    clock = offsets(timezone, *seconds)
    first, last = (day_number(moment, timezone) for moment in seconds)
    wanted = end or settings.until
    if wanted is not None:
        last = min(last, (wanted - _EPOCH).days)
    grouping = _Grouping.of(project, settings.by)
    everyone = purchases.customers(orders, clock=clock, end_day=last)
    if grouping.people is None:
        each, groups = described(engine, everyone, settings.by, _MOST_GROUPS)
    else:
        each, groups = purchases.of_people(everyone, grouping.people), {str(settings.by): "group"}
    column = groups[settings.by] if settings.by else None
    size, times, spend = _rows(engine, orders, each, groups, settings.by or purchases.EVERYBODY, column)
    if not size:
        raise DataError(
            "There are no customers with orders to estimate a lifetime value from until {day:date}.",
            day=_day(last),
        )
    return Histories(
        purchases={name: PurchaseRows(*rows) for name, rows in _split(times, "x", "t_x", "T", "n").items()},
        spend={
            name: SpendRows(*rows) for name, rows in _split(spend, "x", "n", "mean_log", "var_log").items()
        },
        word=grouping.word,
        control=grouping.control,
        first=_day(first),
        until=_day(last),
        earlier=grouping.earlier(engine, everyone, size),
        tables=("orders", *grouping.tables),
        rules=grouping.rules,
    )


def _rows(
    engine: Engine, orders: Any, each: Any, groups: dict[str, str], attribute: str, column: str | None
) -> tuple[int, pa.Table, pa.Table]:
    """How many customers there are, and the rows of their times and of their spend.

    Few customers are counted first, and then asked for by the day and the cent; of many orders, all
    attributes are asked for at once, in weeks and bins.
    """
    many = int(ask(engine, orders.aggregate(n=orders.count())).to_pylist()[0]["n"]) > _MANY_ORDERS
    size = -1 if many else int(ask(engine, each.aggregate(n=each.count())).to_pylist()[0]["n"])
    if size < 0 or size > EXACT_UP_TO:
        found = purchases.Compressed(ask(engine, purchases.compressed(each, groups), purchases.KEYS))
        size = found.customers
        if size > EXACT_UP_TO:
            return size, found.times(attribute), found.spend(attribute)
    named = each.mutate(group=each[column] if column else ibis.literal(purchases.EVERYBODY))
    return size, ask(engine, purchases.exact_times(named)), ask(engine, purchases.exact_spend(named))


def repeat_purchases(histories: Histories, acquired_until: date) -> float:
    """Repeat purchases, over all time, of customers whose first purchase was by a day."""
    rows = histories.everybody
    weeks = (histories.until - acquired_until).days / purchases.WEEK_DAYS
    return float(rows.n @ (rows.x * (weeks - 0.006 <= rows.T)))


@dataclass(frozen=True)
class _Grouping:
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
    def of(cls, project: Project, by: str | None) -> _Grouping:
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
    def _segments(cls, engine: Engine, rules: dict[str, str]) -> _Grouping:
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
    def _experiment(cls, engine: Engine, name: str) -> _Grouping:
        exposures = table(engine, "exposures")
        people = exposure.in_one_arm(exposure.assigned(exposures, name)).rename(group="arm")
        summed = people.group_by("group").aggregate(n=people.count(), timed=people.as_of.count())
        summary = ask(engine, summed, ["group"]).to_pylist()
        if not any(row["timed"] for row in summary):
            people = people.drop("as_of")
        assignment = believed(recorded_assignment(engine, exposures, name), None)
        return cls(
            people=people,
            word="effect" if assignment == "random" else "association",
            control=control_of([row["group"] for row in summary]),
            tables=("exposures",),
        )

    def earlier(self, engine: Engine, everyone: Any, kept: int) -> int:
        """How many customers are left out because they had bought before they were exposed."""
        if self.people is None or "as_of" not in self.people.columns:
            return 0
        bought = purchases.of_people(everyone, self.people.drop("as_of"))
        counted = ask(engine, bought.group_by("group").aggregate(n=bought.count()), ["group"])
        return sum(int(row["n"]) for row in counted.to_pylist()) - kept


def moment_of(day: date, timezone: str) -> datetime:
    """The beginning of a day on the project's clock, as records keep it."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))


def _day(number: int) -> date:
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
