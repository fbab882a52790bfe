"""The pictures of an experiment's record."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt

from workbench.charts import posterior
from workbench.charts.theme import CONTROL, INK, TREATMENT, themed
from workbench.decisions import change, main_comparison
from workbench.locale import Texts
from workbench.records import EffectRecord, Interval

Unit = Literal["share", "money", "number"]


def _axis(record: EffectRecord, t: Texts) -> tuple[str, float]:
    """The difference's unit, and what values are multiplied by to be in it."""
    if record.summary.unit == "share":
        return t("Difference in percentage points"), 100.0
    if record.summary.unit == "money":
        return t("Difference per customer in {currency}", currency=t.currency), 1.0
    return t("Difference in {metric} per customer", metric=record.summary.metric), 1.0


def difference(record: EffectRecord, t: Texts) -> alt.LayerChart:
    """The posterior of the difference between the best arm and the control."""
    item = main_comparison(record.summary)
    assert item.density is not None
    axis, scale = _axis(record, t)
    low, high = item.difference_interval
    title = t(
        "{arm} less {control}: between {low} and {high}",
        arm=item.arm,
        control=item.control,
        low=t(change(record.summary.unit, low)),
        high=t(change(record.summary.unit, high)),
    )
    return posterior.density(
        item.density,
        item.difference_interval,
        t,
        title=title,
        axis=axis,
        scale=scale,
        zone=_zone(record),
        association=record.summary.word == "association",
    )


def dots(record: EffectRecord, t: Texts) -> alt.LayerChart:
    """Fifty dots: in how many of fifty equally likely worlds the arm is better."""
    item = main_comparison(record.summary)
    assert item.density is not None
    axis, scale = _axis(record, t)
    lower = record.settings.lower_is_better
    title = t(
        "In {n:count} of 50 equally likely cases {arm} is better",
        n=posterior.better_dots(item.density, lower),
        arm=item.arm,
    )
    return posterior.dots(
        item.density, t, title=title, axis=axis, scale=scale, zone=_zone(record), lower_is_better=lower
    )


def _zone(record: EffectRecord) -> Interval | None:
    """The lifts that do not matter, as differences around the control's mean."""
    item = main_comparison(record.summary)
    if not record.settings.rope or item.lift is None:
        return None
    return -record.settings.rope * item.control_mean, record.settings.rope * item.control_mean


def forest(record: EffectRecord, t: Texts) -> alt.LayerChart | None:
    """Segments as seen (hollow) and pooled (solid), largest first; None when there are none."""
    items = [item for item in record.summary.comparisons if item.segment is not None and item.pooled]
    if not items:
        return None
    axis, scale = _axis(record, t)
    several = len(record.summary.arms) > 2
    items.sort(key=lambda item: -item.pooled.difference if item.pooled else 0)
    rows: list[dict[str, Any]] = []
    for item in items:
        assert item.pooled is not None
        label = f"{item.segment} · {item.arm}" if several else str(item.segment)
        low, high = item.pooled.difference_interval
        rows.append(
            {
                "label": f"{label} ({t.count(item.n)})",
                "raw": item.difference * scale,
                "pooled": item.pooled.difference * scale,
                "low": low * scale,
                "high": high * scale,
                "raw_low": item.difference_interval[0] * scale,
                "raw_high": item.difference_interval[1] * scale,
            }
        )
    order = [row["label"] for row in rows]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=180, ticks=False, domain=False))
    )
    overall = main_comparison(record.summary).difference * scale
    layers = [
        alt.Chart(alt.Data(values=[{"x": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(x="x:Q"),
        alt.Chart(alt.Data(values=[{"x": overall}]))
        .mark_rule(color=CONTROL, strokeDash=[4, 4])
        .encode(x="x:Q"),
        base.mark_rule(color=CONTROL, strokeWidth=1, yOffset=6).encode(x="raw_low:Q", x2="raw_high:Q"),
        base.mark_rule(color=TREATMENT, strokeWidth=4, opacity=0.45).encode(
            x=alt.X("low:Q", title=axis), x2="high:Q"
        ),
        base.mark_point(filled=False, color=CONTROL, size=60, yOffset=6, strokeWidth=1.5).encode(x="raw:Q"),
        base.mark_point(filled=True, color=TREATMENT, size=110, opacity=1).encode(x="pooled:Q"),
    ]
    title = alt.TitleParams(
        t("By segment: ● pooled, ○ as seen, ┆ everybody"),
    )
    chart = alt.layer(*layers).properties(title=title, height=alt.Step(36))
    return themed(chart, t.language)


def pictures(record: EffectRecord, t: Texts) -> list[tuple[alt.LayerChart, str]]:
    """Every picture of the record with a sentence that says what it shows, the answer first."""
    from workbench.report import segment_rows

    found = [(difference(record, t), t(record.verdict))]
    if record.summary.word == "effect":
        found.append((dots(record, t), str(dots(record, t).title)))
    chart = forest(record, t)
    if chart is not None:
        described = "; ".join(
            ", ".join(f"{k} {v}" for k, v in row.items()) for row in segment_rows(record, t)
        )
        found.append((chart, described))
    return found
