"""The pictures of a lifetime-value record."""

from __future__ import annotations

from typing import Any

import altair as alt

from workbench.charts import posterior
from workbench.charts.theme import ARMS, CONTROL, INK, themed
from workbench.locale import Texts
from workbench.records import ValueRecord


def values(record: ValueRecord, t: Texts) -> alt.LayerChart:
    """What a new customer of each group is worth: mean, half and most of the posterior."""
    rows: list[dict[str, Any]] = []
    for index, group in enumerate(record.summary.value):
        spots = group.density.dots
        rows.append(
            {
                "label": f"{group.group or t('everybody')} ({t.count(group.customers)})",
                "mean": group.mean,
                "low": group.interval[0],
                "high": group.interval[1],
                "half_low": spots[len(spots) // 4],
                "half_high": spots[3 * len(spots) // 4],
                "text": t.money(group.mean),
                "color": CONTROL if _is_control(record, index) else ARMS[index % len(ARMS)],
            }
        )
    order = [row["label"] for row in rows]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=180, ticks=False, domain=False)),
        color=alt.Color("color:N", scale=None),
    )
    axis = t(
        "Value in {weeks:count} weeks in {currency}", weeks=record.settings.horizon_weeks, currency=t.currency
    )
    zero = alt.Scale(zero=False, nice=True, padding=12)
    layers = [
        base.mark_rule(strokeWidth=5, opacity=0.3).encode(
            x=alt.X("low:Q", title=axis, scale=zero), x2="high:Q"
        ),
        base.mark_rule(strokeWidth=9, opacity=0.75).encode(x="half_low:Q", x2="half_high:Q"),
        base.mark_point(filled=True, size=120, opacity=1).encode(x="mean:Q"),
        base.mark_text(dy=-14, fontSize=14, color=INK).encode(
            x="mean:Q", text="text:N", color=alt.value(INK)
        ),
    ]
    chart = alt.layer(*layers).properties(
        title=t("What a newly acquired customer is worth"), height=alt.Step(56)
    )
    return themed(chart, t.language)


def _is_control(record: ValueRecord, index: int) -> bool:
    return any(item.groups[1] == record.summary.value[index].group for item in record.summary.differences)


def difference(record: ValueRecord, t: Texts) -> alt.LayerChart | None:
    """The posterior of the difference between the first two groups; None with one group."""
    if not record.summary.differences:
        return None
    item = record.summary.differences[0]
    first, second = item.groups
    return posterior.density(
        item.density,
        item.interval,
        t,
        title=t(
            "{first} less {second}: between {low} and {high}",
            first=first,
            second=second,
            low=t.signed_money(item.interval[0]),
            high=t.signed_money(item.interval[1]),
        ),
        axis=t("Difference of the value of a customer in {currency}", currency=t.currency),
        association=item.word == "association",
    )


def pictures(record: ValueRecord, t: Texts) -> list[tuple[alt.LayerChart, str]]:
    """Every picture of the record with a sentence that says what it shows, the answer first."""
    from workbench.report import value_rows

    described = "; ".join(", ".join(f"{k} {v}" for k, v in row.items()) for row in value_rows(record, t))
    found = [(values(record, t), described)]
    chart = difference(record, t)
    return [(chart, t(record.verdict)), *found] if chart is not None else found
