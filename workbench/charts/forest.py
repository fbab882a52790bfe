"""One line for each of several values with their intervals, in the order given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

import altair as alt

from workbench.analyses.estimates import Estimate
from workbench.charts import posterior
from workbench.charts.theme import CONTROL, INK, TREATMENT, themed
from workbench.locale import Texts


@dataclass(frozen=True)
class Line:
    """A value with its interval, what is written beside it, and a second value that is drawn hollow."""

    label: str
    value: Estimate | None
    text: str
    other: float | None
    color: str = TREATMENT


def forest(
    lines: Sequence[Line], axis: str, t: Texts, *, logarithmic: bool = False, dashed: bool = False
) -> alt.LayerChart:
    """The chart.

    Args:
        lines: From top to bottom; one without a value has its words only.
        axis: The unit.
        t: The reader's language.
        logarithmic: Whether equal steps are equal ratios.
        dashed: Drawn as an outline, so that an association is not taken for an effect.
    """
    order = [line.label for line in lines]
    rows: list[dict[str, Any]] = [
        {
            "label": line.label,
            "value": line.value.value,
            "low": line.value.low,
            "high": line.value.high,
            "text": line.text,
            "color": line.color,
        }
        for line in lines
        if line.value is not None
    ]
    others: list[dict[str, Any]] = [
        {"label": line.label, "other": line.other} for line in lines if line.other is not None
    ]
    blanks = [{"label": line.label, "text": line.text} for line in lines if line.value is None]
    down = alt.Y("label:N", sort=order, title=None, axis=posterior.names(), scale=alt.Scale(domain=order))
    if logarithmic:
        scale = alt.Scale(type="log", nice=False, padding=24)
    else:
        most = (
            max([*(row["high"] for row in rows), *(other["other"] for other in others)], default=0.0) or 1.0
        )
        scale = alt.Scale(
            domain=[-0.06 * most, 1.15 * most], nice=False
        )  # room for marks at nought, for words
    steps = _steps(min(row["low"] for row in rows), max(row["high"] for row in rows)) if logarithmic else None
    across = alt.X("low:Q", title=axis, scale=scale, axis=alt.Axis(values=steps) if steps else alt.Axis())
    base = alt.Chart(alt.Data(values=rows)).encode(y=down, color=alt.Color("color:N", scale=None))
    dash = [6, 4] if dashed else [1, 0]
    layers = [
        base.mark_rule(strokeWidth=3 if dashed else 5, opacity=1 if dashed else 0.35, strokeDash=dash).encode(
            x=across, x2="high:Q"
        ),
        base.mark_point(filled=not dashed, size=100, opacity=1, strokeWidth=2).encode(x="value:Q"),
        base.mark_text(dy=-14).encode(x="value:Q", text="text:N", color=alt.value(INK)),
    ]
    if others:
        hollow = alt.Chart(alt.Data(values=others)).encode(y=down, x="other:Q")
        layers.append(hollow.mark_point(filled=False, color=INK, size=60, strokeWidth=1.5))
    if blanks:
        said = alt.Chart(alt.Data(values=blanks)).encode(y=down, x=alt.value(4), text="text:N")
        layers.append(said.mark_text(align="left", color=CONTROL))
    return themed(alt.layer(*layers).properties(height=alt.Step(44)), t.language)


def _steps(low: float, high: float) -> list[float]:
    """1, 10, 100, … between two ends, for a logarithmic axis; 2 and 5 as well where those are few."""
    powers = range(floor(log10(low)), floor(log10(high)) + 1)
    for steps in ((1,), (1, 2, 5)):
        found = [step * 10.0**power for power in powers for step in steps]
        found = [value for value in found if low <= value <= high]
        if len(found) > 1:
            break
    return found


def percent(one: Estimate) -> Estimate:
    """A share in per cent."""
    return Estimate(100 * one.value, 100 * one.low, 100 * one.high)


def share_in_words(one: Estimate | None, t: Texts) -> str:
    """A share with its interval, unbroken before its signs."""
    if one is None:
        return "–"
    text = t("{value:percent} ({low:percent} to {high:percent})", value=one.value, low=one.low, high=one.high)
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def number_in_words(one: Estimate | None, t: Texts, scale: float = 1.0) -> str:
    """A number with its interval."""
    if one is None:
        return "–"
    value, low, high = (scale * number for number in (one.value, one.low, one.high))
    return t("{value:number} ({low:number} to {high:number})", value=value, low=low, high=high)
