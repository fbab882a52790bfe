"""How well models foretell, on its tab: asked when it is seen, in words and pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench import Project
from workbench.charts import validation as charts
from workbench.locale import Texts
from workbench.screens.validating import ValidatingState
from workbench.screens.validating_view import sentence, view
from workbench.screens.value import ValueState

CDNOW = Path(__file__).parents[2] / "data" / "samples" / "cdnow" / "cdnow.csv"


@pytest.fixture(scope="module")
def value(tmp_path_factory: pytest.TempPathFactory) -> ValueState:
    project = Project.create(tmp_path_factory.mktemp("validating") / "cdnow", currency="USD")
    project.load(CDNOW)
    return ValueState(project)


@pytest.mark.requirement("V03")
def test_three_models_are_held_against_what_came(value: ValueState) -> None:
    state, t = ValidatingState(value), Texts("en")
    view(state, t)
    assert state.found is None  # nobody has looked
    state.shown = True
    assert state.problem is None
    assert state.found is not None
    rows = charts.method_rows(state.found, t)
    assert [row["Foretold by"] for row in rows][-2:] == ["Everybody goes on as before", "Nobody buys again"]
    assert "BG/NBD foretold" in t(sentence(state.found))
    tracking, by_x, by_probability = charts.pictures(state.found, t)
    for picture in (tracking, by_x, by_probability):
        assert picture.chart.to_dict()["layer"]
        assert picture.title in picture.description


def test_another_stretch_is_held_back_and_too_little_is_told(value: ValueState) -> None:
    state = ValidatingState(value)
    state.shown = True
    state.held_days = 90
    assert state.found is not None
    assert state.found.weeks == pytest.approx(90 / 7)
    state.held_days = 7
    assert state.found is None
    assert state.asked
    assert state.problem is None
