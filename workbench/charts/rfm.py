"""Customers by recency, frequency and money: what segments bring, the grid, and the model's view of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt

from workbench.analyses.estimates import Needs
from workbench.analyses.rfm import Rfm, SegmentSums
from workbench.analyses.rfm_model import ModelCell, ModelView
from workbench.analyses.rfm_rule import occurring
from workbench.analyses.rfm_segments import name_in_words
from workbench.charts import posterior
from workbench.charts.forest import number_in_words, share_in_words
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import BACKGROUND, CELL_INK, CELL_QUIET, CONTROL, LINE, TREATMENT, themed
from workbench.locale import Texts
from workbench.metrics.rfm import Scale
from workbench.report import Row

_RAMP = ["#F1F5F9", "#56B4E9"]  # on both ends ink can be read
_CELL = 52  # px


def segment_picture(found: Rfm, t: Texts) -> Picture:
    """Each segment's share of customers and of the revenue, on one line."""
    there = [one for one in found.segments if one.customers]
    names = [name_in_words(one.named.name, t) for one in there]
    kinds = [t("customers"), t("revenue")]
    rows: list[dict[str, Any]] = []
    for name, one in zip(names, there, strict=True):
        for kind, share in zip(kinds, (one.share, one.share_of_revenue), strict=True):
            rows.append({"segment": name, "kind": kind, "share": 100 * share, "said": t.percent(share)})
    lines = [
        {"segment": name, "low": 100 * one.share, "high": 100 * one.share_of_revenue}
        for name, one in zip(names, there, strict=True)
    ]
    down = alt.Y("segment:N", sort=names, title=None, axis=posterior.names())
    across = alt.X("share:Q", title=t("Per cent of all"), scale=alt.Scale(zero=True))
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=down,
        x=across,
        shape=alt.Shape(
            "kind:N", sort=kinds, title=None, scale=alt.Scale(domain=kinds, range=["circle", "diamond"])
        ),
        color=alt.Color(
            "kind:N", sort=kinds, title=None, scale=alt.Scale(domain=kinds, range=[CONTROL, TREATMENT])
        ),
        tooltip=[
            alt.Tooltip("segment:N", title=t("Segment")),
            alt.Tooltip("kind:N", title=t("Share")),
            alt.Tooltip("said:N", title=" "),
        ],
    )
    rules = alt.Chart(alt.Data(values=lines)).mark_rule(color=LINE, strokeWidth=4)
    layers = [rules.encode(y=down, x="low:Q", x2="high:Q"), base.mark_point(filled=True, size=110, opacity=1)]
    chart = themed(alt.layer(*layers).properties(height=alt.Step(32)), t.language, t.currency)
    first = max(there, key=lambda one: one.share_of_revenue)
    title = t(
        "“{segment}”: {share:percent} of customers, {revenue:percent} of the revenue",
        segment=name_in_words(first.named.name, t),
        share=first.share,
        revenue=first.share_of_revenue,
    )
    caption = t(
        "From top to bottom as in the list of segments, best first. Revenue is all that they brought so far."
    )
    return Picture(title, chart, f"{title}. {in_words(segment_rows(found, t))}", caption, wide=True)


def segment_rows(found: Rfm, t: Texts) -> list[Row]:
    """The segments as a table, all customers last."""
    rows = [
        {t("Segment"): name_in_words(one.named.name, t), **_segment_row(one, t)} for one in found.segments
    ]
    return [*rows, {t("Segment"): t("all customers"), **_all_row(found.segments, t)}]


def _segment_row(one: SegmentSums, t: Texts) -> Row:
    return {
        t("Customers"): t.count(one.customers),
        t("Of all"): t.percent(one.share),
        t("Orders"): t.count(one.orders),
        t("Revenue"): t.money(one.revenue),
        **({} if one.margin is None else {t("Margin"): t.money(one.margin)}),
        t("Of revenue"): t.percent(one.share_of_revenue),
        t("Average order"): "–" if one.average_order is None else t.money(one.average_order),
        t("Days silent"): "–" if one.days_since is None else t.number(one.days_since),
    }


