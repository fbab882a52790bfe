"""An experiment of two crossed factors, from tables to what a page says of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.screens.pages import choose, control, words
from tests.shops import START, TIME, binary, event_level, unit_level
from workbench import Project
from workbench.errors import DataError, ModelError, WorkbenchError
from workbench.locale import Texts
from workbench.records import EffectRecord, from_json
from workbench.report.beside import Section, sections
from workbench.screens.effect import EffectState
from workbench.screens.effect_view import results

ARMS = {"plain|short": 300, "plain|long": 300, "personal|short": 360, "personal|long": 360}  # of 3,000
TOGETHER = {**ARMS, "personal|long": 540}


def shop(folder: Path, arms: dict[str, int]) -> Project:
    outcomes = {arm: binary(converted, 3000) for arm, converted in arms.items()}
    return unit_level(folder, outcomes, assignment="random")


def section(record: EffectRecord) -> Section | None:
    return next((one for one in sections(record, Texts("en")) if one.title == "Two factors"), None)


def test_factors_that_add_up_are_read_by_their_averages(tmp_path: Path) -> None:
    record = shop(tmp_path / "s", ARMS).effect("home", control="plain|short")
    rows = {(row.what, row.level, row.at): row for row in record.summary.factorial}
    assert rows["main", "personal", None].difference == pytest.approx(0.02, abs=1e-4)
    assert rows["main", "long", None].difference == pytest.approx(0.0, abs=1e-4)
    assert rows["interaction", "personal", "long"].difference == pytest.approx(0.0, abs=1e-4)
    low, high = rows["main", "personal", None].difference_interval
    error = np.sqrt(2 * 0.1 * 0.9 / 3000 + 2 * 0.12 * 0.88 / 3000) / 2
    assert (high - low) / 3.92 == pytest.approx(error, rel=0.01)
    # half as many arms in the sum of an average: it is surer than one pair of arms
    pair = next(item for item in record.summary.comparisons if item.arm == "personal|short")
    assert high - low < 0.75 * (pair.difference_interval[1] - pair.difference_interval[0])
    same = rows["simple", "personal", "short"]
    assert same.difference == pytest.approx(pair.difference)
    assert same.difference_interval == pytest.approx(pair.difference_interval, abs=1e-5)
    assert same.probability_better == pytest.approx(pair.probability_better, abs=1e-5)
    said = section(record)
    assert said is not None
    assert "is not clear yet" in said.note
    assert len(said.rows) == len(rows) == 2 + 1 + 4
    assert from_json(record.model_dump_json()) == record


def test_a_sure_interaction_warns_of_averages(tmp_path: Path) -> None:
    record = shop(tmp_path / "s", TOGETHER).effect("home", control="plain|short")
    (row,) = (row for row in record.summary.factorial if row.what == "interaction")
    assert row.difference == pytest.approx(0.06, abs=1e-3)
    assert row.probability_better > 0.999
    said = section(record)
    assert said is not None
    assert "mean little" in said.note
    assert any("“personal” together with “long”" in row["What"] for row in said.rows)


def test_factors_may_be_named_or_denied(tmp_path: Path) -> None:
    names = ("A", "B", "C", "D")
    project = shop(tmp_path / "s", dict(zip(names, TOGETHER.values(), strict=True)))
    assert section(project.effect("home")) is None
    factors = {"A": ("old", "short"), "B": ("old", "long"), "C": ("new", "short"), "D": ("new", "long")}
    record = project.effect("home", factors=factors)
    assert {row.level for row in record.summary.factorial} == {"new", "long"}
    with pytest.raises(ModelError, match="every level of one"):
        project.effect("home", factors={name: factors[name] for name in "ABC"})
    crossed = shop(tmp_path / "t", ARMS)
    assert crossed.effect("home", factors={}).summary.factorial == []


RATES = {("old", "low"): 0.10, ("old", "high"): 0.12, ("new", "low"): 0.13, ("new", "high"): 0.24}


def two(folder: Path, seed: int = 3, n: int = 6000) -> tuple[Project, dict[tuple[str, str], list[int]]]:
    """Two experiments with the same people, shown one on days 0 to 10 and the other on days 5 to 15.

    The new page helps more with the high price. Only in the second experiment is somebody else as well; one
    of the customers of both was seen in two arms. Orders come 3 days after the later exposure; everybody has
    one between the two, too, which does not count.
    """
    rng = np.random.default_rng(seed)
    exposures: list[tuple[str, str, str, float]] = []
    orders = [("last", 60.0, 1.0)]
    counted: dict[tuple[str, str], list[int]] = {pair: [0, 0] for pair in RATES}
    for i in range(n):
        page, price = ("old", "new")[int(rng.integers(2))], ("low", "high")[int(rng.random() < 0.25)]
        begin, then = rng.uniform(0, 10), rng.uniform(5, 15)
        exposures += [("page", f"u{i}", page, begin), ("price", f"u{i}", price, then)]
        orders.append((f"u{i}", max(begin, then) - 0.01, 9.0))
        bought = rng.random() < RATES[page, price]
        if bought:
            orders.append((f"u{i}", max(begin, then) + 3, 9.0))
        counted[page, price][0] += 1
        counted[page, price][1] += int(bought)
    exposures += [("price", f"v{i}", "low", 5.0) for i in range(500)]
    exposures += [
        ("page", "twice", "old", 1.0),
        ("page", "twice", "new", 2.0),
        ("price", "twice", "low", 3.0),
    ]
    project = event_level(folder, [(who, arm, day) for _, who, arm, day in exposures], orders)
    rows = {
        "customer_id": [who for _, who, _, _ in exposures],
        "experience_id": [name for name, _, _, _ in exposures],
        "variant": [arm for _, _, arm, _ in exposures],
        "ts": pa.array([START + timedelta(days=day) for _, _, _, day in exposures], TIME),
        "assignment": ["random"] * len(exposures),
        "p_assign": [{"low": 0.75, "high": 0.25}.get(arm, 0.5) for _, _, arm, _ in exposures],
    }
    project.commit({"exposures": pa.table(rows)})
    return project, counted


def test_two_experiments_with_the_same_customers_are_two_factors(tmp_path: Path) -> None:
    project, counted = two(tmp_path / "s")
    record = project.effect("page", crossed_with="price", control="old × low", level=0.99)
    arms = {arm.arm: arm for arm in record.summary.arms}
    assert {name: (arm.n, round(arm.total)) for name, arm in arms.items()} == {
        f"{page} × {price}": tuple(n) for (page, price), n in counted.items()
    }
    rows = {(row.what, row.level, row.at): row for row in record.summary.factorial}
    truth = {
        ("main", "new", None): (0.03 + 0.12) / 2,
        ("main", "high", None): (0.02 + 0.11) / 2,
        ("interaction", "new", "high"): 0.09,
    }
    for key, value in truth.items():
        low, high = rows[key].difference_interval
        assert low < value < high
    assert rows["interaction", "new", "high"].probability_better > 0.99
    said = section(record)
    assert said is not None
    assert "mean little" in said.note
    checks = {check.name: check for check in record.checks}
    assert checks["sample_ratio"].status == "ok"  # three quarters had the low price, as planned
    assert "1 customers" in str(checks["two_arms"].detail)
    assert record.summary.word == "effect"
    turned = project.effect("price", crossed_with="page", control="low × old", level=0.99)
    same = {(row.what, row.level): row.difference for row in turned.summary.factorial if row.what == "main"}
    assert same == pytest.approx({key[:2]: rows[key].difference for key in rows if key[0] == "main"})


def test_only_experiments_with_the_same_customers_are_crossed(tmp_path: Path) -> None:
    project = event_level(
        tmp_path / "s", [(f"u{i}", "AB"[i % 2], 0.0) for i in range(80)], [("u1", 30.0, 1.0)]
    )
    with pytest.raises(WorkbenchError, match="experiment with the same customers"):
        project.effect("home", crossed_with="price")
    both, _ = two(tmp_path / "t", n=200)
    with pytest.raises(DataError, match="cannot be taken together"):
        both.effect("page", crossed_with="price", together={"old": "new"})


def test_the_page_offers_a_second_experiment_only_where_there_is_one(tmp_path: Path) -> None:
    t = Texts("en")
    project, _ = two(tmp_path / "s", n=800)
    state = EffectState(project)
    page = results(state, t)
    second = control(page, "Second experiment")
    assert second.layout.display == ""
    choose(page, "Second experiment", "price")
    assert state.record is not None
    assert state.record.settings.crossed_with == "price"
    assert "Two factors" in words(page)
    assert "beyond the sum of the two" in words(page)
    choose(page, "Second experiment", "none")
    assert state.record.summary.factorial == []
    alone = event_level(tmp_path / "t", [(f"u{i}", "AB"[i % 2], 0.0) for i in range(80)], [("u1", 30.0, 1.0)])
    lone = results(EffectState(alone), t)
    assert control(lone, "Second experiment").layout.display == "none"


def test_arms_of_the_same_name_say_of_which_experiment_they_are(tmp_path: Path) -> None:
    """Of everybody in both, one in four had each combination."""
    people = range(400)
    shown = [(f"u{i}", "AB"[i % 2], 1.0) for i in people]
    project = event_level(
        tmp_path / "s", shown, [(f"u{i}", 5.0, 1.0) for i in people[::3]] + [("u1", 40.0, 1.0)]
    )
    rows = {
        "customer_id": [f"u{i}" for _ in (0, 1) for i in people],
        "experience_id": ["page"] * 400 + ["price"] * 400,
        "variant": ["AB"[i % 2] for i in people] + ["AB"[i // 2 % 2] for i in people],
        "ts": pa.array([START + timedelta(days=1)] * 800, TIME),
        "assignment": ["random"] * 800,
    }
    project.commit({"exposures": pa.table(rows)})
    record = project.effect("page", crossed_with="price")
    assert {arm.arm: arm.n for arm in record.summary.arms} == {
        f"page: {one} × price: {other}": 100 for one in "AB" for other in "AB"
    }
    assert record.summary.control == "page: A × price: A"
