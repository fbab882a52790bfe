"""What everybody can use: WCAG 2.2, levels A and AA, as far as a program can tell, on every screen."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests import sample_shop
from tests.browser.screens import settle, visit
from tests.browser.servers import new_tab
from workbench import Project, screens
from workbench.locale import Texts
from workbench.publish.site import serving_project

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # all that a scheme changes
LOOK = """async (rules) => {
  await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
  const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return sample_shop.make(tmp_path_factory.mktemp("accessible") / "shop")


@pytest.fixture(scope="module")
def url(shop: Project) -> Iterator[str]:
    with serving_project(shop, screens=True) as server:
        yield server.url


def faults(page: Any, rules: dict[str, Any] = EVERYTHING) -> list[str]:
    """What is wrong with a page for somebody."""
    page.evaluate(f"{AXE}; 0")
    found: list[str] = page.evaluate(LOOK, rules)
    return found


@pytest.mark.parametrize("stem", screens.titles(Texts("en")))
def test_a_screen_has_no_fault_that_a_program_can_find_in_light_or_in_dark(
    browser: Any, url: str, stem: str
) -> None:
    with new_tab(browser, bypass_csp=True) as page:
        visit(page, url, f"{stem}.ipynb", "es")
        parts = page.locator(".wb-tabs button")
        for index in range(max(1, parts.count())):
            if parts.count():
                parts.nth(index).click()
                settle(page)
            for scheme, rules in (("light", EVERYTHING), ("dark", COLOURS)):
                page.emulate_media(color_scheme=scheme)
                settle(page)
                assert not faults(page, rules), (index, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_still_page_has_none_either(browser: Any, shop: Project, scheme: str) -> None:
    page_of_all = shop.publish([*shop.records.values()], "All of it")
    with new_tab(browser, color_scheme=scheme, bypass_csp=True) as page:
        page.goto((page_of_all.path / "index.html").as_uri())
        page.wait_for_selector(".wb-chart svg")
        for fold in page.locator("details:visible").all():
            fold.evaluate("one => { one.open = true; }")
        assert not faults(page)


def test_a_chart_is_saved_as_a_picture_twice_as_sharp_as_the_page_and_as_a_drawing(
    page: Any, url: str, tmp_path: Path
) -> None:
    visit(page, url, "6-engagement.ipynb", "en")
    chart = page.locator(".wb-chart").first
    title = page.locator(".wb-picture .wb-part").first.inner_text()
    saved = {}
    for kind in ("PNG", "SVG"):
        with page.expect_download() as download:
            chart.get_by_role("button", name=f"Save the chart as {kind}").click()
        saved[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[kind])
    assert saved["PNG"].stem == saved["SVG"].stem
    assert saved["PNG"].stem.split("-") == title.lower().replace("/", " ").split()
    drawn = chart.locator("svg").bounding_box()
    width, height = struct.unpack(">II", saved["PNG"].read_bytes()[16:24])
    assert (width, height) == (
        pytest.approx(2 * drawn["width"], abs=2),
        pytest.approx(2 * drawn["height"], abs=2),
    )
    assert chart.locator("svg text").first.text_content() in saved["SVG"].read_text(encoding="utf-8")
