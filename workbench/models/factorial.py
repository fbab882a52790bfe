"""Two factors tested at once, every level of one with every level of the other: main effects and interaction.

With θ_ij the mean of the arm that has level i of the first factor and j of the second, 0 the levels of the
control, and J levels of the second factor:

    main effect of i      (1/J) Σ_j (θ_ij − θ_0j)            every level of the other counting alike
    simple effect of i    θ_ij − θ_0j                        at the level j of the other
    interaction           (θ_ij − θ_0j) − (θ_i0 − θ_00)      what both together do beyond the sum of the two

and the same with the factors exchanged. All are sums Σ c_k θ_k of independent posteriors, so that their
distributions are convolutions, which are taken on a grid of 2^12 steps of 1/171 standard deviation by the
fast Fourier transform; probabilities are right to 1e-5. An interaction is one of sums: two factors that
multiply have one, too.

Montgomery, Design and Analysis of Experiments, 10th ed., chapter 5; Box, Hunter, Hunter, Statistics for
Experimenters, 2nd ed., chapter 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import ModelError, check_between
from workbench.locale import say
from workbench.models.arms import Arm, Array

SEPARATORS = (" × ", " + ", " / ", "×", "+", "|", "/", "_")
"""What may stand between two levels in the name of an arm; the first that fits counts."""
_POINTS, _REACH = 2**12, 12.0

type Levels = tuple[str, str]
type Kind = Literal["main", "simple", "interaction"]
type Factor = Literal[0, 1]
type Terms = list[tuple[Levels, float]]


@dataclass(frozen=True)
class Sum:
    """The posterior of Σ c_k θ_k, from independent posteriors of the θ.

    Attributes:
        arms: The posteriors of the θ.
        coefficients: The c, not all of them zero.
    """

    arms: Sequence[Arm]
    coefficients: Sequence[float]

    @property
    def mean(self) -> float:
        return sum(c * arm.mean for c, arm in zip(self.coefficients, self.arms, strict=True))

    @property
    def sd(self) -> float:
        return sqrt(sum((c * arm.sd) ** 2 for c, arm in zip(self.coefficients, self.arms, strict=True)))

    @cached_property
    def _curve(self) -> tuple[Array, Array]:
        """Ends of the grid's steps, and the probability below each."""
        step = 2 * _REACH * self.sd / _POINTS
        ends = (np.arange(_POINTS + 1) - _POINTS / 2 - 0.5) * step
        spectrum = np.ones(_POINTS // 2 + 1, dtype=complex)
        for c, arm in zip(self.coefficients, self.arms, strict=True):
            if not c:
                continue
            below = arm.cdf(arm.mean + ends / c)
            below = below if c > 0 else 1 - below
            below[0], below[-1] = 0.0, 1.0
            spectrum *= np.fft.rfft(np.fft.ifftshift(np.diff(below)))
        mass = np.fft.fftshift(np.fft.irfft(spectrum, _POINTS))
        below = np.r_[0.0, np.cumsum(np.maximum(mass, 0.0))]
        return np.asarray(self.mean + ends), np.asarray(below / below[-1])

    def cdf(self, x: ArrayLike) -> Array:
        """P(sum <= x)."""
        return np.asarray(np.interp(np.asarray(x, dtype=float), *self._curve))

    def ppf(self, q: ArrayLike) -> Array:
        """The q-quantile."""
        ends, below = self._curve
        inside = np.r_[True, np.diff(below) > 0]
        return np.asarray(np.interp(np.asarray(q, dtype=float), below[inside], ends[inside]))


@dataclass(frozen=True)
class FactorEffect:
    """What a level does instead of the control's.

    Attributes:
        kind: Of which kind.
        factor: 0 or 1: whose level it is.
        level, base: The level, and the control's.
        at: Simple effect: the level of the other factor at which it is. Interaction: the one it meets, held
            against what it does at the control's.
        difference: Posterior mean, in the outcome's units. interval: Equal-tailed.
        probability_better: Of a change for the better; of an interaction, that both together do better than
            the sum of what each does alone.
    """

    kind: Kind
    factor: Factor
    level: str
    base: str
    at: str | None
    difference: float
    interval: tuple[float, float]
    probability_better: float


def factors_in(arms: Iterable[str]) -> dict[str, Levels] | None:
    """The levels of each arm, where names are two levels with something between, and all are crossed.

    >>> factors_in(["red+big", "red+small", "blue+big", "blue+small"])["red+small"]
    ('red', 'small')
    >>> factors_in(["red+big", "red+small", "blue+big"]) is factors_in(["A", "B"]) is None
    True
    """
    arms = list(arms)
    for separator in SEPARATORS:
        parts = [[part.strip() for part in arm.split(separator)] for arm in arms]
        if all(len(both) == 2 and all(both) for both in parts):
            found = {arm: (first, second) for arm, (first, second) in zip(arms, parts, strict=True)}
            if _crossed(found):
                return found
    return None


def _crossed(factors: Mapping[str, Levels]) -> bool:
    """Whether every level of one is with every level of the other, once, and both have two at least."""
    first, second = ({levels[side] for levels in factors.values()} for side in (0, 1))
    every = sorted(product(first, second))
    return min(len(first), len(second)) > 1 and sorted(factors.values()) == every


def factorial(
    arms: Mapping[str, Arm],
    factors: Mapping[str, Levels],
    control: str,
    level: float = 0.95,
    lower_is_better: bool = False,
) -> list[FactorEffect]:
    """Main effects, interactions and simple effects, in this order.

    Args:
        arms: Independent posteriors of all arms that are crossed.
        factors: The level of the first and of the second factor that each of them has.
        control: The one whose levels the others are held against.
        level: Of the intervals.
        lower_is_better: Turns the probabilities round.

    Raises:
        ModelError: the arms are not the full crossing of two factors of two levels at least.
        WorkbenchError: the level is none.
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    if not _crossed(factors) or set(factors) - set(arms) or control not in factors:
        raise ModelError(
            "Two factors need an arm for every level of one with every level of the other, two levels at "
            "least, and the control among them; there are: {arms}.",
            arms=", ".join(f"{arm} ({' × '.join(levels)})" for arm, levels in factors.items()) or "–",
        )
    by_levels = {levels: arms[arm] for arm, levels in factors.items()}
    found = []
    for kind, factor, one, at, terms in _sums(list(factors.values()), factors[control]):
        total = Sum([by_levels[levels] for levels, _ in terms], [c for _, c in terms])
        low, high = total.ppf([(1 - level) / 2, (1 + level) / 2])
        # beyond the grid there is still something: nothing is certain
        above = float(np.clip(1 - total.cdf(0.0), 1e-9, 1 - 1e-9))
        found.append(
            FactorEffect(
                kind=kind,
                factor=factor,
                level=one,
                base=factors[control][factor],
                at=at,
                difference=total.mean,
                interval=(float(low), float(high)),
                probability_better=1 - above if lower_is_better else above,
            )
        )
    return sorted(found, key=lambda effect: ("main", "interaction", "simple").index(effect.kind))


def _sums(cells: Sequence[Levels], control: Levels) -> Iterator[tuple[Kind, Factor, str, str | None, Terms]]:
    """Every effect with the cells that it is the sum of, and what they are multiplied by."""
    factors: tuple[Factor, ...] = (0, 1)
    for factor in factors:
        base, met = control[factor], control[1 - factor]
        others = list(dict.fromkeys(levels[1 - factor] for levels in cells))
        for one in dict.fromkeys(levels[factor] for levels in cells):
            if one == base:
                continue
            simple = {at: [(_cell(factor, one, at), 1.0), (_cell(factor, base, at), -1.0)] for at in others}
            share = 1 / len(others)
            yield "main", factor, one, None, [(cell, c * share) for at in others for cell, c in simple[at]]
            for at in others:
                yield "simple", factor, one, at, simple[at]
                if factor == 0 and at != met:  # exchanged factors have the same interactions
                    negative = [(cell, -c) for cell, c in simple[met]]
                    yield "interaction", factor, one, at, simple[at] + negative


def _cell(factor: Factor, level: str, other: str) -> Levels:
    return (level, other) if factor == 0 else (other, level)
