"""Can two groups be compared at all, and were they made alike? What is looked at before any estimate.

Somebody of the first group has no counterpart when fewer than one in twenty of those alike is in the other
group, and not only because the other group is small; the same the other way round. With e the propensity and
e* what it would be if both groups were equally large, e*/(1−e*) = e/(1−e) · n₀/n₁:

    first group:  min(e, e*) > 0.95        other group:  max(e, e*) < 0.05

Crump, Hotz, Imbens & Mitnik (2009, Biometrika 96:187) leave out e below 0.1 and above 0.9 to make the
variance least; e alone would leave out everybody where one in a hundred had the treatment, even by chance.

    standardised mean difference of a level   (p₁ − p₀) / √((p₁(1−p₁) + p₀(1−p₀)) / 2)

with the shares p weighted and the divisor not, so that before and after are on one scale; below 0.1 is taken
as balanced (Austin 2009, Statistics in Medicine 28:3083). Effective size of a weighted group: (Σw)² / Σw².
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from workbench.errors import ModelError
from workbench.locale import Message, say
from workbench.models.adjustment import (
    ESTIMATES,
    Array,
    Flags,
    Means,
    People,
    as_seen,
    by_regression,
    propensity,
)

NO_COUNTERPART = 0.05
"""Fewer of those alike in the other group than this."""
MOST_ALONE = 0.5
"""With more of a group without a counterpart nothing is said about it."""
LARGEST_IMBALANCE = 0.1
FEWEST = 30
"""Customers of a group, as they are and in effective size."""
FEWEST_CONVERSIONS = 10
_BINS = 20
_RARE = 0.02  # a pair of levels that fewer have is no pair to speak of


@dataclass(frozen=True)
class Overlap:
    """Where the propensities of both groups lie.

    Attributes:
        edges: Of the bins of e*, from 0 to 1.
        treated, control: Customers of each group in each bin.
        alone: Share of the first and of the other group without a counterpart.
    """

    edges: Array
    treated: Array
    control: Array
    alone: tuple[float, float]


@dataclass(frozen=True)
class Lost:
    """A level whose customers had to be left out.

    Attributes:
        treated, control: How many of each group.
        share: Of all who have the level.
    """

    covariate: str
    level: str
    treated: int
    control: int
    share: float


@dataclass(frozen=True)
class Balance:
    """Standardised mean difference of a level, as the groups are and as they are weighted.

    Attributes:
        customers: Those of the first and of the other group who have the level.
    """

    covariate: str
    level: str
    before: float
    after: float
    customers: tuple[int, int]


@dataclass(frozen=True)
class Pair:
    """Customers with two levels at once: covariate and level of both, their difference after weighting."""

    first: tuple[str, str]
    other: tuple[str, str]
    after: float


@dataclass(frozen=True)
class Answer:
    """An adjusted estimate, with what it rests on.

    Attributes:
        means: The estimate; None when it could not be computed.
        balance: Of each level; empty without weights.
        worst_pair: The two levels whose customers differ most after weighting; None without two of them.
        effective: Effective size of the first and of the other group.
        refused: Why it may not be shown; None when it may.
    """

    means: Means | None
    balance: tuple[Balance, ...] = ()
    worst_pair: Pair | None = None
    effective: tuple[float, float] = (0.0, 0.0)
    refused: Message | None = None


@dataclass(frozen=True)
class Adjustment:
    """What can be said of two groups that were not made at random.

    Attributes:
        people: Who can be compared: those with a counterpart.
        overlap: Of everybody, before any were left out.
        lost: Levels that had to be left out, wholly or nearly, the largest first.
        seen: The groups as they are, everybody in them.
        kept: The same of those who can be compared; None when there are none in a group.
        regression: By regression alone; None when nobody can be compared.
        answers: The adjusted estimates, by the people they speak of.
    """

    people: People | None
    overlap: Overlap
    lost: tuple[Lost, ...]
    seen: Means
    kept: Means | None
    regression: Means | None
    answers: dict[str, Answer]


def adjust(people: People, titles: Mapping[str, Message] | None = None) -> Adjustment:
    """Look whether the groups overlap, leave out who has no counterpart, and compare the others.

    Args:
        people: The two groups.
        titles: What a reader calls the covariates, where that is not their name.

    Raises:
        ModelError: when a group is too small to begin with.
    """
    for size in people.sizes:
        if size < FEWEST:
            raise ModelError(
                "One of the two groups has {n:count} customers, and below {least:count} nothing can be "
                "adjusted.",
                n=size,
                least=FEWEST,
            )
    e = propensity(people)
    alone = without_counterpart(people, e)
    found = overlap_of(people, e, alone)
    lost = lost_levels(people, alone)
    seen = as_seen(people)
    if found.alone[0] > MOST_ALONE or not _both(people, ~alone):
        reason = _no_overlap(found)
        return Adjustment(
            None, found, lost, seen, None, None, {name: Answer(None, refused=reason) for name in ESTIMATES}
        )
    rest = people.only(~alone)
    answers = {name: _answer(name, rest, found, titles or {}) for name in ESTIMATES}
    return Adjustment(rest, found, lost, seen, as_seen(rest), by_regression(rest), answers)


def as_if_equal(people: People, e: Array) -> Array:
    """What the propensities would be if both groups were equally large."""
    odds = e / (1 - e) * (1 - people.share) / people.share
    return np.asarray(odds / (1 + odds))


def without_counterpart(people: People, e: Array) -> Flags:
    """Whether a row's customers have too few like them in the other group."""
    equal = as_if_equal(people, e)
    first = np.minimum(e, equal) > 1 - NO_COUNTERPART
    other = np.maximum(e, equal) < NO_COUNTERPART
    # the pattern is what lacks a counterpart, so both groups lose it
    return np.asarray(first | other)


