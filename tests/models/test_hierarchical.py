"""Effects by group by PyMC's sampler: against closed forms, against the truth, and what is withheld."""

from __future__ import annotations

import threading
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from tests.shops import binary, unit_level
from workbench.analyses.confirmed import confirmed_check
from workbench.errors import ModelError, WorkbenchError
from workbench.models.arms import hurdle_arm
from workbench.models.comparison import compare
from workbench.models.hierarchical import sample_hurdle, sample_shares
from workbench.models.pooling import Effect, PooledEffect, pool_segments
from workbench.moments import Moments
from workbench.records import Confirmation

pytestmark = pytest.mark.sampling
LEVEL = 0.9
CONTROLS = [Moments.of_binary(k, n) for k, n in [(500, 5000), (960, 12000), (450, 3000), (2000, 20000)]]
TREATMENTS = [Moments.of_binary(k, n) for k, n in [(590, 5000), (1010, 12000), (480, 3000), (2290, 20000)]]
Cells = list[tuple[Moments, Moments]]


def moments(values: np.ndarray) -> Moments:
    return Moments.of_sums(len(values), float(values.sum()), float((values**2).sum()))


def agree(ours: Effect, other: Effect, ess: float, slack: float) -> None:
    """Points and ends of 90 % intervals within four Monte Carlo errors and `slack`, in posterior sds."""
    low, high = other.difference_interval
    sd = (high - low) / 3.29
    for found, expected, factor in (
        (ours.difference, other.difference, 1.25),  # errors of quantiles of a Normal, in sd / √ess
        (ours.difference_interval[0], low, 2.11),
        (ours.difference_interval[1], high, 2.11),
    ):
        assert found == pytest.approx(expected, abs=sd * (4 * factor / sqrt(ess) + slack))
    assert ours.probability_better == pytest.approx(other.probability_better, abs=2 / sqrt(ess) + slack)


@pytest.mark.requirement("C03")
def test_shares_agree_with_the_closed_form() -> None:
    told: list[float] = []
    result = sample_shares(CONTROLS, TREATMENTS, LEVEL, seed=1, progress=told.append)
    closed = pool_segments("binary", CONTROLS, TREATMENTS, LEVEL)
    ess = result.checks["ess"]
    for ours, other in zip(result.segments, closed.segments, strict=True):
        assert isinstance(other, PooledEffect)
        agree(ours, other, ess, slack=0.03)
        assert ours.lift == pytest.approx(other.lift, abs=0.01)
        assert ours.probability_above_overall == pytest.approx(other.probability_above_overall, abs=0.04)
        width = closed.joint.differences.std(axis=0).max()
        assert ours.difference_together == pytest.approx(other.difference_together, abs=0.4 * width)
        low, high = ours.difference_together
        assert low < ours.difference_interval[0] < ours.difference_interval[1] < high
    ends = np.array([ours.difference_together for ours in result.segments])
    held = ((ends[:, 0] <= result.differences) & (result.differences <= ends[:, 1])).all(axis=1).mean()
    assert held == pytest.approx(LEVEL, abs=0.01)
    assert result.level_of_each == pytest.approx(closed.level_of_each, abs=0.015)
    assert result.if_alike == pytest.approx(closed.joint.if_alike, abs=0.005)
    assert result.tau == pytest.approx(closed.tau, rel=0.1)
    assert result.inside == result.cells == 8
    assert result.checks["rhat"] < 1.01
    assert told == sorted(told)
    assert told[-1] > 0.9


def test_who_wants_less_reads_the_same_effect_the_other_way_round() -> None:
    more = sample_shares(CONTROLS, TREATMENTS, LEVEL, draws=2000, seed=2)
    less = sample_shares(CONTROLS, TREATMENTS, LEVEL, lower_is_better=True, draws=2000, seed=2)
    for one, other in zip(more.segments, less.segments, strict=True):
        assert one.difference == other.difference
        assert one.probability_better + other.probability_better == pytest.approx(1)


