"""The names of lines at a chart's right edge: in the order of the lines' ends, none upon another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from workbench.charts.theme import CONTROL

NAME = 16.0
"""Pixels from one name to the next."""
_WIDE = 120  # px of a name; longer ones are cut
_WAY = 14  # px from the edge of the chart to the names


def spread(wanted: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Places as near to those that are wanted as can be, in their order and so far from each other.

    The sum of the squared distances is smallest: an isotonic regression (Barlow et al. 1972, *Statistical
    Inference under Order Restrictions*, 1.2: pool adjacent violators) of what is wanted less the distances.

    Args:
        wanted: Where they would stand alone, in any order.
        least: The distance between two; less where all together have not so much room.
        low: The first place there is.
        high: The last place there is.

    >>> spread([1.0, 1.0, 5.0], 2.0, 0.0, 10.0)
    [0.0, 2.0, 5.0]
    """
    order = sorted(range(len(wanted)), key=lambda one: wanted[one])
    least = min(least, (high - low) / max(1, len(order) - 1))
    pools: list[list[float]] = []
    for rank, one in enumerate(order):
        pools.append([wanted[one] - rank * least])
        while len(pools) > 1 and _mean(pools[-2]) >= _mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    level = [_mean(pool) for pool in pools for _ in pool]
    most = high - least * (len(order) - 1)
    found = [0.0] * len(order)
    for rank, one in enumerate(order):
        found[one] = min(max(level[rank], low), most) + rank * least
    return found


def _mean(pool: Sequence[float]) -> float:
    return sum(pool) / len(pool)


def placed(
    ends: Sequence[dict[str, Any]], value: str, values: Sequence[float], height: float
) -> list[dict[str, Any]]:
    """The ends of lines with `at`, where their names stand, in the unit of the vertical axis.

    Args:
        ends: A row a line.
        value: The name of its last value.
        values: All that is drawn, which spans the axis: from nought, and not to a round number (`axis`).
        height: Of the chart, in pixels.
    """
    low, high = min(0.0, *values), max(0.0, *values)
    least = NAME * (high - low) / height
    at = spread([float(row[value]) for row in ends], least, low, high)
    return [{**row, "at": place} for row, place in zip(ends, at, strict=True)]


def axis() -> alt.Scale:
    """The vertical scale that `placed` reckons with."""
    return alt.Scale(zero=True, nice=False)


def names(base: alt.Chart, across: alt.X, value: str, text: str, **look: Any) -> list[alt.Chart]:
    """Each name beyond the right edge, with a thin line to where its own line ends.

    Args:
        base: A chart of `placed` rows.
        across: The horizontal axis.
        value: The field of the last value.
        text: The field of the name.
        look: More of `mark_text`.
    """
    way = base.mark_rule(color=CONTROL, opacity=0.6, strokeWidth=1, x2Offset=_WAY - 3)
    return [
        way.encode(x=across, x2=alt.value("width"), y=alt.Y(f"{value}:Q"), y2="at:Q"),
        base.mark_text(align="left", dx=_WAY, limit=_WIDE, **look).encode(
            x=alt.value("width"), y=alt.Y("at:Q"), text=f"{text}:N"
        ),
    ]
