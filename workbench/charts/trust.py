"""The pictures of trust: the list, each sign of trust by the week, what people want, and all of it as"
" rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import altair as alt

from workbench.analyses.trust_answer import TrustView, Wish
from workbench.analyses.trust_findings import COMPLAINTS_LIMIT, COMPLAINTS_WATCH
from workbench.analyses.trust_measures import Measure, Period
from workbench.charts import ends
from workbench.charts.picture import Picture, in_words
from workbench.charts.posterior import names
from workbench.charts.theme import CONTROL, INK, QUIET, TREATMENT, WARNING, themed
from workbench.locale import Message, Texts, say
from workbench.report import Row

_HEIGHT = 180
_MOST_WISHES = 8
_WEEK = 7
_PICTURED = ("unsubscribes", "unsubscribes_delivered", "complaints", "churn", "deletions")


def pictures(view: TrustView, t: Texts) -> list[Picture]:
    """Every picture there is something for, the list first."""
    found = [subscribers(view, t)] if view.alarm is not None else []
    ours = [f"{kind}:{view.personalisation}" for kind in ("consent", "withdrawn")]
    others = [f"consent:{one}" for one in view.purposes if one != view.personalisation]
    signs = [view.measures[name] for name in (*ours, *_PICTURED, *others) if name in view.measures]
    found += [trend(measure, view, t) for measure in signs if len(measure.weeks) > 1]
    if view.honoured is not None:
        found.append(honoured(view, t))
    found += [wishes(view, about, t) for about in ("content", "frequency") if _wanted(view, about)]
    return found


# --- the list -------------------------------------------------------------------------------------------


def subscribers(view: TrustView, t: Texts) -> Picture:
    """Who joined and who left in each week, and when people began to leave faster."""
    joins, leaves = t("joined"), t("left")
    weeks = list(_weeks(view))
    rows = [
        {"week": _noon(week["first"]), "people": week[key], "what": what}
        for week in weeks
        for key, what in (("joined", joins), ("left", leaves))
        if week["full"]
    ]
    scale = alt.Scale(domain=[joins, leaves], range=[TREATMENT, WARNING])
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=_week_axis(len(weeks)),
        y=alt.Y("people:Q", title=t("People a week"), scale=alt.Scale(domainMin=0)),
        color=alt.Color("what:N", scale=scale, legend=None),
    )
    last = [row for row in rows if rows and row["week"] == rows[-1]["week"]]
    most = [row["people"] for row in rows]
    labels = alt.Chart(alt.Data(values=ends.placed(last, "people", most, 220) if last else [])).encode(
        color=alt.Color("what:N", scale=scale, legend=None)
    )
    tips = [alt.Tooltip("what:N", title=" "), alt.Tooltip("people:Q", title=t("People"), format=",")]
    layers = [
        *_changes(view, t),
        base.mark_line(strokeWidth=2.5).encode(
            strokeDash=alt.StrokeDash("what:N", legend=None, sort=[joins, leaves])
        ),
        base.mark_point(filled=True, opacity=1).encode(
            shape=alt.Shape(
                "what:N", legend=None, scale=alt.Scale(domain=[joins, leaves], range=["circle", "square"])
            ),
            tooltip=tips,
        ),
        *ends.names(labels, _week_axis(len(weeks)), "people", "what", fontWeight=600),
    ]
    chart = themed(alt.layer(*layers).properties(height=220), t.language)
    days = min(view.settings.window_days, view.left.size)
    counts = {"joined": view.joined[-days:].sum(), "left": view.left[-days:].sum(), "days": days}
    title = t(
        "In the last {days:count} days {joined:count} people joined the list and {left:count} left", **counts
    )
    caption = ""
    if view.alarm is not None and view.alarm.changes:
        caption = t("Dashed upright line: from then on people left faster than before.")
    return Picture(title, chart, in_words(list_rows(view, t)[-8:]), caption, wide=True)


def _weeks(view: TrustView) -> Iterator[dict[str, Any]]:
    """The list by calendar week, the first and the last as far as they go."""
    assert view.first is not None
    days = view.left.size
    begins = sorted({0, *range((-view.first.weekday()) % _WEEK, days, _WEEK)})
    for begin, end in list(zip(begins, [*begins[1:], days], strict=True))[-view.settings.weeks :]:
        yield {
            "first": view.first + timedelta(begin),
            "joined": int(view.joined[begin:end].sum()),
            "left": int(view.left[begin:end].sum()),
            "at_risk": int(view.at_risk[end - 1]),
            "full": end - begin == _WEEK,
        }


def list_rows(view: TrustView, t: Texts) -> list[Row]:
    """The list as a table: a row a week, the newest last."""
    return [
        {
            t("Week of"): t.date(week["first"]),
            t("Joined"): t.count(week["joined"]),
            t("Left"): t.count(week["left"]),
            t("Net"): _signed(week["joined"] - week["left"], t),
            t("On the list"): t.count(week["at_risk"]),
        }
        for week in (_weeks(view) if view.left.size else ())
    ]


def _signed(value: int, t: Texts) -> str:
    return ("+" if value > 0 else "−" if value < 0 else "") + t.count(abs(value))


def _changes(view: TrustView, t: Texts) -> list[alt.Chart]:
    """A rule where people began to leave faster, with its date."""
    if view.alarm is None or view.until is None:
        return []
    begin = view.until - timedelta(_WEEK * view.settings.weeks)
    rows = [
        {"day": _noon(change.since), "text": t.date(change.since)}
        for change in view.alarm.changes
        if change.since >= begin
    ]
    if not rows:
        return []
    base = alt.Chart(alt.Data(values=rows)).encode(x="day:T")
    return [
        base.mark_rule(color=INK, strokeDash=[4, 4], strokeWidth=1.5),
        base.mark_text(align="right", dx=-6, dy=-2, baseline="bottom", color=INK).encode(
            y=alt.value(12), text="text:N"
        ),
    ]


# --- signs of trust -------------------------------------------------------------------------------------


def trend(measure: Measure, view: TrustView, t: Texts) -> Picture:
    """A sign of trust by the week, with its interval."""
    if measure.kind == "share":
        title = t(
            "{title}: {value:share} {of}", title=measure.title, value=measure.now.value or 0, of=measure.of
        )
    else:
        value = (measure.now.value or 0.0) * measure.per
        title = t("{title}: {value:number} {of}", title=measure.title, value=value, of=measure.of)
    words, lines, under = [_held(measure, view, t)], [], []
    if measure.name == "unsubscribes":
        under = _changes(view, t)
    if measure.name == "complaints":
        lines = [COMPLAINTS_WATCH * measure.per, COMPLAINTS_LIMIT * measure.per]
        words.append(t("Dotted: what mailboxes ask to stay below, 0.1 %; above 0.3 % they refuse messages."))
    if any(not week.complete for week in measure.weeks):
        words.append(t("Hollow: a week that is not over, or to which more may come."))
    if any(not week.among for week in measure.weeks):
        words.append(t("A week without any has no point."))
    chart = _trend(measure.weeks, measure, t, view.settings.level, lines=lines, under=under)
    return Picture(title, chart, f"{title}. {words[0]}", " ".join(words))


def _held(measure: Measure, view: TrustView, t: Texts) -> str:
    """The last days in words: their interval, and how they compare with those before."""
    now = measure.now
    if now.value is None or now.interval is None:
        return t("Nothing in the last days.")
    scale = 100.0 if measure.kind == "share" else measure.per
    low, high = (end * scale for end in now.interval)
    if measure.kind == "share":
        words = {"low": now.interval[0], "high": now.interval[1], "n": now.events, "among": now.among}
        said = t("{n:count} of {among:count} people; between {low:share} and {high:share}.", **words)
        if measure.before is not None and measure.before.value is not None:
            said += " " + t("At the end of the days before: {value:share}.", value=measure.before.value)
        return said
    said = t(
        "From {first:date} to {last:date}: {n:count} in all; between {low:number} and {high:number}.",
        first=now.first,
        last=now.last,
        n=now.events,
        low=low,
        high=high,
    )
    if measure.before is None or measure.before.value is None or measure.up is None:
        return said
    tail, before = (1 - view.settings.level) / 2, measure.before.value * measure.per
    if measure.up > 1 - tail:
        more = t("It rose: {before:number} in the days before.", before=before)
    elif measure.up < tail:
        more = t("It fell: {before:number} in the days before.", before=before)
    else:
        more = t("{before:number} in the days before: no sure change.", before=before)
    return f"{said} {more}"


def _trend(
    periods: Sequence[Period],
    measure: Measure,
    t: Texts,
    level: float,
    *,
    lines: Sequence[float] = (),
    under: Sequence[alt.Chart] = (),
) -> alt.LayerChart:
    share = measure.kind == "share"
    scale = 100.0 if share else float(measure.per)
    axis = t("Per cent of people") if share else t("Per {n:count}", n=measure.per)
    rows: list[dict[str, Any]] = [
        {
            "week": _noon(one.first),
            "value": one.value * scale,
            "low": one.interval[0] * scale,
            "high": one.interval[1] * scale,
            "n": one.events,
            "done": one.complete,
        }
        for one in periods
        if one.value is not None and one.interval is not None
    ]
    most = 1.0
    if rows:  # a week of which little is known has an interval that would press all others flat
        highs = sorted(float(row["high"]) for row in rows)
        most = max(1.5 * max(float(row["value"]) for row in rows), highs[len(rows) // 2], *lines[:1])
    y = alt.Scale(zero=False) if share else alt.Scale(domain=[0, most], nice=True)
    base = alt.Chart(alt.Data(values=rows)).encode(x=_week_axis(len(rows)))
    value = alt.Y("value:Q", title=axis, scale=y)
    tips = [
        alt.Tooltip("value:Q", title=axis, format=".3~g"),
        alt.Tooltip("low:Q", title=t("from"), format=".3~g"),
        alt.Tooltip("high:Q", title=t("to"), format=".3~g"),
        alt.Tooltip("n:Q", title=t("Count"), format=","),
    ]
    rules = [
        alt.Chart(alt.Data(values=[{"y": line}]))
        .mark_rule(color=QUIET, strokeDash=[2, 3], clip=True)
        .encode(y=alt.Y("y:Q", scale=y))
        for line in lines
        if share or line <= most
    ]
    layers = [
        *rules,
        *under,
        base.mark_area(color=TREATMENT, opacity=0.2, clip=True).encode(
            y=alt.Y("low:Q", title=axis, scale=y), y2="high:Q"
        ),
        base.mark_line(color=TREATMENT, strokeWidth=2).encode(y=value),
        base.transform_filter("datum.done")
        .mark_point(filled=True, opacity=1, color=TREATMENT, size=36)
        .encode(y=value, tooltip=tips),
        base.transform_filter("!datum.done")
        .mark_point(filled=True, opacity=1, color="white", stroke=TREATMENT, size=44)
        .encode(y=value, tooltip=tips),
    ]
    return themed(alt.layer(*layers).properties(height=_HEIGHT), t.language)


def honoured(view: TrustView, t: Texts) -> Picture:
    """Of those with a preference, whose messages kept to it."""
    found = view.honoured
    assert found is not None
    now = found.now
    assert now.value is not None
    assert now.interval is not None
    measure = Measure("honoured", say(""), say(""), "share", 1, True, found.periods, now)
    title = t(
        "{value:share} of people with preferences got only what they asked for",
        value=now.value,
    )
    caption = t(
        "From {first:date} to {last:date}, {n:count} of {among:count} people; between {low:share} and"
        " {high:share}. Another topic went to {off:count}, messages too often to {often:count}.",
        first=now.first,
        last=now.last,
        n=now.events,
        among=now.among,
        low=now.interval[0],
        high=now.interval[1],
        off=found.off_topic,
        often=found.too_often,
    )
    chart = _trend(found.periods, measure, t, view.settings.level)
    return Picture(title, chart, f"{title}. {caption}", caption)


# --- what people want -----------------------------------------------------------------------------------


def _wanted(view: TrustView, about: str) -> list[Wish]:
    return [one for one in view.wishes if one.about == about]


def wishes(view: TrustView, about: str, t: Texts) -> Picture:
    """The shares of people who want each topic, or each frequency."""
    found = _wanted(view, about)
    shown = found[:_MOST_WISHES]
    rows = [
        {
            "wish": one.wish,
            "value": one.share * 100,
            "low": one.interval[0] * 100,
            "high": one.interval[1] * 100,
            "text": t.share(one.people / one.of),
        }
        for one in shown
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("wish:N", sort=[one.wish for one in shown], title=None, axis=names())
    )
    across = alt.Scale(domainMin=0)
    layers = [
        base.mark_bar(color=TREATMENT, opacity=0.35, height={"band": 0.6}).encode(
            x=alt.X("value:Q", title=t("Per cent of people"), scale=across)
        ),
        base.mark_rule(color=CONTROL, strokeWidth=3).encode(x="low:Q", x2="high:Q"),
        base.mark_text(align="left", dx=8, color=INK).encode(x="high:Q", text="text:N"),
    ]
    chart = themed(alt.layer(*layers).properties(height=alt.Step(36), padding=_padded(48)), t.language)
    first = shown[0]
    heads: dict[str, Message] = {
        "content": say("Most want to hear of “{wish}”: {share:share} of {of:count} people"),
        "frequency": say("Most want messages “{wish}”: {share:share} of {of:count} people"),
    }
    title = t(heads[about], wish=first.wish, share=first.people / first.of, of=first.of)
    caption = t("By the newest preference of those who have not left. Grey: its interval.")
    if about == "content":
        caption = t(
            "By the newest preference of those who have not left, who may name several. Grey: its interval."
        )
    if len(found) > len(shown):
        caption += " " + t("{n:count} more are in the table.", n=len(found) - len(shown))
    return Picture(title, chart, in_words(wish_rows(view, t)), caption)


def wish_rows(view: TrustView, t: Texts) -> list[Row]:
    """What people want as a table."""
    kinds = {"content": t("content"), "frequency": t("frequency")}
    return [
        {
            t("Wish"): one.wish,
            t("Kind"): kinds[one.about],
            t("People"): t.count(one.people),
            t("Share"): t.share(one.people / one.of),
            t("Between"): t("{low:share} and {high:share}", low=one.interval[0], high=one.interval[1]),
        }
        for one in view.wishes
    ]


def rows(view: TrustView, t: Texts) -> list[Row]:
    """Every sign of trust in the last days and in those before."""
    return [_row(measure, t) for measure in view.measures.values()]


def _row(measure: Measure, t: Texts) -> Row:
    def written(value: float | None) -> str:
        if value is None:
            return "–"
        return t.share(value) if measure.kind == "share" else t.number(value * measure.per)

    now, ratio = measure.now, "–"
    if measure.ratio is not None and measure.ratio_interval is not None:
        low, high = measure.ratio_interval
        ratio = t("{ratio:number} ({low:number} to {high:number})", ratio=measure.ratio, low=low, high=high)
    between = (
        "–"
        if now.interval is None
        else t("{low} to {high}", low=written(now.interval[0]), high=written(now.interval[1]))
    )
    return {
        t("Sign"): t("{title}, {of}", title=measure.title, of=measure.of),
        t("How many"): t.count(now.events),
        t("Now"): written(now.value),
        t("Interval"): between,
        t("Before"): written(None if measure.before is None else measure.before.value),
        t("Now over before"): ratio,
        t("Sure that it rose"): "–" if measure.up is None else t.percent(measure.up),
    }


def _week_axis(weeks: int) -> alt.X:
    axis = alt.Axis(title=None, format="%-d %b", tickCount=min(max(weeks, 2), 6), grid=False)
    return alt.X("week:T", axis=axis)


def _padded(right: int) -> dict[str, int]:
    """Room for words to the right of the marks."""
    return {"left": 4, "top": 4, "right": right, "bottom": 4}


def _noon(day: date) -> str:
    """So that no browser's time zone makes another day of it."""
    return f"{day.isoformat()}T12:00:00"
