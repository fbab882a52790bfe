"""What customers are worth: histories → posteriors → value by group → checks → verdict → record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from workbench.analyses import histories as reading
from workbench.analyses.consent import consent_checks
from workbench.analyses.histories import Histories
from workbench.analyses.value_checks import value_checks
from workbench.decisions import value_verdict
from workbench.errors import ModelError, WorkbenchError, check_between
from workbench.locale import Message, say
from workbench.models import lifetime_value, purchases, spend
from workbench.models.importance import Array, independent_seeds
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.models.spend import SpendDraws, SpendRows
from workbench.records import (
    Check,
    Density,
    Estimate,
    GroupValue,
    Holdout,
    Source,
    ValueDifference,
    ValueRecord,
    ValueSettings,
    ValueSummary,
    failures_first,
)

if TYPE_CHECKING:
    from workbench.project import Project

DRAWS = 2000
# the posterior of many customers is narrow: fewer draws find its mean and ends as well
FEWER_DRAWS = 1000
MANY_ROWS = 4000
_HOLDOUT_DRAWS = 200
KEPT_DRAWS = 500
MOST_GROUPS = 24
_FEWEST_REPEATERS = 20
_HOLDOUT_SHARE = 1 / 3
_SHORTEST_HOLDOUT_WEEKS = 8.0
_GRID = 120

Progress = Callable[[float], None]


@dataclass(frozen=True)
class _Group:
    """A group's posterior."""

    name: str
    rows: PurchaseRows
    purchases: PurchaseDraws
    spend: SpendDraws
    value: Array


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
        DataError: without orders, or when the group is not there.
        ModelError: when nobody came back, or a posterior fails its own diagnostics.
        WorkbenchError: when a setting is out of its range.
    """
    _check(settings)
    found = read(project, settings)
    if len(found.purchases) > MOST_GROUPS:
        raise WorkbenchError(
            "“{by}” has {n:count} groups; choose something with at most {most:count}.",
            by=settings.by,
            n=len(found.purchases),
            most=MOST_GROUPS,
        )
    seeds = independent_seeds(seed, len(found.purchases) + 3)
    everybody = found.everybody
    draws = DRAWS if len(everybody.x) < MANY_ROWS else FEWER_DRAWS
    whole = _fit("", everybody, found.all_spend, settings, draws, seeds[0])
    groups, left_out = _groups(found, settings, draws, seeds[3:])
    differences = _differences(groups, found, settings)
    confirmed = (
        _confirm(whole.rows, found.all_spend, settings, seed, progress, cancel) if settings.confirm else None
    )
    summary = ValueSummary(
        model=settings.model,
        customers=int(whole.rows.customers),
        rows=len(whole.rows.x),
        khat=_khat(whole),
        parameters=_estimates(whole),
        maximum_likelihood=_maximum_likelihood(whole.rows, found.all_spend, settings),
        confirmed=confirmed,
        value=[_value(group, settings) for group in groups or [whole]],
        differences=differences,
        holdout=_holdout(project, settings, found, seeds[1]),
    )
    checks = failures_first(
        [*value_checks(summary, found, settings), *left_out, *consent_checks(project, "orders")]
    )
    return ValueRecord(
        project=project.header,
        source=Source(
            fingerprints=project.fingerprints(*found.tables),
            first=reading.moment_of(found.first, project.settings.timezone),
            until=reading.moment_of(found.until, project.settings.timezone),
        ),
        seed=seed,
        checks=checks,
        definitions=found.rules,
        draws={group.name or "everybody": _thin(group.value).tolist() for group in (groups or [whole])},
        settings=settings,
        summary=summary,
        verdict=value_verdict(summary, settings, checks),
    )


def _maximum_likelihood(rows: PurchaseRows, money: SpendRows, settings: ValueSettings) -> dict[str, float]:
    """The classical estimates; empty where these data have none, which does not trouble the posterior."""
    try:
        bought, spent = purchases.maximum_likelihood(rows, settings.model), spend.maximum_likelihood(money)
    except ModelError:
        return {}
    return {
        **bought.parameters,
        "log_likelihood": bought.log_likelihood,
        **spent.parameters,
        "spend_log_likelihood": spent.log_likelihood,
    }


def _check(settings: ValueSettings) -> None:
    check_between(settings.horizon_weeks, 1, 2000, say("horizon in weeks"))
    check_between(settings.discount_per_year, 0, 10, say("discount per year"))
    check_between(settings.margin, 0, 1, say("margin"), open_low=True)
    check_between(settings.level, 0.5, 1, say("level"), open_low=True, open_high=True)


def _fit(
    name: str,
    rows: PurchaseRows,
    money: SpendRows,
    settings: ValueSettings,
    draws: int,
    seed: np.random.SeedSequence,
) -> _Group:
    one, other = independent_seeds(seed, 2)
    bought = purchases.posterior(rows, settings.model, draws, one)
    spent = spend.posterior(money, draws, other)
    value = lifetime_value.value_per_customer(
        bought, spent, settings.horizon_weeks, settings.discount_per_year, settings.margin
    )
    return _Group(name, rows, bought, spent, value)


def _groups(
    found: Histories, settings: ValueSettings, draws: int, seeds: list[np.random.SeedSequence]
) -> tuple[list[_Group], list[Check]]:
    """The groups that can be fitted, and what is to be said of those that cannot."""
    if settings.by is None:
        return [], []
    groups: list[_Group] = []
    small: list[str] = []
    withheld: list[Message] = []
    for (name, rows), seed in zip(found.purchases.items(), seeds, strict=True):
        money = found.spend.get(name)
        if money is None or money.customers < _FEWEST_REPEATERS:
            small.append(name)
            continue
        try:
            groups.append(_fit(name, rows, money, settings, draws, seed))
        except ModelError as error:
            withheld.append(say("{group}: {reason}", group=name, reason=error.message))
    if not groups:
        raise ModelError(
            "No group can be estimated alone: each needs at least {least:count} customers who bought again "
            "and a posterior that passes its checks; leave the grouping out.",
            least=_FEWEST_REPEATERS,
        )
    if found.control is not None:
        groups.sort(key=lambda group: (group.name == found.control, group.name))
    else:
        groups.sort(key=lambda group: -float(group.value.mean()))
    checks = []
    if small:
        text = say(
            "{n:count} groups have fewer than {least:count} customers who bought again and are left out: "
            "{names:listing}.",
            n=len(small),
            least=_FEWEST_REPEATERS,
            names=small,
        )
        checks.append(Check(name="small_groups", status="warn" if len(groups) > 1 else "fail", detail=text))
    if withheld:
        text = say("Some groups are withheld. {reasons:sentences}", reasons=withheld)
        checks.append(
            Check(name="withheld_groups", status="warn" if len(groups) > 1 else "fail", detail=text)
        )
    return groups, checks


def _differences(groups: list[_Group], found: Histories, settings: ValueSettings) -> list[ValueDifference]:
    """Each arm less the control; without one, each pair, the more valuable first."""
    if found.control is not None and any(group.name == found.control for group in groups):
        base = next(group for group in groups if group.name == found.control)
        pairs = [(group, base) for group in groups if group is not base]
    else:
        pairs = list(combinations(groups, 2))
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
                word=found.word,
            )
        )
    return results


def _value(group: _Group, settings: ValueSettings) -> GroupValue:
    low, high = np.quantile(group.value, [(1 - settings.level) / 2, (1 + settings.level) / 2])
    number = purchases.expected_purchases(group.purchases, settings.horizon_weeks)
    return GroupValue(
        group=group.name or None,
        customers=int(group.rows.customers),
        mean=float(group.value.mean()),
        sd=float(group.value.std(ddof=1)),
        interval=(float(low), float(high)),
        purchases=float(number.mean()),
        spend=float(spend.expected_spend(group.spend).mean()),
        khat=_khat(group),
        parameters=_estimates(group),
        density=_density(group.value),
    )


def _khat(group: _Group) -> float:
    return max(group.purchases.checks["khat"], group.spend.checks["khat"])


def _estimates(group: _Group) -> dict[str, Estimate]:
    draws = {
        **{name: getattr(group.purchases, name) for name in ("r", "alpha", "a", "b")},
        **{name: getattr(group.spend, name) for name in ("p", "q", "v")},
    }
    return {
        name: Estimate(mean=float(values.mean()), sd=float(values.std(ddof=1)))
        for name, values in draws.items()
    }


def _density(draws: Array) -> Density:
    """A kernel density of draws on a grid, and fifty of their quantiles."""
    from scipy.stats import gaussian_kde

    low, high = np.quantile(draws, [0.0005, 0.9995])
    x = np.linspace(low, high, _GRID)
    y = gaussian_kde(draws)(x)
    dots = np.quantile(draws, (np.arange(50) + 0.5) / 50)
    return Density(x=x.tolist(), y=y.tolist(), dots=dots.tolist())


def _thin(draws: Array) -> Array:
    return draws[:: max(1, len(draws) // KEPT_DRAWS)][:KEPT_DRAWS]


def _holdout(
    project: Project, settings: ValueSettings, found: Histories, seed: np.random.SeedSequence
) -> Holdout | None:
    """Foretell the last third of the time from the first two; None when that is too short to say anything."""
    days = (found.until - found.first).days
    split = found.until - timedelta(days=int(days * _HOLDOUT_SHARE))
    weeks = (found.until - split).days / 7
    if weeks < _SHORTEST_HOLDOUT_WEEKS:
        return None
    try:
        before = reading.read(project, settings, split)
        draws = purchases.posterior(before.everybody, settings.model, FEWER_DRAWS, seed)
    except WorkbenchError:
        return None
    known = before.everybody
    actual = reading.repeat_purchases(found, split) - float(known.n @ known.x)
    result = lifetime_value.holdout(known, draws.thin(_HOLDOUT_DRAWS), weeks, actual, settings.level, seed)
    return Holdout(
        split=split,
        weeks=weeks,
        predicted=result.predicted,
        interval=(result.low, result.high),
        actual=round(actual),
    )


def _confirm(
    rows: PurchaseRows,
    money: SpendRows,
    settings: ValueSettings,
    seed: int,
    progress: Progress | None,
    cancel: Event | None,
) -> dict[str, Estimate]:
    """The same posterior by PyMC's sampler."""
    from workbench.models import nuts

    one, other = independent_seeds(seed, 2)

    def part(begin: float) -> Progress | None:
        return None if progress is None else lambda share: progress(begin + share / 2)

    bought = nuts.purchase_posterior(rows, settings.model, seed=one, progress=part(0.0), cancel=cancel)
    spent = nuts.spend_posterior(money, seed=other, progress=part(0.5), cancel=cancel)
    return _estimates(_Group("", rows, bought, spent, np.empty(0)))
