"""What customers are worth: histories → posteriors → value by group → checks → verdict → record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from workbench.analyses import histories as reading
from workbench.analyses.consent import consent_checks
from workbench.analyses.histories import Histories
from workbench.analyses.value_arms import arms_within
from workbench.analyses.value_checks import value_checks
from workbench.analyses.value_confirmed import Sampler, confirm
from workbench.analyses.value_fits import DRAWS, FEWER_DRAWS, MANY_ROWS, Fitted, fitted
from workbench.analyses.value_groups import Fit
from workbench.analyses.value_money import Money, Moneys, horizon, moneys, worth
from workbench.decisions import value_verdict
from workbench.errors import WorkbenchError, check_between
from workbench.locale import say
from workbench.models import lifetime_value, purchases, spend, unit_economics
from workbench.models.importance import Array
from workbench.records import (
    Acquisition,
    Alone,
    Check,
    Curve,
    Density,
    DifferencePart,
    Estimate,
    GroupValue,
    PooledGroups,
    Source,
    ValueDifference,
    ValueRecord,
    ValueSettings,
    ValueSummary,
    failures_first,
    package_versions,
)
from workbench.records.base import Interval

if TYPE_CHECKING:
    from workbench.project import Project

__all__ = ["DRAWS", "FEWER_DRAWS", "KEPT_DRAWS", "MANY_ROWS", "analyse", "check", "read"]

KEPT_DRAWS = 500
_GRID = 120
_FINE = 4  # bins of the counts a step of the grid
_CURVE_POINTS = 27
_MOST_WEEKS = 520  # a payback is looked for week by week until then, a curve of an endless horizon ends there
_MOST_WITH_PARTS = 12  # arms whose difference from the control is taken apart
_MOST_PAIRS_WITH_PARTS = 3

Progress = Callable[[float], None]


@dataclass(frozen=True)
class _Group:
    """A group and what its customers are worth, draw by draw; alone, were there no other group."""

    fit: Fit
    money: Money
    value: Array
    alone: Array | None = None

    @property
    def name(self) -> str:
        return self.fit.name


def read(project: Project, settings: ValueSettings) -> Histories:
    """The compressed histories that the question is answered from."""
    return reading.read(project, settings)


def analyse(
    project: Project,
    settings: ValueSettings,
    seed: int = 1,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> ValueRecord:
    """Answer the question in `settings` from the project's orders.

    Args:
        project: Where the orders are.
        settings: The question.
        seed: Of the draws.
        progress: Told the share that is done while PyMC confirms.
        cancel: Stops PyMC once it is set.

    Raises:
        DataError: without orders, when the group is not there, or what is to be measured is not.
        ModelError: when nobody came back, or a posterior fails its own diagnostics.
        WorkbenchError: when a setting is out of its range, or the definition contradicts itself.
    """
    check(settings)
    what = fitted(project, settings, seed)
    found, whole = what.found, what.whole
    money = moneys(project, settings, what, seed)
    groups = _in_order([_worth(fit, money, settings) for fit in what.groups], found)
    within = None if settings.within is None else what.within(project, settings)
    summary = ValueSummary(
        model=settings.model,
        customers=int(whole.rows.customers),
        rows=len(whole.rows.x),
        khat=whole.khat,
        parameters=_estimates(whole.purchases, whole.spend),
        maximum_likelihood=what.maximum_likelihood,
        value=_values(groups, settings),
        differences=_differences(groups, what, settings),
        holdout=what.holdout(project, settings),
        pooled=None if what.differs is None else _pooled(groups, what.differs, settings.level),
        within=None if within is None else arms_within(within, money.by_group, settings),
    )
    confirmed: list[Check] = []
    if settings.confirm:
        sampler = Sampler(settings, seed, progress, cancel)
        summary, confirmed = confirm(summary, what, within, money, sampler)
    checks = failures_first(
        [
            *value_checks(summary, found, settings),
            *confirmed,
            *money.checks,
            *what.left_out,
            *consent_checks(project, "orders"),
        ]
    )
    return ValueRecord(
        project=project.header,
        source=Source(
            fingerprints=project.fingerprints(
                *found.tables, *money.tables, *(within.tables if within else ())
            ),
            first=reading.moment_of(found.first, project.settings.timezone),
            until=reading.moment_of(found.until, project.settings.timezone),
        ),
        versions=_versions(),
        seed=seed,
        checks=checks,
        definitions={**found.rules, **(within.rules if within else {})},
        draws={group.name or "everybody": _thin(group.value).tolist() for group in groups},
        settings=settings,
        summary=summary,
        verdict=value_verdict(summary, settings, checks),
    )


@lru_cache
def _versions() -> dict[str, str]:
    """Looked up once: that takes longer than the rest of an answer whose posteriors are known."""
    return package_versions()


def check(settings: ValueSettings) -> None:
    """Whether settings are in their range and agree with each other.

    Raises:
        WorkbenchError: when they are not.
    """
    if settings.horizon_weeks is not None:
        check_between(settings.horizon_weeks, 1, 2000, say("horizon in weeks"))
    check_between(settings.discount_per_year, 0, 10, say("discount per year"))
    if isinstance(settings.margin, float):
        check_between(settings.margin, 0, 1, say("margin"), open_low=True)
    check_between(settings.cost_per_order, 0, 1e12, say("cost of an order"))
    check_between(settings.service_cost_per_year, 0, 1e12, say("cost of service a year"))
    asked = settings.acquisition_cost
    for amount in asked.values() if isinstance(asked, dict) else [asked]:
        if isinstance(amount, float):
            check_between(amount, 0, 1e12, say("cost of winning a customer"))
    check_between(settings.level, 0.5, 1, say("level"), open_low=True, open_high=True)
    costs = settings.cost_per_order or settings.service_cost_per_year or asked is not None
    if settings.definition != "net" and costs:
        raise WorkbenchError("Costs are taken off a net value only; choose the definition “net”.")
    if settings.definition == "revenue" and settings.margin != 1.0:
        raise WorkbenchError("Revenue has no margin; choose the definition “margin” or “net”.")
    if settings.within is not None and settings.by is None:
        raise WorkbenchError("Segments are looked into for an experiment; name it as “by”.")
    if settings.horizon_weeks is None and settings.discount_per_year == 0:
        raise WorkbenchError("A horizon without an end needs a discount; give one, or a number of weeks.")


def _worth(fit: Fit, money: Moneys, settings: ValueSettings) -> _Group:
    own, alone = money.by_group[fit.name], money.alone.get(fit.name)
    value = worth(fit.newcomers, own.gains, settings)
    if fit.alone is None or alone is None:
        return _Group(fit, own, value)
    return _Group(fit, own, value, worth(fit.alone.newcomers, alone.gains, settings))


def _pooled(groups: list[_Group], differs: dict[str, Array], level: float) -> PooledGroups:
    """How alike the groups are, and what was luck in the one that looks best."""
    values = np.stack([group.value for group in groups])
    n = np.array([group.fit.rows.customers for group in groups])
    average, spread = n @ values / n.sum(), values.std(axis=0, ddof=1)
    best = max(
        (group for group in groups if group.alone is not None),
        key=lambda group: float(group.alone.mean()) if group.alone is not None else -np.inf,
        default=None,
    )
    return PooledGroups(
        groups=len(groups),
        average=float(average.mean()),
        average_interval=_interval(average, level),
        spread=float(spread.mean()),
        spread_interval=_interval(spread, level),
        differs={name: float(np.expm1(drawn).mean()) for name, drawn in differs.items()},
        best=best.name if best else None,
        seen=float(best.alone.mean()) if best and best.alone is not None else None,
        kept=float(best.value.mean()) if best else None,
    )


def _in_order(groups: list[_Group], found: Histories) -> list[_Group]:
    """The control last, or the most valuable first."""
    if found.control is not None:
        return sorted(groups, key=lambda group: (group.name == found.control, group.name))
    return sorted(groups, key=lambda group: -float(group.value.mean()))


def _values(groups: list[_Group], settings: ValueSettings) -> list[GroupValue]:
    places = unit_economics.ranks([group.value for group in groups], settings.level)
    several = len(groups) > 1
    return [
        _value(group, settings).model_copy(
            update={
                "top": float(places.top[index]) if several else None,
                "rank": (int(places.low[index]), int(places.high[index])) if several else None,
            }
        )
        for index, group in enumerate(groups)
    ]


def _value(group: _Group, settings: ValueSettings) -> GroupValue:
    fit, margin = group.fit, group.money.margin
    number = None
    if settings.horizon_weeks is not None:
        number = float(fit.newcomers.purchases(settings.horizon_weeks).mean())
    curve, acquisition = _over_time(group, settings)
    return GroupValue(
        group=group.name or None,
        customers=int(fit.rows.customers),
        mean=float(group.value.mean()),
        sd=float(group.value.std(ddof=1)),
        interval=_interval(group.value, settings.level),
        purchases=number,
        spend=float(spend.expected_spend(fit.spend).mean()),
        khat=fit.khat,
        parameters=_estimates(fit.purchases, fit.spend),
        density=_density(group.value),
        margin=None if margin is None else _estimate(margin),
        curve=curve,
        acquisition=acquisition,
        alone=None
        if group.alone is None
        else Alone(mean=float(group.alone.mean()), interval=_interval(group.alone, settings.level)),
    )


def _over_time(group: _Group, settings: ValueSettings) -> tuple[Curve, Acquisition | None]:
    """Value to date, and when it has paid for itself."""
    last = settings.horizon_weeks or _MOST_WEEKS
    points = np.unique(np.linspace(0, last, min(last + 1, _CURVE_POINTS)).round())
    cost, discount = group.money.cost, settings.discount_per_year
    weeks = points if cost is None else np.arange(last + 1.0)
    earned = unit_economics.earned(group.fit.newcomers, group.money.gains, weeks, discount)
    shown = earned[:, points.astype(int)] if cost is not None else earned
    low, high = np.quantile(shown, _ends(settings.level), axis=0)
    curve = Curve(
        weeks=points.tolist(), mean=shown.mean(axis=0).tolist(), low=low.tolist(), high=high.tolist()
    )
    if cost is None or not np.all(cost > 0):
        return curve, None
    ratio = (group.value + cost) / cost
    paid = unit_economics.payback_weeks(earned, weeks, cost)
    middle, *ends = np.quantile(paid, [0.5, *_ends(settings.level)], method="inverted_cdf")
    return curve, Acquisition(
        mean=float(cost.mean()),
        interval=_interval(cost, settings.level),
        ratio=float(ratio.mean()),
        ratio_interval=_interval(ratio, settings.level),
        payback_weeks=_finite(middle),
        payback_interval=(_finite(ends[0]), _finite(ends[1])),
        never=float(np.isinf(paid).mean()),
    )


def _differences(groups: list[_Group], what: Fitted, settings: ValueSettings) -> list[ValueDifference]:
    """Each arm less the control; without one, each pair, the more valuable first."""
    control = what.found.control
    base = next((group for group in groups if group.name == control), None) if control is not None else None
    if base is not None:
        pairs = [(group, base) for group in groups if group is not base]
    else:
        # of many groups the most and the least valuable are spoken of, so theirs is taken apart
        pairs = list(combinations(groups, 2))
    few = len(pairs) <= (_MOST_WITH_PARTS if base is not None else _MOST_PAIRS_WITH_PARTS)
    apart = pairs if few else [(groups[0], groups[-1])]
    results = []
    for first, second in pairs:
        item = lifetime_value.difference(first.value, second.value, settings.level)
        results.append(
            ValueDifference(
                groups=(first.name, second.name),
                mean=item.mean,
                sd=item.sd,
                interval=(item.low, item.high),
                probability_positive=item.probability_positive,
                density=_density(item.draws),
                word=what.found.word,
                parts=_parts(first, second, what, settings) if (first, second) in apart else [],
            )
        )
    return results


def _parts(first: _Group, second: _Group, what: Fitted, settings: ValueSettings) -> list[DifferencePart]:
    """What the difference is made of; customers who are like the one group in one thing only are made up."""
    one, other = first.fit, second.fit
    customers = {
        (rates, dropout): what.mixed(one if rates else other, one if dropout else other)
        for rates in (False, True)
        for dropout in (False, True)
    }
    gains = (first.money.gains, second.money.gains)
    drawn = unit_economics.difference_parts(customers, gains, horizon(settings), settings.discount_per_year)
    return [
        DifferencePart(
            name=name,
            mean=float(draws.mean()),
            interval=_interval(draws, settings.level),
            probability_positive=float(np.mean(draws > 0)),
        )
        for name, draws in drawn.items()
    ]


def _estimates(bought: purchases.PurchaseDraws, spent: spend.SpendDraws) -> dict[str, Estimate]:
    draws = {**bought.parameters, "p": spent.p, "q": spent.q, "v": spent.v}
    return {name: _estimate(values) for name, values in draws.items()}


def _estimate(draws: Array) -> Estimate:
    return Estimate(mean=float(draws.mean()), sd=float(draws.std(ddof=1)))


def _interval(draws: Array, level: float) -> Interval:
    low, high = np.quantile(draws, _ends(level))
    return float(low), float(high)


def _ends(level: float) -> list[float]:
    return [(1 - level) / 2, (1 + level) / 2]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _density(draws: Array) -> Density:
    """A kernel density of draws on a grid (counted into it, then blurred), and fifty of their quantiles."""
    low, high = np.quantile(draws, [0.0005, 0.9995])
    width = float(draws.std(ddof=1)) * len(draws) ** -0.2  # Scott's rule
    if high <= low or width <= 0:
        low, high, width = low - 0.5, high + 0.5, 0.1
    step = (high - low) / (_FINE * (_GRID - 1))
    margin = int(np.ceil(4 * width / step))
    edges = low + step * (np.arange(_FINE * (_GRID - 1) + 2 + 2 * margin) - margin - 0.5)
    counts, _ = np.histogram(draws, edges)
    kernel = np.exp(-0.5 * (np.arange(-margin, margin + 1) * step / width) ** 2)
    y = np.convolve(counts, kernel, mode="valid")[::_FINE] / (kernel.sum() * step * len(draws))
    dots = np.quantile(draws, (np.arange(50) + 0.5) / 50)
    return Density(x=np.linspace(low, high, _GRID).tolist(), y=y.tolist(), dots=dots.tolist())


def _thin(draws: Array) -> Array:
    return draws[:: max(1, len(draws) // KEPT_DRAWS)][:KEPT_DRAWS]
