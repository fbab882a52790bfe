"""The engagement screen: what is asked, what comes of it, and what it says where something is missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import ipywidgets
import pyarrow as pa
import pytest

from tests.screens.pages import charts, choose, control, words
from workbench import Project
from workbench.analyses.chats import Chats
from workbench.analyses.estimates import Needs
from workbench.analyses.stays import TimeOnPage
from workbench.locale import Texts
from workbench.screens.engaging import EngagementState
from workbench.screens.engaging_view import view
from workbench.screens.frame import screen

START = datetime(2026, 3, 2)
T = Texts("en")


def social() -> pa.Table:
    """Ten posts in a network that says whom it reached, and ten in one that does not."""
    rows = [
        {
            "date": START + timedelta(days=post),
            "network": network,
            "post": f"{network}-{post}",
            "type": kind,
            "count": 3 + post,
            "reach": reach,
        }
        for post in range(10)
        for network, reach in (("loud", 100 + 10 * post), ("quiet", None))
        for kind in ("like", "view")
    ]
    kinds = {"date": pa.timestamp("us"), "count": pa.int64(), "reach": pa.int64()}
    schema = pa.schema({name: kinds.get(name, pa.string()) for name in rows[0]})
    return pa.Table.from_pylist(rows, schema=schema)


def show(project: Project) -> ipywidgets.VBox:
    """The page in English."""
    return screen("6-engagement", EngagementState, view, project, "en")


def time_of(state: EngagementState) -> TimeOnPage:
    assert state.found is not None
    assert isinstance(state.found.time, TimeOnPage)
    return state.found.time


@pytest.mark.requirement("D04", "T7")
def test_the_page_shows_time_with_what_it_led_to_and_says_what_is_missing(shop: Project) -> None:
    page = show(shop)
    told = words(page)
    state = EngagementState(shop)
    assert state.problem is None
    assert T(time_of(state).sentence).replace(" %", "&nbsp;%") in told
    assert "not measured" in told
    assert "end in “purchase”" in told.replace("&nbsp;", " ")
    assert "One page only" in told
    assert "Social networks need the table social" in told
    assert "Chats need events" in told
    assert len([chart for chart in charts(page) if chart.chart is not None]) == 7


def test_each_control_asks_anew(shop: Project) -> None:
    page = show(shop)
    choose(page, "Stays by", "device")
    assert "Longest is" in words(page)
    choose(page, "Stays by", "nothing: all together")
    assert "Half of the stays last longer than" in words(page)
    control(page, "A stay counts from (seconds)").value = 60
    state = EngagementState(shop)
    state.by, state.least_seconds = None, 60
    everybody = time_of(state).everybody
    assert everybody.median is not None
    assert everybody.median.value > 60
    assert f"{T.number(everybody.median.value)} s" in words(page)


@pytest.mark.requirement("D24")
def test_chat_events_of_other_names_are_picked(shop: Project) -> None:
    page = show(shop)
    choose(page, "A chat begins with", "add_to_cart")
    choose(page, "A chat is resolved with", "purchase")
    assert "chats were resolved" in words(page)
    assert "an association" in words(page)
    state = EngagementState(shop)
    state.chat_start = "add_to_cart"
    assert state.found is not None
    assert isinstance(state.found.chats, Chats)
    assert state.found.chats.resolved is None


@pytest.mark.requirement("D09")
def test_social_networks_alone_are_enough(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop")
    project.commit({"social": social()})
    page = show(project)
    told = words(page)
    assert "The most frequent reaction is “like” in loud" in told
    assert "150 reactions to posts whose reach is not known" in told.replace("&nbsp;", " ")
    assert "Visits, time on pages and chats need the table events." in told
    state = EngagementState(project)
    assert state.found is not None
    assert isinstance(state.found.time, Needs)


def test_an_empty_project_says_what_is_missing_and_fills(empty_shop: Project) -> None:
    state = EngagementState(empty_shop)
    assert state.missing is not None
    assert state.found is None
    page = show(empty_shop)
    control(page, "Load the sample shop").click()
    assert "In a usual week there are" in words(page)


def test_what_cannot_be_is_said_on_the_page_and_the_controls_stay(shop: Project) -> None:
    state = EngagementState(shop)
    state.level = 1.0
    assert state.problem is not None
    assert state.found is None
    state.level = 0.9
    assert state.problem is None
    assert state.found is not None