def _all_row(segments: Sequence[SegmentSums], t: Texts) -> Row:
    n, orders = sum(one.customers for one in segments), sum(one.orders for one in segments)
    revenue = sum(one.revenue for one in segments)
    margins = [one.margin for one in segments if one.margin is not None]
    days = sum(one.customers * (one.days_since or 0.0) for one in segments)
    whole = SegmentSums(
        named=segments[0].named,
        customers=n,
        share=1.0,
        orders=orders,
        average_order=revenue / orders if orders else None,
        revenue=revenue,
        share_of_revenue=1.0,
        margin=sum(margins) if margins else None,
        days_since=days / n,
    )
    return _segment_row(whole, t)


# --- the grid -------------------------------------------------------------------------------------------


def grid_pictures(found: Rfm, t: Texts) -> list[Picture]:
    """What the cells brought; and as the model sees them, how alike customers are and what will come."""
    pictures = [_money(found, t)]
    if not isinstance(found.model, Needs):
        pictures += [
            _alive(found, found.model, t),
            _spread(found, found.model, t),
            _ahead(found, found.model, t),
        ]
    return pictures


def _money(found: Rfm, t: Texts) -> Picture:
    whole = sum(cell.money for cell in found.cells) or 1.0
    best = max(found.cells, key=lambda cell: cell.money)
    told = {"r": best.r, "f": best.f, "share": best.money / whole}
    if found.settings.money == "margin":
        title = t("Recency {r} with frequency {f} brought most: {share:percent} of the margin", **told)
        caption = t("Share of the margin, darker for more; under it the customers.")
    else:
        title = t("Recency {r} with frequency {f} brought most: {share:percent} of the revenue", **told)
        caption = t("Share of the revenue, darker for more; under it the customers.")
    caption += " " + t("On the axes the score, and its days.")
    values = [
        {
            "r": str(cell.r),
            "f": str(cell.f),
            "value": cell.money,
            "label": t.percent(cell.money / whole, 0),
            "under": t.count(cell.customers),
        }
        for cell in found.cells
    ]
    return _picture(title, values, caption, found, t)


def _alive(found: Rfm, model: ModelView, t: Texts) -> Picture:
    least = min(model.cells, key=lambda cell: cell.alive.value)
    title = t(
        "Probably still there: from {low:percent} at recency {r}, frequency {f} to {high:percent}",
        low=least.alive.value,
        r=least.r,
        f=least.f,
        high=max(cell.alive.value for cell in model.cells),
    )
    values = _values(
        model.cells, lambda cell: cell.alive.value, lambda cell: t.percent(cell.alive.value, 0), lambda _: ""
    )
    caption = t("Mean probability to buy ever again, from how often each customer used to buy.")
    return _picture(title, values, caption, found, t, full=1.0)


def _spread(found: Rfm, model: ModelView, t: Texts) -> Picture:
    widest = max(model.cells, key=lambda cell: cell.spread[2] - cell.spread[0])
    title = t(
        "Equal scores, unequal customers: {low:percent} to {high:percent} at recency {r}, frequency {f}",
        low=widest.spread[0],
        high=widest.spread[2],
        r=widest.r,
        f=widest.f,
    )
    values = _values(
        model.cells,
        lambda cell: cell.spread[2] - cell.spread[0],
        lambda cell: f"{t.count(100 * cell.spread[0])}–{t.count(100 * cell.spread[2])}",
        lambda _: "",
    )
    caption = t(
        "The same probability in per cent, within a cell: a tenth of its customers are below the first "
        "number, a tenth above the second. Cells explain {share:percent} of how customers differ in it.",
        share=model.explained,
    )
    return _picture(title, values, caption, found, t)


def _ahead(found: Rfm, model: ModelView, t: Texts) -> Picture:
    title = t(
        "{n:count} days with an order are expected in the next {days:count} days",
        n=model.purchases.value,
        days=found.settings.horizon_days,
    )
    values = _values(
        model.cells,
        lambda cell: cell.purchases.value,
        lambda cell: t.number(cell.purchases.value, 2),
        lambda cell: t.count(cell.purchases.value * cell.customers),
    )
    caption = t(
        "Expected days with an order of one customer, darker for more; under it those of all in the cell."
    )
    return _picture(title, values, caption, found, t)


def _values(
    cells: Sequence[ModelCell],
    value: Callable[[ModelCell], float],
    label: Callable[[ModelCell], str],
    under: Callable[[ModelCell], str],
) -> list[dict[str, Any]]:
    return [
        {"r": str(cell.r), "f": str(cell.f), "value": value(cell), "label": label(cell), "under": under(cell)}
        for cell in cells
    ]


