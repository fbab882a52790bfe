"""Charts and pages in a real browser, in Voilà and in JupyterLab, with every outside address blocked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.servers import kernels, run_in_lab, until
from workbench.publish.serve import Server

SLOW = 60_000  # ms; a page starts a kernel and imports altair

CHARTS = """
import os
import altair
import ipywidgets
import pandas
from workbench.charts.runtime import Chart, show
from workbench.charts.theme import themed

def bars(number):
    table = pandas.DataFrame({"arm": [f"arm {n}" for n in range(number)], "rate": [1234.5] * number})
    shape = altair.Chart(table).encode(y="arm", x=altair.X("rate").axis(format=",.1f", values=[1234.5]))
    return themed(shape.mark_bar(), os.environ.get("QUERY_STRING", "").removeprefix("lang=") or "en")

points = altair.Chart(pandas.DataFrame({"day": range(30), "value": range(30)})).mark_point()
points = points.encode(x="day", y="value")
brush = altair.selection_interval(name="days", encodings=["x"])
first, second = show(bars(2), "Two arms"), show(themed(points.add_params(brush)), "Thirty days")
wide = show(themed(points | points), "Twice thirty days")
hidden = show(themed(points), "In a tab")
broken = Chart(description="Words in its place", spec={"$schema": "x", "mark": "nonsense"})
number = ipywidgets.Dropdown(options=[2, 5], description="Arms")
number.observe(lambda change: setattr(first, "chart", bars(change["new"])), "value")
seen = ipywidgets.Label("nothing").add_class("seen")
second.observe(lambda change: setattr(seen, "value", str(sorted(change["new"]))), "selection")
tabs = ipywidgets.Tab([ipywidgets.Label("first"), hidden], titles=["One", "Two"])
heading = ipywidgets.HTML("<h1>Arms of the test</h1>")
ipywidgets.VBox([heading, number, first, second, seen, wide, tabs, broken]).add_class("wb-page")
"""

LATE = """
import altair
import ipywidgets
import pandas
from workbench.charts.runtime import Chart, runtime
early = Chart(
    chart=altair.Chart(pandas.DataFrame({"x": [1, 2]})).mark_point().encode(x="x"), description="Early"
)
button = ipywidgets.Button(description="Send Vega")
button.on_click(lambda _: runtime())
ipywidgets.VBox([early, button])
"""


def write(folder: Path, name: str, code: str) -> None:
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    cells = [nbformat.v4.new_code_cell(code)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site")
    write(path, "index.ipynb", CHARTS)
    write(path, "late.ipynb", LATE)
    write(path, "wrong.ipynb", "raise ValueError('customer 4711')")
    return path


@pytest.fixture(scope="module")
def server(folder: Path, publish: Callable[..., Server]) -> Server:
    return publish(folder)


def chart(page: Any, description: str) -> Any:
    return page.get_by_role("img", name=description, exact=True)


def bars_of(page: Any) -> Any:
    return chart(page, "Two arms").locator(".mark-rect path")


@pytest.mark.requirement("G02")
def test_a_published_page_draws_its_charts_with_nothing_from_outside(page: Any, server: Server) -> None:
    page.goto(server.url)
    expect(bars_of(page)).to_have_count(2, timeout=SLOW)
    expect(chart(page, "Thirty days").locator(".mark-symbol path")).to_have_count(30)
    expect(page).to_have_title("Arms of the test")
    assert page.outside == []


def test_a_chart_is_drawn_anew_when_a_control_is_used(page: Any, server: Server) -> None:
    page.goto(server.url)
    expect(bars_of(page)).to_have_count(2, timeout=SLOW)
    page.get_by_label("Arms", exact=True).select_option("5")
    expect(bars_of(page)).to_have_count(5)
    expect(chart(page, "Two arms").locator("svg")).to_have_count(1)


def test_what_is_marked_in_a_chart_reaches_python(page: Any, server: Server) -> None:
    page.goto(server.url)
    expect(chart(page, "Thirty days").locator("svg")).to_be_visible(timeout=SLOW)
    place = chart(page, "Thirty days").bounding_box()
    middle = place["y"] + place["height"] / 2
    page.mouse.move(place["x"] + 100, middle)
    page.mouse.down()
    page.mouse.move(place["x"] + 400, middle, steps=5)
    page.mouse.up()
    expect(page.locator(".seen")).to_have_text("['days']")


def test_a_chart_in_a_closed_tab_is_drawn_as_wide_as_the_tab_once_it_opens(page: Any, server: Server) -> None:
    page.goto(server.url)
    expect(bars_of(page)).to_have_count(2, timeout=SLOW)
    page.get_by_role("tab", name="Two").click()
    svg = chart(page, "In a tab").locator("svg")
    expect(svg).to_be_visible()
    place = chart(page, "In a tab").bounding_box()
    assert place["width"] > 600
    assert svg.bounding_box()["width"] == pytest.approx(place["width"], abs=2)


def test_words_stand_in_for_a_chart_that_cannot_be_drawn(page: Any, server: Server) -> None:
    page.goto(server.url)
    expect(chart(page, "Words in its place").locator("p")).to_have_text("Words in its place", timeout=SLOW)


def test_a_chart_that_is_there_before_vega_is_drawn_when_vega_comes(page: Any, server: Server) -> None:
    page.goto(server.url + "voila/render/late.ipynb")
    button = page.get_by_role("button", name="Send Vega")
    expect(button).to_be_visible(timeout=SLOW)
    expect(chart(page, "Early").locator("svg")).to_have_count(0)
    button.click()
    expect(chart(page, "Early").locator(".mark-symbol path")).to_have_count(2)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(page: Any, server: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(server.url)
    for name in ("Two arms", "Thirty days", "Twice thirty days"):
        svg = chart(page, name).locator("svg")
        expect(svg).to_be_visible(timeout=SLOW)
        assert svg.bounding_box()["x"] + svg.bounding_box()["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_charts_follow_the_width_of_the_window(page: Any, server: Server) -> None:
    page.goto(server.url)
    expect(chart(page, "Thirty days").locator("svg")).to_be_visible(timeout=SLOW)
    page.set_viewport_size({"width": 500, "height": 900})

    def fits() -> bool:
        svg = chart(page, "Thirty days").locator("svg").bounding_box()
        return bool(svg and 300 < svg["width"] < 500)

    assert until(fits)


@pytest.mark.requirement("U06")
@pytest.mark.parametrize(
    ("asked", "language", "number"), [("", "en", "1,234.5"), ("?lang=es", "es", "1.234,5")]
)
def test_the_page_and_its_numbers_are_in_the_readers_language(
    page: Any, server: Server, asked: str, language: str, number: str
) -> None:
    page.goto(f"{server.url}{asked}", wait_until="commit")
    opening = {"en": "Opening the page …", "es": "Abriendo la página …"}[language]
    expect(page.locator("#loading").get_by_text(opening)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(chart(page, "Two arms").get_by_text(number)).to_be_visible(timeout=SLOW)


@pytest.mark.requirement("U06")
def test_without_a_wish_in_the_address_the_browsers_language_counts(browser: Any, server: Server) -> None:
    context = browser.new_context(locale="es-ES")
    page = context.new_page()
    page.goto(server.url + "voila/render/nothing.ipynb")
    expect(page.get_by_text("No hay ninguna página en esta dirección.")).to_be_visible()
    expect(page.get_by_text("There is no page at this address.")).to_be_hidden()
    context.close()


def test_a_page_that_fails_says_one_sentence_and_nothing_of_the_data(page: Any, server: Server) -> None:
    page.goto(server.url + "voila/render/wrong.ipynb")
    expect(page.get_by_role("alert").get_by_text("This page could not be computed.")).to_be_visible(
        timeout=SLOW
    )
    assert "4711" not in page.content()
    assert "ValueError" not in page.content()
    assert "4711" in server.log.read_text(encoding="utf-8")


def test_a_closed_page_leaves_no_kernel(browser: Any, folder: Path, publish: Callable[..., Server]) -> None:
    server = publish(folder)
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.url)
    expect(bars_of(page)).to_have_count(2, timeout=SLOW)
    assert kernels(server) == 1
    page.close(run_before_unload=True)
    assert until(lambda: kernels(server) == 0)
    context.close()


@pytest.mark.requirement("G02")
def test_the_same_notebook_works_in_jupyterlab(
    page: Any, folder: Path, laboratory: Callable[[Path], str]
) -> None:
    page.set_viewport_size({"width": 1280, "height": 2400})
    run_in_lab(page, laboratory(folder), "index.ipynb")
    expect(bars_of(page)).to_have_count(2, timeout=SLOW)
    page.get_by_label("Arms", exact=True).select_option("5")
    expect(bars_of(page)).to_have_count(5)
    expect(chart(page, "Twice thirty days").locator("svg")).to_have_count(1)
    assert page.outside == []
