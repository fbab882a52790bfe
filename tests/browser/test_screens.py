"""The analyst's screens in a real browser, in both languages, with nothing but this computer in reach."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import sample_shop
from tests.browser.screens import reads, settle, too_wide, visit
from tests.browser.servers import run_in_lab, until
from tests.sample_shop import EXPERIMENT, OFFERS
from workbench import Project, screens
from workbench.demo import samples_folder
from workbench.locale import Texts
from workbench.publish import bundle
from workbench.publish.site import notebooks_folder, serving_project

each_language = pytest.mark.parametrize("language", ["en", "es"])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop, as the screens leave it."""
    return sample_shop.make(tmp_path_factory.mktemp("screens") / "shop")


@pytest.fixture(scope="module")
def url(shop: Project) -> Iterator[str]:
    """Where its screens are served."""
    with serving_project(shop, screens=True) as server:
        yield server.url


@pytest.fixture(autouse=True)
def _opened_for_the_first_time(shop: Project) -> None:
    """A screen opens as it was left; here it has not been opened yet."""
    shutil.rmtree(shop.path / "screens", ignore_errors=True)


@each_language
def test_the_effect_lab_answers_each_change_in_place(
    page: Any, url: str, shop: Project, language: str
) -> None:
    t = Texts(language)
    visit(page, url, "3-effect-lab.ipynb", language)
    assert page.locator("html").get_attribute("lang") == language
    assert reads(page, ".wb-sentence", t(shop.effect(EXPERIMENT, keep=False).verdict))
    page.wait_for_selector(".wb-chart svg")  # the words come first
    page.evaluate("document.querySelector('.wb-chart').dataset.same = 'yes'")
    drawn = page.locator(".wb-chart svg").first.inner_html()
    page.get_by_label(t("Metric")).select_option(t("revenue"))
    page.get_by_label(t("Split by")).select_option("country")
    record = shop.effect(EXPERIMENT, "revenue", by="country", keep=False)
    assert reads(page, ".wb-sentence", t(record.verdict))
    assert until(lambda: page.locator(".wb-chart svg").count() == 4)
    assert page.locator(".wb-chart").first.get_attribute("data-same") == "yes"
    assert until(lambda: page.locator(".wb-chart svg").first.inner_html() != drawn)
    assert page.locator(".wb-chart").first.get_attribute("aria-label") == t(record.verdict)
    page.get_by_label(t("Experiment"), exact=True).select_option(OFFERS)
    associated = shop.effect(OFFERS, "revenue", by="country", keep=False)
    assert reads(page, ".wb-sentence", t(associated.verdict))
    page.get_by_role("button", name=t("More settings")).click()
    page.get_by_label(t("Planned split")).fill("1")
    page.get_by_label(t("Planned split")).press("Tab")
    assert reads(page, ".wb-error", "generic, personalised")
    page.locator(".wb-sentence").wait_for(state="hidden")
    page.get_by_label(t("Planned split")).fill("50 50")
    page.get_by_label(t("Planned split")).press("Tab")
    assert reads(page, ".wb-sentence", t(associated.verdict))
    assert too_wide(page) == 0


@each_language
def test_lifetime_value_follows_its_controls(page: Any, url: str, shop: Project, language: str) -> None:
    t = Texts(language)
    visit(page, url, "4-lifetime-value.ipynb", language)
    page.get_by_label(t("Split by")).select_option(EXPERIMENT)
    (kept,) = [record for record in shop.records.values() if record.kind == "value"]
    assert reads(page, ".wb-sentence", t(kept.verdict))
    settle(page)
    assert page.get_by_role("button", name=t("Kept"), exact=True).is_disabled()
    assert too_wide(page) == 0


