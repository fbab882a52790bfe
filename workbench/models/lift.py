"""What is expected of an effect before the data, and what is known of it after, in closed form.

An effect δ is measured on a scale g where it is about Normal:
    log          δ = log(treatment / control), for means, shares and ratios that are surely positive
    log odds     δ = logit(treatment) − logit(control), for shares
    difference   δ = treatment − control, where the control may be zero or less; or any Normal quantity
Prior and estimate are Normal, δ ~ N(m, s²) and y | δ ~ N(δ, se²), so (BDA3, section 2.5)
    δ | y ~ N(μ, σ²),   1/σ² = 1/s² + 1/se²,   μ = σ² (m/s² + y/se²)
    P(δ > x) = Φ((μ − x)/σ),   E[max(δ, 0)] = μ Φ(μ/σ) + σ φ(μ/σ),   E[max(−δ, 0)] = E[max(δ, 0)] − μ
    log scale, as a share of the control: E[max(e^δ − 1, 0)] = e^{μ + σ²/2} Φ(μ/σ + σ) − Φ(μ/σ)
    Bayes factor of the prior against δ = 0: N(y; m, s² + se²) / N(y; 0, se²)   (Wakefield 2009, eq. 1)
Estimates by the delta method: log lift log(t/c) with variance v_t/t² + v_c/c²; relative lift t/c − 1 with
variance v_t/c² + v_c t²/c⁴; log odds ratio with variance Σ 1/count, half a customer added to each count.

`tied_arms` is the same posterior from the exact likelihoods of both arms, which is what is shown of two arms;
the closed forms serve estimates that come without arms, many segments at once, and sliders. In P(δ > 0) they
agreed to 0.0001 at 1,000 conversions an arm, to 0.002 at 100 and to 0.006 at 30.

A prior on the relative lift itself gives another answer (4/200 against 10/200, variance 0.1: +6.7 % instead
of +23.2 %), since the delta method is poor there; the log scale is the one to use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.errors import ModelError, check_between, check_choice
from workbench.locale import Message, say
from workbench.models.arms import Arm, Array
from workbench.moments import Moments

Scale = Literal["log", "log odds", "difference"]

CLEARLY_POSITIVE = 4.0
"""Standard deviations above zero from which on a mean can be what a relative change is relative to."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


@dataclass(frozen=True)
class Link:
    """From the outcome's units to the scale of an effect, and back.

    Attributes:
        forth: To the scale; values outside the support go to its ends.
        back: To the outcome's units.
        slope: Derivative of `forth`; 0 outside the support.
        growth: Derivative of `back`.
        support: In the outcome's units.
    """

    forth: Callable[[Array], Array]
    back: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    growth: Callable[[Array], Array]
    support: tuple[float, float]


def _log(x: Array) -> Array:
    return np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), -inf)


def _logit(x: Array) -> Array:
    return special.logit(np.clip(x, 0.0, 1.0))


def _log_slope(x: Array) -> Array:
    return np.where(x > 0, 1 / np.where(x > 0, x, 1.0), 0.0)


def _logit_slope(x: Array) -> Array:
    inside = (x > 0) & (x < 1)
    safe = np.where(inside, x, 0.5)
    return np.where(inside, 1 / (safe * (1 - safe)), 0.0)


LINKS: dict[Scale, Link] = {
    "log": Link(_log, np.exp, _log_slope, np.exp, (0.0, inf)),
    "log odds": Link(
        _logit, special.expit, _logit_slope, lambda y: special.expit(y) * special.expit(-y), (0.0, 1.0)
    ),
    "difference": Link(lambda x: x, lambda y: y, np.ones_like, np.ones_like, (-inf, inf)),
}


def to_effect(change: ArrayLike, scale: Scale, baseline: float | None = None) -> Array:
    """A plain change on the scale of the effect.

    Args:
        change: A relative lift (0.1 is +10 %); for `difference` the difference itself.
        scale: Of the effect.
        baseline: The control's share, for `log odds`; without it the change is one of the odds.

    Raises:
        ModelError: the lift takes the outcome to where it cannot be.
    """
    change = np.asarray(change, dtype=float)
    if scale == "difference":
        return change
    if (change <= -1).any():
        raise ModelError("A lift of −100 % or less is none; name one above −100 %.")
    if scale == "log" or baseline is None:
        return np.log1p(change)
    check_between(baseline, 0, 1, say("control's share"), open_low=True, open_high=True)
    if (baseline * (1 + change) >= 1).any():
        raise ModelError(
            "A lift of {lift:percent} on a share of {baseline:percent} would be more than everybody; "
            "name a smaller one.",
            lift=float(change.max()),
            baseline=baseline,
        )
    return special.logit(baseline * (1 + change)) - special.logit(baseline)


