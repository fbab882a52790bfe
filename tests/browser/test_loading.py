"""Files on their way into a project, in a real browser: a broken one in Spanish, and a large one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.screens import reads, settle, too_wide, visit
from tests.browser.servers import new_tab, until
from workbench import Project
from workbench.locale import Texts
from workbench.publish.site import serving_project
from workbench.screens.browsing import FILES
from workbench.tables.recipe import Recipe

NOTEBOOK = "1-load-and-check.ipynb"
ROWS = 60


def broken_orders(net: list[str]) -> bytes:
    """Orders as a Spanish spreadsheet writes them, two of whose lines are spoilt."""
    lines = ["Fecha;Cliente;Nº de pedido;Importe;Importe neto"]
    for number, amount in enumerate(net):
        day = f"{1 + number % 9:02}/{1 + number % 8:02}/2026"
        lines.append(f"{day};c{number % 7};P{number};{number},90 €;{amount}")
    lines.insert(20, "05/06/2026;Begoña Núñez;P-roto")
    lines.insert(40, "06/07/2026;c3;P-caro;diez;mucho")
    return "\r\n".join(lines).encode("cp1252")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the files of the computer that runs the page."""
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    place = tmp_path_factory.mktemp("loading") / "tienda"
    return Project.create(place, name="Tienda", timezone="Europe/Madrid", language="es")


@pytest.fixture(scope="module")
def url(shop: Project, folder: Path) -> Iterator[str]:
    patch = pytest.MonkeyPatch()
    patch.setenv(FILES, str(folder))
    with serving_project(shop, screens=True) as server:
        yield server.url
    patch.undo()


@pytest.mark.requirement("D01")
def test_a_broken_spanish_file_is_corrected_loaded_and_reported_on(
    browser: Any, url: str, shop: Project, tmp_path: Path
) -> None:
    t = Texts("es")
    net = [f"{number},25" for number in range(ROWS)]
    file = tmp_path / "pedidos.csv"
    file.write_bytes(broken_orders(net))
    with new_tab(browser, locale="es-ES") as page:
        visit(page, url, NOTEBOOK, "es")
        page.set_input_files(".wb-upload input", file)
        assert reads(page, ".wb-preview", "Importe neto")
        assert reads(page, ".wb-file", "pedidos.csv")
        assert page.get_by_label(t("What one row is")).input_value() == "orders"
        assert page.get_by_label("revenue").input_value() == "Importe"
        page.get_by_label("revenue").select_option("Importe neto")
        assert reads(page, ".wb-preview th", "Importe neto revenue")
        order = page.get_by_label(t("Order of dates"))
        order.select_option(t("month first: 12/31"))
        settle(page)
        order.select_option(t("day first: 31/12"))
        settle(page)
        assert page.locator(".wb-notice:visible").count() == 0
        assert too_wide(page) == 0
        page.get_by_role("button", name=t("Load"), exact=True).click()
        assert reads(page, ".wb-sentence", t.count(ROWS))
        page.locator(".wb-folded summary", has_text="(2)").first.click()
        left_out = page.locator(".wb-folded tbody tr:visible")
        assert until(lambda: left_out.count() >= 2)
        said = [row.inner_text() for row in left_out.all()]
        assert any("21" in row and "P-roto" in row and t("too few columns") in row for row in said)
        assert any("41" in row and "mucho" in row and t("not a number") in row for row in said)
        assert page.locator(".wb-matrix").count() or reads(page, ".wb-matrix", "orders")
        assert too_wide(page) == 0
    found = shop.engine.query("SELECT sum(revenue) AS r, count(*) AS n, max(ts) AS t FROM orders").to_pylist()
    assert found[0]["n"] == ROWS
    assert found[0]["r"] == pytest.approx(sum(range(ROWS)) + 0.25 * ROWS)
    assert (found[0]["t"].month, found[0]["t"].day) <= (8, 9)


