"""The pictures of a lifetime-value record."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import altair as alt

from workbench.charts import ends, posterior, value_groups
from workbench.charts.picture import Drawing, Picture, in_words
from workbench.charts.theme import ARMS, CONTROL, INK, LINE, TREATMENT, WARNING, specified, themed
from workbench.decisions import main_difference, value_part
from workbench.locale import Texts
from workbench.records import ValueRecord
from workbench.report import group_name, value_rows
from workbench.report.value import part_rows, parts_title, payback, spoken_of, value_definition

_HIGH = 260  # of the curves
_MOST_FANS = 2  # more bands on top of each other cannot be told apart
_MOST_BESIDE = 3  # groups that are drawn in the height of a density beside them


def pictures(record: ValueRecord, t: Texts) -> list[Picture]:
    """Every picture of the record, in the order of the page."""
    found = [values(record, t), difference(record, t), parts(record, t), over_time(record, t)]
    return [*(picture for picture in found if picture is not None), *value_groups.within(record, t)]


def values(record: ValueRecord, t: Texts) -> Picture:
    """What a new customer of each group is worth: mean, half and most of the posterior."""
    if record.summary.pooled is not None:
        return value_groups.pooled(record, t)
    lines = [
        posterior.Line(
            label=f"{group_name(group.group, t)} ({t.count(group.customers)})",
            text=t.money(group.mean),
            mean=group.mean,
            most=group.interval,
            half=(posterior.quantile(group.density, 0.25), posterior.quantile(group.density, 0.75)),
            color=CONTROL if _is_control(record, group.group) else TREATMENT,
        )
        for group in record.summary.value
    ]
    chart = posterior.lines(lines, t, axis=t("Value of a new customer in {currency}", currency=t.currency))
    words = t(
        "Thick: half of what is likely; thin: {level:whole_percent}. In brackets: customers.",
        level=record.settings.level,
    )
    title = t("What a newly acquired customer is worth")
    described = in_words(value_rows(record, t))
    caption = f"{words} {t(value_definition(record.settings))}"
    return Picture(title, chart, described, caption, wide=len(lines) > _MOST_BESIDE)


def difference(record: ValueRecord, t: Texts) -> Picture | None:
    """The posterior of the difference that the sentence speaks of; None with one group."""
    if not record.summary.differences:
        return None
    item = main_difference(record.summary)
    first, second = (group_name(group, t) for group in item.groups)
    association = item.word == "association"
    chart = posterior.density(
        item.density,
        item.interval,
        t,
        axis=t("Difference of the value of a customer in {currency}", currency=t.currency),
        association=association,
    )
    title = t(
        "{first} less {second}: between {low} and {high}",
        first=first,
        second=second,
        low=t.signed_money(item.interval[0]),
        high=t.signed_money(item.interval[1]),
    )
    bands = t("Dark: half of what is likely; light: {level:whole_percent}.", level=record.settings.level)
    return Picture(title, chart, t(record.verdict), t("Dashed: an association.") if association else bands)


def parts(record: ValueRecord, t: Texts) -> Picture | None:
    """A waterfall of what the difference is made of, each step with its interval."""
    if not record.summary.differences:
        return None
    item = main_difference(record.summary)
    if not item.parts:
        return None
    rows: list[dict[str, Any]] = []
    level = 0.0
    for one in item.parts:
        rows.append(
            {
                "label": _capital(t(value_part(one.name))),
                "start": level,
                "end": level + one.mean,
                "low": level + one.interval[0],
                "high": level + one.interval[1],
                "text": t.signed_money(one.mean),
                "color": TREATMENT if one.mean >= 0 else WARNING,
            }
        )
        level += one.mean
    whole = {
        "label": _capital(t("all together")),
        "start": 0.0,
        "end": item.mean,
        "low": item.interval[0],
        "high": item.interval[1],
        "text": t.signed_money(item.mean),
        "color": CONTROL,
    }
    chart = _waterfall([*rows, whole], t, association=item.word == "association")
    caption = t(
        "Thin: where each step lies with {level:whole_percent}. The steps add up. Retention: how long "
        "customers stay; frequency: how often they buy meanwhile; order value: what a purchase leaves.",
        level=record.settings.level,
    )
    described = in_words(part_rows(item, record.settings.level, t))
    return Picture(parts_title(item, record.settings, t), chart, described, caption)


def _waterfall(rows: list[dict[str, Any]], t: Texts, *, association: bool) -> Drawing:
    axis = t("Difference in {currency}", currency=t.currency)
    ordered = [{**row, "order": order} for order, row in enumerate(rows)]
    return Drawing(_steps(axis, association, t.language), {"steps": ordered, "nought": [{"x": 0}]})


@lru_cache(maxsize=32)
def _steps(axis: str, association: bool, language: str) -> dict[str, Any]:
    sort = alt.EncodingSortField(field="order", op="min")
    down = alt.Y("label:N", sort=sort, title=None, axis=posterior.names())
    base = alt.Chart(alt.NamedData("steps")).encode(y=down, color=alt.Color("color:N", scale=None))
    across = alt.X("start:Q", title=axis, scale=alt.Scale(nice=False, zero=False, padding=12))
    look: dict[str, Any] = (
        {"filled": False, "strokeDash": [6, 4], "strokeWidth": 2} if association else {"opacity": 0.75}
    )
    layers = [
        alt.Chart(alt.NamedData("nought")).mark_rule(color=INK, strokeWidth=1.5).encode(x="x:Q"),
        base.mark_bar(height=18, **look).encode(x=across, x2="end:Q"),
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q", color=alt.value(INK)),
        base.mark_text(dy=-20).encode(x="end:Q", text="text:N", color=alt.value(INK)),
    ]
    return specified(themed(alt.layer(*layers).properties(height=alt.Step(56)), language))


def over_time(record: ValueRecord, t: Texts) -> Picture | None:
    """Value to date with a fan for each group, and where it passes the cost of winning a customer."""
    groups = [group for group in spoken_of(record) if group.curve is not None]
    if not groups:
        return None
    colors = _colors(record, [group.group for group in groups])
    rows, last, costs = [], [], []
    for group in groups:
        assert group.curve is not None
        name = group_name(group.group, t)
        color = colors[group.group]
        steps = zip(group.curve.weeks, group.curve.mean, group.curve.low, group.curve.high, strict=True)
        rows += [
            {"group": name, "week": week, "mean": mean, "low": low, "high": high, "color": color}
            for week, mean, low, high in steps
        ]
        if group.group is not None:
            last.append({**rows[-1], "text": name})
        if group.acquisition is not None:
            costs.append({"cost": group.acquisition.mean, "color": color})
    if len({cost["cost"] for cost in costs}) == 1:
        costs = [{"cost": costs[0]["cost"], "color": INK}]
    chart = _fan(rows, last, costs, t)
    title = _over_time_title(record, paid=bool(costs), t=t)
    band = t(
        "Line: expected; band: {level:whole_percent}, since the parameters are not known.",
        level=record.settings.level,
    )
    words = [
        band
        if len(groups) <= _MOST_FANS
        else t("Lines: expected; their intervals are in the chart of values."),
        *([t("Dashed: what it cost to win a customer.")] if costs else []),
        # the curve is what is held against that cost
        t(value_definition(record.settings.model_copy(update={"acquisition_cost": None}))),
    ]
    told = [
        {
            t("Group"): group_name(group.group, t),
            t("Weeks"): t.count(group.curve.weeks[-1]),
            t("Value"): t.money(group.curve.mean[-1]),
        }
        for group in groups
        if group.curve is not None
    ]
    return Picture(title, chart, in_words(told), " ".join(words))


def _over_time_title(record: ValueRecord, t: Texts, *, paid: bool) -> str:
    """When customers have paid for themselves, where that is one short answer."""
    if not paid:
        return t("Value to date")
    said = {payback(group.acquisition, t) for group in spoken_of(record) if group.acquisition is not None}
    if len(said) == 1:
        return t("Paid back {when}", when=said.pop())
    return t("Value to date against what it cost to win a customer")


def _fan(rows: list[Any], last: list[Any], costs: list[Any], t: Texts) -> Drawing:
    banded = len({row["group"] for row in rows}) <= _MOST_FANS
    nought = [{"y": 0}] if any(row["low"] < 0 for row in rows) else []
    axes = t("Weeks after the first purchase"), t("Value to date in {currency}", currency=t.currency)
    drawn = [row[name] for row in rows for name in (("mean", "low", "high") if banded else ("mean",))]
    drawn += [cost["cost"] for cost in costs]
    data = {"curves": rows, "ends": ends.placed(last, "mean", drawn, _HIGH), "costs": costs, "nought": nought}
    return Drawing(_curves(*axes, banded, t.language), data)


@lru_cache(maxsize=32)
def _curves(weeks: str, axis: str, banded: bool, language: str) -> dict[str, Any]:
    week = alt.X("week:Q", title=weeks, scale=alt.Scale(nice=False, zero=True))
    base = alt.Chart(alt.NamedData("curves")).encode(
        x=week, color=alt.Color("color:N", scale=None), detail="group:N"
    )
    cost = alt.Chart(alt.NamedData("costs")).encode(y="cost:Q", color=alt.Color("color:N", scale=None))
    layers: list[Any] = [
        alt.Chart(alt.NamedData("nought")).mark_rule(color=LINE, strokeWidth=2).encode(y="y:Q"),
        *([base.mark_area(opacity=0.15, line=False).encode(y="low:Q", y2="high:Q")] if banded else []),
        base.mark_line(strokeWidth=2.5).encode(y=alt.Y("mean:Q", title=axis, scale=ends.axis())),
        cost.mark_rule(strokeDash=[6, 4], strokeWidth=2),
        *ends.names(alt.Chart(alt.NamedData("ends")), week, "mean", "text", color=INK, fontWeight=600),
    ]
    return specified(themed(alt.layer(*layers).properties(height=_HIGH), language))


def _colors(record: ValueRecord, groups: list[str | None]) -> dict[str | None, str]:
    others = iter(ARMS[1:])
    return {group: CONTROL if _is_control(record, group) else next(others, CONTROL) for group in groups}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _is_control(record: ValueRecord, group: str | None) -> bool:
    """Whether all others are held against this group."""
    seconds = {item.groups[1] for item in record.summary.differences}
    return seconds == {group}
