"""The same experiments analysed here, with tea-tasting and with bayesian-testing: time and agreement.

All begin with the same sums of each arm and end with the probability that the treatment is better and with
intervals of 95 %. tea-tasting is frequentist: its interval of the difference is Welch's, and half its
p-value, on the side of the estimate, is held against the probability. bayesian-testing draws; it gives
intervals of arms, which are held against those of our arms, and takes revenue for buyers and lognormal
amounts, as `tests.second_methods.lognormal` does. Here more is computed than is compared: lifts, losses, and
with bayesian-testing the interval of the difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.second_methods.lognormal import lognormal_hurdle
from workbench.models import drawn
from workbench.models.arms import Arm, binary_arm, mean_arm
from workbench.models.comparison import compare
from workbench.moments import Moments

type Array = NDArray[np.float64]
type Interval = tuple[float, float]

EXPERIMENTS = 1000
DRAWS = 20_000
"""As many as bayesian-testing takes unless told otherwise."""


@dataclass(frozen=True)
class Side:
    """The sums of one arm.

    Attributes:
        everyone: Of the value of all customers; 1 or 0 where it is a conversion.
        logs: Of the logs of the values above zero; nobody's where it is a conversion.
    """

    everyone: Moments
    logs: Moments


class Said(NamedTuple):
    """What one means says of an experiment; intervals that it does not give are left out."""

    better: float
    difference: Interval | None = None
    control: Interval | None = None


type Experiment = tuple[Side, Side]
type Means = Callable[[Experiment], Said]


def bench_others() -> None:
    """Print time and agreement over a thousand experiments with conversions and a thousand with revenue."""
    rng = np.random.default_rng(1)
    for title, simulate, pairs in (
        (
            "conversions",
            _conversions,
            [("exact", _share, "tea-tasting", _tea_tasting), ("exact", _share, "bayesian-testing", _binary)],
        ),
        (
            "revenue",
            _revenue,
            [
                ("mean", _mean, "tea-tasting", _tea_tasting),
                ("lognormal", _lognormal, "bayesian-testing", _delta_lognormal),
            ],
        ),
    ):
        experiments = [simulate(rng) for _ in range(EXPERIMENTS)]
        print(f"{EXPERIMENTS:,} experiments, {title}: CPU seconds, and how far apart they are (median, most)")
        print(f"  {'':<40}{'here':>8}{'there':>9}{'P(better)':>18}  {'ends, of the width of the interval'}")
        for here, ours, there, theirs in pairs:
            mine, cost = _timed(ours, experiments)
            other, price = _timed(theirs, experiments)
            print(
                f"  {f'{here}, held against {there}':<40}{cost:>6.1f} s{price:>7.1f} s{_apart(mine, other)}",
                flush=True,
            )


def _timed(means: Means, experiments: Sequence[Experiment]) -> tuple[list[Said], float]:
    """What it says of all, and the CPU seconds it took."""
    means(experiments[0])  # what is imported and prepared once is not counted
    begin = time.process_time()
    said = [means(one) for one in experiments]
    return said, time.process_time() - begin


def _apart(mine: list[Said], other: list[Said]) -> str:
    better = np.array([abs(a.better - b.better) for a, b in zip(mine, other, strict=True)])
    said = f"{np.median(better):>9.4f}{better.max():>9.4f}"
    for kind, words in (("difference", "difference"), ("control", "one arm")):
        pairs = [(getattr(a, kind), getattr(b, kind)) for a, b in zip(mine, other, strict=True)]
        both = np.array([pair for pair in pairs if None not in pair])
        if both.size:
            off = np.abs(both[:, 0] - both[:, 1]).max(axis=1) / (both[:, 0, 1] - both[:, 0, 0])
            said += f"{np.median(off):>10.2%}{off.max():>8.2%}  ({words})"
    return said


def _conversions(rng: np.random.Generator) -> Experiment:
    n, rate = int(np.exp(rng.uniform(np.log(300), np.log(30_000)))), rng.uniform(0.02, 0.2)
    counts = rng.binomial(n, [rate, rate * np.exp(rng.normal(0, 0.1))])
    control, treatment = (Side(Moments.of_binary(int(count), n), Moments.empty()) for count in counts)
    return control, treatment


def _revenue(rng: np.random.Generator) -> Experiment:
    n, rate = int(np.exp(rng.uniform(np.log(2000), np.log(30_000)))), rng.uniform(0.02, 0.1)
    lift = rng.normal(0, 0.1)

    def side(change: float) -> Side:
        logs = rng.normal(3.5, 1.0, rng.binomial(n, rate * np.exp(change)))
        values = np.exp(logs)
        return Side(
            Moments.of_sums(n, float(values.sum()), float(values @ values)),
            Moments.of_sums(len(logs), float(logs.sum()), float(logs @ logs)),
        )

    return side(0.0), side(lift)


def _ends(arm: Arm) -> Interval:
    low, high = arm.ppf([0.025, 0.975])
    return float(low), float(high)


def _independent(control: Arm, treatment: Arm) -> Said:
    result = compare(treatment, control)
    return Said(result.probability_better, result.difference_interval, _ends(control))


def _share(experiment: Experiment) -> Said:
    control, treatment = (binary_arm(side.everyone) for side in experiment)
    return _independent(control, treatment)


def _mean(experiment: Experiment) -> Said:
    control, treatment = (mean_arm(side.everyone) for side in experiment)
    return _independent(control, treatment)


def _lognormal(experiment: Experiment) -> Said:
    control, treatment = (
        lognormal_hurdle(side.everyone.n, side.logs).arm(DRAWS, seed) for seed, side in enumerate(experiment)
    )
    result = drawn.compare(treatment, control)
    return Said(result.probability_better, result.difference_interval, _ends(control))


def _tea_tasting(experiment: Experiment) -> Said:
    import tea_tasting  # type: ignore[import-untyped]  # has no stubs
    from tea_tasting.aggr import Aggregates  # type: ignore[import-untyped]  # has no stubs

    control, treatment = (
        Aggregates(side.everyone.n, {"value": side.everyone.mean}, {"value": side.everyone.variance})
        for side in experiment
    )
    found = tea_tasting.Mean("value").analyze_aggregates(control, treatment)
    half = found.pvalue / 2
    interval = found.effect_size_ci_lower, found.effect_size_ci_upper
    return Said(1 - half if found.effect_size > 0 else half, difference=interval)


def _binary(experiment: Experiment) -> Said:
    from bayesian_testing.experiments import BinaryDataTest  # type: ignore[import-untyped]  # has no stubs

    test = BinaryDataTest()
    for name, side in zip(("control", "treatment"), experiment, strict=True):
        test.add_variant_data_agg(name, side.everyone.n, side.everyone.successes)
    return _bayesian(test.evaluate(DRAWS, seed=0))


def _delta_lognormal(experiment: Experiment) -> Said:
    from bayesian_testing.experiments import DeltaLognormalDataTest

    test = DeltaLognormalDataTest()
    for name, side in zip(("control", "treatment"), experiment, strict=True):
        logs = side.logs
        squares = logs.m2 + logs.n * logs.mean**2
        test.add_variant_data_agg(name, side.everyone.n, logs.n, side.everyone.total, logs.total, squares)
    return _bayesian(test.evaluate(DRAWS, seed=0))


def _bayesian(found: list[dict[str, Any]]) -> Said:
    control, treatment = found
    low, high = control["credible_interval"]
    return Said(float(treatment["prob_being_best"]), control=(float(low), float(high)))
