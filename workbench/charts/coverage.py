"""The days of a table as a calendar: a column a week, a row a weekday, a block a year; gaps jump out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import altair as alt
import numpy as np

from workbench.charts.picture import Picture
from workbench.charts.theme import TREATMENT, WARNING, themed
from workbench.locale import Texts
from workbench.report import Row
from workbench.tables.checks.coverage import Stretch

Days = Sequence[tuple[date, int]]

_WEEKS_ALONE = 80
"""So many weeks stand in one block; more are put into a block a year."""

_FEWEST_WEEKS = 27
_MOST_MONTHS = 8  # that can be named side by side on a telephone
_LEAST_WEEKS = 2  # between two names
_CELL = 11  # px, the height of a day
_MARGIN = 0.12  # of a cell, left free around it
_BRIGHT = "#D3E5F1"  # a day with few rows
_EMPTY = "#C3C9D1"  # the outline of a day without
_USUAL = 0.95
"""The quantile of a day's rows from which on no day is darker: one busy day must not pale the others."""


def picture(name: str, days: Days, gaps: Sequence[Stretch], t: Texts, *, daily: bool = True) -> Picture:
    """The calendar of a table.

    Args:
        name: The table.
        days: Every day from the first to the last, with its rows.
        gaps: Stretches without rows that are more than chance.
        t: The reader's language.
        daily: Whether a day without rows is worth a word where it is no gap.
    """
    empty = sum(not rows for _, rows in days)
    said = _title(name, days, gaps, empty, t, daily=daily)
    caption = t("One square a day, one column a week; the darker, the more rows.")
    if gaps:
        caption = t("One square a day, one column a week; the darker, the more rows; crossed out: a gap.")
    span = t(
        "{table}: {n:count} rows on {full:count} of {days:count} days, from {first:date} to {last:date}.",
        table=name,
        n=sum(rows for _, rows in days),
        full=len(days) - empty,
        days=len(days),
        first=days[0][0],
        last=days[-1][0],
    )
    return Picture(title=said, chart=calendar(days, gaps, t), description=f"{said}. {span}", caption=caption)


def _title(name: str, days: Days, gaps: Sequence[Stretch], empty: int, t: Texts, *, daily: bool) -> str:
    if gaps:
        longest = max(gaps, key=lambda gap: gap.last - gap.first)
        values = {"table": name, "first": longest.first, "last": longest.last, "n": len(gaps)}
        if len(gaps) > 1:
            words = "{table}: {n:count} gaps, the longest from {first:date} to {last:date}"
            return t(words, **values)
        if longest.first == longest.last:
            return t("{table}: a gap on {first:date}", **values)
        return t("{table}: a gap from {first:date} to {last:date}", **values)
    if empty:
        values = {"table": name, "n": empty, "full": len(days) - empty, "days": len(days)}
        if daily and 2 * empty < len(days):
            return t("{table}: no gap; on {n:count} days there happens to be no row", **values)
        return t("{table}: rows on {full:count} of {days:count} days", **values)
    return t("{table}: rows on every day", table=name)


def calendar(days: Days, gaps: Sequence[Stretch], t: Texts) -> alt.LayerChart:
    """One square a day.

    Args:
        days: Every day from the first to the last, with its rows.
        gaps: Stretches to cross out.
        t: The reader's language.
    """
    blocks = _blocks(days)
    rows = []
    for day, count in days:
        week, down = _place(day, blocks)
        in_gap = any(gap.first <= day <= gap.last for gap in gaps)
        rows.append(
            {
                **_square(week, down),
                "day": t.date(day),
                "rows": count,
                "kind": "gap" if in_gap else "rows" if count else "none",
            }
        )
    weeks = max(row["x2"] for row in rows)
    filled = [count for _, count in days if count]
    top = float(np.quantile(filled, _USUAL)) if filled else 1.0
    depth = max(row["y2"] for row in rows)
    across = alt.X(
        "x:Q",
        title=None,
        scale=alt.Scale(domain=[0, max(weeks, _FEWEST_WEEKS)], nice=False),
        axis=_months(days, blocks, t),
    )
    down_axis = _weekdays(t) if len(blocks) == 1 else _years(blocks)
    down_ = alt.Y("y:Q", title=None, scale=alt.Scale(domain=[depth, 0], nice=False), axis=down_axis)
    base = alt.Chart(alt.Data(values=rows)).encode(across, down_, x2="x2:Q", y2="y2:Q")
    tips = [alt.Tooltip("day:N", title=t("Day")), alt.Tooltip("rows:Q", title=t("Rows"), format=",")]
    full = (
        base.transform_filter("datum.kind == 'rows'")
        .mark_rect(cornerRadius=1)
        .encode(
            color=alt.Color(
                "rows:Q",
                legend=None,
                scale=alt.Scale(type="sqrt", domain=[0, top], range=[_BRIGHT, TREATMENT], clamp=True),
            ),
            tooltip=tips,
        )
    )
    none = (
        base.transform_filter("datum.kind == 'none'")
        .mark_rect(color="#FFFFFF", stroke=_EMPTY, strokeWidth=1, cornerRadius=1)
        .encode(tooltip=tips)
    )
    missing = base.transform_filter("datum.kind == 'gap'")
    boxes = missing.mark_rect(color="#FFF4EC", stroke=WARNING, strokeWidth=1).encode(tooltip=tips)
    crosses = [
        missing.mark_rule(color=WARNING, strokeWidth=1.5).encode(y=alt.Y(f"{one}:Q"), y2=f"{other}:Q")
        for one, other in (("y", "y2"), ("y2", "y"))
    ]
    chart = alt.layer(full, none, boxes, *crosses).properties(height=_CELL * depth)
    return themed(chart, t.language)


