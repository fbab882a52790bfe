"""The pictures and tables of visits, social networks and chats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from workbench.analyses.chats import Chats
from workbench.analyses.engagement import MOST_PAGES, Visits
from workbench.analyses.estimates import Estimate, success_name
from workbench.analyses.social import Reaction, Social, type_name
from workbench.charts import posterior
from workbench.charts.forest import Line, forest, number_in_words, percent
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import BACKGROUND, CONTROL, INK, themed
from workbench.locale import Texts
from workbench.report import Row

_MOST_WORDS = 12  # weeks that are read out


# --- visits ---------------------------------------------------------------------------------------------


def visit_pictures(visits: Visits, t: Texts) -> list[Picture]:
    """Visits over time, and how many pages they have."""
    return [_weeks(visits, t), _pages(visits, t)] if len(visits.weeks) > 1 else [_pages(visits, t)]


def _weeks(visits: Visits, t: Texts) -> Picture:
    rows = [
        {
            "day": week.monday.isoformat(),
            "visits": week.visits,
            "whole": week.whole,
            "said": t.date(week.monday),
        }
        for week in visits.weeks
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("day:T", title=t("Week from Monday"), scale=alt.Scale(padding=8)),
        y=alt.Y("visits:Q", title=t("Visits"), scale=alt.Scale(zero=True)),
        tooltip=[
            alt.Tooltip("said:N", title=t("Week from")),
            alt.Tooltip("visits:Q", title=t("Visits"), format=","),
        ],
    )
    layers = [
        base.transform_filter("datum.whole").mark_line(),
        base.mark_point(filled=False, size=36, strokeWidth=1.5),
    ]
    layers.append(base.transform_filter("datum.whole").mark_point(size=40))
    part = any(not week.whole for week in visits.weeks)
    caption = t("○ a week that the data do not cover whole.") if part else ""
    title = t("In half of the weeks there are more than {n:count} visits", n=visits.usual_week)
    chart = themed(alt.layer(*layers).properties(height=220), t.language)
    return Picture(title, chart, f"{title}. {in_words(week_rows(visits, t)[-_MOST_WORDS:])}", caption)


def _pages(visits: Visits, t: Texts) -> Picture:
    rows = [
        {"pages": _page_name(pages), "seen": 100 * seen, "told": 100 * told}
        for pages, seen, told in visits.histogram
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "pages:N",
            sort=[row["pages"] for row in rows],
            title=t("Pages in a visit"),
            axis=alt.Axis(labelAngle=0),
        )
    )
    layers = [
        base.mark_bar().encode(y=alt.Y("seen:Q", title=t("Per cent of visits"))),
        base.mark_point(filled=True, color="white", size=60, opacity=1).encode(y="told:Q"),
        base.mark_point(filled=False, color=INK, size=60, strokeWidth=1.5).encode(y="told:Q"),
    ]
    title = t("{share:percent} of visits have one page", share=visits.single.value)
    caption = t("○ as a zero-truncated negative binomial of the same mean has it.")
    chart = themed(alt.layer(*layers).properties(height=220), t.language)
    return Picture(title, chart, f"{title}. {in_words(page_rows(visits, t))}", caption)


def _page_name(pages: int) -> str:
    return f"{pages}+" if pages == MOST_PAGES else str(pages)


def week_rows(visits: Visits, t: Texts) -> list[Row]:
    """Weeks as a table."""
    return [
        {
            t("Week from"): t.date(week.monday),
            t("Visits"): t.count(week.visits),
            t("Pages per visit"): "–" if week.pages is None else t.number(week.pages),
            t("Covered"): t("whole") if week.whole else t("in part"),
        }
        for week in visits.weeks
    ]


def page_rows(visits: Visits, t: Texts) -> list[Row]:
    """Pages per visit as a table."""
    return [
        {
            t("Pages"): _page_name(pages),
            t("Visits"): t.percent(seen),
            t("Negative binomial"): t.percent(told),
        }
        for pages, seen, told in visits.histogram
    ]


# --- social networks ------------------------------------------------------------------------------------


def social_pictures(social: Social, level: float, t: Texts) -> list[Picture]:
    """Reactions for a thousand people reached, and those of posts whose reach is not known."""
    known = [one for one in social.reactions if one.rate is not None]
    unknown = [one for one in social.reactions if one.unknown]
    return [
        *([_rates(social, known, level, t)] if known else []),
        *([_without_reach(unknown, t)] if unknown else []),
    ]


def _reaction(one: Reaction, t: Texts) -> str:
    kind = type_name(one.type)
    return t("{network}: {type}", network=one.network, type=kind)


def _rates(social: Social, known: Sequence[Reaction], level: float, t: Texts) -> Picture:
    lines = []
    for one in known:
        assert one.rate is not None
        rate = Estimate(1000 * one.rate.value, 1000 * one.rate.low, 1000 * one.rate.high)
        lines.append(Line(_reaction(one, t), rate, t.number(rate.value), None))
    title = t("Reactions for a thousand people reached")
    caption = t(
        "With the interval of {level:whole_percent}; the axis is logarithmic. Who is reached on two days "
        "counts twice.",
        level=level,
    )
    chart = forest(lines, t("Per thousand reached"), t, logarithmic=True)
    return Picture(title, chart, f"{title}. {in_words(reaction_rows(social, t))}", caption)


def _without_reach(unknown: Sequence[Reaction], t: Texts) -> Picture:
    rows: list[dict[str, Any]] = [
        {"label": _reaction(one, t), "n": one.unknown, "said": t.count(one.unknown)}
        for one in sorted(unknown, key=lambda one: -one.unknown)
    ]
    most = max(one.unknown for one in unknown)
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=[row["label"] for row in rows], title=None, axis=posterior.names()),
        x=alt.X("n:Q", title=t("Reactions"), scale=alt.Scale(domain=[0, 1.3 * most], nice=False)),
    )
    layers = [
        base.mark_bar(color=BACKGROUND, stroke=CONTROL, strokeDash=[4, 3], height=16),
        base.mark_text(align="left", dx=6, color=INK).encode(text="said:N"),
    ]
    title = t("{n:count} reactions to posts whose reach is not known", n=sum(one.unknown for one in unknown))
    caption = t("They are in no rate: counts alone favour posts that reached many.")
    chart = themed(alt.layer(*layers).properties(height=alt.Step(32)), t.language)
    words = in_words([{t("Reaction"): row["label"], t("Count"): row["said"]} for row in rows])
    return Picture(title, chart, f"{title}. {words}", caption)


def reaction_rows(social: Social, t: Texts) -> list[Row]:
    """Networks and types as a table."""
    return [
        {
            t("Network"): one.network,
            t("Reaction"): t(type_name(one.type)),
            t("Posts"): t.count(one.posts),
            t("Count"): t.count(one.n),
            t("Reached"): t.count(one.reach),
            t("For a thousand reached"): "–" if one.rate is None else number_in_words(one.rate, t, 1000),
            t("Spread between posts"): "–" if one.variation is None else t.percent(one.variation, 0),
            t("Count without reach"): t.count(one.unknown),
        }
        for one in social.reactions
    ]


def post_rows(social: Social, t: Texts) -> list[Row]:
    """The posts that drew most as a table."""
    return [
        {
            t("Post"): one.post,
            t("Network"): one.network,
            t("Reaction"): t(type_name(one.type)),
            t("Count"): t.count(one.n),
            t("Reached"): t.count(one.reach),
            t("For a thousand reached"): t.number(1000 * one.rate),
            t("Times the usual"): t.number(one.times),
        }
        for one in social.best
    ]


# --- chats ----------------------------------------------------------------------------------------------


def chat_pictures(
    chats: Chats, success: str | None, window_days: int, level: float, t: Texts
) -> list[Picture]:
    """Those who chat beside others who were active in the same weeks; none where that is not known."""
    if chats.chatted is None or chats.others is None or chats.difference is None or success is None:
        return []
    (one, n_one), (other, n_other) = chats.chatted, chats.others
    lines = [
        Line(f"{t('chatted')} ({t.count(n_one)})", percent(one), t.percent(one.value), None),
        Line(f"{t('did not')} ({t.count(n_other)})", percent(other), t.percent(other.value), None, CONTROL),
    ]
    title = t(
        "Chatted less others: between {low:points} and {high:points} points, an association",
        low=chats.difference.low,
        high=chats.difference.high,
    )
    caption = t(
        "Who comes to {success} in {days:count} days, with the interval of {level:whole_percent}; dashed: an "
        "association. In brackets: customers, of the others each once for every week in which they were "
        "active and had not chatted.",
        success=success_name(success),
        days=window_days,
        level=level,
    )
    chart = forest(lines, t("Per cent of customers"), t, dashed=True)
    return [Picture(title, chart, f"{title}. {t(chats.after)}", caption, wide=True)]
