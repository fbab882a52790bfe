"""When people come: a map of the week, a row a weekday, a column an hour, with both averages beside it."""

from __future__ import annotations

from typing import Any

import altair as alt

from workbench.analyses.hours import Hour, Hours
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import BACKGROUND, CELL_PAPER, CONTROL, QUIET, TREATMENT, themed
from workbench.locale import Texts
from workbench.report import Row

_CELL = 24  # px a weekday
_ROOM = 2.2  # cells that the bars of hours take above, and those of weekdays take on the right twice
_GAP = 0.3
_MOST_WORDS = 5  # hours that are read out
_BRIGHT = "#EEF4F9"


def hours_picture(found: Hours, t: Texts) -> Picture:
    """The darker, the more visits an hour; hatched what the data do not cover."""
    known = [one for one in found.hours if one.rate is not None]
    most = max(one.rate.value for one in known if one.rate)
    cells = [
        {
            "x": one.hour,
            "x2": one.hour + 1,
            "y": one.weekday,
            "y2": one.weekday + 1,
            "rate": one.rate.value,
            "when": _when(one, t),
            "said": _said(one, t),
            "n": one.visits,
        }
        for one in known
        if one.rate is not None
    ]
    unknown = [(one.hour, one.weekday) for one in found.hours if one.rate is None]
    across = alt.X(
        "x:Q",
        title=t("Hour on the shop’s clock"),
        scale=alt.Scale(domain=[0, 24 + 2 * _ROOM], nice=False),
        axis=alt.Axis(values=[0, 6, 12, 18, 24], grid=False, domain=False, ticks=False),
    )
    names = t.locale.days["format"]["abbreviated"]
    label = "".join(f"datum.value == {day + 0.5} ? '{names[day].rstrip('.')}' : " for day in range(7))
    down = alt.Y(
        "y:Q",
        title=None,
        scale=alt.Scale(domain=[7, -_ROOM], nice=False),
        axis=alt.Axis(
            values=[day + 0.5 for day in range(7)],
            labelExpr=f"{label}''",
            tickCount=7,
            grid=False,
            domain=False,
            ticks=False,
        ),
    )
    color = alt.Color(
        "rate:Q", legend=None, scale=alt.Scale(domain=[0, most], range=[_BRIGHT, TREATMENT], clamp=True)
    )
    tips = [
        alt.Tooltip("when:N", title=t("Hour")),
        alt.Tooltip("said:N", title=t("Visits an hour")),
        alt.Tooltip("n:Q", title=t("Visits"), format=","),
    ]
    bars = alt.Chart(alt.Data(values=_bars(found))).encode(across, down, x2="x2:Q", y2="y2:Q")
    layers: list[Any] = [
        alt.Chart(alt.Data(values=cells))
        .mark_rect(stroke=CELL_PAPER, strokeWidth=1)
        .encode(across, down, x2="x2:Q", y2="y2:Q", color=color, tooltip=tips),
        *_hatched(unknown, across, down),
        bars.mark_rect(color=CONTROL, opacity=0.55, stroke=BACKGROUND, strokeWidth=1),
    ]
    if unknown:
        caption = t("Darker: more visits an hour. Grey bars: the averages. Hatched: not in the data.")
    else:
        caption = t("Darker: more visits an hour. Grey bars: the averages of an hour and of a weekday.")
    height = round(_CELL * (7 + _ROOM))
    chart = themed(alt.layer(*layers).properties(height=height), t.language)
    title = t("Most visits: {when}", when=_when(found.busiest, t))
    if found.alike:
        title = t("No hour of the week stands out")
    top = sorted(known, key=lambda one: -(one.rate.value if one.rate else 0))[:_MOST_WORDS]
    words = in_words([{t("Hour"): _when(one, t), t("Visits an hour"): _said(one, t)} for one in top])
    return Picture(title, chart, f"{title}. {words}", caption, wide=True)


def _bars(found: Hours) -> list[dict[str, float]]:
    """Above each hour its average over all days, beside each weekday its average over all hours."""
    across = max((value or 0.0 for value in found.by_hour), default=0.0) or 1.0
    down = max((value or 0.0 for value in found.by_day), default=0.0) or 1.0
    above = [
        {"x": hour, "x2": hour + 1, "y": -_GAP, "y2": -_GAP - (_ROOM - _GAP) * (value or 0.0) / across}
        for hour, value in enumerate(found.by_hour)
    ]
    beside = [
        {
            "x": 24 + 2 * _GAP,
            "x2": 24 + 2 * (_GAP + (_ROOM - _GAP) * (value or 0.0) / down),
            "y": day,
            "y2": day + 1,
        }
        for day, value in enumerate(found.by_day)
    ]
    return above + beside


def _hatched(unknown: list[tuple[int, int]], across: alt.X, down: alt.Y) -> list[alt.Chart]:
    strokes = [((0.0, 0.5), (0.5, 0.0)), ((0.0, 1.0), (1.0, 0.0)), ((0.5, 1.0), (1.0, 0.5))]
    rows = [
        {"x": x + x1, "y": y + y1, "x2": x + x2, "y2": y + y2}
        for x, y in unknown
        for (x1, y1), (x2, y2) in strokes
    ]
    base = alt.Chart(alt.Data(values=rows))
    return (
        [base.mark_rule(color=QUIET, strokeWidth=1).encode(across, down, x2="x2:Q", y2="y2:Q")]
        if rows
        else []
    )


def _when(one: Hour, t: Texts) -> str:
    day = t.locale.days["format"]["wide"][one.weekday]
    return t("{weekday} from {hour:plain} to {then:plain}", weekday=day, hour=one.hour, then=one.hour + 1)


def _said(one: Hour, t: Texts) -> str:
    if one.rate is None:
        return "–"
    return t(
        "{rate:number} (between {low:number} and {high:number})",
        rate=one.rate.value,
        low=one.rate.low,
        high=one.rate.high,
    )


def hour_rows(found: Hours, t: Texts) -> list[Row]:
    """A row an hour, a column a weekday: visits an hour."""
    names = t.locale.days["format"]["abbreviated"]

    def said(value: float | None) -> str:
        return "–" if value is None else t.number(value)

    rows: list[Row] = []
    for hour in range(24):
        row = {t("Hour"): f"{hour}–{hour + 1}"}
        for day in range(7):
            rate = found.hours[24 * day + hour].rate
            row[names[day].rstrip(".")] = said(None if rate is None else rate.value)
        rows.append({**row, t("All days"): said(found.by_hour[hour])})
    last = {names[day].rstrip("."): said(found.by_day[day]) for day in range(7)}
    return [*rows, {t("Hour"): t("All hours"), **last, t("All days"): said(found.usual)}]
