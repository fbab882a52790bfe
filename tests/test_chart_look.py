"""Charts draw with the Vega-Lite that Altair writes, and write numbers as the rest of a page does."""

from __future__ import annotations

from datetime import date
from importlib import resources

import altair
import pandas
import pytest
import vl_convert

from workbench.charts.theme import ARMS, BACKGROUND, CONTROL, INK, QUIET, TREATMENT, WARNING, themed
from workbench.locale import Texts


def text_of(chart: altair.Chart) -> str:
    return vl_convert.vegalite_to_svg(chart.to_dict())


def test_the_bundle_speaks_the_vega_lite_that_altair_writes() -> None:
    bundle = (resources.files("workbench.charts") / "static" / "vega_runtime.js").read_text(encoding="utf-8")
    major, minor, *_ = altair.SCHEMA_VERSION.lstrip("v").split(".")
    assert f"vega-lite {major}.{minor}," in bundle.splitlines()[0]


@pytest.mark.requirement("U06")
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_chart_writes_numbers_and_money_as_its_page_does(language: str) -> None:
    t = Texts(language, "EUR")
    table = pandas.DataFrame({"value": [12345.5]})
    for pattern, words in ((",.1f", t.number(12345.5, 6)), ("$,.2f", t.money(12345.5, digits=7))):
        mark = altair.Chart(table).mark_text().encode(text=altair.Text("value").format(pattern))
        assert f">{words}<" in text_of(themed(mark, language))


@pytest.mark.requirement("U06")
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_time_axis_writes_dates_as_its_page_does(language: str) -> None:
    days = [date(2026, 3, 5), date(2026, 3, 6)]
    table = pandas.DataFrame({"day": pandas.to_datetime(days)})
    axis = altair.Axis(values=[{"year": 2026, "month": 3, "date": 5}])
    mark = altair.Chart(table).mark_point().encode(x=altair.X("day:T").axis(axis))
    day_and_month = Texts(language).date(days[0]).removesuffix(" 2026")
    assert f">{day_and_month}<" in text_of(themed(mark, language))


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = ((c / 12.92) if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_words_and_marks_stand_out_from_the_background() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert all(contrast(colour, BACKGROUND) >= 4.5 for colour in (INK, QUIET, TREATMENT, CONTROL))
    assert contrast(WARNING, BACKGROUND) >= 3
    assert len(set(ARMS)) == len(ARMS)
