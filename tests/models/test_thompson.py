"""Thompson sampling: what it does, what it does to plain means, and what its probabilities repair."""

from __future__ import annotations

import numpy as np
import pytest

from tests.second_methods.thompson import Bandits, thompson
from workbench.errors import ModelError, WorkbenchError
from workbench.models.adaptive import doubly_robust, hajek, horvitz_thompson
from workbench.models.arms import BetaArm
from workbench.models.comparison import best
from workbench.moments import Moments

BANDITS = 1000


def test_customers_are_neither_made_nor_lost() -> None:
    found = thompson([0.1, 0.2, 0.3], 50, periods=7, floor=0.05, bandits=30)
    assert (found.n.sum(axis=2) == 50).all()
    assert found.probability.sum(axis=2) == pytest.approx(np.ones((30, 7)))
    assert found.probability.min() >= 0.05 - 1e-12
    assert (found.successes <= found.n).all()
    assert (found.probability == thompson([0.1, 0.2, 0.3], 50, periods=7, bandits=30).probability).all()


def test_probabilities_are_those_of_being_best() -> None:
    """After the first period, against quadrature of the two posteriors."""
    found = thompson([0.2, 0.3], 100, periods=2, floor=0.0, bandits=5, draws=40_000, seed=2)
    for bandit in range(5):
        n, won = found.n[bandit, 0], found.successes[bandit, 0]
        exact, _ = best([BetaArm(1 + w, 1 + m - w) for w, m in zip(won, n, strict=True)])
        assert found.probability[bandit, 1] == pytest.approx(exact, abs=0.01)


def test_it_finds_the_better_arm_and_explores_no_less_than_it_should() -> None:
    found = thompson([0.05, 0.15], 200, floor=0.1, bandits=50)
    assert found.probability[:, -1, 1] == pytest.approx(np.full(50, 0.9), abs=0.01)
    with pytest.raises(WorkbenchError):
        thompson([0.05, 0.15], 200, floor=0.6)
    with pytest.raises(ModelError):
        thompson([0.05], 200)


def estimates(bandits: Bandits, arms: int) -> dict[str, np.ndarray]:
    """By method: mean and standard error of each arm, shape (bandits, arms, 2)."""
    found = {name: np.empty((len(bandits.n), arms, 2)) for name in ("ips", "snips", "dr")}
    for bandit in range(len(bandits.n)):
        for arm in range(arms):
            periods = bandits.periods(bandit, arm)
            own = [period.arm for period in periods if period.arm is not None]
            whole, everybody = sum(own[1:], own[0]), sum(period.everybody for period in periods)
            made: dict[str, Moments] = {
                "ips": horvitz_thompson(whole, everybody),
                "snips": hajek(whole),
                "dr": doubly_robust(periods),
            }
            for name, m in made.items():
                found[name][bandit, arm] = m.mean, np.sqrt(m.m2 / (m.n * (m.n - 1)))
    return found


@pytest.mark.requirement("X09")
@pytest.mark.parametrize(
    ("shares", "customers", "floor"),
    [([0.1, 0.1], 200, 0.05), ([0.1, 0.12], 500, 0.05), ([0.3, 0.3, 0.35], 100, 0.1)],
)
def test_plain_means_are_too_low_and_weighted_ones_are_not(
    shares: list[float], customers: int, floor: float
) -> None:
    """Nie, Tian, Taylor, Zou (2018), "Why adaptively collected data have negative bias": arms that start
    unlucky are drawn less often, so that their bad luck stays in the mean."""
    bandits = thompson(shares, customers, floor=floor, bandits=BANDITS, seed=1)
    truth = np.array(shares)
    naive = bandits.naive - truth
    z = naive.mean(axis=0) / (naive.std(axis=0) / np.sqrt(BANDITS))
    assert z[0] < -5
    assert (z < 1).all()
    for name, found in estimates(bandits, len(shares)).items():
        off = found[..., 0] - truth
        assert (abs(off.mean(axis=0)) < 3.5 * off.std(axis=0) / np.sqrt(BANDITS)).all(), name
        held = (abs(off) < 1.96 * found[..., 1]).mean(axis=0)
        assert (held > 0.925).all(), (name, held)
        assert (held < 0.97).all(), (name, held)
        difference = off[:, -1] - off[:, 0]
        sure = (abs(difference) < 1.96 * np.hypot(found[:, -1, 1], found[:, 0, 1])).mean()
        assert 0.925 < sure < 0.97, (name, sure)


def test_what_changes_for_everybody_is_no_effect() -> None:
    """Customers buy less and less while the better arm gets more of them: plain means hide a third of it."""
    periods = 20
    level = np.linspace(0.25, 0.05, periods)
    bandits = thompson(level[:, None] * [1.0, 1.2], 400, periods=periods, floor=0.05, bandits=300, seed=3)
    truth = level.mean() * np.array([1.0, 1.2])
    naive = (bandits.naive - truth).mean(axis=0)
    assert naive[1] - naive[0] < -(truth[1] - truth[0]) / 3
    for name, found in estimates(bandits, 2).items():
        off = found[..., 0] - truth
        assert (abs(off.mean(axis=0)) < 3.5 * off.std(axis=0) / np.sqrt(300)).all(), name
