"""When people come: visits an hour for each hour of the week, and which of them may be the busiest.

What chance alone would make of an hour's visits is not enough: campaigns and holidays move whole weeks. How
far weeks differ is measured, as the ratio φ of the variance of an hour's visits between whole weeks to their
mean, over all hours together (quasi-Poisson; McCullagh and Nelder 1989, *Generalized Linear Models*, 6.2),
and φ visits count as one: with n visits in h hours a rate is Gamma(n/φ + ½, h/φ).

The largest of 168 numbers is large by chance as well. Hours that differ less from it than the largest of so
many differences would by chance may be as busy (Hsu 1984, *Annals of Statistics* 12, 1136–1144, with
Bonferroni's bound).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.analyses.estimates import Estimate, Needs
from workbench.clock import day_number, offsets
from workbench.engines import Engine
from workbench.locale import Message, say
from workbench.metrics.cells import ask
from workbench.metrics.hours import HOURS, by_hour, covered

type Floats = NDArray[np.float64]

_LEAST_WEEKS = 2.0
_WEEKDAYS = (
    say("Mondays"),
    say("Tuesdays"),
    say("Wednesdays"),
    say("Thursdays"),
    say("Fridays"),
    say("Saturdays"),
    say("Sundays"),
)


@dataclass(frozen=True)
class Hour:
    """An hour of the week on the shop's clock.

    Attributes:
        weekday: 0 is Monday.
        hour: From 0 to 23.
        visits: That began in it.
        hours: How often it was in the data.
        rate: Visits an hour; None where it was not in the data.
    """

    weekday: int
    hour: int
    visits: int
    hours: float
    rate: Estimate | None


@dataclass(frozen=True)
class Hours:
    """When people come.

    Attributes:
        hours: All 168, from Monday, midnight.
        by_day, by_hour: Visits an hour, by weekday (7) and by hour of the day (24); None where there are no
            data.
        weeks: So many weeks the data cover.
        spread: φ; 1 where weeks differ as chance makes them differ.
        usual: Visits an hour over the whole week.
        busiest: The hour with the highest rate.
        near: How many others may be as busy.
    """

    hours: tuple[Hour, ...]
    by_day: tuple[float | None, ...]
    by_hour: tuple[float | None, ...]
    weeks: float
    spread: float
    usual: float
    busiest: Hour
    near: int
    sentence: Message

    @property
    def alike(self) -> bool:
        """Whether no hour stands out: most may be as busy as the busiest."""
        return self.near > HOURS / 2


def when(engine: Engine, visited: Any, timezone: str, edges: tuple[int, int], level: float) -> Hours | Needs:
    """Visits by hour of the week.

    Args:
        engine: Where the events are.
        visited: What `metrics.engagement.visits` gives.
        timezone: The shop's.
        edges: The first and the last second of the events.
        level: Probability of the intervals.
    """
    stretch = covered(timezone, edges[0], edges[1] + 1)
    weeks = float(stretch.sum()) / HOURS
    if weeks < _LEAST_WEEKS:
        return Needs(
            say(
                "When people come in the week is told from {n:count} weeks of events on; there are "
                "{have:number}.",
                n=_LEAST_WEEKS,
                have=weeks,
            )
        )
    cells = ask(engine, by_hour(visited, offsets(timezone, *edges)), ["week", "hour"]).to_pylist()
    n = np.zeros(HOURS)
    for cell in cells:
        n[int(cell["hour"])] += int(cell["n"])
    spread = _spread(cells, *(day_number(edge, timezone) for edge in edges))
    rates = _rates(n, stretch, spread, level)
    hours = tuple(
        Hour(place // 24, place % 24, int(n[place]), float(stretch[place]), rates[place])
        for place in range(HOURS)
    )
    best, near = _near(n, stretch, spread, level)
    busiest = hours[best]
    usual = float(n.sum() / stretch.sum())
    assert busiest.rate is not None
    return Hours(
        hours=hours,
        by_day=_mean(n.reshape(7, 24).sum(1), stretch.reshape(7, 24).sum(1)),
        by_hour=_mean(n.reshape(7, 24).sum(0), stretch.reshape(7, 24).sum(0)),
        weeks=weeks,
        spread=spread,
        usual=usual,
        busiest=busiest,
        near=near,
        sentence=_sentence(busiest, busiest.rate.value, usual, near),
    )


def _sentence(busiest: Hour, rate: float, usual: float, near: int) -> Message:
    values = {
        "weekday": weekday(busiest.weekday),
        "hour": busiest.hour,
        "then": busiest.hour + 1,
        "rate": rate,
        "times": rate / usual,
    }
    if near > HOURS / 2:
        return say(
            "No hour of the week stands out: {usual:number} visits an hour, as far as these weeks can tell.",
            usual=usual,
        )
    if not near:
        return say(
            "Most people come on {weekday} from {hour:plain} to {then:plain}: {rate:number} visits an hour, "
            "{times:number} times as many as over the whole week.",
            **values,
        )
    return say(
        "Most people come on {weekday} from {hour:plain} to {then:plain}: {rate:number} visits an hour, "
        "{times:number} times as many as over the whole week. Other hours of the week that may be as busy: "
        "{near:count}.",
        **values,
        near=near,
    )


def weekday(day: int) -> Message:
    """What a day is called where all of them are meant; 0 is Monday."""
    return _WEEKDAYS[day]


def _mean(n: Floats, hours: Floats) -> tuple[float | None, ...]:
    return tuple(float(a / b) if b else None for a, b in zip(n, hours, strict=True))


def _spread(cells: Sequence[Mapping[str, Any]], first_day: int, last_day: int) -> float:
    """φ, from the weeks that the data cover whole."""
    whole = range(-(-(first_day + 4) // 7), (last_day - 4) // 7 + 1)  # no part of a day is missing
    if len(whole) < 2:
        return 1.0
    n = np.zeros((len(whole), HOURS))
    for cell in cells:
        week = int(cell["week"])
        if week in whole:
            n[week - whole[0], int(cell["hour"])] += int(cell["n"])
    mean = n.mean(0)
    if not mean.sum():
        return 1.0
    return max(1.0, float(((n - mean) ** 2).sum() / ((len(whole) - 1) * mean.sum())))


def _rates(n: Floats, hours: Floats, spread: float, level: float) -> list[Estimate | None]:
    from scipy import stats

    known = np.where(hours > 0, hours, np.nan)
    shape, scale = n / spread + 0.5, spread / known
    low, high = (stats.gamma.ppf(side, shape, scale=scale) for side in ((1 - level) / 2, (1 + level) / 2))
    return [
        Estimate(float(n[place] / hours[place]), float(low[place]), float(high[place]))
        if hours[place]
        else None
        for place in range(HOURS)
    ]


def _near(n: Floats, hours: Floats, spread: float, level: float) -> tuple[int, int]:
    """The place of the highest rate, and how many others may be as high."""
    from scipy import stats

    rate = np.divide(n, hours, out=np.full(HOURS, -1.0), where=hours > 0)
    best, there = int(rate.argmax()), hours > 0
    others = there & (np.arange(HOURS) != best)
    log = np.log((n[there] + 0.5) / hours[there])
    apart = np.full(HOURS, np.inf)
    apart[there] = (np.log((n[best] + 0.5) / hours[best]) - log) / np.sqrt(
        spread / (n[best] + 0.5) + spread / (n[there] + 0.5)
    )
    least = float(stats.norm.ppf(1 - (1 - level) / 2 / max(1, int(others.sum()))))
    return best, int((apart[others] < least).sum())