@pytest.mark.long
@pytest.mark.requirement("D18")
def test_two_hundred_megabytes_come_in_while_the_page_stays_alive(
    page: Any, url: str, shop: Project, folder: Path
) -> None:
    large = folder / "2026" / "events.csv"
    large.parent.mkdir()
    rows = write_events(large, 200 * 10**6)
    visit(page, url, NOTEBOOK, "en")
    listed = page.get_by_role("group", name="Or files on the computer that runs this")
    listed.get_by_role("button", name="2026/").press("Enter")
    listed.get_by_role("button", name="events.csv").click()
    assert until(lambda: page.get_by_label("What one row is").input_value() == "events", 60)
    page.get_by_role("button", name="Load", exact=True).click()
    stop = page.get_by_role("button", name="Stop")
    stop.wait_for()
    seen = {share_done(page)}
    assert until(lambda: seen.add(share_done(page)) or max(seen) > 0.1, 60)
    page.get_by_label("What one row is").select_option("surveys")
    page.get_by_label("instrument").first.wait_for()
    assert stop.is_visible(), "the load had ended before another control answered"
    seen.add(share_done(page))
    assert until(lambda: seen.add(share_done(page)) or not stop.is_visible(), 240)
    assert len(seen) >= 4, seen
    assert max(seen) <= 1
    assert reads(page, ".wb-sentence", f"{rows:,} of {rows:,} rows are in “events” now.")
    assert shop.manifest()["events"]["rows"] == rows


def write_events(file: Path, size: int) -> int:
    """Write so many bytes of page views, the same block again and again; returns the rows."""
    times = [f"2026-01-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:05" for number in range(5040)]
    page = "/producto/" + "x" * 150
    block = "".join(f"c{number % 997},{time},view,{page}{number}\n" for number, time in enumerate(times))
    times_over = -(-size // len(block))
    with file.open("w", encoding="utf-8") as out:
        out.write("customer_id,ts,name,page\n")
        for _ in range(times_over):
            out.write(block)
    return times_over * len(times)


def share_done(page: Any) -> float:
    """How far the bar is, from 0 to 1."""
    found = page.evaluate(
        """() => [...document.querySelectorAll(".wb-work-shown progress")].map((bar) => bar.value)"""
    )
    return float(found[0]) if found else 0.0


@pytest.mark.requirement("D18")
def test_a_load_is_stopped_from_the_page_and_changes_nothing(
    page: Any, url: str, shop: Project, folder: Path
) -> None:
    before = shop.manifest()
    for number in range(3):
        write_events(folder / f"views-{number}.csv", 40 * 10**6)
    visit(page, url, NOTEBOOK, "en")
    for number in range(3):
        page.get_by_label(f"Choose views-{number}.csv").check()
    page.get_by_role("button", name="Look at the 3 chosen").click()
    assert until(lambda: page.get_by_label("What one row is").input_value() == "events", 60)
    page.get_by_role("button", name="Load", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    assert reads(page, ".wb-notice", "Stopped; nothing has changed.")
    page.get_by_role("button", name="Load", exact=True).wait_for()
    assert shop.manifest() == before


def test_the_folders_are_walked_by_keyboard_alone(page: Any, url: str, folder: Path) -> None:
    inside = folder / "archive"
    inside.mkdir()
    for name in ("a.csv", "b.csv"):
        (inside / name).write_bytes(broken_orders(["1,25"] * ROWS))
    visit(page, url, NOTEBOOK, "en")
    page.locator(".wb-folder-list").wait_for()
    page.locator(".wb-upload input").focus()
    page.keyboard.press("Tab")
    while focused(page)[1] != "archive/":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Up").wait_for()
    assert until(lambda: focused(page) == ["BUTTON", "a.csv"])
    page.keyboard.press("ArrowDown")
    assert focused(page) == ["BUTTON", "b.csv"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Look at the 1 chosen").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert reads(page, ".wb-file", "b.csv")


def focused(page: Any) -> list[str]:
    found: list[str] = page.evaluate("[document.activeElement.tagName, document.activeElement.innerText]")
    return found


def test_a_recipe_is_taken_to_another_computer(page: Any, url: str, shop: Project) -> None:
    made = Recipe(table="orders", mapping={"customer_id": "who", "ts": "when"}, columns=("who", "when"))
    shop.recipes["ventas"] = made
    visit(page, url, NOTEBOOK, "en")
    page.get_by_role("button", name="Recipes of this project").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download “ventas”").click()
    assert download.value.suggested_filename == "ventas.json"
    assert Recipe.model_validate_json(download.value.path().read_text(encoding="utf-8")) == made
    page.get_by_role("button", name="Delete").click()
    assert until(lambda: "ventas" not in shop.recipes)
    page.set_input_files(".wb-sent input", download.value.path())
    assert until(lambda: len(shop.recipes) == 1)
