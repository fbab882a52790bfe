"""Two crossed factors: against draws, least squares, the comparison of two arms, and the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workbench.errors import ModelError
from workbench.models.arms import Arm, BetaArm, MeanArm, mean_arm
from workbench.models.comparison import compare
from workbench.models.factorial import FactorEffect, Sum, factorial, factors_in
from workbench.moments import Moments

NAMES = ("red+big", "red+small", "blue+big", "blue+small")
FACTORS = {name: tuple(name.split("+")) for name in NAMES}


def effects(arms: dict[str, Arm], control: str = "blue+small", **more: bool) -> dict[str, FactorEffect]:
    return {
        f"{one.kind} {one.level} {one.at or ''}".strip(): one
        for one in factorial(arms, factors_in(arms) or {}, control, **more)
    }


@pytest.mark.parametrize(
    "arms",
    [
        (BetaArm(4, 60), BetaArm(9, 70), BetaArm(2, 50), BetaArm(6, 300)),  # next to no conversions
        (BetaArm(121, 881), BetaArm(151, 851), BetaArm(140, 862), BetaArm(190, 812)),
        (MeanArm(20, 1.5, 30), MeanArm(22, 1, 40), MeanArm(19, 2, 35), MeanArm(25, 0.3, 200)),
    ],
)
def test_sums_of_posteriors_are_those_of_draws(arms: tuple[Arm, ...]) -> None:
    rng = np.random.default_rng(0)
    draws = np.array([arm.ppf(rng.random(400_000)) for arm in arms])
    for coefficients in ((1, -1, -1, 1), (0.5, 0.5, -0.5, -0.5), (1, 0, -1, 0), (-2, 1, 1, 0.1)):
        found, drawn = Sum(arms, coefficients), np.array(coefficients) @ draws
        assert found.mean == pytest.approx(drawn.mean(), abs=5 * drawn.std() / np.sqrt(400_000))
        assert found.sd == pytest.approx(drawn.std(), rel=0.01)
        for x in np.quantile(drawn, [0.001, 0.025, 0.3, 0.5, 0.9, 0.999]):
            assert found.cdf(x) == pytest.approx((drawn <= x).mean(), abs=4 * 0.5 / np.sqrt(400_000))
        q = np.array([1e-4, 0.025, 0.5, 0.975])
        assert found.cdf(found.ppf(q)) == pytest.approx(q, abs=1e-9)


def test_a_difference_of_two_is_the_comparison_of_two() -> None:
    arms = BetaArm(3, 90), BetaArm(11, 105)
    found, exact = Sum(arms, (1, -1)), compare(*arms)
    assert 1 - found.cdf(0.0) == pytest.approx(exact.probability_better, abs=1e-5)
    assert found.ppf([0.025, 0.975]) == pytest.approx(
        exact.difference_interval, abs=1e-3 * exact.difference_sd
    )


def test_sums_of_normals_are_normal() -> None:
    arms = [MeanArm(float(i), 0.5 + i, 1e9) for i in range(4)]
    found = Sum(arms, (1, -1, -1, 1))
    normal = stats.norm(0, np.sqrt(0.5**2 + 1.5**2 + 2.5**2 + 3.5**2))
    x = normal.ppf([1e-6, 0.01, 0.4, 0.9, 0.9999])
    assert found.cdf(x) == pytest.approx(normal.cdf(x), abs=2e-6)


def test_effects_are_those_of_least_squares() -> None:
    """y on ±½ for each factor and their product; customers of four arms of the same size."""
    rng = np.random.default_rng(1)
    n, values, rows = 500, {}, []
    for name in NAMES:
        colour, size = (0.5 if part in ("red", "big") else -0.5 for part in name.split("+"))
        y = 10 + 2 * colour + 1 * size + 3 * colour * size + rng.normal(0, 4, n)
        values[name] = mean_arm(Moments.of_mean(n, y.mean(), y.var(ddof=1)))
        rows += [(1.0, colour, size, colour * size, one) for one in y]
    x, y = np.array(rows)[:, :4], np.array(rows)[:, 4]
    beta, rest, *_ = np.linalg.lstsq(x, y)
    errors = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * rest / (4 * n - 4))
    found = effects(values)
    for name, place in (("main red", 1), ("main big", 2), ("interaction red big", 3)):
        assert found[name].difference == pytest.approx(beta[place])
        low, high = found[name].interval
        assert (high - low) / 3.92 == pytest.approx(errors[place], rel=0.01)


def test_main_effects_lie_between_simple_ones_and_the_interaction_is_their_distance() -> None:
    levels = {"a": 0.0, "b": 1.0, "c": -2.0}, {"x": 0.0, "y": 3.0, "z": 0.5, "w": 7.0}
    arms = {
        f"{i} / {j}": MeanArm(u + v + u * v, 0.3, 100)
        for i, u in levels[0].items()
        for j, v in levels[1].items()
    }
    found = effects(arms, "a / x")
    assert len(found) == (2 + 3) + 2 * 3 + (2 * 4 + 3 * 3)
    for level in ("b", "c"):
        simple = {at: found[f"simple {level} {at}"].difference for at in levels[1]}
        assert found[f"main {level}"].difference == pytest.approx(np.mean(list(simple.values())))
        for at in ("y", "z", "w"):
            both = found[f"interaction {level} {at}"]
            assert both.difference == pytest.approx(simple[at] - simple["x"])
            assert both.difference == pytest.approx(levels[0][level] * levels[1][at])


def test_lower_may_be_better() -> None:
    arms = dict(zip(NAMES, (BetaArm(20, 80), BetaArm(15, 85), BetaArm(22, 78), BetaArm(10, 90)), strict=True))
    up, down = effects(arms), effects(arms, lower_is_better=True)
    for name, effect in up.items():
        assert down[name].probability_better == pytest.approx(1 - effect.probability_better)
        assert (down[name].difference, down[name].interval) == (effect.difference, effect.interval)


@pytest.mark.sampling
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(6)
    shares = dict(zip(NAMES, (0.12, 0.10, 0.08, 0.09), strict=True))
    truth = {"main red": 0.025, "main big": 0.005, "interaction red big": 0.03}
    held: dict[str, list[bool]] = {name: [] for name in truth}
    for _ in range(250):
        won = {name: rng.binomial(600, share) for name, share in shares.items()}
        found = effects({name: BetaArm(1 + s, 601 - s) for name, s in won.items()})
        for name, value in truth.items():
            low, high = found[name].interval
            held[name].append(low <= value <= high)
    for name, ones in held.items():
        assert 0.915 < np.mean(ones) < 0.985, name


@pytest.mark.parametrize("separator", ["+", "|", "/", " × ", "_", " + "])
def test_names_of_crossed_arms_are_understood(separator: str) -> None:
    names = [f"{one}{separator}{two}" for one in ("rojo", "azul") for two in ("a-1", "b", "c")]
    assert (factors_in(names) or {})[names[0]] == ("rojo", "a-1")


@pytest.mark.parametrize(
    "names",
    [
        ["A", "B"],
        ["old_home", "new_home"],  # one factor
        ["red+big", "red+small", "blue+big"],  # a hole
        ["red+big", "red+small", "blue+big", "blue+small", "control"],
        ["a_b_c", "a_b_d", "e_b_c", "e_b_d"],  # where to cut is not said
        ["+a", "+b", "c+a", "c+b"],
        ["red+big", "red + big", "blue+big", "blue+small"],  # the same twice
    ],
)
def test_names_of_others_are_not(names: list[str]) -> None:
    assert factors_in(names) is None


def test_what_is_not_crossed_is_refused() -> None:
    arms = {name: BetaArm(10.0, 90.0) for name in NAMES}
    with pytest.raises(ModelError, match="every level of one"):
        factorial(arms, {name: (name, "x") for name in NAMES}, NAMES[0])
    with pytest.raises(ModelError, match="every level of one"):
        factorial(arms, {name: (a, b) for name, (a, b) in FACTORS.items()}, "other")
