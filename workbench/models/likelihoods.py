"""Log densities of one arm on the scale of a lift, with their derivatives.

With y = g(mean), and Beta(a, b) the posterior of a share θ, its own prior included:
    y = logit θ    log p(y) = a log θ + b log(1 − θ)
    y = log θ      log p(y) = a log θ + (b − 1) log(1 − θ)
Student t with ν degrees of freedom of a mean μ, from the reference prior, is the likelihood of μ with the
variance integrated out (BDA3, section 3.2):
    log L = −(ν + 1)/2 log(1 + z²/ν),  z = (μ − location) / scale
On y = log μ the mean's own prior is flat in log μ: one that is flat in μ would expect lifts to be s² higher
than the prior of the lift says. So that it can be integrated, a mean twenty times smaller than the one seen
is ruled out; where a relative lift is allowed (`tied_arms`), the data rule it out anyway.
Any other arm is tabulated between its probabilities 10⁻⁶ and 1 − 10⁻⁶, and continued as a parabola.
"""

from __future__ import annotations

from math import log

import numpy as np
from scipy import interpolate, special

from workbench.models.arms import Arm, Array, BetaArm, MeanArm
from workbench.models.conditionals import Curve
from workbench.models.lift import Scale

_FALL, _SOFT = 3.0, 0.1  # in logs: how far below the mean seen a mean is ruled out, and how softly
_EDGE = -1e-9  # log of a share, above which its density is taken to fall as it does there


def located(arm: Arm, scale: Scale) -> tuple[float, float]:
    """About where an arm is on the scale, and its standard deviation there."""
    if isinstance(arm, BetaArm) and scale == "log odds":
        centre = float(special.digamma(arm.a) - special.digamma(arm.b))
        return centre, float(np.sqrt(special.polygamma(1, arm.a) + special.polygamma(1, arm.b)))
    return (log(arm.mean), arm.sd / arm.mean) if scale == "log" else (arm.mean, arm.sd)


def log_density(arm: Arm, scale: Scale) -> Curve:
    """What an arm's data say of y, up to a constant."""
    if isinstance(arm, BetaArm):
        return _log_odds(arm.a, arm.b) if scale == "log odds" else _log_share(arm.a, arm.b - 1)
    inner = _student(arm) if isinstance(arm, MeanArm) else _tabulated(arm)
    if scale != "log":
        return inner

    least = log(arm.mean) - _FALL

    def curve(y: Array) -> tuple[Array, Array, Array]:
        mean = np.exp(np.clip(y, least - 2, least + 100))
        height, rise, bend = inner(mean)
        under = np.minimum(y - least, 0) / _SOFT
        return (
            height - under**2 / 2,
            rise * mean - under / _SOFT,
            (bend * mean + rise) * mean - (under < 0) / _SOFT**2,
        )

    return curve


def _log_odds(a: float, b: float) -> Curve:
    def curve(y: Array) -> tuple[Array, Array, Array]:
        share = special.expit(y)
        height = -(a + b) * np.logaddexp(0, -y) - b * y
        return height, a - (a + b) * share, -(a + b) * share * (1 - share)

    return curve


def _log_share(a: float, b: float) -> Curve:
    def curve(y: Array) -> tuple[Array, Array, Array]:
        inside = np.minimum(y, _EDGE)
        rest = -np.expm1(inside)
        odds = np.exp(inside) / rest
        rise = a - b * odds
        return a * inside + b * np.log(rest) + rise * (y - inside), rise, -b * odds / rest

    return curve


def _student(arm: MeanArm) -> Curve:
    def curve(x: Array) -> tuple[Array, Array, Array]:
        z = (x - arm.location) / arm.scale
        spread = arm.dof + z * z
        rise = -(arm.dof + 1) * z / spread
        bend = -(arm.dof + 1) * (arm.dof - z * z) / spread**2
        return -(arm.dof + 1) / 2 * np.log1p(z * z / arm.dof), rise / arm.scale, bend / arm.scale**2

    return curve


def _tabulated(arm: Arm) -> Curve:
    low, high = arm.ppf([1e-6, 1 - 1e-6])
    x = np.linspace(low, high, 201)
    spline = interpolate.CubicSpline(x, np.log(arm.pdf(x)))

    def curve(y: Array) -> tuple[Array, Array, Array]:
        edge = np.clip(y, x[0], x[-1])
        over = y - edge
        height, rise, bend = (spline(edge, nu) for nu in range(3))
        bend = np.where(over == 0, bend, np.minimum(bend, -1e-2 / arm.sd**2))
        return height + over * (rise + over * bend / 2), rise + over * bend, bend

    return curve
