"""What somebody believes of a rate, beside what the numbers allow and, once it is revealed, the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt

from workbench.charts.picture import Drawing
from workbench.charts.posterior import down
from workbench.charts.theme import ARMS, CONTROL, INK, QUIET, TREATMENT, WARNING, specified, themed
from workbench.locale import Texts
from workbench.records import Interval

_COLUMNS = 40
_GUESS = ARMS[2]
_FLOOR, _CEILING = 34.0, 84.0  # between which dots stand, of a height of 100
_UP = alt.Scale(domain=[0, 100], nice=False)


def axis_end(rate: float) -> float:
    """Where an axis for a rate ends: the same for small and large numbers, so that they can be compared.

    >>> axis_end(0.05), axis_end(0.12)
    (0.2, 0.7)
    """
    return next(end for end in (0.2, 0.4, 0.7, 1.0) if 4 * rate <= end or end == 1.0)


def rates(
    t: Texts,
    *,
    seen: float,
    dots: Sequence[float] = (),
    best: Interval | None = None,
    guess: Interval | None = None,
    truth: float | None = None,
    ends: Interval | None = None,
) -> Drawing:
    """Fifty equally likely rates above a guess and the interval that holds forty of them.

    Args:
        t: The reader's language.
        seen: The observed rate.
        dots: Equally likely true rates; none while they are hidden.
        best: The interval that the numbers allow.
        guess: Somebody's interval.
        truth: The true rate, once it may be seen.
        ends: Of the axis; from 0 to `axis_end(seen)` if None.
    """
    low, high = ends or (0.0, axis_end(seen))
    width = (high - low) / _COLUMNS
    rows, heights = [], dict[int, int]()
    for rate in dots:
        column = int((min(max(rate, low), high) - low) / width)
        heights[column] = heights.get(column, 0) + 1
        inside = best is None or best[0] <= rate <= best[1]
        rows.append({"x": 100 * (low + (column + 0.5) * width), "level": heights[column], "inside": inside})
    top = max([10, *heights.values()])
    for row in rows:
        row["y"] = _FLOOR + (row["level"] - 0.5) * (_CEILING - _FLOOR) / top
        row["top"] = top
    bars = []
    for interval, label, color, y in (
        (guess, t("your guess"), _GUESS, 20),
        (best, t("80 %, as the numbers have it"), TREATMENT, 3),
    ):
        if interval is not None:
            left, right = (100 * min(max(edge, low), high) for edge in interval)
            bars.append(
                {"low": left, "high": right, "end": 100 * high, "y": y, "label": label, "color": color}
            )
    # a label stands on the side of its line where the other is not, or where there is room
    left_of = truth > seen if truth is not None else seen > low + 0.6 * (high - low)
    marks: list[dict[str, Any]] = [
        {
            "x": 100 * seen,
            "y": 98,
            "label": t("seen: {rate:share}", rate=seen),
            "color": QUIET,
            "turned": left_of,
        }
    ]
    if truth is not None:
        label = t("truth: {rate:share}", rate=truth)
        marks.append({"x": 100 * truth, "y": 98, "label": label, "color": INK, "turned": not left_of})
    data: dict[str, list[dict[str, Any]]] = {
        "dots": rows,
        "bars": bars,
        "marks": marks,
        "ends": [{"x": 100 * low}, {"x": 100 * high}],
    }
    return Drawing(_rates(t("true rate (%)"), t.language), data)


@lru_cache(maxsize=8)
def _rates(axis: str, language: str) -> dict[str, Any]:
    across = alt.X("x:Q", title=axis, scale=alt.Scale(nice=False, zero=False, padding=0))
    up = alt.Y("y:Q", axis=None, scale=_UP)
    ends = alt.Chart(alt.NamedData("ends")).mark_point(opacity=0, aria=False).encode(x=across)
    room = (_CEILING - _FLOOR) / 100
    size = f"pow(min(15, width / {_COLUMNS} * 0.95, height * {room} / datum.top * 0.95), 2)"
    dots = (
        alt.Chart(alt.NamedData("dots"))
        .mark_point(filled=True, opacity=1, size=alt.ExprRef(size))
        .encode(
            x=across,
            y=up,
            color=alt.Color(
                "inside:N", legend=None, scale=alt.Scale(domain=[True, False], range=[TREATMENT, CONTROL])
            ),
            shape=alt.Shape(
                "inside:N", legend=None, scale=alt.Scale(domain=[True, False], range=["circle", "diamond"])
            ),
        )
    )
    bars = alt.Chart(alt.NamedData("bars")).encode(y=up)
    marks = alt.Chart(alt.NamedData("marks")).encode(x=across, color=alt.Color("color:N", scale=None))
    layers = [
        ends,
        marks.mark_rule(strokeWidth=2, strokeDash=alt.ExprRef(f"datum.color === '{INK}' ? [1, 0] : [4, 4]")),
        dots,
        bars.mark_rule(strokeWidth=8).encode(
            x=alt.X("low:Q", title=axis), x2="high:Q", color=alt.Color("color:N", scale=None)
        ),
        bars.mark_text(align="right", baseline="bottom", dy=-7, color=INK).encode(x="end:Q", text="label:N"),
        marks.mark_text(
            align=alt.ExprRef("datum.turned ? 'right' : 'left'"),
            dx=alt.ExprRef("datum.turned ? -6 : 6"),
        ).encode(y=up, text="label:N"),
    ]
    return specified(themed(alt.layer(*layers).properties(height=280), language))


@dataclass(frozen=True)
class Judged:
    """An interval for something whose truth is known by now."""

    label: str
    guess: Interval
    best: Interval
    truth: float

    @property
    def hit(self) -> bool:
        """Whether the guess holds the truth."""
        return self.guess[0] <= self.truth <= self.guess[1]


def judged(items: Sequence[Judged], t: Texts) -> Drawing:
    """One line for each: the guess, the interval that the numbers allow below it, and the truth."""
    rows = [
        {
            "label": item.label,
            "order": order,
            "low": 100 * item.guess[0],
            "high": 100 * item.guess[1],
            "best_low": 100 * item.best[0],
            "best_high": 100 * item.best[1],
            "truth": 100 * item.truth,
            "hit": item.hit,
        }
        for order, item in enumerate(items)
    ]
    return Drawing(_judged(t("true rate (%)"), t.language), {"judged": rows})


@lru_cache(maxsize=8)
def _judged(axis: str, language: str) -> dict[str, Any]:
    base = alt.Chart(alt.NamedData("judged")).encode(y=down())
    across = alt.Scale(zero=True, nice=True)
    either = [True, False]
    layers = [
        base.mark_rule(strokeWidth=8, color=_GUESS, opacity=0.75).encode(
            x=alt.X("low:Q", title=axis, scale=across), x2="high:Q"
        ),
        base.mark_rule(strokeWidth=3, color=TREATMENT, yOffset=9).encode(x="best_low:Q", x2="best_high:Q"),
        base.mark_point(filled=True, opacity=1, size=110, stroke="white", strokeWidth=1).encode(
            x="truth:Q",
            color=alt.Color("hit:N", legend=None, scale=alt.Scale(domain=either, range=[INK, WARNING])),
            shape=alt.Shape("hit:N", legend=None, scale=alt.Scale(domain=either, range=["circle", "cross"])),
        ),
    ]
    return specified(themed(alt.layer(*layers).properties(height=alt.Step(36)), language))
