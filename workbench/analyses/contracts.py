"""Contracts: how long they are kept, what is still to come of them, and how groups differ.

Sums by periods seen and ended leave the engine; the model (`models.contracts`) is fitted to them, and to the
same contracts as they were some periods ago, to see whether it foretold the periods since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

import ibis
import numpy as np
from numpy.typing import NDArray

from workbench.analyses import histories as reading
from workbench.analyses.contract_words import contract_checks, sentence
from workbench.analyses.contracts_found import (
    FEWEST_ENDED,
    PERIODS,
    ContractSettings,
    ContractsView,
    Difference,
    Foretold,
    GroupContracts,
    Point,
    Worth,
)
from workbench.analyses.groups import described
from workbench.clock import day_number
from workbench.engines import has, span, table
from workbench.errors import DataError, ModelError, check_between, check_choice
from workbench.locale import say
from workbench.metrics import contracts as counting
from workbench.metrics import purchases as purchase_histories
from workbench.metrics.cells import ask
from workbench.models import contracts
from workbench.models.contracts import ContractDraws, ContractRows
from workbench.models.importance import Array, independent_seeds

if TYPE_CHECKING:
    from workbench.project import Project

DAY_SECONDS = 86_400
_DRAWS = 2000
_MOST_GROUPS = 24
_FEWEST_AT_RISK = 30  # for a point of the observed curve
_MOST_DRAWN = 60  # periods of a curve


@dataclass(frozen=True)
class _Counted:
    """Contracts by periods seen and the one in which they ended (0: they are kept), and their number."""

    seen: NDArray[np.int64]
    ended: NDArray[np.int64]
    n: Array

    def rows(self, ago: int = 0) -> ContractRows | None:
        """As they were some periods ago; None without a whole period of any."""
        seen = self.seen - ago
        there = seen >= 1
        ended = (self.ended > 0) & (self.ended <= seen)
        t = np.where(ended, self.ended, seen)
        return ContractRows(t[there], ended[there], self.n[there]) if there.any() else None


def analyse(project: Project, settings: ContractSettings, seed: int = 1) -> ContractsView:
    """Answer the question in `settings` from the project's customers and their ends.

    Raises:
        DataError: without customers, beginnings or ends, or when the group is not there.
        ModelError: when no contract has ended, or a posterior fails its own diagnostics.
        WorkbenchError: when a setting is out of its range.
    """
    _check(settings)
    counts, grouping, until = _read(project, settings)
    everybody = _Counted(
        np.concatenate([one.seen for one in counts.values()]),
        np.concatenate([one.ended for one in counts.values()]),
        np.concatenate([one.n for one in counts.values()]),
    )
    rows = everybody.rows()
    if rows is None:
        raise DataError(
            "No contract has been seen for a whole period yet; choose a shorter one.",
        )
    likelihoods = _likelihoods(rows)
    chosen = settings.model
    if chosen == "best":  # one parameter more has to gain one of log likelihood
        chosen = "bdw" if likelihoods.get("bdw", -np.inf) > likelihoods.get("sbg", -np.inf) + 1 else "sbg"
    seeds = independent_seeds(seed, len(counts) + 2)
    known, left_out = [], []
    for (name, one), own_seed in zip(counts.items(), seeds[2:], strict=True):
        own = one.rows()
        if own is None or own.n[own.ended].sum() < FEWEST_ENDED:
            left_out.append(name)
            continue
        known.append((name, own, contracts.posterior(own, chosen, _DRAWS, own_seed)))
    if not known:
        known = [("", rows, contracts.posterior(rows, chosen, _DRAWS, seeds[0]))]
    worth = {name: _new(draws, settings) for name, _, draws in known}
    groups = tuple(_group(name, own, draws, worth[name], settings) for name, own, draws in known)
    differences = _differences(worth, grouping, settings)
    foretold = _foretold(everybody, chosen, settings, seeds[1])
    return ContractsView(
        settings=settings,
        model=chosen,
        until=until,
        sentence=sentence(groups, differences, settings),
        groups=groups,
        differences=differences,
        foretold=foretold,
        log_likelihoods=likelihoods,
        checks=tuple(contract_checks(foretold, left_out, grouping, settings, len(groups))),
    )


def _check(settings: ContractSettings) -> None:
    check_choice(settings.period, PERIODS, say("period"))
    check_choice(settings.model, ("best", *contracts.MODELS), say("model of contracts"))
    check_between(settings.horizon, 1, 1200, say("horizon in periods"))
    check_between(settings.discount_per_year, 0, 10, say("discount per year"))
    check_between(settings.payment, 0, 1e9, say("margin of a payment"), open_low=True)
    check_between(settings.level, 0.5, 1, say("level"), open_low=True, open_high=True)


def _read(project: Project, settings: ContractSettings) -> tuple[dict[str, _Counted], reading.Grouping, date]:
    """Contracts by group, what a difference between the groups may be called, and the end of the data."""
    engine = project.engine
    if not has(engine, "customers", "churn"):
        raise DataError(
            "Contracts need customers with the day on which they signed up, and the days on which customers "
            "left; load both tables."
        )
    seconds = span(engine, "churn", "orders", "events", "exposures")
    if seconds is None:
        raise DataError("The days on which customers left are missing; load them again with their dates.")
    each = counting.customers(
        table(engine, "customers"),
        table(engine, "churn"),
        period_seconds=round(PERIODS[settings.period] * DAY_SECONDS),
        end=seconds[1],
    )
    grouping = reading.Grouping.of(project, settings.by)
    if grouping.people is not None:
        each = purchase_histories.of_people(each, grouping.people)
    elif settings.by is not None:
        each, columns = described(engine, each, settings.by, _MOST_GROUPS)
        each = each.rename(group=columns[settings.by])
    else:
        each = each.mutate(group=ibis.literal(purchase_histories.EVERYBODY))
    found = ask(engine, counting.counted(each), counting.KEYS)
    names = np.asarray(found["group"].to_pylist(), dtype=object)
    if not len(names):
        raise DataError("No customer has a day on which they signed up or were first seen; load these days.")
    seen, ended, n = (found[name].to_numpy() for name in ("seen", "ended", "n"))
    groups = sorted(set(names))
    if len(groups) > _MOST_GROUPS:
        raise DataError(
            "“{by}” has {n:count} groups; choose something with at most {most:count}.",
            by=settings.by,
            n=len(groups),
            most=_MOST_GROUPS,
        )
    counts = {
        name: _Counted(seen[names == name], ended[names == name], n[names == name].astype(float))
        for name in groups
    }
    day = day_number(seconds[1], project.settings.timezone)
    return counts, grouping, reading.day_of(day)


def _likelihoods(rows: ContractRows) -> dict[str, float]:
    """How well each model that can be fitted does, at its mode.

    Raises:
        ModelError: when none can.
    """
    found, reasons = {}, list[ModelError]()
    for name in contracts.MODELS:
        try:
            found[name] = contracts.likelihood_at_mode(rows, name)
        except ModelError as error:
            reasons.append(error)
    if not found:
        raise reasons[0]
    return found


def _per_period(settings: ContractSettings) -> float:
    """The discount between two payments."""
    return float((1 + settings.discount_per_year) ** (PERIODS[settings.period] / PERIODS["year"]) - 1)


def _new(draws: ContractDraws, settings: ContractSettings) -> Array:
    """Margin of a contract that begins now, draw by draw: its first payment falls due at once."""
    ahead = np.arange(settings.horizon)
    kept = contracts.survivors(draws, ahead)
    return np.asarray(settings.payment * (kept @ (1 + _per_period(settings)) ** -ahead))


def _still(rows: ContractRows, draws: ContractDraws, settings: ContractSettings) -> Array:
    """Margin still to come of a contract that is kept, on average over those that are, draw by draw."""
    kept = ~rows.ended
    total = np.zeros(len(draws.alpha))
    for t, n in zip(rows.t[kept], rows.n[kept], strict=True):
        total += n * contracts.residual_lifetime(draws, int(t), _per_period(settings), settings.horizon)
    return settings.payment * total / max(1.0, float(rows.n[kept].sum()))


def _group(
    name: str, rows: ContractRows, draws: ContractDraws, new: Array, settings: ContractSettings
) -> GroupContracts:
    seen = int(rows.t.max())
    year = max(1, min(seen, round(PERIODS["year"] / PERIODS[settings.period])))
    later = contracts.retention(draws, float(year + 1))
    return GroupContracts(
        group=name or None,
        contracts=round(rows.contracts),
        ended=round(rows.n[rows.ended].sum()),
        curve=_curve(rows, draws, settings),
        renewal=_worth(contracts.retention(draws, 1.0), settings.level),
        renewed_later=(year, _worth(later, settings.level)),
        new=_worth(new, settings.level),
        kept=_worth(_still(rows, draws, settings), settings.level),
    )


def _curve(rows: ContractRows, draws: ContractDraws, settings: ContractSettings) -> tuple[Point, ...]:
    """Observed as far as enough contracts were there, fitted to half as far again, or the horizon."""
    periods = np.arange(1, min(_MOST_DRAWN, max(settings.horizon, int(1.5 * rows.t.max()))) + 1)
    at_risk = np.array([rows.n[rows.t >= t].sum() for t in periods])
    ends = np.array([rows.n[rows.ended & (rows.t == t)].sum() for t in periods])
    observed = np.cumprod(1 - ends / np.maximum(at_risk, 1))
    fitted = contracts.survivors(draws, periods.astype(float))
    low, high = np.quantile(fitted, [(1 - settings.level) / 2, (1 + settings.level) / 2], axis=0)
    points = [Point(0, round(rows.contracts), 1.0, 1.0, (1.0, 1.0))]
    for i, t in enumerate(periods):
        known = float(observed[i]) if at_risk[: i + 1].min() >= _FEWEST_AT_RISK else None
        band = (float(low[i]), float(high[i]))
        points.append(Point(int(t), round(at_risk[i]), known, float(fitted[:, i].mean()), band))
    return tuple(points)


def _worth(draws: Array, level: float) -> Worth:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Worth(float(draws.mean()), (float(low), float(high)))


def _differences(
    worth: dict[str, Array], grouping: reading.Grouping, settings: ContractSettings
) -> tuple[Difference, ...]:
    if grouping.control in worth:
        pairs = [(name, grouping.control) for name in worth if name != grouping.control]
    else:
        pairs = list(combinations(sorted(worth, key=lambda name: -worth[name].mean()), 2))
    return tuple(
        Difference(
            (first, second),
            _worth(worth[first] - worth[second], settings.level),
            float(np.mean(worth[first] > worth[second])),
            grouping.word,
        )
        for first, second in pairs
    )


def _foretold(
    everybody: _Counted, model: str, settings: ContractSettings, seed: np.random.SeedSequence
) -> Foretold | None:
    """A third of the periods, foretold from those before: how many of the contracts then kept still are."""
    periods = int(everybody.seen.max()) // 3
    before = everybody.rows(periods)
    if periods < 1 or before is None or before.n[before.ended].sum() < FEWEST_ENDED:
        return None
    one, other = independent_seeds(seed, 2)
    try:
        draws = contracts.posterior(before, model, _DRAWS, one)
    except ModelError:
        return None
    kept = ~before.ended
    rng = np.random.default_rng(other)
    total, actual = np.zeros(_DRAWS), 0.0
    for t, n in zip(before.t[kept], before.n[kept], strict=True):
        share = contracts.survivors(draws, t + periods) / contracts.survivors(draws, t)
        total += rng.binomial(int(n), share)
    then = everybody.seen - periods
    was_kept = (then >= 1) & ((everybody.ended == 0) | (everybody.ended > then))
    actual = float(everybody.n[was_kept & (everybody.ended == 0)].sum())
    found = _worth(total, settings.level)
    return Foretold(periods, found.mean, found.interval, round(actual), round(before.n[kept].sum()))
