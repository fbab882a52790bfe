"""The pictures and tables of how well a model foretold what it had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import BACKGROUND, CONTROL, INK, TREATMENT, themed
from workbench.locale import Texts
from workbench.records.validation import Band, Validation
from workbench.report import Row

_MOST_X = 7  # and more
_MOST_WORDS = 8  # weeks that are read out
NAMES = {"bg-nbd": "BG/NBD", "mbg-nbd": "MBG/NBD", "pareto-nbd": "Pareto/NBD"}


def method_name(method: str, t: Texts) -> str:
    """What a model, or one of those who know no model, is called."""
    if method == "nobody":
        return t("Nobody buys again")
    return t("Everybody goes on as before") if method == "same-rate" else NAMES[method]


def pictures(found: Validation, t: Texts) -> list[Picture]:
    """Purchases week by week, by how often customers had bought, and by how likely they were to buy."""
    return [tracking(found, t), by_purchases(found, t), by_probability(found, t)]


def tracking(found: Validation, t: Texts) -> Picture:
    """Purchases of all customers after the split, cumulated."""
    rows = [
        {
            "week": one.week,
            "predicted": one.predicted,
            "low": one.interval[0],
            "high": one.interval[1],
            "actual": one.actual,
        }
        for one in found.tracking
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("week:Q", title=t("Weeks after {day}", day=t.date(found.split)), scale=alt.Scale(zero=True)),
        tooltip=[
            alt.Tooltip("week:Q", title=t("Week")),
            alt.Tooltip("predicted:Q", title=t("Foretold"), format=",.0f"),
            alt.Tooltip("actual:Q", title=t("Came"), format=",.0f"),
        ],
    )
    y = t("Repeat purchases since then")
    layers = [
        base.mark_area(opacity=0.2, color=TREATMENT).encode(y=alt.Y("low:Q", title=y), y2="high:Q"),
        base.mark_line(color=TREATMENT, strokeDash=[5, 3]).encode(y=alt.Y("predicted:Q", title=y)),
        base.mark_line(color=INK).encode(y="actual:Q"),
        *_ends(rows[-1:], "week", {"predicted": (t("foretold"), TREATMENT), "actual": (t("came"), INK)}),
    ]
    last = found.tracking[-1]
    off = last.predicted / last.actual - 1 if last.actual else None
    title = t("In {weeks:count} weeks {n:count} repeat purchases came", weeks=last.week, n=last.actual)
    if off is not None:
        title = t(
            "{model} foretold {predicted:count} repeat purchases, {n:count} came ({off:signed_percent})",
            model=NAMES[found.model],
            predicted=last.predicted,
            n=last.actual,
            off=off,
        )
    caption = t("Band: where the expectation lies, with 95 %; what chance adds is not in it.")
    chart = themed(alt.layer(*layers).properties(height=240), t.language)
    described = f"{title}. {in_words(tracking_rows(found, t)[-_MOST_WORDS:])}"
    return Picture(title, chart, described, caption, wide=True)


def _ends(rows: Sequence[dict[str, Any]], x: str, names: dict[str, tuple[str, str]]) -> list[alt.Chart]:
    """The names of lines beside their last points; the higher one above."""
    if not rows:
        return []
    above = max(names, key=lambda name: rows[0][name])
    return [
        alt.Chart(alt.Data(values=rows))
        .mark_text(align="right", dx=-4, dy=-10 if name == above else 14, color=color, fontWeight=600)
        .encode(x=f"{x}:Q", y=f"{name}:Q", text=alt.value(word))
        for name, (word, color) in names.items()
    ]


def by_purchases(found: Validation, t: Texts) -> Picture:
    """Mean purchases after the split, by repeat purchases before it."""
    rows = [
        {
            "x": _x_name(band),
            "predicted": band.predicted,
            "low": band.interval[0],
            "high": band.interval[1],
            "actual": band.actual,
            "n": band.customers,
        }
        for band in found.by_purchases
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "x:N",
            sort=[row["x"] for row in rows],
            title=t("Repeat purchases until then"),
            axis=alt.Axis(labelAngle=0),
        ),
        tooltip=[
            alt.Tooltip("n:Q", title=t("Customers"), format=","),
            alt.Tooltip("predicted:Q", title=t("Foretold"), format=",.2f"),
            alt.Tooltip("actual:Q", title=t("Came"), format=",.2f"),
        ],
    )
    layers = [
        base.mark_bar(color=CONTROL, opacity=0.45).encode(
            y=alt.Y("actual:Q", title=t("Purchases a customer afterwards"))
        ),
        base.mark_rule(color=TREATMENT, strokeWidth=2).encode(y="low:Q", y2="high:Q"),
        base.mark_point(color=TREATMENT, size=70, stroke=BACKGROUND).encode(y="predicted:Q"),
    ]
    title = t("Who had bought more often was foretold to buy more, and did")
    if not _rises(found.by_purchases):
        title = t("What was foretold by how often customers had bought, and what came")
    caption = t("Grey: what came; blue: what was foretold, with 95 %.")
    chart = themed(alt.layer(*layers).properties(height=240), t.language)
    return Picture(title, chart, f"{title}. {in_words(purchase_rows(found, t))}", caption)


def _rises(bands: Sequence[Band]) -> bool:
    actual = [band.actual for band in bands]
    return actual == sorted(actual)


def by_probability(found: Validation, t: Texts) -> Picture:
    """The share that bought, by the probability to buy; on the diagonal when both are equal."""
    rows = [
        {"said": 100 * band.predicted, "came": 100 * band.actual, "n": band.customers}
        for band in found.by_probability
    ]
    most = max(max(row["said"], row["came"]) for row in rows)
    diagonal = alt.Chart(alt.Data(values=[{"said": 0, "came": 0}, {"said": most, "came": most}]))
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("said:Q", title=t("Foretold: per cent who buy at all"), scale=alt.Scale(zero=True)),
        y=alt.Y("came:Q", title=t("Came: per cent"), scale=alt.Scale(zero=True)),
    )
    layers = [
        diagonal.mark_line(color=CONTROL, strokeDash=[4, 4], strokeWidth=1.5).encode(x="said:Q", y="came:Q"),
        base.mark_line(color=TREATMENT, strokeWidth=1.5),
        base.mark_point(color=TREATMENT, size=70).encode(
            tooltip=[
                alt.Tooltip("n:Q", title=t("Customers"), format=","),
                alt.Tooltip("said:Q", title=t("Foretold"), format=".1f"),
                alt.Tooltip("came:Q", title=t("Came"), format=".1f"),
            ]
        ),
    ]
    worst = max(abs(band.predicted - band.actual) for band in found.by_probability)
    title = t("Probabilities to buy were off by {worst:number} points at most", worst=100 * worst)
    caption = t("Customers in tenths; on the dashed line, what was foretold is what came.")
    chart = themed(alt.layer(*layers).properties(height=240), t.language)
    return Picture(title, chart, f"{title}. {in_words(probability_rows(found, t))}", caption)


def _x_name(band: Band) -> str:
    return f"{band.label}+" if band.label == _MOST_X else str(band.label)


def method_rows(found: Validation, t: Texts) -> list[Row]:
    """The models and those who know none, the smallest error first, and what came."""
    return [
        {
            t("Foretold by"): method_name(one.method, t),
            t("Purchases"): t.count(one.predicted),
            t("Mean error"): t.number(one.mae),
            t("RMSE"): t.number(one.rmse),
            t("Correlation"): "–" if one.correlation is None else t.number(one.correlation, 2),
        }
        for one in sorted(found.methods, key=lambda one: one.rmse)
    ]


def tracking_rows(found: Validation, t: Texts) -> list[Row]:
    """Weeks as a table."""
    return [
        {
            t("Week"): t.count(one.week),
            t("Foretold"): t.count(one.predicted),
            t("Came"): t.count(one.actual),
        }
        for one in found.tracking
    ]


def purchase_rows(found: Validation, t: Texts) -> list[Row]:
    """Customers by their purchases so far, as a table."""
    return [
        {
            t("Repeat purchases until then"): _x_name(band),
            t("Customers"): t.count(band.customers),
            t("Foretold"): t.number(band.predicted),
            t("Came"): t.number(band.actual),
        }
        for band in found.by_purchases
    ]


def probability_rows(found: Validation, t: Texts) -> list[Row]:
    """Tenths of customers as a table."""
    return [
        {
            t("Tenth"): t.count(band.label),
            t("Customers"): t.count(band.customers),
            t("Foretold"): t.percent(band.predicted),
            t("Came"): t.percent(band.actual),
        }
        for band in found.by_probability
    ]