def test_segments_of_a_handful_are_drawn_to_the_others_and_never_break_the_sampler() -> None:
    control, treatment = ([*side, Moments.of_binary(0, 3)] for side in (CONTROLS, TREATMENTS))
    result = sample_shares(control, treatment, LEVEL, seed=3)
    tiny, whole = result.segments[-1], result.everybody
    assert tiny.lift is not None
    assert whole.lift is not None
    assert abs(tiny.lift - whole.lift) < 0.1
    assert abs(tiny.probability_above_overall - 0.5) < 0.05


def simulated(segments: int, n: int, seed: int) -> tuple[Cells, Cells, np.ndarray]:
    """Customers of whom few buy, for lognormal amounts; and the true differences per customer."""
    rng = np.random.default_rng(seed)
    odds, effect = rng.normal(-2.5, 0.4, segments), rng.normal(0.15, 0.1, segments)
    value, dearer = np.exp(rng.normal(3.5, 0.3, segments)), rng.normal(0.05, 0.08, segments)
    cells: tuple[Cells, Cells] = ([], [])
    truth = []
    for s in range(segments):
        revenue = []
        for v in (0, 1):
            theta = 1 / (1 + np.exp(-odds[s] - v * effect[s]))
            mean = value[s] * np.exp(v * dearer[s])
            spent = mean * np.exp(rng.normal(-0.32, 0.8, n)) * (rng.random(n) < theta)
            cells[v].append((moments(spent), moments(spent[spent > 0])))
            revenue.append(theta * mean)
        truth.append(revenue[1] - revenue[0])
    return *cells, np.array(truth)


@pytest.mark.requirement("C03")
def test_revenue_by_segment_is_found_again() -> None:
    control, treatment, truth = simulated(12, 4000, seed=8)
    result = sample_hurdle(control, treatment, LEVEL, seed=4)
    found = np.array([segment.difference for segment in result.segments])
    low, high = np.array([segment.difference_interval for segment in result.segments]).T
    raw = np.array([t[0].mean - c[0].mean for c, t in zip(control, treatment, strict=True)])
    base = np.array([cell[0].mean for cell in control])
    assert np.mean((low <= truth) & (truth <= high)) >= 0.7
    assert np.all(np.abs(found - truth) < 4 * (high - low) / 3.29)
    assert (((found - truth) / base) ** 2).sum() < 0.8 * (((raw - truth) / base) ** 2).sum()
    low, high = result.everybody.difference_interval
    assert low < truth.mean() < high
    assert result.tau_value is not None
    assert 0.02 < result.tau_value < 0.2
    assert result.inside >= 0.8 * result.cells


def test_a_segment_alone_keeps_what_its_two_arms_say() -> None:
    control, treatment, _ = simulated(1, 20_000, seed=5)
    result = sample_hurdle(control, treatment, LEVEL, seed=5)
    exact = compare(hurdle_arm(*treatment[0]), hurdle_arm(*control[0]), LEVEL)
    agree(
        result.segments[0],
        Effect(exact.difference, exact.difference_interval, None, None, exact.probability_better),
        result.checks["ess"],
        slack=0.1,  # the priors, and the Student t of a buyer's value against its Gamma
    )


def test_amounts_in_another_currency_are_the_same_answer() -> None:
    control, treatment, _ = simulated(2, 3000, seed=6)

    def yen(cells: Cells) -> Cells:
        dear = [[Moments(m.n, m.mean * 160, m.m2 * 160**2) for m in cell] for cell in cells]
        return [(everyone, buyers) for everyone, buyers in dear]

    one = sample_hurdle(control, treatment, LEVEL, draws=4000, seed=6)
    other = sample_hurdle(yen(control), yen(treatment), LEVEL, draws=4000, seed=6)
    for euros, yens in zip(one.segments, other.segments, strict=True):
        low, high = (end / 160 for end in yens.difference_interval)
        scaled = Effect(yens.difference / 160, (low, high), None, None, yens.probability_better)
        agree(euros, scaled, one.checks["ess"] / 2, slack=0)


