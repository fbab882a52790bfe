"""Groups that are drawn towards each other: their values, what an arm adds, how their orders grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt

from workbench.analyses.estimates import Estimate
from workbench.analyses.value_rise import Rise
from workbench.charts import posterior
from workbench.charts.picture import Drawing, Picture, in_words
from workbench.charts.theme import CONTROL, INK, TREATMENT, specified, themed
from workbench.locale import Texts
from workbench.records import Alone, ArmWithin, Interval, ValueRecord
from workbench.report import Row, group_name, value_rows
from workbench.report.value import value_definition
from workbench.report.value_groups import segment_rows


@dataclass(frozen=True)
class Mark:
    """A group: pooled, alone where its own customers say enough, by the sampler where that was asked for."""

    label: str
    text: str
    mean: float
    interval: Interval
    alone: Alone | None
    sampled: float | None = None


def pooled(record: ValueRecord, t: Texts) -> Picture:
    """The value of every group, the most valuable first."""
    summary = record.summary
    assert summary.pooled is not None
    marks = [
        Mark(
            label=f"{group_name(group.group, t)} ({t.count(group.customers)})",
            text=t.money(group.mean),
            mean=group.mean,
            interval=group.interval,
            alone=group.alone,
            sampled=group.confirmed.mean if group.confirmed else None,
        )
        for group in summary.value
    ]
    axis = t("Value of a new customer in {currency}", currency=t.currency)
    chart = _forest(marks, axis, t, line=summary.pooled.average, zero=False)
    caption = f"{_legend(marks, t)} {t(value_definition(record.settings))}"
    title = t("What a newly acquired customer is worth")
    return Picture(title, chart, in_words(value_rows(record, t)), caption, wide=True)


def within(record: ValueRecord, t: Texts) -> list[Picture]:
    """What each arm adds in every segment, most first."""
    found = record.summary.within
    return [_arm(record, arm, t) for arm in found.arms if arm.segments] if found is not None else []


def _arm(record: ValueRecord, arm: ArmWithin, t: Texts) -> Picture:
    found = record.summary.within
    assert found is not None
    marks = [
        Mark(
            label=f"{one.segment} ({t.count(one.customers)})",
            text=t.signed_money(one.mean),
            mean=one.mean,
            interval=one.interval,
            alone=one.alone,
        )
        for one in arm.segments
    ]
    axis = t("Difference of the value of a customer in {currency}", currency=t.currency)
    chart = _forest(marks, axis, t, line=arm.mean, zero=True, dashed=_is_association(record))
    title = t("“{arm}” less “{control}”, by {by}", arm=arm.arm, control=found.control, by=found.by)
    return Picture(title, chart, in_words(segment_rows(arm, t, alone=True)), _legend(marks, t), wide=True)


def _is_association(record: ValueRecord) -> bool:
    return any(item.word == "association" for item in record.summary.differences)


def _legend(marks: Sequence[Mark], t: Texts) -> str:
    words = t(
        "● drawn towards the others as far as they are alike, with its interval; ○ by its own customers "
        "alone; dashed line: everybody. In brackets: customers."
    )
    if any(mark.sampled is not None for mark in marks):
        words += " " + t("◆ by PyMC.")
    return words


def rises(found: Rise, t: Texts) -> Picture:
    """The rise of a group's orders a year, the largest first."""
    marks = [
        Mark(
            label=f"{group_name(one.group, t)} ({t.count(one.customers)})",
            text=t.signed_percent(one.rise.value),
            mean=100 * one.rise.value,
            interval=(100 * one.rise.low, 100 * one.rise.high),
            alone=None
            if one.seen is None or len(found.groups) < 2
            else Alone(mean=100 * one.seen.value, interval=(100 * one.seen.low, 100 * one.seen.high)),
        )
        for one in found.groups
    ]
    axis = t("Rise of an order for each year of a customer’s age, in %")
    chart = _forest(marks, axis, t, line=100 * found.typical.value, zero=True)
    title = t("How orders grow as the same customers grow older")
    legend = _legend(marks, t) if len(marks) > 1 else ""
    return Picture(title, chart, in_words(rise_rows(found, t)), legend, wide=True)


def rise_rows(found: Rise, t: Texts) -> list[Row]:
    """Rises as a table."""

    def words(one: Estimate) -> str:
        low, high = t.signed_percent(one.low), t.signed_percent(one.high)
        return t("{value} ({low} to {high})", value=t.signed_percent(one.value), low=low, high=high)

    return [
        {
            t("Group"): group_name(one.group, t),
            t("Customers with two purchases"): t.count(one.customers),
            t("Mean order"): t.money(one.order),
            t("Rise a year"): words(one.rise),
            t("Its own customers alone"): "–" if one.seen is None else words(one.seen),
        }
        for one in found.groups
    ]


def _forest(
    marks: Sequence[Mark], axis: str, t: Texts, *, line: float, zero: bool, dashed: bool = False
) -> Drawing:
    rows: list[dict[str, Any]] = []
    for mark in marks:
        low, high = mark.interval
        row = {
            "label": mark.label,
            "order": len(rows),
            "text": mark.text,
            "mean": mark.mean,
            "low": low,
            "high": high,
        }
        if mark.alone is not None:
            begin, end = mark.alone.interval
            row |= {"alone": mark.alone.mean, "alone_low": begin, "alone_high": end}
        if mark.sampled is not None:
            row["sampled"] = mark.sampled
        rows.append(row)
    data = {
        "groups": rows,
        "alone": [row for row in rows if "alone" in row],
        "sampled": [row for row in rows if "sampled" in row],
        "line": [{"x": line}],
        "nought": [{"x": 0}] if zero else [],
    }
    return Drawing(_spec(axis, dashed, t.language), data)


@lru_cache(maxsize=32)
def _spec(axis: str, dashed: bool, language: str) -> dict[str, Any]:
    base, alone, sampled = (
        alt.Chart(alt.NamedData(name)).encode(y=posterior.down()) for name in ("groups", "alone", "sampled")
    )
    across = alt.X("low:Q", title=axis, scale=alt.Scale(zero=False, nice=True, padding=24))
    look: dict[str, Any] = (
        {"strokeDash": [6, 4], "strokeWidth": 3} if dashed else {"strokeWidth": 5, "opacity": 0.4}
    )
    layers = [
        alt.Chart(alt.NamedData("nought")).mark_rule(color=INK, strokeWidth=1.5).encode(x="x:Q"),
        alt.Chart(alt.NamedData("line")).mark_rule(color=CONTROL, strokeDash=[4, 4]).encode(x="x:Q"),
        base.mark_rule(color=TREATMENT, **look).encode(x=across, x2="high:Q"),
        alone.mark_rule(color=CONTROL, strokeWidth=1, yOffset=9).encode(x="alone_low:Q", x2="alone_high:Q"),
        alone.mark_point(filled=True, color="white", size=50, opacity=1, yOffset=9).encode(x="alone:Q"),
        alone.mark_point(filled=False, color=CONTROL, size=50, yOffset=9, strokeWidth=1.5).encode(
            x="alone:Q"
        ),
        base.mark_point(filled=not dashed, color=TREATMENT, size=120, opacity=1).encode(x="mean:Q"),
        sampled.mark_point(shape="diamond", filled=True, color=INK, size=45, opacity=1, yOffset=9).encode(
            x="sampled:Q"
        ),
        base.mark_text(dy=-14).encode(x="mean:Q", text="text:N", color=alt.value(INK)),
    ]
    return specified(themed(alt.layer(*layers).properties(height=alt.Step(50)), language))