def _picture(
    title: str,
    values: Sequence[Mapping[str, Any]],
    caption: str,
    found: Rfm,
    t: Texts,
    full: float | None = None,
) -> Picture:
    """A heat map of recency (across) by frequency (up); scores that do not occur have no place."""
    there = {
        name: [str(score) for score in occurring(found.scale, name)] for name in ("recency", "frequency")
    }
    labels = {
        name: {score: f"{score}|{score_range(found.scale, name, int(score), t)}" for score in there[name]}
        for name in there
    }
    rows = [{**row, "x": labels["recency"][row["r"]], "y": labels["frequency"][row["f"]]} for row in values]
    most = full or max((row["value"] for row in values), default=0.0) or 1.0
    two_lines = alt.Axis(labelExpr="split(datum.label, '|')", labelAngle=0, labelLineHeight=16, grid=False)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "x:N",
            sort=list(labels["recency"].values()),
            scale=alt.Scale(domain=list(labels["recency"].values()), paddingInner=0.04),
            title=t("Recency: days since the last purchase"),
            axis=two_lines,
        ),
        y=alt.Y(
            "y:N",
            sort=list(labels["frequency"].values())[::-1],
            scale=alt.Scale(domain=list(labels["frequency"].values())[::-1], paddingInner=0.04),
            title=t("Frequency: days with a purchase"),
            axis=two_lines,
        ),
    )
    color = alt.Color("value:Q", scale=alt.Scale(domain=[0, most], range=_RAMP), legend=None)
    labelled = any(row["under"] for row in values)
    layers = [
        base.mark_rect(stroke=BACKGROUND).encode(color=color),
        base.mark_text(color=CELL_INK, fontSize=14, fontWeight=600, dy=-7 if labelled else 0).encode(
            text="label:N"
        ),
        base.mark_text(color=CELL_QUIET, fontSize=12, dy=10).encode(text="under:N"),
    ]
    chart = themed(alt.layer(*layers).properties(height=alt.Step(_CELL)), t.language, t.currency)
    words = in_words(
        [{t("Recency"): row["r"], t("Frequency"): row["f"], t("Value"): row["label"]} for row in values]
    )
    return Picture(title, chart, f"{title}. {words}", caption)


def score_range(scale: Scale, measure: str, score: int, t: Texts) -> str:
    """The days that have a score, as in 0–19 or 195+."""
    cuts = scale.cuts[measure]
    if measure == "recency":
        low = 0 if score == len(cuts) + 1 else int(cuts[score - 1])
        high = None if score == 1 else int(cuts[score - 2]) - 1
    else:
        low = 1 if score == 1 else int(cuts[score - 2]) + 1
        high = None if score == len(cuts) + 1 else int(cuts[score - 1])
    if high is None:
        return f"{t.count(low)}+"
    return t.count(low) if low >= high else f"{t.count(low)}–{t.count(high)}"


def grid_rows(found: Rfm, t: Texts) -> list[Row]:
    """The grid as a table."""
    model = {} if isinstance(found.model, Needs) else {(cell.r, cell.f): cell for cell in found.model.cells}
    return [
        {
            t("Recency"): unbroken(f"{cell.r} ({score_range(found.scale, 'recency', cell.r, t)})"),
            t("Frequency"): f"{cell.f} ({score_range(found.scale, 'frequency', cell.f, t)})",
            t("Customers"): t.count(cell.customers),
            t("Money"): t.money(cell.money),
            **_model_row(model.get((cell.r, cell.f)), t),
        }
        for cell in found.cells
    ]


def _model_row(cell: ModelCell | None, t: Texts) -> Row:
    if cell is None:
        return {}
    return {
        t("Probably still there"): unbroken(share_in_words(cell.alive, t)),
        t("Of a tenth below, above"): t(
            "{low:percent}, {high:percent}", low=cell.spread[0], high=cell.spread[2]
        ),
        t("Expected days with an order"): unbroken(number_in_words(cell.purchases, t)),
        t("P(no purchase)"): t.percent(cell.silent),
    }


def unbroken(text: str) -> str:
    """A value and its interval on one line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")
