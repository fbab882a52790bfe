"""How often an alarm sounds for nothing, and how soon for something, by simulation of the shop's own days.

Counts of a day are Poisson's around what is usual on it, or with more spread, φ times the variance: Poisson's
around a gamma, which is negative binomial. What is usual is taken as known. An alarm is counted on its first
day.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from workbench.models.change_point import Array, Rule, first_raised, watch
from workbench.models.rates import JEFFREYS_SHAPE, GammaRate, Interval

YEAR_DAYS = 365
_BURN_IN_DAYS = 28
_CHANGE_AFTER_DAYS = 63
_SERIES = 100


@dataclass(frozen=True)
class FalseAlarms:
    """Alarms in simulated years in which nothing changed.

    Attributes:
        alarms: How many there were.
        years: In how many years.
    """

    alarms: int
    years: int

    @property
    def a_year(self) -> float:
        """How many there are a year."""
        return self.alarms / self.years

    def interval(self, level: float = 0.95) -> Interval:
        """What the simulation leaves open of it."""
        return GammaRate.of(self.alarms, self.years).interval(level)


@dataclass(frozen=True)
class Noticed:
    """What becomes of a true rise.

    Attributes:
        factor: How many times as many as is usual.
        share: In what share of simulations it raised an alarm within `within_days`.
        days: Half of these within so many days, that of the change being the first; None without any.
        within_days: How long was waited for an alarm.
    """

    factor: float
    share: float
    days: int | None
    within_days: int


def draw(mean: Array, dispersion: float, series: int, random: np.random.Generator) -> Array:
    """Counts of series × days with this mean, and `dispersion` times it as variance."""
    if dispersion > 1 + 1e-9:
        mean = random.gamma(np.tile(mean / (dispersion - 1), (series, 1)), dispersion - 1)
        return random.poisson(mean).astype(float)
    return random.poisson(mean, (series, mean.size)).astype(float)


def change_false_alarms(usual: Array, dispersion: float, rule: Rule, years: int, seed: int) -> FalseAlarms:
    """Alarms of `change_point` in years like the last one, without a change.

    Args:
        usual: What is usual on each day, of any number of days.
        dispersion: Variance over mean of a day's counts.
        rule: When an alarm is raised.
        years: How many are simulated.
        seed: Of the draws.
    """
    return _change_false_alarms(_year(usual, YEAR_DAYS + _BURN_IN_DAYS), dispersion, rule, years, seed)


@lru_cache(maxsize=64)
def _change_false_alarms(
    usual: tuple[float, ...], dispersion: float, rule: Rule, years: int, seed: int
) -> FalseAlarms:
    mean = np.array(usual)
    counts = draw(mean, dispersion, years, np.random.default_rng(seed))
    begun = first_raised(watch(counts, mean, rule, dispersion).raised, rule.recent_days)
    return FalseAlarms(int(begun[:, _BURN_IN_DAYS:].sum()), years)


def noticed(
    usual: Array, dispersion: float, rule: Rule, factor: float, seed: int, within_days: int = 28
) -> Noticed:
    """How surely and how soon a rise to `factor` times what is usual raises an alarm."""
    days = _CHANGE_AFTER_DAYS + within_days
    return _noticed(_year(usual, days), dispersion, rule, factor, seed, within_days)


@lru_cache(maxsize=64)
def _noticed(
    usual: tuple[float, ...], dispersion: float, rule: Rule, factor: float, seed: int, within_days: int
) -> Noticed:
    mean = np.array(usual)
    risen = mean * np.where(np.arange(mean.size) < _CHANGE_AFTER_DAYS, 1.0, factor)
    counts = draw(risen, dispersion, _SERIES, np.random.default_rng(seed))
    raised = watch(counts, mean, rule, dispersion).raised[:, _CHANGE_AFTER_DAYS:]
    some = raised.any(axis=1)
    days = int(np.median(raised[some].argmax(axis=1))) + 1 if some.any() else None
    return Noticed(factor, float(some.mean()), days, within_days)


def _year(usual: Array, days: int) -> tuple[float, ...]:
    """The last days that there are, said again from the front, by whole weeks, where they are too few."""
    whole = usual[-(usual.size // 7 * 7) :] if usual.size >= 7 else usual
    return tuple(np.resize(whole[::-1], days)[::-1].round(6).tolist())


@lru_cache(maxsize=64)
def balance_false_alarms(
    left_a_day: float, kappa: float, window_days: int, sure: float, dispersion: float, years: int, seed: int
) -> FalseAlarms:
    """Alarms about the balance of joining and leaving where exactly `kappa` join for each who leaves.

    The hardest case in which none is due; where more join there are fewer.

    Args:
        left_a_day: How many leave on a day.
        kappa: So many times as many join.
        window_days: Each day looks back so far.
        sure: Probability of fewer than `kappa` times as many at which an alarm is raised.
        dispersion: Variance over mean of a day's counts, of which the alarm itself knows nothing.
        years: How many are simulated.
        seed: Of the draws.
    """
    random, days = np.random.default_rng(seed), YEAR_DAYS + window_days
    left = _windows(draw(np.full(days, left_a_day), dispersion, years, random), window_days)
    joined = _windows(draw(np.full(days, left_a_day * kappa), dispersion, years, random), window_days)
    below = special.betainc(JEFFREYS_SHAPE + joined, JEFFREYS_SHAPE + left, kappa / (1 + kappa))
    raised: NDArray[np.bool_] = below > sure
    return FalseAlarms(int(first_raised(raised, 7)[:, 1:].sum()), years)


def _windows(counts: Array, days: int) -> Array:
    """Sums over the last `days` days, for each day that has so many behind it."""
    total = np.cumsum(counts, axis=1)
    return np.asarray(total[:, days - 1 :] - np.pad(total, ((0, 0), (1, 0)))[:, : total.shape[1] - days + 1])
