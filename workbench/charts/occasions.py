"""The pictures and tables of occasions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from workbench.analyses.occasions_found import (
    Bin,
    Difference,
    Foretold,
    GroupOccasions,
    OccasionSettings,
    OccasionsView,
    period_name,
    periods_name,
)
from workbench.charts import ends, posterior
from workbench.charts.forest import number_in_words, share_in_words
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import ARMS, BACKGROUND, CELL_INK, CELL_QUIET, CONTROL, INK, TREATMENT, themed
from workbench.locale import Texts
from workbench.report import Row, group_name

_RAMP = ["#F1F5F9", "#56B4E9"]  # on both ends ink can be read
_CELL = 48  # px
_MOST_LINES = 4  # groups; more lines cannot be told apart
_MOST_WORDS = 12  # periods that are read out


def pictures(found: OccasionsView, t: Texts) -> list[Picture]:
    """Who takes the next occasions, who is still there, and what groups differ by."""
    drawn = [ahead(found, t), alive(found, t)]
    return [*drawn, *([difference(found, found.differences[0], t)] if found.differences else [])]


def tracking(found: Foretold, settings: OccasionSettings, t: Texts) -> Picture:
    """Customers who took each of the periods that were held back, as foretold and as they came."""
    rows = [
        {
            "begin": one.begin.isoformat(),
            "said": period_in_words(one.begin, settings, t),
            "predicted": one.foretold.value,
            "low": one.foretold.low,
            "high": one.foretold.high,
            "came": one.came,
        }
        for one in found.periods
    ]
    order = [row["said"] for row in rows]
    x: Any = alt.X("said:N", sort=order, title=None, axis=alt.Axis(labelAngle=0, labelOverlap="greedy"))
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=x,
        tooltip=[
            alt.Tooltip("said:N", title=t(period_name(settings.period))),
            alt.Tooltip("predicted:Q", title=t("Foretold"), format=",.0f"),
            alt.Tooltip("came:Q", title=t("Came"), format=",.0f"),
        ],
    )
    y = t("Customers")
    zero = alt.Scale(zero=True)
    layers = [
        base.mark_rule(color=TREATMENT, strokeWidth=6, opacity=0.35).encode(
            y=alt.Y("low:Q", title=y, scale=zero), y2="high:Q"
        ),
        base.mark_point(color=TREATMENT, shape="diamond", size=70).encode(y=alt.Y("predicted:Q", title=y)),
        base.mark_line(color=INK, point=alt.OverlayMarkDef(color=INK, size=40)).encode(y="came:Q"),
    ]
    off = found.total.value / found.came - 1 if found.came else None
    title = t("{n:count} occasions came that were held back", n=found.came)
    if off is not None:
        title = t(
            "{predicted:count} occasions were foretold, {n:count} came ({off:signed_percent})",
            predicted=found.total.value,
            n=found.came,
            off=off,
        )
    caption = t(
        "Blue: customers foretold to take each {period}, with {level:whole_percent}; black: those who did.",
        period=period_name(settings.period),
        level=settings.level,
    )
    chart = themed(alt.layer(*layers).properties(height=220), t.language)
    described = f"{title}. {in_words(tracking_rows(found, settings, t)[-_MOST_WORDS:])}"
    return Picture(title, chart, described, caption, wide=True)


def period_in_words(begin: Any, settings: OccasionSettings, t: Texts) -> str:
    """A period by its first day, as short as it can be."""
    if settings.period == "month":
        return t("{day:month}", day=begin)
    if settings.period == "quarter":
        return t("{year}, quarter {quarter}", year=str(begin.year), quarter=str((begin.month + 2) // 3))
    return t("{day:date}", day=begin)


def ahead(found: OccasionsView, t: Texts) -> Picture:
    """Per cent of each group's customers who take each of the next occasions."""
    groups = found.groups[:_MOST_LINES]
    colors = [TREATMENT] if len(groups) == 1 else [CONTROL, *ARMS[1:]][: len(groups)]
    if len(groups) > 1 and found.differences:  # the control is grey
        second = found.differences[0].groups[1]
        groups = tuple(sorted(groups, key=lambda one: one.group != second))
    rows: list[dict[str, Any]] = [
        {
            "group": group_name(group.group, t),
            "at": place + 1,
            "share": 100 * one.value / group.customers,
            "low": 100 * one.low / group.customers,
            "high": 100 * one.high / group.customers,
        }
        for group in groups
        for place, one in enumerate(group.by_period)
    ]
    named = {group_name(group.group, t): color for group, color in zip(groups, colors, strict=True)}
    color: Any = alt.Color(
        "group:N", scale=alt.Scale(domain=list(named), range=list(named.values())), legend=None
    )
    across = alt.X(
        "at:Q",
        title=t("Next {periods}", periods=periods_name(found.settings.period)),
        axis=alt.Axis(tickMinStep=1, format="d"),
        scale=alt.Scale(zero=False, nice=False, padding=12),
    )
    base = alt.Chart(alt.Data(values=rows)).encode(x=across, color=color)
    y_title = t("Per cent of customers who take it")
    layers = [
        base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q", title=y_title, scale=ends.axis()), y2="high:Q"),
        base.mark_line(strokeWidth=2, point=True).encode(y=alt.Y("share:Q", title=y_title)),
    ]
    if len(groups) > 1:
        last = [row for row in rows if row["at"] == max(one["at"] for one in rows)]
        at = ends.placed(last, "share", [row["high"] for row in rows], 240)
        named_ends = alt.Chart(alt.Data(values=at)).encode(color=color)
        layers += ends.names(named_ends, across, "share", "group", fontWeight=600)
    total = sum(one.total.value for one in found.groups)
    title = t(
        "{n:count} occasions are expected to be taken in the next {ahead:count} {periods}",
        n=total,
        ahead=found.settings.horizon,
        periods=periods_name(found.settings.period, found.settings.horizon),
    )
    caption = t(
        "Band: where it will lie, chance included, with {level:whole_percent}.", level=found.settings.level
    )
    chart = themed(alt.layer(*layers).properties(height=240), t.language)
    described = f"{title}. {in_words(group_rows(found, t))}"
    return Picture(title, chart, described, caption)


