"""An experiment of two crossed factors, from tables to what a page says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.shops import binary, unit_level
from workbench import Project
from workbench.errors import ModelError
from workbench.locale import Texts
from workbench.records import EffectRecord, from_json
from workbench.report.beside import Section, sections

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
