"""The widgets of the home."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from itertools import groupby
from urllib.parse import quote

import ipywidgets

from workbench.locale import Texts
from workbench.publish.imprint import data_until, published_on
from workbench.publish.markup import chip
from workbench.publish.news import alarm_name
from workbench.publish.page import address
from workbench.publish.publications import Publication
from workbench.publish.result import SIGNS, figure_row, html, message_text, unbroken
from workbench.report import Figure
from workbench.screens import controls, titles
from workbench.screens.frame import messages, served, way
from workbench.screens.home_digest_view import digest_part
from workbench.screens.home_results_view import local, notes_on_results, results
from workbench.screens.home_state import NOTES, Attention, HomeState
from workbench.screens.notes_view import PLACE
from workbench.screens.state import worded
from workbench.screens.who_does_what import who_does_what

_NAMES = {"en": "English", "es": "Español"}
_STANDING = ("tables", "findings", "looking", "pages", "kept", "until", "written")
_IN_SIGHT = 4  # things that need attention
_CHECKS, _TRUST, _PUBLISH = "1-load-and-check", "8-trust", "9-publish"


def view(state: HomeState, t: Texts) -> ipywidgets.Widget:
    """What needs somebody, what is out and new, all results, the data, and where to go on."""
    state.watch()
    sample = controls.button(t("Load the sample shop"), state.load_sample, primary=True)

    def offer(_change: object = None) -> None:
        sample.layout.display = "" if state.is_new else "none"

    offer()
    state.observe(offer, "tables")
    two = ipywidgets.Box(
        [
            _part(state, t, _pages, ["pages"]),
            ipywidgets.VBox([_part(state, t, _news, ["news"]), digest_part(state.digest, t)]),
        ]
    ).add_class("wb-home-two")
    return ipywidgets.VBox(
        [
            messages(state, t),
            _part(
                state, t, _standing, ["tables", "findings", "looking", "pages", "kept", "until", "written"]
            ),
            controls.allowed(sample, state.project, "load", t),
            two,
            results(state, t),
            notes_on_results(state, t),
            _part(state, t, _data, ["tables"]),
            who_does_what(state.team, t),
            _part(state, t, _screens, ["tables", "pages", "kept"]),
            _part(state, t, _lessons, []),
            _part(state, t, _neighbours, []),
        ],
        layout=ipywidgets.Layout(width="100%"),
    ).add_class("wb-home")


def _part(
    state: HomeState, t: Texts, words: Callable[[HomeState, Texts], str], follows: Sequence[str]
) -> ipywidgets.HTML:
    """Markup that is made again whenever what it follows changes; out of the way where it is empty."""
    widget = html("")

    def write(_change: object = None) -> None:
        try:
            widget.value = words(state, t)
        except Exception as error:  # one part that fails leaves the others
            widget.value = message_text(t(worded(error)))
        widget.layout.display = "" if widget.value else "none"

    write()
    if follows:
        state.observe(write, list(follows))
    return widget


def _standing(state: HomeState, t: Texts) -> str:
    """The one sentence, four figures, and what needs somebody."""
    if not (state.tables or state.pages or state.kept):
        words = t("There are no data in this project yet.")
        way_in = t("Load the sample shop to look around, or bring your own files in under {screen}.")
        linked = escape(way_in).replace("{screen}", way(_CHECKS, titles(t)[_CHECKS], t))
        return f'<p class="wb-sentence">{escape(words)}</p><p>{linked}</p>'
    needed = state.attention()
    sentence = t("Nothing needs your attention.")
    if state.looking:
        sentence = t("The data are being checked.")
    if needed:
        sentence = t("One thing needs your attention.")
    if len(needed) > 1:
        sentence = t("{n:count} things need your attention.", n=len(needed))
    said = f'<p class="wb-sentence" role="status">{escape(sentence)}</p>'
    return f"{said}{_needed(state, needed, t)}{_figures(state, t)}"


def _needed(state: HomeState, needed: Sequence[Attention], t: Texts) -> str:
    """What needs somebody, the worst first, each with the way to where it is put right."""
    words, names = {"warn": t("take care"), "fail": t("problem")}, titles(t)

    def where(one: Attention) -> str:
        if one.way == NOTES:
            return f'<a href="#{PLACE}">{escape(t("Notes and questions"))}</a>'
        return way(one.way, names[one.way], t)

    items = "".join(
        f'<li class="wb-{one.status}"><span class="wb-sign" aria-hidden="true">{SIGNS[one.status]}</span>'
        f"<strong>{escape(words[one.status])}</strong>"
        f"<span>{unbroken(t(one.detail))} {where(one)}</span></li>"
        for one in needed[:_IN_SIGHT]
    )
    listed = f'<div class="wb-checks"><ul>{items}</ul></div>' if items else ""
    if len(needed) > _IN_SIGHT:
        rest = t("{n:count} more are told of under", n=len(needed) - _IN_SIGHT)
        listed += f'<p class="wb-help">{escape(rest)} {way(_CHECKS, names[_CHECKS], t)}.</p>'
    for alarm, mute in state.muted.items():
        said = t(
            "Muted until {day:date}: {alarm}. {reason}",
            day=mute.until,
            alarm=alarm_name(alarm),
            reason=mute.reason,
        )
        listed += f'<p class="wb-help">{escape(said)} {way(_TRUST, names[_TRUST], t)}</p>'
    return listed


def _figures(state: HomeState, t: Texts) -> str:
    out = [page for page in state.pages if page.shown]
    behind = sum(bool(page.behind or page.problem) for page in out)
    pages = t("all say what is known now") if out else t("none yet")
    if behind:
        pages = t("no longer up to date: {n:count}", n=behind)
    newest = next((one for one in state.news if one.kind == "result"), None)
    kept = t("none yet")
    if newest is not None:
        kept = t("the last one on {day:date}", day=local(state, newest.at).date())
    until = t("no times known")
    if state.until is not None:
        until = t("data until {day:date}", day=local(state, state.until).date())
    rows = sum(one.rows for one in state.tables)
    size = t.count(rows) if rows else t.count(len(state.tables))
    unit = t("Rows of data") if rows else t("Tables")
    return figure_row(
        [
            Figure(t("Published pages"), t.count(len(out)), pages),
            Figure(t("Kept results"), t.count(state.kept), kept),
            Figure(unit, size, until),
            _checked(state, t),
        ]
    )


def _checked(state: HomeState, t: Texts) -> Figure:
    label = t("Checks of the data")
    if state.findings is None:
        if state.looking:
            return Figure(label, "…", t("being gone through"))
        return Figure(label, "–", t("not gone through here: see Load and check"))
    wrong = sum(check.status == "fail" for check in state.findings)
    care = sum(check.status == "warn" for check in state.findings)
    fine = len(state.findings) - wrong - care
    detail = t("take care: {n:count}", n=care) if care else t("the others are fine")
    if wrong:
        return Figure(label, f"✕ {t.count(wrong)}", t("problems; {detail}", detail=detail))
    if care:
        return Figure(label, f"▲ {t.count(care)}", t("to take care of; fine: {n:count}", n=fine))
    return Figure(label, f"✓ {t.count(fine)}", t("all fine"))


def _pages(state: HomeState, t: Texts) -> str:
    title = f"<h2>{escape(t('Published pages'))}</h2>"
    if not state.pages:
        words = t("Nothing has been published yet. Keep a result, then make a page of it under {screen}.")
        link = way(_PUBLISH, titles(t)[_PUBLISH], t)
        return f'{title}<p class="wb-help">{escape(words).replace("{screen}", link)}</p>'
    items = "".join(_page(state, page, t) for page in state.pages)
    hint = ""
    if not served() and any(page.shown for page in state.pages):
        command = f"workbench serve {state.project.path.resolve()}"
        words = escape(t("This command shows them in a browser:"))
        hint = f'<p class="wb-help">{words} <code class="wb-command">{escape(command)}</code></p>'
    return f'{title}<ul class="wb-entries">{items}</ul>{hint}'


def _page(state: HomeState, one: Publication, t: Texts) -> str:
    name, live = escape(one.title), ""
    if served() and one.shown and not one.problem:
        name = f'<a href="{address(one.slug, t.language)}">{name}</a>'
        where = f"../../p/{quote(one.slug)}/live?lang={t.language}"
        live = f' · <a href="{where}">{escape(t("with sliders"))}</a>'
    facts = []
    if one.page is not None:
        facts = [
            t("published on {day:date}", day=published_on(one.page)),
            t("version {number}", number=one.page.version),
            data_until(one.page, t),
            t("for {audience}", audience=one.page.audience) if one.page.audience else "",
            _NAMES[one.page.language],
        ]
    told = " · ".join(escape(fact) for fact in facts if fact)
    said = f"<p>{chip(one.outcome, t)} {unbroken(t(one.verdict))}</p>" if one.verdict and one.outcome else ""
    states = []
    if one.problem is not None:
        states = [("fail", "✕", t(one.problem))]
    elif not one.shown:
        states = [("none", "○", t("Taken down: readers do not see it; its versions are kept."))]
    elif one.behind:
        states = [("warn", "▲", t(reason)) for reason in one.behind]
    else:
        states = [("ok", "✓", t("It says what is known now."))]
    lines = "".join(
        f'<p class="wb-stand wb-{kind}"><span class="wb-sign" aria-hidden="true">{sign}</span> '
        f"{unbroken(words)}</p>"
        for kind, sign, words in states
    )
    return (
        f'<li><h3>{name}</h3>{said}<p class="wb-help">{told}{live}</p>{lines}'
        f"{_moved(state, one, t) if one.shown else ''}</li>"
    )


def _moved(state: HomeState, one: Publication, t: Texts) -> str:
    lines = state.moved(one, t)
    if not lines or one.page is None:
        return ""
    items = "".join(f"<li>{unbroken(line)}</li>" for line in lines)
    words = t("What moved since version {number}", number=one.page.version - 1)
    return f"<details><summary>{escape(words)}</summary><ul>{items}</ul></details>"


def _news(state: HomeState, t: Texts) -> str:
    title = f"<h2>{escape(t('What is new'))}</h2>"
    if not state.news:
        return f'{title}<p class="wb-help">{escape(t("Nothing has happened here yet."))}</p>'
    kinds = {
        "data": t("Data"),
        "result": t("Result"),
        "page": t("Page"),
        "plan": t("Plan"),
        "alarm": t("Alarm"),
    }
    days = []
    for day, found in groupby(state.news, lambda one: local(state, one.at).date()):
        items = "".join(
            f'<li><span class="wb-kind">{escape(kinds[one.kind])}</span>'
            f"<p>{chip(one.outcome, t) + ' ' if one.outcome else ''}{unbroken(t(one.text))}</p></li>"
            for one in found
        )
        days.append(f"<h3>{escape(t.date(day))}</h3><ul>{items}</ul>")
    return f'{title}<div class="wb-news">{"".join(days)}</div>'


def _data(state: HomeState, t: Texts) -> str:
    if not state.tables:
        return ""
    link = way(_CHECKS, titles(t)[_CHECKS], t)
    items = []
    for one in state.tables:
        rows = t("{n:count} rows", n=one.rows) if one.rows else ""
        files = list(one.sources[-3:])
        if len(one.sources) > 3:
            files = [t("{n:count} more", n=len(one.sources) - 3), *files]
        told = " · ".join(filter(None, (rows, t.listing(files) if files else "")))
        items.append(f"<li><strong>{escape(one.name)}</strong><span>{escape(told)}</span></li>")
    where = escape(t("Days, gaps and all checks are under")) + f" {link}."
    return (
        f'<h2>{escape(t("Data"))}</h2><ul class="wb-list wb-held">{"".join(items)}</ul>'
        f'<p class="wb-help">{where}</p>'
    )


def _screens(state: HomeState, t: Texts) -> str:
    lacking, names = state.lacking(), titles(t)
    items = "".join(
        f"<li><h3>{way(stem, names[stem], t)}</h3><p>{escape(words)}</p>"
        + (f'<p class="wb-help wb-lacks">○ {escape(t(lacking[stem]))}</p>' if stem in lacking else "")
        + "</li>"
        for stem, words in answered(t).items()
    )
    return f'<h2>{escape(t("Screens"))}</h2><ol class="wb-doors">{items}</ol>'


def answered(t: Texts) -> dict[str, str]:
    """Screen → what it answers, in the order of work."""
    return {
        "1-load-and-check": t("Are the data in, whole and in order?"),
        "2-segments": t("Which groups of customers do we speak of?"),
        "3-effect-lab": t("Does the personalisation work, for whom, and how sure is that?"),
        "4-lifetime-value": t("What is a customer worth, and what would move it?"),
        "5-cohorts": t("Do those who began together stay and buy?"),
        "6-engagement": t("What do people do on pages, in social networks and in chats?"),
        "7-one-customer": t("What is known of one person, and what will they do?"),
        "8-trust": t("Do people trust us with their data, and do we keep our word?"),
        "9-publish": t("What may others see?"),
    }


def _lessons(state: HomeState, t: Texts) -> str:
    def said(words: dict[str, str], default: str = "") -> str:
        return words.get(t.language) or words.get("en") or default

    items = "".join(
        f"<li><h3>{way(f'lessons/{one.stem}', said(one.title, one.stem), t)}</h3>"
        f"<p>{escape(said(one.summary))}</p></li>"
        for one in state.lessons
    )
    return f'<h2>{escape(t("Lessons"))}</h2><ol class="wb-doors">{items}</ol>' if items else ""


def _neighbours(state: HomeState, t: Texts) -> str:
    items = "".join(
        f'<li><strong>{escape(one.name)}</strong><code class="wb-command">{escape(one.command)}</code></li>'
        for one in state.neighbours
    )
    words = t("They lie beside this one. Each is served by a command of its own:")
    return (
        f'<h2>{escape(t("Other projects"))}</h2><p class="wb-help">{escape(words)}</p>'
        f'<ul class="wb-list wb-held">{items}</ul>'
        if items
        else ""
    )
