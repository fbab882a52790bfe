"""The pictures of a comparison that was not random: can they be compared, what is left, what if not.

Every number that is an association is hatched; only a randomised experiment is drawn solid.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import altair as alt

from workbench.charts import posterior
from workbench.charts.picture import Drawing, Picture, in_words
from workbench.charts.theme import BACKGROUND, CONTROL, INK, LINE, TREATMENT, specified, themed
from workbench.decisions import change
from workbench.locale import Texts
from workbench.models.overlap import LARGEST_IMBALANCE, NO_COUNTERPART
from workbench.models.sensitivity import corrected
from workbench.records import Association, AssociationRecord, AssociationSummary, Refused
from workbench.records.association import Randomised, Step, Unit
from workbench.report.association import (
    balance_rows,
    covariate_name,
    few_or_share,
    ladder_rows,
    rung_name,
)

_HATCH = "M-1,1.4L1,-1.4"
_HATCHES = 64  # strokes across the whole axis
_STEPS = 41


def overlap(record: AssociationRecord, t: Texts) -> Picture | None:
    """How likely both groups were to have it: upwards those who had it, downwards the others."""
    shape = record.summary.overlap
    if shape is None:
        return None
    groups = record.summary.groups
    rows: list[dict[str, Any]] = [
        {
            "from": low * 100,
            "to": high * 100,
            "share": sign * count / group.customers * 100,
            "nothing": 0,
            "group": name,
        }
        for name, sign, group, counts in zip(
            ("first", "other"), (1, -1), groups, (shape.treated, shape.control), strict=True
        )
        for low, high, count in zip(shape.edges[:-1], shape.edges[1:], counts, strict=True)
        if count
    ]
    top = max((abs(row["share"]) for row in rows), default=1.0) * 1.18
    across = alt.X(
        "from:Q",
        title=t("How likely they were to have it (%)"),
        scale=alt.Scale(domain=[0, 100], nice=False),
    )
    size = alt.Y(
        "share:Q",
        title=t("% of the group"),
        scale=alt.Scale(domain=[-top, top], nice=False),
        axis=alt.Axis(labelExpr="abs(datum.value)", tickCount=4),
    )
    edge = NO_COUNTERPART * 100
    zones = alt.Data(values=[{"from": 0, "to": edge}, {"from": 100 - edge, "to": 100}])
    names = [
        {"x": 50, "y": top * 0.92, "text": t("▲ {who}", who=groups[0].who)},
        {"x": 50, "y": -top * 0.92, "text": t("▼ {who}", who=groups[1].who)},
    ]
    chart = alt.layer(
        alt.Chart(zones).mark_rect(color=LINE, opacity=0.7).encode(x="from:Q", x2="to:Q"),
        alt.Chart(alt.Data(values=rows))
        .mark_bar(binSpacing=1)
        .encode(
            x=across,
            x2="to:Q",
            y=size,
            y2="nothing:Q",
            color=alt.Color(
                "group:N",
                legend=None,
                scale=alt.Scale(domain=["first", "other"], range=[TREATMENT, CONTROL]),
            ),
        ),
        alt.Chart(alt.Data(values=[{"y": 0}])).mark_rule(color=INK).encode(y="y:Q"),
        alt.Chart(alt.Data(values=names)).mark_text(color=INK).encode(x="x:Q", y="y:Q", text="text:N"),
    )
    first, other = shape.alone
    title = t(
        "{first} of the first group and {other} of the other have no counterpart",
        first=few_or_share(first),
        other=few_or_share(other),
    )
    if first == other == 0:
        title = t("Everybody has a counterpart in the other group")
    caption = t(
        "As if both groups were equally large. Where bars face each other, like can be compared with "
        "like; in the grey zones hardly anybody is in the other group."
    )
    if None in (*shape.treated, *shape.control):
        caption += " " + t("Bars of too few people are not drawn.")
    return Picture(title, themed(chart.properties(height=240), t.language), title, caption)


def love(record: AssociationRecord, t: Texts) -> Picture | None:
    """How far apart the groups are in each covariate, before and after weighting."""
    rows = _worst_levels(record.summary)
    if not rows:
        return None
    for row in rows:
        row["label"] = t(covariate_name(row["covariate"]))
    order = [row["label"] for row in rows]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=posterior.names())
    )
    top = 1.05 * max(LARGEST_IMBALANCE, *(max(row["before"], row["after"]) for row in rows))
    across = alt.X(
        "before:Q",
        title=t("Largest standardised difference"),
        scale=alt.Scale(domain=[-0.04 * top, top], nice=False),  # room for a dot at zero
    )
    limit = alt.Data(values=[{"x": LARGEST_IMBALANCE}])
    chart = alt.layer(
        alt.Chart(limit).mark_rule(color=INK, strokeDash=[4, 4]).encode(x="x:Q"),
        base.mark_rule(color=LINE, strokeWidth=2).encode(x=across, x2="after:Q"),
        base.mark_point(filled=True, color="white", size=80, opacity=1).encode(x="before:Q"),
        base.mark_point(filled=False, color=CONTROL, size=80, strokeWidth=1.5).encode(x="before:Q"),
        base.mark_point(filled=True, color=TREATMENT, size=110, opacity=1).encode(x="after:Q"),
    )
    worst = max(row["after"] for row in rows)
    title = t("Weighted, both groups are alike in what is known")
    if worst >= LARGEST_IMBALANCE:
        title = t("Even weighted, the groups are not alike in what is known")
    return Picture(
        title,
        themed(chart.properties(height=alt.Step(26)), t.language),
        in_words(balance_rows(record, t)),
        t(
            "○ as they are, ● weighted. Dashed: {most:plain}, the most that is let pass.",
            most=LARGEST_IMBALANCE,
        ),
    )


def ladder(record: AssociationRecord, t: Texts) -> Picture | None:
    """The difference on each rung, from the groups as they are to the randomised experiment."""
    view, asked = record.summary, record.settings.target
    steps = [step for step in view.ladder if not isinstance(step.answer, Refused)]
    if not steps:
        return None
    axis, scale = _axis(view.unit, t)
    rows = [_line(view.unit, step, scale, t) | {"asked": step.rung == asked} for step in steps]
    low, high = min(0.0, *(row["low"] for row in rows)), max(0.0, *(row["high"] for row in rows))
    gap = (high - low) / _HATCHES or 1.0
    hatches = [
        {"label": row["label"], "x": row["low"] + gap * (k + 0.5)}
        for row in rows
        if row["kind"] == "association"
        for k in range(max(1, int((row["high"] - row["low"]) / gap)))
    ]
    y = alt.Y("label:N", sort=[row["label"] for row in rows], title=None, axis=posterior.names())
    base = alt.Chart(alt.Data(values=rows)).encode(y=y)
    across = alt.X("low:Q", title=axis, scale=alt.Scale(domain=[low - 2 * gap, high + 2 * gap], nice=True))

    def those(condition: str) -> alt.Chart:
        return base.transform_filter(condition)

    chart = alt.layer(
        alt.Chart(alt.Data(values=[{"x": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(x="x:Q"),
        base.mark_rule(strokeWidth=14, opacity=0.12, color=TREATMENT).encode(x=across, x2="high:Q"),
        alt.Chart(alt.Data(values=hatches))
        .mark_point(shape=_HATCH, size=60, stroke=TREATMENT, strokeWidth=1, opacity=0.6, filled=False)
        .encode(y=y, x="x:Q"),
        those("datum.kind == 'effect'")
        .mark_rule(strokeWidth=14, opacity=0.45, color=TREATMENT)
        .encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, color="white", size=150, opacity=1).encode(x="mean:Q"),
        base.mark_point(filled=False, color=TREATMENT, size=110, strokeWidth=2, opacity=1).encode(x="mean:Q"),
        those("datum.asked || datum.kind == 'effect'")
        .mark_point(filled=True, color=TREATMENT, size=110, opacity=1)
        .encode(x="mean:Q"),
        base.mark_text(dy=-17, stroke=BACKGROUND, strokeWidth=4).encode(x="mean:Q", text="text:N"),
        base.mark_text(dy=-17, color=INK).encode(x="mean:Q", text="text:N"),
    )
    seen = next(step.answer for step in steps if step.rung == "seen")
    assert isinstance(seen, Association)
    title = t("As they are the difference is {seen}", seen=change(view.unit, seen.difference))
    if isinstance(view.answer, Association):
        title = t(
            "As they are the difference is {seen}; between people who are alike, {left}",
            seen=change(view.unit, seen.difference),
            left=change(view.unit, view.answer.difference),
        )
    caption = t(
        "● the answer, ○ the other rungs, with their intervals. Hatched: an association, not an effect."
    )
    if any(isinstance(step.answer, Randomised) for step in steps):
        caption += " " + t("Solid: a randomised experiment.")
    return Picture(
        title,
        themed(chart.properties(height=alt.Step(52)), t.language),
        in_words(ladder_rows(record, t)),
        caption,
        wide=True,
    )


def hidden(
    record: AssociationRecord, imbalance: float, outcome_difference: float, t: Texts
) -> Picture | None:
    """What would be left of the answer if a hidden cause were that much more frequent in one group."""
    view = record.summary
    if not isinstance(view.answer, Association):
        return None
    axis, scale = _axis(view.unit, t)
    most = max(0.5, abs(imbalance))
    rows = []
    for k in range(_STEPS):
        x = most * k / (_STEPS - 1)
        moved = [
            corrected(value, x, outcome_difference) * scale
            for value in (view.answer.difference, *view.answer.interval)
        ]
        rows.append({"x": x * 100, "mean": moved[0], "low": moved[1], "high": moved[2]})
    left = corrected(view.answer.difference, imbalance, outcome_difference)
    low, high = (corrected(value, imbalance, outcome_difference) for value in view.answer.interval)
    here = {"x": imbalance * 100, "mean": left * scale, "low": low * scale, "high": high * scale}
    spec = _hidden(axis, t("More frequent by (percentage points)"), t.language)
    drawing = Drawing(spec, {"curve": rows, "here": [here], "nought": [{"y": 0}]})
    title = t(
        "With such a cause the difference would be {left}, from {low} to {high}",
        left=change(view.unit, left),
        low=change(view.unit, low),
        high=change(view.unit, high),
    )
    return Picture(title, drawing, title, wide=True)


@lru_cache(maxsize=32)
def _hidden(axis: str, across: str, language: str) -> dict[str, Any]:
    x = alt.X("x:Q", title=across, scale=alt.Scale(nice=False))
    base = alt.Chart(alt.NamedData("curve")).encode(x=x)
    here = alt.Chart(alt.NamedData("here")).encode(x="x:Q")
    chart = alt.layer(
        base.mark_area(color=TREATMENT, opacity=0.12).encode(y=alt.Y("low:Q", title=axis), y2="high:Q"),
        base.mark_line(color=TREATMENT, strokeDash=[6, 4]).encode(y="mean:Q"),
        alt.Chart(alt.NamedData("nought")).mark_rule(color=INK, strokeWidth=1.5).encode(y="y:Q"),
        here.mark_rule(color=TREATMENT, strokeWidth=3).encode(y="low:Q", y2="high:Q"),
        here.mark_point(filled=True, color=TREATMENT, size=120, opacity=1).encode(y="mean:Q"),
    )
    return specified(themed(chart.properties(height=220), language))


def _worst_levels(view: AssociationSummary) -> list[dict[str, Any]]:
    """Each covariate with the largest difference of its levels, the largest first."""
    found: dict[str, dict[str, Any]] = {}
    for line in view.balance:
        row = found.setdefault(line.covariate, {"covariate": line.covariate, "before": 0.0, "after": 0.0})
        row["before"] = max(row["before"], abs(line.before))
        row["after"] = max(row["after"], abs(line.after))
    return sorted(found.values(), key=lambda row: -row["before"])


def _line(unit: Unit, step: Step, scale: float, t: Texts) -> dict[str, Any]:
    answer = step.answer
    assert not isinstance(answer, Refused)
    low, high = answer.interval
    return {
        "label": t(rung_name(step.rung)),
        "mean": answer.difference * scale,
        "low": low * scale,
        "high": high * scale,
        "kind": answer.word,
        "text": t(change(unit, answer.difference)),
    }


def _axis(unit: Unit, t: Texts) -> tuple[str, float]:
    """The unit of a difference, and what values are multiplied by to be in it."""
    units: dict[Unit, tuple[str, float]] = {
        "share": (t("Difference in percentage points"), 100.0),
        "money": (t("Difference per customer in {currency}", currency=t.currency), 1.0),
        "number": (t("Difference per customer"), 1.0),
    }
    return units[unit]
