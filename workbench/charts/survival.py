"""Curves over time by arm, with how many are still followed under the axis; and what they are compared by.

Words are in ink, since not every colour can be read; a square says which curve they belong to. An association
is dashed, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from workbench.analyses.returning_answer import FEWEST_FOLLOWED, Against, ArmCurve, Curves, Ratio, Returning
from workbench.charts import posterior
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import ARMS, BACKGROUND, CONTROL, INK, QUIET, TREATMENT, themed
from workbench.locale import Texts
from workbench.report import Row

_HEIGHT = 300
_ROW = 18  # px, between two lines of words under the axis
_FIRST_ROW = 40  # px under the axis
_APART = 18  # px between two labels
_BESIDE = 136  # px to the right of the last day, for the labels
_NARROW = 460  # px; in less the labels stand within
_LETTERS = 16  # of an arm's name, beside its curve
_FINE = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0)
_MOST_STEPS = 6
_DIGIT = 8  # px, of a number
_TELEPHONE = 280  # px between the ends of a narrow chart


def pictures(found: Returning, t: Texts) -> list[Picture]:
    """The curves, the shares after a number of days held against each other, and the ratios."""
    made = [curve_picture(found, found.main, t)]
    if found.beside is not None:
        made.append(curve_picture(found, found.beside, t))
    pair = found.main.against(found.arm)
    if pair.by_day:
        made.append(_differences(found, pair, t))
    if pair.hazard_ratio is not None:
        made.append(_ratios(found, pair, pair.hazard_ratio, t))
    return made


def colors(found: Returning) -> dict[str, str]:
    """The control grey, the arm that is spoken of blue, the others as they come."""
    names = [one.arm for one in found.main.arms]
    others = [name for name in names if name not in (found.control, found.arm)]
    return dict(zip([found.control, found.arm, *others], [CONTROL, *ARMS[1:]], strict=False))


# --- curves ---------------------------------------------------------------------------------------------


def curve_picture(found: Returning, curves: Curves, t: Texts) -> Picture:
    """The curves of all arms."""
    shown = {
        "order": t("Who has ordered since the first exposure"),
        "second": t("Of all customers, who has ordered twice since the first exposure"),
        "repeat": t("Of those who bought, who has bought again since the first order after the exposure"),
        "churn": t("Who is still a customer"),
    }[curves.about]
    caption = t(
        "{shown}, with bands of {level:whole_percent}. Below: customers who are still followed and to whom "
        "it has not happened yet; a curve ends where they are fewer than {least:count}.",
        shown=shown,
        level=found.settings.level,
        least=FEWEST_FOLLOWED,
    )
    title = _when(curves, found.arm, t) or shown
    words = in_words(share_rows(found, curves, t))
    return Picture(title, curve_chart(found, curves, t), f"{title}. {shown}. {words}", caption, wide=True)


def _when(curves: Curves, arm: str, t: Texts) -> str:
    """By when half of the events that were seen had been; nothing where there are hardly any."""
    day = curves.against(arm).split
    if day is None:
        return ""
    if curves.about == "churn":
        return t("Half of those who were seen to leave left in the first {day:count} days", day=day)
    if curves.about == "order":
        return t("Half of the first orders that were seen came in the first {day:count} days", day=day)
    if curves.about == "repeat":
        return t("Half of those who were seen to buy again did so in {day:count} days", day=day)
    return t("Half of the second orders that were seen came in the first {day:count} days", day=day)


def curve_chart(found: Returning, curves: Curves, t: Texts) -> alt.LayerChart:
    """Steps with bands, their names at their ends, numbers at risk below."""
    color, days = colors(found), found.settings.days[-1]
    arms = sorted(curves.arms, key=lambda one: list(color).index(one.arm))
    steps = [
        {
            "arm": one.arm,
            "color": color[one.arm],
            "day": point.day,
            "share": 100 * point.share,
            "low": 100 * point.interval[0],
            "high": 100 * point.interval[1],
            "said": t.share(point.share),
            "risk": t.count(point.at_risk),
        }
        for one in arms
        for point in one.points
    ]
    bottom, top = _range(curves, steps)
    room = f"(width < {_NARROW} ? 8 : {_BESIDE})"
    across = alt.X(
        "day:Q",
        title=t("Days after the first order")
        if curves.about == "repeat"
        else t("Days after the first exposure"),
        scale=alt.Scale(domain=[0, alt.ExprRef(f"{days} * width / (width - {room})")], nice=False),
        axis=alt.Axis(values=[0, *found.settings.days], grid=False, titlePadding=22 + 2 * _ROW * len(arms)),
    )
    down = alt.Scale(domain=[bottom, top], nice=False)
    base = alt.Chart(alt.Data(values=steps)).encode(
        x=across, color=alt.Color("color:N", scale=None), detail="arm:N"
    )
    bands = base.mark_area(opacity=0.16, interpolate="step-after", line=False).encode(
        y=alt.Y("low:Q", title=t("Per cent of customers"), scale=down), y2="high:Q"
    )
    dash = [1, 0] if curves.word == "effect" else [6, 4]
    lines = base.mark_line(interpolate="step-after", strokeDash=dash, strokeWidth=2).encode(
        y="share:Q",
        tooltip=[
            alt.Tooltip("arm:N", title=t("Arm")),
            alt.Tooltip("day:Q", title=t("Day")),
            alt.Tooltip("said:N", title=t("Share")),
            alt.Tooltip("risk:N", title=t("Still followed")),
        ],
    )
    words = [*_names(curves, color, (bottom, top), across, t), *_at_risk(arms, color, found, across, t)]
    return themed(alt.layer(bands, lines, *words).properties(height=_HEIGHT), t.language)


def _range(curves: Curves, steps: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """From nought for what rises; for those who are still there from below the lowest band, up to all."""
    if curves.about == "churn":
        lowest = min(row["low"] for row in steps)
        return max(0.0, 100 - 1.2 * (100 - lowest) - 0.5), 100.0
    return 0.0, min(100.0, 1.15 * max(row["high"] for row in steps) + 0.1)


def _names(
    curves: Curves, color: dict[str, str], domain: tuple[float, float], across: alt.X, t: Texts
) -> list[Any]:
    """Each arm's name and last share: beside the end of its curve or, where it is narrow, in the free corner.

    The corner is below what rises at the right, and below what falls at the left; the order is that of the
    ends of the curves.
    """
    ends = sorted(curves.arms, key=lambda one: -one.points[-1].share)
    falls = curves.about == "churn"
    beside, last = [], -float(_APART)
    for one in ends:
        down = _HEIGHT * (domain[1] - 100 * one.points[-1].share) / (domain[1] - domain[0])
        last = max(down, last + _APART)
        beside.append(last)
    over = max(0.0, beside[-1] - _HEIGHT)
    rows = [
        {
            "day": one.end,
            "text": f"{_short(one.arm)} {t.share(one.points[-1].share)}",
            "color": color[one.arm],
            "beside": beside[place] - over,
            "corner": _HEIGHT - 4 - _APART * (len(ends) - place - 0.5),
        }
        for place, one in enumerate(ends)
    ]
    # left out, not hidden: words that cannot be seen would take room, too
    base = alt.Chart(alt.Data(values=rows))
    narrow = base.transform_filter(f"width < {_NARROW}").encode(y=alt.Y("corner:Q", scale=None))
    side = alt.value(12) if falls else alt.value("width")
    words = narrow.mark_text(align="left" if falls else "right", dx=10 if falls else -20, color=INK)
    square = narrow.mark_point(shape="square", filled=True, size=80, opacity=1, xOffset=0 if falls else -8)
    return [
        base.transform_filter(f"width >= {_NARROW}")
        .mark_text(align="left", dx=6, color=INK)
        .encode(x=across, y=alt.Y("beside:Q", scale=None), text="text:N"),
        words.encode(x=side, text="text:N"),
        square.encode(x=side, color=alt.Color("color:N", scale=None)),
    ]


def _at_risk(
    arms: Sequence[ArmCurve], color: dict[str, str], found: Returning, across: alt.X, t: Texts
) -> list[alt.Chart]:
    """Under the axis a line with each arm's name, and one with its numbers."""
    days = [0, *found.settings.days]
    longest = max(len(t.count(one.points[0].at_risk)) for one in arms)
    kept = _uncrowded(days, _DIGIT * (longest + 1))
    rows: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    for place, one in enumerate(arms):
        down = _HEIGHT + _FIRST_ROW + 2 * _ROW * place
        heads.append({"day": 0, "text": _short(one.arm), "at": down, "color": color[one.arm]})
        rows += [
            {
                "day": point.day,
                "text": t.count(point.at_risk),
                "at": down + _ROW - 2,
                "kept": point.day in kept,
            }
            for point in one.points
            if point.day in days
        ]
    names, numbers = (
        alt.Chart(alt.Data(values=values)).encode(x=across, y=alt.Y("at:Q", scale=None))
        for values in (heads, rows)
    )
    first, later = (
        numbers.transform_filter(f"datum.day {sign} 0").encode(text="text:N") for sign in ("===", ">")
    )
    return [
        names.mark_point(shape="square", filled=True, size=80, opacity=1, xOffset=-3).encode(
            color=alt.Color("color:N", scale=None)
        ),
        names.mark_text(align="left", dx=7, color=INK).encode(text="text:N"),
        first.mark_text(align="left", dx=-8, color=QUIET),
        later.transform_filter(f"datum.kept || width >= {_NARROW}").mark_text(color=QUIET),
    ]


