"""Bandits and ramp-ups from tables to the verdict: weighted, checked, or refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbench import Project
from workbench.errors import DataError, ModelError
from workbench.records import EffectRecord

START = datetime(2026, 3, 2)
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the new arm, week by week
LEVELS = (0.4, 0.33, 0.26, 0.18, 0.1)  # of customers who buy, whatever their arm
WEEKLY, WINDOW, END = 800, 7, 45


def people(seed: int = 5, effect: float = 0.0) -> pd.DataFrame:
    """Customers of a ramp-up in a season that ends."""
    rng = np.random.default_rng(seed)
    week = np.repeat(np.arange(5), WEEKLY)
    share, n = np.take(SHARES, week), 5 * WEEKLY
    new = rng.random(n) < share
    country = rng.choice(["ES", "FR"], n, p=[0.7, 0.3])
    keen = rng.random(n) < 0.5
    bought = rng.random(n) < np.take(LEVELS, week) * (1 + effect * new) * np.where(keen, 1.8, 0.2)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:05d}" for i in range(n)],
            "arm": np.where(new, "new", "control"),
            "p": np.where(new, share, 1 - share),
            "week": week,
            "day": 7 * week + rng.uniform(0, 7, n),
            "country": country,
            "bought": bought.astype(float),
            "spent": np.where(bought, rng.lognormal(3, 0.6, n).round(2), 0.0),
            "liked": rng.poisson(1 + 4 * keen, n),
        }
    )


def times(days: Any) -> pa.Array:
    return pa.array([START + timedelta(days=float(day)) for day in days], pa.timestamp("us"))


def shop(
    folder: Path, of: pd.DataFrame, *, given: bool = True, word: str = "random", timed: bool = True
) -> Project:
    project = Project.create(folder)
    buyers = of[of.bought > 0]
    exposed = times(of.day) if timed else pa.array([None] * len(of), pa.timestamp("us"))
    tables = {
        "customers": pa.table({"customer_id": list(of.customer_id), "country": list(of.country)}),
        "exposures": pa.table(
            {
                "customer_id": list(of.customer_id),
                "experience_id": ["home"] * len(of),
                "variant": list(of.arm),
                "ts": exposed,
                "assignment": [word] * len(of),
                "p_assign": pa.array(of.p if given else of.p * np.nan, pa.float64(), from_pandas=True),
            }
        ),
        "outcomes": pa.table(
            {
                "customer_id": list(of.customer_id),
                "experience_id": ["home"] * len(of),
                "name": ["signed up"] * len(of),
                "value": list(of.bought),
            }
        ),
    }
    if timed:
        before = of[of.liked > 2]  # whoever is keen had bought before, too
        days = [*(buyers.day + 1), *(before.day - 3), END]
        tables["orders"] = pa.table(
            {
                "order_id": [str(i) for i in range(len(days))],
                "customer_id": [*buyers.customer_id, *before.customer_id, of.customer_id[0]],
                "ts": times(days),
                "revenue": [*buyers.spent, *(4.0 * before.liked), 1.0],
            }
        )
        tables["events"] = pa.table(
            {
                "event_id": [str(i) for i in range(len(of))],
                "customer_id": list(of.customer_id),
                "ts": times(of.day + 0.5),
                "name": ["view"] * len(of),
            }
        )
    project.commit(tables)
    return project


@pytest.fixture(scope="module")
def crowd() -> pd.DataFrame:
    return people()


@pytest.fixture(scope="module")
def ramp(tmp_path_factory: pytest.TempPathFactory, crowd: pd.DataFrame) -> Project:
    return shop(tmp_path_factory.mktemp("adaptive") / "s", crowd)


def ask(project: Project, metric: str = "conversion", **settings: Any) -> EffectRecord:
    return project.effect("home", metric, keep=False, window_days=WINDOW, **settings)


def weighted(of: pd.DataFrame, column: str) -> dict[str, float]:
    """By pandas."""
    return {str(arm): float(np.average(rows[column], weights=1 / rows.p)) for arm, rows in of.groupby("arm")}


def means(record: EffectRecord) -> dict[str, float]:
    return {arm.arm: arm.mean for arm in record.summary.arms}


def status(record: EffectRecord, name: str) -> str:
    return next(check.status for check in record.checks if check.name == name)


@pytest.mark.requirement("X09")
@pytest.mark.parametrize(
    ("metric", "column"), [("conversion", "bought"), ("revenue", "spent"), ("signed up", "bought")]
)
def test_customers_count_with_one_over_their_probability(
    ramp: Project, crowd: pd.DataFrame, metric: str, column: str
) -> None:
    record = ask(ramp, metric, by="country")
    assert means(record) == pytest.approx(weighted(crowd, column), rel=1e-9)
    for item in record.summary.comparisons:
        rows = crowd if item.segment is None else crowd[crowd.country == item.segment]
        expected = weighted(rows, column)
        assert (item.arm_mean, item.control_mean) == pytest.approx(
            (expected["new"], expected["control"]), rel=1e-9
        )
    assert len(record.summary.comparisons) == 3
    assert record.summary.unit == ("money" if metric == "revenue" else "share")
    plain = crowd.groupby("arm")[column].mean()
    assert plain["new"] < 0.7 * plain["control"]  # by its plain mean it would be a disaster
    (main,) = (item for item in record.summary.comparisons if item.segment is None)
    assert main.difference_interval[0] < 0 < main.difference_interval[1]
    assert record.outcome == "keep_measuring"
    assert {status(record, name) for name in ("sample_ratio", "propensities", "assignment")} == {"ok"}
    assert next(arm.n for arm in record.summary.arms if arm.arm == "new") == (crowd.arm == "new").sum()


def test_the_error_is_the_one_of_customers_drawn_again(ramp: Project, crowd: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    for arm in ask(ramp, "revenue").summary.arms:
        rows = crowd[crowd.arm == arm.arm]
        y, w = rows.spent.to_numpy(), 1 / rows.p.to_numpy()
        drawn = rng.integers(0, len(y), (3000, len(y)))
        resampled = (w[drawn] * y[drawn]).sum(axis=1) / w[drawn].sum(axis=1)
        assert arm.sd == pytest.approx(resampled.std(), rel=0.05)


@pytest.mark.requirement("X09")
def test_quantiles_are_those_of_everybody(ramp: Project, crowd: pd.DataFrame) -> None:
    """Of the weighted customers, by pandas; the plain one is far from it, since the season ends."""
    record = ask(ramp, "revenue", statistic="quantile", quantile=0.85, by="country", level=0.99)
    for item in record.summary.comparisons:
        rows = crowd if item.segment is None else crowd[crowd.country == item.segment]
        found = {}
        for arm, own in rows.groupby("arm"):
            ordered = own.sort_values("spent")
            reached = (1 / ordered.p).cumsum() / (1 / ordered.p).sum()
            found[arm] = float(ordered.spent[reached >= 0.85].iloc[0])
        assert (item.arm_mean, item.control_mean) == pytest.approx((found["new"], found["control"]))
    assert len(record.summary.comparisons) == 3
    (main,) = (item for item in record.summary.comparisons if item.segment is None)
    assert main.difference_interval[0] < 0 < main.difference_interval[1]
    plain = crowd.groupby("arm").spent.quantile(0.85)
    low, high = main.difference_interval
    assert not low < plain["new"] - plain["control"] < high
    assert status(record, "propensities") == "ok"


def test_an_effect_is_found_and_the_second_witness_agrees(tmp_path: Path) -> None:
    record = ask(shop(tmp_path / "s", people(7, effect=0.35)))
    (item,) = record.summary.comparisons
    assert item.lift == pytest.approx(0.35, abs=0.15)
    assert record.outcome == "adopt"
    witness = {one.name: one for one in record.summary.witnesses}["periods"]
    assert witness.difference == pytest.approx(item.difference, abs=0.6 * item.difference)
    assert witness.probability_better > 0.975
    # weeks explain most of what customers did, so that to know them makes it surer
    width = [high - low for low, high in (witness.difference_interval, item.difference_interval)]
    assert width[0] < width[1]
    assert status(record, "models") == "ok"


def test_ratios_the_days_before_and_weeks_are_weighted_as_well(ramp: Project, crowd: pd.DataFrame) -> None:
    assert means(ask(ramp, "revenue", per="event:view")) == pytest.approx(weighted(crowd, "spent"), rel=1e-9)
    plain, adjusted = ask(ramp, "revenue"), ask(ramp, "revenue", adjust=True)
    gain = plain.summary.gain
    assert gain is not None
    before = crowd.assign(before=np.where(crowd.liked > 2, 4.0 * crowd.liked, 0.0))
    assert gain.means == pytest.approx(weighted(before, "before"), rel=1e-9)
    kept = adjusted.summary.comparisons[0].difference_sd / plain.summary.comparisons[0].difference_sd
    assert kept**2 == pytest.approx(1 - gain.variance_removed, abs=0.01)
    assert gain.variance_removed > 0.04
    last = plain.summary.weeks[-1]
    assert last.so_far == pytest.approx(plain.summary.comparisons[0].difference, rel=1e-9)


def test_a_file_of_outcomes_without_times_is_weighted_too(tmp_path: Path, crowd: pd.DataFrame) -> None:
    record = shop(tmp_path / "s", crowd, timed=False).effect("home", "signed up")
    assert means(record) == pytest.approx(weighted(crowd, "bought"), rel=1e-9)
    assert status(record, "sample_ratio") == "ok"


@pytest.mark.requirement("X09")
@pytest.mark.parametrize("metric", ["conversion", "signed up"])
def test_without_the_probabilities_there_is_no_answer(
    tmp_path: Path, crowd: pd.DataFrame, metric: str
) -> None:
    some = crowd.assign(p=crowd.p.where(crowd.index != 17))
    with pytest.raises(ModelError, match="1 customers come without the probability"):
        ask(shop(tmp_path / "some", some), metric)
    none = shop(tmp_path / "none", crowd, given=False, word="adaptive")
    with pytest.raises(DataError, match="probability with which each customer got their arm is not given"):
        ask(none, metric)
    silent = shop(tmp_path / "silent", crowd, given=False, word="random")
    with pytest.raises(DataError, match="load it with the exposures"):
        ask(silent, metric, assignment="adaptive")


def test_a_customer_who_would_stand_for_a_thousand_is_refused(tmp_path: Path, crowd: pd.DataFrame) -> None:
    rare = crowd.assign(p=crowd.p.where(crowd.index != 17, 0.001))
    with pytest.raises(ModelError, match="with a probability below"):
        ask(shop(tmp_path / "s", rare))


def test_chance_that_is_logged_as_adaptive_makes_an_effect(tmp_path: Path, crowd: pd.DataFrame) -> None:
    record = ask(shop(tmp_path / "s", crowd, word="adaptive"))
    assert (record.summary.assignment, record.summary.word) == ("random", "effect")


def test_lost_customers_withhold_the_verdict(tmp_path: Path, crowd: pd.DataFrame) -> None:
    rng = np.random.default_rng(2)
    kept = crowd[(crowd.arm == "control") | (rng.random(len(crowd)) > 0.3)].reset_index(drop=True)
    record = ask(shop(tmp_path / "s", kept))
    assert status(record, "sample_ratio") == "fail"
    assert record.outcome == "withheld"


def test_what_cannot_be_weighted_is_said(ramp: Project) -> None:
    with pytest.raises(DataError, match="arms cannot be taken together"):
        ask(ramp, "revenue", together={"new": "control"})


def test_a_split_that_stays_is_not_weighted(tmp_path: Path, crowd: pd.DataFrame) -> None:
    """Counts stay counts: the answer is the Beta posterior of an even split."""
    even = crowd[crowd.week == 2].reset_index(drop=True)
    record = ask(shop(tmp_path / "s", even))
    assert record.summary.kind == "binary"
    assert "propensities" not in {check.name for check in record.checks}
    assert status(record, "sample_ratio") == "ok"
