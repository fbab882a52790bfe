"""Classical tests that the package does not use: exact e-processes and splits, and Student's sample size.

Exact e-process of two shares: of each look's new people, given how many converted in all, the split between
the arms is hypergeometric under equal rates and Fisher's noncentral hypergeometric under a log odds ratio ψ,
whatever the base rate is. The likelihood ratio, mixed over ψ ~ N(0, s²), is a martingale under equal rates,
so P(E >= 1/α at any look) <= α (Ville 1939; Turner, Ly, Grünwald 2024, J. Stat. Plan. Inference 230).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.errors import ModelError, check_between
from workbench.locale import say
from workbench.models.arms import Array
from workbench.moments import Moments


def log_likelihood_ratio(treatment: Moments, control: Moments, psi: ArrayLike) -> Array:
    """Log of how much likelier the split of one look's conversions is at log odds ratios ψ than at none.

    Args:
        treatment, control: Of yes-or-no outcomes of the people that came since the last look.
        psi: Any shape.
    """
    total = treatment.successes + control.successes
    k = np.arange(max(0, total - control.n), min(treatment.n, total) + 1, dtype=float)
    ways = sum(
        special.gammaln(n + 1) - special.gammaln(s + 1) - special.gammaln(n - s + 1)
        for n, s in ((treatment.n, k), (control.n, total - k))
    )
    psi = np.asarray(psi, dtype=float)
    norm = special.logsumexp(ways + psi[..., None] * k, axis=-1)
    return psi * treatment.successes - norm + special.logsumexp(ways)


def log_e_process(looks: Sequence[tuple[Moments, Moments]], sd: float) -> Array:
    """Log of the evidence against equal shares after each look.

    Args:
        looks: Treatment and control of all people so far, one pair a look.
        sd: Of the log odds ratio that is held against none.

    Returns:
        One value a look; from log(1/α) on, equal shares can be dropped at the level 1 − α, at any look.

    Raises:
        ModelError: a later look has fewer people or conversions than an earlier one.
    """
    if not sd > 0:
        raise ModelError("The spread of log odds ratios has to be above zero; it is {sd:number}.", sd=sd)
    # The trapezoid over ±10 sd in steps of sd/20: exact to rounding for what is smooth on that scale, and the
    # likelihood is ever narrower as people come, so steps follow its width.
    last = min(side.n for side in looks[-1])
    steps = int(np.clip(ceil(20 * sd * sqrt(last)), 400, 4000))
    z = np.linspace(-10, 10, steps + 1)
    weight = np.log(z[1] - z[0]) - z * z / 2 - log(2 * np.pi) / 2
    before = (Moments.empty(), Moments.empty())
    ratio, found = np.zeros_like(z), []
    for now in looks:
        new = [_since(side, old) for side, old in zip(now, before, strict=True)]
        ratio = ratio + log_likelihood_ratio(new[0], new[1], sd * z)
        found.append(float(special.logsumexp(weight + ratio)))
        before = now
    return np.array(found)


def split_p_value(first: int, second: int, share: float = 0.5) -> float:
    """Probability of a split at least this unlikely when each person goes to the first arm with `share`.

    Args:
        first, second: People in each arm.
        share: Planned for the first.

    >>> round(split_p_value(53, 47), 7)
    0.6172994
    """
    check_between(share, 0, 1, say("planned share"), open_low=True, open_high=True)
    n = first + second
    k = np.arange(n + 1)
    log_p = (
        special.gammaln(n + 1)
        - special.gammaln(k + 1)
        - special.gammaln(n - k + 1)
        + k * log(share)
        + (n - k) * log(1 - share)
    )
    return float(min(1.0, np.exp(log_p[log_p <= log_p[first] + 1e-7]).sum()))


def sample_size(variance: float, difference: float, power: float = 0.8, level: float = 0.95) -> int:
    """People in both arms together that a two-sided test of two equally large arms needs.

    Args:
        variance: Of one person's value.
        difference: To be found.
        power: Probability of finding it.
        level: 1 − α.
    """
    check_between(power, 0, 1, say("power"), open_low=True, open_high=True)
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    if not variance > 0 or not difference:
        raise ModelError("A sample size needs a variance above zero and a difference that is not zero.")
    reach = special.ndtri((1 + level) / 2) + special.ndtri(power)
    # The Normal answer is a little too small for Student's t; from there on one by one.
    each = max(2, ceil(2 * variance * (reach / difference) ** 2))
    while _power(variance, abs(difference), each, level) < power:
        each += 1
    return 2 * each


def _power(variance: float, difference: float, each: int, level: float) -> float:
    dof, away = 2 * each - 2, difference / sqrt(2 * variance / each)
    edge = float(special.stdtrit(dof, (1 + level) / 2))
    return float(1 - special.nctdtr(dof, away, edge) + special.nctdtr(dof, away, -edge))


def _since(now: Moments, before: Moments) -> Moments:
    if now.n < before.n or not 0 <= now.successes - before.successes <= now.n - before.n:
        raise ModelError("A look holds fewer people or conversions than one before it; give all so far.")
    return Moments.of_binary(now.successes - before.successes, now.n - before.n)