def to_change(effect: ArrayLike, scale: Scale, baseline: float | None = None) -> Array:
    """The way back from `to_effect`."""
    effect = np.asarray(effect, dtype=float)
    if scale == "difference":
        return effect
    if scale == "log" or baseline is None:
        return np.expm1(effect)
    check_between(baseline, 0, 1, say("control's share"), open_low=True, open_high=True)
    # b' / b − 1 without the cancellation of two nearly equal shares
    grown = np.expm1(effect)
    return (1 - baseline) * grown / (1 + baseline * grown)


@dataclass(frozen=True)
class NormalEffect:
    """A Normal distribution of effects, one or many: all arrays have the shape of `mean` and `sd`.

    Attributes:
        mean, sd: On the scale.
        scale: Where the effect is Normal.
        baseline: The control's share, for `log odds`, to say lifts of the share and not of the odds.
    """

    mean: Array
    sd: Array
    scale: Scale = "log"
    baseline: float | None = None

    def probability_above(self, change: ArrayLike = 0.0) -> Array:
        """P(change > `change`), a lift or, for `difference`, a difference."""
        return special.ndtr((self.mean - to_effect(change, self.scale, self.baseline)) / self.sd)

    def rope(self, low: float, high: float) -> tuple[Array, Array, Array]:
        """Probability of a change below `low`, between, and above `high`."""
        above_low, above_high = self.probability_above(low), self.probability_above(high)
        return 1 - above_low, above_low - above_high, above_high

    def quantiles(self, q: float) -> Array:
        """The q-quantile of the change."""
        return to_change(self.mean + self.sd * special.ndtri(q), self.scale, self.baseline)

    def interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Equal-tailed interval of the change."""
        check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
        return self.quantiles((1 - level) / 2), self.quantiles((1 + level) / 2)

    def expected_losses(self) -> tuple[Array, Array]:
        """What is lost on average by choosing the treatment, and by staying with the control.

        Relative to the control's value; for `difference` in the outcome's units.
        """
        z = self.mean / self.sd
        if self.scale == "difference":
            bump = self.sd * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
            return bump - self.mean * special.ndtr(-z), bump + self.mean * special.ndtr(z)
        if self.scale == "log":
            grown = np.exp(self.mean + self.sd**2 / 2)
            stay = grown * special.ndtr(z + self.sd) - special.ndtr(z)
            choose = special.ndtr(-z) - grown * special.ndtr(-z - self.sd)
            return np.maximum(choose, 0.0), np.maximum(stay, 0.0)
        return self._half(-1), self._half(1)

    def _half(self, side: int) -> Array:
        """∫ |change| over effects above (side 1) or below (−1) zero."""
        mean, sd = (np.asarray(v, dtype=float)[..., None] for v in (self.mean, self.sd))
        edge = np.clip(-mean / sd, -9.0, 9.0)
        low, high = (edge, np.full_like(edge, 9.0)) if side > 0 else (np.full_like(edge, -9.0), edge)
        z = low + (high - low) / 2 * (1 + _NODES)
        weight = _WEIGHTS * (high - low) / 2 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        return (np.abs(to_change(mean + sd * z, self.scale, self.baseline)) * weight).sum(axis=-1)


@dataclass(frozen=True)
class LiftPrior:
    """What is expected of an effect before the data: δ ~ N(mean, sd²) on the scale.

    Attributes:
        mean, sd: On the scale.
        scale: Where the effect is Normal.

    >>> prior = LiftPrior.between(-0.20, 0.25)
    >>> [round(float(x), 4) for x in prior.predictive().interval(0.95)]
    [-0.2, 0.25]

    Raises:
        ModelError: the mean is not finite or the standard deviation not above zero.
        WorkbenchError: the scale is not one.
    """

    mean: float
    sd: float
    scale: Scale = "log"

    def __post_init__(self) -> None:
        check_choice(self.scale, LINKS, say("scale of an effect"))
        if not (isfinite(self.mean) and isfinite(self.sd) and self.sd > 0):
            raise ModelError("A prior of the lift needs two different ends that are finite.")

    @classmethod
    def between(
        cls,
        low: float,
        high: float,
        probability: float = 0.95,
        scale: Scale = "log",
        baseline: float | None = None,
    ) -> LiftPrior:
        """“We expect a lift between `low` and `high`, with `probability`.”

        Args:
            low, high: Equal-tailed quantiles of the change: lifts (0.25 is +25 %), or differences.
            probability: That the change lies between them.
            scale: Of the effect.
            baseline: The control's share, for `log odds`; without it the ends are changes of the odds.

        Raises:
            ModelError: the ends are turned round or cannot be.
        """
        check_between(probability, 0, 1, say("probability"), open_low=True, open_high=True)
        check_choice(scale, LINKS, say("scale of an effect"))
        if not low < high:
            raise ModelError(
                "The expected lift runs from {low:number} to {high:number}; put the lower end first.",
                low=low,
                high=high,
            )
        first, last = (float(to_effect(end, scale, baseline)) for end in (low, high))
        z = float(special.ndtri((1 + probability) / 2))
        return cls((first + last) / 2, (last - first) / (2 * z), scale)

    def predictive(self, baseline: float | None = None) -> NormalEffect:
        """What the prior says of the lift, by itself."""
        return NormalEffect(np.array(self.mean), np.array(self.sd), self.scale, baseline)

    def strip(self) -> dict[str, LiftPrior]:
        """The prior beside a sceptical one (no effect expected, a quarter of the spread) and a wide one."""
        return {
            "sceptical": LiftPrior(0.0, self.sd / 4, self.scale),
            "default": self,
            "wide": LiftPrior(self.mean, self.sd * 4, self.scale),
        }


def posterior(
    estimate: ArrayLike,
    se: ArrayLike,
    prior: LiftPrior | None = None,
    scale: Scale = "log",
    baseline: float | None = None,
) -> NormalEffect:
    """What is known of effects after the data.

    Args:
        estimate, se: On the scale, one or many, of one shape.
        prior: The same for all; None for a flat one.
        scale: Of the estimates; the prior's where there is one.
        baseline: The control's share, for `log odds`.

    Raises:
        ModelError: a standard error is not above zero or an estimate not finite.
    """
    estimate, se = _checked(estimate, se)
    if prior is None:
        return NormalEffect(estimate, se, scale, baseline)
    own = prior.sd**2 / (prior.sd**2 + se**2)
    return NormalEffect(own * estimate + (1 - own) * prior.mean, se * np.sqrt(own), prior.scale, baseline)


def log_bayes_factor(estimate: ArrayLike, se: ArrayLike, prior: LiftPrior) -> Array:
    """Log of how much likelier the data are with the prior's effects than with no effect at all."""
    estimate, se = _checked(estimate, se)
    wide = prior.sd**2 + se**2
    return (np.log(se**2 / wide) + (estimate / se) ** 2 - (estimate - prior.mean) ** 2 / wide) / 2


