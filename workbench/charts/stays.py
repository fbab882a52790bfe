"""The pictures and the table of time on pages, always with what the visits led to beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from workbench.analyses.estimates import success_name
from workbench.analyses.stays import StayGroup, TimeOnPage
from workbench.charts import posterior
from workbench.charts.forest import Line, forest, number_in_words, percent, share_in_words
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import BACKGROUND, CONTROL, TREATMENT, themed
from workbench.locale import Texts
from workbench.metrics.engagement import LONG_SECONDS
from workbench.report import Row

_PALE = "#9CC9E3"  # of the treatment's colour, for the lesser part of a bar


def stay_pictures(time: TimeOnPage, success: str | None, level: float, t: Texts) -> list[Picture]:
    """Medians, what the visits led to, and how much is measured: the same groups in the same order."""
    groups = time.groups or (time.everybody,)
    return [_medians(time, groups, level, t), _led_to(time, groups, success, level, t), _measured(groups, t)]


def group_name(name: str, t: Texts) -> str:
    """A group's name; everybody has none of their own."""
    return name or t("all stays")


def _medians(time: TimeOnPage, groups: Sequence[StayGroup], level: float, t: Texts) -> Picture:
    lines = [
        Line(
            group_name(group.name, t),
            group.median,
            t("{n:number} s", n=group.median.value) if group.median else t("not measured"),
            group.fitted.median.value if group.fitted else None,
        )
        for group in groups
    ]
    first = groups[0]
    title = t("How long half of the stays last")
    if first.median is not None:
        title = t("Half of the stays last longer than {n:number} s", n=first.median.value)
        if len(groups) > 1:
            title = t(
                "Longest is {group}: half of the stays last longer than {n:number} s",
                group=first.name,
                n=first.median.value,
            )
    caption = t(
        "● the median of the measured stays as counted, with its interval of {level:whole_percent}; ○ as a "
        "lognormal has it.",
        level=level,
    )
    chart = forest(lines, t("Seconds"), t)
    return Picture(title, chart, f"{title}. {in_words(stay_rows(time, t))}", caption)


def _led_to(
    time: TimeOnPage, groups: Sequence[StayGroup], success: str | None, level: float, t: Texts
) -> Picture:
    lines = []
    for group in groups:
        shown = percent(group.done or group.single)
        text = t.percent((group.done or group.single).value)
        other = 100 * group.single.value if group.done else None
        lines.append(Line(group_name(group.name, t), shown, text, other))
    first = groups[0]
    axis = t("Per cent of the visits with it") if first.name else t("Per cent of visits")
    if success is None or first.done is None:
        title = t("Visits that saw one page only")
        caption = t("● with its interval of {level:whole_percent}.", level=level)
    else:
        title = t(
            "Of the visits with {group} {share:percent} end in {success}",
            group=first.name,
            share=first.done.value,
            success=success_name(success),
        )
        if not first.name:
            title = t(
                "{share:percent} of visits end in {success}",
                share=first.done.value,
                success=success_name(success),
            )
        caption = t(
            "● visits that ended in {success}, with the interval of {level:whole_percent}; ○ visits that saw "
            "one page only. A long stay may be interest or confusion: read it with what it led to.",
            success=success_name(success),
            level=level,
        )
    return Picture(title, forest(lines, axis, t), f"{title}. {in_words(end_rows(time, t))}", caption)


def _measured(groups: Sequence[StayGroup], t: Texts) -> Picture:
    names = [t("not measured"), t("up to {n:count} s", n=LONG_SECONDS), t("more")]
    rows: list[dict[str, Any]] = []
    for group in groups:
        long = group.long.value * group.measured.value if group.long else 0.0
        parts = [1 - group.measured.value, group.measured.value - long, long]
        begin = 0.0
        for name, part in zip(names, parts, strict=True):
            rows.append(
                {
                    "group": group_name(group.name, t),
                    "part": name,
                    "low": 100 * begin,
                    "high": 100 * (begin + part),
                    "said": t.percent(part),
                }
            )
            begin += part
    order = [group_name(group.name, t) for group in groups]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("group:N", sort=order, title=None, axis=posterior.names()),
        x=alt.X("low:Q", title=t("Per cent of stays"), scale=alt.Scale(domain=[0, 100], nice=False)),
        x2="high:Q",
        tooltip=[alt.Tooltip("part:N", title=t("Stays")), alt.Tooltip("said:N", title=t("Share"))],
    )
    colors = alt.Scale(domain=names, range=[BACKGROUND, _PALE, TREATMENT])
    fill = alt.Fill(
        "part:N", scale=colors, sort=names, title=None, legend=alt.Legend(symbolStrokeColor=CONTROL)
    )
    unmeasured = alt.condition(alt.datum.part == names[0], alt.value([4, 3]), alt.value([1, 0]))
    bars = base.mark_bar(stroke=CONTROL, strokeWidth=1, height=16, cornerRadius=0).encode(
        fill=fill, strokeDash=unmeasured
    )
    most = max(groups, key=lambda group: 1 - group.measured.value)
    title = t("{share:percent} of the stays are not measured", share=1 - groups[0].measured.value)
    if len(groups) > 1:
        title = t(
            "Least is known of {group}: {share:percent} of the stays are not measured",
            group=most.name,
            share=1 - most.measured.value,
        )
    words = in_words(
        [{t("Stays"): f"{row['group']}, {row['part']}", t("Share"): row["said"]} for row in rows]
    )
    chart = themed(alt.layer(bars).properties(height=alt.Step(32)), t.language)
    caption = t("Dashed: not measured, which is not 0. The parts of a bar make up all stays.")
    return Picture(title, chart, f"{title}. {words}", caption, wide=True)


def stay_rows(time: TimeOnPage, t: Texts) -> list[Row]:
    """How long stays last as a table, all stays last."""
    return [
        {
            t("Group"): group_name(group.name, t),
            t("Stays"): t.count(group.stays),
            t("Not measured"): t.percent(1 - group.measured.value),
            t("Median (s)"): number_in_words(group.median, t),
            t("Longer than {n:count} s", n=LONG_SECONDS): share_in_words(group.long, t),
            **_against(group, time, t),
            t("Past the hurdle"): t.percent(group.kept.value),
            t("Lognormal: median (s)"): number_in_words(group.fitted.median if group.fitted else None, t),
            t("Lognormal: mean (s)"): number_in_words(group.fitted.mean if group.fitted else None, t),
        }
        for group in (*time.groups, time.everybody)
    ]


def _against(group: StayGroup, time: TimeOnPage, t: Texts) -> Row:
    """The median held against that of the reference; nothing where there is none."""
    if time.reference is None:
        return {}
    ratio = "1" if group.name == time.reference else number_in_words(group.ratio, t)
    return {
        t("Median to that of {group}", group=time.reference): ratio,
        t("P(longer)"): "–" if group.longer is None else t.percent(group.longer),
    }


def end_rows(time: TimeOnPage, t: Texts) -> list[Row]:
    """What the visits with these stays led to as a table, all visits last."""
    return [
        {
            t("Group"): group_name(group.name, t),
            t("Visits"): t.count(group.visits),
            **({} if group.done is None else {t("Ended in success"): share_in_words(group.done, t)}),
            t("One page only"): share_in_words(group.single, t),
            t("Stays that went straight back"): share_in_words(group.back, t),
        }
        for group in (*time.groups, time.everybody)
    ]
