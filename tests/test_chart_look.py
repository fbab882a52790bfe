"""Charts draw with the Vega-Lite that Altair writes, and write numbers as the rest of a page does."""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import altair
import pandas
import pytest
import vl_convert

from tests.shops import binary, unit_level
from workbench.charts import effect, posterior
from workbench.charts.runtime import show
from workbench.charts.theme import ARMS, BACKGROUND, CONTROL, INK, QUIET, TREATMENT, WARNING, themed
from workbench.decisions import main_comparison
from workbench.locale import Texts
from workbench.records import Comparison, EffectRecord


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


RATES = {"A": (120, 900), "B": (150, 900), "C": (170, 900)}


def answer(folder: Path, **asked: Any) -> EffectRecord:
    arms = {arm: binary(some, n) for arm, (some, n) in RATES.items()}
    attributes = {"country": ["ES", "FR", "IT"] * 900}
    shop = unit_level(folder, arms, assignment="random", attributes=attributes)
    return shop.effect("home", by="country", keep=False, **asked)


@pytest.mark.parametrize("asked", [{}, {"rope": 0.0}, {"lower_is_better": True}, {"assignment": "self"}])
def test_every_chart_of_an_effect_draws_what_its_record_says(tmp_path: Path, asked: dict[str, Any]) -> None:
    record, t = answer(tmp_path / "s", **asked), Texts("en")
    drawn = [vl_convert.vegalite_to_svg(picture.chart.to_dict()) for picture in effect.pictures(record, t)]
    assert len(drawn) == (3 if record.summary.word == "association" else 4)
    whole = "".join(drawn)
    assert all(f">{t.share(some / n)}<" in whole for some, n in RATES.values())
    if record.summary.word == "effect":
        shape = main_comparison(record.summary).density
        assert shape is not None
        better = posterior.better_dots(shape, record.settings.lower_is_better)
        assert [drawn[1].count(f"side: {side}") for side in ("better", "not better")] == [better, 50 - better]
    places = [drawn[-1].index(f">{item.segment} · {item.arm} (") for item in by_country(record)]
    assert places == sorted(places)


def by_country(record: EffectRecord) -> list[Comparison]:
    """Segments, the largest pooled difference first."""
    found = [item for item in record.summary.comparisons if item.pooled is not None]
    return sorted(found, key=lambda item: -item.pooled.difference if item.pooled else 0.0)


def test_an_answer_to_the_next_question_needs_new_data_only(tmp_path: Path) -> None:
    t = Texts("en")
    one, other = (
        effect.pictures(answer(tmp_path / name, level=level), t) for name, level in (("a", 0.9), ("b", 0.95))
    )
    page = [show(picture.chart, picture.description) for picture in one]
    sent: list[str] = []
    for chart, picture in zip(page, other, strict=True):
        chart.observe(lambda change: sent.append(change.name), ["spec", "data"])
        chart.chart = picture.chart
        assert {**chart.spec, "datasets": chart.data} == picture.chart.to_dict()
    assert set(sent) == {"data"}


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


def test_a_layout_that_many_widgets_share_cannot_be_changed() -> None:
    """Whoever hid one chart would hide all of them."""
    first, second = show(None, ""), show(None, "")
    assert first.layout is second.layout
    with pytest.raises(TypeError, match="share this layout"):
        first.layout.display = "none"
    assert second.layout.display is None