def alive(found: OccasionsView, t: Texts) -> Picture:
    """How likely customers are still there, by how often they did it and since when they have not."""
    rows = [
        {
            "x": bin_name(cell.silent, t),
            "y": bin_name(cell.taken, t),
            "value": cell.active,
            "label": t.percent(cell.active, 0).replace(" %", "").replace("\N{NO-BREAK SPACE}%", ""),
            "under": t.count(cell.customers),
        }
        for cell in found.cells
    ]
    across = [
        bin_name(one, t) for one in sorted({cell.silent for cell in found.cells}, key=lambda one: one.low)
    ]
    up = [bin_name(one, t) for one in sorted({cell.taken for cell in found.cells}, key=lambda one: -one.low)]
    periods = periods_name(found.settings.period)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "x:N",
            sort=across,
            scale=alt.Scale(domain=across, paddingInner=0.04),
            title=t("{periods} since the last one taken", periods=t(periods).capitalize()),
            axis=alt.Axis(labelAngle=0),
        ),
        y=alt.Y(
            "y:N",
            sort=up,
            scale=alt.Scale(domain=up, paddingInner=0.04),
            title=t("How many were taken"),
        ),
        tooltip=[
            alt.Tooltip("label:N", title=t("Still active (%)")),
            alt.Tooltip("under:N", title=t("Customers")),
        ],
    )
    color = alt.Color("value:Q", scale=alt.Scale(domain=[0, 1], range=_RAMP), legend=None)
    layers = [
        base.mark_rect(stroke=BACKGROUND).encode(color=color),
        base.mark_text(color=CELL_INK, fontSize=14, fontWeight=600, dy=-7).encode(text="label:N"),
        base.mark_text(color=CELL_QUIET, fontSize=12, dy=10).encode(text="under:N"),
    ]
    low, high = min(cell.active for cell in found.cells), max(cell.active for cell in found.cells)
    title = t(
        "Still active: from {low:percent} to {high:percent}, by what was taken and since when not",
        low=low,
        high=high,
    )
    caption = t(
        "Per cent who are probably still there, darker for more; under it the customers. Taken after the "
        "{period} in which they began; nobody is in an empty place.",
        period=period_name(found.settings.period),
    )
    chart = themed(alt.layer(*layers).properties(height=alt.Step(_CELL)), t.language)
    return Picture(title, chart, f"{title}. {in_words(cell_rows(found, t))}", caption)


