"""The posteriors of `purchases` and `spend` once more, by PyMC's sampler, to confirm and to publish.

The compressed rows and the priors are the same; the likelihoods are written a second time, as a witness.
Each model is compiled once in a process, which takes some seconds, and half a minute the first time on a
machine; later data of any size are put in its place.

A posterior is withheld unless R-hat < 1.01 and the effective sample size, bulk and tail, is above 400 for
each parameter, and no transition diverged.

Source: Hoffman & Gelman (2014), "The No-U-Turn sampler", JMLR 15; Vehtari, Gelman, Simpson, Carpenter &
Bürkner (2021), "Rank-normalization, folding, and localization: an improved R-hat", Bayesian Analysis 16(2).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np

from workbench.errors import ModelError
from workbench.models import pareto_nbd, purchases, spend
from workbench.models.importance import ESS_LIMIT, Array, NormalPrior, Seed
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.models.spend import SpendDraws, SpendLikelihood, SpendRows

RHAT_LIMIT = 1.01
_CHAINS = 4
_TUNE = 500
_TARGET_ACCEPT = 0.9

Progress = Callable[[float], None]

# Two customers, for the types of a model's data.
_EXAMPLE = PurchaseRows(*np.array([[0.0, 1.0], [0.0, 1.0], [2.0, 3.0], [1.0, 1.0]]))

# PyMC's compiler is not made for two threads at once.
_compiling = threading.Lock()


def purchase_posterior(
    rows: PurchaseRows,
    model: str = "mbg-nbd",
    draws: int = 4000,
    seed: Seed = 0,
    prior: NormalPrior | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> PurchaseDraws:
    """Draws from the posterior of a model of purchases.

    Args:
        rows: The histories.
        model: One of `purchases.MODELS`.
        draws: In four chains together.
        seed: Groups that are compared need independent seeds, see `importance.independent_seeds`.
        prior: `purchases.default_prior` unless given.
        progress: Told now and then, from another thread, the share that is done.
        cancel: Stops the sampler once it is set.

    Raises:
        ModelError: when nobody has bought again, when a check fails (the result is withheld), or when it was
            stopped.
    """
    prior = prior or purchases.default_prior(rows, model)
    tables = purchases.model_of(model).likelihood(rows).tables
    compiled = _compiled_pareto if model == "pareto-nbd" else _compiled_beta_geometric
    u, checks = _sample(compiled, tables, prior, draws, seed, progress, cancel)
    return PurchaseDraws.of_free(u, model, checks)


def spend_posterior(
    rows: SpendRows,
    draws: int = 4000,
    seed: Seed = 0,
    prior: NormalPrior | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> SpendDraws:
    """Draws from the posterior of Gamma-Gamma; arguments and errors as for `purchase_posterior`."""
    prior = prior or spend.default_prior(rows)
    tables = SpendLikelihood(rows).tables
    u, checks = _sample(_compiled_spend, tables, prior, draws, seed, progress, cancel)
    p, q, v = spend.to_parameters(u).T
    return SpendDraws(p, q, v, checks)


def _sample(
    compiled: Callable[[], Any],
    tables: dict[str, Any],
    prior: NormalPrior,
    draws: int,
    seed: Seed,
    progress: Progress | None,
    cancel: threading.Event | None,
) -> tuple[Array, dict[str, float]]:
    """Unconstrained draws of all chains, shape (draws, parameters), and the checks they have passed."""
    data = {**tables, "prior_mean": prior.mean, "prior_sd": prior.sd}
    trace = sample(compiled, data, draws, seed, progress, cancel, adaptation="low_rank")
    u = trace.posterior["u"].values
    checks = check_chains(u, int(trace.sample_stats["diverging"].values.sum()))
    return u.reshape(-1, u.shape[2])[:draws], checks


def sample(
    compiled: Callable[[], Any],
    data: dict[str, Any],
    draws: int,
    seed: Seed = 0,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    adaptation: str = "diag",
) -> Any:
    """Four chains of a compiled model on some data, as PyMC's tree of draws and statistics; not yet checked.

    Args:
        compiled: Gives the compiled model; called by one thread at a time.
        data: What takes the place of the model's `pm.Data`.
        draws: In four chains together.
        seed: Of all chains.
        progress: Told now and then, from another thread, the share that is done.
        cancel: Stops the sampler once it is set.
        adaptation: How nutpie learns the posterior's scales: `diag`, or `low_rank` for correlations too.

    Raises:
        ModelError: when it was stopped.
    """
    import nutpie

    with _compiling:
        model = compiled()
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)

    def tell(chains: list[Any]) -> None:
        if progress is not None:
            progress(min(1.0, sum(c.finished_draws for c in chains) / (_CHAINS * _TUNE + draws)))

    sampler = nutpie.sample(
        model.with_data(**data),
        draws=-(-draws // _CHAINS),
        tune=_TUNE,
        chains=_CHAINS,
        seed=int(root.generate_state(1)[0]),
        target_accept=_TARGET_ACCEPT,
        adaptation=adaptation,
        save_warmup=False,
        progress_bar=False,
        progress_callback=tell,
        blocking=False,
    )
    trace = None
    try:
        while trace is None:
            if cancel is not None and cancel.is_set():
                raise ModelError("The sampler was stopped before it was done.")
            with suppress(TimeoutError):
                trace = sampler.wait(timeout=0.1)
    except BaseException:
        sampler.cancel()
        raise
    return trace


def check_chains(u: Array, divergences: int) -> dict[str, float]:
    """R-hat, the effective sample size and the divergences of draws of shape (chains, draws, parameters).

    Raises:
        ModelError: when one of them fails: the result is withheld.
    """
    from arviz_stats.base import array_stats

    rhat = float(np.max(array_stats.rhat(u, chain_axis=0, draw_axis=1)))
    bulk = array_stats.ess(u, chain_axis=0, draw_axis=1, method="bulk")
    tail = array_stats.ess(u, chain_axis=0, draw_axis=1, method="tail", prob=(0.05, 0.95))
    ess = float(min(np.min(bulk), np.min(tail)))
    if not (rhat < RHAT_LIMIT and ess > ESS_LIMIT and divergences == 0):
        raise ModelError(
            "The result is withheld: the sampler's own checks fail (R-hat {rhat}, effective sample size "
            "{ess:count}, {divergences:count} divergences); use more draws or more customers.",
            rhat=round(rhat, 3),
            ess=ess,
            divergences=divergences,
        )
    return {"rhat": rhat, "ess": ess, "divergences": float(divergences)}


@lru_cache
def _compiled_beta_geometric() -> Any:
    # The tables alone tell BG/NBD from MBG/NBD, so one compilation serves both.
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    example = purchases.model_of("bg-nbd").likelihood(_EXAMPLE).tables
    with pm.Model() as built:
        k = {name: pm.Data(name, value) for name, value in example.items()}
        u = pm.Normal("u", pm.Data("prior_mean", np.zeros(4)), pm.Data("prior_sd", np.ones(4)), shape=4)
        r, alpha = pt.exp(u[1]), pt.exp(u[1] - u[0])
        a, b = pt.sigmoid(u[2]) * pt.exp(u[3]), pt.sigmoid(-u[2]) * pt.exp(u[3])
        chances = k["chances"]
        by_x = pt.gammaln(r + k["x"]) + pt.gammaln(b + chances) - pt.gammaln(a + b + chances)
        constant = r * pt.log(alpha) - pt.gammaln(r) + pt.gammaln(a + b) - pt.gammaln(b)
        log_t, log_T = pt.log(alpha + k["t"]), pt.log(alpha + k["T"])
        log_odds = pt.log(a) - pt.log(b + pt.maximum(chances, 1) - 1)
        d = log_odds[k["x_of"]] - (r + k["mortal_x"]) * (log_t[k["t_of"]] - log_T[k["T_of"]])
        pm.Potential(
            "log_likelihood",
            pt.sum(k["n_by_x"] * by_x)
            + k["n"] * constant
            - pt.sum((r * k["n_by_T"] + k["nx_by_T"]) * log_T)
            + pt.sum(k["mortal_n"] * pt.softplus(d)),
        )
    return nutpie.compile_pymc_model(built)


@lru_cache
def _compiled_pareto() -> Any:
    import nutpie
    import pymc as pm
    import pytensor.gradient as pg
    import pytensor.tensor as pt

    example = purchases.model_of("pareto-nbd").likelihood(_EXAMPLE).tables
    with pm.Model() as built:
        k = {name: pm.Data(name, value) for name, value in example.items()}
        u = pm.Normal("u", pm.Data("prior_mean", np.zeros(4)), pm.Data("prior_sd", np.ones(4)), shape=4)
        r, alpha, s, beta = pt.exp(u[1]), pt.exp(u[1] - u[0]), pt.exp(u[3]), pt.exp(u[3] - u[2])
        edges, x, node, weight = k["edges"], k["ladder_x"], k["node"][:, None], k["node_weight"][:, None]
        # Where the nodes lie does not change the integral, so nothing is learnt from moving them.
        least = pg.disconnected_grad(pt.minimum(alpha, beta)) + edges[:-1]
        length = pt.log1p((edges[1:] - edges[:-1]) / least)
        t = (edges[:-1] + least * pt.expm1(node * length)).ravel()
        log_weight = (pt.log(weight * length * least) + node * length).ravel()
        log_a, log_b, node_a = pt.log(alpha + edges), pt.log(beta + edges), pt.log(alpha + t)
        offset = (r + x) * log_a[k["ladder_edge"]] + (s + 1) * log_b[k["ladder_edge"]]
        power = log_weight - r * node_a - (s + 1) * pt.log(beta + t) - x[:, None] * node_a + offset[:, None]
        integrand = pt.exp(pt.minimum(power, pareto_nbd.LARGEST))
        cells = integrand.reshape((x.shape[0], node.shape[0], edges.shape[0] - 1)).sum(axis=1)
        rungs = pt.cumsum(cells[:, ::-1], axis=1)[:, ::-1]
        rungs = pt.concatenate([rungs, pt.zeros((x.shape[0], 1))], axis=1).ravel()
        row, start, end = k["ladder_of"] * edges.shape[0], k["start_of"], k["end_of"]
        integral = pt.maximum(rungs[row + start] - rungs[row + end], 1e-300)
        d = pt.log(s * integral) - offset[k["ladder_of"]] + (r + k["mortal_x"]) * log_a[end] + s * log_b[end]
        pm.Potential(
            "log_likelihood",
            pt.sum(k["n_by_x"] * pt.gammaln(r + k["x"]))
            + k["n"] * (r * pt.log(alpha) - pt.gammaln(r) + s * pt.log(beta))
            - pt.sum((r * k["n_by_edge"] + k["nx_by_edge"]) * log_a)
            - s * pt.sum(k["n_by_edge"] * log_b)
            + pt.sum(k["mortal_n"] * pt.softplus(d)),
        )
    return nutpie.compile_pymc_model(built)


@lru_cache
def _compiled_spend() -> Any:
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    example = SpendLikelihood(spend.bin_spend([1, 2], [1, 2])).tables
    with pm.Model() as built:
        k = {name: pm.Data(name, value) for name, value in example.items()}
        u = pm.Normal("u", pm.Data("prior_mean", np.zeros(3)), pm.Data("prior_sd", np.ones(3)), shape=3)
        log_v = u[0] + u[2] - u[1]
        p, q = pt.exp(u[1]), pt.exp(u[2])
        z = pt.sigmoid(k["mean_log"] - log_v)
        log_sum = log_v + pt.softplus(k["mean_log"] - log_v) + k["var_log"] / 2 * z * (1 - z)
        pm.Potential(
            "log_likelihood",
            pt.sum(k["n_by_x"] * (pt.gammaln(p * k["x"] + q) - pt.gammaln(p * k["x"])))
            + k["customers"] * (q * log_v - pt.gammaln(q))
            + p * k["sum_x_log"]
            - k["sum_log"]
            + k["sum_log_x"]
            - pt.sum(k["row_n"] * (p * k["row_x"] + q) * log_sum),
        )
    return nutpie.compile_pymc_model(built)
