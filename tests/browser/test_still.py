"""A still page in a real browser, opened from a disk: no server, no kernel, nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests import sample_shop
from tests.browser.screens import too_wide
from tests.test_still import HOSTILE
from workbench import Project
from workbench.locale import Texts
from workbench.publish import bundle


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = sample_shop.make(tmp_path_factory.mktemp("still") / "shop")
    project.effect(sample_shop.EXPERIMENT, by="country")
    project.publish(list(project.records.values()), HOSTILE[0])
    return project


@pytest.fixture(scope="module")
def address(shop: Project) -> str:
    (page,) = bundle.pages(shop.path / "published")
    return (bundle.checked(shop.path / "published", page.slug) / "index.html").as_uri()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A tab that may open files; `page.outside` lists every other address that was asked for."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    tab = context.new_page()
    tab.outside, errors = [], []
    tab.on("request", lambda one: None if one.url.startswith("file:") else tab.outside.append(one.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    context.close()
    assert errors == []


@pytest.fixture
def dark(browser: Any) -> Iterator[Any]:
    context = browser.new_context(color_scheme="dark", locale="es-ES")
    yield context.new_page()
    context.close()


def drawn(page: Any) -> None:
    """Come by every chart, so that it is drawn."""
    for place in page.locator(".wb-place:visible").all():
        place.scroll_into_view_if_needed()
        place.locator("svg").first.wait_for(timeout=20_000)


@pytest.mark.requirement("U05", "U06", "G02")
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_it_opens_from_a_disk_at_every_width_and_draws_its_charts(
    page: Any, address: str, shop: Project, width: int
) -> None:
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address)
    assert page.locator("h1:visible").inner_text() == HOSTILE[0]
    assert page.title() == HOSTILE[0]
    drawn(page)
    assert too_wide(page) == 0
    assert page.outside == []
    assert said == []


@pytest.mark.requirement("U06")
def test_the_language_is_that_of_the_address_of_the_browser_or_of_a_click(
    page: Any, dark: Any, address: str, shop: Project
) -> None:
    verdict = next(iter(shop.records.values())).verdict
    page.goto(address + "?lang=es")
    assert page.locator("html").get_attribute("lang") == "es"
    said = page.locator(".wb-sentence:visible").all_inner_texts()
    assert Texts("es")(verdict).replace("\N{NO-BREAK SPACE}", " ") in [
        one.replace("\xa0", " ") for one in said
    ]
    page.locator(".wb-languages:visible a[lang=en]").click()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator(".wb-page:visible").get_attribute("lang") == "en"
    dark.goto(address)
    assert dark.locator("html").get_attribute("lang") == "es"


def test_a_filter_leaves_the_group_that_was_chosen(page: Any, address: str) -> None:
    page.goto(address)
    choice = page.locator(".wb-choice:visible").last
    chart = page.locator(f"#{choice.locator('select').get_attribute('id').replace('choice', 'chart')}")
    chart.scroll_into_view_if_needed()
    chart.locator("svg").wait_for()
    name = choice.locator("option").nth(2).inner_text()
    other = choice.locator("option").nth(1).inner_text()
    assert other in chart.inner_text()
    page.get_by_label("Show", exact=True).last.select_option(name)
    expect(chart).not_to_contain_text(other)
    assert name in chart.inner_text()


def test_in_the_dark_charts_can_be_read_too(dark: Any, address: str) -> None:
    """Words of a chart have the contrast that WCAG asks of text (4.5 to 1) with the page."""
    dark.goto(address)
    drawn(dark)
    colours = dark.evaluate(
        "[...document.querySelectorAll('.wb-page[lang=es] .wb-chart svg text')]"
        ".filter(one => one.textContent).map(one => getComputedStyle(one).fill)"
    )
    paper = dark.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colours
    assert min(contrast(one, paper) for one in set(colours)) > 4.5


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""

    def luminance(colour: str) -> float:
        values = [int(part) / 255 for part in colour.split("(")[1].rstrip(")").split(",")[:3]]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.requirement("U05")
def test_each_result_prints_on_one_sheet(page: Any, address: str, shop: Project, tmp_path: Path) -> None:
    page.goto(address)
    drawn(page)
    page.emulate_media(media="print")
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    sheets = re.findall(rb"/Type /Page\b", (tmp_path / "page.pdf").read_bytes())
    assert len(sheets) == len(shop.records)
