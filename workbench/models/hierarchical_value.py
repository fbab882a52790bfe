"""The hierarchy of `pooled_value` by PyMC's sampler, with the likelihood itself instead of its Normal.

The model is `pooled_value`'s, for BG/NBD and MBG/NBD, on the compressed rows of all groups: log-gammas once
for each group and x, logarithms once for each group and time (as in `beta_geometric`).

Coordinates. Where a segment has much data it is its coefficients that are known; where it has little, how far
they are from the typical ones in units of d. So what the closed form found, γ̂, d̂ and H_s, y_s, sets the
coordinates z, each about N(0, 1) a posteriori at any amount of data:

    γ = γ̂ + w ∘ A z₀,   c_s = γ + d ∘ ε_s,   ε_s = d h_s (y_s - γ) v_s² + v_s ∘ A_s z_s,
    v_s = (1 + d² h_s)^-½,   w = (b⁻² + Σ h_s v_s²)^-½,   each coefficient by itself

with h_s what a segment's data say of each coefficient, and A, A_s constant factors of the correlations of γ
and c_s in the closed form. The density has the Jacobian, so they change the speed and never the answer.
Without data this is the usual non-centred form, so the model is compiled for 8, 16 or 32 segments, once in a
process for each number of arms, and segments that are not there cost nothing.

Withheld unless the sampler's checks (`nuts.check_chains`) pass for every coefficient of every segment.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from workbench.errors import ModelError
from workbench.models import nuts, purchases, random_coefficients
from workbench.models.beta_geometric import BetaGeometric
from workbench.models.importance import Array, Seed
from workbench.models.nuts import Progress
from workbench.models.pooled_value import (
    CHANGED_PURCHASES,
    Group,
    Layout,
    PooledPurchases,
    pool,
    purchases_of,
    together,
)
from workbench.models.purchases import PurchaseRows
from workbench.models.random_coefficients import Coefficients, Evidence, HierarchyPrior

SIZES = (8, 16, 32)
DRAWS = 6000
_PARAMETERS = 4
_CLOSED_DRAWS = 1000

# Two customers, for the types of the model's data.
_EXAMPLE = PurchaseRows(*np.array([[0.0, 1.0], [0.0, 1.0], [2.0, 3.0], [1.0, 1.0]]))


def sample_purchases(
    rows: Mapping[Group, PurchaseRows],
    control: str | None = None,
    model: str = "mbg-nbd",
    draws: int = DRAWS,
    seed: Seed = 0,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> PooledPurchases:
    """Draws that have passed the sampler's checks.

    Args:
        rows: The histories of each group, by segment and arm; a segment need not have all arms.
        control: The arm the others are held against; None where there is only one.
        model: `bg-nbd` or `mbg-nbd`.
        draws: In four chains together.
        seed: Of the chains.
        progress: Told now and then, from another thread, the share that is done.
        cancel: Stops the sampler once it is set.

    Raises:
        ModelError: for another model or too many segments, when nobody has bought again or there is no such
            control, when a check fails (the result is withheld), or when it was stopped.
    """
    known = purchases.model_of(model)
    layout = Layout.of(rows, control, _PARAMETERS, CHANGED_PURCHASES)
    segments = len(layout.segments)
    if not isinstance(known, BetaGeometric) or segments > SIZES[-1]:
        raise ModelError(
            "The full sampler pools {most:count} segments at most, in BG/NBD and MBG/NBD only; "
            "use the quick answer.",
            most=SIZES[-1],
        )
    everybody = together(list(rows.values()))
    one = purchases.default_prior(everybody, model)
    prior = layout.prior(one.mean, one.sd)
    free = known.parameters.free
    evidence, found = pool(
        layout,
        {group: free(known.likelihood(some)) for group, some in rows.items()},
        free(known.likelihood(everybody)),
        one,
        _CLOSED_DRAWS,
        0,
    )
    size = next(size for size in SIZES if size >= segments)
    about = _about(evidence, prior, found, size)
    data = {**about, **_tables(layout, rows, known, size)}
    trace = nuts.sample(lambda: _compiled(size, len(layout.arms)), data, draws, seed, progress, cancel)
    spreads, z, z_typical = (trace.posterior[name].values for name in ("d", "z", "z_typical"))
    typical, each, _ = _coefficients(np, about, spreads[..., prior.spread_of], z_typical, z)
    each = each[..., :segments, :]
    every = np.concatenate([spreads, typical, each.reshape(*each.shape[:2], -1)], axis=2)
    checks = nuts.check_chains(every, int(trace.sample_stats["diverging"].values.sum()))
    each, typical, spreads = (
        drawn.reshape(-1, *drawn.shape[2:])[:draws] for drawn in (each, typical, spreads)
    )
    return purchases_of(layout, model, each, typical, spreads, checks)


def _about(evidence: Evidence, prior: HierarchyPrior, found: Coefficients, size: int) -> dict[str, Any]:
    """What the coordinates are made of, for `size` segments of which those without data come last."""
    d = prior.spreads(found.spreads.mean(axis=0)[None])[0]
    centre, more = found.typical.mean(axis=0), size - len(evidence.shift)
    H = np.pad(evidence.precision, [(0, more), (0, 0), (0, 0)])
    towards = np.pad(evidence.shift, [(0, more), (0, 0)]) - H @ centre
    # What a segment's own data say of each coefficient, beyond a prior of the width d.
    covariance = np.linalg.inv(H + np.diag(d**-2))
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    h = np.maximum(1 / variance - d**-2, 0.0)
    known = h > 1e-9
    y = centre + (covariance @ towards[..., None])[..., 0] / np.where(known, variance * h, np.inf)
    return {
        "prior_mean": prior.mean,
        "prior_sd": prior.sd,
        "centre": centre,
        "h": np.where(known, h, 0.0),
        "y": y,
        "turn": np.linalg.cholesky(covariance / np.sqrt(variance[:, :, None] * variance[:, None, :])),
        "turn_typical": np.linalg.cholesky(np.corrcoef(found.typical.T)),
    }


def _coefficients(xp: Any, k: Mapping[str, Any], d: Any, z_typical: Any, z: Any) -> tuple[Any, Any, Any]:
    """γ, c_s, and the log density of both with the Jacobian of their coordinates.

    Args:
        xp: `numpy`, or pytensor's for the model.
        k: From `_about`.
        d: Of each coefficient, shape (..., F).
        z_typical, z: Coordinates, shape (..., F) and (..., segments, F).
    """
    d = d[..., None, :]
    v = (1 + d**2 * k["h"]) ** -0.5
    w = (k["prior_sd"] ** -2 + xp.sum(k["h"] * v**2, axis=-2)) ** -0.5
    typical = k["centre"] + w * xp.sum(k["turn_typical"] * z_typical[..., None, :], axis=-1)
    gap = k["y"] - typical[..., None, :]
    away = d * k["h"] * gap * v**2 + v * xp.sum(k["turn"] * z[..., None, :], axis=-1)
    density = -xp.sum(away**2, axis=(-2, -1)) / 2 + xp.sum(xp.log(v), axis=(-2, -1))
    density -= xp.sum(((typical - k["prior_mean"]) / k["prior_sd"]) ** 2, axis=-1) / 2
    return typical, typical[..., None, :] + d * away, density + xp.sum(xp.log(w), axis=-1)


def _tables(
    layout: Layout, rows: Mapping[Group, PurchaseRows], model: BetaGeometric, size: int
) -> dict[str, Any]:
    """The tables of each group's likelihood one after the other, with the group of each entry.

    Times of t_x and of T are put into one table, of which the latter have customers.
    """
    parts: dict[str, list[Array]] = {}
    n, x_before, times_before = np.zeros(size * len(layout.arms)), 0, 0
    for (segment, arm), some in rows.items():
        k = model.likelihood(some).tables
        group = layout.segments.index(segment) * len(layout.arms) + layout.arms.index(arm)
        n[group] = k["n"]
        nobody = np.zeros(len(k["t"]))
        entries = {
            "x": k["x"],
            "chances": k["chances"],
            "n_by_x": k["n_by_x"],
            "group_of_x": np.full(len(k["x"]), group),
            "time": np.concatenate([k["t"], k["T"]]),
            "n_by_time": np.concatenate([nobody, k["n_by_T"]]),
            "nx_by_time": np.concatenate([nobody, k["nx_by_T"]]),
            "group_of_time": np.full(len(k["t"]) + len(k["T"]), group),
            "mortal_n": k["mortal_n"],
            "x_of": k["x_of"] + x_before,
            "t_of": k["t_of"] + times_before,
            "T_of": k["T_of"] + times_before + len(k["t"]),
        }
        x_before += len(k["x"])
        times_before += len(entries["time"])
        for name, values in entries.items():
            parts.setdefault(name, []).append(values)
    return {"n": n, **{name: np.concatenate(values) for name, values in parts.items()}}


@lru_cache
def _compiled(size: int, arms: int) -> Any:
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    names = tuple(f"{index:02d}" for index in range(arms))
    layout = Layout(("",), names, _PARAMETERS, CHANGED_PURCHASES)
    prior = layout.prior(np.zeros(_PARAMETERS), np.ones(_PARAMETERS))
    coefficients = len(prior.mean)
    nothing = Evidence(np.zeros((1, coefficients, coefficients)), np.zeros((1, coefficients)))
    about = _about(nothing, prior, random_coefficients.sample(nothing, prior, _CLOSED_DRAWS, 0), size)
    tables = _tables(layout, {("", names[0]): _EXAMPLE}, BetaGeometric(0), size)
    with pm.Model() as built:
        k = {name: pm.Data(name, value) for name, value in (about | tables).items()}
        d = pm.HalfNormal("d", prior.scales, shape=len(prior.scales))
        z_typical, z = pm.Flat("z_typical", shape=coefficients), pm.Flat("z", shape=(size, coefficients))
        _, each, density = _coefficients(pt, k, d[prior.spread_of], z_typical, z)
        pm.Potential("coefficients", density)
        u = (
            pt.stack([each @ layout.design(arm).T for arm in range(arms)], axis=1)
            .reshape((-1, _PARAMETERS))
            .T
        )
        r, alpha = pt.exp(u[1]), pt.exp(u[1] - u[0])
        a, b = pt.sigmoid(u[2]) * pt.exp(u[3]), pt.sigmoid(-u[2]) * pt.exp(u[3])
        constant = r * pt.log(alpha) - pt.gammaln(r) + pt.gammaln(a + b) - pt.gammaln(b)
        of_x = pt.stack([r, a, b], axis=1)[k["group_of_x"]]
        of_time = pt.stack([r, alpha], axis=1)[k["group_of_time"]]
        r_x, a_x, b_x, r_time, alpha_time = (*(of_x[:, i] for i in range(3)), of_time[:, 0], of_time[:, 1])
        shape, later = r_x + k["x"], b_x + k["chances"]
        log_time = pt.log(alpha_time + k["time"])
        log_odds = pt.log(a_x) - pt.log(b_x + pt.maximum(k["chances"], 1) - 1)
        of_row = pt.stack([log_odds, shape], axis=1)[k["x_of"]]
        gone = of_row[:, 0] - of_row[:, 1] * (log_time[k["t_of"]] - log_time[k["T_of"]])
        pm.Potential(
            "log_likelihood",
            pt.sum(k["n_by_x"] * (pt.gammaln(shape) + pt.gammaln(later) - pt.gammaln(a_x + later)))
            + pt.sum(k["n"] * constant)
            - pt.sum((r_time * k["n_by_time"] + k["nx_by_time"]) * log_time)
            + pt.sum(k["mortal_n"] * pt.softplus(gone)),
        )
    return nutpie.compile_pymc_model(built)
