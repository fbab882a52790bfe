"""Effects per segment by PyMC's sampler: the hierarchy of `pooling` with the exact likelihood, and a hurdle.

Segment s, arm v (0 control, 1 treatment). Shares, k successes among n:
    k_sv ~ Binomial(n_sv, θ_sv),   logit θ_sv = α + a_s + v (δ + d_s)
    a_s ~ N(0, σ²),  d_s ~ N(0, τ²),  α ~ N(m, 1),  δ ~ N(0, 1),  σ ~ HalfNormal(1),  τ ~ HalfNormal(0.15)
with m the log odds of the whole control. Revenue of customers of whom many buy nothing (Duan et al. 1983,
J. Business & Economic Statistics 1): the same for who buys, and for the mean value M of a buyer
    log M_sv = A + A_s + v (Δ + D_s),  with the same priors, m the log of the whole control's buyers' mean
    values of buyers ~ Gamma(κ_v, κ_v / M_sv),  so that a cell's mean ~ Gamma(n κ_v, n κ_v / M_sv)
    revenue per customer = θ M
The Gamma with a log link is right about M whatever the values' shape, as only their mean enters (Manning &
Mullahy 2001, J. Health Economics 20). Its 1/κ_v, the squared coefficient of variation, is common to an arm's
segments and learnt from the spread φ̂ within them, ν φ̂ κ ~ χ²_ν: in Gamma values that spread is independent
of the mean, and φ̂ has the variance 2 (1 + 1/κ) / (κ² n), hence ν = n / (1 + φ̂).

Coordinates. As in any non-centred hierarchy (Papaspiliopoulos, Roberts & Sköld 2007, Statistical Science 22)
d_s = τ u_s; but where a segment has much data it is u_s and τ that depend on each other. So u_s is drawn from
about what the data leave of it, with y its estimate, w the precision of that and r² = 1 + w τ²:
    u_s = τ w (y_s − δ) / r² + z_s / r,   z_s about N(0, 1) a posteriori, at any amount of data
The density has its Jacobian, so this changes the speed and never the answer; without data it is the usual
non-centred form, which is why segments that are not there cost nothing: a model is compiled for 16, 64 or 256
segments and its empty ones hold no customers.

Withheld unless the sampler's checks pass (`nuts.check_chains`) for every quantity of every segment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special

from workbench.errors import ModelError
from workbench.models import nuts
from workbench.models.arms import Array
from workbench.models.importance import Seed
from workbench.models.nuts import Progress
from workbench.models.pooling import Effect
from workbench.moments import Moments

DRAWS = 8000
PREDICTED = 0.9
"""Probability of the bands in which the cells' own values should lie."""
_SIZES = (16, 64, 256)
_TAU = 0.15
_FEWEST_BUYERS = 3
Buyers = tuple[Moments, Moments]
"""Moments of all customers of a cell, and of those with a value above zero."""


@dataclass(frozen=True)
class SampledEffect(Effect):
    """The effect in one segment.

    Attributes:
        probability_above_overall: That the effect on the segment's control is above that of a typical
            segment; on the log odds or, for revenue, the log scale.
    """

    probability_above_overall: float


@dataclass(frozen=True)
class Hierarchy:
    """What the sampler found.

    Attributes:
        segments: In the order given.
        everybody: The effect over all segments, each counted by its customers in both arms.
        tau: Posterior mean of the spread of effects between segments, in log odds.
        tau_value: The same of buyers' mean values, in logs; None for shares.
        inside: How many of the cells' own values lie in the band that the model predicts for them.
        cells: How many there are: arm × segment, and for revenue × (buyers, their mean value).
        checks: R-hat, effective sample size and divergences.
    """

    segments: tuple[SampledEffect, ...]
    everybody: Effect
    tau: float
    tau_value: float | None
    inside: int
    cells: int
    checks: dict[str, float]


