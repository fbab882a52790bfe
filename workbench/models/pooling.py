"""Effects per segment, drawn towards the overall effect as far as the data say that segments are alike.

It is the effects that are pooled (`shrinkage`), never the cells: a segment's base rate says nothing about its
effect. Each segment gives an effect y with a standard error on a scale where it is about Normal:
    binary outcomes  log odds; from the exact moments of the logit of a Beta(a, b) posterior, ψ(a) − ψ(b) and
                     ψ′(a) + ψ′(b), with the Jeffreys prior, so that no conversions at all is data too
    means            logs, delta method, where every mean is 4 standard deviations above zero;
                     else the difference itself

The pooled effects θ are put back into the outcome's units. With l the control's value on the scale and v its
variance (C control, T treatment), which the data tie to θ by
    l | θ ~ N(l̂ − v_C / (v_C + v_T) (θ − y),  v_C v_T / (v_C + v_T))
the difference is g(l + θ) − g(l) and the lift g(l + θ) / g(l) − 1, g the way back. Their distribution
functions are sums over τ and Gauss–Hermite nodes of l. Of 2,600 effects in random experiments, ends of
intervals were within 0.001 % of their width (median) of those with five times the nodes, and 99 % within
0.6 %; the rest are of cells of a few dozen customers. What error there is beyond that, is that of a Normal
likelihood.
Against the exact one, sampled with the same priors, ends of 95 % intervals were off by this much of their
width: 0.7 % with hundreds of conversions a cell, 1.4 % with 20, 8 % with 5, a third with none in either arm.
Over 400 simulated experiments of 12 segments of 50 to 3,000 customers, 90 % intervals held the true
difference 89.8 % and the true lift 90.0 % of the time; the error was 0.40 of that of the raw differences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

import numpy as np
from scipy import special

from workbench.errors import ModelError, check_between, check_choice
from workbench.locale import Message, say
from workbench.models.arms import Arm, Array, BetaArm, binary_arm, invert, mean_arm
from workbench.models.shrinkage import HalfNormal, NormalMixture, pool
from workbench.moments import Moments

_HERMITE, _HERMITE_WEIGHTS = np.polynomial.hermite_e.hermegauss(24)
_TOGETHER = 3  # neighbours in τ that are taken for one
_CLEARLY_POSITIVE = 4.0  # standard deviations above zero from which the log of a mean is about Normal


@dataclass(frozen=True)
class Effect:
    """An effect in the outcome's units; points are posterior medians, intervals equal-tailed.

    Attributes:
        difference, difference_interval: Treatment − control.
        lift, lift_interval: Treatment / control − 1; None where control is not surely above zero.
        probability_better: P(treatment is better than control).
    """

    difference: float
    difference_interval: tuple[float, float]
    lift: float | None
    lift_interval: tuple[float, float] | None
    probability_better: float


@dataclass(frozen=True)
class PooledEffect(Effect):
    """The effect in one segment, drawn towards the overall one.

    Attributes:
        raw_difference: Treatment − control of this segment's own means.
        own_weight: How much of the effect is the segment's own data, from 0 to 1.
        probability_above_overall: P(θ_s > μ): far from ½ where the segment differs from the rest.
    """

    raw_difference: float
    own_weight: float
    probability_above_overall: float


@dataclass(frozen=True)
class SegmentEffects:
    """Pooled effects of all segments.

    Attributes:
        segments: In the order given; where a segment's effect cannot be computed, the reason.
        overall: The effect of a typical segment (μ) on the average control customer.
        scale: On which the effects were pooled: `log odds`, `log mean` or `difference`.
        tau: Posterior mean of the spread of effects between segments, on that scale.
        tau_scale: Scale of its half-Normal prior, on that scale.
        level: Of the intervals.
    """

    segments: tuple[PooledEffect | Message, ...]
    overall: Effect
    scale: str
    tau: float
    tau_scale: float
    level: float


def pool_segments(
    kind: Literal["binary", "mean"],
    control: Sequence[Moments],
    treatment: Sequence[Moments],
    level: float = 0.95,
    tau_scale: float = 0.15,
    tau_difference: float | None = None,
    lower_is_better: bool = False,
) -> SegmentEffects:
    """Effects per segment from the moments of its two arms, partially pooled.

    Args:
        kind: `binary` for yes-or-no outcomes, `mean` for any other.
        control, treatment: One a segment, in the same order.
        level: Of the intervals, above 0 and below 1.
        tau_scale: Scale of the half-Normal prior of the spread of effects, in log odds or logs; 0.15 says
            that a segment's effect seldom lies further than 30 % from the typical one. Means that are
            pooled as differences take it times the overall mean of control.
        tau_difference: The prior's scale in the outcome's units for means pooled as differences; needed
            where the overall mean of control is about zero, as that of a score may be.
        lower_is_better: Turns `probability_better` round, not the effects.

    Raises:
        ModelError: no segment has both arms, or the prior's scale cannot be set.
        WorkbenchError: the kind or the level is not one.
    """
    check_choice(kind, ["binary", "mean"], say("kind of outcome"))
    check_between(level, 0, 1, say("level"), open_low=True, open_high=True)
    if len(control) != len(treatment):
        raise ModelError(
            "Control has {control:count} segments and treatment {treatment:count}; each needs both.",
            control=len(control),
            treatment=len(treatment),
        )
    cells = list(zip(control, treatment, strict=True))
    arms = [_arms(kind, *cell) for cell in cells]
    used = {s: pair for s, pair in enumerate(arms) if not isinstance(pair, Message)}
    if not used:
        raise ModelError("No segment has enough customers in both arms to compare.")
    scale = _scale(kind, list(used.values()))
    whole = _arms(kind, *(sum((side[s] for s in used), Moments.empty()) for side in (control, treatment)))
    assert not isinstance(whole, Message)  # more customers than in a segment that could be computed
    if scale is _DIFFERENCE:
        tau_scale = _tau_of_differences(whole[0], tau_scale, tau_difference)
    sides = [(scale.locate(c), scale.locate(t)) for c, t in used.values()]
    pooled = pool(
        [t[0] - c[0] for c, t in sides], [sqrt(c[1] + t[1]) for c, t in sides], HalfNormal(tau_scale)
    )
    ends = scale.locate(whole[0]), scale.locate(whole[1])
    *effects, overall = _effects(
        scale,
        [before for before, _ in (*sides, ends)],
        [after for _, after in (*sides, ends)],
        [*pooled.effects, pooled.overall],
        level,
        lower_is_better,
    )
    results = {
        s: PooledEffect(
            **vars(effects[i]),
            raw_difference=treatment[s].mean - control[s].mean,
            own_weight=float(pooled.own_weight[i]),
            probability_above_overall=float(pooled.probability_above_overall[i]),
        )
        for i, s in enumerate(used)
    }
    return SegmentEffects(
        segments=tuple(pair if isinstance(pair, Message) else results[s] for s, pair in enumerate(arms)),
        overall=overall,
        scale=scale.name,
        tau=pooled.tau,
        tau_scale=tau_scale,
        level=level,
    )


@dataclass(frozen=True)
class _Scale:
    """Where effects are about Normal.

    Attributes:
        locate: Centre and variance of an arm on this scale.
        link: From the outcome's units to the scale; values outside go to its ends.
        slope: Derivative of `link`; 0 outside.
        back: From the scale to the outcome's units.
    """

    name: str
    locate: Callable[[Arm], tuple[float, float]]
    link: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    back: Callable[[Array], Array]


def _locate_share(arm: Arm) -> tuple[float, float]:
    assert isinstance(arm, BetaArm)
    centre = special.digamma(arm.a) - special.digamma(arm.b)
    return float(centre), float(special.polygamma(1, arm.a) + special.polygamma(1, arm.b))


_LOG_ODDS = _Scale(
    "log odds",
    _locate_share,
    lambda x: special.logit(np.clip(x, 1e-300, 1 - 2**-53)),
    lambda x: np.where((x > 0) & (x < 1), 1 / np.clip(x * (1 - x), 1e-300, None), 0.0),
    special.expit,
)
_LOG_MEAN = _Scale(
    "log mean",
    lambda arm: (log(arm.mean), (arm.sd / arm.mean) ** 2),
    lambda x: np.log(np.clip(x, 1e-300, None)),
    lambda x: np.where(x > 0, 1 / np.clip(x, 1e-300, None), 0.0),
    np.exp,
)
_DIFFERENCE = _Scale("difference", lambda arm: (arm.mean, arm.sd**2), lambda x: x, np.ones_like, lambda x: x)


def _arms(kind: str, control: Moments, treatment: Moments) -> tuple[Arm, Arm] | Message:
    """Both posteriors, or why there are none."""
    arm: Callable[[Moments], Arm] = binary_arm if kind == "binary" else mean_arm
    try:
        return arm(control), arm(treatment)
    except ModelError as error:
        return error.message


def _scale(kind: str, pairs: Sequence[tuple[Arm, Arm]]) -> _Scale:
    if kind == "binary":
        return _LOG_ODDS
    clear = all(arm.mean >= _CLEARLY_POSITIVE * arm.sd for pair in pairs for arm in pair)
    return _LOG_MEAN if clear else _DIFFERENCE


def _tau_of_differences(control: Arm, relative: float, given: float | None) -> float:
    if given is not None:
        return given
    if abs(control.mean) < _CLEARLY_POSITIVE * control.sd:
        raise ModelError(
            "The overall mean of control, {mean:number}, is too near zero to say how far effects may lie "
            "apart in relation to it; give that spread in the outcome's own units.",
            mean=control.mean,
        )
    return relative * abs(control.mean)


def _thinned(mixtures: Sequence[NormalMixture]) -> tuple[Array, Array, Array]:
    """Mixtures with fewer parts, neighbours in τ made one of their mean and variance; (mixtures, parts)."""
    weight = mixtures[0].weights
    starts = np.arange(0, weight.size, _TOGETHER)
    whole = np.add.reduceat(weight, starts)
    share = weight / np.repeat(whole, np.diff(np.r_[starts, weight.size]))
    means, spreads = (np.array([getattr(m, name) for m in mixtures]) for name in ("means", "sds"))
    middle = np.add.reduceat(share * means, starts, axis=1)
    second = np.add.reduceat(share * (spreads**2 + means**2), starts, axis=1)
    return np.broadcast_to(whole, middle.shape), middle, np.sqrt(np.maximum(second - middle**2, 1e-300))


def _effects(
    scale: _Scale,
    control: Sequence[tuple[float, float]],
    treatment: Sequence[tuple[float, float]],
    mixtures: Sequence[NormalMixture],
    level: float,
    lower_is_better: bool,
) -> list[Effect]:
    """Effects on the scale put back into the outcome's units, each together with the control it acts on.

    Args:
        control, treatment: Centre and variance of each arm on the scale, one pair an effect.
        mixtures: Posteriors of treatment − control on the scale, over one grid of τ.
    """
    # axes: effects, what is asked of them, τ, nodes of the control
    (centre, variance), (other, other_variance) = (
        np.array(side, dtype=float).T[..., None, None, None] for side in (control, treatment)
    )
    weights, means, sds = (part[:, None, :, None] for part in _thinned(mixtures))
    slope = variance / (variance + other_variance)
    rest = slope * other_variance
    # Given τ, control and effect are jointly Normal: nodes of the control first, then the effect at each.
    spread = sds**2
    expected = centre - slope * (means - (other - centre))
    around = rest + slope**2 * spread
    base = expected + np.sqrt(around) * _HERMITE
    mean = means - slope * spread / around * (base - expected)
    sd = np.sqrt(spread * rest / around)
    weight = weights * _HERMITE_WEIGHTS / _HERMITE_WEIGHTS.sum()
    before = scale.back(base)

    def at_most(after: Array, growth: Array | float) -> tuple[Array, Array]:
        """P(treatment <= after), and how fast that grows while `after` grows like `growth`."""
        z = (scale.link(after) - base - mean) / sd
        density = np.exp(-z * z / 2) / sqrt(2 * np.pi) / sd * scale.slope(after) * growth
        return (weight * special.ndtr(z)).sum(axis=(-2, -1)), (weight * density).sum(axis=(-2, -1))

    def difference(d: Array) -> tuple[Array, Array]:
        return at_most(before + d[..., None, None], 1.0)

    def lift(r: Array) -> tuple[Array, Array]:
        return at_most(before * (1 + r[..., None, None]), before)

    q = np.broadcast_to([0.5, (1 - level) / 2, (1 + level) / 2], (len(control), 3))
    middle = (weights * means).sum(axis=(-2, -1))
    whole = np.sqrt((weights * (spread + means**2)).sum(axis=(-2, -1)) - middle**2)
    about = middle + whole * special.ndtri(q)
    now, then = scale.back(centre[..., 0, 0]), scale.back(centre[..., 0, 0] + about)
    far = np.abs(before).max(axis=(-3, -2, -1)) + np.max(
        [np.abs(scale.back(base + mean + 9 * z * sd)).max(axis=(-3, -2, -1)) for z in (-1, 1)], axis=0
    )
    far = far[:, None]
    differences = invert(difference, q, -far, far, then - now)
    above = 1 - difference(np.zeros((len(control), 1)))[0][:, 0]
    # A ratio means something only when its denominator is surely positive.
    allowed = min(0.001, (1 - level) / 20)
    known = np.full(len(control), scale is not _DIFFERENCE)
    known |= special.ndtr(-centre / np.sqrt(variance)).ravel() <= allowed
    lifts = np.full(q.shape, np.nan)
    if known.any():
        far = 1e3 * np.abs(then / now).max(axis=-1, keepdims=True)
        lifts = invert(lift, q, -far, far, then / now - 1)
    return [
        Effect(
            difference=float(d[0]),
            difference_interval=(float(d[1]), float(d[2])),
            lift=float(r[0]) if shown else None,
            lift_interval=(float(r[1]), float(r[2])) if shown else None,
            probability_better=float(1 - p if lower_is_better else p),
        )
        for d, r, p, shown in zip(differences, lifts, above, known, strict=True)
    ]
