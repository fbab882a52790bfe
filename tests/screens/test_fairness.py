"""Fairness on a page, without a browser."""

from __future__ import annotations

import pytest

from tests.screens.pages import answers, charts, choose, control, words
from workbench import Project
from workbench.locale import Texts
from workbench.screens.fairness import FairnessState
from workbench.screens.fairness_view import view


def watched(project: Project) -> FairnessState:
    state = FairnessState(project)
    state.watch()
    return state


@pytest.mark.requirement("G08")
def test_the_page_says_what_the_project_says(shop: Project) -> None:
    t = Texts()
    state = FairnessState(shop)
    page = view(state, t)
    assert state.found is None  # nobody watches yet
    state.watch()
    assert state.problem is None
    choose(page, "Groups by", "device")
    found = shop.fairness("device")
    assert state.found == found
    assert t(found.verdict) in answers(page)
    shown = charts(page)
    assert len(shown) == len(found.measures)
    for chart, measure in zip(shown, found.measures, strict=True):
        assert all(item.group in chart.description for item in measure.groups)
    assert "association" in words(page)
    assert "never chooses anybody" in words(page)


@pytest.mark.requirement("G08")
def test_each_control_is_answered(shop: Project) -> None:
    state = watched(shop)
    page = view(state, Texts())
    state.attribute = "country"
    whole = state.found
    choose(page, "Counted in", "the last 30 days")
    assert state.found == shop.fairness("country", days=30)
    assert state.found != whole
    control(page, "Differences that do not matter (%)").value = 50
    assert state.found is not None
    assert state.found.matters == 0.5
    assert not any(item.differs for one in state.found.measures for item in one.groups)
    choose(page, "Probability of the intervals", "80 %")
    assert state.found.level == 0.8


@pytest.mark.requirement("G08")
def test_sensitive_attributes_come_first_and_their_segments_are_named(own_shop: Project) -> None:
    with own_shop.store.draft() as draft:
        draft.rewrite(
            "customers", "SELECT *, CASE WHEN random() < 0.5 THEN 'a' ELSE 'b' END AS gender FROM old"
        )
    own_shop.segments["ladies"] = "gender == 'a'"
    state = watched(Project.open(own_shop.path))
    page = view(state, Texts())
    assert state.names[0] == "gender"
    assert "gender (sensitive)" in control(page, "Groups by").options
    assert state.found is not None
    assert state.found.attribute == "gender"
    assert "ladies" in words(page)


def test_an_empty_project_says_what_is_missing(empty_shop: Project) -> None:
    state = watched(empty_shop)
    assert "no customers" in str(state.missing)
    assert state.found is None
    assert state.problem is None
