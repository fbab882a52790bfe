"""The state of contracts: what is missing is said, each control changes the answer, and words are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.screens.pages import words
from tests.test_contracts import simulated
from workbench import Project
from workbench.charts import contracts as charts
from workbench.locale import Texts
from workbench.screens.contracts import ContractsState
from workbench.screens.contracts_view import view


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return simulated(tmp_path_factory.mktemp("contracts") / "p", 1.0, 4.0, 9, 1500, other=(1.0, 9.0))


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    state = ContractsState(Project.create(tmp_path / "empty"))
    assert state.found is None
    assert state.missing is not None
    assert "churn" in Texts("en")(state.missing)


def test_controls_change_the_answer(project: Project) -> None:
    state = ContractsState(project)
    assert state.found is not None
    assert "plan" in state.groups
    once = state.found.groups[0].new.mean
    state.payment = 20.0
    assert state.found.groups[0].new.mean == pytest.approx(2 * once)
    state.by = "plan"
    assert [group.group for group in state.found.groups] == ["basic", "plus"]
    state.horizon = 12
    assert state.found.groups[0].new.mean < 2 * once
    state.period = "year"
    assert state.found.groups[0].curve[1].at_risk < 800
    assert state.problem is None


def test_every_number_of_the_picture_is_in_words_too(project: Project) -> None:
    state, t = ContractsState(project), Texts("en")
    assert state.found is not None
    (picture,) = charts.pictures(state.found, t)
    assert picture.title in picture.description
    (row,) = charts.group_rows(state.found, t)
    assert row["Contracts"] == "1,500"
    assert len(charts.curve_rows(state.found.groups[0], t)) == len(state.found.groups[0].curve)


def test_groups_that_chance_did_not_make_stand_under_the_sign_of_an_association(project: Project) -> None:
    state, t = ContractsState(project), Texts("en")
    page = view(state, t)
    assert "Association, not an effect" not in words(page)
    state.by = "plan"
    assert "Association, not an effect" in words(page)
