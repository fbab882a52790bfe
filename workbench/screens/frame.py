"""What is around every screen: its header, its messages, and what it says when there is nothing to show.

A screen's notebook is one line, `screens.effect_lab()`. It opens the project that the environment names and
shows the view of that screen in the reader's language, in JupyterLab and on a served page alike.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import ipywidgets

from workbench.errors import WorkbenchError
from workbench.folder import ENVIRONMENT
from workbench.locale import Texts, say
from workbench.project import Project
from workbench.publish.guard import ConnectionGuard
from workbench.publish.markup import light
from workbench.publish.page import languages, reader_language
from workbench.publish.result import html, message, message_text
from workbench.publish.site import SCREENS
from workbench.screens import controls, titles
from workbench.screens.answering import AskingState
from workbench.screens.state import Guarded, ScreenState
from workbench.screens.teaming import at_the_keyboard
from workbench.screens.work_view import WorkView

HOME = "0-home"
_SAMPLE_FOLDER = "sample-shop"


def screen[S: ScreenState](
    stem: str,
    make: Callable[[Project], S],
    view: Callable[[S, Texts], ipywidgets.Widget],
    project: Project | None = None,
    language: str | None = None,
) -> ipywidgets.VBox:
    """A screen, or one sentence that says why there is none and what to do.

    Args:
        stem: The name of its notebook, the key of `titles`.
        make: Makes its state.
        view: Makes its widgets; called once there is something to show.
        project: The project; the one that the environment names if None.
        language: The language; what the reader asked for, or the project's, if None.
    """
    page = ipywidgets.VBox(layout=ipywidgets.Layout(width="100%")).add_class("wb-page")

    def fill(opened: Project) -> None:
        t = opened.texts(language or reader_language(opened.settings.language))
        state = make(opened)
        page.children = [
            style(),
            ConnectionGuard(t, page),
            _header(state, stem, t),
            _title(stem, t),
            _body(state, view, t),
        ]

    try:
        fill(project or Project.open())
    except WorkbenchError as error:
        t = Texts(language or reader_language())
        page.children = [style(), _title(stem, t), message(t(error.message)), *_way_out(fill, t)]
    return page


def columns(
    state: Guarded, asked: Sequence[ipywidgets.Widget], shown: Sequence[ipywidgets.Widget], t: Texts
) -> ipywidgets.Box:
    """Controls on the left, what came of them on the right, dimmed while the next is computed.

    Where a screen remembers what it was asked, there is a way back to what it asks at first.
    """
    result = ipywidgets.VBox(list(shown)).add_class("wb-result")

    def dim(_change: object = None) -> None:
        (result.add_class if state.busy else result.remove_class)("wb-busy")

    state.observe(dim, "busy")
    working = html(f'<p class="wb-working" role="status">{escape(t("Computing …"))}</p>')
    return ipywidgets.Box(
        [
            ipywidgets.VBox([*asked, *_again(state, t)]).add_class("wb-controls"),
            ipywidgets.VBox(
                [working, messages(state, t), result, WorkView(state.work, state.stop, t)]
            ).add_class("wb-answer"),
        ]
    ).add_class("wb-columns")


def _again(state: Guarded, t: Texts) -> list[ipywidgets.Widget]:
    """The button that undoes all changes of what is asked; hidden while there are none."""
    if not isinstance(state, AskingState):
        return []
    again = controls.button(t("Undo all changes"), state.start_again).add_class("wb-more")

    def show(_change: object = None) -> None:
        again.layout.display = "" if state.changed else "none"

    show()
    state.observe(show, "changed")
    return [again]


def messages(state: Guarded, t: Texts) -> ipywidgets.HTML:
    """What went wrong, or what was done."""
    widget = html("")

    def write(_change: object = None) -> None:
        said = state.problem or state.notice
        kind = "wb-error" if state.problem else "wb-notice"
        widget.value = message_text(t(said), kind) if said else ""

    write()
    state.observe(write, ["problem", "notice"])
    return widget


def _body[S: ScreenState](
    state: S, view: Callable[[S, Texts], ipywidgets.Widget], t: Texts
) -> ipywidgets.VBox:
    """The view, or what is missing and the button that gets it."""
    body = ipywidgets.VBox(layout=ipywidgets.Layout(width="100%"))
    full: list[ipywidgets.Widget] = []

    def fill(_change: object = None) -> None:
        if not state.ready:
            body.children = [messages(state, t)]
            return
        if state.missing is None:
            full[:] = full or [view(state, t)]
            body.children = full
            return
        sample = controls.button(t("Load the sample shop"), state.load_sample, primary=True)
        body.children = [
            messages(state, t),
            html(f'<p class="wb-sentence">{escape(t(state.missing))}</p>'),
            *([controls.allowed(sample, state.project, "load", t)] if state.is_new else []),
            html(f"<p>{_links(state.ways, t)}</p>"),
        ]

    fill()
    state.observe(fill, ["missing", "ready"])
    return body


def _header(state: ScreenState, stem: str, t: Texts) -> ipywidgets.HTML:
    widget = html("")
    settings = state.project.settings
    known = at_the_keyboard(state.project, t)
    you = f"<span>{escape(known)}</span>" if known else ""

    def write(_change: object = None) -> None:
        until = state.until
        dated = t("no data yet")
        if until is not None:
            dated = t("data until {day:date}", day=until.astimezone(ZoneInfo(settings.timezone)).date())
        widget.value = (
            f'<div class="wb-header"><span>{escape(settings.name)}</span><span>{escape(dated)}</span>'
            f"{_light(state, t)}{you}{languages(t) if served() else ''}{_screens(stem, t)}</div>"
        )

    write()
    state.observe(write, ["until", *filter(state.has_trait, ("findings", "looking"))])
    return widget


def _light(state: ScreenState, t: Texts) -> str:
    """The light and its word for the checks of the data, on screens that know how those went."""
    if getattr(state, "looking", False):
        return f'<span class="wb-health">{escape(t("checking the data …"))}</span>'
    findings = getattr(state, "findings", None)
    return "" if findings is None else light(findings, t)


def _screens(stem: str, t: Texts) -> str:
    """Links to the other screens, where they are served; the way home from a notebook."""
    there = os.environ.get(SCREENS, "").split()
    if not (there or served()):
        home = titles(t)[HOME]
        return "" if stem == HOME else f'<nav aria-label="{escape(home)}">{way(HOME, home, t)}</nav>'
    current = ' aria-current="page"'
    links = "".join(
        way(name, title, t, current if name == stem else "")
        for name, title in titles(t).items()
        if name in there
    )
    return f'<nav class="wb-screens" aria-label="{escape(t("Screens"))}">{links}</nav>' if links else ""


def way(stem: str, words: str, t: Texts, more: str = "") -> str:
    """A link to a screen or lesson, where pages are served and in JupyterLab; `more` are its attributes."""
    asked = f"?lang={t.language}" if os.environ.get(SCREENS) else ""
    return f'<a href="{escape(stem)}.ipynb{asked}"{more}>{escape(words)}</a>'


def _links(stems: Sequence[str], t: Texts) -> str:
    """Links to screens, by the names of their notebooks where those are what people see."""
    names = titles(t)
    return " · ".join(way(stem, names[stem] if served() else f"{stem}.ipynb", t) for stem in stems)


def _title(stem: str, t: Texts) -> ipywidgets.HTML:
    return html(f"<h1>{escape(titles(t)[stem])}</h1>")


def _way_out(fill: Callable[[Project], None], t: Texts) -> list[ipywidgets.Widget]:
    """The button that opens or makes a project where none was named or none is there yet."""
    folder = Path(os.environ.get(ENVIRONMENT) or _SAMPLE_FOLDER).resolve()
    there = (folder / "project.toml").is_file()
    if served() or (there and os.environ.get(ENVIRONMENT)) or (folder.exists() and not there):
        return []
    state = Guarded()

    def go() -> None:
        from workbench.demo import NAME, load_sample

        with state.working():
            if there:
                opened = Project.open(folder)
            else:
                state.notice = say("Loading the sample shop into {folder} …", folder=str(folder))
                opened = Project.create(
                    folder, name=NAME, timezone="Europe/Madrid", language=t.language, currency="EUR"
                )
                load_sample(opened)
            os.environ[ENVIRONMENT] = str(folder)
            fill(opened)

    words = t("Open {folder}", folder=folder) if there else t("Make a project with the sample data")
    return [messages(state, t), controls.button(words, go, primary=True)]


def style() -> ipywidgets.HTML:
    """The style sheets that the page does not have of itself."""
    sheets = [resources.files("workbench.screens") / "static" / "screens.css"]
    if not served():
        templates = resources.files("workbench.publish") / "jupyter" / "voila" / "templates"
        sheets.insert(0, templates / "workbench" / "static" / "workbench.css")
    rules = "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    return ipywidgets.HTML(f"<style>{rules}</style>", layout=ipywidgets.Layout(display="none"))


def served() -> bool:
    """Whether the page is served by Voilà rather than open in JupyterLab."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila")
