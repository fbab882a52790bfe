"""What cohorts are worth: two held against each other at one age, and what is still to come of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.analyses import histories as reading
from workbench.analyses.cohort_days import Asked, cohort_name
from workbench.engines import Engine, cancelling
from workbench.errors import DataError, ModelError
from workbench.metrics import cohorts as counting
from workbench.metrics.cells import ask
from workbench.metrics.cohorts import AGES, SIZES
from workbench.metrics.purchases import WEEK_DAYS
from workbench.models import purchases, spend
from workbench.models.foretelling import Ahead, Histories, each_draw
from workbench.models.importance import Array, independent_seeds
from workbench.models.spend import expected_spend
from workbench.moments import Moments
from workbench.records import ValueSettings
from workbench.records.cohorts import Cohort, CohortDifference, CohortSettings, Projected

if TYPE_CHECKING:
    from workbench.project import Project

_MODEL = "mbg-nbd"
_DRAWS = 1000
_LOOKED_AT = 40  # draws that customers are foretold with
_MOST_POINTS = 6
_FEWEST = 10  # customers of a cohort that is compared
_SAMPLE = 20_000  # draws of a difference


def project_value(
    project: Project,
    settings: CohortSettings,
    asked: Asked,
    cohorts: list[Cohort],
    seed: int,
    *,
    use_margin: bool,
) -> dict[str, tuple[Projected, ...]]:
    """Cohort → what one of its customers will have brought; empty where the model does not fit.

    All customers give the posterior; each cohort's own histories, and what it brought so far, say what is to
    come of it.
    """
    if not settings.project_periods:
        return {}
    seeds = independent_seeds(seed, 2)
    try:
        found = reading.read(project, ValueSettings(until=reading.day_of(asked.end_day)))
        rows, money = found.everybody, found.all_spend
        bought = purchases.posterior(rows, _MODEL, _DRAWS, seeds[0]).thin(_LOOKED_AT)
        paid = expected_spend(spend.posterior(money, _DRAWS, seeds[1]))
    except (DataError, ModelError):
        return {}
    end = (found.until - reading.day_of(0)).days
    names = [cohort_name("", round(end - weeks * WEEK_DAYS), asked.period, grouped=False) for weeks in rows.T]
    places = {one.name: place for place, one in enumerate(cohorts)}
    known = np.array([places.get(name, -1) for name in names])
    kept = known >= 0
    rows, known = rows.where(kept), known[kept]
    steps = np.unique(
        np.linspace(1, settings.project_periods, min(_MOST_POINTS, settings.project_periods)).round()
    )
    length, parts = AGES[asked.period]
    days = length / parts
    ahead, expected = Ahead(Histories(rows.x, rows.t_x, rows.T)), []
    for draw in each_draw(bought):
        cancelling.check()
        there = rows.n * ahead.alive(draw)
        expected.append(
            [
                np.bincount(
                    known, there * ahead.purchases_if_alive(draw, step * days / WEEK_DAYS), len(cohorts)
                )
                for step in steps
            ]
        )
    future = np.array(expected)  # draws × steps × cohorts
    # of each draw of purchases one of spend: they are independent
    worth = paid[np.linspace(0, len(paid) - 1, len(future)).round().astype(int)]
    per_order = _kept_share(cohorts, settings, use_margin=use_margin) * worth
    ages = np.bincount(known, rows.n * rows.T, len(cohorts)) / np.maximum(
        np.bincount(known, rows.n, len(cohorts)), 1
    )
    result = {}
    for place, one in enumerate(cohorts):
        if not one.cells or not np.any(known == place):
            continue
        now = one.cells[-1].value or 0.0
        start = max(float(ages[place]) * WEEK_DAYS / days, one.cells[-1].age + 1.0)
        points = [Projected(age=start, value=now, interval=(now, now))]
        for i, step in enumerate(steps):
            draws: Array = now + future[:, i, place] / one.customers * per_order
            low, high = np.quantile(draws, [(1 - settings.level) / 2, (1 + settings.level) / 2])
            interval = (float(low), float(high))
            points.append(Projected(age=start + float(step), value=float(draws.mean()), interval=interval))
        result[one.name] = tuple(points)
    return result


def _kept_share(cohorts: list[Cohort], settings: CohortSettings, *, use_margin: bool) -> float:
    """What is kept of revenue: measured over all cohorts, or the share that was given."""
    if not use_margin:
        return settings.margin
    revenue = sum(cell.revenue or 0.0 for one in cohorts for cell in one.cells)
    return sum(cell.margin or 0.0 for one in cohorts for cell in one.cells) / revenue if revenue else 1.0


def compare(
    engine: Engine,
    settings: CohortSettings,
    asked: Asked,
    cohorts: list[Cohort],
    seed: int,
    *,
    use_margin: bool,
) -> CohortDifference | None:
    """Hold two cohorts against each other: means of independent customers, as Student's t has them.

    Raises:
        DataError: when a cohort that was named is not there, or has not lived so long.
    """
    pair = _pair(settings, cohorts)
    if pair is None:
        return None
    first, second, age = pair
    asked_for = counting.value_until(asked.people, asked.orders, **asked.common, age=age, margin=use_margin)
    moments = {first: Moments.empty(), second: Moments.empty()}
    for row in ask(engine, asked_for, SIZES).to_pylist():
        name = cohort_name(row["group"], row["day"], asked.period, grouped=settings.by is not None)
        if name in moments:
            n = int(row["n"])
            moments[name] = moments[name] + Moments(
                n, float(row["mean"]), n * max(0.0, float(row["variance"]))
            )
    if min(moments[first].n, moments[second].n) < 2:
        return None  # one customer has no spread
    share = 1.0 if use_margin else settings.margin
    rng = np.random.default_rng(seed)
    one, other = (_mean(moments[name], share, rng) for name in (first, second))
    gap = one - other
    low, high = np.quantile(gap, [(1 - settings.level) / 2, (1 + settings.level) / 2])
    means = (share * moments[first].mean, share * moments[second].mean)
    return CohortDifference(
        cohorts=(first, second),
        age=age,
        means=means,
        customers=(moments[first].n, moments[second].n),
        mean=means[0] - means[1],
        interval=(float(low), float(high)),
        probability_positive=float(np.mean(gap > 0)),
    )


def _mean(of: Moments, share: float, rng: np.random.Generator) -> Array:
    """Draws of a mean, as Student's t has it without a prior."""
    sd = np.sqrt(of.m2 / (of.n - 1) / of.n)
    return np.asarray(share * (of.mean + sd * rng.standard_t(of.n - 1, _SAMPLE)))


