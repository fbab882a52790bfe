"""A posterior as two charts: its density with the bands that hold half and most of it, and fifty dots to
count; several posteriors as one: a line for each. All come from the numbers that the sentence was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt

from workbench.charts.picture import Drawing
from workbench.charts.theme import CONTROL, INK, LINE, TREATMENT, specified, themed
from workbench.locale import Texts
from workbench.records import Density, Interval

DOT_COLUMNS = 24
_DOT_ROWS = 9
_LARGEST_DOT = 17.0  # px
_ACROSS = alt.Scale(nice=False, zero=False, padding=0)


def density(
    shape: Density,
    interval: Interval,
    t: Texts,
    *,
    axis: str,
    scale: float = 1.0,
    zone: Interval | None = None,
    association: bool = False,
    color: str = TREATMENT,
) -> Drawing:
    """The density over a line at zero.

    Args:
        shape: Grid, density and dots.
        interval: The interval of the record's level, the light band.
        axis: The unit.
        scale: What values are multiplied by to be in the axis's unit.
        zone: Values that do not matter; shaded.
        association: Drawn as an outline, so that it is not taken for an effect.
    """
    half = quantile(shape, 0.25), quantile(shape, 0.75)
    rows = [
        {"x": x * scale, "y": y, "band": _band(x, half, interval)}
        for x, y in zip(shape.x, shape.y, strict=True)
    ]
    spec = _density(axis, zone is not None, association, color, t.language)
    return Drawing(spec, {"shape": rows, **_zone(zone, shape, scale)})


@lru_cache(maxsize=32)
def _density(axis: str, zoned: bool, association: bool, color: str, language: str) -> dict[str, Any]:
    base = alt.Chart(alt.NamedData("shape")).encode(
        x=alt.X("x:Q", title=axis, scale=_ACROSS), y=alt.Y("y:Q", axis=None, scale=alt.Scale(domainMin=0))
    )
    layers = _shaded() if zoned else []
    if association:
        layers.append(base.mark_line(color=color, strokeDash=[6, 4], strokeWidth=2))
    else:
        for band, opacity in (("outer", 0.12), ("most", 0.3), ("half", 0.75)):
            layers.append(
                base.transform_filter(alt.FieldOneOfPredicate(field="band", oneOf=_inside(band))).mark_area(
                    color=color, opacity=opacity, line=False
                )
            )
        layers.append(base.mark_line(color=color, strokeWidth=1.5))
    layers.append(zero())
    return specified(themed(alt.layer(*layers).properties(height=180), language))


def dots(
    shape: Density,
    t: Texts,
    *,
    axis: str,
    scale: float = 1.0,
    zone: Interval | None = None,
    lower_is_better: bool = False,
    color: str = TREATMENT,
) -> Drawing:
    """Fifty equally likely values, stacked so that a person can count those on either side of zero."""
    values = [value * scale for value in shape.dots]
    width = (max(values) - min(values)) / DOT_COLUMNS or 1.0
    low, high = _ends(shape, scale)
    good, bad = t("better"), t("not better")
    rows, heights = [], dict[int, int]()
    for value in values:
        # columns begin at zero, so that no column holds dots of both sides
        column = int(value // width)
        heights[column] = heights.get(column, 0) + 1
        rows.append(
            {
                "x": (column + 0.5) * width,
                "y": heights[column] - 0.5,
                "side": good if ((value < 0) if lower_is_better else (value > 0)) else bad,
                "share": width / (high - low),
            }
        )
    top = max(max(heights.values()) + 1.5, _DOT_ROWS)
    sides = {row["side"] for row in rows}
    spec = _dots(axis, zone is not None, good, bad, lower_is_better, color, t.language)
    words = {"good": good in sides, "bad": bad in sides}
    data: dict[str, list[dict[str, Any]]] = {
        "dots": rows,
        **_zone(zone, shape, scale),
        # as wide as the chart of the density
        "ends": [{"x": low, "y": 0}, {"x": high, "y": top}],
        **{name: [{"x": 0, "y": top}] if there else [] for name, there in words.items()},
    }
    return Drawing(spec, data)


@lru_cache(maxsize=32)
def _dots(
    axis: str, zoned: bool, good: str, bad: str, lower_is_better: bool, color: str, language: str
) -> dict[str, Any]:
    up = alt.Y("y:Q", axis=None, scale=alt.Scale(nice=False, zero=True))
    marks = (
        alt.Chart(alt.NamedData("dots"))
        .mark_point(
            filled=True,
            opacity=1,
            # as large as a column of this chart is wide
            size=alt.ExprRef(f"pow(min({_LARGEST_DOT}, width * datum.share * 0.95), 2)"),
        )
        .encode(
            x=alt.X("x:Q", title=axis, scale=_ACROSS),
            y=up,
            color=alt.Color(
                "side:N", legend=None, scale=alt.Scale(domain=[good, bad], range=[color, CONTROL])
            ),
            shape=alt.Shape(
                "side:N", legend=None, scale=alt.Scale(domain=[good, bad], range=["circle", "diamond"])
            ),
        )
    )
    ends = alt.Chart(alt.NamedData("ends")).mark_point(opacity=0, aria=False).encode(x="x:Q", y=up)
    (left, less), (right, more) = sorted({"bad": bad, "good": good}.items(), reverse=lower_is_better)
    labels = [
        alt.Chart(alt.NamedData(name))
        .mark_text(text=text, align=align, dx=dx, dy=8, color=INK)
        .encode(x="x:Q", y="y:Q")
        for name, text, align, dx in ((left, f"← {less}", "right", -8), (right, f"{more} →", "left", 8))
    ]
    layers = [*(_shaded() if zoned else []), ends, marks, zero(), *labels]
    return specified(themed(alt.layer(*layers).properties(height=180), language))


@dataclass(frozen=True)
class Line:
    """One posterior among several: its label, what is written beside it, its mean, most of it, half of it."""

    label: str
    text: str
    mean: float
    most: Interval
    half: Interval
    color: str = TREATMENT


def lines(items: Sequence[Line], t: Texts, *, axis: str, scale: float = 1.0) -> Drawing:
    """One line for each posterior, in the order given."""
    rows = [
        {
            "label": item.label,
            "text": item.text,
            "mean": item.mean * scale,
            "low": item.most[0] * scale,
            "high": item.most[1] * scale,
            "half_low": item.half[0] * scale,
            "half_high": item.half[1] * scale,
            "color": item.color,
            "order": order,
        }
        for order, item in enumerate(items)
    ]
    return Drawing(_lines(axis, t.language), {"lines": rows})


@lru_cache(maxsize=32)
def _lines(axis: str, language: str) -> dict[str, Any]:
    across = alt.Scale(zero=False, nice=True, padding=24)
    base = alt.Chart(alt.NamedData("lines")).encode(y=down(), color=alt.Color("color:N", scale=None))
    layers = [
        base.mark_rule(strokeWidth=5, opacity=0.3).encode(
            x=alt.X("low:Q", title=axis, scale=across), x2="high:Q"
        ),
        base.mark_rule(strokeWidth=9, opacity=0.75).encode(x="half_low:Q", x2="half_high:Q"),
        base.mark_point(filled=True, size=120, opacity=1).encode(x="mean:Q"),
        base.mark_text(dy=-16).encode(x="mean:Q", text="text:N", color=alt.value(INK)),
    ]
    return specified(themed(alt.layer(*layers).properties(height=alt.Step(56)), language))


def down() -> alt.Y:
    """Rows by `label`, from top to bottom by `order`, whichever came first to the page."""
    return alt.Y("label:N", sort=alt.EncodingSortField("order", op="min"), title=None, axis=names())


def names() -> alt.Axis:
    """The axis that names the lines of a chart; long names are cut, so that a narrow page keeps its chart."""
    return alt.Axis(labelLimit=160, ticks=False, domain=False, labelColor=INK)


def quantile(shape: Density, q: float) -> float:
    """The quantile of the fifty values."""
    return shape.dots[min(len(shape.dots) - 1, int(q * len(shape.dots)))]


def better_dots(shape: Density, lower_is_better: bool = False) -> int:
    """How many of the fifty dots lie on the better side of zero."""
    return sum((value < 0) if lower_is_better else (value > 0) for value in shape.dots)


def _ends(shape: Density, scale: float) -> Interval:
    """The same axis for both charts of a posterior; zero is always on it."""
    return min(shape.x[0], 0.0) * scale, max(shape.x[-1], 0.0) * scale


def _zone(zone: Interval | None, shape: Density, scale: float) -> dict[str, list[dict[str, float]]]:
    """What `_shaded` shows: the zone, as far as the axis goes."""
    if zone is None:
        return {}
    low, high = _ends(shape, scale)
    edges = (min(max(edge * scale, low), high) for edge in zone)
    return {"zone": [dict(zip("ab", edges, strict=True))]}


def _shaded() -> list[Any]:
    zone = alt.Chart(alt.NamedData("zone"))
    return [zone.mark_rect(color=LINE, opacity=0.8, clip=True).encode(x="a:Q", x2="b:Q")]


def zero() -> alt.Chart:
    return alt.Chart(alt.Data(values=[{"x": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(x="x:Q")


def _band(x: float, half: Interval, most: Interval) -> str:
    if half[0] <= x <= half[1]:
        return "half"
    return "most" if most[0] <= x <= most[1] else "outer"


def _inside(band: str) -> list[str]:
    return {"outer": ["outer", "most", "half"], "most": ["most", "half"], "half": ["half"]}[band]
