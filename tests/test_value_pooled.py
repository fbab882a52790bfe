"""Values of groups drawn towards each other: against each group alone, the truth, and the sampler."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit, logit

from tests.models.buyers import counted, histories, spending
from workbench import Project
from workbench.analyses.value_group_money import MONEY, GroupMoney
from workbench.analyses.value_groups import pool
from workbench.charts import value as charts
from workbench.errors import WorkbenchError
from workbench.models import hierarchical_value, pooled_value
from workbench.models.pooled_value import Group
from workbench.models.purchases import PurchaseDraws, PurchaseRows, expected_purchases
from workbench.models.spend import SpendRows, bin_spend, expected_spend
from workbench.publish.disclosure import disclosed
from workbench.records import ValueRecord, from_json
from workbench.screens.value import ValueState
from workbench.simulate import HOME, simulate

TIME = pa.timestamp("us")
BEGIN = datetime(2026, 1, 1)
SHAPES = {"r": 0.6, "a": 0.8, "b": 2.4, "p": 6.0, "q": 4.0}
WEEKS = 60


def bought(
    rng: np.random.Generator, customers: int, mean_spend: float, rate: float
) -> list[tuple[int, float, float]]:
    """Customer, week and amount of every purchase of BG/NBD and Gamma-Gamma customers, drawn one by one."""
    rows: list[tuple[int, float, float]] = []
    for who in range(customers):
        week, often = rng.uniform(0, WEEKS / 3), rng.gamma(SHAPES["r"], rate / SHAPES["r"])
        leaves = rng.beta(SHAPES["a"], SHAPES["b"])
        own = mean_spend * (SHAPES["q"] - 1) / rng.gamma(SHAPES["q"])
        first = True
        while week < WEEKS:
            rows.append((who, week, rng.gamma(SHAPES["p"], own / SHAPES["p"])))
            if not first and rng.random() < leaves:
                break
            first = False
            week += rng.exponential(1 / often) + 1 / 7
    return rows


def shop(folder: Path, groups: dict[str, tuple[int, float, float]], seed: int) -> Project:
    """Groups of customers: how many, mean spend, purchases a week."""
    rng = np.random.default_rng(seed)
    orders: list[dict[str, object]] = []
    people: list[dict[str, object]] = []
    for name, (size, spend, rate) in groups.items():
        people += [{"customer_id": f"{name}{who}", "country": name} for who in range(size)]
        orders += [
            {
                "order_id": f"{name}{index}",
                "customer_id": f"{name}{who}",
                "ts": BEGIN + timedelta(days=round(7 * week)),
                "revenue": round(amount, 2),
            }
            for index, (who, week, amount) in enumerate(bought(rng, size, spend, rate))
        ]
    project = Project.create(folder)
    at = pa.array([row["ts"] for row in orders], TIME)
    table = pa.Table.from_pylist(orders)
    project.commit(
        {
            "customers": pa.Table.from_pylist(people),
            "orders": table.set_column(table.column_names.index("ts"), "ts", at),
        }
    )
    return project


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Four large groups that differ, a small one, and one of two people of whom nobody came back."""
    groups = {
        "A": (1500, 20.0, 0.08),
        "B": (1500, 40.0, 0.08),
        "C": (1500, 30.0, 0.14),
        "D": (1500, 30.0, 0.05),
        "E": (25, 30.0, 0.08),
        "F": (1, 30.0, 1e-4),
    }
    return shop(tmp_path_factory.mktemp("apart") / "s", groups, 1)


@pytest.fixture(scope="module")
def record(apart: Project) -> ValueRecord:
    return apart.lifetime_value(by="country")


@pytest.mark.requirement("S05", "V12")
def test_large_groups_keep_their_own_value_and_small_ones_take_from_the_others(record: ValueRecord) -> None:
    by_name = {group.group: group for group in record.summary.value}
    assert set(by_name) == set("ABCDEF")
    for name in "ABCD":
        group = by_name[name]
        assert group.alone is not None
        assert group.mean == pytest.approx(group.alone.mean, abs=0.6 * group.sd)
        assert np.ptp(group.interval) == pytest.approx(np.ptp(group.alone.interval), rel=0.25)
    nobody = by_name["F"]
    assert nobody.alone is None
    assert nobody.interval[0] < record.summary.pooled.average < nobody.interval[1]
    assert nobody.sd > 3 * by_name["A"].sd
    assert any("rests on the other groups" in str(check.detail) for check in record.checks)
    assert [group.mean for group in record.summary.value] == sorted(
        (group.mean for group in record.summary.value), reverse=True
    )


