"""What we use: the sheet on a page, who collected what, and the tools, without a browser."""

from __future__ import annotations

import json
import tomllib

import pytest

from tests.screens.pages import choose, control, widgets, words
from workbench import Project
from workbench.locale import Texts
from workbench.provenance import Origins, Tool, Tools
from workbench.screens.data_sheet import DataSheetState
from workbench.screens.data_sheet_view import view
from workbench.screens.download import Download
from workbench.screens.ticking import Ticks

SECONDS = 60


def looked(project: Project) -> DataSheetState:
    state = DataSheetState(project)
    state.wait(SECONDS)
    assert state.problem is None
    return state


@pytest.mark.requirement("G05")
def test_nothing_is_asked_before_somebody_watches_and_then_all_is_there(shop: Project) -> None:
    state = DataSheetState(shop)
    page = view(state, Texts())
    assert state.sheet is None
    assert "looked over" in words(page)
    state.wait(SECONDS)
    assert not state.looking
    assert state.sheet is not None
    shown = words(page)
    assert str(state.sheet.verdict) in shown
    assert state.reliance is not None
    assert str(state.reliance.verdict) in shown
    for one in state.sheet.tables:
        assert f">{one.name}<" in shown


@pytest.mark.requirement("D16")
def test_saying_who_collected_a_column_is_kept_and_changes_what_would_be_lost(own_shop: Project) -> None:
    state = looked(own_shop)
    page = view(state, Texts())
    assert state.reliance is not None
    assert "customers.device" not in state.reliance.columns
    choose(page, "Table", "customers")
    choose(page, "device (guessed)", "collected by others")
    state.wait(SECONDS)
    assert Origins(own_shop.path)["customers.device"] == "third"
    assert "customers.device" in state.reliance.columns
    assert "device" in {one.by for one in state.reliance.splits}
    assert control(page, "device").index == 2
    assert state.sheet is not None
    assert len(Origins(own_shop.path)) == 1


def test_guesses_can_be_confirmed_a_table_at_a_time(own_shop: Project) -> None:
    state = looked(own_shop)
    page = view(state, Texts())
    choose(page, "Table", "exposures")
    control(page, "These are right").click()
    state.wait(SECONDS)
    said = dict(Origins(own_shop.path))
    assert said
    assert {name.partition(".")[0] for name in said} == {"exposures"}
    assert control(page, "These are right").layout.display == "none"
    assert all(one.said == (one.table == "exposures") for one in state.origins)


@pytest.mark.requirement("D19")
def test_a_tool_is_added_changed_renamed_and_taken_off(own_shop: Project) -> None:
    state = looked(own_shop)
    page = view(state, Texts())
    control(page, "Name").value = "Shop"
    control(page, "Its files are called").value = "orders*, shop-*"
    control(page, "Owner").value = "Ana"
    (ticks,) = [widget for widget in widgets(page) if isinstance(widget, Ticks)]
    ticks.value = ["orders", "order_items"]
    control(page, "Write down").click()
    state.wait(SECONDS)
    assert dict(Tools(own_shop.path)) == {
        "Shop": Tool(collects=("orders", "order_items"), files=("orders*", "shop-*"), owner="Ana")
    }
    assert state.inventory is not None
    assert [one.light for one in state.inventory.tools] == ["partly"]
    assert "order_items" in str(state.inventory.tools[0].notes[0])
    assert "▲ with care" in words(page)
    assert (state.tool_name, state.collects) == ("", [])
    choose(page, "Tool", "Shop")
    assert control(page, "Owner").value == "Ana"
    assert ticks.value == ["orders", "order_items"]
    control(page, "Name").value = "Webshop"
    ticks.value = ["orders"]
    control(page, "Write down").click()
    state.wait(SECONDS)
    kept = tomllib.loads((own_shop.path / "tools.toml").read_text("utf-8"))
    assert kept == {"Webshop": {"collects": ["orders"], "files": ["orders*", "shop-*"], "owner": "Ana"}}
    choose(page, "Tool", "Webshop")
    control(page, "Take off the list").click()
    state.wait(SECONDS)
    assert not Tools(own_shop.path)
    assert state.inventory.tools == ()


def test_a_tool_without_a_name_is_refused_in_a_sentence(own_shop: Project) -> None:
    state = looked(own_shop)
    state.save_tool()
    assert "needs a name" in str(state.problem)
    assert not Tools(own_shop.path)


@pytest.mark.requirement("G05")
def test_the_sheet_is_handed_over_in_both_languages_and_as_json(shop: Project) -> None:
    state = DataSheetState(shop)
    page = view(state, Texts())
    labels = [widget.label for widget in widgets(page) if isinstance(widget, Download)]
    assert labels == ["Download in English", "Download in Spanish", "Download as JSON"]
    assert state.as_page("en") is None
    state.wait(SECONDS)
    for language in ("en", "es"):
        made = state.as_page(language)
        assert made is not None
        assert made[0] == f"data-sheet-{language}.html"
        assert f'<html lang="{language}">' in made[1].decode()
    plain = state.as_json("en")
    assert plain is not None
    assert state.sheet is not None
    assert {one["name"] for one in json.loads(plain[1])["tables"]} == {one.name for one in state.sheet.tables}


def test_an_empty_project_says_so(empty_shop: Project) -> None:
    state = DataSheetState(empty_shop)
    state.wait(SECONDS)
    assert "nothing yet" in str(state.missing)
    assert state.sheet is None
    assert not state.looking
    state.load_sample()
    state.wait(SECONDS)
    assert state.missing is None
    assert state.sheet is not None


def test_what_others_wrote_is_shown_as_text(own_shop: Project) -> None:
    Tools(own_shop.path)["<img src=x onerror=alert(1)>"] = Tool(owner="<b>", limit="&")
    state = looked(own_shop)
    shown = words(view(state, Texts()))
    assert "<img src" not in shown
    assert "&lt;img src=x" in shown
    assert "<b>" not in shown
