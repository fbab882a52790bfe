"""The pictures of what stands beside a lifetime value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from workbench.analyses.estimates import Estimate
from workbench.analyses.value_ages import Month, Numbered
from workbench.analyses.value_beside import Spread
from workbench.analyses.value_products import Grouped
from workbench.analyses.value_sources import SourceMonth
from workbench.charts.forest import Line, forest
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import ARMS, CONTROL, INK, TREATMENT, themed
from workbench.locale import Texts
from workbench.report import Row, group_name


def range_in_words(one: Estimate, wording: Any, t: Texts) -> str:
    """A value with its interval."""
    low, high = wording(one.low), wording(one.high)
    return t("{value} ({low} to {high})", value=wording(one.value), low=low, high=high)


def tenth_rows(spread: Spread, t: Texts) -> list[Row]:
    """Tenths of the customers as a table."""
    return [
        {
            t("Tenth"): t.count(tenth.place),
            t("Share of what is to come"): range_in_words(tenth.share, t.percent, t),
            t("A customer of it"): t.money(tenth.mean),
        }
        for tenth in spread.tenths
    ]


def tenths(spread: Spread, t: Texts) -> Picture:
    """What each tenth of the customers holds of all that is to come."""
    rows = [
        {
            "place": t.count(tenth.place),
            "share": tenth.share.value,
            "low": tenth.share.low,
            "high": tenth.share.high,
            "text": t.percent(tenth.share.value, after=0),
        }
        for tenth in spread.tenths
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "place:O",
            sort=None,
            title=t("Tenths, the most valuable first"),
            axis=alt.Axis(labelAngle=0),
        )
    )
    share = alt.Y("share:Q", title=t("Share of what is to come"), axis=alt.Axis(format="%"))
    layers = [
        base.mark_bar(color=TREATMENT, opacity=0.75).encode(y=share),
        base.mark_rule(color=INK, strokeWidth=2).encode(y="low:Q", y2="high:Q"),
        base.mark_text(dy=-14, color=INK).encode(y="high:Q", text="text:N"),
    ]
    chart = themed(alt.layer(*layers).properties(height=220), t.language)
    title = t("The top tenth holds {share}", share=range_in_words(spread.tenths[0].share, t.percent, t))
    return Picture(title, chart, in_words(tenth_rows(spread, t)), t("Thin: the intervals."))


def number_rows(found: Sequence[Numbered], t: Texts) -> list[Row]:
    """Purchases by their number as a table."""
    return [
        {
            t("Purchase"): t.count(one.number),
            t("Customers"): t.count(one.customers),
            t("Mean value"): range_in_words(one.value, t.money, t),
            t("First purchase of the same customers"): range_in_words(one.first, t.money, t),
            t("Rise since their first"): "–"
            if one.number == 1
            else range_in_words(one.rise, t.signed_money, t),
        }
        for one in found
    ]


def numbers(found: Sequence[Numbered], t: Texts) -> Picture:
    """The mean value of a purchase by its number, and the first purchase of the same customers."""
    rows = [
        {
            "number": t.count(one.number),
            "value": one.value.value,
            "low": one.value.low,
            "high": one.value.high,
            "first": one.first.value,
        }
        for one in found
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("number:O", sort=None, title=t("Number of the purchase"), axis=alt.Axis(labelAngle=0))
    )
    axis = t("Mean value in {currency}", currency=t.currency)
    scale = alt.Scale(zero=False, padding=12)
    layers = [
        base.mark_rule(color=TREATMENT, strokeWidth=5, opacity=0.35).encode(
            y=alt.Y("low:Q", title=axis, scale=scale), y2="high:Q"
        ),
        base.mark_point(color=TREATMENT, size=100, filled=True, opacity=1).encode(y="value:Q"),
        base.mark_point(color=INK, size=90, filled=False, shape="diamond", strokeWidth=1.5).encode(
            y="first:Q"
        ),
    ]
    chart = themed(alt.layer(*layers).properties(height=220), t.language)
    title = t("What a purchase brings as customers grow older")
    caption = t(
        "Round: that purchase, with its interval. Diamonds: the first purchase of the same customers. "
        "Between diamonds is who stays; from a diamond to its dot is what people changed."
    )
    return Picture(title, chart, in_words(number_rows(found, t)), caption)


def month_rows(found: Sequence[Month], t: Texts) -> list[Row]:
    """Months of customers' age as a table."""
    return [
        {
            t("Month"): t.count(one.month + 1),
            t("Customers watched"): t.count(one.acquired),
            t("Buying in it"): t.percent(one.buying),
            t("Left by one who bought"): range_in_words(one.of_buyers, t.money, t),
            t("Left by one who was acquired"): range_in_words(one.of_acquired, t.money, t),
            t("To date"): range_in_words(one.to_date, t.money, t),
        }
        for one in found
    ]


