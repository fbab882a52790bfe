"""The pictures of a design: how tests end and how long they take, what more weeks bring, what a hold-out
costs, and how fine personalisation may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from workbench.analyses.design import LEVEL_WEEKS, DesignView
from workbench.analyses.design_words import (
    LEVEL_NAMES,
    chosen_hold_out,
    hold_out_rows,
    hold_out_words,
    level_rows,
    level_words,
    lift_of,
    shown_weeks,
    truth_rows,
    week_rows,
    weeks_of,
)
from workbench.charts import posterior
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import ARMS, CONTROL, INK, TREATMENT, WARNING, themed
from workbench.locale import Texts

_HEIGHT = 240
_SOLID: list[int] = [1, 0]
_UNDECIDED = ARMS[2]
_LIFTS = alt.Axis(format="+~%", labelExpr="datum.value ? datum.label : '0'", grid=False)
_MANY_LEVELS = 3.0  # lifts beyond this are cut: +300 % is no lift anybody plans


def truths(view: DesignView, t: Texts) -> Picture:
    """How tests end, by the lift that is true."""
    ends = [
        (t("ships the new version"), "adopted", TREATMENT, _SOLID),
        (t("never decides"), "undecided", _UNDECIDED, [2, 3]),
        (t("stays with control"), "dropped", CONTROL, [8, 4]),
        (t("practically the same"), "same", ARMS[3], [12, 3, 2, 3]),
    ]
    ends = [end for end in ends if any(getattr(one, end[1]).value > 0.001 for one in view.truths)]
    rows = [
        {"lift": one.lift, "share": getattr(one, name).value, "end": words}
        for one in view.truths
        for words, name, _, _ in ends
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("lift:Q", title=t("True lift"), axis=_LIFTS),
        y=alt.Y(
            "share:Q",
            title=t("Share of tests"),
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="~%", tickCount=5),
        ),
        **_by("end", ends),
    )
    layers = [_rule_at("lift", 0.0), base.mark_line(strokeWidth=2.5), base.mark_point(size=36, opacity=1)]
    title = t(
        "With no effect {wrong:percent} of tests ship the new version", wrong=view.no_effect.wrong.value
    )
    caption = t(
        "{n:count} simulated tests at each point; each share is right to about ± {error:size_points} points.",
        n=view.settings.simulations,
        error=2 * max(one.undecided.error for one in view.truths),
    )
    return Picture(title, _finished(layers, t), in_words(truth_rows(view, t)), caption)


def duration(view: DesignView, t: Texts) -> Picture:
    """How long tests take, by the lift that is true."""
    rows = [{"lift": one.lift, "weeks": one.weeks.value} for one in view.truths]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("lift:Q", title=t("True lift"), axis=_LIFTS),
        y=alt.Y(
            "weeks:Q", title=t("Weeks on average"), scale=alt.Scale(domain=[0, view.settings.weeks * 1.08])
        ),
    )
    layers = [_rule_at("lift", 0.0), base.mark_line(), base.mark_point(size=36, opacity=1)]
    best = view.truths[0] if view.settings.lower_is_better else view.truths[-1]
    title = t(
        "A test takes {none} weeks with no effect, {some} with {lift}",
        none=t.number(view.no_effect.weeks.value, 2),
        some=t.number(best.weeks.value, 2),
        lift=lift_of(best.lift, t),
    )
    caption = t("Weeks in which customers enter, until the rule ends the test.")
    return Picture(title, _finished(layers, t), in_words(truth_rows(view, t)), caption)


def assurance(view: DesignView, t: Texts) -> Picture:
    """The chance of adopting, by the length of the test."""
    shown = shown_weeks(view)
    rows = [
        {
            "week": one.week,
            "chance": one.adopted.value,
            "low": max(one.adopted.value - 2 * one.adopted.error, 0.0),
            "high": min(one.adopted.value + 2 * one.adopted.error, 1.0),
        }
        for one in shown
    ]
    last = view.settings.weeks
    x = alt.X(
        "week:Q",
        title=t("Weeks in which customers enter"),
        scale=alt.Scale(domain=[0, shown[-1].week], nice=False),
        axis=alt.Axis(format="d", grid=False),
    )
    most = view.best_adopted
    y = alt.Y(
        "chance:Q",
        title=t("Chance of adopting"),
        scale=alt.Scale(domain=[0, min(1.0, most * 1.25)]),
        axis=alt.Axis(format="~%", tickCount=5),
    )
    base = alt.Chart(alt.Data(values=rows)).encode(x=x)
    here = [row for row in rows if row["week"] == last]
    limit = alt.Chart(alt.Data(values=[{"week": 0, "chance": most}]))
    layers = [
        base.mark_area(color=TREATMENT, opacity=0.2).encode(y="low:Q", y2="high:Q"),
        base.mark_line(strokeWidth=2.5).encode(y=y),
        limit.mark_rule(color=INK, strokeDash=[6, 4]).encode(y="chance:Q"),
        limit.mark_text(
            text=t("no test exceeds {most:whole_percent}", most=round(most, 2)), align="left", dx=4, dy=-9
        ).encode(x="week:Q", y="chance:Q"),
        alt.Chart(alt.Data(values=here))
        .mark_point(size=120, opacity=1, color=TREATMENT)
        .encode(x="week:Q", y="chance:Q"),
    ]
    title = t(
        "In {weeks} a chance of {chance:percent} to adopt",
        weeks=weeks_of(last),
        chance=view.weeks[last - 1].adopted.value,
    )
    caption = t("Over all lifts that you hold possible; the limit is the chance that there is a gain at all.")
    return Picture(title, _finished(layers, t), in_words(week_rows(view, t)), caption, wide=True)


def hold_out(view: DesignView, t: Texts) -> Picture | None:
    """What a global hold-out tells and costs, by its size; None where the year is not known."""
    said, chosen = hold_out_words(view), chosen_hold_out(view)
    if said is None or chosen is None:
        return None
    lines = [
        (t("yearly value known to ±"), "year", TREATMENT, _SOLID),
        (t("forgone in a year"), "forgone", WARNING, [8, 4]),
    ]
    rows = [
        {"share": one.share, "money": getattr(one, name), "line": words}
        for one in view.hold_outs
        for words, name, _, _ in lines
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "share:Q",
            title=t("Share held out"),
            axis=alt.Axis(format="~%", grid=False),
        ),
        y=alt.Y("money:Q", title=t("A year, in {currency}", currency=t.currency), axis=alt.Axis(format="~s")),
        **_by("line", lines),
    )
    layers = [_rule_at("share", chosen.share, dashed=True), base.mark_line(strokeWidth=2.5)]
    return Picture(
        t(
            "A hold-out of {share:whole_percent} knows the yearly value to ± {width:money}",
            share=chosen.share,
            width=chosen.year,
        ),
        _finished(layers, t),
        in_words(hold_out_rows(view, t)),
        t(
            "Dashed vertical: the hold-out chosen. ± is half of its {level:whole_percent} interval.",
            level=view.settings.level,
        ),
        wide=True,
    )


def levels(view: DesignView, t: Texts) -> Picture:
    """The smallest lift that is found at each level of personalisation."""
    rows: list[dict[str, Any]] = []
    for name, level in view.levels.items():
        lift = None if level.lift is None else min(level.lift, _MANY_LEVELS)
        words = t("not one person alone")
        if level.lift is not None:
            words = t.signed_percent(level.lift, 0) if level.lift <= _MANY_LEVELS else "> +300 %"
        beside = max(lift or 0.0, view.settings.worth)
        label = t("{level} ({n:count})", level=t(LEVEL_NAMES[name]), n=level.groups)
        rows.append({"level": label, "lift": lift or 0.0, "beside": beside, "words": words})
    top = max(max(row["lift"] for row in rows), view.settings.worth) * 1.45
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("level:N", sort=[row["level"] for row in rows], title=None, axis=posterior.names()),
    )
    x = alt.X(
        "lift:Q",
        title=t("Smallest lift found"),
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=_LIFTS,
    )
    worth = alt.Chart(alt.Data(values=[{"lift": view.settings.worth}]))
    layers = [
        base.mark_bar(size=20).encode(x=x),
        base.mark_text(align="left", dx=8, fontSize=alt.ExprRef("width < 240 ? 11 : 13")).encode(
            x="beside:Q", text="words:N"
        ),
        worth.mark_rule(color=WARNING, strokeDash=[6, 4], strokeWidth=2).encode(x="lift:Q"),
    ]
    chart = themed(alt.layer(*layers).properties(height=alt.Step(40)), t.language, t.currency)
    caption = t(
        "Found four times in five, at one look after {weeks:count} weeks. In brackets: groups. Dashed: the "
        "lift worth finding, {lift:whole_percent}.",
        lift=view.settings.worth,
        weeks=LEVEL_WEEKS,
    )
    return Picture(t(level_words(view)), chart, in_words(level_rows(view, t)), caption, wide=True)


def _by(field: str, lines: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """A colour and a dash for each line, in one legend."""
    names = [one[0] for one in lines]
    legend = alt.Legend(title=None, symbolType="stroke", symbolSize=400, columns=1, labelLimit=280)
    return {
        "color": alt.Color(
            f"{field}:N", scale=alt.Scale(domain=names, range=[one[2] for one in lines]), legend=legend
        ),
        "strokeDash": alt.StrokeDash(
            f"{field}:N", scale=alt.Scale(domain=names, range=[one[3] for one in lines]), legend=legend
        ),
    }


def _rule_at(field: str, value: float, *, dashed: bool = False) -> alt.Chart:
    rule = alt.Chart(alt.Data(values=[{field: value}]))
    return rule.mark_rule(color=INK, strokeDash=[4, 4] if dashed else _SOLID).encode(x=f"{field}:Q")


def _finished(layers: Sequence[alt.Chart], t: Texts) -> alt.LayerChart:
    return themed(alt.layer(*layers).properties(height=_HEIGHT), t.language, t.currency)
