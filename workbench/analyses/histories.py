"""Purchase histories by group, compressed, as lifetime-value models want them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from workbench import segments
from workbench.analyses.checks import believed
from workbench.analyses.experiment import SEGMENTS, control_of, experiments, recorded_assignment
from workbench.clock import day_number, offsets
from workbench.engines import Engine, fetch, has, span, table
from workbench.errors import DataError, ModelError
from workbench.metrics import exposure, purchases
from workbench.models.importance import Array
from workbench.models.purchases import PurchaseRows
from workbench.models.spend import SpendRows
from workbench.records import ValueSettings, Word

if TYPE_CHECKING:
    from workbench.project import Project

EXACT_UP_TO = 20_000
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
    each = purchases.customers(orders, clock=clock, end_day=last, people=grouping.people)
    size = int(fetch(engine, each.aggregate(n=each.count()))[0]["n"])
    if not size:
        raise DataError(
            "There are no customers with orders to estimate a lifetime value from until {day:date}.",
            day=_day(last),
        )
    exact = size <= EXACT_UP_TO
    times = fetch(engine, purchases.times(each, exact=exact))
    spend = fetch(engine, purchases.spend(each, exact=exact))
    groups = sorted({row["group"] for row in times})
    return Histories(
        purchases={name: PurchaseRows(*_columns(times, name, "x", "t_x", "T", "n")) for name in groups},
        spend={
            name: SpendRows(*_columns(spend, name, "x", "n", "mean_log", "var_log"))
            for name in groups
            if any(row["group"] == name for row in spend)
        },
        word=grouping.word,
        control=grouping.control,
        first=_day(first),
        until=_day(last),
        earlier=grouping.earlier(engine, orders, clock, last, size),
        tables=("orders", *grouping.tables),
        rules=grouping.rules,
    )


def repeat_purchases(histories: Histories, acquired_until: date) -> float:
    """Repeat purchases, over all time, of customers whose first purchase was by a day."""
    rows = histories.everybody
    weeks = (histories.until - acquired_until).days / purchases.WEEK_DAYS
    return float(rows.n @ (rows.x * (weeks - 0.006 <= rows.T)))


@dataclass(frozen=True)
class _Grouping:
    """Which customers are in which group, and what a difference between groups may be called."""

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
            customers = table(engine, "customers")
            label = customers[by].cast("string").fill_null(segments.NOT_KNOWN)
            return cls(people=customers.select("customer_id", group=label), tables=("customers",))
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
        summary = fetch(
            engine, people.group_by("group").aggregate(n=people.count(), timed=people.as_of.count())
        )
        if not any(row["timed"] for row in summary):
            people = people.drop("as_of")
        assignment = believed(recorded_assignment(engine, exposures, name), None)
        return cls(
            people=people,
            word="effect" if assignment == "random" else "association",
            control=control_of([row["group"] for row in summary]),
            tables=("exposures",),
        )

    def earlier(self, engine: Engine, orders: Any, clock: purchases.Clock, last: int, kept: int) -> int:
        """How many customers are left out because they had bought before they were exposed."""
        if self.people is None or "as_of" not in self.people.columns:
            return 0
        everyone = purchases.customers(orders, clock=clock, end_day=last, people=self.people.drop("as_of"))
        return int(fetch(engine, everyone.aggregate(n=everyone.count()))[0]["n"]) - kept


def moment_of(day: date, timezone: str) -> datetime:
    """The beginning of a day on the project's clock, as records keep it."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))


def _day(number: int) -> date:
    return _EPOCH + timedelta(days=int(number))


def _columns(
    rows: list[dict[str, Any]], group: str, *names: str
) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Columns of the rows of a group, to twelve digits: parallel averages differ in the last bits."""
    mine = [row for row in rows if row["group"] == group]
    return [np.array([float(f"{float(row[name]):.12g}") for row in mine]) for name in names]


def _joined(parts: Iterable[object], name: str) -> Array:
    return np.concatenate([getattr(part, name) for part in parts])
