"""A posterior as two pictures: its density with the bands that hold half and most of it, and fifty dots to
count. Both come from the numbers that the sentence was made from."""

from __future__ import annotations

from typing import Any

import altair as alt

from workbench.charts.theme import CONTROL, INK, LINE, TREATMENT, themed
from workbench.locale import Texts
from workbench.records import Density, Interval

DOT_COLUMNS = 24


def density(
    shape: Density,
    interval: Interval,
    t: Texts,
    *,
    title: str,
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
        title: The answer.
        axis: The unit.
        scale: What values are multiplied by to be in the axis's unit.
        zone: Values that do not matter; shaded.
        association: Drawn as an outline, so that it is not taken for an effect.
    """
    half = _quantile(shape, 0.25), _quantile(shape, 0.75)
    rows = [
        {"x": x * scale, "y": y, "band": _band(x, half, interval)}
        for x, y in zip(shape.x, shape.y, strict=True)
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("x:Q", title=axis), y=alt.Y("y:Q", axis=None, scale=alt.Scale(domainMin=0))
    )
    layers: list[Any] = []
    if zone is not None:
        layers.append(
            alt.Chart(alt.Data(values=[{"a": zone[0] * scale, "b": zone[1] * scale}]))
            .mark_rect(color=LINE, opacity=0.6)
            .encode(x="a:Q", x2="b:Q")
        )
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
    layers.append(
        alt.Chart(alt.Data(values=[{"x": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(x="x:Q")
    )
    return themed(alt.layer(*layers).properties(title=title, height=200), t.language)


def dots(
    shape: Density,
    t: Texts,
    *,
    title: str,
    axis: str,
    scale: float = 1.0,
    zone: Interval | None = None,
    lower_is_better: bool = False,
    color: str = TREATMENT,
) -> alt.LayerChart:
    """Fifty equally likely values, stacked so that a person can count those on either side of zero."""
    values = [value * scale for value in shape.dots]
    width = (max(values) - min(values)) / DOT_COLUMNS or 1.0
    rows, heights = [], dict[int, int]()
    for value in values:
        # columns begin at zero, so that no column holds dots of both sides
        column = int(value // width)
        heights[column] = heights.get(column, 0) + 1
        better = (value < 0) if lower_is_better else (value > 0)
        rows.append(
            {
                "x": (column + 0.5) * width,
                "y": heights[column] - 0.5,
                "side": t("better") if better else t("not better"),
            }
        )
    top = max(heights.values())
    layers: list[Any] = []
    if zone is not None:
        layers.append(
            alt.Chart(alt.Data(values=[{"a": zone[0] * scale, "b": zone[1] * scale}]))
            .mark_rect(color=LINE, opacity=0.6)
            .encode(x="a:Q", x2="b:Q")
        )
    layers.append(
        alt.Chart(alt.Data(values=rows))
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            x=alt.X("x:Q", title=axis),
            y=alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, max(top + 0.5, 7)])),
            color=alt.Color(
                "side:N",
                legend=None,
                scale=alt.Scale(domain=[t("better"), t("not better")], range=[color, CONTROL]),
            ),
            shape=alt.Shape(
                "side:N",
                legend=None,
                scale=alt.Scale(domain=[t("better"), t("not better")], range=["circle", "diamond"]),
            ),
        )
    )
    layers.append(
        alt.Chart(alt.Data(values=[{"x": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(x="x:Q")
    )
    return themed(alt.layer(*layers).properties(title=title, height=180), t.language)


def better_dots(shape: Density, lower_is_better: bool = False) -> int:
    """How many of the fifty dots lie on the better side of zero."""
    return sum((value < 0) if lower_is_better else (value > 0) for value in shape.dots)


def _quantile(shape: Density, q: float) -> float:
    return shape.dots[min(len(shape.dots) - 1, int(q * len(shape.dots)))]


def _band(x: float, half: Interval, most: Interval) -> str:
    if half[0] <= x <= half[1]:
        return "half"
    return "most" if most[0] <= x <= most[1] else "outer"


def _inside(band: str) -> list[str]:
    return {"outer": ["outer", "most", "half"], "most": ["most", "half"], "half": ["half"]}[band]
