"""Which prior would turn the decision round.

A decision is any function of the prior: of the exact posterior (`tied_arms`), of the closed form (`lift`),
with or without a region that does not matter. Two questions are answered by looking along a line of priors
and then halving:
    how sceptical   zero-centred priors from wide to narrow: the widest one with another decision
    what expected   priors of the given spread, their mean moved away both ways: the nearest with another one
With the decision "P(δ > 0) ≥ p" of a Normal estimate y, se and z = Φ⁻¹(p), the first has the closed form
    s = se z / √((y/se)² − z²)        where |y|/se > z; else no scepticism turns it round
(Matthews 2001, J. Stat. Plan. Inference 94(1), the critical prior interval of the analysis of credibility).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from workbench.models.lift import LiftPrior

Outcome = Literal["adopt", "drop", "keep_measuring"]

_WIDEST, _NARROWEST = 4.0, 1e-3  # times the spread of the prior at hand
_FURTHEST = 10.0  # standard deviations of the prior to which its mean is moved
_STEPS = 14
_HALVINGS = 12


def outcome(
    probability_better: float, rope: tuple[float, float, float] | None = None, level: float = 0.95
) -> Outcome:
    """The three outcomes of an experiment, with "sure" as in intervals of `level`."""
    sure = (1 + level) / 2
    if rope is not None and rope[1] >= sure:
        return "drop"
    if probability_better >= sure:
        return "adopt"
    return "drop" if probability_better <= 1 - sure else "keep_measuring"


def tipping_sd(decide: Callable[[LiftPrior], object], prior: LiftPrior) -> float | None:
    """Spread of the least sceptical zero-centred prior under which the decision is another one.

    Args:
        decide: The decision under a prior.
        prior: The one at hand.

    Returns:
        Its standard deviation on the prior's scale, within 0.1 %; None when no scepticism, down to a
        thousandth of the spread at hand, changes the decision.
    """
    now = decide(prior)

    def differs(log_sd: float) -> bool:
        return decide(LiftPrior(0.0, float(np.exp(log_sd)), prior.scale)) != now

    line = np.log(prior.sd * np.geomspace(_WIDEST, _NARROWEST, _STEPS))
    found = _first(differs, line)
    return None if found is None else float(np.exp(found))


def tipping_mean(decide: Callable[[LiftPrior], object], prior: LiftPrior) -> float | None:
    """Mean of the nearest prior of the same spread under which the decision is another one.

    Returns:
        The mean on the prior's scale; None when none within ten of its standard deviations does.
    """
    now = decide(prior)

    def differs(mean: float) -> bool:
        return decide(LiftPrior(mean, prior.sd, prior.scale)) != now

    steps = prior.sd * _FURTHEST * (np.arange(_STEPS + 1) / _STEPS) ** 2
    found = [_first(differs, prior.mean + side * steps) for side in (-1, 1)]
    near = [mean for mean in found if mean is not None]
    return min(near, key=lambda mean: abs(mean - prior.mean)) if near else None


def _first(differs: Callable[[float], bool], line: np.ndarray) -> float | None:
    """The first place along a line where the decision is another one."""
    for before, here in zip([line[0], *line[:-1]], line, strict=True):
        if differs(float(here)):
            same, other = float(before), float(here)
            for _ in range(_HALVINGS):
                middle = (same + other) / 2
                same, other = (same, middle) if differs(middle) else (middle, other)
            return other
    return None
