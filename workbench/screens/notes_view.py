"""The widgets of notes: what was written about a question, and the box to write in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final

import ipywidgets

from workbench.locale import Texts
from workbench.notes import LONGEST, Note, Thread
from workbench.publish.result import html
from workbench.screens import controls
from workbench.screens.frame import messages
from workbench.screens.notes import NotesState, counted, start
from workbench.team import person

PLACE: Final = "wb-notes"
"""The address of the notes within their page."""


def notes(state: NotesState, t: Texts, before: Sequence[ipywidgets.Widget] = ()) -> ipywidgets.VBox:
    """What was written about the question that is shown, and the way to write more.

    Args:
        state: What is shown.
        t: The reader's language.
        before: What stands between the title and the notes, such as a choice of the question.
    """
    head, listed = html(""), ipywidgets.VBox().add_class("wb-threads")
    rest = controls.button("", lambda: setattr(state, "all_threads", True)).add_class("wb-more")
    box = ipywidgets.VBox([head, *before, _form(state, t), messages(state, t), listed, rest])

    def fill(_change: object = None) -> None:
        box.layout.display = "none" if state.about is None else ""
        said = counted(state.threads, t) or t("Nobody has written anything about this question yet.")
        head.value = (
            f'<h2 class="wb-part" id="{PLACE}">{escape(t("Notes and questions"))}</h2>'
            f'<p class="wb-help" role="status">{escape(said)}</p>'
        )
        listed.children = [_thread(state, thread, t) for thread in state.shown]
        rest.description = t("Show all {n:count}", n=len(state.threads))
        rest.layout.display = "none" if len(state.shown) == len(state.threads) else ""

    fill()
    state.observe(fill, ["about", "record", "threads", "all_threads"])
    return box.add_class("wb-notes")


def _thread(state: NotesState, thread: Thread, t: Texts) -> ipywidgets.VBox:
    answers = ipywidgets.VBox([_note(state, note, t) for note in thread.answers if note.text])
    first = _note(state, thread.first, t)
    return ipywidgets.VBox([first, answers.add_class("wb-answers")] if answers.children else [first])


def _note(state: NotesState, note: Note, t: Texts) -> ipywidgets.VBox:
    words = html(note_markup(note, state, t))
    row = ipywidgets.Box([_button(*one, note) for one in _can(state, note, t)]).add_class("wb-doing")
    return ipywidgets.VBox([words, row] if row.children else [words])


def _can(state: NotesState, note: Note, t: Texts) -> Iterator[tuple[str, Callable[[], None]]]:
    """What whoever is at the keyboard may do with a note."""
    if state.why_not is not None or not note.text:
        return
    if note.kind != "answer":
        yield t("Answer"), lambda: state.answer(note)
    if note.kind == "question" and note.open:
        yield t("Mark as answered"), lambda: state.settle(note, answered=True)
    if note.kind == "question" and not note.open:
        yield t("Open again"), lambda: state.settle(note, answered=False)
    if state.mine(note):
        yield t("Edit"), lambda: state.edit(note)
    if state.removable(note):
        yield t("Take back"), lambda: state.take_back(note)


def _button(label: str, action: Callable[[], None], note: Note) -> ipywidgets.Button:
    button = controls.button(label, action).add_class("wb-more")
    button.tooltip = f"{label}: {start(note)}"
    return button


def note_markup(note: Note, state: NotesState, t: Texts) -> str:
    """A note as it is read: who wrote it and when, what became of a question, the words as plain text."""
    if not note.text:
        return f'<p class="wb-help">{escape(t("Taken back by whoever wrote it."))}</p>'
    sign = ""
    if note.kind == "question":
        said = t("Open question") if note.open else t("Answered")
        kind, mark = ("keep_measuring", "?") if note.open else ("adopt", "✓")
        mark = f'<span aria-hidden="true">{mark}</span>'
        sign = f'<span class="wb-outcome wb-{kind}">{mark} {escape(said)}</span>'
    facts = [
        state.called(note.by),
        t.date(state.day(note)),
        t("changed later") if note.edited else "",
        t("on an earlier result") if state.earlier(note) else "",
        t("answered according to {who}", who=state.called(note.settled_by)) if note.settled else "",
    ]
    told = " · ".join(escape(fact) for fact in facts if fact)
    return f'<p class="wb-note-by">{sign}{told}</p><p class="wb-note-text">{escape(note.text)}</p>'


def _form(state: NotesState, t: Texts) -> ipywidgets.VBox:
    """The box to write in, behind a line."""
    if state.why_not is not None:
        return ipywidgets.VBox([html(f'<p class="wb-help">{escape(t(state.why_not))}</p>')])
    switch = ipywidgets.ToggleButton(description=t("Write a note or a question"))
    controls.bind(state, "writing", switch).add_class("wb-more").add_class("wb-disclosure")
    words = controls.lines(state, "text", t("Note or question"))
    asks = ipywidgets.VBox([controls.tick(state, "asks", t("It is a question to be answered"))])
    save = controls.button(t("Save the note"), state.save, primary=True)
    row = ipywidgets.Box([save, controls.button(t("Cancel"), state.leave)]).add_class("wb-doing")
    hint = t(
        "Kept with the project for all who open it, and never published. Up to {most:count} letters; e-mail "
        "addresses, telephones and the like are masked. You write as {who}.",
        most=LONGEST,
        who=state.called(person()),
    )
    inside = ipywidgets.VBox(
        [words, asks.add_class("wb-choice"), row, html(f'<p class="wb-help">{escape(hint)}</p>')]
    ).add_class("wb-writing")

    def show(_change: object = None) -> None:
        inside.layout.display = "" if state.writing else "none"
        asks.layout.display = "none" if state.answering or state.editing else ""
        words.description = t("Note or question")
        if state.answering is not None:
            words.description = t("Your answer to “{words}”", words=start(state.answering))
        if state.editing is not None:
            words.description = t("Your note, in other words")
        if state.writing:
            words.focus()

    def ready(_change: object = None) -> None:
        save.disabled = not state.text.strip()

    show()
    ready()
    state.observe(show, ["writing", "answering", "editing"])
    state.observe(ready, "text")
    return ipywidgets.VBox([switch, inside])
