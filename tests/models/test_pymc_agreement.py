"""Closed forms against the same models sampled in PyMC.

One PyMC model holds the three independent questions, since compiling costs more than sampling.
"""

from __future__ import annotations

from typing import Any

import arviz_stats as az
import numpy as np
import pytest

from workbench.models.arms import UNIFORM, Arm, binary_arm, mean_arm
from workbench.models.comparison import compare
from workbench.models.pooling import PooledEffect, pool_segments
from workbench.moments import Moments

LEVEL = 0.9
SHARES = Moments.of_binary(120, 1000), Moments.of_binary(150, 1000)
MEANS = Moments.of_mean(60, 9.7, 30.0), Moments.of_mean(45, 12.1, 55.0)
CONTROLS = [Moments.of_binary(s, n) for s, n in [(500, 5000), (960, 12000), (450, 3000), (2000, 20000)]]
TREATMENTS = [Moments.of_binary(s, n) for s, n in [(590, 5000), (1010, 12000), (480, 3000), (2290, 20000)]]


@pytest.fixture(scope="module")
def posterior() -> Any:
    import pymc as pm

    def successes(groups: Any) -> list[int]:
        return [group.successes for group in groups]

    def sizes(groups: Any) -> list[int]:
        return [group.n for group in groups]

    with pm.Model():
        share = pm.Beta("share", *UNIFORM, shape=2)
        pm.Binomial("converted", n=sizes(SHARES), p=share, observed=successes(SHARES))

        # The Normal likelihood of all values, from their moments; p(mean, sigma²) ∝ 1/sigma².
        mean = pm.Normal("mean", 0, 1e4, shape=2, initval=[m.mean for m in MEANS])
        log_sigma = pm.Normal("log_sigma", 0, 1e3, shape=2, initval=[1.5, 1.5])
        n, m2 = np.array(sizes(MEANS)), np.array([m.m2 for m in MEANS])
        squares = m2 + n * (mean - np.array([m.mean for m in MEANS])) ** 2
        pm.Potential("values", (-n * log_sigma - squares * pm.math.exp(-2 * log_sigma) / 2).sum())

        segments = len(CONTROLS)
        base = pm.Normal("base", -2, 5, shape=segments)
        effect = pm.Normal("effect", 0, 5)
        tau = pm.HalfNormal("tau", 0.15)
        effects = pm.Deterministic("effects", effect + tau * pm.Normal("own", 0, 1, shape=segments))
        control = pm.math.invlogit(base)
        treatment = pm.math.invlogit(base + effects)
        pm.Binomial("control", n=sizes(CONTROLS), p=control, observed=successes(CONTROLS))
        pm.Binomial("treatment", n=sizes(TREATMENTS), p=treatment, observed=successes(TREATMENTS))
        pm.Deterministic("difference", treatment - control)
        pm.Deterministic("lift", treatment / control - 1)
        data = pm.sample(
            1500, tune=800, chains=4, cores=2, random_seed=7, target_accept=0.99, progressbar=False
        )
    # Near τ = 0 the hierarchy is a funnel: a step or two of 6,000 may diverge.
    assert int(data.sample_stats.diverging.sum()) <= 6
    return data.posterior


def agree(draws: Any, value: float, statistic: Any, slack: float = 0.0) -> None:
    """`value` is within 4 Monte Carlo standard errors, plus `slack` posterior sds, of a mean or quantile."""
    spread = float(draws.std())
    if statistic == "mean":
        found, error = float(draws.mean()), float(az.mcse(draws, method="mean"))
    else:
        found, error = (
            float(draws.quantile(statistic)),
            float(az.mcse(draws, method="quantile", prob=statistic)),
        )
    assert value == pytest.approx(found, abs=4 * error + slack * spread), statistic


@pytest.mark.parametrize(
    ("name", "arms"),
    [
        ("share", tuple(binary_arm(m, UNIFORM) for m in SHARES)),
        ("mean", tuple(mean_arm(m) for m in MEANS)),
    ],
)
def test_comparisons_agree(posterior: Any, name: str, arms: tuple[Arm, Arm]) -> None:
    control, treatment = arms
    result = compare(treatment, control, LEVEL)
    draws = posterior[name]
    c, t = (draws.isel({f"{name}_dim_0": i}) for i in (0, 1))
    agree(t - c, result.difference, "mean")
    agree(t - c, result.difference_interval[0], 0.05)
    agree(t - c, result.difference_interval[1], 0.95)
    agree(((t - c) > 0).astype(float), result.probability_better, "mean")
    agree((c - t).clip(min=0), result.expected_loss, "mean")
    agree((t - c).clip(min=0), result.expected_loss_control, "mean")
    assert result.lift_interval is not None
    agree(t / c - 1, result.lift_interval[0], 0.05)
    agree(t / c - 1, result.lift_interval[1], 0.95)


def test_pooled_segments_agree(posterior: Any) -> None:
    # The Normal likelihood on the log odds is off by less than 2 % of a posterior sd at these counts.
    result = pool_segments("binary", CONTROLS, TREATMENTS, LEVEL)
    agree(posterior.tau, result.tau, "mean", slack=0.02)
    for i, segment in enumerate(result.segments):
        assert isinstance(segment, PooledEffect)
        difference, lift = (posterior[name].isel({f"{name}_dim_0": i}) for name in ("difference", "lift"))
        for draws, point, interval in (
            (difference, segment.difference, segment.difference_interval),
            (lift, segment.lift, segment.lift_interval),
        ):
            assert point is not None
            assert interval is not None
            agree(draws, point, 0.5, slack=0.02)
            agree(draws, interval[0], 0.05, slack=0.02)
            agree(draws, interval[1], 0.95, slack=0.02)
        better = (difference > 0).astype(float)
        if 0 < float(better.mean()) < 1:
            agree(better, segment.probability_better, "mean", slack=0.02)
        above = (posterior.effects.isel(effects_dim_0=i) > posterior.effect).astype(float)
        agree(above, segment.probability_above_overall, "mean", slack=0.02)