@pytest.mark.sampling
@pytest.mark.requirement("S05")
def test_the_luckiest_of_groups_that_are_alike_loses_its_luck(tmp_path: Path) -> None:
    project = shop(tmp_path / "s", dict.fromkeys("ABCDEFGH", (120, 30.0, 0.1)), 3)
    summary = project.lifetime_value(by="country", keep=False).summary
    alone = [group.alone.mean for group in summary.value if group.alone]
    pooled = [group.mean for group in summary.value]
    assert np.ptp(pooled) < 0.6 * np.ptp(alone)
    assert summary.pooled.kept < summary.pooled.seen == max(alone)
    assert max(group.top for group in summary.value) < 0.6


def test_a_rerun_is_identical_and_sliders_do_not_fit_again(apart: Project, record: ValueRecord) -> None:
    again = apart.rerun(record)
    assert again.summary == record.summary
    assert again.id == record.id
    half = apart.lifetime_value(by="country", margin=0.5, keep=False).summary
    for one, other in zip(half.value, record.summary.value, strict=True):
        assert one.mean == pytest.approx(other.mean / 2, rel=1e-9)
        assert (one.top, one.rank) == (other.top, other.rank)
    assert half.pooled.spread == pytest.approx(record.summary.pooled.spread / 2, rel=1e-9)


def test_parts_of_a_difference_of_pooled_groups_add_up(record: ValueRecord) -> None:
    (item,) = [item for item in record.summary.differences if item.parts]
    assert sum(part.mean for part in item.parts) == pytest.approx(item.mean, rel=1e-8)


def test_a_single_group_is_everybody(tmp_path: Path) -> None:
    project = shop(tmp_path / "s", {"A": (200, 30.0, 0.1)}, 5)
    whole = project.lifetime_value(keep=False).summary
    one = project.lifetime_value(by="country", keep=False).summary
    assert one.pooled is None
    assert one.value[0].interval == whole.value[0].interval


def test_a_handful_of_people_is_wide_and_does_not_fail(tmp_path: Path) -> None:
    project = shop(tmp_path / "s", {"A": (120, 30.0, 0.2), "B": (3, 30.0, 0.2)}, 8)
    summary = project.lifetime_value(by="country", first_purchase=True, keep=False).summary
    large, small = sorted(summary.value, key=lambda group: -group.customers)
    assert small.alone is None
    assert np.isfinite(small.interval).all()
    assert np.ptp(small.interval) > 1.5 * np.ptp(large.interval)


def test_a_published_page_shows_nothing_of_a_group_of_few(record: ValueRecord) -> None:
    """Neither pooled nor alone, nor its name; all others as in the project's own answer."""
    shown = disclosed(record)
    assert isinstance(shown, ValueRecord)
    assert "F" not in {group.group for group in shown.summary.value}
    assert not any("F" in item.groups for item in shown.summary.differences)
    own = {group.group: (group.mean, group.alone) for group in record.summary.value}
    assert len(shown.summary.value) >= 4
    for group in shown.summary.value:
        assert (group.mean, group.alone) == own[group.group]
    assert from_json(shown.model_dump_json()).summary == shown.summary


def test_the_page_is_the_projects_answer(apart: Project, record: ValueRecord) -> None:
    """Forest: the most valuable on top, solid where pooled, hollow where a group says something alone."""
    state = ValueState(apart)
    state.by = "country"
    assert state.record.summary == record.summary
    rows = charts.values(record, apart.texts("en")).chart.data["groups"]
    assert [row["mean"] for row in rows] == [group.mean for group in record.summary.value]
    assert [row.get("alone") for row in rows] == [
        group.alone.mean if group.alone else None for group in record.summary.value
    ]
    assert state.inner == []


@pytest.mark.sampling
@pytest.mark.requirement("S05", "V04", "V12")
def test_arms_within_segments(tmp_path: Path) -> None:
    """Narrower than each segment alone, with all customers of both arms, and the same on a rerun."""
    project = Project.create(tmp_path / "s")
    shop_tables = simulate(customers=5_000, seed=4, with_events=False).tables
    project.commit({name: rows for name, rows in shop_tables.items() if rows.num_rows})
    record = project.lifetime_value(by=HOME, within="device")
    (arm,) = record.summary.within.arms
    assert sum(one.customers for one in arm.segments) == sum(one.customers for one in record.summary.value)
    assert arm.interval[0] < record.summary.differences[0].mean < arm.interval[1]
    for one in arm.segments:
        if one.alone is not None:
            assert np.ptp(one.interval) < np.ptp(one.alone.interval)
    assert sum(one.top for one in arm.segments) == pytest.approx(1)
    assert [one.name for one in arm.effects] == ["frequency", "leaving", "order_value"]
    assert project.rerun(record).summary == record.summary
    plain = project.lifetime_value(by=HOME, keep=False)
    assert plain.summary.value == record.summary.value
    with pytest.raises(WorkbenchError, match="for an experiment with a control"):
        project.lifetime_value(by="country", within="device")
    with pytest.raises(WorkbenchError, match="for an experiment"):
        project.lifetime_value(within="device")
    state = ValueState(project)
    state.by = HOME
    state.within = "device"
    assert state.record.summary.within == record.summary.within
    state.by = "country"
    assert state.within is None


