"""Notes and questions on the result that a screen shows, or that somebody picked on the home."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from traitlets import Bool, Instance, List, Unicode

from workbench.locale import Message, Texts, say
from workbench.notes import Note, Thread
from workbench.project import Project
from workbench.publish.versions import question
from workbench.records import AnyRecord
from workbench.screens.state import Guarded
from workbench.team import person

_IN_SIGHT: Final = 5  # threads
_START: Final = 60  # letters of a note by which it is known


class NotesState(Guarded):
    """What was written about a question, and what is being written.

    Attributes:
        about: What a result answers; None while there is none.
        record: The result that answers it now, if it is known which.
        threads: What was written about it, the newest first.
        writing: Whether somebody is writing.
        text: What is being written.
        asks: Whether that is a question that somebody should answer.
        answering, editing: The note that it answers, or changes.
        all_threads: Whether all are shown rather than the newest.
    """

    about = Instance(Message, allow_none=True)
    record = Unicode("")
    threads = List(Instance(Thread))
    writing = Bool(False)
    text = Unicode("")
    asks = Bool(False)
    answering = Instance(Note, allow_none=True)
    editing = Instance(Note, allow_none=True)
    all_threads = Bool(False)

    def __init__(self, project: Project) -> None:
        super().__init__()
        self._project = project
        self.observe(self._turned, "writing")

    def look(self, record: AnyRecord | None) -> None:
        """Show what was written about the question of a result."""
        self.look_at(None if record is None else question(record), "" if record is None else record.id)

    def look_at(self, about: Message | None, record: str = "") -> None:
        """Show what was written about a question; what was being written about another one is put away."""
        if about is None or str(about) != str(self.about):
            self.leave()
            self.all_threads, self.problem, self.notice = False, None, None
        with self.hold_trait_notifications():
            self.about, self.record = about, record
            self.refresh()

    def refresh(self) -> None:
        """Look again at what was written, by others as well."""
        with self.working():
            self._find()

    def _find(self) -> None:
        notes = self._project.notes
        found = [] if self.about is None else notes.threads(self.about, self.record)
        self.threads = list(reversed(found))

    @property
    def shown(self) -> list[Thread]:
        """The threads in sight."""
        return self.threads if self.all_threads else self.threads[:_IN_SIGHT]

    @property
    def why_not(self) -> Message | None:
        """Why whoever is at the keyboard may not write; None where they may."""
        return self._project.team.refusal("note")

    def called(self, who: str) -> str:
        """What others call somebody."""
        return self._project.team.called(who)

    def mine(self, note: Note) -> bool:
        """Whether whoever is at the keyboard wrote it."""
        return note.by == person()

    def removable(self, note: Note) -> bool:
        """Whether whoever is at the keyboard may take it out."""
        return self.mine(note) or self._project.notes.moderated

    def earlier(self, note: Note) -> bool:
        """Whether it was written on another result than the one that answers the question now."""
        return bool(self.record and note.record) and note.record != self.record

    def day(self, note: Note) -> date:
        """The day on the project's clock on which it was written."""
        return note.at.astimezone(ZoneInfo(self._project.settings.timezone)).date()

    # --- writing ----------------------------------------------------------------------------------------

    def save(self) -> None:
        """Keep what was written."""
        with self._changing():
            said, done = self._written()
            if said.text.count("[") > self.text.count("["):
                done = say("{done} What looked like personal data is masked.", done=done)
            self.leave()
            self.notice = done

    def _written(self) -> tuple[Note, Message]:
        notes = self._project.notes
        if self.editing is not None:
            return notes.edit(self.editing.id, self.text), say("The note is changed.")
        if self.answering is not None:
            said = notes.answer(self.answering.id, self.text, record=self.record)
            return said, say("The answer is kept.")
        about = self.about or say("")
        if self.asks:
            said = notes.add(about, self.text, record=self.record, kind="question")
            return said, say("The question is kept.")
        return notes.add(about, self.text, record=self.record), say("The note is kept.")

    def answer(self, note: Note) -> None:
        """Begin to write an answer."""
        self.leave()
        self.answering, self.writing = note, True

    def edit(self, note: Note) -> None:
        """Begin to change what one wrote."""
        self.leave()
        self.editing, self.text, self.writing = note, note.text, True

    def leave(self) -> None:
        """Write nothing after all."""
        self.text, self.asks, self.answering, self.editing = "", False, None, None
        self.writing = False

    def _turned(self, _change: object) -> None:
        if self.writing:
            self.notice = None
        else:
            self.leave()

    def take_back(self, note: Note) -> None:
        """Take what one wrote out again."""
        with self._changing():
            self._project.notes.take_back(note.id)
            self.leave()
            self.notice = say("The note is taken back; its words are no longer in the project.")

    def settle(self, note: Note, *, answered: bool) -> None:
        """Mark a question as answered, or open it again."""
        with self._changing():
            self._project.notes.settle(note.id, answered=answered)
            self.notice = say("The question is open again.")
            if answered:
                self.notice = say("The question counts as answered.")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Do something to the notes; whatever comes of it, what is shown is what is there then."""
        self.notice = None
        with self.working():
            try:
                yield
            finally:
                self._find()


class Written:
    """What was written in a project, by the result that it is about."""

    def __init__(self, threads: Iterable[Thread] = ()) -> None:
        self.threads = list(threads)
        self._about: dict[str, list[Thread]] = {}
        self._record: dict[str, list[Thread]] = {}
        for thread in self.threads:
            self._about.setdefault(str(thread.first.about), []).append(thread)
            self._record.setdefault(thread.first.record, []).append(thread)

    def of(self, record: AnyRecord) -> list[Thread]:
        """What is about the question of a record, oldest first."""
        if not self.threads:
            return []
        found = {one.first.id: one for one in self._record.get(record.id, ())}
        found |= {one.first.id: one for one in self._about.get(str(question(record)), ())}
        return sorted(found.values(), key=lambda one: one.first.at)

    def words(self, record: AnyRecord) -> str:
        """All that was written about the question of a record."""
        return " ".join(note.text for thread in self.of(record) for note in thread.notes)

    @property
    def open(self) -> list[Note]:
        """The questions that nobody has marked as answered, oldest first."""
        return [thread.first for thread in self.threads if thread.first.open]

    @property
    def abouts(self) -> list[Message]:
        """What was written about: questions that are open first, then the newest."""
        newest = [thread.first for thread in reversed(self.threads) if thread.notes]
        return list({str(one.about): one.about for one in [*self.open, *newest]}.values())


def counted(threads: Sequence[Thread], t: Texts) -> str:
    """How many notes and open questions there are; nothing where there are none."""
    notes = sum(len(thread.notes) for thread in threads)
    asked = sum(thread.first.open for thread in threads)
    if not notes:
        return ""
    if asked:
        return t("Notes: {notes:count} · open questions: {asked:count}", notes=notes, asked=asked)
    return t("Notes: {notes:count}", notes=notes)


def start(note: Note) -> str:
    """The first words of a note, in a line."""
    return textwrap.shorten(note.text, _START, placeholder=" …")
