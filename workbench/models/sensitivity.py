"""How strong would a hidden cause have to be to explain a difference away?

E-value (VanderWeele & Ding 2017, Annals of Internal Medicine 167:268): a hidden cause would have to be tied
to both the treatment and the outcome by a risk ratio of at least

    E = RR + √(RR (RR − 1))    for RR > 1, of 1/RR otherwise;

for a difference d in standard deviations RR is taken as exp(0.91 d).

Robustness value (Cinelli & Hazlett 2020, JRSS B 82:39) of a coefficient in a linear regression, t its t value
and df the degrees of freedom: a hidden cause would have to explain this share of what is left of both the
treatment and the outcome to bring the estimate down to (1 − q) of it,

    RV = ½ (√(f⁴ + 4 f²) − f²),   f = q |t| / √df;

for an interval that just touches zero, f is less |t*_{α, df−1}| / √(df − 1). With R²_D the share that a
covariate explains of what the others leave of the treatment, and R²_Y of what they and the treatment leave of
the outcome, a cause as strong as the covariate would explain (their section 4.4, k = 1)

    R²_dz = R²_D / (1 − R²_D),   R²_zx = R²_D² / (1 − R²_D)²,
    R²_yz = ((1 + √R²_zx) / √(1 − R²_zx))² · R²_Y / (1 − R²_Y)

and move the estimate by se · √df · √(R²_yz R²_dz / (1 − R²_dz)).

Slider: a yes-or-no cause that some share more of the treated have, and that moves the outcome by γ in either
group, makes a difference of γ · (p₁ − p₀) of its own (VanderWeele & Arah 2011, Epidemiology 22:42).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, sqrt

import numpy as np
from scipy import special

from workbench.errors import ModelError, check_between
from workbench.locale import say
from workbench.models.adjustment import Array, People

_NONE_LEFT = 1e-10  # a share of the variance that is only rounding


def e_value(ratio: float) -> float:
    """How strong a hidden cause has to be for this risk ratio.

    Raises:
        ModelError: when it is not a ratio.

    >>> round(e_value(3.9), 2), round(e_value(0.5), 2), e_value(1.0)
    (7.26, 3.41, 1.0)
    """
    if not 0 < ratio < inf:
        raise ModelError("The risk ratio is {ratio}; it has to be above zero.", ratio=ratio)
    above = max(ratio, 1 / ratio)
    return above + sqrt(above * (above - 1))


def e_value_of_interval(low: float, high: float) -> float:
    """The same for the end of an interval of the ratio that is nearer to 1; 1 when it holds 1.

    >>> round(e_value_of_interval(1.8, 8.7), 2), e_value_of_interval(0.9, 2.0)
    (3.0, 1.0)
    """
    return 1.0 if low <= 1 <= high else min(e_value(low), e_value(high))


def ratio_of_difference(difference: float, sd: float) -> float:
    """The risk ratio that a difference of means stands for, sd being that of the outcome."""
    return exp(0.91 * difference / sd)


def robustness_value(t: float, df: float, q: float = 1.0, level: float | None = None) -> float:
    """The share of both variances that a hidden cause has to explain.

    Args:
        t: t value of the treatment's coefficient.
        df: Residual degrees of freedom.
        q: By which share the estimate is to shrink.
        level: With it, the interval of this level is to touch zero instead.

    >>> round(robustness_value(4.18445, 783), 4), round(robustness_value(4.18445, 783, level=0.95), 4)
    (0.1388, 0.0763)
    """
    check_between(df, 1, inf, say("degrees of freedom"), open_low=True)
    f = q * abs(t) / sqrt(df)
    if level is not None:
        f -= float(special.stdtrit(df - 1, (1 + level) / 2)) / sqrt(df - 1)
        if f <= 0:
            return 0.0
    return (sqrt(f**4 + 4 * f**2) - f**2) / 2


def as_strong_as(treatment: float, outcome: float) -> tuple[float, float]:
    """What a hidden cause as strong as a covariate would explain of the treatment and of the outcome.

    Args:
        treatment, outcome: R²_D and R²_Y of the covariate.

    Returns:
        R²_dz and R²_yz; never more than all.
    """
    if treatment >= 0.5:  # twice as strong leaves nothing of the treatment
        return 1.0, 1.0
    dz = treatment / (1 - treatment)
    zx = dz * dz
    yz = ((1 + sqrt(zx)) ** 2 / (1 - zx)) * outcome / max(1 - outcome, _NONE_LEFT)
    return dz, min(yz, 1.0)


@dataclass(frozen=True)
class Benchmark:
    """A hidden cause as strong as a covariate.

    Attributes:
        covariate: Which one.
        treatment, outcome: The shares it would explain.
        corrected: What the estimate would be with it; None when it would explain all of the treatment.
    """

    covariate: str
    treatment: float
    outcome: float
    corrected: float | None


@dataclass(frozen=True)
class Regression:
    """A linear regression of the outcome on the treatment and all covariates.

    Attributes:
        estimate, se: Of the treatment's coefficient, in the outcome's units.
        df: Residual degrees of freedom.
        benchmarks: A hidden cause as strong as each covariate, the strongest first.
    """

    estimate: float
    se: float
    df: float
    benchmarks: tuple[Benchmark, ...]

    @property
    def t(self) -> float:
        """The t value."""
        return self.estimate / self.se

    def robustness(self, level: float | None = None) -> float:
        """The robustness value; see `robustness_value`."""
        return robustness_value(self.t, self.df, level=level)


def regress(people: People) -> Regression:
    """The linear regression, and what covariates like those known would do to it.

    Raises:
        ModelError: when nothing varies.
    """
    x = people.x
    of_y = _Fit(people, x, with_treatment=True)
    rest = _Fit(people, x, with_treatment=False)
    everybody = people.n.sum()
    df = everybody - of_y.rank
    if df < 2 or rest.z_left <= _NONE_LEFT * everybody or of_y.y_left <= 0:
        raise ModelError("The covariates leave nothing of who had it, so no regression can tell them apart.")
    estimate = rest.zy_left / rest.z_left
    se = sqrt(of_y.y_left / df / rest.z_left)
    found, place = [], 1
    for covariate in people.covariates:
        columns = np.arange(place, place + len(covariate.levels))
        place += len(covariate.levels)
        without = np.delete(x, columns, axis=1)
        treatment = 1 - rest.z_left / _Fit(people, without, with_treatment=False).z_left
        outcome = 1 - of_y.y_left / _Fit(people, without, with_treatment=True).y_left
        dz, yz = as_strong_as(max(treatment, 0.0), max(outcome, 0.0))
        moved = None if dz >= 1 else se * sqrt(df * yz * dz / (1 - dz))
        corrected = None if moved is None else estimate - (moved if estimate > 0 else -moved)
        found.append(Benchmark(covariate.name, dz, yz, corrected))
    found.sort(key=lambda one: -one.treatment * one.outcome)
    return Regression(estimate, se, df, tuple(found))


class _Fit:
    """Least squares of the treatment and the outcome on columns of x, from sums."""

    def __init__(self, people: People, x: Array, *, with_treatment: bool) -> None:
        z = people.treated.astype(float)
        if with_treatment:
            x = np.column_stack([x, z])
        gram = (x * people.n[:, None]).T @ x
        inverse = np.linalg.pinv(gram, rcond=1e-12, hermitian=True)
        self.rank = int(np.linalg.matrix_rank(gram, hermitian=True))
        y_x, z_x = people.total @ x, (people.n * z) @ x
        self.y_left = float(people.squares.sum() - y_x @ inverse @ y_x)
        self.z_left = float((people.n * z).sum() - z_x @ inverse @ z_x)
        self.zy_left = float((people.total * z).sum() - z_x @ inverse @ y_x)


def corrected(difference: float, imbalance: float, outcome_difference: float) -> float:
    """A difference without what a hidden yes-or-no cause makes of it.

    Args:
        difference: As estimated.
        imbalance: p₁ − p₀: by how much more of the treated have the cause.
        outcome_difference: γ: what having it does to the outcome, in its units.

    >>> round(corrected(0.03, 0.2, 0.1), 4)
    0.01
    """
    check_between(imbalance, -1, 1, say("imbalance of a hidden cause"))
    return difference - imbalance * outcome_difference


@dataclass(frozen=True)
class Level:
    """A level as a yes-or-no cause: by how much more of the treated have it, and what goes with it."""

    covariate: str
    level: str
    imbalance: float
    outcome_difference: float


def strongest_level(people: People) -> Level | None:
    """The level that would make the largest difference of its own; what goes with it is that of the others.

    None without covariates.
    """
    z = people.treated
    found = []
    for at, covariate in enumerate(people.covariates):
        for code, level in enumerate(covariate.levels):
            here = people.codes[:, at] == code
            shares = [people.n[here & group].sum() / people.n[group].sum() for group in (z, ~z)]
            sums = [(people.total[group].sum(), people.n[group].sum()) for group in (here & ~z, ~here & ~z)]
            if all(n for _, n in sums):
                means = [float(total / n) for total, n in sums]
                apart = float(shares[0] - shares[1])
                found.append(Level(covariate.name, level, apart, means[0] - means[1]))
    return max(found, key=lambda one: abs(one.imbalance * one.outcome_difference), default=None)
