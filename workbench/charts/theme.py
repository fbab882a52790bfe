"""How every chart looks: the page's colours and type, quiet axes, the reader's numbers and dates.

`themed(chart, language)` returns a copy of a finished chart that carries all of it; nothing is global.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from babel import numbers

from workbench.locale import Texts

CONTROL = "#6B7280"
TREATMENT = "#0072B2"
ARMS = (CONTROL, TREATMENT, "#E69F00", "#009E73", "#CC79A7", "#56B4E9")
WARNING = "#D55E00"
INK = "#1F2937"
BACKGROUND = "#FFFFFF"
QUIET = "#4B5563"  # labels: 7.5 to 1 on the background
LINE = "#E5E7EB"  # grids and frames
# The cells of a heat map are as light on a dark page as on a white one, hence colours of what is written in
# them that a dark page does not exchange (`chart.css`, `still.css`).
CELL_INK, CELL_QUIET, CELL_PAPER = "#1F2938", "#4B5564", "#FEFEFE"

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_DATES = {
    "milliseconds": "%H:%M:%S",
    "seconds": "%H:%M:%S",
    "minutes": "%H:%M",
    "hours": "%H:%M",
    "date": "%-d %b",
    "day": "%-d %b",
    "week": "%-d %b",
    "month": "%b",
    "quarter": "%b",
    "year": "%Y",
}


@lru_cache
def _locale(language: str, currency: str) -> dict[str, Any]:
    """Vega's description of how a language writes numbers and dates, from the one that `Texts` uses."""
    locale = Texts(language).locale
    symbols = locale.number_symbols["latn"]
    symbol = numbers.get_currency_symbol(currency, locale)
    before = locale.currency_formats["standard"].pattern.startswith("¤")
    names = {
        width: {
            "days": [locale.days["format"][width][day] for day in (6, 0, 1, 2, 3, 4, 5)],
            "months": [locale.months["format"][width][month] for month in range(1, 13)],
        }
        for width in ("wide", "abbreviated")
    }
    return {
        "number": {
            "decimal": symbols["decimal"],
            "thousands": symbols["group"],
            "grouping": [3],
            "currency": [symbol, ""] if before else ["", f"\N{NO-BREAK SPACE}{symbol}"],
            "percent": "\N{NO-BREAK SPACE}%",
            "minus": "−",
        },
        "time": {
            "dateTime": "%-d %b %Y, %H:%M",
            "date": "%-d %b %Y",
            "time": "%H:%M",
            "periods": [locale.day_periods["format"]["abbreviated"][half] for half in ("am", "pm")],
            "days": names["wide"]["days"],
            "shortDays": names["abbreviated"]["days"],
            "months": names["wide"]["months"],
            "shortMonths": names["abbreviated"]["months"],
        },
    }


def _config(language: str, currency: str) -> dict[str, Any]:
    text = {"font": FONT, "color": INK}
    few = {
        "labelOverlap": "greedy",
        "labelSeparation": 8,
        "tickCount": {"expr": "ceil(width / 100)"},
    }
    return {
        "background": BACKGROUND,
        "font": FONT,
        "locale": _locale(language, currency),
        "padding": 4,
        "view": {"stroke": None, "continuousHeight": 280, "discreteHeight": {"step": 28}},
        "title": {
            **text,
            "anchor": "start",
            "frame": "group",
            "fontSize": 16,
            "fontWeight": 600,
            "subtitleColor": QUIET,
            "subtitleFontSize": 13,
            "offset": 12,
        },
        "axis": {
            "domainColor": LINE,
            "gridColor": LINE,
            "gridDash": [],
            "labelColor": QUIET,
            "labelFontSize": 13,
            "labelPadding": 6,
            "tickColor": LINE,
            "ticks": False,
            "titleColor": INK,
            "titleFontSize": 13,
            "titleFontWeight": 400,
            "titlePadding": 10,
        },
        "axisBand": {"grid": False},
        "axisTemporal": {"format": _DATES, "grid": False},
        # px from an end, where a label in the middle of its tick would be cut off
        "axisXQuantitative": {**few, "labelFlush": 12},
        "axisXTemporal": {**few, "ticks": True},
        "legend": {
            "labelColor": INK,
            "labelFontSize": 13,
            "orient": "top",
            "symbolType": "square",
            "titleColor": INK,
            "titleFontSize": 13,
            "titleFontWeight": 400,
        },
        "header": {"labelColor": INK, "labelFontSize": 13, "titleColor": INK, "titleFontSize": 13},
        "text": {**text, "fontSize": 13},
        "mark": {"color": TREATMENT},
        "bar": {"color": TREATMENT, "cornerRadius": 2},
        "line": {"color": TREATMENT, "strokeWidth": 2},
        "point": {"color": TREATMENT, "filled": True, "size": 60},
        "rule": {"color": QUIET},
        "range": {
            "category": [*ARMS[1:], CONTROL],
            "heatmap": ["#F1F5F9", TREATMENT],
            "ramp": ["#F1F5F9", TREATMENT],
        },
    }


def themed[C](chart: C, language: str = "en", currency: str = "EUR") -> C:
    """A copy of a chart in the look of every page, with numbers and dates written as in `language`.

    Give it the finished chart: a themed chart cannot become a part of another.

    Args:
        chart: Any Altair chart; settings of its own with `configure_…` made after this one are kept.
        language: `en` or `es`.
        currency: ISO 4217 code, for formats with `$`.
    """
    return chart.configure(**_config(language, currency))  # type: ignore[attr-defined]  # altair is not typed


def specified(chart: Any) -> dict[str, Any]:
    """An Altair chart in Vega-Lite, checked against its schema unless Altair was told not to check."""
    from altair.utils import schemapi

    found: dict[str, Any] = chart.to_dict(validate=schemapi.DEBUG_MODE)
    return found
