"""Contracts from tables: what counts as a period, what is foretold, and what groups differ by."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from workbench import Project
from workbench.analyses.contracts import PERIODS, ContractSettings, analyse
from workbench.errors import DataError, ModelError, WorkbenchError
from workbench.models import contracts
from workbench.models.contracts import ContractDraws

TIME = pa.timestamp("us")
BEGIN = datetime(2023, 1, 1)
MONTH = timedelta(days=PERIODS["month"])


def shop(folder: Path, begins: list[datetime], ends: list[datetime | None], **columns: list[str]) -> Project:
    """A project of contracts; its data end on 1 January 2026."""
    project = Project.create(folder)
    ids = [f"c{i}" for i in range(len(begins))]
    gone = [(one, end) for one, end in zip(ids, ends, strict=True) if end is not None]
    churn = {
        "customer_id": [one for one, _ in gone],
        "ts": pa.array([end for _, end in gone], TIME),
        "reason": pa.nulls(len(gone), pa.string()),
    }
    orders = {
        "order_id": ["last"],
        "customer_id": ["c0"],
        "ts": pa.array([datetime(2026, 1, 1)], TIME),
        "revenue": [1.0],
    }
    customers = {"customer_id": ids, "signed_up": pa.array(begins, TIME), **columns}
    project.commit({"customers": _whole(customers), "churn": pa.table(churn), "orders": _whole(orders)})
    return project


def _whole(columns: dict[str, object]) -> pa.Table:
    table = pa.table(columns)
    if "signed_up" in columns:
        table = table.append_column("first_seen", pa.nulls(table.num_rows, TIME))
    return table


def simulated(
    folder: Path,
    alpha: float,
    beta: float,
    seed: int,
    count: int,
    *,
    other: tuple[float, float] | None = None,
) -> Project:
    """Contracts by the month that end at a renewal, half of them of another kind when there is one."""
    rng = np.random.default_rng(seed)
    begins = [BEGIN + timedelta(days=float(day)) for day in rng.uniform(0, 1000, count)]
    plan = rng.integers(0, 2, count) if other else np.zeros(count, int)
    kinds = [(alpha, beta), other or (alpha, beta)]
    theta = np.array([rng.beta(*kinds[one]) for one in plan])
    life = rng.geometric(np.maximum(theta, 1e-9))
    ends = [
        end if (end := begin + int(months) * MONTH - timedelta(hours=1)) < datetime(2026, 1, 1) else None
        for begin, months in zip(begins, np.minimum(life, 500), strict=True)
    ]
    return shop(folder, begins, ends, plan=[["basic", "plus"][one] for one in plan])


@pytest.mark.requirement("R02")
def test_whole_periods_count_and_the_running_one_does_not(tmp_path: Path) -> None:
    """Sixty contracts each that are kept, ended in the second month, and in the running one."""
    begun = datetime(2026, 1, 1) - 3.5 * MONTH
    begins = [begun] * 180
    ends: list[datetime | None] = [*[None] * 60, *[begun + 1.2 * MONTH] * 60, *[begun + 3.2 * MONTH] * 60]
    found = analyse(shop(tmp_path / "p", begins, ends), ContractSettings(model="sbg", horizon=6))
    curve = found.groups[0].curve
    assert [point.at_risk for point in curve[:4]] == [180, 180, 180, 120]
    assert [point.observed for point in curve[:4]] == pytest.approx([1, 1, 2 / 3, 2 / 3])
    assert found.groups[0].ended == 60


def test_the_truth_lies_in_the_intervals(tmp_path: Path) -> None:
    """2,000 contracts of a known kind: survival, renewal, worth, and the third of time that was held back."""
    project = simulated(tmp_path / "p", 0.7, 4.0, 3, 2000)
    found = analyse(project, ContractSettings(horizon=24, payment=10.0, model="sbg", level=0.99))
    truth = ContractDraws.point(0.7, 4.0)
    one = found.groups[0]
    for point in one.curve[1:25]:
        true = float(contracts.survivors(truth, float(point.period))[0])
        assert point.interval[0] < true < point.interval[1]
        if point.observed is not None:
            assert point.observed == pytest.approx(true, abs=0.08)
    per_month = 1.1 ** (PERIODS["month"] / PERIODS["year"]) - 1
    kept = contracts.survivors(truth, np.arange(24))[0]
    worth = 10 * float(kept @ (1 + per_month) ** -np.arange(24))
    assert one.new.interval[0] < worth < one.new.interval[1]
    assert one.kept.mean < 10 * 24
    assert found.foretold is not None
    assert found.foretold.interval[0] <= found.foretold.actual <= found.foretold.interval[1]
    assert found.until == date(2026, 1, 1)


def test_kinds_of_contracts_are_told_apart(tmp_path: Path) -> None:
    project = simulated(tmp_path / "p", 1.0, 3.0, 4, 3000, other=(1.0, 9.0))
    found = analyse(project, ContractSettings(by="plan", model="sbg", horizon=12, payment=20.0))
    (difference,) = found.differences
    assert difference.groups == ("plus", "basic")
    assert difference.probability_positive > 0.999
    assert difference.word == "association"
    assert {check.name: check.status for check in found.checks}["assignment"] == "warn"
    twice = analyse(project, ContractSettings(by="plan", model="sbg", horizon=12, payment=40.0))
    assert twice.differences[0].worth.mean == pytest.approx(2 * difference.worth.mean)


def test_the_time_of_its_own_is_chosen_where_the_likelihood_asks_for_it(tmp_path: Path) -> None:
    plain = analyse(simulated(tmp_path / "a", 0.8, 3.0, 5, 1500), ContractSettings())
    assert plain.model == "sbg"
    rng = np.random.default_rng(6)
    # each renewal is harder than the one before: S(t | θ) = (1 − θ)^(t²)
    theta = rng.beta(1.0, 30.0, 1500)
    life = np.ceil(np.sqrt(np.log(rng.random(1500)) / np.log1p(-theta))).clip(1)
    begins = [BEGIN + timedelta(days=float(day)) for day in rng.uniform(0, 900, 1500)]
    ends = [
        end if (end := begin + months * MONTH - timedelta(hours=1)) < datetime(2026, 1, 1) else None
        for begin, months in zip(begins, life, strict=True)
    ]
    tired = analyse(shop(tmp_path / "b", begins, ends), ContractSettings())
    assert tired.model == "bdw"
    assert tired.log_likelihoods["bdw"] > tired.log_likelihoods["sbg"] + 100


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    empty = Project.create(tmp_path / "e")
    with pytest.raises(DataError, match="signed up"):
        analyse(empty, ContractSettings())
    project = shop(tmp_path / "p", [datetime(2025, 1, 1)] * 40, [None] * 39 + [datetime(2027, 1, 1)])
    with pytest.raises(ModelError, match="No contract has ended"):
        analyse(project, ContractSettings())
    with pytest.raises(WorkbenchError, match="period"):
        analyse(project, ContractSettings(period="fortnight"))
    with pytest.raises(WorkbenchError, match="level"):
        analyse(project, ContractSettings(level=0.2))