def sample_shares(
    control: Sequence[Moments],
    treatment: Sequence[Moments],
    level: float = 0.95,
    lower_is_better: bool = False,
    draws: int = DRAWS,
    seed: Seed = 0,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Hierarchy:
    """Effects per segment on a yes-or-no outcome.

    Args:
        control, treatment: One a segment, in the same order.
        level: Of the equal-tailed intervals.
        lower_is_better: Turns `probability_better` round, not the effects.
        draws: In four chains together.
        seed: Of the chains.
        progress: Told now and then, from another thread, the share that is done.
        cancel: Stops the sampler once it is set.

    Raises:
        ModelError: there is no segment or too many, the values are not yes or no, a check fails (the result
            is withheld), or it was stopped.
    """
    n = _table([control, treatment], lambda cell: cell.n)
    k = _table([control, treatment], lambda cell: cell.successes)
    found = _sample(n, k, None, draws, seed, progress, cancel)
    theta = special.expit(found.cells(0))
    within = _within(np.random.default_rng(0).binomial(n.astype(int), theta), k)
    typical = special.expit(found.typical(0))
    return found.hierarchy(theta, typical, n.sum(axis=0), within.ravel(), level, lower_is_better)


def sample_hurdle(
    control: Sequence[Buyers],
    treatment: Sequence[Buyers],
    level: float = 0.95,
    lower_is_better: bool = False,
    draws: int = DRAWS,
    seed: Seed = 0,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Hierarchy:
    """Effects per segment on revenue per customer, or on any other sum that is never negative.

    Arguments and errors as for `sample_shares`, and:

    Raises:
        ModelError: some values are negative, or too few buyers differ in what they spend in one of the arms.
    """
    sides = [control, treatment]
    everyone = _table(sides, lambda cell: cell[0].total)
    buyers = _table(sides, lambda cell: cell[1].total)
    if np.any(buyers > everyone * (1 + 1e-9)):
        raise ModelError("Some values are negative, so buyers and what they spend cannot be told apart.")
    n = _table(sides, lambda cell: cell[0].n)
    k = _table(sides, lambda cell: cell[1].n)
    mean = _table(sides, lambda cell: cell[1].mean)
    squares = _table(sides, lambda cell: cell[1].m2)
    found = _sample(n, k, _values(k, mean, squares), draws, seed, progress, cancel)
    theta, value = special.expit(found.cells(0)), np.exp(found.cells(1))
    rng = np.random.default_rng(0)
    shape = np.maximum(k, 1) * found.draws["kappa"][:, :, None]
    within = np.r_[
        _within(rng.binomial(n.astype(int), theta), k).ravel(),
        _within(value / shape * rng.standard_gamma(shape), mean)[k > 0],
    ]
    typical = special.expit(found.typical(0)) * np.exp(found.typical(1))
    return found.hierarchy(theta * value, typical, n.sum(axis=0), within, level, lower_is_better)


# --- what the model is told -----------------------------------------------------------------------------


def _table(sides: Sequence[Sequence[Any]], value: Callable[[Any], float]) -> Array:
    """A number of each cell, shape (arms, segments)."""
    control, treatment = sides
    if len(control) != len(treatment) or not 0 < len(control) <= _SIZES[-1]:
        raise ModelError(
            "Control has {control:count} segments and treatment {treatment:count}; there have to be as many "
            "of both, and at most {most:count}.",
            control=len(control),
            treatment=len(treatment),
            most=_SIZES[-1],
        )
    return np.array([[value(cell) for cell in side] for side in sides], dtype=float)


@dataclass(frozen=True)
class _Line:
    """What the data say of shares or of values on the link's scale; it centres and scales coordinates.

    Attributes:
        centre: The whole control's.
        y, w: Each cell's estimate and its precision, 0 where there is none; shape (arms, segments).
    """

    centre: Any
    y: Any
    w: Any


@dataclass(frozen=True)
class _Values:
    """What is known of buyers' values.

    Attributes:
        buyers: Shape (arms, segments).
        line: Logs of their means.
        phi, nu: φ̂ and ν of each arm.
    """

    buyers: Array
    line: _Line
    phi: Array
    nu: Array


def _shares(n: Array, k: Array) -> _Line:
    share = (k + 0.5) / (n + 1)
    whole = (k[0].sum() + 0.5) / (n[0].sum() + 1)
    return _Line(special.logit(whole), special.logit(share), n * share * (1 - share))


def _values(k: Array, mean: Array, squares: Array) -> _Values:
    """From the number of buyers, the mean of their values and its squared deviations.

    Raises:
        ModelError: too few buyers, or none that differ.
    """
    several = k > 1
    freedom = np.sum(np.where(several, k - 1, 0), axis=1)
    spread = np.sum(np.where(several, squares, 0) / np.where(several, mean, 1) ** 2, axis=1)
    if np.any(freedom < _FEWEST_BUYERS) or np.any(spread <= 0):
        raise ModelError(
            "There are too few buyers in one of the arms, or all spend the same in each segment: there is "
            "nothing to tell what a buyer spends apart from who buys."
        )
    phi, whole = spread / freedom, k[0] @ mean[0] / k[0].sum()
    line = _Line(np.log(whole), np.log(np.where(k > 0, mean, whole)), k / phi[:, None])
    return _Values(k, line, phi, freedom / (1 + phi))


def _nothing(shape: tuple[int, ...]) -> _Values:
    """Of no buyers at all: the model of shares is that of revenue where nobody spends."""
    none = np.zeros(shape)
    return _Values(none, _Line(0.0, none, none), np.ones(2), np.full(2, 100.0))


# --- the model ------------------------------------------------------------------------------------------


def _level(xp: Any, centre: Any, scale: Any, y: Any, w: Any, z: Any) -> tuple[Any, Any, Any]:
    """A common value, each segment's own, and the log density of both with their Jacobian.

    Args:
        xp: `numpy`, or pytensor's for the model.
        centre: Of the common value's prior, whose standard deviation is 1.
        scale: Standard deviation of the segments' values around it.
        y, w: The data say of a segment's own value about N(y, 1 / w).
        z: Coordinates, about N(0, 1) a posteriori; the last is the common value's.
    """
    scale = scale[..., None]
    r = xp.sqrt(1 + w * scale**2)
    known = w / r**2
    precision = 1 + xp.sum(known, axis=-1)
    common = (centre + xp.sum(known * y, axis=-1)) / precision + z[..., -1] / xp.sqrt(precision)
    u = scale * known * (y - common[..., None]) + z[..., :-1] / r
    density = -(xp.sum(u**2, axis=-1) + (common - centre) ** 2 + xp.log(precision)) / 2
    return common, common[..., None] + scale * u, density - xp.sum(xp.log(r), axis=-1)


def _cells(xp: Any, line: Any, sigma: Any, tau: Any, z: Any) -> tuple[Any, Any, Any, Any, Any]:
    """α, δ, each segment's control and effect on the link's scale, and their log density.

    Args:
        xp: `numpy`, or pytensor's for the model.
        line: One or several lines.
        sigma, tau: Standard deviations of control and effect between segments.
        z: Coordinates of the control and of the effect, shape (..., 2, segments + 1).
    """
    y, w = line.y, line.w
    both = xp.maximum(w[..., 0, :] + w[..., 1, :], 1e-9)
    delta, effect, density = _level(
        xp, 0.0, tau, y[..., 1, :] - y[..., 0, :], w[..., 0, :] * w[..., 1, :] / both, z[..., 1, :]
    )
    own = (w[..., 0, :] * y[..., 0, :] + w[..., 1, :] * (y[..., 1, :] - effect)) / both
    alpha, control, more = _level(xp, line.centre, sigma, own, w[..., 0, :] + w[..., 1, :], z[..., 0, :])
    return alpha, delta, control, effect, density + more


@lru_cache
def _compiled(size: int) -> Any:
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as built:
        n, k, buyers = (pm.Data(name, np.zeros((2, size))) for name in ("n", "k", "buyers"))
        y, w = (pm.Data(name, np.zeros((2, 2, size))) for name in ("y", "w"))
        sigma, tau = pm.HalfNormal("sigma", 1, shape=2), pm.HalfNormal("tau", _TAU, shape=2)
        lines = _Line(pm.Data("centre", np.zeros(2)), y, w)
        _, _, control, effect, density = _cells(pt, lines, sigma, tau, pm.Flat("z", shape=(2, 2, size + 1)))
        pm.Potential("effects", pt.sum(density))
        buy, value = (pt.stack([control[line], control[line] + effect[line]]) for line in (0, 1))
        pm.Potential("buys", pt.sum(k * buy - n * pt.softplus(buy)))
        phi, nu = (pm.Data(name, np.ones(2)) for name in ("phi", "nu"))
        log_kappa = _log_kappa(pt, pm.Flat("z_kappa", shape=2), phi, nu)
        pm.Potential("spread", pt.sum(nu / 2 * (log_kappa - phi * pt.exp(log_kappa))))
        shape = pt.maximum(buyers, 1e-9) * pt.exp(log_kappa)[:, None]
        off = value - y[1]
        fits = shape * (pt.log(shape) - off - pt.exp(-off)) - pt.gammaln(shape)
        pm.Potential("values", pt.sum(pt.switch(buyers > 0, fits, 0.0)))
    return nutpie.compile_pymc_model(built)


def _log_kappa(xp: Any, z: Any, phi: Any, nu: Any) -> Any:
    """From its coordinates; its posterior, but for what the cells' means say, has the sd √(2/ν)."""
    return z * xp.sqrt(2 / nu) - xp.log(phi)


def _sample(
    n: Array,
    k: Array,
    values: _Values | None,
    draws: int,
    seed: Seed,
    progress: Progress | None,
    cancel: threading.Event | None,
) -> _Found:
    """Draws that have passed the sampler's checks in every quantity of every segment.

    Raises:
        ModelError: they have not, or the sampler was stopped.
    """
    spent, segments = values or _nothing(n.shape), n.shape[1]
    size = next(size for size in _SIZES if size >= segments)

    def padded(*tables: Array) -> Array:
        table = np.stack(tables) if len(tables) > 1 else tables[0]
        return np.pad(table, [(0, 0)] * (table.ndim - 1) + [(0, size - segments)])

    pair = _shares(n, k), spent.line
    lines = _Line(
        np.array([line.centre for line in pair]),
        padded(*(line.y for line in pair)),
        padded(*(line.w for line in pair)),
    )
    data = {"n": padded(n), "k": padded(k), "buyers": padded(spent.buyers), "phi": spent.phi, "nu": spent.nu}
    trace = nuts.sample(lambda: _compiled(size), data | vars(lines), draws, seed, progress, cancel)
    drawn = {name: trace.posterior[name].values for name in ("sigma", "tau", "z", "z_kappa")}
    alpha, delta, control, effect, _ = _cells(np, lines, drawn["sigma"], drawn["tau"], drawn["z"])
    control, effect = control[..., :segments], effect[..., :segments]
    quantities = {
        "sigma": drawn["sigma"],
        "tau": drawn["tau"],
        "alpha": alpha,
        "delta": delta,
        "control": control,
        "treatment": control + effect,
    }
    if values is None:
        quantities = {name: q[:, :, :1] for name, q in quantities.items()}
    else:
        quantities["kappa"] = np.exp(_log_kappa(np, drawn["z_kappa"], spent.phi, spent.nu))
    every = np.concatenate([q.reshape(*q.shape[:2], -1) for q in quantities.values()], axis=2)
    checks = nuts.check_chains(every, int(trace.sample_stats["diverging"].values.sum()))
    return _Found({name: q.reshape(-1, *q.shape[2:]) for name, q in quantities.items()}, checks)


# --- what it found --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """Draws of all chains together.

    Attributes:
        draws: On the links' scales, (draws, lines) or (draws, lines, segments); `kappa` (draws, arms).
        checks: What they have passed.
    """

    draws: dict[str, Array]
    checks: dict[str, float]

    def cells(self, line: int) -> Array:
        """Shape (draws, arms, segments)."""
        return np.stack([self.draws[arm][:, line] for arm in ("control", "treatment")], axis=1)

    def typical(self, line: int) -> Array:
        """The treatment, were its effect the typical one in each segment; shape (draws, segments)."""
        found: Array = self.draws["control"][:, line] + self.draws["delta"][:, line, None]
        return found

    def hierarchy(
        self,
        values: Array,
        typical: Array,
        customers: Array,
        within: Array,
        level: float,
        lower_is_better: bool,
    ) -> Hierarchy:
        """What is said of it.

        Args:
            values: Of the cells in the outcome's units, shape (draws, arms, segments).
            typical: Of the treatment, were its effect the typical one, shape (draws, segments).
            customers: By segment.
            within: Whether the cells' own values are foretold.
            level: Of the intervals.
            lower_is_better: Whether the outcome should go down.
        """
        before, after = values[:, 0], values[:, 1]
        above, weight = np.mean(after > typical, axis=0), customers / customers.sum()
        tau = self.draws["tau"].mean(axis=0)
        return Hierarchy(
            segments=tuple(
                SampledEffect(
                    **_effect(before[:, s], after[:, s], level, lower_is_better),
                    probability_above_overall=float(above[s]),
                )
                for s in range(values.shape[2])
            ),
            everybody=Effect(**_effect(before @ weight, after @ weight, level, lower_is_better)),
            tau=float(tau[0]),
            tau_value=float(tau[1]) if tau.size > 1 else None,
            inside=int(within.sum()),
            cells=within.size,
            checks=self.checks,
        )


def _within(predicted: Array, own: Array) -> Array:
    """Whether the cells' own values lie in the middle of what is predicted for them, (arms, segments)."""
    low, high = np.quantile(predicted, [(1 - PREDICTED) / 2, (1 + PREDICTED) / 2], axis=0)
    return (low <= own) & (own <= high)


def _effect(before: Array, after: Array, level: float, lower_is_better: bool) -> dict[str, Any]:
    """The fields of an `Effect` from draws of both arms in the outcome's units."""
    q = [0.5, (1 - level) / 2, (1 + level) / 2]
    difference, lift = np.quantile(after - before, q), np.quantile(after / before - 1, q)
    return {
        "difference": float(difference[0]),
        "difference_interval": (float(difference[1]), float(difference[2])),
        "lift": float(lift[0]),
        "lift_interval": (float(lift[1]), float(lift[2])),
        "probability_better": float(np.mean(after < before if lower_is_better else after > before)),
    }
