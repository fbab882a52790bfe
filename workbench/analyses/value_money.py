"""What a purchase leaves and what winning a customer costs: the definition of a value, for each group.

What is measured is uncertain, too: the mean of the first purchase and the share of revenue that is margin are
means over customers with their standard errors, the cost of a customer is a sum over a Poisson number.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.analyses import histories as reading
from workbench.analyses.value_fits import Fitted
from workbench.analyses.value_group_money import FIRST, LATER, MONEY, GroupMoney
from workbench.analyses.value_groups import Fit
from workbench.clock import offsets
from workbench.engines import has, span, table
from workbench.errors import DataError, WorkbenchError
from workbench.locale import Message, say
from workbench.metrics import acquired, order_money
from workbench.metrics.cells import ask
from workbench.models import spend, unit_economics
from workbench.models.importance import Array, independent_seeds
from workbench.models.newcomers import Newcomers
from workbench.models.unit_economics import Gains, acquisition_cost
from workbench.records import Check, ValueSettings

if TYPE_CHECKING:
    from workbench.project import Project

_CHANNELS = {"source": "channel", "medium": "channel", "channel": "channel", "campaign": "campaign"}
"""Attribute of customers → the column of spend whose names it may share."""
_SOON_DAYS = 28


@dataclass(frozen=True)
class Money:
    """What a group's customers leave and cost.

    Attributes:
        gains: Draw by draw.
        margin: Draws of the share of revenue that is kept, where it was measured.
        cost: Draws of what winning one cost; None where that is left out or not known.
    """

    gains: Gains
    margin: Array | None
    cost: Array | None


@dataclass
class Moneys:
    """The money of each group, the tables it was read from, and what has to be said of it.

    `alone` is that of groups which are drawn towards each other, were there no other group.
    """

    by_group: dict[str, Money]
    alone: dict[str, Money] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)


def margin_known(project: Project) -> bool:
    """Whether orders carry a margin, so that it can be measured."""
    orders = table(project.engine, "orders")
    if "margin" not in orders.columns:
        return False
    return bool(ask(project.engine, order_money.with_margin(orders)).to_pylist()[0]["n"])


def moneys(project: Project, settings: ValueSettings, what: Fitted, seed: int) -> Moneys:
    """What the definition makes of each group.

    Raises:
        DataError: when something is to be measured that the tables do not hold.
        WorkbenchError: when the definition contradicts itself.
    """
    result = Moneys({})
    sums = _sums(project, settings, what) if settings.first_purchase or settings.margin == "measured" else {}
    costs = _costs(project, settings, what, seed, result)
    pooled = None
    if sums and what.differs is not None:
        # everybody together needs no draws of their own here
        pooled = GroupMoney(sums, len(what.groups[0].purchases), what.whole.seeds[0])
    for fit in what.groups:
        cost = costs.get(fit.name)
        result.by_group[fit.name] = _money(fit, settings, sums.get(fit.name), cost, pooled)
        if fit.alone is not None:
            with suppress(DataError):  # a margin that no order of this group carries
                result.alone[fit.name] = _money(fit.alone, settings, sums.get(fit.name), cost, None)
    if costs and not settings.first_purchase:
        text = say(
            "The cost of winning a customer is set against repeat purchases alone; count the first purchase, "
            "which it brought, as well."
        )
        result.checks.append(Check(name="first_purchase", status="warn", detail=text))
    return result


def horizon(settings: ValueSettings) -> float:
    """In weeks."""
    return np.inf if settings.horizon_weeks is None else float(settings.horizon_weeks)


def worth(customers: Newcomers, gains: Gains, settings: ValueSettings) -> Array:
    """What one newly acquired customer is worth, draw by draw."""
    value = unit_economics.earned(customers, gains, horizon(settings), settings.discount_per_year)
    return value - gains.acquisition


def _money(
    fit: Fit,
    settings: ValueSettings,
    sums: dict[str, float] | None,
    cost: Array | None,
    pooled: GroupMoney | None,
) -> Money:
    spent = spend.expected_spend(fit.spend)
    per_order = settings.cost_per_order if settings.definition == "net" else 0.0
    service = settings.service_cost_per_year if settings.definition == "net" else 0.0
    margin, first = None, np.zeros(len(spent))
    share: Array | float = 1.0

    def drawn(what: str, seed: np.random.SeedSequence) -> Array:
        assert sums is not None
        return _drawn(sums, what, len(spent), seed) if pooled is None else pooled.drawn(what, fit.name)

    first_seed, later_seed = fit.seeds
    if settings.margin == "measured":
        share = margin = drawn(LATER, later_seed)
    elif settings.definition != "revenue":
        share = float(settings.margin)
    if settings.first_purchase:
        one, other = independent_seeds(first_seed, 2)
        kept = share if margin is None else drawn(FIRST, other)
        first = kept * drawn(MONEY, one) - per_order
    acquisition = np.zeros(len(spent)) if cost is None else cost[: len(spent)]
    return Money(Gains(share * spent - per_order, first, service, acquisition), margin, cost)


def _drawn(sums: dict[str, float], what: str, draws: int, seed: np.random.SeedSequence) -> Array:
    return _mean(sums, draws, seed) if what == MONEY else _ratio(sums, what, draws, seed)


def _mean(sums: dict[str, float], draws: int, seed: np.random.SeedSequence) -> Array:
    """What the first purchase brings on average."""
    n, mean = sums["n"], sums["first"] / sums["n"]
    variance = max(0.0, sums["first_square"] / n - mean**2)
    return np.random.default_rng(seed).normal(mean, np.sqrt(variance / n), draws)


def _ratio(sums: dict[str, float], when: str, draws: int, seed: np.random.SeedSequence) -> Array:
    """The share of revenue that is margin; customers are independent, their orders are not."""
    m, k, mm, mk, kk = (sums[f"{when}_{name}"] for name in ("m", "k", "mm", "mk", "kk"))
    if k <= 0:
        raise DataError(
            "The margin cannot be measured: no order of some group carries one; give a share of revenue."
        )
    share = m / k
    square = max(0.0, mm - 2 * share * mk + share**2 * kk)
    return np.random.default_rng(seed).normal(share, np.sqrt(square) / k, draws)


def bought(project: Project, until: int) -> Any:
    """The orders that are purchases, until a day since 1970."""
    orders = table(project.engine, "orders")
    seconds = span(project.engine, "orders")
    assert seconds is not None
    clock = offsets(project.settings.timezone, *seconds)
    return order_money.purchase_orders(orders, clock=clock, end_day=until)


def _sums(project: Project, settings: ValueSettings, what: Fitted) -> dict[str, dict[str, float]]:
    _, last = reading.days_of(what.found)
    each = reading.in_groups(project, settings)
    asked = order_money.money(each, bought(project, last), end_day=last)
    rows = ask(project.engine, asked, ["group"]).to_pylist()
    found = {str(row["group"]): {name: float(row[name] or 0.0) for name in order_money.SUMS} for row in rows}
    if settings.margin == "measured" and not any(one["later_k"] for one in found.values()):
        raise DataError(
            "The margin cannot be measured, since no order carries one; load orders with a column of margin, "
            "or give a share of revenue."
        )
    return found


def _costs(
    project: Project, settings: ValueSettings, what: Fitted, seed: int, result: Moneys
) -> dict[str, Array]:
    """What winning a customer of each group cost; groups of which that is not known are left out."""
    asked = settings.acquisition_cost
    if asked is None:
        return {}
    names, draws = [fit.name for fit in what.groups], len(what.groups[0].purchases)
    if asked == "measured":
        return _measured(project, settings, what, seed, result)
    if isinstance(asked, dict):
        given = {str(name): amount for name, amount in asked.items()}
        unknown = sorted(set(names) - set(given))
        if unknown and len(unknown) == len(names):
            raise WorkbenchError(
                "The cost of a customer is given for {given}, but the groups are {known}.",
                given=", ".join(given) or "–",
                known=", ".join(name or "–" for name in names),
            )
        if unknown:
            result.checks.append(_without_cost(unknown))
        return {name: np.full(draws, float(given[name])) for name in names if name in given}
    return {name: np.full(draws, float(asked)) for name in names}


def _without_cost(names: list[str]) -> Check:
    text = say("No cost of winning a customer is known for {names:listing}; none is taken off.", names=names)
    return Check(name="acquisition_cost", status="warn", detail=text)


def _measured(
    project: Project, settings: ValueSettings, what: Fitted, seed: int, result: Moneys
) -> dict[str, Array]:
    """Money spent divided by the customers who first bought in the same days."""
    engine = project.engine
    if not has(engine, "spend"):
        raise DataError(
            "The cost of winning a customer cannot be measured: load what was spent a day and channel (the "
            "table “spend”), or give an amount."
        )
    spent = table(engine, "spend")
    (edges,) = ask(engine, acquired.span(spent)).to_pylist()
    begin, last = reading.days_of(what.found)
    if edges["first"] is None or edges["last"] < begin or edges["first"] > last:
        raise DataError(
            "Nothing was spent in the time of the orders, so a customer’s cost cannot be measured."
        )
    days = {"first_day": max(begin, int(edges["first"])), "last_day": min(last, int(edges["last"]))}
    by = settings.by or ""
    alone = settings.model_copy(update={"by": settings.by if by in _CHANNELS else None})
    each = reading.in_groups(project, alone)
    counted = ask(engine, acquired.customers(each, **days, end_day=last), ["group"]).to_pylist()
    came = {str(row["group"]): float(row["n"]) for row in counted}
    paid = ask(engine, acquired.costs(spent, **days), ["channel", "campaign"]).to_pylist()
    result.tables.append("spend")
    groups, draws = [fit.name for fit in what.groups], len(what.groups[0].purchases)
    named = _named(paid, by, groups)
    if named:
        seeds = independent_seeds(independent_seeds(seed, 3)[2], len(groups))
        costs = {
            name: acquisition_cost(named[name], came.get(name, 0.0), draws, one)
            for name, one in zip(groups, seeds, strict=True)
            if name in named
        }
        result.checks.append(_cost_known(what, days, sum(named.values()), sum(came.get(n, 0) for n in named)))
        if len(costs) < len(groups):
            result.checks.append(_without_cost(sorted(set(groups) - set(costs))))
        return costs
    cost, customers = sum(float(row["cost"]) for row in paid), sum(came.values())
    if not customers:
        raise DataError("Nobody bought for the first time while money was spent, so there is no cost of one.")
    result.checks.append(_cost_known(what, days, cost, customers))
    drawn = acquisition_cost(cost, customers, draws, independent_seeds(seed, 3)[2])
    return dict.fromkeys(groups, drawn)


def _named(paid: list[dict[str, Any]], by: str, groups: list[str]) -> dict[str, float]:
    """What was spent on each of the groups, where they are channels or campaigns of that name."""
    column = _CHANNELS.get(by)
    if column is None:
        return {}
    sums: dict[str, float] = {}
    for row in paid:
        name = str(row[column]).casefold()
        sums[name] = sums.get(name, 0.0) + float(row["cost"])
    return {group: sums[group.casefold()] for group in groups if group.casefold() in sums}


def _cost_known(what: Fitted, days: dict[str, int], cost: float, customers: float) -> Check:
    begin, _ = reading.days_of(what.found)
    values = {"cost": cost, "n": customers, "days": days["last_day"] - days["first_day"] + 1}
    text: Message = say(
        "A customer’s cost is {cost:money} spent in {days:count} days, divided by the {n:count} who first "
        "bought in these days; those who would have come anyway are among them.",
        **values,
    )
    early = days["first_day"] - begin < _SOON_DAYS
    if early:
        text = say(
            "{known} Some of them may have bought before the data begin, so that a new customer cost more.",
            known=text,
        )
    return Check(name="acquisition_cost", status="warn" if early else "ok", detail=text)
