"""Charts and pages in a real browser, in Voilà and in JupyterLab, with every outside address blocked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.notebooks import write
from tests.browser.servers import kernels, new_tab, run_in_lab, until
from workbench.publish.serve import Server

SLOW = 60_000  # ms; a page starts a kernel and imports altair

CHARTS = """
import os
import altair
import ipywidgets
import pandas
from workbench.charts import posterior
from workbench.charts.runtime import Chart, show
from workbench.charts.theme import themed
from workbench.locale import Texts

def bars(number):
    table = pandas.DataFrame({"arm": [f"arm {n}" for n in range(number)], "rate": [1234.5] * number})
    shape = altair.Chart(table).encode(y="arm", x=altair.X("rate").axis(format=",.1f", values=[1234.5]))
    return themed(shape.mark_bar(), os.environ.get("QUERY_STRING", "").removeprefix("lang=") or "en")

def drawn(names, axis):
    rows = [posterior.Line(name, name, n, (n - 1, n + 1), (n, n + 0.5)) for n, name in enumerate(names)]
    return posterior.lines(rows, Texts("en"), axis=axis)

filled = show(drawn("ab", "rate"), "Filled")
forms = {name: name.split() for name in ("ab rate", "a rate", "fcbead rate", "fabcde rate", "cab amount")}
more = ipywidgets.Dropdown(options=forms, description="Rows")
more.observe(lambda change: setattr(filled, "chart", drawn(*change["new"])), "value")
days = pandas.DataFrame({"day": range(30), "value": range(30), "half": [0, 1] * 15})
points = altair.Chart(days).mark_point().encode(x="day", y="value")
brush = altair.selection_interval(name="days", encodings=["x"])
first, second = show(bars(2), "Arms"), show(themed(points.add_params(brush)), "Thirty days")
wide = show(themed(points | points), "Twice thirty days")
faceted = show(themed(points.encode(column="half:N")), "Half by half")
hidden = show(themed(points), "In a tab")
broken = Chart(description="Words in its place", spec={"$schema": "x", "mark": "nonsense"})
number = ipywidgets.Dropdown(options=[2, 5], description="Number")
number.observe(lambda change: setattr(first, "chart", bars(change["new"])), "value")
seen = ipywidgets.Label("nothing").add_class("seen")
second.observe(lambda change: setattr(seen, "value", str(sorted(change["new"]))), "selection")
tabs = ipywidgets.Tab([ipywidgets.Label("first"), hidden], titles=["One", "Two"])
heading = ipywidgets.HTML("<h1>Arms of the test</h1>")
shown = [heading, number, first, more, filled, second, seen, wide, faceted, tabs, broken]
ipywidgets.VBox(shown).add_class("wb-page")
"""

LATE = """
import altair
import ipywidgets
import pandas
from workbench.charts.runtime import Chart
early = Chart(
    chart=altair.Chart(pandas.DataFrame({"x": [1, 2]})).mark_point().encode(x="x"), description="Early"
)
ipywidgets.VBox([early, ipywidgets.Button(description="There")])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site")
    write(path, "index.ipynb", CHARTS)
    write(path, "late.ipynb", LATE)
    write(path, "wrong.ipynb", "raise ValueError('customer jane-4711')")
    return path


@pytest.fixture(scope="module")
def server(folder: Path, publish: Callable[..., Server]) -> Server:
    return publish(folder)


@pytest.fixture(scope="module")
def charts(browser: Any, server: Server) -> Iterator[Any]:
    """The page of charts, open in one tab for all tests that only look at it or use it."""
    with new_tab(browser) as tab:
        tab.goto(server.url)
        expect(bars(tab).first).to_be_visible(timeout=SLOW)
        yield tab


def chart(page: Any, description: str) -> Any:
    return page.get_by_role("figure", name=description, exact=True)


def bars(page: Any) -> Any:
    return chart(page, "Arms").locator(".mark-rect path")


@pytest.mark.requirement("G02")
def test_a_published_page_draws_its_charts_with_nothing_from_outside(charts: Any) -> None:
    expect(bars(charts)).to_have_count(2)
    expect(chart(charts, "Thirty days").locator(".mark-symbol path")).to_have_count(30)
    expect(chart(charts, "Twice thirty days").locator(".mark-symbol path")).to_have_count(60)
    expect(charts).to_have_title("Arms of the test")
    assert charts.outside == []


def test_a_chart_is_drawn_anew_when_a_control_is_used(charts: Any) -> None:
    for number in (5, 2):
        charts.get_by_label("Number", exact=True).select_option(str(number))
        expect(bars(charts)).to_have_count(number)
        expect(chart(charts, "Arms").locator("svg")).to_have_count(1)


NAMES = """place => [...place.querySelectorAll(".role-axis-label text")]
  .sort((one, other) => one.getBoundingClientRect().top - other.getBoundingClientRect().top)
  .map((text) => text.textContent).filter((text) => /[a-z]/.test(text)).join("")"""


