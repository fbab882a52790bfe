"""What is known before a landmark, and what the landmark is good for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from scipy.optimize import brentq

from workbench import Project
from workbench.analyses.not_random import analyse
from workbench.clock import DAY
from workbench.errors import DataError
from workbench.metrics import covariates, landmark
from workbench.metrics.actions import ORDERED
from workbench.metrics.landmark import Period
from workbench.records import Association, NotRandomSettings

START = datetime(2026, 1, 1)
TIME = pa.timestamp("us")


def second(day: float) -> int:
    return int((START - datetime(1970, 1, 1)).total_seconds() + day * DAY)


def at(days: Sequence[float]) -> pa.Array:
    return pa.array([START + timedelta(days=float(day)) for day in days], TIME)


def shop(
    folder: Path,
    seen: Sequence[tuple[str, float]],
    orders: Sequence[tuple[str, float, float]] = (),
    events: Sequence[tuple[str, float, str]] = (),
    attributes: dict[str, Sequence[Any]] | None = None,
) -> Project:
    """Customers (name, first seen), orders (customer, day, revenue) and events (customer, day, name)."""
    project = Project.create(folder)
    project.commit(
        {
            "customers": pa.table(
                {
                    "customer_id": [name for name, _ in seen],
                    "first_seen": at([day for _, day in seen]),
                    **(attributes or {}),
                }
            ),
            "orders": pa.table(
                {
                    "order_id": [str(i) for i in range(len(orders))],
                    "customer_id": pa.array([row[0] for row in orders], pa.string()),
                    "ts": at([row[1] for row in orders]),
                    "revenue": pa.array([row[2] for row in orders], pa.float64()),
                }
            ),
            "events": pa.table(
                {
                    "event_id": [str(i) for i in range(len(events))],
                    "customer_id": pa.array([row[0] for row in events], pa.string()),
                    "ts": at([row[1] for row in events]),
                    "name": pa.array([row[2] for row in events], pa.string()),
                }
            ),
        }
    )
    return project


def rows_of(project: Project, expression: Any) -> dict[str, dict[str, Any]]:
    found = project.engine.query(ibis.to_sql(expression, dialect="duckdb")).to_pylist()
    return {row.pop("customer_id"): row for row in found}


PERIOD = Period(second(100), second(130), second(160))


def test_who_had_it_when(tmp_path: Path) -> None:
    seen = [(name, 0.0) for name in ("in time", "never", "later", "long ago")] + [("newcomer", 110.0)]
    events = [
        ("in time", 115.0, "click"),
        ("later", 130.0, "click"),
        ("long ago", 99.9, "click"),
        ("never", 120.0, "view"),
        ("newcomer", 120.0, "click"),
    ]
    project = shop(tmp_path / "shop", seen, events=events)
    people = landmark.by_event(project.engine, "click", PERIOD)
    assert {name: row["group"] for name, row in rows_of(project, people).items()} == {
        "in time": "treated",
        "never": "control",
        "later": "control",  # what happens after the landmark changes nothing
        "long ago": "earlier",
        "newcomer": "new",
    }
    assert landmark.sizes(project.engine, people)["control"] == 2


def test_outcomes_count_from_the_landmark_on_and_covariates_until_the_treatment(tmp_path: Path) -> None:
    orders = [("c", day, 40.0) for day in (60.0, 69.9, 95.0, 100.0, 129.9, 130.0, 159.9, 160.0)]
    project = shop(tmp_path / "shop", [("c", 5.0), ("d", 5.0)], orders, [("c", 110.0, "click")])
    engine = project.engine
    people = landmark.compared(landmark.by_event(engine, "click", PERIOD))
    names = ["tenure", "orders_30d", "orders_90d", "revenue_30d", "orders_meanwhile"]
    described, cuts = covariates.described(
        engine, people, names, PERIOD.since, (PERIOD.since, PERIOD.landmark)
    )
    found = rows_of(
        project, landmark.did(engine, described, ORDERED["orders"], PERIOD.landmark, PERIOD.until)
    )
    classes = {
        name: covariates.level_names(cut.edges, zero=cut.zero)[found["c"][cut.column]]
        for name, cut in cuts.items()
    }
    assert classes == {
        "tenure": "90–179",
        "orders_30d": "1",  # of day 95; 69.9 is 30.1 days before
        "orders_90d": "3",
        "revenue_30d": "20–50",
        "orders_meanwhile": "2",
    }
    assert found["c"]["y"] == 2  # of days 130 and 159.9
    assert (found["d"]["y"], found["d"][cuts["orders_90d"].column]) == (0, 0)


def test_the_treatment_itself_is_no_covariate(tmp_path: Path) -> None:
    events = [("c", 110.0, "click"), ("c", 111.0, "view")]
    project = shop(tmp_path / "shop", [("c", 0.0), ("d", 0.0)], events=events)
    people = landmark.compared(landmark.by_event(project.engine, "click", PERIOD))
    meanwhile = (PERIOD.since, PERIOD.landmark)
    described, cuts = covariates.described(
        project.engine, people, ["events_meanwhile"], PERIOD.since, meanwhile, without="click"
    )
    assert rows_of(project, described)["c"][cuts["events_meanwhile"].column] == 1


def test_rows_are_patterns_whose_sums_are_those_of_the_customers(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    n = 3_000
    names = [f"c{i}" for i in range(n)]
    country = rng.choice(["ES", "FR", None, "IS"], n, p=[0.5, 0.3, 0.198, 0.002])
    income = np.where(rng.random(n) < 0.3, 0.0, rng.lognormal(8, 1, n))
    orders = [(names[i], float(rng.uniform(100, 160)), 10.0) for i in rng.integers(0, n, 2_000)]
    events = [(names[i], 110.0, "click") for i in range(0, n, 3)]
    project = shop(
        tmp_path / "shop",
        [(name, 0.0) for name in names],
        orders,
        events,
        {"country": pa.array(list(country), pa.string()), "income": income},
    )
    engine = project.engine
    people = landmark.compared(landmark.by_event(engine, "click", PERIOD))
    described, cuts = covariates.described(engine, people, ["country", "income"], PERIOD.since, None)
    rows = landmark.did(engine, described, ORDERED["orders"], PERIOD.landmark, PERIOD.until)
    found = covariates.compressed(engine, rows, cuts)
    assert found.n.sum() == n
    assert found.n[found.treated].sum() == 1_000
    inside = [row for row in orders if 130 <= row[1] < 160]
    assert found.total.sum() == len(inside)
    assert found.levels["country"] == ("(unknown)", "ES", "FR", "(other)")
    sizes = np.bincount(found.codes[:, 1], found.n)
    assert found.levels["income"][0] == "0"
    assert sizes[0] == (income == 0).sum()
    assert sizes[1:] == pytest.approx(np.full(5, (income > 0).sum() / 5), abs=1)
    assert len(found.n) <= 2 * 5 * 4 * 6
    folds = np.bincount(found.fold, found.n)
    assert folds == pytest.approx(np.full(5, n / 5), rel=0.15)


def test_a_covariate_that_is_not_there_is_named(tmp_path: Path) -> None:
    project = shop(tmp_path / "shop", [("c", 0.0)], events=[("c", 110.0, "click")])
    people = landmark.compared(landmark.by_event(project.engine, "click", PERIOD))
    with pytest.raises(DataError, match="no covariate “shoe size”"):
        covariates.described(project.engine, people, ["shoe size"], PERIOD.since, None)


@pytest.mark.parametrize(
    "warehouse", ["bigquery", "snowflake", "trino", "clickhouse", "databricks", "postgres"]
)
def test_the_question_is_sql_for_other_engines(tmp_path: Path, warehouse: str) -> None:
    project = shop(tmp_path / "shop", [("c", 0.0), ("d", 0.0)], events=[("c", 110.0, "click")])
    engine = project.engine
    people = landmark.compared(landmark.by_event(engine, "click", PERIOD))
    names = [*covariates.HISTORY, "first_source"]
    rows, cuts = covariates.described(engine, people, names, PERIOD.since, (PERIOD.since, PERIOD.landmark))
    rows = landmark.did(engine, rows, ORDERED["conversion"], PERIOD.landmark, PERIOD.until)
    columns = [cut.column for cut in cuts.values()]
    text = ibis.to_sql(rows.group_by(["treated", *columns]).aggregate(total=rows.y.sum()), dialect=warehouse)
    assert "GROUP BY" in str(text)


# --- immortal time ----------------------------------------------------------------------------------------

PERSONALISED = 0.3
SHAPE = 6.0  # of the Gamma distribution of how often customers order


def ratio_without_landmark(mean: float) -> float:
    """Orders of those with a personalised one by the orders of the others; personalising does nothing.

    N is negative binomial; without a personalised order it is thinned by 0.7^N.
    """
    none = (1 + PERSONALISED * mean / SHAPE) ** -SHAPE
    others = (1 - PERSONALISED) * mean / (1 + PERSONALISED * mean / SHAPE)
    return (mean - none * others) / (1 - none) / others


@pytest.fixture(scope="module")
def immortal(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """60 days of orders of 12,000 customers, some of them personalised at random, before and after day 30."""
    mean = brentq(lambda m: ratio_without_landmark(m) - 2.20, 0.1, 4.7)
    rng = np.random.default_rng(9)
    n = 12_000
    count = rng.poisson(rng.gamma(SHAPE, mean / SHAPE, n))
    who = np.repeat(np.arange(n), count)
    day = rng.uniform(1, 61, len(who))
    personal = rng.random(len(who)) < PERSONALISED
    orders = [(f"c{i}", float(d), 10.0) for i, d in zip(who, day, strict=True)]
    events = [(f"c{i}", float(d), "personalised") for i, d in zip(who[personal], day[personal], strict=True)]
    return shop(
        tmp_path_factory.mktemp("immortal") / "shop", [(f"c{i}", -40.0) for i in range(n)], orders, events
    )


@pytest.mark.requirement("T1")
def test_without_a_landmark_who_orders_more_has_it_2_2_times_over_and_with_one_it_does_nothing(
    immortal: Project,
) -> None:
    """G9: whoever orders more is likelier to have had a personalised order, which did nothing."""
    orders, events = (
        immortal.engine.query("SELECT customer_id FROM orders"),
        immortal.engine.query("SELECT DISTINCT customer_id FROM events"),
    )
    count = orders["customer_id"].value_counts().to_pylist()
    had = set(events["customer_id"].to_pylist())
    with_it = [row["counts"] for row in count if row["values"] in had]
    without = [row["counts"] for row in count if row["values"] not in had]
    nobody = 12_000 - len(count)  # no orders at all: they cannot have had it
    ratio = np.mean(with_it) / (sum(without) / (len(without) + nobody))
    assert ratio == pytest.approx(2.20, abs=0.06)

    view = analyse(
        immortal,
        NotRandomSettings(
            treatment="event",
            name="personalised",
            metric="orders",
            since=(START + timedelta(days=1)).date(),
            landmark=(START + timedelta(days=31)).date(),
            window_days=29,
            covariates=("orders_meanwhile",),
        ),
    )
    seen = view.summary.ladder[0].answer
    assert isinstance(seen, Association)
    assert seen.ratio is not None
    assert 1.1 < seen.ratio < 1.8  # the landmark alone: time is no longer immortal, but the keen are keen
    assert isinstance(view.summary.answer, Association)
    assert view.summary.answer.ratio is not None
    assert view.summary.answer.ratio_interval is not None
    assert view.summary.answer.ratio == pytest.approx(1.0, abs=0.06)
    assert view.summary.answer.ratio_interval[0] < 1 < view.summary.answer.ratio_interval[1]
    assert [(one.covariate, one.level) for one in view.summary.lost] == [("orders_meanwhile", "0")]


def test_a_landmark_alone_is_enough_where_everybody_orders_alike(tmp_path: Path) -> None:
    """Without differences between customers the past says nothing of the future: the ratio is 1 at once."""
    rng = np.random.default_rng(10)
    n = 8_000
    who = np.repeat(np.arange(n), rng.poisson(1.5, n))
    day = rng.uniform(1, 61, len(who))
    personal = rng.random(len(who)) < PERSONALISED
    orders = [(f"c{i}", float(d), 10.0) for i, d in zip(who, day, strict=True)]
    events = [(f"c{i}", float(d), "personalised") for i, d in zip(who[personal], day[personal], strict=True)]
    project = shop(tmp_path / "shop", [(f"c{i}", -40.0) for i in range(n)], orders, events)
    settings = NotRandomSettings(
        treatment="event",
        name="personalised",
        metric="orders",
        since=(START + timedelta(days=1)).date(),
        landmark=(START + timedelta(days=31)).date(),
        window_days=29,
        covariates=(),
    )
    seen = analyse(project, settings).summary.ladder[0].answer
    assert isinstance(seen, Association)
    assert seen.ratio_interval is not None
    assert seen.ratio_interval[0] < 1 < seen.ratio_interval[1]
    assert seen.ratio == pytest.approx(1.0, abs=0.08)