def bin_name(one: Bin, t: Texts) -> str:
    """A range of whole numbers."""
    if one.high is None:
        return f"{t.count(one.low)}+"
    return t.count(one.low) if one.low == one.high else f"{t.count(one.low)}–{t.count(one.high)}"


def difference(found: OccasionsView, one: Difference, t: Texts) -> Picture:
    """The posterior of the difference that the sentence speaks of."""
    first, second = (group_name(group, t) for group in one.groups)
    association = one.word == "association"
    chart = posterior.density(
        one.density,
        (one.new.low, one.new.high),
        t,
        axis=t("Difference of occasions a new customer takes"),
        association=association,
    )
    title = t(
        "{first} less {second}: between {low} and {high}",
        first=first,
        second=second,
        low=t.signed_number(one.new.low),
        high=t.signed_number(one.new.high),
    )
    bands = t("Dark: half of what is likely; light: {level:whole_percent}.", level=found.settings.level)
    caption = t("Dashed: an association.") if association else bands
    return Picture(title, chart, t(found.sentence), caption, wide=True)


# --- the same as tables ---------------------------------------------------------------------------------


def method_name(method: str, t: Texts) -> str:
    """The model, or one of those who know none."""
    return {
        "model": "BG/BB",
        "same-rate": t("Everybody goes on as before"),
        "nobody": t("Nobody does it again"),
    }[method]


def method_rows(found: Foretold, t: Texts) -> list[Row]:
    """Errors of a customer's number of occasions, the smallest first."""
    order = sorted(found.root_errors, key=lambda name: found.root_errors[name])
    return [
        {
            t("Foretold by"): method_name(name, t),
            t("Mean error"): t.number(found.mean_errors[name]),
            t("RMSE"): t.number(found.root_errors[name]),
        }
        for name in order
    ]


def tracking_rows(found: Foretold, settings: OccasionSettings, t: Texts) -> list[Row]:
    """Periods that were held back, as a table."""
    return [
        {
            t("Period"): period_in_words(one.begin, settings, t),
            t("Foretold"): t.count(one.foretold.value),
            t("Between"): f"{t.count(one.foretold.low)} – {t.count(one.foretold.high)}",
            t("Came"): t.count(one.came),
        }
        for one in found.periods
    ]


def group_rows(found: OccasionsView, t: Texts) -> list[Row]:
    """The groups as a table."""
    return [_group_row(group, t, new=bool(found.differences)) for group in found.groups]


def _group_row(group: GroupOccasions, t: Texts, *, new: bool) -> Row:
    return {
        t("Group"): group_name(group.group, t),
        t("Customers"): t.count(group.customers),
        **({} if new else {t("Taken so far"): t.percent(group.taken / group.occasions)}),
        t("Still active"): share_in_words(group.active, t),
        t("A customer takes"): number_in_words(group.ahead, t),
        **({t("A new one takes"): number_in_words(group.new, t)} if new else {}),
    }


def difference_rows(found: OccasionsView, t: Texts) -> list[Row]:
    """The differences as a table."""
    return [
        {
            t("Groups"): t("{first} less {second}", first=one.groups[0], second=one.groups[1]),
            t("Difference of occasions"): t.signed_number(one.new.value),
            t("Between"): f"{t.signed_number(one.new.low)} – {t.signed_number(one.new.high)}",
            t("Above zero with"): t.percent(one.probability_positive),
        }
        for one in found.differences
    ]


def cell_rows(found: OccasionsView, t: Texts) -> list[Row]:
    """The map as a table."""
    return [
        {
            t("Taken"): bin_name(cell.taken, t),
            t("Not since"): bin_name(cell.silent, t),
            t("Customers"): t.count(cell.customers),
            t("Still active"): t.percent(cell.active),
            t("Takes of the next {ahead:count}", ahead=found.settings.horizon): t.number(cell.ahead),
        }
        for cell in found.cells
    ]


def by_period_rows(groups: Sequence[GroupOccasions], t: Texts) -> list[Row]:
    """Customers who take each of the next occasions, as a table."""
    return [
        {
            t("Group"): group_name(group.group, t),
            t("Next"): t.count(place + 1),
            t("Customers"): t.count(one.value),
            t("Between"): f"{t.count(one.low)} – {t.count(one.high)}",
        }
        for group in groups
        for place, one in enumerate(group.by_period)
    ]