def _pair(settings: CohortSettings, cohorts: list[Cohort]) -> tuple[str, str, int] | None:
    """The two cohorts and the age at which they are compared.

    Ages count for a cohort when all of it has lived through them.
    """
    whole = {one.name: sum(cell.whole for cell in one.cells) for one in cohorts}
    if settings.compare is None:
        long = max(whole.values(), default=0) // 3 if settings.age is None else settings.age
        fit = [one for one in cohorts if one.customers >= _FEWEST and whole[one.name] > long]
        if len(fit) < 2:
            return None
        # of a column the two largest, of beginnings the newest against the oldest
        first, second = (fit[0].name, fit[1].name) if settings.by else (fit[-1].name, fit[0].name)
    else:
        first, second = settings.compare
        for name in (first, second):
            if name not in whole:
                raise DataError(
                    "There is no cohort “{name}”; there are: {known}.", name=name, known=", ".join(whole)
                )
    most = min(whole[first], whole[second]) - 1
    age = most if settings.age is None else settings.age
    if first == second or most < 0:
        return None
    if age > most:
        raise DataError(
            "Not all customers of “{first}” and “{second}” have lived through age {age:count} yet; choose "
            "{most:count} or less.",
            first=first,
            second=second,
            age=age,
            most=most,
        )
    return first, second, age