def overlap_of(people: People, e: Array, alone: Flags) -> Overlap:
    """Where the propensities of both groups lie, and how many are without a counterpart."""
    edges = np.linspace(0, 1, _BINS + 1)
    equal, z = as_if_equal(people, e), people.treated
    counts = [np.histogram(equal[group], edges, weights=people.n[group])[0] for group in (z, ~z)]
    shares = [float(people.n[group & alone].sum() / people.n[group].sum()) for group in (z, ~z)]
    return Overlap(edges, counts[0], counts[1], (shares[0], shares[1]))


def lost_levels(people: People, alone: Flags, least: float = 0.9) -> tuple[Lost, ...]:
    """Levels of whose customers at least so many had to be left out."""
    found = []
    for at, covariate in enumerate(people.covariates):
        for code, level in enumerate(covariate.levels):
            here = people.codes[:, at] == code
            everybody, gone = people.n[here].sum(), here & alone
            if gone.any() and people.n[gone].sum() >= least * everybody:
                sizes = [round(people.n[gone & group].sum()) for group in (people.treated, ~people.treated)]
                share = float(people.n[gone].sum() / everybody)
                found.append(Lost(covariate.name, level, sizes[0], sizes[1], share))
    return tuple(sorted(found, key=lambda one: -(one.treated + one.control)))


def balance(people: People, weights: Array) -> tuple[Balance, ...]:
    """Standardised mean differences of every level, before and after weighting."""
    x = people.x[:, 1:]
    names = [(one.name, level) for one in people.covariates for level in one.levels]
    first, other = (people.n[group] @ x[group] for group in (people.treated, ~people.treated))
    lines = zip(names, _imbalance(people, x, None), _imbalance(people, x, weights), first, other, strict=True)
    return tuple(
        Balance(covariate, level, float(before), float(after), (round(one), round(two)))
        for (covariate, level), before, after, one, two in lines
        if not (before == 0 and after == 0)
    )