def test_a_drawing_takes_new_data_where_it_is_and_is_made_anew_for_another_form(charts: Any) -> None:
    place = chart(charts, "Filled")
    same = place.locator("svg[data-same]")
    assert until(lambda: place.evaluate(NAMES) == "ab")
    place.locator("svg").evaluate("svg => svg.dataset.same = 'yes'")
    low = place.locator("svg").bounding_box()["height"]
    # one name after the other from top to bottom, whatever was there before
    for label in ("fcbead rate", "a rate", "fabcde rate"):
        charts.get_by_label("Rows", exact=True).select_option(label)
        names = label.split()[0]
        assert until(lambda names=names: place.evaluate(NAMES) == names), place.evaluate(NAMES)
        assert place.locator(".mark-symbol path").count() == len(names)
        expect(same).to_have_count(1)
    assert place.locator("svg").bounding_box()["height"] > 2 * low  # as high as its rows need
    charts.get_by_label("Rows", exact=True).select_option("cab amount")
    assert until(lambda: place.evaluate(NAMES) == "cab")
    expect(same).to_have_count(0)
    expect(place.locator("svg")).to_have_count(1)


def test_what_is_marked_in_a_chart_reaches_python(charts: Any) -> None:
    place = chart(charts, "Thirty days").bounding_box()
    middle = place["y"] + place["height"] / 2
    charts.mouse.move(place["x"] + 100, middle)
    charts.mouse.down()
    charts.mouse.move(place["x"] + 400, middle, steps=5)
    charts.mouse.up()
    expect(charts.locator(".seen")).to_have_text("['days']")


def test_a_chart_in_a_closed_tab_is_drawn_as_wide_as_the_tab_once_it_opens(charts: Any) -> None:
    charts.get_by_role("tab", name="Two").click()
    svg = chart(charts, "In a tab").locator("svg")
    expect(svg).to_be_visible()
    place = chart(charts, "In a tab").bounding_box()
    assert place["width"] > 600
    assert svg.bounding_box()["width"] == pytest.approx(place["width"], abs=2)


def test_words_stand_in_for_a_chart_that_cannot_be_drawn(charts: Any) -> None:
    expect(chart(charts, "Words in its place").locator("p")).to_have_text("Words in its place")


@pytest.mark.parametrize("width", [390, 1280])
def test_charts_follow_the_width_of_the_window_and_never_leave_it(charts: Any, width: int) -> None:
    charts.set_viewport_size({"width": width, "height": 844})

    def fills(name: str) -> bool:
        svg = chart(charts, name).locator("svg").bounding_box()
        return bool(svg and 0.8 * width < svg["width"] and svg["x"] + svg["width"] <= width)

    for name in ("Arms", "Thirty days", "Twice thirty days", "Half by half"):
        assert until(lambda name=name: fills(name)), name
    assert charts.evaluate("document.documentElement.scrollWidth") == width


def test_a_chart_that_is_there_before_vega_is_drawn_when_vega_comes(page: Any, server: Server) -> None:
    late: list[Any] = []
    page.route("**/vega_runtime.js", lambda route: late.append(route))
    page.goto(server.url + "voila/render/late.ipynb")
    expect(chart(page, "Early")).to_be_visible(timeout=SLOW)
    expect(chart(page, "Early").locator("svg")).to_have_count(0)
    assert late
    for route in late:
        route.continue_()
    expect(chart(page, "Early").locator(".mark-symbol path")).to_have_count(2)


@pytest.mark.requirement("U06")
def test_a_page_opens_and_writes_its_numbers_in_the_readers_language(
    page: Any, charts: Any, server: Server
) -> None:
    expect(charts.locator("html")).to_have_attribute("lang", "en")
    expect(chart(charts, "Arms").get_by_text("1,234.5")).to_be_visible()
    page.goto(server.url + "?lang=es", wait_until="commit")
    expect(page.locator("#loading").get_by_text("Abriendo la página …")).to_be_visible()
    expect(page.locator("#loading").get_by_text("Opening the page …")).to_be_hidden()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(chart(page, "Arms").get_by_text("1.234,5")).to_be_visible(timeout=SLOW)


@pytest.mark.requirement("U06")
def test_without_a_wish_in_the_address_the_browsers_language_counts(browser: Any, server: Server) -> None:
    with new_tab(browser, locale="es-ES") as page:
        page.goto(server.url + "voila/render/nothing.ipynb")
        expect(page.get_by_text("No hay ninguna página en esta dirección.")).to_be_visible()
        expect(page.get_by_text("There is no page at this address.")).to_be_hidden()


def test_a_page_that_fails_says_one_sentence_and_nothing_of_the_data(page: Any, server: Server) -> None:
    page.goto(server.url + "voila/render/wrong.ipynb")
    sentence = page.get_by_role("alert").get_by_text("This page could not be computed.")
    expect(sentence).to_be_visible(timeout=SLOW)
    assert "jane-4711" not in page.content()
    assert "ValueError" not in page.content()


def test_a_closed_page_leaves_no_kernel(page: Any, server: Server) -> None:
    before = kernels(server)
    page.goto(server.url + "voila/render/late.ipynb")
    expect(page.get_by_role("button", name="There")).to_be_visible(timeout=SLOW)
    assert kernels(server) == before + 1
    page.close(run_before_unload=True)
    assert until(lambda: kernels(server) <= before)


@pytest.mark.long
@pytest.mark.requirement("G02")
def test_the_same_notebook_works_in_jupyterlab(
    page: Any, folder: Path, laboratory: Callable[[Path], str]
) -> None:
    page.set_viewport_size({"width": 1280, "height": 2400})  # what is below the fold is not drawn there
    run_in_lab(page, laboratory(folder), "index.ipynb")
    expect(bars(page)).to_have_count(2, timeout=SLOW)
    page.get_by_label("Number", exact=True).select_option("5")
    expect(bars(page)).to_have_count(5)
    expect(chart(page, "Twice thirty days").locator("svg")).to_have_count(1)
    assert page.outside == []
