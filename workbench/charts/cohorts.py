"""The pictures and tables of cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from workbench.charts.ends import axis, names, placed
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import CELL_INK, CELL_PAPER, CONTROL, LINE, TREATMENT, themed
from workbench.locale import Texts
from workbench.records import Cohort, CohortCell, CohortRecord, Projected
from workbench.records.cohorts import FIRST_ORDER, Measure
from workbench.report import Row
from workbench.report.cohorts import cohort_rows, named

MOST_ROWS = 36  # cohorts that are drawn, the newest; the table has all
MOST_AGES = 24
_HEIGHT = 280
_MOST_WORDS = 6  # cohorts that are read out
_DARK = 0.6  # of the scale: from here on numbers are white


def measure_name(measure: Measure, t: Texts) -> str:
    """What is in the cells."""
    return {
        "active": t("Per cent who bought"),
        "orders": t("Orders a customer"),
        "revenue": t("Revenue a customer"),
        "margin": t("Margin a customer"),
        "value": t("Margin a customer so far"),
    }[measure]


def written(cell: CohortCell, measure: Measure, t: Texts) -> str:
    """A cell's number, or that it would tell of few."""
    value = cell.a_customer(measure)
    if value is None:
        return t("few")
    if measure == "active":
        return t.percent(value, 0) if value >= 0.01 else t.percent(value)
    return t.number(value, 2) if measure == "orders" else t.money(value)


def pictures(found: CohortRecord, measure: Measure, t: Texts) -> list[Picture]:
    """The cells, and what a customer brought so far and is expected to bring."""
    return [grid(found, measure, t), value(found, t)]


def grid(found: CohortRecord, measure: Measure, t: Texts) -> Picture:
    """A row a cohort, a column an age; what not all of a cohort have lived through has a dashed edge."""
    cohorts = _drawn(found)
    names = [_label(one, found, t) for one in cohorts]
    ages = min(MOST_AGES, max((len(one.cells) for one in cohorts), default=0))
    # at the first age everybody has bought, which would leave no colour for the others
    first_counts = measure != "active" or found.settings.start != FIRST_ORDER
    coloured = [
        cell.a_customer(measure) or 0.0
        for one in cohorts
        for cell in one.cells[:ages]
        if cell.age > 0 or first_counts
    ]
    most = max(coloured, default=1.0) or 1.0
    rows = [
        {
            "cohort": name,
            "age": cell.age,
            "shade": min(1.0, shown / most),
            "text": written(cell, measure, t).replace("\N{NO-BREAK SPACE}%", "").replace(" %", ""),
            "said": written(cell, measure, t),
            "n": cell.customers,
            "whole": cell.whole,
            "dark": min(1.0, shown / most) > _DARK,
        }
        for name, one in zip(names, cohorts, strict=True)
        for cell in one.cells[:ages]
        if (shown := cell.a_customer(measure)) is not None
    ]
    known = {(row["cohort"], row["age"]) for row in rows}
    unknown = [
        {"cohort": name, "age": age} for name in names for age in range(ages) if (name, age) not in known
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "age:O",
            title=t("Age in {periods}", periods=_periods(found, t)),
            axis=alt.Axis(labelAngle=0, orient="top"),
        ),
        y=alt.Y("cohort:N", sort=names, title=None, axis=alt.Axis(labelLimit=180)),
        tooltip=[
            alt.Tooltip("cohort:N", title=t("Cohort")),
            alt.Tooltip("age:O", title=t("Age")),
            alt.Tooltip("said:N", title=measure_name(measure, t)),
            alt.Tooltip("n:Q", title=t("Customers"), format=","),
        ],
    )
    shade: Any = alt.Color(
        "shade:Q", scale=alt.Scale(domain=[0, 1], range=["#F1F5F9", TREATMENT]), legend=None
    )
    layers = [
        base.transform_filter("datum.whole").mark_rect(stroke="white", strokeWidth=1).encode(color=shade),
        base.transform_filter("!datum.whole").mark_rect(fill=CELL_PAPER),
        base.transform_filter("!datum.whole")
        .mark_rect(stroke=CONTROL, strokeWidth=1, strokeDash=[3, 2], fillOpacity=0.55)
        .encode(color=shade),
        *_hatched(unknown, names),
        base.mark_text(fontSize=11).encode(
            text="text:N",
            color=alt.condition("datum.dark && datum.whole", alt.value(CELL_PAPER), alt.value(CELL_INK)),
        ),
    ]
    title = _grid_title(found, measure, t)
    caption = t(
        "Dashed: not all customers of the cohort have lived so long; only those who have count. Hatched: not "
        "known yet."
    )
    if any(cell.a_customer(measure) is None for one in cohorts for cell in one.cells):
        caption = t(
            "Dashed: not all customers of the cohort have lived so long; only those who have count. Hatched: "
            "not known yet, or of too few people to be shown."
        )
    chart = themed(alt.layer(*layers).properties(height=alt.Step(24)), t.language)
    described = f"{title}. {in_words(cell_rows(found, measure, t)[-_MOST_WORDS:])}"
    return Picture(title, chart, described, caption, wide=True)