def test_too_few_draws_are_withheld_and_a_stopped_sampler_says_nothing() -> None:
    with pytest.raises(ModelError, match=r"result is withheld.*effective sample size"):
        sample_shares(CONTROLS, TREATMENTS, draws=80)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(ModelError, match="stopped"):
        sample_shares(CONTROLS, TREATMENTS, draws=400_000, cancel=cancel)


def test_what_cannot_be_told_apart_is_refused() -> None:
    buyers = moments(np.array([5.0, 8.0, 2.0, 9.0, 4.0]))
    shop = buyers + Moments(20, 0.0, 0.0)
    refunds = shop + Moments(2, -3.0, 0.0)
    with pytest.raises(ModelError, match="negative"):
        sample_hurdle([(refunds, buyers)], [(shop, buyers)])
    same = Moments(5, 7.0, 0.0)
    with pytest.raises(ModelError, match="too few buyers"):
        sample_hurdle([(same + Moments(20, 0.0, 0.0), same)], [(shop, buyers)])
    with pytest.raises(ModelError, match="as many"):
        sample_shares(CONTROLS, TREATMENTS[1:])


def test_a_model_that_does_not_foretell_the_cells_is_not_believed() -> None:
    about = Confirmation(tau=0.1, tau_value=None, inside=12, cells=20, rhat=1.001, ess=2000)
    check = confirmed_check([], about, LEVEL)
    assert check.status == "warn"
    assert "does not describe" in str(check.detail)
    assert confirmed_check([], about.model_copy(update={"inside": 18}), LEVEL).status == "ok"


def test_a_project_confirms_the_groups_of_an_experiment(tmp_path: Path) -> None:
    counts = {"A": [(40, 500), (60, 700)], "B": [(60, 500), (75, 700)]}
    project = unit_level(
        tmp_path / "shop",
        {arm: [x for cell in cells for x in binary(*cell)] for arm, cells in counts.items()},
        assignment="random",
        attributes={"country": (["ES"] * 500 + ["IT"] * 700) * 2},
    )
    plain = project.effect("home", by="country", looks=1)
    record = project.effect("home", by="country", looks=1, confirm=True)
    assert [check.status for check in record.checks if check.name == "confirmed"] == ["ok"]
    assert not any(check.name == "confirmed" for check in plain.checks)
    assert record.summary.confirmation is not None
    before, after = ([c for c in r.summary.comparisons if c.segment] for r in (plain, record))
    for one, other in zip(before, after, strict=True):
        assert one.pooled is not None
        assert other.confirmed is not None
        assert (one.pooled, one.confirmed) == (other.pooled, None)
        low, high = one.pooled.difference_interval
        assert abs(other.confirmed.difference - one.pooled.difference) < 0.5 * (high - low) / 3.92
    assert project.rerun(record).id == record.id
    with pytest.raises(WorkbenchError, match="split by"):
        project.effect("home", confirm=True)


def test_groups_without_a_closed_form_get_their_effects_from_the_sampler(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    spent = {arm: [0.0] * 1200 for arm in ("A", "B")}
    for values in spent.values():  # so few buyers that the mean is not clearly above zero
        for place in (3, 40, 300, 700, 800, 1000, 1100):
            values[place] = float(rng.lognormal(3, 1))
    project = unit_level(
        tmp_path / "shop",
        spent,
        metric="revenue",
        assignment="random",
        attributes={"country": (["ES"] * 500 + ["IT"] * 700) * 2},
    )
    record = project.effect("home", "revenue", by="country", confirm=True, keep=False)
    assert "pooling" in {check.name for check in record.checks}
    parts = [item for item in record.summary.comparisons if item.segment]
    assert [item.pooled for item in parts] == [None, None]
    for item in parts:
        assert item.confirmed is not None
        low, high = item.confirmed.difference_interval
        assert low < 0 < high
    assert "hierarchical" in {one.name for one in record.summary.witnesses}
