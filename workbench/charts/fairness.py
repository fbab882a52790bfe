"""Groups of people held against each other: one forest a measure."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from workbench.analyses.fairness import Fairness, GroupResult, Measure
from workbench.charts import posterior
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import CONTROL, INK, TREATMENT, themed
from workbench.locale import Texts, say
from workbench.report import Row


def pictures(fairness: Fairness, t: Texts) -> list[Picture]:
    """A picture a measure; the title says which group stands out, if any is sure to."""
    return [
        Picture(
            title=title(measure, t),
            chart=forest(measure, t),
            description=in_words(rows([measure], t)),
            caption=caption(measure, t),
        )
        for measure in fairness.measures
    ]


def title(measure: Measure, t: Texts) -> str:
    """The answer: the group that is surest to differ and how much, or that none is."""
    sure = [item for item in measure.groups if item.differs and item.against_rest is not None]
    if not sure:
        return t("{measure}: no group is sure to differ", measure=measure.title)
    most = max(sure, key=lambda item: abs(item.against_rest or 0.0))
    return t(
        "{measure}: {group} {difference:signed_percent} against the rest",
        measure=measure.title,
        group=most.group,
        difference=most.against_rest,
    )


def caption(measure: Measure, t: Texts) -> str:
    """What is counted, and what is not shown."""
    words = [measure.about]
    if measure.hidden:
        words.append(say("Groups of too few people: {n:count}, not shown.", n=measure.hidden))
    return t.sentences([t(part) for part in words])


def forest(measure: Measure, t: Texts) -> alt.LayerChart:
    """Groups as seen (hollow) and pooled (solid), highest first; a diamond where one is sure to differ."""
    scale = 1.0 if measure.unit == "money" else 100.0
    shift = 1.0 if measure.unit == "index" else 0.0

    def at(value: float | None) -> float | None:
        return None if value is None else (value - shift) * scale

    items = sorted(measure.groups, key=lambda item: -(item.value if item.pooled is None else item.pooled))
    values = [
        {
            "label": f"{item.group} ({t.count(item.people)})",
            "raw": at(item.value),
            "raw_low": at(item.interval[0] if item.interval else None),
            "raw_high": at(item.interval[1] if item.interval else None),
            "pooled": at(item.pooled),
            "low": at(item.pooled_interval[0] if item.pooled_interval else None),
            "high": at(item.pooled_interval[1] if item.pooled_interval else None),
            "shape": "diamond" if item.differs else "circle",
        }
        for item in items
    ]
    across = alt.Scale(zero=False, nice=True)
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("label:N", sort=[row["label"] for row in values], title=None, axis=posterior.names())
    )
    known = base.transform_filter("isValid(datum.pooled)")
    seen = base.transform_filter("isValid(datum.raw_low)")
    layers = [
        alt.Chart(alt.Data(values=[{"x": at(measure.everybody)}]))
        .mark_rule(color=CONTROL, strokeDash=[4, 4])
        .encode(x="x:Q"),
        seen.mark_rule(color=CONTROL, strokeWidth=1, yOffset=8).encode(x="raw_low:Q", x2="raw_high:Q"),
        known.mark_rule(color=TREATMENT, strokeWidth=5, opacity=0.4).encode(
            x=alt.X("low:Q", title=_axis(measure, t), scale=across), x2="high:Q"
        ),
        base.mark_point(filled=True, color="white", size=50, opacity=1, yOffset=8).encode(x="raw:Q"),
        base.mark_point(filled=False, color=CONTROL, size=50, yOffset=8, strokeWidth=1.5).encode(x="raw:Q"),
        known.mark_point(filled=True, size=120, opacity=1).encode(
            x="pooled:Q",
            shape=alt.Shape("shape:N", scale=None, legend=None),
            color=alt.condition("datum.shape == 'diamond'", alt.value(INK), alt.value(TREATMENT)),
        ),
    ]
    return themed(alt.layer(*layers).properties(height=alt.Step(36)), t.language, t.currency)


def rows(measures: Sequence[Measure], t: Texts) -> list[Row]:
    """A row a group and measure."""
    return [
        {
            t("Measure"): t(measure.title),
            t("Group"): item.group,
            t("Customers"): t.count(item.people),
            t("As seen"): value(measure, item.value, t),
            t("Between"): between(measure, item, t),
            t("Pooled"): "–" if item.pooled is None else value(measure, item.pooled, t),
            t("Against the rest"): "–" if item.against_rest is None else t.signed_percent(item.against_rest),
            t("Between (against the rest)"): "–"
            if item.against_rest_interval is None
            else t(
                "{low:signed_percent} to {high:signed_percent}",
                low=item.against_rest_interval[0],
                high=item.against_rest_interval[1],
            ),
            t("Differs"): "–" if item.probability_differs is None else t.percent(item.probability_differs),
        }
        for measure in measures
        for item in measure.groups
    ]


def value(measure: Measure, number: float, t: Texts) -> str:
    """A value in its unit."""
    if measure.unit == "share":
        return t.percent(number)
    if measure.unit == "money":
        return t.money(number)
    return t.signed_percent(number - 1)


def between(measure: Measure, item: GroupResult, t: Texts) -> str:
    """The interval of the value as seen, or why there is none."""
    if item.interval is None:
        return t(item.refused) if item.refused else "–"
    low, high = (value(measure, end, t) for end in item.interval)
    return t("{low} to {high}", low=low, high=high)


def _axis(measure: Measure, t: Texts) -> str:
    if measure.unit == "money":
        return t("In {currency}", currency=t.currency)
    if measure.unit == "index":
        return t("Per cent above or below what all pay")
    return t("Per cent")