def test_money_of_small_groups_is_drawn_to_the_others() -> None:
    """One customer says little of a mean, many say all of it."""
    sums = {
        "many": {"n": 10_000.0, "first": 300_000.0, "first_square": 1.3e7},
        "more": {"n": 10_000.0, "first": 310_000.0, "first_square": 1.4e7},
        "one": {"n": 1.0, "first": 90.0, "first_square": 8_100.0},
    }
    money = GroupMoney(sums, 4000, 1)
    assert money.drawn(MONEY, "many").mean() == pytest.approx(30.0, abs=0.5)
    one = money.drawn(MONEY, "one")
    assert one.mean() < 60
    assert one.std() > 5 * money.drawn(MONEY, "many").std()


@pytest.mark.parametrize(("louder", "status"), [(1.0, "ok"), (1.5, "fail")])
def test_confirming_groups_asks_the_sampler_of_all_together_and_says_whether_it_agrees(
    apart: Project, monkeypatch: pytest.MonkeyPatch, louder: float, status: str
) -> None:
    """In the sampler's place, other draws of the same hierarchy, and ones of customers who buy more often."""
    asked: dict[str, Any] = {}

    def sampled(rows: Any, control: Any, model: str, *, seed: Any, progress: Any, cancel: Any) -> Any:
        asked.update(rows=rows, control=control, cancel=cancel)
        progress(1.0)
        found = pooled_value.pool_purchases(rows, control, model, 3000, 99)
        for drawn in found.groups.values():
            drawn.parameters["alpha"] /= louder
        return found

    monkeypatch.setattr(hierarchical_value, "sample_purchases", sampled)
    told: list[float] = []
    cancel = threading.Event()
    record = apart.lifetime_value(by="country", confirm=True, keep=False, progress=told.append, cancel=cancel)
    assert told == [1.0]
    assert asked["cancel"] is cancel
    assert {segment for segment, _ in asked["rows"]} == set("ABCDEF")
    (check,) = [check for check in record.checks if check.name == "confirmed"]
    assert check.status == status
    for group in record.summary.value:
        assert group.confirmed is not None
        if louder == 1.0:
            assert group.confirmed.mean == pytest.approx(group.mean, abs=0.25 * group.sd)


@pytest.mark.sampling
@pytest.mark.requirement("S05")
def test_intervals_hold_the_true_value_of_small_groups_and_tell_them_apart() -> None:
    """Fifteen shops of five groups of 60, whose parameters come from a hierarchy."""
    held, missed, apart_by = [], [], []
    for seed in range(15):
        rng = np.random.default_rng([5, seed])
        bought: dict[Group, PurchaseRows] = {}
        spent: dict[Group, SpendRows] = {}
        truth: dict[Group, float] = {}
        for group in "abcde":
            more, leave, order = rng.normal(0, [0.25, 0.3, 0.15])
            leaving = expit(logit(0.25) + leave)
            values = {
                "r": 0.6,
                "alpha": 0.6 / (0.08 * np.exp(more)),
                "a": 3.2 * leaving,
                "b": 3.2 * (1 - leaving),
            }
            v = 30 * np.exp(order) * 3 / 6
            T = rng.uniform(12, 52, 60)
            x, t_x = histories("bg-nbd", values, T, rng)
            bought[group, ""] = counted(x, t_x, T, 1.0)
            spent[group, ""] = bin_spend(x[x > 0], spending((6.0, 4.0, v), x[x > 0], rng))
            known = PurchaseDraws({name: np.array([value]) for name, value in values.items()}, "bg-nbd", {})
            truth[group, ""] = float(6 * v / 3 * expected_purchases(known, 52)[0])
        found, money = pool(bought, spent, None, "bg-nbd", 600, seed)
        for group, true in truth.items():
            drawn = expected_spend(money.groups[group]) * expected_purchases(found.groups[group], 52).ravel()
            low, high = np.quantile(drawn, [0.05, 0.95])
            held.append(low < true < high)
            missed.append(drawn.mean() - true)
            apart_by.append(true - np.mean(list(truth.values())))
    assert 0.8 < np.mean(held) < 0.98
    # nearer than taking all groups of a shop for the same, and knowing what they are on average
    assert np.std(missed) < np.std(apart_by)
