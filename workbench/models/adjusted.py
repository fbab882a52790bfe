"""Less noise from what was known of people before they were exposed (CUPED, ANCOVA).

Outcome y, covariates x fixed before the exposure, S the scatter matrix over all arms together:
    θ = S_xx⁻¹ S_xy,   adjusted mean of an arm = ȳ_a − θ'(x̄_a − x̄),   variance (s_y² − 2 θ's_xy + θ'S_x θ)/n_a
x̄ over everybody. Since x is older than the assignment it has the same mean in all arms, so the adjustment
moves no effect, only its noise: by the share of variance that x explains.
Deng, Xu, Kohavi, Walker (2013), "Improving the sensitivity of online controlled experiments by utilizing
pre-experiment data"; Lin (2013), Annals of Applied Statistics 7(1), for why it does no harm.

Lift over the control's plain mean c = ȳ_C, with t = ȳ_T: the control's mean is on both sides of the ratio, so
(delta method, as GrowthBook corrected in its pull request 3610, with r = t / c)
    lift = (adjusted difference) / c
    variance = v_T / c² + (r² s_y² − 2 r θ's_xy + θ'S_x θ) / (n_C c²)

People without a past get x = 0 and a second covariate that says so.

Balance: standardised difference d_j = (x̄_T − x̄_C) / s_j with the posterior N(d_j, 1/n_T + 1/n_C), and over
all covariates and arms Σ n_a (x̄_a − x̄)' S_w⁻¹ (x̄_a − x̄) ~ χ² with (arms − 1) × covariates degrees of freedom.
Beyond chance the arms are not alike: something is wrong with the assignment, which no adjustment mends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.errors import ModelError, check_between
from workbench.locale import say
from workbench.models.arms import Array
from workbench.moments import CrossMoments, Moments

BEYOND_CHANCE = 0.001
"""p-value of the balance below which there is no adjustment; the same as for the sample ratio."""


@dataclass(frozen=True, eq=False)
class Covaried:
    """Number, means and scatter of an outcome and its covariates; disjoint groups add up.

    Attributes:
        n: People.
        means: The outcome's first, then the covariates'; shape (1 + k,).
        scatter: Sums of products of deviations; shape (1 + k, 1 + k).
    """

    n: int
    means: Array
    scatter: Array

    @classmethod
    def of(cls, outcome: ArrayLike, covariates: ArrayLike) -> Covaried:
        """Of people one by one: an outcome of shape (n,) and covariates of shape (n,) or (n, k)."""
        y, x = np.asarray(outcome, dtype=float), np.asarray(covariates, dtype=float)
        both = np.column_stack([y, x])
        means = both.mean(axis=0)
        return cls(len(y), means, (both - means).T @ (both - means))

    @classmethod
    def of_sums(cls, n: int, sums: ArrayLike, products: ArrayLike) -> Covaried:
        """Of sums, shape (1 + k,), and sums of products, shape (1 + k, 1 + k), the outcome first."""
        sums, products = np.asarray(sums, dtype=float), np.asarray(products, dtype=float)
        return cls(n, sums / n, products - np.outer(sums, sums) / n)

    @classmethod
    def of_pair(cls, pair: CrossMoments) -> Covaried:
        """Of x, the covariate, and y, the outcome."""
        scatter = np.array([[pair.m2_y, pair.c_xy], [pair.c_xy, pair.m2_x]])
        return cls(pair.n, np.array([pair.mean_y, pair.mean_x]), scatter)

    @classmethod
    def with_missing(cls, known: CrossMoments, missing: Moments) -> Covaried:
        """Of people with a past, as x and y, and the outcome of those without: x = 0 and an indicator."""
        past = cls.of_pair(known)
        rows = cls(past.n, np.r_[past.means, 0.0], np.pad(past.scatter, (0, 1)))
        scatter = np.zeros((3, 3))
        scatter[0, 0] = missing.m2
        return rows + cls(missing.n, np.array([missing.mean, 0.0, 1.0]), scatter)

    def __add__(self, other: Covaried) -> Covaried:
        n = self.n + other.n
        if not n:
            return self
        apart = other.means - self.means
        return Covaried(
            n,
            self.means + apart * (other.n / n),
            self.scatter + other.scatter + np.outer(apart, apart) * (self.n * other.n / n),
        )


@dataclass(frozen=True, eq=False)
class Balance:
    """How alike the arms are in what was known before.

    Attributes:
        difference: Standardised, of each arm but the first against the first; shape (arms − 1, k).
        sd: Posterior standard deviation of each; shape (arms − 1, 1).
        p_value: Of all at once, that arms assigned at random are at least this unlike.
    """

    difference: Array
    sd: Array
    p_value: float

    @property
    def beyond_chance(self) -> bool:
        """Whether the arms are too unlike to have been assigned at random."""
        return self.p_value < BEYOND_CHANCE

    def interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Intervals of the standardised differences."""
        check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
        reach = float(special.ndtri((1 + level) / 2)) * self.sd
        return self.difference - reach, self.difference + reach


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Means of arms as they would be if all arms had had the same past.

    Attributes:
        theta: How much of the outcome goes with one of each covariate; shape (k,).
        moments: Of each arm, adjusted: what `arms.mean_arm` and all else that takes moments can use.
        variance_removed: Share of the outcome's variance within arms that the covariates explain.
        balance: Of the covariates.
    """

    theta: Array
    moments: tuple[Moments, ...]
    variance_removed: float
    balance: Balance


def balance(arms: Sequence[Covaried]) -> Balance:
    """How alike arms are in their covariates; the first is the one others are held against.

    Raises:
        ModelError: there are fewer than two arms with people, or no covariate varies.
    """
    if len(arms) < 2 or any(arm.n < 2 for arm in arms):
        raise ModelError("Balance needs two arms with at least two customers each.")
    n = np.array([arm.n for arm in arms], dtype=float)
    within = sum(arm.scatter[1:, 1:] for arm in arms) / (n.sum() - len(arms))
    sd = np.sqrt(np.diag(within))
    used = sd > 0
    if not used.any():
        raise ModelError("What was known before is the same for everybody, so it explains nothing.")
    means = np.array([arm.means[1:] for arm in arms])
    scaled = np.where(used, (means - n @ means / n.sum()) / np.where(used, sd, 1.0), 0.0)
    correlation = (within / np.outer(np.where(used, sd, 1.0), np.where(used, sd, 1.0)))[np.ix_(used, used)]
    inverse = np.linalg.pinv(correlation, rcond=1e-10, hermitian=True)
    statistic = float((n[:, None] * scaled[:, used] * (scaled[:, used] @ inverse)).sum())
    dof = (len(arms) - 1) * int(np.linalg.matrix_rank(correlation, tol=1e-10, hermitian=True))
    return Balance(
        difference=scaled[1:] - scaled[0],
        sd=np.sqrt(1 / n[1:] + 1 / n[0])[:, None],
        p_value=float(special.gammaincc(dof / 2, statistic / 2)),
    )


def slopes(arms: Sequence[Covaried]) -> Array:
    """θ from all arms together; 0 for covariates that do not vary."""
    total = arms[0]
    for arm in arms[1:]:
        total = total + arm
    spread = np.sqrt(np.diag(total.scatter)[1:])
    scale = np.where(spread > 0, spread, 1.0)
    correlation = total.scatter[1:, 1:] / np.outer(scale, scale)
    inverse = np.linalg.pinv(correlation, rcond=1e-10, hermitian=True)
    return inverse @ (total.scatter[1:, 0] / scale) / scale


def adjust(arms: Sequence[Covaried]) -> Adjusted:
    """Adjust the means of arms for what was known before.

    Args:
        arms: The control first.

    Raises:
        ModelError: the arms differ in their past by more than chance allows, or nothing varies.
    """
    alike = balance(arms)
    if alike.beyond_chance:
        raise ModelError(
            "The arms differ in what was known before by more than chance allows (p = {p:plain}), so they "
            "were not assigned at random; find out why before adjusting for it.",
            p=float(f"{alike.p_value:.2g}"),
        )
    theta = slopes(arms)
    people = sum(arm.n for arm in arms)
    centre = sum(arm.n * arm.means[1:] for arm in arms) / people
    left = [_remaining(arm, theta) for arm in arms]
    raw = sum(float(arm.scatter[0, 0]) for arm in arms)
    if not raw > 0:
        raise ModelError("All customers have the same outcome, so there is no noise to remove.")
    return Adjusted(
        theta=theta,
        moments=tuple(
            Moments(arm.n, float(arm.means[0] - theta @ (arm.means[1:] - centre)), m2)
            for arm, m2 in zip(arms, left, strict=True)
        ),
        variance_removed=1 - sum(left) / raw,
        balance=alike,
    )


def adjusted_lift(treatment: Covaried, control: Covaried, theta: Array) -> tuple[float, float]:
    """The adjusted difference over the control's plain mean, and its standard error.

    Raises:
        ModelError: the control's mean is not surely above zero, as a relative lift needs.
    """
    base, se = float(control.means[0]), sqrt(float(control.scatter[0, 0]) / (control.n - 1) / control.n)
    if not base > 4 * se:
        raise ModelError(
            "A relative lift needs a control mean that is surely above zero; here it is {mean:number} ± "
            "{sd:number}. Read the difference instead.",
            mean=base,
            sd=se,
        )
    difference = float(treatment.means[0] - base - theta @ (treatment.means[1:] - control.means[1:]))
    ratio = float(treatment.means[0]) / base
    spread = control.scatter / (control.n - 1)
    of_control = (
        ratio**2 * spread[0, 0] - 2 * ratio * theta @ spread[1:, 0] + theta @ spread[1:, 1:] @ theta
    ) / control.n
    of_treatment = _remaining(treatment, theta) / (treatment.n - 1) / treatment.n
    return difference / base, sqrt(float(of_treatment + of_control)) / base


def _remaining(arm: Covaried, theta: Array) -> float:
    """Sum of squared deviations of what the covariates leave of the outcome."""
    s = arm.scatter
    return max(float(s[0, 0] - 2 * theta @ s[1:, 0] + theta @ s[1:, 1:] @ theta), 0.0)