def by_month(days: Days, gaps: Sequence[Stretch], t: Texts) -> list[Row]:
    """The same as a table: a row a month."""
    months: dict[tuple[int, int], list[tuple[date, int]]] = {}
    for day, rows in days:
        months.setdefault((day.year, day.month), []).append((day, rows))
    return [
        {
            t("Month"): f"{year}-{month:02}",
            t("Rows"): t.count(sum(rows for _, rows in within)),
            t("Days with rows"): t.count(sum(rows > 0 for _, rows in within)),
            t("Days without"): t.count(sum(not rows for _, rows in within)),
            t("Of them in gaps"): t.count(
                sum(any(gap.first <= day <= gap.last for gap in gaps) for day, _ in within)
            ),
        }
        for (year, month), within in months.items()
    ]


Blocks = list[tuple[int, date]]
"""The blocks from top to bottom: the year, and the Monday of the first week."""


def _blocks(days: Days) -> Blocks:
    first, last = days[0][0], days[-1][0]
    if ((last - first).days + first.weekday()) // 7 < _WEEKS_ALONE:
        return [(first.year, _monday(first))]
    return [(year, _monday(date(year, 1, 1))) for year in range(first.year, last.year + 1)]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _place(day: date, blocks: Blocks) -> tuple[int, int]:
    """The week of a day in its block, and how far down it is."""
    block = next((place for place, (year, _) in enumerate(blocks) if year == day.year), 0)
    block = 0 if len(blocks) == 1 else block
    return (day - blocks[block][1]).days // 7, block * 8 + day.weekday()


def _square(week: int, down: int) -> dict[str, float]:
    return {
        "x": week + _MARGIN,
        "x2": week + 1 - _MARGIN,
        "y": down + _MARGIN,
        "y2": down + 1 - _MARGIN,
    }


def _named(places: dict[float, str], **settings: Any) -> alt.Axis:
    """An axis with words at some places."""
    words = "".join(f"datum.value == {place} ? '{word}' : " for place, word in places.items())
    return alt.Axis(
        values=list(places),
        labelExpr=f"{words}''",
        grid=False,
        domain=False,
        ticks=False,
        tickCount=len(places),
        **settings,
    )


def _months(days: Days, blocks: Blocks, t: Texts) -> alt.Axis:
    """The months' names where they begin in the first block; the other years are hardly different."""
    year, monday = blocks[0]
    day, last = days[0][0], days[-1][0]
    if len(blocks) > 1:
        day, last = date(year, 1, 1), date(year, 12, 31)
    names = t.locale.months["format"]["abbreviated"]
    places: dict[float, str] = {}
    while day <= last:
        places.setdefault(float((day - monday).days // 7), names[day.month].rstrip("."))
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    if len(places) > _MOST_MONTHS:  # named where a quarter begins
        step = 3 if len(places) <= 3 * _MOST_MONTHS else 6
        quarters = {names[month].rstrip(".") for month in range(1, 13, step)}
        places = {week: name for week, name in places.items() if name in quarters}
    elif len(places) > 1 and sorted(places)[1] < _LEAST_WEEKS:
        del places[min(places)]
    return _named(places, labelAlign="left", orient="top")


def _weekdays(t: Texts) -> alt.Axis:
    names = t.locale.days["format"]["abbreviated"]
    return _named({day + 0.5: names[day].rstrip(".") for day in (0, 2, 4, 6)})


def _years(blocks: Blocks) -> alt.Axis:
    return _named({place * 8 + 3.5: str(year) for place, (year, _) in enumerate(blocks)})
