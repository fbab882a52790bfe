"""Since when a rate is another one: Bayesian on-line change-point detection with Gamma–Poisson runs.

Adams & MacKay (2007), "Bayesian online changepoint detection", arXiv:0710.3742. Days t = 0, 1, …, counts x,
and e the counts that are usual on such a day (weekday, list, messages sent). A run is a stretch of days with
one level; a new one begins on each day but the first with probability H, the hazard:
    x_t | run ~ Poisson(λ e_t),  λ ~ Gamma(a₀, b₀) anew in each run
    p(s_t = s | x) ∝ p(s_{t−1} = s | x) (1 − H) p(x_t | run since s)        s the day on which the run began
    p(s_t = t | x) ∝ Σ_s p(s_{t−1} = s | x) H p(x_t | a run without data)
    p(x_t | a, b) = Γ(a + x) / (Γ(a) x!) (b / (b + e))^a (e / (b + e))^x,   a, b = a₀ + Σ x, b₀ + Σ e since s
Here a day belongs to the run that begins on it, so a change is seen on its own day and not on the next.

Days that vary more than Poisson's are tempered: with φ the variance over the mean, x/φ and e/φ take the place
of x and e (as in quasi-likelihood: McCullagh & Nelder, Generalized Linear Models, 2nd ed., chapter 9).

What is usual on a day (`usual_counts`) is additive: each weekday per person on the list, and so much per
message sent on the day and on the two before it. Its coefficients are the penalised maximum of Poisson's
likelihood by multiplicative steps, each of which keeps them above nothing and raises the likelihood (Lange,
Bahn & Little 1987, "A theoretical study of some maximum likelihood algorithms for emission and transmission
tomography").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from workbench.errors import ModelError, check_between
from workbench.locale import say

type Array = NDArray[np.float64]
type Days = NDArray[np.int64]

PRIOR_SHAPE = 2.0
"""Of the level of a run around what is usual: 95 % between 0.12 and 2.8 times that."""
MESSAGE_DAYS = 3
"""A message works on its day and on the next two: most who leave because of it do so in 72 hours."""
_STEPS = 200


@dataclass(frozen=True)
class Rule:
    """When a rise is worth an alarm.

    Attributes:
        hazard: Probability of a change on a day.
        recent_days: A change is recent while its run is shorter than so many days.
        probability: An alarm needs more than this probability of a recent change,
        ratio: and a level so many times that before it.
    """

    hazard: float = 1 / 90
    recent_days: int = 7
    probability: float = 0.9
    ratio: float = 1.25

    def __post_init__(self) -> None:
        check_between(self.hazard, 0, 1, say("probability of a change"), open_low=True, open_high=True)
        check_between(self.recent_days, 2, 60, say("number of days"))
        check_between(self.probability, 0, 1, say("probability"), open_low=True, open_high=True)
        check_between(self.ratio, 1, 100, say("ratio"))


@dataclass(frozen=True)
class Watched:
    """What was known at the end of each day; arrays are of series × days.

    Attributes:
        recent: Probability that the run is shorter than `recent_days`; the first run is none of these.
        start: The day on which such a run most likely began.
        ratio: Its level over what was thought of the level on the day before it began.
        level: Posterior mean of the level, in multiples of what is usual.
        raised: Whether the rule is met.
        last: Probability of each day to be that on which the run of the last day began.
    """

    recent: Array
    start: Days
    ratio: Array
    level: Array
    raised: NDArray[np.bool_]
    last: Array


@dataclass(frozen=True)
class Alarm:
    """A stretch of days on which the rule was met.

    Attributes:
        day: The first of them.
        since: The first day of the new level, as was thought on the last of them.
        until: The first day on which the level was no longer the rule's ratio above that before; None while
            it is.
        probability: The highest that a recent change had.
        before: The level on the day before the change, in multiples of what is usual.
    """

    day: int
    since: int
    until: int | None
    probability: float
    before: float


def watch(counts: Array, usual: Array, rule: Rule, dispersion: float = 1.0) -> Watched:
    """Follow counts day by day.

    Args:
        counts: Of series × days.
        usual: What is usual on each day, above nothing.
        rule: When a rise is worth an alarm.
        dispersion: Variance over mean of the counts of a day.

    Raises:
        ModelError: when counts and days do not fit together.
    """
    counts, usual = np.atleast_2d(np.asarray(counts, float)), np.asarray(usual, float)
    if counts.shape[1] != usual.size or not usual.size or usual.min() <= 0 or counts.min() < 0:
        raise ModelError("Counts need a usual value above 0 for each day, and may not be below 0.")
    series, days = counts.shape
    x, e = counts / dispersion, usual / dispersion
    weight = np.zeros((series, days))  # log of p(s_t = s | x)
    shape, rate = np.full((series, days), PRIOR_SHAPE), np.full(days, PRIOR_SHAPE)
    of_shape = special.gammaln(shape)
    recent, level, ratio = np.zeros((series, days)), np.ones((series, days)), np.ones((series, days))
    begun = np.zeros((series, days), np.int64)
    row = np.arange(series)
    for t in range(days):
        run = slice(0, t + 1)
        if t:  # what is known of the day before is normalised, so the sum over s is 1
            weight[:, :t] += np.log1p(-rule.hazard)
            weight[:, t] = np.log(rule.hazard)
        after, total = shape[:, run] + x[:, t, None], rate[run] + e[t]
        of_after = special.gammaln(after)
        weight[:, run] += of_after - of_shape[:, run] + shape[:, run] * np.log(rate[run] / total)
        weight[:, run] -= x[:, t, None] * np.log(total)
        shape[:, run], of_shape[:, run], rate[run] = after, of_after, total
        weight[:, run] -= weight[:, run].max(axis=1, keepdims=True)
        chance = np.exp(weight[:, run])
        known = chance.sum(axis=1, keepdims=True)
        chance /= known
        weight[:, run] -= np.log(known)
        level[:, t] = (chance * after / total).sum(axis=1)
        first = max(rule.recent_days, t - rule.recent_days + 2)  # a level needs some days before it
        if first <= t:
            recent[:, t] = chance[:, first:].sum(axis=1)
            begun[:, t] = start = first + chance[:, first:].argmax(axis=1)
            ratio[:, t] = after[row, start] / total[start] / level[row, start - 1]
    raised = (recent > rule.probability) & (ratio > rule.ratio)
    return Watched(recent, begun, ratio, level, raised, np.exp(weight))


def alarms(watched: Watched, rule: Rule, series: int = 0) -> list[Alarm]:
    """The alarms of one series; days on which the rule is met again within `recent_days` are of the same."""
    raised = np.flatnonzero(watched.raised[series])
    if not raised.size:
        return []
    found = []
    for stretch in np.split(raised, np.flatnonzero(np.diff(raised) > rule.recent_days) + 1):
        since = int(watched.start[series, stretch[-1]])
        level = watched.level[series]
        before = float(level[since - 1])
        over = np.flatnonzero(level[stretch[-1] + 1 :] <= rule.ratio * before)
        until = int(stretch[-1] + 1 + over[0]) if over.size else None
        chance = float(watched.recent[series, stretch].max())
        found.append(Alarm(int(stretch[0]), since, until, chance, before))
    return found


def first_raised(raised: NDArray[np.bool_], gap_days: int) -> NDArray[np.bool_]:
    """The days on which an alarm begins: none was raised in the `gap_days` before; series × days."""
    begun = raised.copy()
    for back in range(1, gap_days + 1):
        begun[:, back:] &= ~raised[:, :-back]
    return begun


def usual_counts(counts: Array, people: Array, messages: Array, first_weekday: int) -> Array:
    """What is usual on each day, in counts: its sum is that of the counts.

    Args:
        counts: What happened on each day.
        people: Who could have done it, on each day.
        messages: What was sent to them, on each day; all 0 where that is not known.
        first_weekday: The weekday of the first day, 0 for Monday.
    """
    counts, people = np.asarray(counts, float), np.maximum(np.asarray(people, float), 1.0)
    days, total = counts.size, float(counts.sum())
    if not total:
        return np.full(days, 0.5 / days) * people / people.mean()
    weekday = (np.arange(days) + first_weekday) % 7
    columns = [people * (weekday == day) for day in range(7)] if days >= 7 * 4 else [people]
    guesses = [total / (2 * people.sum())] * len(columns)
    for lag in range(MESSAGE_DAYS if messages.any() else 0):
        sent = np.r_[np.zeros(lag), messages[: days - lag]]
        columns.append(sent)
        guesses.append(total / (2 * MESSAGE_DAYS * messages.sum()))
    design, guess = np.column_stack(columns), np.array(guesses)
    each, made = guess.copy(), design.sum(axis=0)
    for _ in range(_STEPS):  # each coefficient as if one event more had come at its guessed rate
        each = (each * (design.T @ (counts / np.maximum(design @ each, 1e-12))) + 1) / (made + 1 / guess)
    expected = np.maximum(design @ each, 1e-3 * total / days)
    return np.asarray(expected * (total / expected.sum()))


def dispersion(counts: Array, expected: Array) -> float:
    """Variance over mean of a day's counts.

    It is taken from neighbouring days, so that changes of the level hardly count. Of days t and t + 1 with
    one level λ, E[(x/e − x'/e')²] = φ λ (1/e + 1/e') (an idea of von Neumann's, 1941).
    """
    x, e = np.asarray(counts, float), np.asarray(expected, float)
    if x.size < 15 or not x.sum():
        return 1.0
    level = (x[:-1] + x[1:]) / (e[:-1] + e[1:])
    squares = (x[:-1] / e[:-1] - x[1:] / e[1:]) ** 2
    # weighted by the exposure, or days on which next to nothing is usual would decide
    weight = e[:-1] * e[1:] / (e[:-1] + e[1:])
    return max(1.0, float((weight * squares).sum() / level.sum()))
