"""Second opinions that use no prior.

Welch's test of two means (1947, Biometrika 34), v = s²/n of each arm:
    t = (ȳ_T − ȳ_C) / √(v_T + v_C),   dof = (v_T + v_C)² / (v_T²/(n_T − 1) + v_C²/(n_C − 1))
relative by the delta method, variance v_T/ȳ_C² + v_C ȳ_T²/ȳ_C⁴, or on the log scale, v_T/ȳ_T² + v_C/ȳ_C²,
where the interval of the ratio is exp(log R ± t √variance). A ratio or an adjusted mean is tested as the mean
of its linearised values (`linearised`).

Always-valid interval, holding at every look at once (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024,
Annals of Statistics 52(6), eq. 9): with n people in both arms, variance V of the estimate, α = 1 − level,
    estimate ± √(V n) √(2 (n ρ² + 1) / (n ρ)² · log(√(n ρ² + 1) / α))
    ρ² = (−2 log α + log(1 − 2 log α)) / n*,   tightest when there are n* people

Exact e-process of two shares: of each look's new people, given how many converted in all, the split between
the arms is hypergeometric under equal rates and Fisher's noncentral hypergeometric under a log odds ratio ψ,
whatever the base rate is. The likelihood ratio, mixed over ψ ~ N(0, s²), is a martingale under equal rates,
so P(E >= 1/α at any look) <= α (Ville 1939; Turner, Ly, Grünwald 2024, J. Stat. Plan. Inference 230).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.errors import ModelError, check_between, check_choice
from workbench.locale import say
from workbench.models.arms import Array
from workbench.moments import Moments

type Interval = tuple[float, float]
Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True)
class MeanTest:
    """A test of two means.

    Attributes:
        difference, standard_error: Treatment − control.
        interval: Confidence interval of the difference; one end is infinite for a one-sided alternative.
        relative, relative_standard_error, relative_interval: The same of treatment / control − 1; None
            where the control's mean is zero, or, on the log scale, a mean is not above zero.
        dof: Degrees of freedom.
        p_value: Of no difference.
        relative_p_value: Of no relative difference; on the log scale and for one that is none of its own.
    """

    difference: float
    standard_error: float
    interval: Interval
    relative: float | None
    relative_standard_error: float | None
    relative_interval: Interval | None
    dof: float
    p_value: float
    relative_p_value: float | None


def welch(
    treatment: Moments,
    control: Moments,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
    equal_variances: bool = False,
    relative: Literal["delta", "log"] = "delta",
) -> MeanTest:
    """Are two means the same?

    Args:
        treatment, control: Of one value per customer.
        level: Of the intervals.
        alternative: What is held against “no difference”: any, a higher or a lower treatment.
        equal_variances: Pool them (Student's test) instead of letting each arm have its own (Welch's).
        relative: How the relative difference is measured.

    Raises:
        ModelError: an arm has fewer than two customers, or nothing varies.
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    check_choice(alternative, ["two-sided", "greater", "less"], say("alternative"))
    check_choice(relative, ["delta", "log"], say("scale"))
    if min(treatment.n, control.n) < 2 or not treatment.m2 + control.m2 > 0:
        raise ModelError("A test of means needs two customers in each arm, and values that differ.")
    n = np.array([treatment.n, control.n], dtype=float)
    means = np.array([treatment.mean, control.mean])
    variances = np.array([treatment.variance, control.variance])
    difference = float(means[0] - means[1])
    se, dof = _spread(variances, n, equal_variances)
    interval = _interval(difference, se, dof, level, alternative)
    p_value = _p_value(difference / se, dof, alternative)
    lift = lift_se = lift_interval = lift_p = None
    if relative == "delta" and means[1]:
        lift = float(difference / means[1])
        scaled = variances * np.array([1.0, (means[0] / means[1]) ** 2]) / means[1] ** 2
        lift_se, _ = _spread(scaled, n, False)
        # The degrees of freedom are those of the difference: the delta method has none of its own.
        lift_interval = _interval(lift, lift_se, dof, level, alternative)
        lift_p = _p_value(lift / lift_se, dof, alternative)
    elif relative == "log" and means.min() > 0:
        lift = float(difference / means[1])
        lift_se, log_dof = _spread(variances / means**2, n, equal_variances)
        low, high = _interval(log(means[0] / means[1]), lift_se, log_dof, level, alternative)
        lift_interval = (float(np.expm1(low)), float(np.expm1(high)))
        lift_p = _p_value(log(means[0] / means[1]) / lift_se, log_dof, alternative)
    return MeanTest(float(difference), se, interval, lift, lift_se, lift_interval, dof, p_value, lift_p)


def always_valid_interval(
    estimate: float, standard_error: float, n: int, level: float = 0.95, tuned_at: int = 5000
) -> Interval:
    """An interval that holds at every look at once.

    Args:
        estimate, standard_error: Of a difference or a lift, now.
        n: People in both arms, now.
        level: That it holds at all looks.
        tuned_at: People for whom it is to be the tightest.

    Raises:
        ModelError: there is nobody, or the standard error is not above zero.
    """
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    if n < 1 or tuned_at < 1 or not standard_error > 0:
        raise ModelError("An interval that holds at every look needs people and a standard error above zero.")
    alpha = 1 - level
    rho2 = (-2 * log(alpha) + log(1 - 2 * log(alpha))) / tuned_at
    reach = sqrt(2 * (n * rho2 + 1) / (n * rho2) * log(sqrt(n * rho2 + 1) / alpha))
    return float(estimate - standard_error * reach), float(estimate + standard_error * reach)


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


def _spread(variances: Array, n: Array, pooled: bool) -> tuple[float, float]:
    """Standard error and degrees of freedom of a difference."""
    if pooled:
        dof = float(n.sum() - 2)
        return sqrt(float((variances * (n - 1)).sum() / dof * (1 / n).sum())), dof
    v = variances / n
    return sqrt(float(v.sum())), float(v.sum() ** 2 / (v**2 / (n - 1)).sum())


def _interval(middle: float, se: float, dof: float, level: float, alternative: Alternative) -> Interval:
    t = float(special.stdtrit(dof, (1 + level) / 2 if alternative == "two-sided" else level))
    low = -np.inf if alternative == "less" else middle - t * se
    high = np.inf if alternative == "greater" else middle + t * se
    return float(low), float(high)


def _p_value(t: float, dof: float, alternative: Alternative) -> float:
    if alternative == "two-sided":
        return float(2 * special.stdtr(dof, -abs(t)))
    return float(special.stdtr(dof, -t if alternative == "greater" else t))
