"""Occasions: who is still there, which of the next ones are taken, and how groups differ.

Histories by period leave the engine as counts; the model (`models.bg_bb`) is fitted to them, and to the same
histories as they were some periods ago, to see whether it foretold the periods since.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from workbench.analyses import histories as reading
from workbench.analyses.groups import described
from workbench.analyses.occasion_rows import Counted, ahead_of, cells, foretold, from_draws, futures
from workbench.analyses.occasion_words import occasion_checks, sentence
from workbench.analyses.occasions_found import (
    OPENED,
    ORDERS,
    Difference,
    GroupOccasions,
    OccasionSettings,
    OccasionsView,
    action_name,
    period_name,
)
from workbench.clock import day_number, offsets
from workbench.engines import Engine, has, span, table
from workbench.errors import DataError, ModelError, check_between, check_choice
from workbench.locale import say
from workbench.metrics import actions
from workbench.metrics import occasions as counting
from workbench.metrics.cells import ask
from workbench.metrics.occasions import KEYS, PERIODS, Period, period_number
from workbench.metrics.purchases import EVERYBODY, Clock, day_at
from workbench.models import bg_bb
from workbench.models.bg_bb import OpportunityDraws
from workbench.models.drawn import density_of
from workbench.models.importance import Array, independent_seeds
from workbench.records import Density

if TYPE_CHECKING:
    from workbench.project import Project

_DRAWS = 1000
_MOST_GROUPS = 24
_GRID = 121


def analyse(project: Project, settings: OccasionSettings, seed: int = 1) -> OccasionsView:
    """Answer the question in `settings` from what the project's customers did.

    Raises:
        DataError: without actions or a whole period after the first ones, or when the group is not there.
        ModelError: when nobody did it again, or a posterior fails its own diagnostics.
        WorkbenchError: when a setting is out of its range.
    """
    _check(settings)
    asked = _Asked(project, settings)
    counts = asked.counts()
    everybody = Counted.together(list(counts.values()))
    if not np.any(everybody.x > 0):
        raise ModelError(
            "None of {n:count} customers did it again ({action}) in a whole {period} after the first one, so "
            "nothing can be said of further ones; wait, or ask for longer periods.",
            n=everybody.customers,
            action=action_name(settings),
            period=period_name(settings.period),
        )
    seeds = independent_seeds(seed, len(counts) + 3)
    draws = bg_bb.posterior(everybody.rows(), _DRAWS, seeds[0])
    known: dict[str, tuple[Counted, OpportunityDraws]] = {}
    left_out = []
    for (name, one), own in zip(counts.items(), seeds[3:], strict=True):
        try:
            known[name] = one, draws if len(counts) == 1 else bg_bb.posterior(one.rows(), _DRAWS, own)
        except ModelError:
            left_out.append(name)
    known = known or {EVERYBODY: (everybody, draws)}
    whole = ahead_of(everybody.rows(), draws, settings.horizon)
    groups = tuple(
        _group(name, one, own, settings, place)
        for (name, (one, own)), place in zip(
            known.items(), independent_seeds(seeds[1], len(known)), strict=True
        )
    )
    differences = _differences({name: own for name, (_, own) in known.items()}, asked.grouping, settings)
    held = foretold(everybody, asked.held, asked.came, settings, seeds[2])
    return OccasionsView(
        settings=settings,
        first=period_begin(asked.last - int(everybody.n.max()) + 1, settings.period),
        until=period_begin(asked.last + 1, settings.period) - timedelta(days=1),
        most=int(everybody.n.max()),
        unseen=asked.people_count() - everybody.customers,
        sentence=sentence(groups, differences, settings),
        foretold=held,
        groups=groups,
        differences=differences,
        cells=cells(everybody, whole),
        parameters={name: float(getattr(draws, name).mean()) for name in bg_bb.PARAMETERS},
        diagnostics={
            "khat": max(float(own.checks["khat"]) for _, own in known.values()),
            "ess": min(float(own.checks["ess"]) for _, own in known.values()),
        },
        checks=tuple(
            occasion_checks(held, groups, left_out, asked.grouping, settings, most=int(everybody.n.max()))
        ),
    )


def period_begin(number: int, period: Period) -> date:
    """The first day of the period with that number; see `metrics.occasions.period_number`.

    >>> period_begin(period_number(59, "month"), "month"), period_begin(period_number(4, "week"), "week")
    (datetime.date(1970, 3, 1), datetime.date(1970, 1, 5))
    """
    if period == "week":
        return reading.day_of(7 * number - 3)
    months = number if period == "month" else 3 * number
    return date(months // 12, months % 12 + 1, 1)


def _check(settings: OccasionSettings) -> None:
    check_choice(settings.period, PERIODS, say("period"))
    check_between(settings.horizon, 1, 260, say("horizon in periods"))
    if settings.held_periods is not None:
        check_between(settings.held_periods, 1, 260, say("periods held back"))
    check_between(settings.level, 0.5, 1, say("level"), open_low=True, open_high=True)


class _Asked:
    """The question as tables on the engine, and what it answers.

    Attributes:
        last: The last whole period.
        held: How many periods are held back.
        grouping: What a difference between the groups may be called.
    """

    def __init__(self, project: Project, settings: OccasionSettings) -> None:
        self._engine, self._settings = project.engine, settings
        engine, timezone = project.engine, project.settings.timezone
        needed = _tables(settings)
        seconds = span(engine, *needed) if has(engine, *needed) else None
        if seconds is None:
            raise DataError(_missing(settings))
        whole = span(engine, *needed, "exposures") or seconds
        clock = offsets(timezone, *whole)
        end = day_number(seconds[1], timezone)
        if settings.until is not None:
            end = min(end, (settings.until - reading.day_of(0)).days)
        self.last = int(period_number(end + 1, settings.period)) - 1
        longest = self.last - int(period_number(day_number(seconds[0], timezone), settings.period))
        if longest < 1:
            raise DataError(
                "There is no whole {period} after the first one in these data, which end on {day:date}; ask "
                "for shorter periods, or load later data.",
                period=period_name(settings.period),
                day=reading.day_of(end),
            )
        self.held = settings.held_periods if settings.held_periods is not None else longest // 3
        self._acts, begun = _acts(engine, settings, clock)
        self.grouping = reading.Grouping.of(project, settings.by)
        self._people = _people(engine, settings, begun, self.grouping, clock)

    @property
    def _common(self) -> dict[str, Any]:
        return {"period": self._settings.period, "last": self.last, "split": self.last - self.held}

    def people_count(self) -> int:
        """Customers who began at all."""
        return int(ask(self._engine, self._people.aggregate(n=self._people.count())).to_pylist()[0]["n"])

    def counts(self) -> dict[str, Counted]:
        """Histories by group, sorted by name.

        Raises:
            DataError: when nobody had an occasion, or there are too many groups.
        """
        each = counting.customers(self._people, self._acts, **self._common)
        found = ask(self._engine, counting.counted(each), KEYS)
        if not found.num_rows:
            raise DataError(
                "No customer has had a whole {period} since the first time yet ({action}); ask for shorter "
                "periods.",
                period=period_name(self._settings.period),
                action=action_name(self._settings),
            )
        names = np.asarray(found["group"].to_pylist(), dtype=object)
        groups = sorted(set(names))
        if len(groups) > _MOST_GROUPS:
            raise DataError(
                "“{by}” has {n:count} groups; choose something with at most {most:count}.",
                by=self._settings.by,
                n=len(groups),
                most=_MOST_GROUPS,
            )
        columns = [found[name].to_numpy().astype(float) for name in (*KEYS[1:], "count")]
        return {name: Counted(*(column[names == name] for column in columns)) for name in groups}

    def came(self) -> list[tuple[date, int]]:
        """Each period that was held back, and who took it of those who had an occasion before."""
        rows = ask(self._engine, counting.by_period(self._people, self._acts, **self._common), ["at"])
        took = {int(row["at"]): int(row["n"]) for row in rows.to_pylist()}
        numbers = range(self.last - self.held + 1, self.last + 1)
        return [(period_begin(number, self._settings.period), took.get(number, 0)) for number in numbers]


def _tables(settings: OccasionSettings) -> tuple[str, ...]:
    if settings.event is not None:
        return ("events",)
    return ("orders",) if settings.of == ORDERS else ("sends", "send_events")


def _missing(settings: OccasionSettings) -> Any:
    if settings.event is not None:
        return say("There are no events in this project yet; load them with their times.")
    if settings.of == OPENED:
        return say("There are no messages in this project yet; load those sent, and what came of them.")
    return say("There are no orders in this project yet; load them with their times.")


def _acts(engine: Engine, settings: OccasionSettings, clock: Clock) -> tuple[Any, Any]:
    """What people did, and `customer_id` and `begin` of everybody who began.

    Raises:
        DataError: when there is no event of that name.
    """
    if settings.event is not None:
        events = table(engine, "events")
        known = {row["name"]: row["n"] for row in ask(engine, actions.names(events), ["name"]).to_pylist()}
        if settings.event not in known:
            often = sorted(known, key=lambda name: -known[name])[: actions.MOST_NAMES]
            raise DataError(
                "There is no event “{name}”; there are: {known}.",
                name=settings.event,
                known=", ".join(often) or "–",
            )
        acts = counting.happened(events, settings.event, clock=clock)
        return acts, counting.first_days(acts)
    if settings.of == ORDERS:
        acts = counting.ordered(table(engine, "orders"), clock=clock)
        return acts, counting.first_days(acts)
    sends = table(engine, "sends")
    acts = counting.opened(sends, table(engine, "send_events"), clock=clock)
    return acts, counting.first_days(counting.sent(sends, clock=clock))


def _people(
    engine: Engine, settings: OccasionSettings, begun: Any, grouping: reading.Grouping, clock: Clock
) -> Any:
    """`customer_id`, `group` and `begin`: in an experiment the day of the first exposure.

    Raises:
        DataError: when the exposures have no times.
    """
    if settings.by is None:
        return begun.mutate(group=ibis.literal(EVERYBODY))
    if grouping.people is None:
        each, columns = described(engine, begun, settings.by, _MOST_GROUPS)
        return each.select("customer_id", "begin", group=each[columns[settings.by]])
    if grouping.control is None:
        return begun.inner_join(grouping.people.select("customer_id", "group"), "customer_id")
    if "as_of" not in grouping.people.columns:
        raise DataError(
            "The exposures to “{by}” have no times, so it is not known which occasions came after them.",
            by=settings.by,
        )
    timed = grouping.people.filter(grouping.people.as_of.notnull())
    return timed.select("customer_id", "group", begin=day_at(timed.as_of, clock))


def _group(
    name: str,
    one: Counted,
    draws: OpportunityDraws,
    settings: OccasionSettings,
    seed: np.random.SeedSequence,
) -> GroupOccasions:
    level, rows = settings.level, one.rows()
    there, future = futures(rows, draws, settings.horizon, seed)
    return GroupOccasions(
        group=name or None,
        customers=one.customers,
        occasions=int(one.count @ one.n),
        taken=int(one.count @ one.x),
        active=from_draws(there / one.customers, level),
        ahead=from_draws(ahead_of(rows, draws, settings.horizon).taken.sum(axis=1), level),
        total=from_draws(future.sum(axis=1), level),
        by_period=tuple(from_draws(column, level) for column in future.T),
        new=from_draws(_new(draws, settings), level),
    )


def _new(draws: OpportunityDraws, settings: OccasionSettings) -> Array:
    """Occasions that a customer takes who has just begun, draw by draw."""
    return bg_bb.expected_purchases(draws, settings.horizon)[:, 0]


def _differences(
    drawn: dict[str, OpportunityDraws], grouping: reading.Grouping, settings: OccasionSettings
) -> tuple[Difference, ...]:
    new = {name: _new(draws, settings) for name, draws in drawn.items()}
    if grouping.control in new:
        pairs = [(name, str(grouping.control)) for name in new if name != grouping.control]
    else:
        pairs = list(combinations(sorted(new, key=lambda name: -new[name].mean()), 2))
    return tuple(
        Difference(
            groups=(first, second),
            new=from_draws(new[first] - new[second], settings.level),
            probability_positive=float(np.mean(new[first] > new[second])),
            density=_density(new[first] - new[second]),
            word=grouping.word,
        )
        for first, second in pairs
    )


def _density(draws: Array) -> Density:
    ordered = np.sort(draws)
    low, high = np.quantile(ordered, [0.0005, 0.9995])
    room = 0.15 * (high - low)
    x = np.linspace(low - room, high + room, _GRID)
    dots = np.quantile(ordered, (np.arange(50) + 0.5) / 50)
    return Density(x=x.tolist(), y=density_of(ordered, x).tolist(), dots=dots.tolist())
