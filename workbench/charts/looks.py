"""A test looked at again and again: what one sees by day, how often a winner is wrong, what clones do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt

from workbench.charts.picture import Drawing
from workbench.charts.posterior import down
from workbench.charts.theme import ARMS, INK, TREATMENT, WARNING, specified, themed
from workbench.locale import Texts
from workbench.records import Interval


def winners_by_day(shares: Sequence[float], t: Texts, *, once: float, guess: float) -> Drawing:
    """Share of tests without a difference that have a winner by each day, beside what was believed.

    Args:
        shares: From the first day on, with a look every day.
        t: The reader's language.
        once: Share with one look, on the last day.
        guess: What somebody believed.
    """
    last = len(shares)
    top = 100 * max(*shares, guess)
    line = [{"day": day, "share": 100 * share} for day, share in enumerate(shares, start=1)]
    ends = [
        {"day": last, "share": 100 * shares[-1], "label": t("a look every day"), "up": True},
        {"day": last, "share": 100 * once, "label": t("one look at the end"), "up": True},
    ]
    guessed = [{"share": 100 * guess, "day": 1, "label": t("your guess")}]
    data: dict[str, list[dict[str, Any]]] = {
        "line": line,
        "ends": ends,
        "guess": guessed,
        "top": [{"day": 1, "share": 1.1 * top}],
    }
    return Drawing(_winners(t("day"), t("tests with a winner (%)"), t.language), data)


@lru_cache(maxsize=8)
def _winners(across: str, up: str, language: str) -> dict[str, Any]:
    x = alt.X("day:Q", title=across, scale=alt.Scale(nice=False, zero=False, padding=8))
    y = alt.Y("share:Q", title=up, scale=alt.Scale(zero=True, nice=True))
    guess = alt.Chart(alt.NamedData("guess")).encode(y=y)
    ends = alt.Chart(alt.NamedData("ends")).encode(x=x, y=y)
    layers = [
        alt.Chart(alt.NamedData("top")).mark_point(opacity=0, aria=False).encode(x=x, y=y),
        guess.mark_rule(strokeDash=[6, 4], strokeWidth=2, color=ARMS[2]),
        guess.mark_text(align="left", dy=-9, dx=4, color=INK).encode(x=x, text="label:N"),
        alt.Chart(alt.NamedData("line")).mark_line(point=True, color=WARNING).encode(x=x, y=y),
        ends.mark_point(filled=True, size=90, opacity=1, color=INK),
        ends.mark_text(align="right", dy=-14, color=INK).encode(text="label:N"),
    ]
    return specified(themed(alt.layer(*layers).properties(height=240), language))


@dataclass(frozen=True)
class Seen:
    """A difference as it stands on a day, shares: its middle, most of it, half of it."""

    day: int
    middle: float
    most: Interval
    half: Interval


def by_day(days: Sequence[Seen], t: Texts, *, last: int, truth: float | None = None) -> Drawing:
    """B − A as it is known day by day, with the bands that hold 95 % and half of it.

    Args:
        days: From the first on.
        t: The reader's language.
        last: The day up to which the axis goes.
        truth: The true difference, once it may be seen.
    """
    rows = [
        {
            "day": one.day,
            "middle": 100 * one.middle,
            "low": 100 * one.most[0],
            "high": 100 * one.most[1],
            "half_low": 100 * one.half[0],
            "half_high": 100 * one.half[1],
        }
        for one in days
    ]
    true: list[dict[str, Any]] = []
    if truth is not None:
        true = [
            {"middle": 100 * truth, "day": last, "label": t("truth: {points:points} points", points=truth)}
        ]
    data: dict[str, list[dict[str, Any]]] = {
        "days": rows,
        "ends": [{"day": 1}, {"day": last}],
        "truth": true,
        "sides": [] if true else [{"middle": 0}],
    }
    words = t("day"), t("B − A (percentage points)"), t("B better ↑"), t("A better ↓")
    return Drawing(_by_day(*words, t.language), data)


@lru_cache(maxsize=8)
def _by_day(across: str, up: str, above: str, below: str, language: str) -> dict[str, Any]:
    x = alt.X("day:Q", title=across, scale=alt.Scale(nice=False, zero=False, padding=8))
    y = alt.Y("middle:Q", title=up, scale=alt.Scale(zero=True, nice=True))
    base = alt.Chart(alt.NamedData("days")).encode(x=x)
    truth = alt.Chart(alt.NamedData("truth")).encode(y=y)
    side = alt.Chart(alt.NamedData("sides")).encode(x=alt.value("width"), y=y)
    layers = [
        alt.Chart(alt.NamedData("ends")).mark_point(opacity=0, aria=False).encode(x=x),
        base.mark_rule(strokeWidth=8, opacity=0.25, color=TREATMENT).encode(
            y=alt.Y("low:Q", title=up), y2="high:Q"
        ),
        base.mark_rule(strokeWidth=8, opacity=0.75, color=TREATMENT).encode(y="half_low:Q", y2="half_high:Q"),
        alt.Chart(alt.Data(values=[{"middle": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(y=y),
        base.mark_point(filled=True, size=40, opacity=1, color=INK).encode(y=y),
        truth.mark_rule(color=WARNING, strokeWidth=2),
        truth.mark_text(align="right", dy=-9, color=WARNING, fontWeight=600).encode(x=x, text="label:N"),
        side.mark_text(align="right", dy=-9, color=INK, text=above),
        side.mark_text(align="right", dy=11, color=INK, text=below),
    ]
    return specified(themed(alt.layer(*layers).properties(height=260), language))


@dataclass(frozen=True)
class Outcomes:
    """How tests with one truth ended."""

    label: str
    right: int
    wrong: int
    none: int


def outcomes(items: Sequence[Outcomes], t: Texts) -> Drawing:
    """A bar for each truth, cut into right winners, wrong winners and no winner."""
    kinds = t("right winner"), t("wrong winner"), t("no winner")
    rows = []
    for order, item in enumerate(items):
        start = 0
        for kind, count in zip(kinds, (item.right, item.wrong, item.none), strict=True):
            rows.append(
                {
                    "label": item.label,
                    "order": order,
                    "kind": kind,
                    "start": start,
                    "end": start + count,
                    "middle": start + count / 2,
                    "count": t.count(count),
                    "wide": count > 0.07 * (item.right + item.wrong + item.none),
                }
            )
            start += count
    return Drawing(_outcomes(t("tests"), kinds, t.language), {"outcomes": rows})


@lru_cache(maxsize=8)
def _outcomes(axis: str, kinds: tuple[str, str, str], language: str) -> dict[str, Any]:
    base = alt.Chart(alt.NamedData("outcomes")).encode(y=down())
    colors = alt.Scale(domain=list(kinds), range=[TREATMENT, WARNING, "#D1D5DB"])
    inks = alt.Scale(domain=list(kinds), range=["white", INK, INK])
    layers = [
        base.mark_bar(height=26, stroke="white", strokeWidth=1).encode(
            x=alt.X("start:Q", title=axis, scale=alt.Scale(nice=False, zero=True)),
            x2="end:Q",
            color=alt.Color(
                "kind:N",
                title=None,
                scale=colors,
                legend=alt.Legend(columns=alt.ExprRef("width < 320 ? 1 : 3")),
            ),
        ),
        base.transform_filter("datum.wide")
        .mark_text()
        .encode(x="middle:Q", text="count:N", color=alt.Color("kind:N", scale=inks, legend=None)),
    ]
    chart = alt.layer(*layers).resolve_scale(color="independent").properties(height=alt.Step(40))
    return specified(themed(chart, language))
