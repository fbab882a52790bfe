"""Rows a day, and the days on which some are likely to be missing.

How many rows a day should have is taken from the same day of the week in the four weeks before it or in those
after it, whichever is less: a shop that is closed on Sundays has no gap every Sunday, and one that grows has
none at its start. Rows come in bunches (a visit is several events), which is why a day's count is divided by
its dispersion φ, the variance over the mean: a day with the mean λ is empty with the probability exp(-λ/φ),
that of no bunch. A stretch of empty days is a gap when that probability, taken as often as there are days, is
below one in a hundred. Three orders a week may thus fail to come for a fortnight, a thousand a day not for a
day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from workbench.clock import DAY
from workbench.engines import Engine
from workbench.tables.checks.stored import HOUR, Floats, Series, Stored, day_of

ALARM = 0.01
"""Probability that a series without a fault raises an alarm, for gaps and for drops."""

CUT_ALARM = 0.001
"""Probability of so empty an end of the last day below which it is said to be cut."""

DROPPED_TO = 0.5
"""A drop is a fall to less than this share of what was usual."""

_WEEKS = 4
_LONGEST_USUAL_WEEKS = 52
_DROP_DAYS = (7, 3)
_LEAST_DISPERSION = 0.05
_FEWEST_DAYS = 14
_PRIOR_DAYS = 20.0
_WINSOR_SHARE, _WINSOR_MEAN = 0.95, 0.85  # of a chi-square with one degree of freedom, cut at its 95 %


@dataclass(frozen=True)
class Stretch:
    """Days with fewer rows than they should have: their first and last, the rows, and those expected."""

    first: date
    last: date
    rows: int
    expected: float

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} – {self.last}"


def coverage(
    engine: Engine, name: str, timezone: str = "UTC", now: datetime | None = None
) -> list[tuple[date, int]]:
    """How many rows a table has on each day, for a calendar.

    Args:
        engine: Where the table is.
        name: A standard table with a time.
        timezone: IANA name of the clock that days are counted on.
        now: The present; rows beyond it are left out.

    Returns:
        Every day from the first to the last, also those without rows; empty when nothing has a time.
    """
    found = Stored(engine, timezone, now, only=[name]).series.get(name)
    if found is None:
        return []
    return [(day_of((found.first + place) * DAY), int(rows)) for place, rows in enumerate(found.days)]


# --- gaps -----------------------------------------------------------------------------------------------


def gaps(days: Floats, first: int, *, series_tested: int = 1) -> list[Stretch]:
    """Stretches of empty days that chance hardly leaves empty.

    Args:
        days: Rows of each day.
        first: The first of these days, in days since 1970.
        series_tested: How many series are looked at together; the alarm of each is that much rarer.
    """
    empty = np.flatnonzero(days == 0)
    if not empty.size or days.size - empty.size < _FEWEST_DAYS:
        return []
    spread, found = dispersion(days), []
    for run in np.split(empty, np.flatnonzero(np.diff(empty) > 1) + 1):
        start, end = int(run[0]), int(run[-1]) + 1
        expected, weeks = min(
            _usual(days, start, end), _usual(days[::-1], days.size - end, days.size - start)
        )
        # the mean is known from a few weeks only: a Poisson mixed over the gamma posterior of its mean
        chance = (weeks / (weeks + 1)) ** (weeks * expected / spread) if expected else 1.0
        if chance * days.size * series_tested < ALARM:
            found.append(_stretch(days, first, start, end, expected))
    return found


def _usual(days: Floats, start: int, end: int) -> tuple[float, float]:
    """Rows that the four weeks before `start` let one expect until `end`, and how many weeks there are.

    Nothing is known before the first day: infinitely many, so that the other side decides.
    """
    before = days[max(0, start - 7 * _WEEKS) : start]
    if not before.size:
        return np.inf, 0.0
    week = np.full(7, before.mean())
    for weekday in range(7):
        same = before[np.arange(before.size) % 7 == (before.size - start + weekday) % 7]
        if same.size:
            week[weekday] = same.mean()
    return float(week[np.arange(start, end) % 7].sum()), before.size / 7


def dispersion(days: Floats) -> float:
    """Variance over mean of the days' counts around their day of the week, not counting the oddest days.

    The twentieth of the days with rows that fits worst is cut to the others, and twenty days of a Poisson are
    added, so that few days do not make much of themselves. Where half the days are empty it is one at least.
    """
    around = np.vstack([_weeks_before(days, _WEEKS), _weeks_before(days[::-1], _WEEKS)[:, ::-1]])
    there = ~np.isnan(around)
    known = there.any(0)
    count = there.sum(0)[known]
    mean = np.where(there, around, 0.0).sum(0)[known] / count
    squares, scale = (days[known] - mean) ** 2, mean * (1 + 1 / count)
    ratio, filled = squares[mean > 0] / scale[mean > 0], days[known][mean > 0] > 0
    if not filled.any():
        return 1.0
    cut = np.minimum(ratio, np.quantile(ratio[filled], _WINSOR_SHARE)).mean() / _WINSOR_MEAN
    found = float((cut * ratio.size + _PRIOR_DAYS) / (ratio.size + _PRIOR_DAYS))
    return max(found, _LEAST_DISPERSION if np.median(days) > 0 else 1.0)


def _weeks_before(days: Floats, weeks: int) -> Floats:
    """Rows of each day so many weeks before it, a week a row; NaN where there is none."""
    found = np.full((weeks, days.size), np.nan)
    for week in range(1, min(weeks, (days.size - 1) // 7) + 1):
        found[week - 1, 7 * week :] = days[: -7 * week]
    return found


def cut_short(found: Series) -> float:
    """Rows that are likely to be missing from the last day because it was not over when they were read.

    Nought where chance may well leave the rest of that day empty.
    """
    expected, weeks = _usual(found.days, found.days.size - 1, found.days.size)
    late = found.hours[found.last % DAY // HOUR + 1 :].sum() / found.hours.sum()
    if weeks < 2 or np.exp(-expected * late / dispersion(found.days)) > CUT_ALARM:
        return 0.0
    return float(expected * late)


# --- drops ----------------------------------------------------------------------------------------------


def drops(days: Floats, first: int, *, without: Sequence[Stretch] = ()) -> list[Stretch]:
    """Stretches in which rows fell at once to less than half of what was usual.

    Usual is the least of three, all of the same day of the week: a week ago, the median of four weeks and
    that of a year. So neither a decline nor the end of a busy season is a drop. The first and the last day
    are left out, since they may be cut; so is what is empty altogether, which is a gap.

    Args:
        days: Rows of each day.
        first: The first of these days, in days since 1970.
        without: Gaps that are known.
    """
    if np.count_nonzero(days) < 7 * 2 + max(_DROP_DAYS):
        return []
    from scipy.special import betainc

    spread = dispersion(days)
    before = _weeks_before(days, _LONGEST_USUAL_WEEKS)
    before[:, : 7 * 2] = np.nan  # one week is no usual
    seen = np.flatnonzero(~np.isnan(before).all(0))[:-1]
    usual, rows = np.full(days.size, np.nan), days.copy()
    usual[seen] = np.minimum(np.nanmedian(before[:_WEEKS, seen], 0), np.nanmedian(before[:, seen], 0))
    usual[7:] = np.minimum(usual[7:], days[:-7])
    for gap in without:
        start, end = ((day - day_of(first * DAY)).days for day in (gap.first, gap.last))
        rows[start : end + 1] = usual[start : end + 1]
    low = np.zeros(days.size, dtype=bool)
    for length in _DROP_DAYS:
        window = np.ones(length)
        seen_, wanted = (np.convolve(values, window, "valid") for values in (rows, usual))
        # what was usual is a count too: of both together no more than these fall to the later one
        chance = betainc(np.maximum(wanted, 1) / spread, seen_ / spread + 1, 0.5)
        alarm = (seen_ < DROPPED_TO * wanted) & (chance * days.size < ALARM)
        for place in np.flatnonzero(alarm):
            low[place : place + length] = True
    low &= rows < (1 + DROPPED_TO) / 2 * usual  # the days at the ends of a window may be as usual
    places = np.flatnonzero(low)
    if not places.size:
        return []
    runs = np.split(places, np.flatnonzero(np.diff(places) > 2) + 1)
    return [
        _stretch(days, first, int(run[0]), int(run[-1]) + 1, float(usual[run[0] : run[-1] + 1].sum()))
        for run in runs
    ]


def _stretch(days: Floats, first: int, start: int, end: int, expected: float) -> Stretch:
    from_, to = (day_of((first + place) * DAY) for place in (start, end - 1))
    return Stretch(from_, to, int(days[start:end].sum()), expected)
