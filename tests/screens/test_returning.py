"""Coming back on the screen: what is asked, what comes of it, and what it says where something is missing."""

from __future__ import annotations

from datetime import date

import pytest

from tests.sample_shop import EXPERIMENT, OFFERS
from tests.screens.pages import answers, charts, choose, control, words
from workbench import Project
from workbench.locale import Texts
from workbench.screens.returning import ReturningState
from workbench.screens.returning_view import as_code, view

T = Texts("en")


def plain(text: str) -> str:
    return text.replace("&nbsp;", " ")


@pytest.mark.requirement("R06", "C07")
def test_the_page_says_what_the_project_says(shop: Project) -> None:
    state = ReturningState(shop)
    page = view(state, T)
    assert state.problem is None
    choose(page, "Experiment", EXPERIMENT)
    found = shop.returning(EXPERIMENT)
    assert state.found == found
    assert T(found.verdict) in plain(answers(page))
    shown = [chart for chart in charts(page) if chart.chart is not None]
    assert len(shown) == 3
    for arm in found.main.arms:
        assert arm.arm in shown[0].description
    risk = T.count(found.main.arms[0].points[0].at_risk)
    assert risk in str(shown[0].spec)  # how many are followed stands under the axis
    assert "Hazard ratio" in words(page)
    assert "What we checked" in words(page)


@pytest.mark.requirement("C07")
def test_buying_again_shows_everybody_beside_it(shop: Project) -> None:
    state = ReturningState(shop)
    page = view(state, T)
    choose(page, "Experiment", EXPERIMENT)
    choose(page, "What is waited for", "buying again")
    assert state.found == shop.returning(EXPERIMENT, outcome="repeat")
    told = plain(words(page))
    assert "This is an association, not an effect" in told
    assert "Of all customers, have ordered twice" in told
    assert len([chart for chart in charts(page) if chart.chart is not None]) == 4
    assert as_code(state.found) == f"project.returning('{EXPERIMENT}', outcome='repeat')"
    choose(page, "What is waited for", "the first order")
    assert "Of all customers, have ordered twice" not in words(page)


def test_each_control_asks_anew_and_mistakes_are_said(shop: Project) -> None:
    state = ReturningState(shop)
    page = view(state, T)
    choose(page, "Experiment", OFFERS)
    control(page, "Compared after (days)").value = "10; 20"
    choose(page, "Level of the intervals", "80 %")
    choose(page, "Arm to speak of", "generic")
    choose(page, "Control arm", "personalised")
    control(page, "Last day that counts").value = date(2025, 12, 1)
    asked = {"arm": "generic", "control": "personalised", "until": date(2025, 12, 1), "level": 0.8}
    assert state.found == shop.returning(OFFERS, days=(10, 20), **asked)
    control(page, "Compared after (days)").value = "soon"
    assert state.found is None
    assert state.problem is not None
    assert "soon" in T(state.problem)
    control(page, "Compared after (days)").value = "10"
    assert state.problem is None
    assert state.found is not None


def test_an_empty_project_says_what_is_missing(empty_shop: Project) -> None:
    state = ReturningState(empty_shop)
    assert state.found is None
    assert "There is no experiment" in words(view(state, T))


@pytest.mark.requirement("R06", "C07")
def test_split_by_a_column_each_group_stands_in_the_chart_and_the_table(shop: Project) -> None:
    state = ReturningState(shop)
    page = view(state, T)
    choose(page, "Experiment", EXPERIMENT)
    before = len([chart for chart in charts(page) if chart.chart is not None])
    control(page, "Compared after (days)").value = "10, 20"
    choose(page, "Split by", "country")
    found = shop.returning(EXPERIMENT, days=(10, 20), by="country")
    assert state.found == found
    assert found.groups
    shown = [chart for chart in charts(page) if chart.chart is not None]
    assert len(shown) == before + 1
    told = plain(words(page))
    for one in found.groups:
        assert one.group in shown[-1].description
        assert f"{T.share(one.against.by_day[0].arm_share)} against" in told
    assert (
        as_code(found) == f"project.returning('{EXPERIMENT}', outcome='order', days=(10, 20), by='country')"
    )
