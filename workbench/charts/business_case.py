"""The picture of a business case: net gain over the months, as a fan."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import altair as alt

from workbench.analyses.business_case import BusinessCase
from workbench.analyses.business_case_words import break_even, month_rows, months
from workbench.charts.picture import Drawing, Picture, in_words
from workbench.charts.theme import INK, QUIET, TREATMENT, specified, themed
from workbench.locale import Texts

_HEIGHT = 220


def fan(case: BusinessCase, t: Texts) -> Picture:
    """Net gain by the end of each month: expected, with bands of what the experiment leaves possible."""
    bands = [
        {"month": month, "low": one.bands[level][0], "high": one.bands[level][1], "level": level}
        for level in reversed(case.levels)
        for month, one in enumerate(case.fan)
    ]
    middle = [{"month": month, "net": one.mean} for month, one in enumerate(case.fan)]
    last = case.fan[-1]
    low, high = last.bands[case.level]
    ends: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for value in _apart([low, last.mean, high]):
        below = value == low < 0  # where no other words are
        ends[below].append({"month": case.course.months, "net": value, "text": t.signed_money(value)})
    data: dict[str, list[dict[str, Any]]] = {
        "bands": bands,
        "middle": middle,
        "nought": [{"net": 0}],
        **_named(t("as without it"), case),
        "ends": ends[False],
        "under": ends[True],
        "back": [] if case.month is None else [{"month": case.month, "net": 0}],
    }
    chart = Drawing(
        _spec(
            t("Months after the beginning"),
            t("Net gain so far in {currency}", currency=t.currency),
            t.language,
            t.currency,
        ),
        data,
    )
    levels = t.listing([t.whole_percent(level) for level in case.levels])
    caption = t(
        "Line: expected. Bands, from dark to light: {levels} of what the experiment leaves possible. How "
        "wrong the assumptions may be stands in the table, not in the bands.",
        levels=levels,
    )
    return Picture(_title(case, t), chart, in_words(month_rows(case, t)), caption, wide=True)


def _title(case: BusinessCase, t: Texts) -> str:
    time = t(months(case.course.months))
    if case.month is None:
        return t("In {time} it is not expected to pay for itself", time=time)
    if case.lost_again:
        month = case.course.months
        return t(
            "Paid back by {month}, but no longer by month {last:count}", month=break_even(case, t), last=month
        )
    if case.cost == 0:
        return t("Without a cost every month is gain")
    first, last = case.month_interval
    if first is None or last is None:
        return t(
            "Paid back by {month} on average, with {p:percent} within {time}",
            month=break_even(case, t),
            p=case.back[-1],
            time=time,
        )
    if first == last:
        return t(
            "Surely paid back by {month} ({level:whole_percent})", month=break_even(case, t), level=case.level
        )
    return t(
        "Paid back by {month}, between month {first:count} and {last:count} ({level:whole_percent})",
        month=break_even(case, t),
        first=first,
        last=last,
        level=case.level,
    )


def _named(text: str, case: BusinessCase) -> dict[str, list[dict[str, Any]]]:
    """The name of the line at nought, where the fan is not: under its end, or else over its beginning.

    Where nothing falls below nought that line is the axis, which says so itself.
    """
    said: dict[str, list[dict[str, Any]]] = {"begin": [], "end": []}
    level = case.level
    if case.fan[-1].bands[level][0] <= 0:
        said["begin"].append({"net": 0, "month": 0, "text": text})
    elif min(one.bands[level][0] for one in case.fan) < 0:
        said["end"].append({"net": 0, "month": case.course.months, "text": text})
    return said


def _apart(values: list[float]) -> list[float]:
    """Only the ends, where the middle would stand on one of them."""
    low, middle, high = values
    span = max(high, 0.0) - min(low, 0.0)
    return values if min(middle - low, high - middle) > 0.1 * span else [low, high]


@lru_cache(maxsize=32)
def _spec(across: str, up: str, language: str, currency: str) -> dict[str, Any]:
    x = alt.X(
        "month:Q",
        title=across,
        scale=alt.Scale(nice=False, zero=True),
        axis=alt.Axis(format="d", grid=False, tickMinStep=1),
    )
    money = alt.Axis(format="$,~f")
    y = alt.Y("net:Q", title=up, axis=money)
    bands = (
        alt.Chart(alt.NamedData("bands"))
        .mark_area(color=TREATMENT, opacity=0.18, line=False)
        .encode(x=x, y=alt.Y("low:Q", title=up, axis=money), y2="high:Q", detail="level:N")
    )
    nought = alt.Chart(alt.NamedData("nought"))
    layers: list[Any] = [
        bands,
        nought.mark_rule(color=INK, strokeWidth=1.5).encode(y=y),
        *(
            alt.Chart(alt.NamedData(name))
            .mark_text(align=align, dx=right, dy=down, color=QUIET)
            .encode(x=x, y=y, text="text:N")
            for name, align, right, down in (("begin", "left", 6, -8), ("end", "right", -4, 11))
        ),
        alt.Chart(alt.NamedData("middle")).mark_line(strokeWidth=2.5).encode(x=x, y=y),
        alt.Chart(alt.NamedData("back"))
        .mark_point(size=110, opacity=1, color=INK, filled=True)
        .encode(x=x, y=y),
        *(
            alt.Chart(alt.NamedData(name))
            .mark_text(align="right", dx=-4, dy=down, color=INK, fontWeight=600)
            .encode(x=x, y="net:Q", text="text:N")
            for name, down in (("ends", -8), ("under", 12))
        ),
    ]
    return specified(themed(alt.layer(*layers).properties(height=_HEIGHT), language, currency))