def worst_pair(people: People, weights: Array) -> Pair | None:
    """The customers with two levels at once that differ most after weighting."""
    worst = None
    for one, other in combinations(range(len(people.covariates)), 2):
        width = len(people.covariates[other].levels)
        codes, place = np.unique(people.codes[:, one] * width + people.codes[:, other], return_inverse=True)
        x = np.zeros((len(place), len(codes)))
        x[np.arange(len(place)), place] = 1.0
        often = people.n @ x >= _RARE * people.n.sum()
        after = np.where(often, np.abs(_imbalance(people, x, weights)), 0.0)
        at = int(after.argmax())
        if worst is None or after[at] > worst.after:
            names = [
                (people.covariates[k].name, people.covariates[k].levels[code])
                for k, code in zip((one, other), divmod(int(codes[at]), width), strict=True)
            ]
            worst = Pair(names[0], names[1], float(after[at]))
    return worst


def effective(people: People, weights: Array) -> tuple[float, float]:
    """Effective size of each group."""
    sizes = []
    for group in (people.treated, ~people.treated):
        w, n = weights[group], people.n[group]
        sizes.append(float((w @ n) ** 2 / (w**2 @ n)))
    return sizes[0], sizes[1]


def _imbalance(people: People, x: Array, weights: Array | None) -> Array:
    """Of each column of zeros and ones."""
    raw, shares = [], []
    for group in (people.treated, ~people.treated):
        n = people.n[group]
        w = n if weights is None else n * weights[group]
        raw.append(n @ x[group] / n.sum())
        shares.append(w @ x[group] / w.sum())
    spread = np.sqrt(sum(p * (1 - p) for p in raw) / 2)
    apart = shares[0] - shares[1]
    return np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 1e-9)


def _both(people: People, rows: Flags) -> bool:
    return all((rows & group).any() for group in (people.treated, ~people.treated))


def _no_overlap(found: Overlap) -> Message:
    return say(
        "This cannot be answered with these data: {share:percent} of those who had it have no counterpart "
        "among those who did not, so nothing shows what they would have done without it.",
        share=found.alone[0],
    )


def _answer(name: str, people: People, found: Overlap, titles: Mapping[str, Message]) -> Answer:
    """One estimate with its balance, or why there is none."""
    if name == "everybody" and found.alone[1] > MOST_ALONE:
        return Answer(
            None,
            refused=say(
                "Nothing can be said of everybody: {share:percent} of those who did not have it have no "
                "counterpart among those who did.",
                share=found.alone[1],
            ),
        )
    for size in people.sizes:
        if size < FEWEST:
            return Answer(
                None,
                refused=say(
                    "Only {n:count} customers of a group have a counterpart in the other; below "
                    "{least:count} nothing can be said.",
                    n=size,
                    least=FEWEST,
                ),
            )
    few = min(people.total[people.treated].sum(), people.total[~people.treated].sum())
    if people.binary and few < FEWEST_CONVERSIONS:
        return Answer(
            None,
            refused=say(
                "It is too early: of those who can be compared, one group has {n:count} with the outcome, "
                "and below {least:count} nothing can be said.",
                n=few,
                least=FEWEST_CONVERSIONS,
            ),
        )
    means = ESTIMATES[name](people)
    assert means.weights is not None
    sizes, levels = effective(people, means.weights), balance(people, means.weights)
    worst = max(levels, key=lambda one: abs(one.after), default=None)
    refused = None
    if min(sizes) < FEWEST:
        refused = say(
            "Too few carry the comparison: the weights leave as much as {n:count} customers in a group, and "
            "below {least:count} nothing can be said.",
            n=min(sizes),
            least=FEWEST,
        )
    elif worst is not None and abs(worst.after) >= LARGEST_IMBALANCE:
        refused = say(
            "The groups could not be made alike: after weighting they still differ by {smd:number} standard "
            "deviations in “{covariate}” ({level}), and {most:number} is the most that is let pass.",
            smd=abs(worst.after),
            covariate=titles.get(worst.covariate, worst.covariate),
            level=worst.level,
            most=LARGEST_IMBALANCE,
        )
    return Answer(means, levels, worst_pair(people, means.weights), sizes, refused)
