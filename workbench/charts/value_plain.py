"""From the plain product of averages to the model's answer, as a picture."""

from __future__ import annotations

from typing import Any

import altair as alt

from workbench.analyses.value_plain import PlainValue
from workbench.charts import posterior
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import CONTROL, INK, TREATMENT, WARNING, themed
from workbench.locale import Texts
from workbench.report.value_plain import STEPS, step_name, step_rows

_AMOUNT = 72
"""Pixels for an amount of money beside its bar."""


def steps(found: PlainValue, t: Texts) -> Picture:
    """The plain product, what each step changes, and the model."""
    value, factors = found.used.value, found.corrections.factors
    rows: list[dict[str, Any]] = [
        {"label": t("Plain formula"), "start": 0.0, "end": value, "text": t.money(value), "color": CONTROL}
    ]
    for step in STEPS:
        after = value * factors[step]
        color = TREATMENT if after >= value else WARNING
        text = t.signed_money(after - value)
        rows.append({"label": step_name(step, t), "start": value, "end": after, "text": text, "color": color})
        value = after
    rows.append({"label": t("Model"), "start": 0.0, "end": value, "text": t.money(value), "color": CONTROL})
    order = [row["label"] for row in rows]
    axis = t("Value of a new customer in {currency}", currency=t.currency)
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=posterior.names())
    )
    top = max(max(row["start"], row["end"]) for row in rows)
    across = alt.Scale(domain=[0, alt.ExprRef(f"{top} * width / (width - {_AMOUNT})")], nice=False)
    layers = [
        base.mark_bar(height=18, opacity=0.75).encode(
            x=alt.X("start:Q", title=axis, scale=across), x2="end:Q", color=alt.Color("color:N", scale=None)
        ),
        base.transform_calculate(right="max(datum.start, datum.end)")
        .mark_text(align="left", dx=6, color=INK)
        .encode(x="right:Q", text="text:N"),
    ]
    chart = themed(alt.layer(*layers).properties(height=alt.Step(36)), t.language)
    words = in_words(step_rows(found.used, found.corrections, found.discount_per_year, t))
    return Picture(t("From the plain formula to the model"), chart, words, wide=True)
