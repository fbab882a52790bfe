"""Flows from what things were to what they became: two columns of bars, and bands between them.

Bars are stacked in the order given, which is the same on both sides, so that a band that rises is a step up.
More than twelve bars are not told apart any more; that is the caller's to see to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from workbench.charts.theme import BACKGROUND, INK, QUIET, themed
from workbench.locale import Texts

_GAP = 0.04  # between bars, of their whole height
_BAR = 0.03  # width of a bar, of the chart's
_STEPS = 24
_LABEL = 0.075  # least distance of two labels, of the chart's height
_HEIGHT = 400


@dataclass(frozen=True)
class Flow:
    """A band: from the left bar of that name to the right one, how many, and what kind of change it is."""

    before: str
    after: str
    n: int
    kind: str
    said: str


def alluvial(
    flows: Sequence[Flow],
    sides: tuple[Sequence[tuple[str, str]], Sequence[tuple[str, str]]],
    kinds: Mapping[str, str],
    t: Texts,
) -> alt.LayerChart:
    """The chart.

    Args:
        flows: The bands; those of one bar lie in the order of the bars on the other side.
        sides: Left and right bars from top to bottom: name and label.
        kinds: Kind → colour, in the order of the legend.
        t: The reader's language.
    """
    total = sum(flow.n for flow in flows) or 1
    orders = [[name for name, _ in side] for side in sides]
    sizes = [
        {
            name: sum(flow.n for flow in flows if (flow.before, flow.after)[side] == name)
            for name in orders[side]
        }
        for side in (0, 1)
    ]
    gap = _GAP * total
    tops = [_stacked(sizes[side], orders[side], gap) for side in (0, 1)]
    height = total + gap * (max(map(len, orders)) - 1)
    ordered = sorted(flows, key=lambda flow: (orders[0].index(flow.before), orders[1].index(flow.after)))
    used = [dict(tops[0]), dict(tops[1])]
    bands: list[dict[str, Any]] = []
    for number, flow in enumerate(ordered):
        starts = used[0][flow.before], used[1][flow.after]
        used[0][flow.before] -= flow.n
        used[1][flow.after] -= flow.n
        for step in range(_STEPS + 1):
            share = step / _STEPS
            eased = share * share * (3 - 2 * share)
            top = starts[0] + (starts[1] - starts[0]) * eased
            x = _BAR + (1 - 2 * _BAR) * share
            bands.append(
                {
                    "x": x,
                    "top": top,
                    "low": top - flow.n,
                    "band": number,
                    "kind": flow.kind,
                    "said": flow.said,
                }
            )
    bars, labels = [], []
    for side, x in ((0, 0.0), (1, 1 - _BAR)):
        for name in orders[side]:
            bars.append(
                {"x": x, "x2": x + _BAR, "top": tops[side][name], "low": tops[side][name] - sizes[side][name]}
            )
        labels += _labels(sides[side], tops[side], sizes[side], side, height)
    down = alt.Scale(domain=[min(0.0, *(row["y"] for row in labels)), height], nice=False)
    across = alt.Scale(domain=[0, 1], nice=False)
    x = alt.X("x:Q", axis=None, scale=across)
    colors = alt.Scale(domain=list(kinds), range=list(kinds.values()))
    base = alt.Chart(alt.Data(values=bands)).encode(
        x=x,
        y=alt.Y("top:Q", axis=None, scale=down),
        y2="low:Q",
        detail="band:N",
        fill=alt.Fill("kind:N", scale=colors, title=None, legend=alt.Legend(symbolOpacity=0.6)),
        tooltip=[alt.Tooltip("said:N", title=t("Customers"))],
    )
    boxes = alt.Chart(alt.Data(values=bars)).mark_rect(color=QUIET)
    layers: list[Any] = [
        base.mark_area(opacity=0.45, line=False),
        boxes.encode(x=x, x2="x2:Q", y=alt.Y("top:Q", scale=down), y2="low:Q"),
    ]
    for side, align, dx in ((0, "left", 8), (1, "right", -8)):
        words = alt.Chart(alt.Data(values=[row for row in labels if row["side"] == side]))
        words = words.encode(x=x, y=alt.Y("y:Q", scale=down), text="label:N")
        look = {"align": align, "dx": dx, "baseline": "middle", "fontSize": 13, "fontWeight": 600}
        layers.append(words.mark_text(**look, stroke=BACKGROUND, strokeWidth=4, strokeOpacity=0.75))
        layers.append(words.mark_text(**look, color=INK))
    return themed(alt.layer(*layers).properties(height=_HEIGHT), t.language, t.currency)


def _stacked(sizes: Mapping[str, int], order: Sequence[str], gap: float) -> dict[str, float]:
    """The upper end of each bar."""
    top = sum(sizes.values()) + gap * (len(order) - 1)
    found = {}
    for name in order:
        found[name] = top
        top -= sizes[name] + gap
    return found


def _labels(
    bars: Sequence[tuple[str, str]],
    tops: Mapping[str, float],
    sizes: Mapping[str, int],
    side: int,
    height: float,
) -> list[dict[str, Any]]:
    """A label at the middle of each bar, further down where it would touch the one above."""
    rows: list[dict[str, Any]] = []
    for name, label in bars:
        y = tops[name] - sizes[name] / 2
        if rows:
            y = min(y, rows[-1]["y"] - _LABEL * height)
        rows.append({"x": (_BAR, 1 - _BAR)[side], "y": y, "label": label, "side": side})
    return rows
