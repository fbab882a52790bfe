"""How far newcomers move a difference: by simulation, and by what has to add up."""

from __future__ import annotations

from math import isclose, sqrt

import numpy as np
import pytest

from workbench.models.accrual import Grown, spread_of_move

RUNS, THEN, NOW = 4000, (300, 500), (420, 1500)


@pytest.mark.requirement("U03")
@pytest.mark.parametrize("kind", ["skewed", "rare"])
def test_a_move_lies_within_its_interval_as_often_as_that_says(kind: str) -> None:
    """95 %, with an error of 0.34 points over 4,000 runs; two samples held apart would cover far more."""
    draw = np.random.default_rng(11)
    within, apart = np.zeros(RUNS, bool), np.zeros(RUNS, bool)
    for run in range(RUNS):
        arms, moved, spreads = [], 0.0, 0.0
        for sign, then, now in zip((1, -1), THEN, NOW, strict=True):
            values = draw.gamma(0.8, 40.0, now) if kind == "skewed" else (draw.random(now) < 0.12) * 1.0
            sd, sd_then = values.std() / sqrt(now), values[:then].std() / sqrt(then)
            arms.append(Grown(then, now, float(sd)))
            moved += sign * float(values.mean() - values[:then].mean())
            spreads += float(sd**2 + sd_then**2)
        within[run] = abs(moved) <= 1.959964 * spread_of_move(arms)
        apart[run] = abs(moved) <= 1.959964 * sqrt(spreads)
    assert within.mean() == pytest.approx(0.95, abs=0.012)
    assert apart.mean() > 0.985


def test_the_way_in_two_steps_is_the_way_in_one() -> None:
    """Variances of what comes in later add up, since what comes later is independent of what came before."""
    spread = 7.0
    whole = spread_of_move([Grown(100, 400, spread / 20)])
    first = spread_of_move([Grown(100, 250, spread / sqrt(250))])
    second = spread_of_move([Grown(250, 400, spread / 20)])
    assert isclose(whole, sqrt(first**2 + second**2))
    assert isclose(whole**2, (spread / 10) ** 2 - (spread / 20) ** 2)  # Hausman: one variance less the other


def test_nobody_came_in_and_some_went() -> None:
    assert spread_of_move([Grown(100, 100, 0.3), Grown(50, 50, 0.1)]) == 0
    with pytest.raises(ValueError, match="does not hold"):
        spread_of_move([Grown(100, 99, 0.3)])