def _hatched(unknown: Sequence[dict[str, Any]], names: Sequence[str]) -> list[alt.Chart]:
    """What is not known: strokes across the cells, never the colour of nothing."""
    base = alt.Chart(alt.Data(values=list(unknown)))
    strokes = [((0.0, 0.5), (0.5, 0.0)), ((0.0, 1.0), (1.0, 0.0)), ((0.5, 1.0), (1.0, 0.5))]
    return [
        base.mark_rule(color=LINE, strokeWidth=1).encode(
            x=alt.X("age:O", bandPosition=x),
            y=alt.Y("cohort:N", sort=list(names), bandPosition=y),
            x2=alt.X2("age", bandPosition=x2),
            y2=alt.Y2("cohort", bandPosition=y2),
        )
        for (x, y), (x2, y2) in strokes
    ]


def _grid_title(found: CohortRecord, measure: Measure, t: Texts) -> str:
    """What the second age says, over all cohorts whose customers have lived through it."""
    at = [one.cells[1] for one in found.summary.cohorts if len(one.cells) > 1 and one.cells[1].whole]
    counted = [(cell.active, cell.customers) for cell in at if cell.active is not None]
    if measure == "active" and counted:
        share = sum(active for active, _ in counted) / sum(customers for _, customers in counted)
        return t("{share:percent} of customers bought again at age 1", share=share)
    return measure_name(measure, t)


def value(found: CohortRecord, t: Texts) -> Picture:
    """What a customer of each cohort brought by each age; dashed what is expected, with a band."""
    drawn = _some(found)
    rows: list[dict[str, Any]] = []
    ahead: list[dict[str, Any]] = []
    ends: list[dict[str, Any]] = []
    for one in drawn:
        name = _label(one, found, t)
        new = one is drawn[-1]
        rows += [
            {"cohort": name, "age": cell.age + 1, "value": cell.value, "new": new} for cell in _followed(one)
        ]
        ahead += [
            {
                "cohort": name,
                "age": point.age,
                "value": point.value,
                "low": point.interval[0],
                "high": point.interval[1],
                "new": new,
            }
            for point in _joined(one)
        ]
        last = one.ahead[-1] if one.ahead else None
        seen = _followed(one)
        if last is not None:
            ends.append({"cohort": name, "age": last.age, "value": last.value, "new": new})
        elif seen:
            ends.append({"cohort": name, "age": seen[-1].age + 1, "value": seen[-1].value, "new": new})
    values = [row["value"] for row in rows] + [row[name] for row in ahead for name in ("low", "high")]
    ends = placed(ends, "value", values, _HEIGHT) if ends else []
    color: Any = alt.condition("datum.new", alt.value(TREATMENT), alt.value(CONTROL))
    x: Any = alt.X("age:Q", title=t("Age in {periods}", periods=_periods(found, t)))
    y_title = t("{measure} ({currency})", measure=measure_name("value", t), currency=t.currency)
    y: Any = alt.Y("value:Q", title=y_title, scale=axis())
    detail = alt.Detail("cohort:N")
    tooltip = [
        alt.Tooltip("cohort:N", title=t("Cohort")),
        alt.Tooltip("age:Q", title=t("Age"), format=".1f"),
        alt.Tooltip("value:Q", title=measure_name("value", t), format=",.2f"),
    ]
    lived = alt.Chart(alt.Data(values=rows)).encode(x=x, y=y, detail=detail, color=color, tooltip=tooltip)
    later = alt.Chart(alt.Data(values=ahead)).encode(x=x, detail=detail, color=color)
    layers = [
        later.mark_area(opacity=0.18).encode(y=alt.Y("low:Q", title=y_title, scale=axis()), y2="high:Q"),
        later.mark_line(strokeDash=[5, 3]).encode(y=y, tooltip=tooltip),
        lived.mark_line(),
        *names(alt.Chart(alt.Data(values=ends)).encode(color=color), x, "value", "cohort", fontSize=12),
    ]
    title = t("What a customer has brought, by age")
    caption = t("The newest cohort that can be followed is blue.")
    if ahead:
        caption = t(
            "The newest cohort that can be followed is blue. Dashed: expected; band: where the expectation "
            "lies, with {level:whole_percent}.",
            level=found.settings.level,
        )
    chart = themed(alt.layer(*layers).properties(height=_HEIGHT), t.language)
    described = f"{title}. {in_words(cohort_rows(found, t)[-_MOST_WORDS:])}"
    return Picture(title, chart, described, caption, wide=True)


