"""How well models of purchases foretell what they have not seen: fitted until a day, judged by what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from workbench.analyses import histories as reading
from workbench.analyses.histories import Aftermath, Histories
from workbench.engines import cancelling
from workbench.errors import ModelError, WorkbenchError, check_between
from workbench.locale import say
from workbench.models import purchases, spend, validation
from workbench.models.foretelling import Ahead, SpendLines, each_draw
from workbench.models.importance import Array, independent_seeds
from workbench.models.leave_one_out import LeaveOneOut, leave_one_out
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.models.validation import Foretold
from workbench.records import ValueSettings
from workbench.records.validation import Band, Errors, Tracked, Validation

if TYPE_CHECKING:
    from workbench.project import Project

MODELS = ("bg-nbd", "mbg-nbd", "pareto-nbd")
HELD_SHARE = 1 / 3
SHORTEST_WEEKS = 4.0
_DRAWS = 1000
_LOOKED_AT = 100  # draws that customers are foretold with
_MOST_LEFT_OUT = 3000  # rows: each is left out by itself
_TRACKED = 20  # draws, and at most so many points of time


def held_back(project: Project, settings: ValueSettings, days: int | None = None) -> date:
    """The last day that a model sees when so many are held back; without, a third of the time.

    Raises:
        DataError: without orders.
        WorkbenchError: for a number of days that is none.
    """
    first, until = reading.days_of_orders(project, settings)
    if days is None:
        return default_split(first, until)
    check_between(days, 1, 3650, say("days held back"))
    return until - timedelta(days=days)


def default_split(first: date, until: date) -> date:
    """The day after which a third of the time that orders cover is held back."""
    return until - timedelta(days=int((until - first).days * HELD_SHARE))


def validate(
    project: Project,
    settings: ValueSettings,
    split: date,
    *,
    models: Sequence[str] = (),
    seed: int | np.random.SeedSequence = 1,
) -> Validation | None:
    """Foretell what came after a day from what was known at it.

    Args:
        project: Where the orders are.
        settings: The question; its model is judged.
        split: The last day that the models see.
        models: Others to be held beside it; see `MODELS`.
        seed: Of the draws.

    Returns:
        None where too little comes after the day, or the model cannot be fitted to what was before.

    Raises:
        DataError: without orders, or when the group is not there.
    """
    try:
        before = reading.read(project, settings, split)
        after = reading.read_aftermath(project, settings, split)
    except WorkbenchError:
        return None
    if after.followed.weeks < SHORTEST_WEEKS:
        return None
    seeds = independent_seeds(seed, 3)
    tried: dict[str, tuple[PurchaseDraws, Foretold]] = {}
    likelihoods: dict[str, float] = {}
    left_out: dict[str, LeaveOneOut] = {}
    known = before.everybody
    for model in dict.fromkeys((settings.model, *models)):
        cancelling.check()
        try:
            drawn = purchases.posterior(known, model, _DRAWS, seeds[0])
            draws = drawn.thin(_LOOKED_AT)
            tried[model] = draws, validation.judge(after.followed, draws, seeds[1])
            if models and len(known.n) <= _MOST_LEFT_OUT:
                left_out[model] = leave_one_out(purchases.log_likelihood(drawn, known), known.n)
            likelihoods[model] = purchases.maximum_likelihood(known, model).log_likelihood
        except ModelError:
            if model == settings.model and model not in tried:
                return None
    draws, judged = tried[settings.model]
    return Validation(
        split=split,
        weeks=after.followed.weeks,
        model=settings.model,
        customers=round(after.followed.n.sum()),
        actual=round(after.followed.total),
        money=_money(before, after, draws, seeds[2]),
        methods=[
            *(_errors(model, one.errors) for model, (_, one) in tried.items()),
            _errors("same-rate", validation.same_rate(after.followed)),
            _errors("nobody", validation.nobody(after.followed)),
        ],
        by_purchases=[_band(band) for band in judged.by_x],
        by_probability=[_band(band) for band in judged.by_probability],
        brier=judged.brier,
        brier_of_share=judged.brier_of_share,
        crps=judged.crps,
        crps_of_all=judged.crps_of_all,
        coverage={f"{level:g}": share for level, share in judged.coverage.items()},
        tracking=_tracking(after, draws),
        log_likelihoods=likelihoods,
        behind=_behind(left_out),
        binning=_binning(project, settings, split, known) if models else None,
    )


def _binning(project: Project, settings: ValueSettings, split: date, known: PurchaseRows) -> float | None:
    """How far weeks instead of days move the estimates; None where days were kept, or nothing can be said."""
    if known.customers <= reading.EXACT_UP_TO:
        return None
    try:
        days = reading.by_the_day(project, settings.model_copy(update={"until": split}))
        exact = purchases.maximum_likelihood(days, settings.model)
        binned = purchases.maximum_likelihood(known, settings.model)
    except ModelError:
        return None
    return max(
        abs(binned.parameters[name] - value) / exact.standard_errors[name]
        for name, value in exact.parameters.items()
    )


def _behind(left_out: Mapping[str, LeaveOneOut]) -> dict[str, tuple[float, float]]:
    """How far each model is behind the best; nothing where one of them cannot be trusted."""
    if len(left_out) < 2 or not all(one.sound for one in left_out.values()):
        return {}
    best = max(left_out.values(), key=lambda one: one.elpd)
    return {model: best.better_than(one) for model, one in left_out.items()}


def _errors(method: str, found: validation.Errors) -> Errors:
    return Errors(
        method=method,
        predicted=found.total,
        mae=found.mae,
        rmse=found.rmse,
        correlation=found.correlation,
    )


def _band(found: validation.Band) -> Band:
    return Band(
        label=int(found.label),
        customers=round(found.n),
        predicted=found.predicted,
        interval=(found.low, found.high),
        actual=found.actual,
    )


def _money(
    before: Histories, after: Aftermath, draws: PurchaseDraws, seed: np.random.SeedSequence
) -> tuple[float, float] | None:
    """Predicted and actual money: purchases of each row times what its customers spend on one."""
    try:
        lines = SpendLines.of(
            spend.posterior(before.all_spend, _DRAWS, seed), int(after.followed.histories.x.max())
        )
    except ModelError:
        return None
    ahead, number = Ahead(after.followed.histories), np.zeros_like(after.followed.n)
    for draw in each_draw(draws):
        cancelling.check()
        number += ahead.alive(draw) * ahead.purchases_if_alive(draw, after.followed.weeks) / len(draws)
    # linear in what was spent, so that the sum over a row's customers needs their sum only
    line = lines.mean[after.followed.histories.x.astype(int)]
    worth = line[:, 0] * after.followed.n + line[:, 1] * np.maximum(after.spent, 0.0)
    return float(number @ worth), after.later_spent


def _tracking(after: Aftermath, draws: PurchaseDraws) -> list[Tracked]:
    """Cumulated purchases at some twenty points of time, as foretold and as they came."""
    whole = int(after.followed.weeks)  # a part of a week at the end is left out
    weeks = np.unique(np.linspace(1, whole, min(whole, _TRACKED)).round().astype(int))
    foretold = validation.tracking(after.followed, draws.thin(_TRACKED), weeks.astype(float))
    low, high = np.quantile(foretold, [0.025, 0.975], axis=0)
    came: Array = np.cumsum(after.by_week)
    return [
        Tracked(
            week=float(week),
            predicted=float(foretold[:, i].mean()),
            interval=(float(low[i]), float(high[i])),
            actual=int(came[week - 1]),
        )
        for i, week in enumerate(weeks)
    ]
