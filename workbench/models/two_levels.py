"""The two-level model of segments and arms that PyMC samples: shares, and with them buyers' values.

Segment s, arm v (0 control, 1 treatment), n customers, k buyers; a line is what a link makes of a quantity:
    k_sv ~ Binomial(n_sv, θ_sv),                  logit θ_sv = α + a_s + v (δ + d_s)
    mean of buyers ~ Gamma(k κ_v, k κ_v / M_sv),  log M_sv = A + A_s + v (Δ + D_s)
    a_s ~ N(0, σ²),  d_s ~ N(0, τ²),  α ~ N(m, 1),  δ ~ N(0, 1),  σ ~ HalfNormal(1),  τ ~ HalfNormal(0.15)
with m what the whole control has; the second line has priors of its own, of the same form. 1/κ_v, the squared
coefficient of variation of values, is common to an arm's segments and learnt from its estimate φ̂ within them,
ν φ̂ κ ~ χ²_ν: of Gamma values φ̂ is independent of the mean and has the variance 2 (1 + 1/κ) / (κ² n), hence
ν = n / (1 + φ̂).

Coordinates. As in any non-centred hierarchy (Papaspiliopoulos, Roberts & Sköld 2007, Statistical Science 22)
d_s = τ u_s; but where a segment has much data it is u_s and τ that depend on each other. So u_s is drawn from
about what the data leave of it, with y its estimate, w the precision of that and r² = 1 + w τ²:
    u_s = τ w (y_s − δ) / r² + z_s / r,   z_s about N(0, 1) a posteriori, at any amount of data
and likewise δ given τ. The density has its Jacobian, so this changes the speed and never the answer. Without
data it is the usual non-centred form, so segments that are not there cost nothing: the model is compiled for
16, 64 or 256 segments, once in a process, and its empty ones have no customers; shares alone are the model in
which nobody spends.
"""

from __future__ import annotations

import threading
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

SIZES = (16, 64, 256)
_TAU = 0.15
_FEWEST_BUYERS = 3


@dataclass(frozen=True)
class Line:
    """What the data say of shares or of values on the link's scale; it centres and scales coordinates.

    Attributes:
        centre: The whole control's.
        y, w: Each cell's estimate and its precision, 0 where there is none; shape (arms, segments).
    """

    centre: Any
    y: Any
    w: Any


@dataclass(frozen=True)
class Values:
    """What is known of buyers' values.

    Attributes:
        buyers: Shape (arms, segments).
        line: Logs of their means.
        phi, nu: φ̂ and ν of each arm.
    """

    buyers: Array
    line: Line
    phi: Array
    nu: Array


@dataclass(frozen=True)
class Drawn:
    """Draws of all chains together, which have passed the sampler's checks.

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


def _shares(n: Array, k: Array) -> Line:
    # half a customer added to each count, so that none and all have log odds too
    share = (k + 0.5) / (n + 1)
    whole = (k[0].sum() + 0.5) / (n[0].sum() + 1)
    return Line(special.logit(whole), special.logit(share), n * share * (1 - share))


def values_of(k: Array, mean: Array, squares: Array) -> Values:
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
    line = Line(np.log(whole), np.log(np.where(k > 0, mean, whole)), k / phi[:, None])
    return Values(k, line, phi, freedom / (1 + phi))


def _nobody(shape: tuple[int, ...]) -> Values:
    """Of no buyers at all: the model of shares is that of revenue where nobody spends."""
    none = np.zeros(shape)
    # κ is not asked for then; any proper distribution will do
    return Values(none, Line(0.0, none, none), np.ones(2), np.full(2, 100.0))


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
        lines = Line(pm.Data("centre", np.zeros(2)), y, w)
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


def sample(
    n: Array,
    k: Array,
    values: Values | None,
    draws: int,
    seed: Seed,
    progress: Progress | None,
    cancel: threading.Event | None,
) -> Drawn:
    """Draws that have passed the sampler's checks in every quantity of every segment.

    Raises:
        ModelError: they have not, or the sampler was stopped.
    """
    spent, segments = values or _nobody(n.shape), n.shape[1]
    size = next(size for size in SIZES if size >= segments)

    def padded(*tables: Array) -> Array:
        table = np.stack(tables) if len(tables) > 1 else tables[0]
        return np.pad(table, [(0, 0)] * (table.ndim - 1) + [(0, size - segments)])

    pair = _shares(n, k), spent.line
    lines = Line(
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
    return Drawn({name: q.reshape(-1, *q.shape[2:]) for name, q in quantities.items()}, checks)
