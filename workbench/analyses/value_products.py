"""What people buy: how many categories, and orders with something recommended; by variant if there is one."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.analyses import histories as reading
from workbench.analyses.checks import believed
from workbench.analyses.estimates import Estimate, Needs, of_arm
from workbench.analyses.experiment import control_of, experiments, recorded_assignment
from workbench.analyses.value_fits import Fitted
from workbench.analyses.value_money import bought
from workbench.engines import Engine, has, span, table
from workbench.locale import Message, say
from workbench.metrics import exposure, products
from workbench.metrics.cells import ask
from workbench.models.arms import MeanArm
from workbench.models.counts import negative_binomial
from workbench.records import ValueSettings, Word

if TYPE_CHECKING:
    from workbench.project import Project

FIRST_ORDERS = 3
MONTH_DAYS = 30.4375
_FEWEST = 10


@dataclass(frozen=True)
class Grouped:
    """A mean of one group of customers.

    Attributes:
        group: None for everybody.
        customers: How many it is a mean over.
        value: The mean.
        better: The probability that it is above that of the control; None for the control, or without one.
    """

    group: str | None
    customers: int
    value: Estimate
    better: float | None = None


@dataclass(frozen=True)
class Products:
    """A mean by group, and what a difference may be called."""

    groups: list[Grouped]
    word: Word
    experiment: str | None


def _experiment(engine: Engine, by: str | None) -> str | None:
    """The experiment that is asked for, or the only one with times."""
    if not has(engine, "exposures"):
        return None
    timed = [name for name, metrics in experiments(engine).items() if "conversion" in metrics]
    if by in timed:
        return by
    return timed[0] if len(timed) == 1 and by in (None, "variant") else None


def _people(engine: Engine, name: str) -> Any:
    people = exposure.in_one_arm(exposure.assigned(table(engine, "exposures"), name))
    return people.filter(people.as_of.notnull())


def _without(engine: Engine, column: str, what: Message) -> Needs | None:
    if has(engine, "order_items"):
        items = table(engine, "order_items")
        if column in items.columns:
            known = items.aggregate(n=items[column].count())
            if ask(engine, known).to_pylist()[0]["n"]:
                return None
    return Needs(
        say(
            "Load the lines of orders (the table “order_items”) with the column “{column}” to see {what}.",
            column=column,
            what=what,
        )
    )


def _word(engine: Engine, name: str) -> Word:
    assignment = recorded_assignment(engine, table(engine, "exposures"), name)
    return "effect" if believed(assignment, None) == "random" else "association"


def category_breadth(project: Project, settings: ValueSettings, what: Fitted) -> Products | Needs:
    """How many categories customers try in their first orders."""
    engine = project.engine
    needs = _without(engine, "category", say("how many categories people try"))
    if needs is not None:
        return needs
    _, last = reading.days_of(what.found)
    name = _experiment(engine, settings.by)
    each = reading.in_groups(project, settings)
    people = each.select("customer_id", "group")
    if name is not None:
        people = _people(engine, name).rename(group="arm").select("customer_id", "group", "as_of")
    asked = products.breadth(bought(project, last), table(engine, "order_items"), people, FIRST_ORDERS)
    arms: dict[str, tuple[MeanArm, int]] = {}
    for row in sorted(ask(engine, asked, ["group"]).to_pylist(), key=lambda one: str(one["group"])):
        n = int(row["n"])
        mean = row["categories"] / n
        variance = max(1e-12, row["categories_square"] / n - mean**2)
        if n >= _FEWEST:
            arms[str(row["group"])] = MeanArm(mean, sqrt(variance / (n - 1)), n - 1.0), n
    return _grouped(arms, engine, name, settings.level, say("how many categories people try"))


def recommended_orders(project: Project, settings: ValueSettings, what: Fitted) -> Products | Needs:
    """Orders a month with something recommended, of customers from their exposure on."""
    engine = project.engine
    needs = _without(engine, "from_recommendation", say("how often people buy what was recommended"))
    if needs is not None:
        return needs
    name = _experiment(engine, settings.by)
    if name is None:
        return Needs(
            say(
                "Load an experiment with the times of its exposures, or choose one to split by, to see how "
                "often people buy what was recommended."
            )
        )
    _, last = reading.days_of(what.found)
    seconds = span(engine, "orders")
    assert seconds is not None
    until = min(seconds[1], (last + 1) * 86_400)
    people = _people(engine, name)
    people = people.filter(people.as_of <= until)
    asked = products.recommended(bought(project, last), table(engine, "order_items"), people, until=until)
    rows = ask(engine, asked, ["arm", "days", "orders"]).to_pylist()
    arms: dict[str, tuple[Any, int]] = {}
    for arm in sorted({str(row["arm"]) for row in rows}):
        mine = [row for row in rows if str(row["arm"]) == arm]
        n = sum(int(row["n"]) for row in mine)
        if n >= _FEWEST:
            orders, days, weights = (
                np.array([row[key] for row in mine], float) for key in ("orders", "days", "n")
            )
            arms[arm] = negative_binomial(orders, days / MONTH_DAYS, weights).rate, n
    return _grouped(arms, engine, name, settings.level, say("how often people buy what was recommended"))


def _grouped(
    arms: dict[str, tuple[Any, int]], engine: Engine, name: str | None, level: float, what: Message
) -> Products | Needs:
    if not arms:
        return Needs(say("Too few customers have ordered often enough to see {what}.", what=what))
    control = control_of(list(arms)) if name is not None else None
    base = arms[control][0] if control in arms else None
    groups = [
        Grouped(
            group=arm or None,
            customers=n,
            value=of_arm(one, level),
            better=None if base is None or arm == control else _above(one, base),
        )
        for arm, (one, n) in arms.items()
    ]
    return Products(groups, "association" if name is None else _word(engine, name), name)


def _above(one: Any, other: Any) -> float:
    """P(one > other), by the quantiles of the one."""
    points = (np.arange(2000) + 0.5) / 2000
    return float(np.mean(other.cdf(one.ppf(points))))
