"""The way from a look at a product to an order: a bar a step, and what is lost on the way."""

from __future__ import annotations

import altair as alt

from workbench.analyses.carts import Carts, Step
from workbench.analyses.estimates import Estimate
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import INK, LINE, QUIET, TREATMENT, themed
from workbench.locale import Texts
from workbench.report import Row

_STEP = 72  # px: a bar and the words above it


def step_name(step: Step, found: Carts, t: Texts) -> str:
    """What was done."""
    if step.name == "looked":
        return t("Looked at a product")
    if step.name == "carted":
        return t("Put it into the cart")
    return t("Ordered within {hours:count} hours", hours=found.hours)


def carts_picture(found: Carts, t: Texts) -> Picture:
    """Shares of the visits that looked at a product, with their intervals; the light part was lost."""
    rows = [
        {
            "step": step_name(step, found, t),
            "share": 100 * step.of_all.value,
            "low": 100 * step.of_all.low,
            "high": 100 * step.of_all.high,
            "before": 100 * (found.steps[place - 1].of_all.value if place else 1.0),
            "said": _said(step, found, t),
            "n": step.visits,
        }
        for place, step in enumerate(found.steps)
    ]
    scale = alt.Scale(domain=[0, 100])
    across = alt.X("share:Q", title=t("Per cent of the visits that looked at a product"), scale=scale)
    order = [row["step"] for row in rows]
    down = alt.Y(
        "step:N", sort=order, title=None, axis=None, scale=alt.Scale(paddingInner=0.55, paddingOuter=0.3)
    )
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=down,
        tooltip=[
            alt.Tooltip("step:N", title=t("Step")),
            alt.Tooltip("said:N", title=t("Visits")),
        ],
    )
    layers = [
        base.mark_bar(color=LINE).encode(x=alt.X("before:Q", scale=scale)),
        base.mark_bar(color=TREATMENT).encode(x=across),
        base.transform_filter("datum.high > datum.low")
        .mark_rule(color=INK, strokeWidth=2)
        .encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        base.mark_text(align="left", baseline="bottom", dy=-15, color=INK, fontWeight=600).encode(
            x=alt.value(0), text="step:N"
        ),
        base.mark_text(align="right", baseline="bottom", dy=-15, color=QUIET).encode(
            x=alt.value("width"), text="said:N"
        ),
    ]
    chart = themed(alt.layer(*layers).properties(height=_STEP * len(rows)), t.language)
    title = t("{share:percent} of carts are left without an order", share=found.left.value)
    caption = t("Light: those who came to the step before and no further. Line: the interval.")
    return Picture(title, chart, f"{title}. {in_words(step_rows(found, t))}", caption)


def _said(step: Step, found: Carts, t: Texts) -> str:
    if step.name == "looked":
        return t("{n:count} visits", n=step.visits)
    return t.percent(step.of_all.value)


def step_rows(found: Carts, t: Texts) -> list[Row]:
    """The steps as a table, as shares of all and of the step before."""

    def share(one: Estimate | None) -> str:
        if one is None or one.low == one.high:
            return "–"
        return t(
            "{share:percent} ({low:percent} to {high:percent})", share=one.value, low=one.low, high=one.high
        )

    return [
        {
            t("Step"): step_name(step, found, t),
            t("Visits"): t.count(step.visits),
            t("Of all"): share(step.of_all),
            t("Of the step before"): share(step.of_before),
            t("Lost at this step"): t.count(found.steps[place - 1].visits - step.visits) if place else "–",
        }
        for place, step in enumerate(found.steps)
    ]