@each_language
def test_a_rule_is_counted_while_it_is_written_and_then_saved(
    page: Any, url: str, shop: Project, language: str
) -> None:
    t = Texts(language)
    name = {"en": "Spanish", "es": "españoles"}[language]
    visit(page, url, "2-segments.ipynb", language)
    page.get_by_label(t("Name")).fill(name)
    page.get_by_label(t("Rule"), exact=True).fill("country == 'ES' and")
    page.locator(".wb-doubt").wait_for()
    page.get_by_label(t("Rule"), exact=True).fill("country == 'ES'")
    assert reads(page, ".wb-fine", t.count(2680))
    page.get_by_role("button", name=t("Save"), exact=True).click()
    assert reads(page, ".wb-segment", name)
    assert shop.segments[name] == "country == 'ES'"
    assert too_wide(page) == 0


@each_language
def test_a_file_is_sent_looked_at_and_loaded(page: Any, url: str, shop: Project, language: str) -> None:
    t = Texts(language)
    visit(page, url, "1-load-and-check.ipynb", language)
    page.set_input_files(".wb-upload input", samples_folder() / "unit" / "resultados.csv")
    assert reads(page, ".wb-preview", "u000011")
    assert page.get_by_label("customer_id").input_value() == "usuario"
    page.get_by_label(t("Name of the experiment")).fill(f"portada-{language}")
    page.get_by_label(t("Name of the experiment")).press("Tab")
    assert too_wide(page) == 0
    page.get_by_role("button", name=t("Load"), exact=True).click()
    assert reads(page, ".wb-sentence", t.count(3488))
    assert reads(page, ".wb-overview", "outcomes")
    rows = shop.engine.query("SELECT DISTINCT experience_id AS e FROM outcomes").to_pylist()
    assert f"portada-{language}" in [row["e"] for row in rows]


def test_a_file_that_is_too_large_is_refused_in_the_browser(page: Any, url: str, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(201 * 10**6)
    visit(page, url, "1-load-and-check.ipynb", "en")
    page.set_input_files(".wb-upload input", large)
    assert reads(page, ".wb-upload", "The file is larger than 200 MB")


@each_language
def test_results_are_chosen_published_and_opened(page: Any, url: str, shop: Project, language: str) -> None:
    t = Texts(language)
    title = {"en": "For Tuesday", "es": "Para el martes"}[language]
    visit(page, url, "9-publish.ipynb", language)
    page.locator(".wb-choice input").first.check()
    page.get_by_label(t("Title of the page")).fill(title)
    settle(page)
    first = next(iter(shop.records.values()))
    assert reads(page, ".wb-sentence", t(first.verdict))
    assert too_wide(page) == 0
    page.get_by_role("button", name=t("Publish"), exact=True).click()
    link = page.get_by_role("link", name=t("Open the page"))
    link.wait_for()
    assert title in [made.title for made in bundle.pages(shop.path / "published")]
    with page.context.expect_page() as opened:
        link.click()
    opened.value.wait_for_selector(".wb-title:visible", timeout=60_000)
    assert opened.value.locator(".wb-title:visible").inner_text() == title


def test_the_screens_lead_to_one_another_by_keyboard_alone(page: Any, url: str) -> None:
    visit(page, url, "2-segments.ipynb", "en")
    seen = []
    titles = list(screens.titles(Texts("en")).values())
    for _ in range(len(titles) + 9):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText || document.activeElement.type"))
    assert seen[:2] == ["English", "Español"]
    assert seen[2 : 2 + len(titles)] == titles
    within = seen[2 + len(titles) :]  # the parts of the screen come before its first field
    assert within[within.index("text") :][:3] == ["text", "textarea", "Save"]
    assert within.index("text") == 2


@pytest.mark.long
def test_a_screen_works_in_jupyterlab(
    page: Any, shop: Project, laboratory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_PROJECT", str(shop.path))
    page.set_viewport_size({"width": 1600, "height": 4000})  # what is out of sight is not drawn there
    run_in_lab(page, laboratory(notebooks_folder()), "3-effect-lab.ipynb")
    t = Texts("en")
    assert reads(page, ".wb-sentence", t(shop.effect(EXPERIMENT, keep=False).verdict))
    page.locator(".wb-page").get_by_label("Metric").select_option("revenue")
    assert reads(page, ".wb-sentence", t(shop.effect(EXPERIMENT, "revenue", keep=False).verdict))
    settle(page)
    assert page.locator(".wb-page .wb-chart svg").count() == 3
