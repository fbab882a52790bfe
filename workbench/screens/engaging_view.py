"""The widgets of engagement: a sentence, then visits, time on pages, social networks and chats."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets

from workbench.analyses.carts import Carts
from workbench.analyses.chats import Chats
from workbench.analyses.engagement import EngagementView, Visits
from workbench.analyses.estimates import Estimate, Needs, success_name
from workbench.analyses.hours import Hours
from workbench.analyses.social import Social
from workbench.analyses.stays import MISFIT, TimeOnPage
from workbench.charts import carts as cart_charts
from workbench.charts import engagement as charts
from workbench.charts import hours as hour_charts
from workbench.charts import stays as stay_charts
from workbench.charts.picture import Picture
from workbench.locale import Texts
from workbench.metrics.engagement import LONG_SECONDS, ORDER
from workbench.metrics.sessions import ENGAGEMENT
from workbench.publish.fold import Fold
from workbench.publish.result import Pictures, checks, html, table
from workbench.screens import controls
from workbench.screens.cards import figure_row
from workbench.screens.engaging import EngagementState
from workbench.screens.frame import columns

type Figure = tuple[str, str, str]
"""What a number is, the number, and what there is to know of it."""


def view(state: EngagementState, t: Texts) -> ipywidgets.Widget:
    """The widgets of engagement."""
    return columns(state, [*_main(state, t), _more(state, t), _help(t)], [_Answer(state, t)], t)


# --- controls -------------------------------------------------------------------------------------------


def _main(state: EngagementState, t: Texts) -> list[ipywidgets.Widget]:
    of_events = [
        controls.choice(state, "by", t("Stays by"), lambda: _groups(state, t), follows="groups"),
        controls.choice(
            state,
            "success",
            t("What a visit should end in"),
            lambda: _successes(state, t),
            follows="successes",
        ),
        controls.choice(
            state, "source", t("How long a stay lasts"), lambda: _sources(state, t), follows="sources"
        ),
        _event(state, "chat_start", t("A chat begins with"), t),
        _event(state, "chat_resolved", t("A chat is resolved with"), t),
    ]

    def turn(_change: object = None) -> None:
        for one in of_events:
            one.layout.display = "" if state.has_events else "none"

    turn()
    state.observe(turn, "has_events")
    return [
        *of_events,
        controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
    ]


def _more(state: EngagementState, t: Texts) -> ipywidgets.Widget:
    return controls.more(
        t,
        [
            controls.whole(state, "gap_minutes", t("A visit ends after (minutes without an event)"), 1, 1440),
            controls.whole(state, "least_seconds", t("A stay counts from (seconds)"), 1, 1799),
            controls.whole(state, "window_days", t("Days after a chat"), 1, 365),
            _event(state, "looked", t("A product is looked at with"), t),
            _event(state, "carted", t("Into the cart with"), t),
            controls.whole(state, "cart_hours", t("Hours after the cart"), 1, 8760),
        ],
    )


def _event(state: EngagementState, name: str, label: str, t: Texts) -> ipywidgets.Dropdown:
    return controls.choice(state, name, label, lambda: _events(state, t), follows="names")


def _groups(state: EngagementState, t: Texts) -> list[controls.Option]:
    own = {"page_type": t("type of page"), "page": t("page"), "device": t("device")}
    return [
        (t("nothing: all together"), None),
        *((own.get(name, name), name) for name in state.groups),
    ]


def _successes(state: EngagementState, t: Texts) -> list[controls.Option]:
    named = [(t("an order") if one == ORDER else one.partition(":")[2], one) for one in state.successes]
    return [(t("as the data say"), None), *named]


def _sources(state: EngagementState, t: Texts) -> list[controls.Option]:
    words = {"difference": t("until the next page"), "engagement": ENGAGEMENT}
    return [(t("as the data say"), None), *((words[one], one) for one in state.sources)]


def _events(state: EngagementState, t: Texts) -> list[controls.Option]:
    return [(t("as the data say"), None), *((name, name) for name in state.names)]


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("Stays by"),
                t("The type of a page is the first part of its address, unless the events name one."),
            ),
            (
                t("What a visit should end in"),
                t("A purchase if the events have one, else an order: shown beside how long people stay."),
            ),
            (
                t("How long a stay lasts"),
                t("Until the next page, or what the export measured; the two are never mixed."),
            ),
            (t("A chat begins with"), t("The event chat_start, unless yours has another name.")),
            (
                t("A chat is resolved with"),
                t("The event chat_resolved, before the customer’s next chat, unless yours has another name."),
            ),
            (t("Level of the intervals"), t("How likely it is that an interval holds the true value.")),
            (
                t("A visit ends after (minutes without an event)"),
                t("Only for events whose export names no visit."),
            ),
            (t("A stay counts from (seconds)"), t("Shorter ones are measured, but are no stay.")),
            (t("Days after a chat"), t("For so long success counts, after a chat and for others.")),
            (
                t("A product is looked at with"),
                t("The event product_view or view_item, unless yours has another name."),
            ),
            (t("Into the cart with"), t("The event add_to_cart, unless yours has another name.")),
            (
                t("Hours after the cart"),
                t("So long an order may take; carts that are younger are in no share."),
            ),
        ],
    )


# --- the answer -----------------------------------------------------------------------------------------


class _Answer(ipywidgets.VBox):
    """The answer; another one takes its place part by part, so that nothing jumps."""

    def __init__(self, state: EngagementState, t: Texts) -> None:
        self._t = t
        self._sentence, self._checked = html(""), html("")
        self._visits, self._time = _Part(t("Visits")), _Part(t("Time on pages"))
        self._when, self._carts = _Part(t("When people come")), _Part(t("From a look to an order"))
        self._social, self._chats = _Part(t("Social networks")), _Part(t("Chats"))
        parts = [
            *(self._visits, self._when, self._carts, self._time, self._checked),
            *(self._social, self._chats),
        ]
        super().__init__([self._sentence, *parts], layout=controls.full())

        def write(_change: object = None) -> None:
            self.layout.display = "" if state.found is not None else "none"
            if state.found is not None:
                self._show(state.found)

        write()
        state.observe(write, "found")

    def _show(self, found: EngagementView) -> None:
        t, level = self._t, found.settings.level
        success = found.settings.success
        whole = next(
            (one for one in (found.visits, found.social) if not isinstance(one, Needs)), found.visits
        )
        self._sentence.value = (
            f'<p class="wb-sentence wb-answer-text" role="status">{_words(t(whole.sentence))}</p>'
        )
        if isinstance(found.visits, Needs):
            self._visits.need(t(found.visits.sentence))
        else:
            one = found.visits
            self._visits.show(
                "",
                _visit_figures(one, success, t),
                charts.visit_pictures(one, t),
                (
                    (t("Weeks as a table"), table(charts.week_rows(one, t))),
                    (t("Pages as a table"), table(charts.page_rows(one, t))),
                ),
            )
        told = not isinstance(found.visits, Needs)
        if isinstance(found.when, Needs):
            self._when.need(t(found.when.sentence) if told else "")
        else:
            hours = found.when
            shown = [hour_charts.hours_picture(hours, t)]
            listed = [(t("Hours as a table"), table(hour_charts.hour_rows(hours, t)))]
            self._when.show(t(hours.sentence), [], shown, listed, _weeks_told(hours, t))
        if isinstance(found.carts, Needs):
            self._carts.need(t(found.carts.sentence) if told else "")
        else:
            carts = found.carts
            shown = [cart_charts.carts_picture(carts, t)]
            listed = [(t("Steps as a table"), table(cart_charts.step_rows(carts, t)))]
            self._carts.show(t(carts.sentence), _cart_figures(carts, t), shown, listed)
        if isinstance(found.time, Needs):
            self._time.need("" if isinstance(found.visits, Needs) else t(found.time.sentence))
        else:
            self._time.show(
                t(found.time.sentence),
                _stay_figures(found.time, success, t),
                stay_charts.stay_pictures(found.time, success, level, t),
                (
                    (t("Stays as a table"), table(stay_charts.stay_rows(found.time, t))),
                    (t("What visits led to as a table"), table(stay_charts.end_rows(found.time, t))),
                ),
                _rest(found.time, t),
            )
        made = [*([] if isinstance(found.time, Needs) else found.time.checks), *found.checks]
        self._checked.value = checks(made, t) if made else ""
        self._show_social(found.social, level)
        self._show_chats(found.chats, success, found.settings.window_days, level, found.visits)

    def _show_social(self, found: Social | Needs, level: float) -> None:
        t = self._t
        if isinstance(found, Needs):
            self._social.need(t(found.sentence))
            return
        tables = [(t("Reactions as a table"), table(charts.reaction_rows(found, t)))]
        if found.best:
            tables.append((t("Posts that drew more than usual"), table(charts.post_rows(found, t))))
        self._social.show(t(found.sentence), [], charts.social_pictures(found, level, t), tables)

    def _show_chats(
        self, found: Chats | Needs, success: str | None, window_days: int, level: float, visits: Any
    ) -> None:
        t = self._t
        if isinstance(found, Needs):
            self._chats.need("" if isinstance(visits, Needs) else t(found.sentence))
            return
        pictures = charts.chat_pictures(found, success, window_days, level, t)
        self._chats.show(f"{t(found.sentence)} {t(found.after)}", _chat_figures(found, t), pictures)


class _Part(ipywidgets.VBox):
    """A part of the answer: its title, its sentence, figures, pictures and tables; or what it needs."""

    def __init__(self, title: str) -> None:
        self._title = html(f'<h2 class="wb-part">{escape(title)}</h2>')
        self._sentence, self._figures, self._note = html(""), html(""), html("")
        self._pictures = Pictures("h3")
        self._folds = [Fold(), Fold()]
        super().__init__(
            [self._title, self._sentence, self._figures, self._pictures, self._note, *self._folds],
            layout=controls.full(),
        )

    def need(self, sentence: str) -> None:
        """Say what is missing; nothing at all where it was said above."""
        self.show(sentence)
        self.layout.display = "" if sentence else "none"

    def show(
        self,
        sentence: str,
        shown: Sequence[Figure] = (),
        pictures: Sequence[Picture] = (),
        tables: Sequence[tuple[str, str]] = (),
        note: str = "",
    ) -> None:
        """Put this in the place of what was there."""
        self.layout.display = ""
        self._sentence.value = f"<p>{_words(sentence)}</p>" if sentence else ""
        self._figures.value = figure_row([_unbroken(one) for one in shown]) if shown else ""
        self._note.value = f'<p class="wb-help">{_words(note)}</p>' if note else ""
        self._pictures.show(pictures)
        for fold, (title, content) in zip(self._folds, [*tables, ("", ""), ("", "")], strict=False):
            fold.title, fold.content = title, content


# --- figures --------------------------------------------------------------------------------------------


def _visit_figures(one: Visits, success: str | None, t: Texts) -> list[Figure]:
    shown = [
        (
            t("Pages in a visit"),
            t.number(one.pages.value),
            t("between {low:number} and {high:number}", low=one.pages.low, high=one.pages.high),
        ),
        (t("Visits with one page"), t.percent(one.single.value), _between(one.single, t)),
    ]
    if one.done is not None and success is not None:
        label = t("Visits that end in {success}", success=success_name(success))
        shown.append((label, t.percent(one.done.value), _between(one.done, t)))
    visits = t("of {n:count} customers", n=one.customers)
    if one.without_page:
        visits = t(
            "of {n:count} customers; {other:count} more without a page",
            n=one.customers,
            other=one.without_page,
        )
    return [(t("Visits"), t.count(one.total), visits), *shown]


def _stay_figures(time: TimeOnPage, success: str | None, t: Texts) -> list[Figure]:
    one = time.everybody
    shown = [(t("Not measured"), t.percent(1 - one.measured.value), t("of {n:count} stays", n=one.stays))]
    if one.median is not None:
        detail = t("between {low:number} and {high:number}", low=one.median.low, high=one.median.high)
        shown.insert(0, (t("Median"), t("{n:number} s", n=one.median.value), detail))
    if one.long is not None:
        label = t("Longer than {n:count} s", n=LONG_SECONDS)
        shown.insert(
            1,
            (label, t.percent(one.long.value), t("of those measured, {range}", range=_between(one.long, t))),
        )
    if one.fitted is not None and one.fitted.misfit <= MISFIT:
        detail = t("of a lognormal, none counted beyond 30 minutes")
        shown.append((t("Mean"), t("{n:number} s", n=one.fitted.mean.value), detail))
    return shown


def _rest(time: TimeOnPage, t: Texts) -> str:
    """Groups that are not shown, and what the comparison with the reference means."""
    words = []
    if time.more_groups:
        words.append(
            t(
                "{n:count} more groups with {share:percent} of the stays are not shown.",
                n=time.more_groups,
                share=time.more_share,
            )
        )
    if time.other and time.source == "engagement":
        words.append(t("Stays until the next page are another measure; choose it on the side."))
    if time.reference:
        words.append(t("The table holds each median against that of {group}.", group=time.reference))
    return " ".join(words)


def _weeks_told(hours: Hours, t: Texts) -> str:
    if hours.spread <= 1:
        return t(
            "From {n:count} weeks; these differ as chance alone makes them differ.", n=round(hours.weeks)
        )
    return t(
        "From {n:count} weeks, which differ more than by chance: {spread:number} visits tell as much of an "
        "hour as one would otherwise.",
        n=round(hours.weeks),
        spread=hours.spread,
    )


def _cart_figures(found: Carts, t: Texts) -> list[Figure]:
    shown = [(t("Carts without an order"), t.percent(found.left.value), _between(found.left, t))]
    detail = t("visits that put something into the cart")
    if found.recent:
        detail = t("visits; {n:count} more are too recent to tell", n=found.recent)
    return [*shown, (t("Carts"), t.count(found.carts), detail)]


def _chat_figures(found: Chats, t: Texts) -> list[Figure]:
    shown = [(t("Chats"), t.count(found.chats), t("of {n:count} customers", n=found.customers))]
    if found.resolved is not None:
        shown.append((t("Resolved"), t.percent(found.resolved.value), _between(found.resolved, t)))
    if found.chatted is not None and found.others is not None:
        (one, _), (other, _) = found.chatted, found.others
        shown.append((t("Success after a chat"), t.percent(one.value), _between(one, t)))
        shown.append((t("Success of others"), t.percent(other.value), _between(other, t)))
    return shown


def _between(one: Estimate, t: Texts) -> str:
    return t("between {low:percent} and {high:percent}", low=one.low, high=one.high)


def _unbroken(one: Figure) -> Figure:
    label, value, detail = (text.replace(" %", "\N{NO-BREAK SPACE}%") for text in one)
    return label, value, detail


def _words(text: str) -> str:
    """Escaped, and no line begins with a per-cent sign."""
    return escape(text).replace(" %", "&nbsp;%")
