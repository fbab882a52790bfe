"""Customers whose parameters are known, simulated purchase by purchase, one function a way of leaving."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.models.bg_bb import OpportunityRows
from workbench.models.contracts import ContractRows
from workbench.models.purchases import PurchaseRows

Array = NDArray[np.float64]


def histories(
    model: str, values: Mapping[str, float], T: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """x and t_x of customers watched for T weeks each, who buy as the model says."""
    rate = rng.gamma(values["r"], 1 / values["alpha"], len(T))
    if model == "pareto-nbd":
        life = rng.exponential(size=len(T)) / rng.gamma(values["s"], 1 / values["beta"], len(T))
        there = np.minimum(T, life)
        x = rng.poisson(rate * there).astype(float)
        # The last of x times spread evenly over the time that the customer was there.
        return x, np.where(x > 0, there * rng.random(len(T)) ** (1 / np.maximum(x, 1)), 0.0)
    dropout = rng.beta(values["a"], values["b"], len(T))
    now, last, x = np.zeros((3, len(T)))
    active = np.arange(len(T))
    if model == "mbg-nbd":
        active = active[rng.random(len(T)) >= dropout]
    while len(active):
        now[active] += rng.exponential(1 / rate[active])
        active = active[now[active] <= T[active]]
        x[active] += 1
        last[active] = now[active]
        active = active[rng.random(len(active)) >= dropout[active]]
    return x, last


def counted(x: Array, t_x: Array, T: Array, bins_per_week: float) -> PurchaseRows:
    """Rows of bins of t_x and T that carry the averages of their customers, as large data are counted."""
    keys = np.column_stack([x, np.floor(t_x * bins_per_week), np.floor(T * bins_per_week)])
    bins, bin_of = np.unique(keys, axis=0, return_inverse=True)
    n = np.bincount(bin_of).astype(float)
    last, until = (np.bincount(bin_of, times) / n for times in (t_x, T))
    return PurchaseRows(bins[:, 0], last, np.maximum(until, last), n)


def spending(parameters: tuple[float, float, float], x: Array, rng: np.random.Generator) -> Array:
    """Mean spend of customers with so many purchases each, from (p, q, v) of Gamma-Gamma."""
    p, q, v = parameters
    scale = rng.gamma(q, 1 / v, len(x)) * x
    return rng.gamma(p * x, 1 / scale)


def opportunities(
    parameters: tuple[float, float, float, float], customers: int, n: int, seed: int
) -> OpportunityRows:
    """Customers with n opportunities to buy, from (α, β, γ, δ) of BG/BB."""
    rng = np.random.default_rng(seed)
    alpha, beta, gamma, delta = parameters
    p, leave = rng.beta(alpha, beta, customers), rng.beta(gamma, delta, customers)
    stays = rng.geometric(np.maximum(leave, 1e-12)) - 1
    bought = (rng.random((customers, n)) < p[:, None]) & (np.arange(n) < stays[:, None])
    x = bought.sum(axis=1)
    t_x = np.where(x > 0, n - np.argmax(bought[:, ::-1], axis=1), 0)
    rows, count = np.unique(np.column_stack([x, t_x]), axis=0, return_counts=True)
    return OpportunityRows(rows[:, 0], rows[:, 1], np.full(len(rows), float(n)), count)


def subscribers(
    alpha: float, beta: float, c: float, seed: int, customers: int, longest: int = 12
) -> ContractRows:
    """Contracts begun over `longest` periods, seen until the last of them."""
    rng = np.random.default_rng(seed)
    theta = rng.beta(alpha, beta, customers)
    # S(t | θ) = (1 − θ)^(t^c)
    life = np.ceil((np.log(rng.random(customers)) / np.log1p(-np.minimum(theta, 1 - 1e-15))) ** (1 / c))
    seen = rng.integers(1, longest + 1, customers)
    ended = life <= seen
    keys, n = np.unique(np.column_stack([np.where(ended, life, seen), ended]), axis=0, return_counts=True)
    return ContractRows(keys[:, 0], keys[:, 1] > 0, n)