def months(found: Sequence[Month], t: Texts) -> Picture:
    """What a customer left month by month: those who bought, and all who were acquired."""
    names = {"of_buyers": t("who bought"), "of_acquired": t("who was acquired")}
    colors = {"of_buyers": CONTROL, "of_acquired": TREATMENT}
    rows: list[dict[str, Any]] = [
        {
            "month": one.month + 1,
            "value": getattr(one, name).value,
            "low": getattr(one, name).low,
            "high": getattr(one, name).high,
            "name": names[name],
            "color": colors[name],
        }
        for name in names
        for one in found
    ]
    month = alt.X(
        "month:Q",
        title=t("Month after the first purchase"),
        axis=alt.Axis(tickMinStep=1),
        scale=alt.Scale(nice=False),
    )
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=month, color=alt.Color("color:N", scale=None), detail="name:N"
    )
    axis = t("Left in the month in {currency}", currency=t.currency)
    last = [row for row in rows if row["month"] == found[-1].month + 1]
    said = alt.Chart(alt.Data(values=last)).mark_text(align="right", dy=-12, fontWeight=600, color=INK)
    layers = [
        base.mark_area(opacity=0.15, line=False).encode(y="low:Q", y2="high:Q"),
        base.mark_line(strokeWidth=2.5).encode(y=alt.Y("value:Q", title=axis)),
        said.encode(x=month, y="high:Q", text="name:N"),
    ]
    chart = themed(alt.layer(*layers).properties(height=220), t.language)
    title = t("What a customer leaves, month by month")
    return Picture(title, chart, in_words(month_rows(found, t)), t("Lines: means; bands: their intervals."))


def to_date(found: Sequence[Month], t: Texts, *, net: bool) -> Picture:
    """What a customer who was acquired has left so far."""
    rows = [
        {"month": one.month + 1, "value": one.to_date.value, "low": one.to_date.low, "high": one.to_date.high}
        for one in found
    ]
    month = alt.X(
        "month:Q",
        title=t("Month after the first purchase"),
        axis=alt.Axis(tickMinStep=1),
        scale=alt.Scale(nice=False),
    )
    base = alt.Chart(alt.Data(values=rows)).encode(x=month)
    axis = t("To date in {currency}", currency=t.currency)
    layers: list[Any] = [
        base.mark_area(opacity=0.15, line=False, color=TREATMENT).encode(y="low:Q", y2="high:Q"),
        base.mark_line(strokeWidth=2.5, color=TREATMENT).encode(y=alt.Y("value:Q", title=axis)),
    ]
    if min(row["low"] for row in rows) < 0:
        layers.append(alt.Chart(alt.Data(values=[{"y": 0}])).mark_rule(color=INK).encode(y="y:Q"))
    chart = themed(alt.layer(*layers).properties(height=220), t.language)
    title = t("To date, less what winning one cost") if net else t("To date")
    caption = t(
        "Of all who were acquired, gone or not. The band is never too narrow: it takes months to move "
        "together."
    )
    return Picture(title, chart, in_words(month_rows(found, t)), caption)


def grouped(found: Sequence[Grouped], title: str, axis: str, t: Texts, *, association: bool) -> Picture:
    """A mean by group."""
    lines = [
        Line(
            label=f"{group_name(one.group, t)} ({t.count(one.customers)})",
            value=one.value,
            text=t.number(one.value.value),
            other=None,
            color=CONTROL if one.better is None else ARMS[1],
        )
        for one in found
    ]
    chart = forest(lines, axis, t, dashed=association)
    return Picture(
        title, chart, in_words(group_rows(found, t)), t("Lines: the intervals. In brackets: customers.")
    )


def group_rows(found: Sequence[Grouped], t: Texts) -> list[Row]:
    """Means by group as a table."""
    return [
        {
            t("Group"): group_name(one.group, t),
            t("Customers"): t.count(one.customers),
            t("Mean"): range_in_words(one.value, t.number, t),
            t("Probability above the control"): "–" if one.better is None else t.percent(one.better),
        }
        for one in found
    ]


def source_rows(found: Sequence[SourceMonth], t: Texts) -> list[Row]:
    """Months and their new customers as a table."""
    return [
        {
            t("Month"): one.month.strftime("%Y-%m"),
            t("New customers"): t.count(one.customers),
            t("Organic or referral"): range_in_words(one.share, t.percent, t),
        }
        for one in found
    ]


def sources(found: Sequence[SourceMonth], t: Texts) -> Picture:
    """The share of new customers from organic and referral, month by month."""
    rows = [
        {
            "month": one.month.isoformat(),
            "share": one.share.value,
            "low": one.share.low,
            "high": one.share.high,
        }
        for one in found
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("month:T", title=None))
    share = alt.Axis(format="%")
    layers = [
        base.mark_area(opacity=0.15, line=False, color=TREATMENT).encode(y="low:Q", y2="high:Q"),
        base.mark_line(color=TREATMENT, point=True).encode(
            y=alt.Y("share:Q", title=t("Organic or referral"), axis=share, scale=alt.Scale(zero=True))
        ),
    ]
    chart = themed(alt.layer(*layers).properties(height=220), t.language)
    title = t("New customers whom nobody paid for")
    return Picture(title, chart, in_words(source_rows(found, t)), t("Band: the interval of each month."))
