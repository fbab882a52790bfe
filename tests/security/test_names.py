"""Names out of the data that are code to somebody: a browser, a chart, a spreadsheet. They stay names."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.screens import settle
from tests.browser.servers import until
from tests.shops import binary, unit_level
from workbench import Project
from workbench.publish.serve import Server
from workbench.publish.site import serving_project

HTML = "<img src=x onerror=document.body.dataset.hurt=1>"
SCRIPT = "</script><script>document.body.dataset.hurt=1</script>"
MARKDOWN = "[x](javascript:alert(1)) ![y](http://evil.example/y.png) <http://evil.example>"
VEGA = "datum['x'].constructor.constructor('document.body.dataset.hurt=1')()"
FORMULA = '=HYPERLINK("http://evil.example","x")'
NAMES = (HTML, SCRIPT, MARKDOWN, VEGA, FORMULA)
TITLE = f"Sales {HTML} {SCRIPT}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """An experiment whose segments are called what no segment should be called."""
    size = 200
    people = size * len(NAMES)
    project = unit_level(
        tmp_path_factory.mktemp("hostile") / "shop",
        {"A": binary(people // 5, people), "B": binary(people // 4, people)},
        assignment="random",
        attributes={
            "country": [name for name in NAMES for _ in range(size)] * 2,
            "email": [f"person{number}@example.org" for number in range(2 * people)],
        },
    )
    project.publish([project.effect("home", by="country")], TITLE, audience=f"The board {HTML}")
    return project


@pytest.fixture(scope="module")
def server(shop: Project) -> Iterator[Server]:
    with serving_project(shop, screens=True) as running:
        yield running


@pytest.fixture(scope="module")
def slug(shop: Project) -> str:
    return next(place.name for place in (shop.path / "published").iterdir() if place.is_dir())


def watched(page: Any) -> list[str]:  # the fixture's tab
    """All that is said on its websockets from now on."""
    found: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: found.append(str(data))))
    page.on("dialog", lambda dialog: found.append("a dialog opened") or dialog.dismiss())
    return found


def harmless(page: Any) -> None:
    """That no name has become anything but text."""
    page.wait_for_timeout(500)
    assert page.evaluate("document.body.dataset.hurt") is None
    assert page.locator("img[src=x]").count() == 0
    assert (
        page.locator("a[href^='javascript:'], a[href*='evil.example'], img[src*='evil.example']").count() == 0
    )
    assert page.outside == []


@pytest.mark.requirement("G02")
@pytest.mark.parametrize("wait", ["still", "live"])
def test_names_are_text_on_published_pages(page: Any, server: Server, slug: str, wait: str) -> None:
    said = watched(page)
    address = f"{server.url}p/{slug}/" + ("live?lang=en" if wait == "live" else "?lang=en")
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".wb-sentence:visible", timeout=120_000)
    page.wait_for_selector(".wb-chart svg, .wb-place svg", timeout=60_000)
    harmless(page)
    told = page.evaluate("document.body.textContent")
    for name in (HTML, SCRIPT, MARKDOWN):
        assert name in told, name
    assert TITLE in page.locator("h1:visible").inner_text()
    assert "a dialog opened" not in said


def test_names_are_text_on_screens(page: Any, server: Server) -> None:
    page.goto(f"{server.url}voila/render/3-effect-lab.ipynb?lang=en", wait_until="commit")
    page.wait_for_selector(".wb-sentence:visible", timeout=120_000)
    page.get_by_label("Split by", exact=True).select_option("country")
    for name in (HTML, SCRIPT, MARKDOWN):
        assert until(lambda name=name: name in page.evaluate("document.body.textContent"), 60), name
    settle(page)
    harmless(page)


@pytest.mark.requirement("G10")
def test_no_customer_and_no_key_is_in_what_a_page_or_a_widget_holds(
    page: Any,
    server: Server,
    slug: str,
    shop: Project,
) -> None:
    said = watched(page)
    told = ""
    for address in ("?lang=en", "live?lang=en"):
        page.goto(f"{server.url}p/{slug}/{address}", wait_until="commit")
        page.wait_for_selector(".wb-sentence:visible", timeout=120_000)
        told += page.content()
    told += "".join(said)
    ids = {
        str(row["customer_id"]) for row in shop.engine.query("SELECT customer_id FROM customers").to_pylist()
    }
    assert {"u0", "u1999"} <= ids
    # shorter ones are also names in Vega's code, longer ones numbers of letters in it
    assert not ids & set(re.findall(r"(?<![\\\w])u\d{3,4}\b", told))
    assert not re.search(r"person\d+@", told)
    key = shop.people.key()
    for secret in (key.hex(), str(shop.path), "import workbench.publish", "SELECT "):
        assert secret not in told


def test_no_cell_of_a_file_to_take_along_is_a_formula(server: Server, slug: str, page: Any) -> None:
    page.goto(f"{server.url}p/{slug}/?lang=en", wait_until="commit")
    page.wait_for_selector(".wb-sentence:visible")
    links = page.evaluate("[...document.querySelectorAll('a[download]')].map((link) => link.href)")
    data = [link.partition(";base64,")[2] for link in links if link.startswith("data:text/csv")]
    files = [base64.b64decode(one).decode("utf-8-sig") for one in data]
    assert files
    cells = [cell for file in files for line in csv.reader(io.StringIO(file)) for cell in line]
    assert any("HYPERLINK" in cell for cell in cells)
    for cell in cells:
        assert not re.match(r"[=+@\t\r]|-(?!\d)", cell), cell


def test_the_records_of_a_page_hold_no_markup_that_ends_a_script(
    server: Server, slug: str, shop: Project
) -> None:
    index = Path(shop.path / "published" / slug / "versions" / "1" / "index.html").read_text(encoding="utf-8")
    assert index.lower().count("</script>") == index.lower().count("<script")
    assert SCRIPT not in index
