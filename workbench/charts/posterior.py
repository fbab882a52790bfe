"""A posterior as two charts: its density with the bands that hold half and most of it, and fifty dots to
count; several posteriors as one: a line for each. All come from the numbers that the sentence was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from workbench.charts.theme import CONTROL, INK, LINE, TREATMENT, themed
from workbench.locale import Texts
from workbench.records import Density, Interval

DOT_COLUMNS = 24
_DOT_ROWS = 9
_LARGEST_DOT = 17.0  # px


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
) -> alt.LayerChart:
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
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("x:Q", title=axis, scale=_across(shape, scale)),
        y=alt.Y("y:Q", axis=None, scale=alt.Scale(domainMin=0)),
    )
    layers = _zone(zone, scale)
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
    layers.append(_zero())
    return themed(alt.layer(*layers).properties(height=180), t.language)


def dots(
    shape: Density,
    t: Texts,
    *,
    axis: str,
    scale: float = 1.0,
    zone: Interval | None = None,
    lower_is_better: bool = False,
    color: str = TREATMENT,
) -> alt.LayerChart:
    """Fifty equally likely values, stacked so that a person can count those on either side of zero."""
    values = [value * scale for value in shape.dots]
    width = (max(values) - min(values)) / DOT_COLUMNS or 1.0
    good, bad = t("better"), t("not better")
    rows, heights = [], dict[int, int]()
    for value in values:
        # columns begin at zero, so that no column holds dots of both sides
        column = int(value // width)
        heights[column] = heights.get(column, 0) + 1
        better = (value < 0) if lower_is_better else (value > 0)
        rows.append(
            {"x": (column + 0.5) * width, "y": heights[column] - 0.5, "side": good if better else bad}
        )
    across = _across(shape, scale)
    top = max(max(heights.values()) + 1.5, _DOT_ROWS)
    share = width / (across.domain[1] - across.domain[0])
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("x:Q", title=axis, scale=across),
        y=alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, top])),
    )
    marks = base.mark_point(
        filled=True,
        opacity=1,
        # as large as a column of this chart is wide
        size=alt.ExprRef(f"pow(min({_LARGEST_DOT}, width * {share * 0.95:.5f}), 2)"),
    ).encode(
        color=alt.Color("side:N", legend=None, scale=alt.Scale(domain=[good, bad], range=[color, CONTROL])),
        shape=alt.Shape(
            "side:N", legend=None, scale=alt.Scale(domain=[good, bad], range=["circle", "diamond"])
        ),
    )
    sides = {row["side"] for row in rows}
    left, right = (good, bad) if lower_is_better else (bad, good)
    labels = [
        alt.Chart(alt.Data(values=[{"x": 0, "y": top}]))
        .mark_text(text=text, align=align, dx=dx, dy=8, color=INK)
        .encode(x="x:Q", y="y:Q")
        for text, align, dx in ((f"← {left}", "right", -8), (f"{right} →", "left", 8))
        if text.strip("← →") in sides
    ]
    chart = alt.layer(*_zone(zone, scale), marks, _zero(), *labels)
    return themed(chart.properties(height=180), t.language)


@dataclass(frozen=True)
class Line:
    """One posterior among several: its label, what is written beside it, its mean, most of it, half of it."""

    label: str
    text: str
    mean: float
    most: Interval
    half: Interval
    color: str = TREATMENT


def lines(items: Sequence[Line], t: Texts, *, axis: str, scale: float = 1.0) -> alt.LayerChart:
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
        }
        for item in items
    ]
    across = alt.Scale(zero=False, nice=True, padding=24)
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=[item.label for item in items], title=None, axis=names()),
        color=alt.Color("color:N", scale=None),
    )
    layers = [
        base.mark_rule(strokeWidth=5, opacity=0.3).encode(
            x=alt.X("low:Q", title=axis, scale=across), x2="high:Q"
        ),
        base.mark_rule(strokeWidth=9, opacity=0.75).encode(x="half_low:Q", x2="half_high:Q"),
        base.mark_point(filled=True, size=120, opacity=1).encode(x="mean:Q"),
        base.mark_text(dy=-16).encode(x="mean:Q", text="text:N", color=alt.value(INK)),
    ]
    return themed(alt.layer(*layers).properties(height=alt.Step(56)), t.language)


def names() -> alt.Axis:
    """The axis that names the lines of a chart; long names are cut, so that a narrow page keeps its chart."""
    return alt.Axis(labelLimit=160, ticks=False, domain=False, labelColor=INK)


def quantile(shape: Density, q: float) -> float:
    """The quantile of the fifty values."""
    return shape.dots[min(len(shape.dots) - 1, int(q * len(shape.dots)))]


def better_dots(shape: Density, lower_is_better: bool = False) -> int:
    """How many of the fifty dots lie on the better side of zero."""
    return sum((value < 0) if lower_is_better else (value > 0) for value in shape.dots)


def _across(shape: Density, scale: float) -> alt.Scale:
    """The same axis for both charts of a posterior; zero is always on it."""
    low, high = min(shape.x[0], 0.0) * scale, max(shape.x[-1], 0.0) * scale
    return alt.Scale(domain=[low, high], nice=False, zero=False, padding=0)


def _zone(zone: Interval | None, scale: float) -> list[Any]:
    if zone is None:
        return []
    edges = alt.Data(values=[{"a": zone[0] * scale, "b": zone[1] * scale}])
    return [alt.Chart(edges).mark_rect(color=LINE, opacity=0.8, clip=True).encode(x="a:Q", x2="b:Q")]


def _zero() -> alt.Chart:
    return alt.Chart(alt.Data(values=[{"x": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(x="x:Q")


def _band(x: float, half: Interval, most: Interval) -> str:
    if half[0] <= x <= half[1]:
        return "half"
    return "most" if most[0] <= x <= most[1] else "outer"


def _inside(band: str) -> list[str]:
    return {"outer": ["outer", "most", "half"], "most": ["most", "half"], "half": ["half"]}[band]