def _uncrowded(days: Sequence[int], room: float) -> set[int]:
    """The first and the last day, and those between that are so many pixels apart on a narrow chart."""
    least = room / _TELEPHONE * days[-1]
    kept = [days[0]]
    for day in days[1:-1]:
        if day - kept[-1] >= least and days[-1] - day >= least:
            kept.append(day)
    return {*kept, days[-1]}


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"


# --- compared -------------------------------------------------------------------------------------------


def _differences(found: Returning, pair: Against, t: Texts) -> Picture:
    rows = [
        Value(
            t("after {day:count} days", day=one.day),
            100 * one.difference,
            (100 * one.interval[0], 100 * one.interval[1]),
            t("{difference:points} points", difference=one.difference),
        )
        for one in pair.by_day
    ]
    last = pair.by_day[-1]
    words = {"day": last.day, "arm": pair.arm, "low": last.interval[0], "high": last.interval[1]}
    title = t("After {day:count} days it is not clear which arm is ahead", **words)
    if last.interval[0] > 0:
        title = t(
            "After {day:count} days “{arm}” is ahead, by {low:points} to {high:points} points",
            **words,
        )
    elif last.interval[1] < 0:
        title = t(
            "After {day:count} days “{arm}” is behind, by {low:points} to {high:points} points",
            **words,
        )
    caption = t(
        "“{arm}” less “{control}”, with the interval of {level:whole_percent}.",
        arm=pair.arm,
        control=pair.control,
        level=found.settings.level,
    )
    chart = values_chart(rows, t("Percentage points"), 0.0, found.main, t)
    return Picture(title, chart, f"{title}. {in_words(difference_rows(pair, t))}", caption)


