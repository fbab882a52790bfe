"""A long table in a real browser: found, sorted and turned over, in Spanish, with nobody else asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.screens import reads, settle, too_wide, visit
from tests.browser.servers import new_tab, until
from tests.browser.test_accessibility import faults
from tests.test_still import HOSTILE
from workbench import Project
from workbench.locale import Texts
from workbench.publish.site import serving_project

NOTEBOOK = "1-load-and-check.ipynb"
ROWS, SPOILT = 2000, 200
BODY = ".wb-long:visible tbody tr"
T = Texts("es")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("long") / "tienda"
    with serving_project(Project.create(place, name="Tienda", language="es"), screens=True) as server:
        yield server.url


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Orders; every tenth amount is no number but a text that looks like something else."""
    lines = ["order_id;customer_id;ts;revenue"]
    for number in range(ROWS):
        spoilt = number % (ROWS // SPOILT) == 0
        amount = f"nada {number} {HOSTILE[number // 10 % 2]}" if spoilt else "10,50"
        lines.append(f"o{number};c{number % 7};2026-03-{1 + number % 28:02};{amount}")
    place = tmp_path_factory.mktemp("files") / "pedidos.csv"
    place.write_text("\n".join(lines), encoding="utf-8")
    return place


@pytest.fixture
def page(browser: Any, url: str, file: Path) -> Iterator[Any]:
    """The screen on which what would be left out of a file has been opened."""
    with new_tab(browser, locale="es-ES", bypass_csp=False) as tab:
        tab.said = []
        tab.on("console", lambda line: tab.said.append(line.text) if line.type == "error" else None)
        opened(tab, url, file)
        yield tab


def opened(tab: Any, url: str, file: Path) -> None:
    visit(tab, url, NOTEBOOK, "es")
    tab.set_input_files(".wb-upload input", file)
    assert reads(tab, ".wb-file", "pedidos.csv")
    settle(tab)
    tab.locator("button.wb-more", has_text=T.count(SPOILT)).click()
    assert until(lambda: tab.locator(BODY).count() > 1)


def lines(page: Any) -> list[str]:
    found: list[str] = page.locator(f"{BODY} td:first-child").all_inner_texts()
    return found


@pytest.mark.requirement("D18")
def test_rows_that_are_left_out_are_found_sorted_and_turned_over(page: Any) -> None:
    assert lines(page)[0] == "2"
    assert page.evaluate("document.title") != "owned"
    assert HOSTILE[0] in page.locator(BODY).first.inner_text()
    heading = page.locator(".wb-long:visible thead th").first
    heading.locator("[role=button]").press("Enter")
    heading.locator("[role=button]").press("Enter")
    assert until(lambda: lines(page)[0] == T.count(1992))  # as text, 992 would come first
    page.locator(".wb-long:visible input[type=search]").fill("o70;")
    assert until(lambda: lines(page) == ["72"])
    page.locator(".wb-long:visible input[type=search]").fill("")
    page.get_by_role("button", name=T("Last page")).or_(page.get_by_label(T("Last page"))).click()
    assert until(lambda: lines(page)[-1] == "2")
    assert too_wide(page) == 0
    assert page.said == []  # nothing that the policy of the page forbids was tried


def test_anybody_can_use_it(browser: Any, url: str, file: Path) -> None:
    with new_tab(browser, locale="es-ES", bypass_csp=True) as page:
        opened(page, url, file)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert not faults(page), scheme