def log_lift(treatment: Arm, control: Arm) -> tuple[float, float]:
    """Log of treatment / control and its standard error, by the delta method.

    Raises:
        ModelError: one of the two is not surely above zero.
    """
    for arm in (control, treatment):
        if not arm.mean > CLEARLY_POSITIVE * arm.sd:
            raise ModelError(no_lift(arm))
    return float(np.log(treatment.mean / control.mean)), float(
        np.hypot(treatment.sd / treatment.mean, control.sd / control.mean)
    )


def relative_lift(treatment: Arm, control: Arm) -> tuple[float, float]:
    """Treatment / control − 1 and its standard error, by the delta method.

    Raises:
        ModelError: the control is not surely above zero.
    """
    if not control.mean > CLEARLY_POSITIVE * control.sd:
        raise ModelError(no_lift(control))
    ratio = treatment.mean / control.mean
    return ratio - 1, float(np.hypot(treatment.sd, ratio * control.sd) / control.mean)


def log_odds_ratio(treatment: Moments, control: Moments) -> tuple[float, float]:
    """Log odds ratio of two shares and its standard error.

    Half a customer is added to each count (Haldane 1956, Annals of Human Genetics 20), so that it is finite.
    """
    counts = np.array([(m.successes + 0.5, m.n - m.successes + 0.5) for m in (treatment, control)])
    (a, b), (c, d) = counts
    return float(np.log(a / b) - np.log(c / d)), float(np.sqrt((1 / counts).sum()))


def no_lift(arm: Arm) -> Message:
    """Why there is no relative lift over an arm, or of it."""
    return say(
        "A relative lift needs means that are surely above zero; here one is {mean:number} ± {sd:number}. "
        "Read the difference instead.",
        mean=arm.mean,
        sd=arm.sd,
    )


def _checked(estimate: ArrayLike, se: ArrayLike) -> tuple[Array, Array]:
    estimate, se = np.asarray(estimate, dtype=float), np.asarray(se, dtype=float)
    if not (np.isfinite(estimate).all() and np.isfinite(se).all() and (se > 0).all()):
        raise ModelError("An effect has to be finite and its standard error above zero.")
    return estimate, se