def _ratios(found: Returning, pair: Against, whole: Ratio, t: Texts) -> Picture:
    named = [
        (t("all days"), whole),
        (t("before day {day:count}", day=pair.split or 0), pair.early),
        (t("from then on"), pair.late),
    ]
    rows = [
        Value(name, one.value, one.interval, t.number(one.value)) for name, one in named if one is not None
    ]
    title = t(
        "The chance on a day is {ratio:number} times that of “{control}”",
        ratio=whole.value,
        control=pair.control,
    )
    caption = t(
        "The hazard ratio with its interval of {level:whole_percent}; 1 is no difference. Early and late "
        "part where half of the events have been.",
        level=found.settings.level,
    )
    chart = values_chart(rows, t("Times that of the control"), 1.0, found.main, t)
    return Picture(title, chart, f"{title}. {in_words(ratio_rows(pair, t))}", caption)


@dataclass(frozen=True)
class Value:
    """A value with its interval, what is written over it, and a second value that is drawn hollow."""

    label: str
    value: float
    interval: tuple[float, float]
    text: str
    other: float | None = None


def values_chart(rows: Sequence[Value], axis: str, none: float, curves: Curves, t: Texts) -> alt.LayerChart:
    """A line for each value; dashed upright: no difference, which for ratios is 1 on a logarithmic axis."""
    others = [{"label": one.label, "other": one.other} for one in rows if one.other is not None]
    ends = [
        none,
        *(end for one in rows for end in (*one.interval, one.value if one.other is None else one.other)),
    ]
    scale = alt.Scale(domain=[min(ends), max(ends)], nice=False, padding=28, type="log" if none else "linear")
    effect = curves.word == "effect"
    values = [
        {
            "label": one.label,
            "value": one.value,
            "low": one.interval[0],
            "high": one.interval[1],
            "text": one.text,
        }
        for one in rows
    ]
    down = alt.Y("label:N", sort=[one.label for one in rows], title=None, axis=posterior.names())
    steps = alt.Axis(values=_ratio_steps(min(ends), max(ends)), format="~g") if none else alt.Axis()
    base = alt.Chart(alt.Data(values=values)).encode(y=down)
    upright = alt.Chart(alt.Data(values=[{"none": none}])).mark_rule(color=CONTROL, strokeDash=[4, 4])
    inside = base.mark_point(filled=True, color=TREATMENT if effect else BACKGROUND, size=100, opacity=1)
    ring = base.mark_point(filled=False, color=TREATMENT, size=100, opacity=1, strokeWidth=2)
    layers = [
        upright.encode(x=alt.X("none:Q", title=axis, scale=scale, axis=steps)),
        base.mark_rule(
            color=TREATMENT,
            strokeWidth=5 if effect else 3,
            opacity=0.4 if effect else 1,
            strokeDash=[1, 0] if effect else [6, 4],
        ).encode(x="low:Q", x2="high:Q"),
        inside.encode(x="value:Q"),
        ring.encode(x="value:Q"),
        base.mark_text(dy=-14, color=INK).encode(x="value:Q", text="text:N"),
    ]
    if others:
        hollow = alt.Chart(alt.Data(values=others)).encode(y=down, x="other:Q")
        layers.append(hollow.mark_point(filled=False, color=INK, size=60, strokeWidth=1.5))
    return themed(alt.layer(*layers).properties(height=alt.Step(44)), t.language)