def _joined(one: Cohort) -> tuple[Projected, ...]:
    """What is to come, from where the line of what was seen ends."""
    seen = _followed(one)
    if not one.ahead or not seen:
        return one.ahead
    end = seen[-1].value or 0.0
    return (Projected(age=seen[-1].age + 1.0, value=end, interval=(end, end)), *one.ahead[1:])


def _followed(one: Cohort) -> list[CohortCell]:
    """The ages that all of a cohort have lived through and whose value may be told."""
    return [cell for cell in one.cells if cell.whole and cell.value is not None]


def _some(found: CohortRecord, most: int = 5) -> list[Cohort]:
    """Cohorts spread over time, the newest that has lived through an age last."""
    lived = [one for one in found.summary.cohorts if _followed(one)]
    if len(lived) <= most:
        return lived
    step = (len(lived) - 1) / (most - 1)
    return [lived[round(place * step)] for place in range(most)]


def _drawn(found: CohortRecord) -> Sequence[Cohort]:
    return found.summary.cohorts[:MOST_ROWS] if found.settings.by else found.summary.cohorts[-MOST_ROWS:]


def _label(one: Cohort, found: CohortRecord, t: Texts) -> str:
    return t(named(one.name, found.settings))


def _periods(found: CohortRecord, t: Texts) -> str:
    return {"day": t("days"), "week": t("weeks"), "month": t("months"), "quarter": t("quarters")}[
        found.settings.period
    ]


def cell_rows(found: CohortRecord, measure: Measure, t: Texts) -> list[Row]:
    """The cells as a table; an asterisk where not all of a cohort have lived so long."""
    most = max((len(one.cells) for one in found.summary.cohorts), default=0)
    rows = []
    for one in found.summary.cohorts:
        row = {t("Cohort"): _label(one, found, t), t("Customers"): t.count(one.customers)}
        for age in range(most):
            cell = one.cells[age] if age < len(one.cells) else None
            said = "" if cell is None else written(cell, measure, t) + ("" if cell.whole else "*")
            row[t.count(age)] = said
        rows.append(row)
    return rows


def mix_rows(found: CohortRecord, t: Texts) -> list[Row]:
    """What each cohort is made of."""
    groups = sorted({name for one in found.summary.cohorts for name in one.mix})
    return [
        {
            t("Cohort"): _label(one, found, t),
            **{name: t.percent(one.mix.get(name, 0) / sum(one.mix.values())) for name in groups},
        }
        for one in found.summary.cohorts
        if one.mix
    ]
