"""Customers whose parameters are known, simulated purchase by purchase, one function a way of leaving."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

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
