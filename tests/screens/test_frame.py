"""What is around every screen, and what it says when there is nothing to show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import escape
from pathlib import Path

import ipywidgets
import pytest

from tests.screens.pages import control, widgets, words
from workbench import Project, screens
from workbench.locale import LANGUAGES, Texts
from workbench.publish.site import SCREENS, notebooks_folder
from workbench.screens.publishing import question

Screen = Callable[..., ipywidgets.VBox]
ALL: dict[str, Screen] = {
    "0-home": screens.home,
    "1-load-and-check": screens.load_and_check,
    "2-segments": screens.segments,
    "3-effect-lab": screens.effect_lab,
    "4-lifetime-value": screens.lifetime_value,
    "5-cohorts": screens.cohorts,
    "6-engagement": screens.engagement,
    "7-one-customer": screens.one_customer,
    "8-trust": screens.trust,
    "9-publish": screens.publish,
}
INPUTS = (
    ipywidgets.Dropdown,
    ipywidgets.Text,
    ipywidgets.Textarea,
    ipywidgets.Checkbox,
    ipywidgets.DatePicker,
    ipywidgets.BoundedIntText,
    ipywidgets.BoundedFloatText,
)
each_screen = pytest.mark.parametrize("screen", ALL.values(), ids=ALL.keys())


def test_every_screen_has_its_notebook_and_every_notebook_its_titles() -> None:
    files = {file.stem: file for file in notebooks_folder().glob("*.ipynb")}
    assert set(files) == set(ALL) == set(screens.titles(Texts("en")))
    for stem, file in files.items():
        named = json.loads(file.read_text(encoding="utf-8"))["metadata"]["titles"]
        assert named == {language: screens.titles(Texts(language))[stem] for language in LANGUAGES}


@each_screen
def test_without_a_project_a_screen_says_so_and_offers_to_make_one(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBENCH_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    page = screen(language="en")
    assert "No project was named" in words(page)
    assert control(page, "Make a project with the sample data")


def test_the_project_that_is_offered_is_made_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_PROJECT", str(tmp_path / "shop"))
    page = screens.segments(language="en")
    control(page, "Make a project with the sample data").click()
    assert "Saved segments" in words(page)
    assert Project.open(tmp_path / "shop").manifest()["orders"]["rows"] == 3661
    assert "Saved segments" in words(screens.segments(language="en"))


@each_screen
@pytest.mark.parametrize("file", ["project.toml", "tables.json"])
def test_a_damaged_project_is_one_sentence(
    screen: Screen, file: str, own_shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_shop.path / file).write_text("= not a file of ours", encoding="utf-8")
    monkeypatch.setenv("WORKBENCH_PROJECT", str(own_shop.path))
    shown = words(screen(language="en"))
    assert shown.count("wb-error") == 1
    assert file in shown
    assert "Traceback" not in shown


@each_screen
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_control_has_a_label(screen: Screen, language: str, shop: Project) -> None:
    page = screen(shop, language)
    for widget in widgets(page):
        if isinstance(widget, ipywidgets.Button | ipywidgets.ToggleButton):
            assert widget.description
        elif hasattr(widget, "value") and not isinstance(widget, ipywidgets.HTML):
            assert widget.description, widget


@each_screen
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_control_is_explained_on_demand(screen: Screen, language: str, shop: Project) -> None:
    page = screen(shop, language)
    (controls,) = [w for w in widgets(page) if "wb-controls" in getattr(w, "_dom_classes", ())]
    explained = re.findall("<dt>(.*?)</dt>", words(page))
    kept = {Texts(language)(question(record)) for record in shop.records.values()}
    for widget in widgets(controls):
        if isinstance(widget, INPUTS) and widget.description not in kept:
            assert escape(widget.description) in explained


@pytest.mark.requirement("D20")
def test_links_lead_to_the_other_screens_where_they_are_served(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "wb-screens" not in words(screens.segments(shop, "es"))
    monkeypatch.setenv(SCREENS, " ".join(ALL))
    shown = words(screens.segments(shop, "es"))
    for stem in ALL:
        assert f'href="{stem}.ipynb?lang=es"' in shown
    assert shown.count('aria-current="page"') == 1
    assert "5 ene 2026" in shown or "4 ene 2026" in shown
