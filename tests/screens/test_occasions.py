"""The state of occasions: what is missing is said, each control changes the answer, and words are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.screens.pages import words
from tests.test_occasions import simulated
from workbench import Project
from workbench.charts import occasions as charts
from workbench.locale import LANGUAGES, Texts
from workbench.screens.occasions import OccasionsState
from workbench.screens.occasions_view import view


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return simulated(tmp_path_factory.mktemp("occasions") / "p", 4, 400)[0]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    state = OccasionsState(Project.create(tmp_path / "empty"))
    assert state.found is None
    assert state.missing is not None
    assert "orders" in Texts("en")(state.missing)


def test_controls_change_the_answer(project: Project) -> None:
    state = OccasionsState(project)
    assert state.kinds == ["orders"]
    assert state.found is not None
    before = state.found.groups[0]
    state.horizon = 12
    assert len(state.found.groups[0].by_period) == 12
    assert state.found.groups[0].ahead.value > before.ahead.value
    state.held_periods = 2
    assert state.found.foretold is not None
    assert len(state.found.foretold.periods) == 2
    state.period = "quarter"
    assert state.found.most < 6
    assert state.problem is None
    state.held_periods = 200
    assert state.found.foretold is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_hold_out_is_read_before_the_answer(project: Project, language: str) -> None:
    state, t = OccasionsState(project), Texts(language)
    assert state.found is not None
    shown = words(view(state, t))
    assert shown.index(t("How well the model foretold what it had not seen")) < shown.index("wb-sentence")
    assert "{" not in shown


def test_every_number_of_the_pictures_is_in_words_too(project: Project) -> None:
    state, t = OccasionsState(project), Texts("en")
    found = state.found
    assert found is not None
    assert found.foretold is not None
    for picture in (*charts.pictures(found, t), charts.tracking(found.foretold, found.settings, t)):
        assert picture.title in picture.description
        assert picture.chart.to_dict()
    assert [row["Customers"] for row in charts.cell_rows(found, t)] == [
        t.count(cell.customers) for cell in found.cells
    ]
    assert {row["Foretold by"] for row in charts.method_rows(found.foretold, t)} >= {"BG/BB"}
