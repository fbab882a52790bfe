"""The widgets of trust, and the tabs of what else a shop owes people: fairness, and what it uses."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.analyses.trust_alarm import AlarmView
from workbench.analyses.trust_answer import TrustView
from workbench.charts import trust as charts
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.result import Pictures, checks, html, table
from workbench.report import Row
from workbench.screens import controls
from workbench.screens.frame import columns, messages
from workbench.screens.muting import muting
from workbench.screens.tabs import tabs
from workbench.screens.trusting import TrustState


def view(state: TrustState, t: Texts) -> ipywidgets.Widget:
    """Trust and what belongs to it; each is made when it is opened."""

    def fairness() -> ipywidgets.Widget:
        from workbench.screens.fairness import FairnessState
        from workbench.screens.fairness_view import view as fairness_view

        return fairness_view(FairnessState(state.project), t)

    def what_we_use() -> ipywidgets.Widget:
        from workbench.screens.data_sheet import DataSheetState
        from workbench.screens.data_sheet_view import view as data_sheet_view

        return data_sheet_view(DataSheetState(state.project), t)

    parts = [
        (t("Trust"), lambda: trust(state, t)),
        (t("Fairness"), fairness),
        (t("What we use"), what_we_use),
    ]
    return tabs(t("Parts of the screen"), parts)


def trust(state: TrustState, t: Texts) -> ipywidgets.Widget:
    """The sentence, the figures, the pictures, what was checked and what cannot be said."""
    sentence, figures, seen, alarm, lacking = (html("") for _ in range(5))
    pictures = Pictures()
    signs, weeks, wishes = Fold(), Fold(), Fold()
    mutes = [messages(state.mutes, t), muting(state.mutes, t)]
    shown = [sentence, figures, seen, *mutes, pictures, signs, weeks, wishes, alarm, lacking]
    whole = ipywidgets.VBox(shown, layout=ipywidgets.Layout(width="100%")).add_class("wb-record")

    def write(_change: object = None) -> None:
        found = state.found
        whole.layout.display = "" if found else "none"
        if found is None:
            return
        sentence.value = f'<p class="wb-sentence" role="status">{_unbroken(t(found.sentence))}</p>'
        figures.value = _figures(found, t)
        seen.value = checks(found.checks, t) if found.checks else ""
        lacking.value = _lacking(found, t)
        pictures.show(charts.pictures(found, t))
        signs.title, signs.content = t("All signs of trust as a table"), table(charts.rows(found, t))
        weeks.title, weeks.content = t("The list week by week"), table(charts.list_rows(found, t))
        wishes.title, wishes.content = t("What people want as a table"), table(charts.wish_rows(found, t))
        alarm.value = "" if found.alarm is None else _alarm(found, found.alarm, t)

    write()
    state.observe(write, "found")
    return columns(state, [*_asked(state, t), _more(state, t), _help(t)], [whole], t)


# --- what is shown --------------------------------------------------------------------------------------


def _figures(found: TrustView, t: Texts) -> str:
    """At most four figures that carry the answer."""
    cells = [*_after_figure(found, t), *_balance_figure(found, t), *_agree_figure(found, t)]
    cells += [] if len(cells) > 3 else _honoured_figure(found, t)
    if not cells:
        return ""
    inside = "".join(
        f'<div class="wb-figure"><span class="wb-label">{_unbroken(label)}</span>'
        f'<span class="wb-value">{_unbroken(value)}</span>'
        f'<span class="wb-detail">{_unbroken(detail)}</span></div>'
        for label, value, detail in cells
    )
    return f'<div class="wb-figures">{inside}</div>'


type _Figure = tuple[str, str, str]


def _after_figure(found: TrustView, t: Texts) -> list[_Figure]:
    if found.after is None:
        return []
    detail = t("there must be none")
    if found.after.messages:
        detail = t("to {people:count} people; there must be none", people=found.after.people)
    return [(t("Messages after an opt-out"), t.count(found.after.messages), detail)]


def _balance_figure(found: TrustView, t: Texts) -> list[_Figure]:
    balance = None if found.alarm is None else found.alarm.balance
    if balance is None:
        return []
    low, high = balance.interval
    words = {"low": low, "high": high, "level": found.settings.level}
    detail = t("between {low:number} and {high:number} ({level:whole_percent})", **words)
    return [(t("Join for each who leaves"), t.number(balance.ratio), detail)]


def _agree_figure(found: TrustView, t: Texts) -> list[_Figure]:
    measure = found.measures.get(f"consent:{found.personalisation}")
    if measure is None or measure.now.value is None or measure.now.interval is None:
        return []
    low, high = measure.now.interval
    words = {"low": low, "high": high, "n": measure.now.among}
    detail = t("of {n:count} who were asked; between {low:share} and {high:share}", **words)
    return [(t("Agree to “{purpose}”", purpose=found.personalisation), t.share(measure.now.value), detail)]


def _honoured_figure(found: TrustView, t: Texts) -> list[_Figure]:
    if found.honoured is None or found.honoured.now.value is None or found.honoured.now.interval is None:
        return []
    low, high = found.honoured.now.interval
    words = {"low": low, "high": high, "n": found.honoured.now.among}
    detail = t("of {n:count} with preferences; between {low:share} and {high:share}", **words)
    return [(t("Got only what they asked for"), t.share(found.honoured.now.value), detail)]


def _lacking(found: TrustView, t: Texts) -> str:
    if not found.missing:
        return ""
    items = "".join(f"<li>{escape(t(one))}</li>" for one in found.missing)
    return f'<h2 class="wb-part">{escape(t("What cannot be said yet"))}</h2><ul>{items}</ul>'


def _alarm(found: TrustView, alarm: AlarmView, t: Texts) -> str:
    """How much to believe of the alarms: how often they sound for nothing, and what they would miss."""
    settings, said = found.settings, []
    if alarm.balance is not None:
        false = alarm.balance.false_alarms
        said.append(
            t(
                "The balance sounds when we are more than {sure:percent} sure that fewer than"
                " {kappa:plain} join for each who leaves. If exactly {kappa:plain} did, it would sound for"
                " nothing {rate:plain} times a year ({n:count} times in {years:count} years simulated"
                " with your own numbers); if more did, less often.",
                sure=settings.sure,
                kappa=settings.kappa,
                rate=round(false.a_year, 3),
                n=false.alarms,
                years=false.years,
            )
        )
    if alarm.watched and alarm.false_alarms is not None:
        false = alarm.false_alarms
        said.append(
            t(
                "The change sounds when people have left faster for fewer than {days:count} days with a"
                " probability above {probability:percent}, and more than {ratio:plain} times as fast. In"
                " years like your last one, but without a change, it sounds for nothing {rate:plain}"
                " times a year ({n:count} times in {years:count} simulated years).",
                days=settings.recent_days,
                probability=settings.probability,
                ratio=settings.ratio,
                rate=round(false.a_year, 3),
                n=false.alarms,
                years=false.years,
            )
        )
        said += [
            t(
                "Of rises to {factor:plain} times as many it notices {share:whole_percent} in"
                " {within:count} days.",
                factor=one.factor,
                share=one.share,
                within=one.within_days,
            )
            + (
                ""
                if one.days is None
                else " " + t("Half of these are seen by day {days:count}.", days=one.days)
            )
            for one in alarm.noticed
        ]
        if alarm.noticed and alarm.noticed[-1].share < 0.5:
            said.append(
                t(
                    "So few people leave on a day that most rises go unnoticed: let more days count as"
                    " new, under “More settings”."
                )
            )
    past = table(_past(alarm, t))
    title = f'<h2 class="wb-part">{escape(t("How much to believe of the alarms"))}</h2>'
    return title + "".join(f"<p>{_unbroken(text)}</p>" for text in said) + past


def _past(alarm: AlarmView, t: Texts) -> list[Row]:
    """Every time people began to leave faster."""
    return [
        {
            t("Left faster from"): t.date(one.since),
            t("Seen on"): t.date(one.day),
            t("Until"): t("now") if one.until is None else t.date(one.until),
            t("Times as fast"): t.number(one.ratio),
            t("Left"): t.count(one.left),
            t("Expected"): t.count(one.expected),
            t("Campaign"): "–" if one.campaign is None else one.campaign.name,
        }
        for one in alarm.changes
    ]


def _unbroken(text: str) -> str:
    """Escaped, and no line begins with a per-cent sign."""
    return escape(text).replace(" %", "&nbsp;%")


# --- what is asked --------------------------------------------------------------------------------------


def _asked(state: TrustState, t: Texts) -> list[ipywidgets.Widget]:
    def purposes() -> list[controls.Option]:
        known = () if state.found is None else state.found.purposes
        return [(t("as the names say"), None), *((one, one) for one in known)]

    def channels() -> list[controls.Option]:
        known = () if state.found is None else state.found.channels
        named = [(one or t("not named"), one) for one in known]
        return [(t("that of most messages"), None), *named]

    return [
        controls.whole(state, "window_days", t("Period (days)"), 7, 366),
        controls.bind(
            state,
            "kappa",
            ipywidgets.BoundedFloatText(
                min=0.1,
                max=100,
                step=0.5,
                description=t("Least to join for each who leaves"),
                layout=controls.full(),
            ),
        ),
        controls.choice(state, "personalisation", t("Purpose of personalisation"), purposes, follows="found"),
        controls.choice(state, "channel", t("Channel of the list"), channels, follows="found"),
        controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
    ]


def _more(state: TrustState, t: Texts) -> ipywidgets.Widget:
    ratio = ipywidgets.BoundedFloatText(
        min=1, max=10, step=0.05, description=t("Least rise (times as fast)"), layout=controls.full()
    )
    return controls.more(
        t,
        [
            controls.whole(state, "weeks", t("Weeks that are shown"), 4, 156),
            controls.percent(state, "sure", t("Balance: sure above (%)"), 50, 99.9, 0.5),
            controls.whole(state, "recent_days", t("Change: new for fewer than (days)"), 2, 60),
            controls.percent(state, "probability", t("Change: sure above (%)"), 50, 99.9, 1),
            controls.bind(state, "ratio", ratio),
            controls.whole(state, "change_days", t("Change: expected once in (days)"), 7, 3650),
        ],
    )


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (t("Period (days)"), t("The last days of the data, held against as many days before them.")),
            (
                t("Least to join for each who leaves"),
                t(
                    "The first alarm sounds when we are sure that fewer than so many join for each who"
                    " leaves."
                ),
            ),
            (
                t("Purpose of personalisation"),
                t(
                    "The purpose in your consents that says whether somebody wants things to be chosen for"
                    " them."
                ),
            ),
            (
                t("Channel of the list"),
                t("Whose list, messages and complaints are counted; opt-outs are looked at in all channels."),
            ),
            (t("Level of the intervals"), t("How likely it is that an interval holds the true value.")),
            (t("Weeks that are shown"), t("In the pictures and in the table of the list.")),
            (t("Balance: sure above (%)"), t("Higher: fewer alarms for nothing, and later ones.")),
            (
                t("Change: new for fewer than (days)"),
                t("The second alarm sounds for a change that is so new; more days notice smaller rises."),
            ),
            (t("Change: sure above (%)"), t("The probability of such a change that the second alarm needs.")),
            (t("Least rise (times as fast)"), t("Smaller rises sound no alarm, however sure they are.")),
            (
                t("Change: expected once in (days)"),
                t("How often the rate at which people leave is thought to change; fewer days, more alarms."),
            ),
        ],
    )