def _ratio_steps(low: float, high: float) -> list[float]:
    """Round ratios that lie in between, at most about six of them."""
    for steps in (_FINE, _FINE[::2], (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)):
        found = [step for step in steps if low <= step <= high]
        if len(found) <= _MOST_STEPS:
            break
    return found


# --- tables ---------------------------------------------------------------------------------------------


def share_rows(found: Returning, curves: Curves, t: Texts) -> list[Row]:
    """The shares after each number of days as a table."""
    rows = []
    for one in curves.arms:
        known = {point.day: point for point in one.points}
        shares = {
            t("After {day:count} days", day=day): _share(known[day].share, known[day].interval, t)
            if day in known
            else t("not known yet")
            for day in found.settings.days
        }
        rows.append(
            {
                t("Arm"): one.arm,
                t("Customers"): t.count(one.people),
                t("Events"): t.count(one.events),
                **shares,
            }
        )
    return rows


def difference_rows(pair: Against, t: Texts) -> list[Row]:
    """The differences as a table."""
    return [
        {
            t("Days"): t.count(one.day),
            pair.arm: t.share(one.arm_share),
            pair.control: t.share(one.control_share),
            t("Difference (points)"): t.points(one.difference),
            t("Between (points)"): t(
                "{low:points} to {high:points}", low=one.interval[0], high=one.interval[1]
            ),
            t("P(more)"): t.percent(one.probability_better),
        }
        for one in pair.by_day
    ]


def ratio_rows(pair: Against, t: Texts) -> list[Row]:
    """The ratios as a table."""
    named = [
        (t("all days"), pair.hazard_ratio),
        (t("before day {day:count}", day=pair.split or 0), pair.early),
        (t("from then on"), pair.late),
        (t("late to early"), pair.change),
    ]
    return [
        {
            t("Hazard ratio"): name,
            t("Value"): t.number(one.value),
            t("Between"): t("{low:number} to {high:number}", low=one.interval[0], high=one.interval[1]),
            t("P(below 1)"): t.percent(one.probability_below),
        }
        for name, one in named
        if one is not None
    ]


def _share(share: float, interval: tuple[float, float], t: Texts) -> str:
    return t("{share:share} ({low:share} to {high:share})", share=share, low=interval[0], high=interval[1])
