"""The home in a real browser, served and in JupyterLab, with nothing but this computer in reach."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import sample_shop
from tests.browser.screens import reads, settle, too_wide, visit
from tests.browser.servers import jupyterlab, until
from workbench import Project, screens
from workbench.locale import Texts
from workbench.publish.library import outcome_name
from workbench.publish.site import notebooks_folder, serving_project
from workbench.screens.home_state import lessons

EXTENSIONS = Path(screens.__file__).parent / "lab" / "labextensions"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop with a published page."""
    project = sample_shop.make(tmp_path_factory.mktemp("home") / "shop")
    project.publish([*project.records.values()][:1], "For Tuesday")
    return project


@pytest.fixture(scope="module")
def url(shop: Project) -> Iterator[str]:
    with serving_project(shop, screens=True) as server:
        yield server.url


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_first_page_is_the_home_and_leads_everywhere(
    page: Any, url: str, shop: Project, language: str
) -> None:
    t = Texts(language)
    page.goto(f"{url}?lang={language}", wait_until="commit")
    page.wait_for_selector(".wb-home", timeout=60_000)
    assert reads(page, ".wb-header .wb-health", t("all checks fine"))
    assert too_wide(page) == 0
    page.get_by_label(t("What became of it")).select_option(t(outcome_name("described")))
    (value,) = [record for record in shop.records.values() if record.kind == "value"]
    assert until(lambda: page.locator(".wb-answer .wb-entries > li").count() == 1)
    assert reads(page, ".wb-answer .wb-entries", t(value.verdict))
    page.get_by_label(t("Search")).fill("zzz")
    assert reads(page, ".wb-answer", t("No kept result is like that."))
    page.get_by_role("link", name="For Tuesday").first.click()
    page.wait_for_selector(".wb-title:visible")
    assert page.locator(".wb-title:visible").inner_text() == "For Tuesday"
    lesson = next(lessons())
    visit(page, url, "0-home.ipynb", language)
    page.get_by_role("link", name=lesson.title[language]).click()
    page.wait_for_url(f"**/lessons/{lesson.stem}.ipynb?lang={language}")
    page.wait_for_selector(".wb-page h1", timeout=60_000)
    page.get_by_role("link", name=screens.titles(t)["0-home"], exact=True).click()
    page.wait_for_selector(".wb-home", timeout=60_000)


@pytest.mark.long
def test_jupyterlab_has_a_card_for_each_notebook_and_its_links_open_tabs(
    page: Any, shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_PROJECT", str(shop.path))
    notebooks = shutil.copytree(notebooks_folder(), tmp_path / "notebooks")
    shutil.copytree(EXTENSIONS, tmp_path / "data" / "labextensions")
    with jupyterlab(notebooks, tmp_path) as lab:
        page.set_viewport_size({"width": 1600, "height": 3000})  # what is out of sight is not drawn there
        page.goto(f"{lab}lab?reset")
        titles = [*screens.titles(Texts("en")).values(), *(one.title["en"] for one in lessons())]
        cards = page.locator(".jp-Launcher-section", has_text="Personalization Workbench")
        for title in titles:
            cards.get_by_text(title, exact=True).wait_for(timeout=60_000)
        cards.get_by_text("Home", exact=True).click()
        page.wait_for_selector(".wb-home", timeout=60_000)
        settle(page)
        page.locator(".wb-doors").get_by_role("link", name="Segments").click()
        page.wait_for_selector(".wb-controls:visible >> text=Rule", timeout=60_000)
        page.wait_for_url("**/lab/tree/2-segments.ipynb")
        page.locator(".wb-header:visible").get_by_role("link", name="Home").click()
        page.wait_for_url("**/lab/tree/0-home.ipynb")
        assert page.locator(".jp-Notebook:visible .wb-home").count() == 1
