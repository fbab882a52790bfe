"""Recency, frequency and money on a page, without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import rfm_shop
from tests.screens.pages import answers, charts, choose, control, widgets, words
from workbench import Project, screens
from workbench.analyses import rfm_segments
from workbench.analyses.estimates import Needs
from workbench.locale import Texts
from workbench.screens.rfm import RfmState
from workbench.screens.rfm_view import view


def watched(project: Project) -> RfmState:
    state = RfmState(project)
    state.watch()
    return state


@pytest.mark.requirement("F01")
@pytest.mark.requirement("F02")
@pytest.mark.requirement("F03")
@pytest.mark.requirement("R02")
def test_the_page_says_what_the_project_says(shop: Project) -> None:
    t = Texts()
    state = RfmState(shop)
    page = view(state, t)
    assert state.found is None  # nobody watches yet
    state.watch()
    assert state.problem is None
    found = shop.rfm()
    assert state.found == found
    assert t(found.sentence).replace(" %", "&nbsp;%") in answers(page)
    shown = charts(page)
    assert len(shown) == 7
    assert all(chart.spec for chart in shown)
    for one in found.segments:
        assert f"{t.count(one.customers)}" in shown[0].description
    assert not isinstance(found.moves, Needs)
    assert t.count(found.moves.customers) in words(page)
    assert t.percent(found.model.quiet).replace(" %", "&nbsp;%") in words(page)


def test_each_control_is_answered(shop: Project) -> None:
    state = watched(shop)
    page = view(state, Texts())
    choose(page, "Money", "margin")
    assert state.found == shop.rfm(money="margin")
    control(page, "Gone by the rule after (days)").value = 60
    control(page, "Gone by the model below (%)").value = 30
    control(page, "Cut points of recency (days)").value = "20 40; 60 120"
    control(page, "Both days by the same cut points").value = True
    wanted = shop.rfm(
        money="margin", quiet_days=60, gone_below=0.3, cuts={"recency": (20, 40, 60, 120)}, same_cuts=True
    )
    assert state.found == wanted
    control(page, "As of (day; empty: the last)").value = "31.12.2025"
    assert str(state.problem) == "“31.12.2025” is no day; write it like 2026-03-31."
    assert state.found is None
    control(page, "As of (day; empty: the last)").value = "2025-12-01"
    assert state.problem is None
    assert state.found is not None
    assert state.found.settings.as_of is not None
    assert state.found.settings.as_of.isoformat() == "2025-12-01"
    control(page, "Cut points of recency (days)").value = "ten"
    assert "are no cut points" in str(state.problem)


@pytest.mark.requirement("F01")
@pytest.mark.parametrize("language", ["en", "es"])
def test_segments_can_be_changed_and_brought_back(own_shop: Project, language: str) -> None:
    t = Texts(language)
    state = watched(own_shop)
    page = view(state, t)
    assert len(state.listed.lines.splitlines()) == 11
    everybody = sum(one.customers for one in own_shop.rfm().segments)
    control(
        page, t("Segments, best first: name | tier | rule")
    ).value = "<i>top</i> | a | r >= 4\nrest | b | r >= 1"
    control(page, t("Save the segments")).click()
    assert state.listed.problem is None
    assert state.found is not None
    assert [one.named.name for one in state.found.segments] == ["<i>top</i>", "rest"]
    assert sum(one.customers for one in state.found.segments) == everybody
    assert "<i>" not in words(page)
    state.listed.lines = "top | a | r >= 4"
    state.listed.save(t)
    assert "in no segment" in str(state.listed.problem)
    assert len(rfm_segments.read(own_shop.path)) == 2
    control(page, t("Standard segments")).click()
    assert state.found.segments == own_shop.rfm().segments
    assert len(state.found.segments) == 11


@pytest.mark.requirement("F01")
def test_a_segment_is_saved_among_the_projects_own(own_shop: Project) -> None:
    page = screens.segments(own_shop, "en")
    control(page, "Parts of the screen").index = 1
    (part,) = [widget for widget in widgets(page) if type(widget).__name__ == "Presence"]
    part._handle_custom_msg({}, [])
    choose(page, "Save as one of the project’s segments", "at risk")
    control(page, "Save as a rule").click()
    assert "“at risk” is saved as a rule" in words(page)
    rule = own_shop.segments["at risk"]
    scored = {one.named.name: one.customers for one in own_shop.rfm().segments}["at risk"]
    assert own_shop.segment_sizes()["at risk"][0] == pytest.approx(scored, rel=0.1)
    control(page, "Parts of the screen").index = 0
    assert rule.replace("<", "&lt;").replace(">", "&gt;") in words(page)
    choose_margin = watched(own_shop)
    choose_margin.money = "margin"
    choose_margin.save_segment(Texts())
    assert "not for margin" in str(choose_margin.problem)


@pytest.mark.requirement("U07")
def test_each_part_is_a_file(shop: Project) -> None:
    state = watched(shop)
    page = view(state, Texts())
    made = [widget._make() for widget in widgets(page) if type(widget).__name__ == "Download"]
    names = [name for name, _ in filter(None, made)]
    assert names == [f"rfm-{part}-2026-01-04.csv" for part in ("segments", "grid", "gone", "moves")]
    assert all(content.startswith(b"\xef\xbb\xbf") for _, content in filter(None, made))


def test_orders_alone_are_enough(tmp_path: Path) -> None:
    project = rfm_shop.make(tmp_path / "s", rfm_shop.many(60), described=False)
    page = screens.segments(project, "en")
    assert control(page, "Parts of the screen").value == 1
    control(page, "Parts of the screen").index = 0
    assert "Rules are about the table of customers" in words(page)


def test_an_empty_project_says_what_is_missing(empty_shop: Project) -> None:
    state = watched(empty_shop)
    assert "no orders" in str(state.missing)
    assert (state.found, state.problem) == (None, None)
