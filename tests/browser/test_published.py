"""A published page in a real browser: what a reader sees, and what a reader can never see."""

from __future__ import annotations

import gzip
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import sample_shop
from tests.browser.screens import reads, settle, too_wide, visit
from tests.browser.servers import new_tab
from workbench import Project
from workbench.locale import Texts
from workbench.publish.scripts import Scripts
from workbench.publish.site import serving_project

TITLE = "Does it work? <b>Yes</b>"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop with one published page of all its results."""
    project = sample_shop.make(tmp_path_factory.mktemp("published") / "shop")
    by_segment = project.effect(sample_shop.EXPERIMENT, "conversion", by="loyal")
    project.not_random(sample_shop.OFFERS)
    project.publish([*project.records.values()], TITLE)
    assert by_segment.definitions
    return project


@pytest.fixture(scope="module")
def url(shop: Project) -> Iterator[str]:
    """Where it is served, without the screens."""
    with serving_project(shop) as server:
        yield server.url


@pytest.fixture
def received(page: Any) -> list[str]:
    """All that the browser is told: the page itself and what comes after it."""
    found: list[str] = []

    def listen(socket: Any) -> None:
        socket.on("framereceived", lambda data: found.append(str(data)))

    page.on("websocket", listen)
    return found


@pytest.mark.requirement("U05", "U06")
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_page_opens_in_the_readers_language_and_fits_a_telephone(
    page: Any, url: str, shop: Project, language: str
) -> None:
    t = Texts(language)
    visit(page, url, "page.ipynb?page=does-it-work-b-yes-b", language)
    for record in shop.records.values():
        assert reads(page, ".wb-sentence", t(record.verdict))
    settle(page)
    assert page.locator(".wb-title").inner_text() == TITLE
    assert page.locator(".wb-chart svg").count() == page.locator(".wb-chart").count() > 5
    assert page.locator("html").get_attribute("lang") == language
    assert too_wide(page) == 0
    other = {"en": "es", "es": "en"}[language]
    page.locator(f".wb-languages a[lang={other}]").click()
    assert reads(page, ".wb-sentence", Texts(other)(next(iter(shop.records.values())).verdict))


@pytest.mark.requirement("G10", "U05")
def test_no_customer_no_rule_and_no_code_reaches_the_reader(
    page: Any, url: str, shop: Project, received: list[str]
) -> None:
    visit(page, url, "page.ipynb?page=does-it-work-b-yes-b", "en")
    told = page.content() + "".join(received)
    assert "converts better" in told
    customers = {
        str(row["customer_id"]) for row in shop.engine.query("SELECT customer_id FROM customers").to_pylist()
    }
    assert sum(len(customer) > 15 for customer in customers) > 0.9 * len(customers)  # pseudonyms
    assert not customers & set(re.findall(r"\d+", told))
    assert not re.search(r"\bc\d{6}\b", told)  # what they are called in the files
    assert "show_page" not in told
    assert "import workbench.publish" not in told
    assert "orders_12m" not in told
    assert str(shop.path) not in told


def test_details_open_by_keyboard(page: Any, url: str) -> None:
    visit(page, url, "page.ipynb?page=does-it-work-b-yes-b", "en")
    fold = page.locator("details.wb-details").first
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    fold.locator("pre").wait_for(state="visible", timeout=10_000)  # filled once it is open


def test_a_page_that_does_not_exist_and_the_list_of_those_that_do(page: Any, url: str) -> None:
    visit_or_error(page, url, "page.ipynb?page=nothing")
    assert reads(page, ".wb-error", "There is no published page “nothing” here.")
    visit(page, url, "index.ipynb", "en")
    assert page.get_by_role("link", name=TITLE).count() == 1
    assert "3-effect-lab" not in page.content()
    answer = page.goto(f"{url}voila/render/3-effect-lab.ipynb")
    assert answer.status == 404


def test_a_second_reader_asks_for_the_scripts_in_one_piece(browser: Any, url: str) -> None:
    live = f"{url}p/does-it-work-b-yes-b/live?lang=en"
    asked: list[str] = []
    for _ in range(2):
        with new_tab(browser) as page:
            page.goto(live, wait_until="commit")
            page.locator(".wb-chart svg").first.wait_for(timeout=60_000)
            asked = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    (bundle,) = [one for one in asked if "/voila/scripts/" in one]
    assert len([one for one in asked if ".js" in one]) < 12
    plain = urllib.request.Request(bundle, headers={"Accept-Encoding": "identity"})
    with urllib.request.urlopen(plain) as answer:
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert b"webpackChunk" in answer.read()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(bundle.replace("scripts/", "scripts/0"))


def test_in_one_piece_each_script_is_as_strict_as_it_was(page: Any, tmp_path: Path) -> None:
    scripts, file = Scripts(), tmp_path / "part.js"
    for number, strict in enumerate(("", '"use strict";', "")):
        place = "(self.webpackChunk_X=self.webpackChunk_X||[])"
        file.write_text(f"{strict}{place}.push((function(){{return this === undefined}})()) // the end")
        scripts.note(f"voila/static/{number}.js", file)
    page.add_script_tag(content=gzip.decompress(scripts.packed(scripts.bundle) or b"").decode())
    assert page.evaluate("webpackChunk_X") == [False, True, False]


def test_who_may_go_home_is_led_there_from_the_live_page(page: Any, url: str) -> None:
    page.goto(f"{url}p/does-it-work-b-yes-b/live?lang=es", wait_until="commit")
    page.wait_for_selector(".wb-page h1", timeout=60_000)
    page.get_by_role("link", name="Inicio", exact=True).click()
    assert reads(page, "h1", "Páginas publicadas")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_page_that_was_changed_says_so_as_the_readers_computer_looks(
    browser: Any, tmp_path: Path, shop: Project, scheme: str
) -> None:
    own = sample_shop.copy(shop, tmp_path / "changed")
    file = next((own.path / "published").glob("*/versions/1/index.html"))
    file.write_text(file.read_text("utf-8").replace("<h1", "<h1 hidden", 1), "utf-8")
    with serving_project(own) as server:
        for language, wide in (("en", 1280), ("es", 390)):
            with new_tab(
                browser, color_scheme=scheme, locale=language, viewport={"width": wide, "height": 800}
            ) as tab:
                answer = tab.goto(f"{server.url}p/{file.parents[2].name}/")
                assert answer.status == 409
                said = {"en": "not what was published", "es": "no es la que se publicó"}[language]
                assert said in tab.locator(".wb-sentence:visible").inner_text()
                assert said in tab.title()
                assert tab.evaluate("document.documentElement.scrollWidth") == wide
                paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
                ink = tab.evaluate("getComputedStyle(document.querySelector('main')).color")
                dark = sum(map(int, re.findall(r"\d+", paper))) < sum(map(int, re.findall(r"\d+", ink)))
                assert dark == (scheme == "dark")


def visit_or_error(page: Any, url: str, name: str) -> None:
    """Open a page that may be nothing but a message."""
    page.goto(f"{url}voila/render/{name}&lang=en", wait_until="commit")
    page.wait_for_selector(".wb-error:visible", timeout=60_000)
