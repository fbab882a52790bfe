"""What is around every lesson: its header, its steps, what was believed and what is true, the class's knobs.

A lesson needs no project. Where one is open, the last step can show the learner's own shop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Protocol

import ipywidgets

from workbench.charts.picture import Picture
from workbench.errors import WorkbenchError
from workbench.lessons import DIFFICULTIES
from workbench.lessons.lesson import LARGEST_SEED
from workbench.locale import Message, Texts
from workbench.project import Project
from workbench.publish.fold import Fold
from workbench.publish.guard import ConnectionGuard
from workbench.publish.page import asked, languages, reader_language
from workbench.publish.result import Pictures, checks, html, table, unbroken
from workbench.records import Check
from workbench.report import Row
from workbench.screens import controls
from workbench.screens.frame import HOME, served, style, way
from workbench.screens.lessons.stepping import DIFFICULTY, SEED, LessonState

type Step = Callable[[], ipywidgets.Widget]


def lesson_page[S: LessonState](
    make: Callable[[Project | None, int, str], S],
    steps: Callable[[S, Texts], Sequence[Step]],
    project: Project | None = None,
    language: str | None = None,
    seed: int | None = None,
    difficulty: str | None = None,
) -> ipywidgets.VBox:
    """A lesson.

    Args:
        make: Makes its state.
        steps: Makers of its steps; each is made when it is first opened.
        project: The learner's own; the one that the environment names if None, or none at all.
        language: What the reader asked for, or the project's, if None.
        seed: What a class shares; the address's `?seed=` if None.
        difficulty: The address's `?difficulty=` if None.
    """
    page = ipywidgets.VBox(layout=ipywidgets.Layout(width="100%")).add_class("wb-page")
    opened = project or _own_project()
    wished = language or reader_language(opened.settings.language if opened else None)
    t = opened.texts(wished) if opened else Texts(wished)
    written = asked("seed")
    number = seed if seed is not None else int(written) if written.isdecimal() else SEED
    state = make(opened, number, difficulty or asked("difficulty") or DIFFICULTY)
    page.children = [
        style(),
        ConnectionGuard(t, page),
        _header(state, t),
        html(
            f"<h1>{escape(t(state.lesson.title))}</h1>"
            f"<p>{unbroken(t('What many believe: {belief} Is it so?', belief=state.lesson.wrong))}</p>"
        ),
        _steps(state, steps(state, t), t),
        _believed(state, t),
        _for_the_class(state, t),
    ]
    return page


def _own_project() -> Project | None:
    try:
        return Project.open()
    except WorkbenchError:
        return None


def _header(state: LessonState, t: Texts) -> ipywidgets.HTML:
    widget = html("")
    low, high = state.lesson.minutes
    number = state.lesson.stem.split("-")[0]
    said = [
        t("Lesson {number}", number=number),
        t("{low:count} to {high:count} minutes", low=low, high=high),
    ]
    spans = "".join(f"<span>{escape(words)}</span>" for words in said)

    def write(_change: object = None) -> None:
        links = languages(t, seed=str(state.seed), difficulty=state.difficulty) if served() else ""
        home = way(f"../{HOME}", t("Home"), t)
        widget.value = (
            f'<div class="wb-header">{spans}{links}<nav aria-label="{escape(t("Home"))}">{home}</nav></div>'
        )

    write()
    state.observe(write, ["seed", "difficulty"])
    return widget


def _steps(state: LessonState, makers: Sequence[Step], t: Texts) -> ipywidgets.VBox:
    """A button for each step that has been reached, and the step whose button is down."""
    names = [t(name) for name in state.lesson.steps]
    bar = ipywidgets.ToggleButtons(description=t("Steps of the lesson")).add_class("wb-tabs")
    title, body = html(""), ipywidgets.VBox()
    made: dict[int, ipywidgets.Widget] = {}
    moving = False

    def show(_change: object = None) -> None:
        nonlocal moving
        moving = True
        place = state.step
        offered = [f"{number}. {name}" for number, name in enumerate(names[: state.reached + 1], start=1)]
        if list(bar.options) != offered:
            bar.options = offered
        bar.index = place
        bar.layout.display = "" if state.reached else "none"
        moving = False
        if place not in made:
            made[place] = makers[place]()
        words = t("Step {n:count} of {all:count}: {name}", n=place + 1, all=len(names), name=names[place])
        title.value = f'<h2 class="wb-part">{escape(words)}</h2>'
        body.children = [made[place]]

    def go(change: dict[str, int | None]) -> None:
        new = change["new"]
        if not moving and new is not None:
            state.step = new

    show()
    bar.observe(go, "index")
    state.observe(show, ["step", "reached"])
    return ipywidgets.VBox([bar, title, body])


def next_step(state: LessonState, t: Texts, ready: Callable[[], bool], follows: str) -> ipywidgets.Button:
    """The button that opens the next step, once this one is done."""
    name = t(state.lesson.steps[state.step + 1])
    widget = controls.button(t("Go on: {step}", step=name), state.go_on, primary=True)

    def show(_change: object = None) -> None:
        widget.layout.display = "" if ready() else "none"

    show()
    state.observe(show, follows)
    return widget


def paragraphs(*texts: str) -> str:
    """Markup of paragraphs."""
    return "".join(f"<p>{unbroken(words)}</p>" for words in texts)


def prose(*texts: str) -> ipywidgets.HTML:
    """What is read before a step."""
    return html(paragraphs(*texts))


def sentences(t: Texts, items: Sequence[str | Message]) -> str:
    """The sentence that answers, and what follows from it, read out when they come."""
    worded = (t(words) if isinstance(words, Message) else words for words in items)
    first, *others = (unbroken(words) for words in worded)
    rest = "".join(f"<p>{words}</p>" for words in others)
    return f'<div role="status"><p class="wb-sentence">{first}</p>{rest}</div>'


class Graded(Protocol):
    """What a checker says."""

    @property
    def passed(self) -> bool: ...

    def checks(self) -> list[Check]:
        """What was asked for, and what came of it."""

    def advice(self) -> Message:
        """What to do next time."""


def graded(grade: Graded, t: Texts) -> str:
    """Passed or not, what to do, and what was asked for, each with a sign and a word."""
    verdict = t("Passed.") if grade.passed else t("Not yet.")
    return sentences(t, [verdict, grade.advice()]) + checks(grade.checks(), t, t("What was asked for"))


class Shown(ipywidgets.VBox):
    """A picture and the same as a table."""

    def __init__(self, t: Texts) -> None:
        self._t = t
        self._pictures, self._table = Pictures("h3"), Fold(title=t("The same as a table"))
        super().__init__([self._pictures, self._table], layout=ipywidgets.Layout(width="100%"))

    def show(self, picture: Picture | None, rows: Sequence[Row] = ()) -> None:
        """Put them in the place of those that were there; nothing for None."""
        self._pictures.show([] if picture is None else [picture])
        self._table.content = table(rows)


def _believed(state: LessonState, t: Texts) -> ipywidgets.HTML:
    """Every prediction beside its truth."""
    widget = html("")

    def write(_change: object = None) -> None:
        heads = (t("What was asked"), t("What I believed"), t("What is true"))
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
        rows = "".join(
            f'<tr><th scope="row">{escape(t(one.question))}</th>'
            + "".join(
                f'<td data-label="{escape(name)}">{unbroken(t(words))}</td>'
                for name, words in zip(heads[1:], (one.believed, one.true), strict=True)
            )
            + "</tr>"
            for one in state.beliefs
        )
        title = escape(t("What I believed, and what is true"))
        widget.value = rows and (
            f'<h2 class="wb-part">{title}</h2><table class="wb-cards wb-listed">'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    write()
    state.observe(write, "beliefs")
    return widget


def _for_the_class(state: LessonState, t: Texts) -> ipywidgets.VBox:
    """The knobs that a teacher sets: the same seed is the same lesson for everybody."""
    address = html("")

    def write(_change: object = None) -> None:
        found = f"?seed={state.seed}&difficulty={state.difficulty}"
        words = t("Everybody who opens this lesson with {address} gets the same numbers.", address=found)
        address.value = f'<p class="wb-help">{escape(words)}</p>'

    write()
    state.observe(write, ["seed", "difficulty"])
    knobs = ipywidgets.Box(
        [
            controls.whole(state, "seed", t("Seed"), 0, LARGEST_SEED),
            controls.choice(
                state,
                "difficulty",
                t("Difficulty"),
                lambda: [(t(words), name) for name, words in DIFFICULTIES.items()],
            ),
            controls.button(t("Begin anew"), state.restart),
        ]
    ).add_class("wb-knobs")
    heading = html(f'<h2 class="wb-part">{escape(t("For the class"))}</h2>')
    words = t("Another seed or difficulty begins the lesson anew: other hidden truths, nothing remembered.")
    meaning = html(f'<p class="wb-help">{escape(words)}</p>')
    return ipywidgets.VBox([heading, meaning, knobs, address]).add_class("wb-tight")
