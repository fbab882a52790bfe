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
It is what a likelihood ratio leaves, mixed over effects ~ N(0, ρ² V n) in place of none (the mixture test of
Johari, Koomen, Pekelis, Walsh 2022, Operations Research 70(3)); turned round, the smallest α at which it
leaves zero out is a p-value that holds at every look. With z = estimate / √V
    p = min(1, √(n ρ² + 1) exp(−z² n ρ² / (2 (n ρ² + 1))))
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Literal

import numpy as np
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
        if scaled.any():  # of a treatment in which nobody has anything the method has no error
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
    _check_sequence(standard_error, n, level, tuned_at)
    grown = n * _rho2(level, tuned_at)
    reach = sqrt(2 * (grown + 1) / grown * log(sqrt(grown + 1) / (1 - level)))
    return float(estimate - standard_error * reach), float(estimate + standard_error * reach)


def always_valid_p_value(
    estimate: float, standard_error: float, n: int, level: float = 0.95, tuned_at: int = 5000
) -> float:
    """Of no effect, however often one looked; at most 1 − `level` when the interval leaves zero out.

    Args:
        estimate, standard_error, n, level, tuned_at: As of `always_valid_interval`.

    Raises:
        ModelError: there is nobody, or the standard error is not above zero.
    """
    _check_sequence(standard_error, n, level, tuned_at)
    grown, z = n * _rho2(level, tuned_at), estimate / standard_error
    return min(1.0, sqrt(grown + 1) * exp(-z * z * grown / (2 * (grown + 1))))


def _check_sequence(standard_error: float, n: int, level: float, tuned_at: int) -> None:
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    if n < 1 or tuned_at < 1 or not standard_error > 0:
        raise ModelError("An interval that holds at every look needs people and a standard error above zero.")


def _rho2(level: float, tuned_at: int) -> float:
    alpha = 1 - level
    return (-2 * log(alpha) + log(1 - 2 * log(alpha))) / tuned_at


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
