"""Notes and questions on results, kept in `notes.jsonl`: one line each, as whoever wrote it put it.

A note belongs to what a result answers rather than to the result: it is found again when the same is asked
anew. Every change is made under the project's lock and puts a whole new file in the place of the old one, so
that two pages writing at once lose nothing, and what is taken back is no longer in the file.

What looks like an e-mail address, a telephone, a document or a card is masked before it is kept, as in texts
that are loaded. Notes are never published.
"""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError

from workbench import storage
from workbench.errors import ProjectError, WorkbenchError
from workbench.locale import Message
from workbench.records import Frozen
from workbench.records.base import Text, message
from workbench.team import NotAllowed, Team, person

LONGEST: Final = 2000
"""Letters of a note."""

Kind = Literal["note", "question", "answer"]


class Note(Frozen):
    """Something that somebody wrote.

    Attributes:
        by: The name that they log in with.
        about: What the result answers that it is about.
        record: The result that they saw.
        text: Their words; empty once they were taken back.
        to: The note that it answers.
        edited: When it was last changed.
        settled, settled_by: When a question was marked as answered, and by whom.
    """

    id: str = Field(default_factory=lambda: secrets.token_hex(6))
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    by: str
    kind: Kind
    about: Text
    record: str = ""
    text: str
    to: str = ""
    edited: datetime | None = None
    settled: datetime | None = None
    settled_by: str = ""

    @property
    def open(self) -> bool:
        """Whether it is a question that nobody has marked as answered."""
        return self.kind == "question" and self.settled is None and bool(self.text)


@dataclass(frozen=True)
class Thread:
    """A note or a question, and what was said to it, oldest first."""

    first: Note
    answers: tuple[Note, ...]

    @property
    def notes(self) -> tuple[Note, ...]:
        """All of it that was not taken back."""
        return tuple(note for note in (self.first, *self.answers) if note.text)


class Notes:
    """The notes of a project.

    Args:
        folder: The project's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "notes.jsonl"
        self._team = Team(folder)

    # --- reading ----------------------------------------------------------------------------------------

    def threads(self, about: Message | None = None, record: str = "") -> list[Thread]:
        """What was written, oldest first.

        Args:
            about: Only what is about this question; everything unless given.
            record: The result that answers it now; what was written on it is found whatever it was called.

        Raises:
            ProjectError: when the file cannot be read.
        """
        notes = self._read()
        answers: dict[str, list[Note]] = {}
        for note in notes:
            if note.to:
                answers.setdefault(note.to, []).append(note)
        there = {note.id for note in notes}
        firsts = [note for note in notes if note.to not in there]
        found = [Thread(note, tuple(answers.get(note.id, ()))) for note in firsts]
        if about is None:
            return found
        asked = message(about)
        return [one for one in found if one.first.about == asked or (record and one.first.record == record)]

    def _read(self) -> list[Note]:
        return [note for note in map(_note, self._lines()) if note is not None]

    @property
    def damaged(self) -> int:
        """How many lines of the file are no notes; they are left as they are."""
        return sum(_note(line) is None for line in self._lines())

    def _lines(self) -> list[str]:
        try:
            # by its line feeds alone: what somebody wrote may hold other signs that end a line
            return [line for line in self._file.read_text("utf-8").split("\n") if line.strip()]
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise ProjectError(
                "{path} cannot be read: {reason}.", path=str(self._file), reason=str(error)
            ) from error

    @property
    def moderated(self) -> bool:
        """Whether whoever is at the keyboard may take out what others wrote: a lead of a team."""
        return bool(self._team) and self._team.may("moderate")

    # --- writing ----------------------------------------------------------------------------------------

    def add(
        self, about: Message, text: str, *, record: str = "", kind: Literal["note", "question"] = "note"
    ) -> Note:
        """Write a note, or ask a question.

        Args:
            about: What the result answers, as `publish.versions.question` says it.
            text: Plain text, of at most `LONGEST` letters.
            record: The id of the result.
            kind: Which of both.

        Raises:
            WorkbenchError: when there is no text, or too much.
            NotAllowed: when whoever is at the keyboard may not write notes.
        """
        return self._append(Note(by=person(), kind=kind, about=about, record=record, text=_clean(text)))

    def answer(self, note_id: str, text: str, *, record: str = "") -> Note:
        """Say something to a note or a question.

        Raises:
            WorkbenchError: when there is no such note, no text, or too much.
            NotAllowed: when whoever is at the keyboard may not write notes.
        """
        first = self._find(note_id)
        note = Note(by=person(), kind="answer", about=first.about, record=record, text=_clean(text))
        return self._append(note.model_copy(update={"to": first.to or first.id}))

    def edit(self, note_id: str, text: str) -> Note:
        """Put other words in the place of one's own.

        Raises:
            WorkbenchError: when there is no such note, no text, or too much.
            NotAllowed: when somebody else wrote it.
        """
        words = _clean(text)
        if self._find(note_id).by != person():
            raise NotAllowed(
                "Only {who} can change this note.", who=self._team.called(self._find(note_id).by)
            )
        return self._change(note_id, lambda note: {"text": words, "edited": datetime.now(UTC)})

    def take_back(self, note_id: str) -> None:
        """Take one's own words out of the file; a lead of the team can take out those of others.

        Raises:
            WorkbenchError: when there is no such note.
            NotAllowed: when somebody else wrote it.
        """
        note = self._find(note_id)
        if note.by != person() and not self.moderated:
            raise NotAllowed(
                "Only {who}, or a lead of the team, can take this note back.", who=self._team.called(note.by)
            )
        self._rewrite(lambda lines: _without(lines, note_id))

    def settle(self, note_id: str, *, answered: bool = True) -> Note:
        """Mark a question as answered, or open it again.

        Raises:
            WorkbenchError: when there is no such question.
            NotAllowed: when whoever is at the keyboard may not write notes.
        """
        if self._find(note_id).kind != "question":
            raise WorkbenchError("This is no question, so it cannot be marked as answered.")
        at, who = (datetime.now(UTC), person()) if answered else (None, "")
        return self._change(note_id, lambda _: {"settled": at, "settled_by": who})

    def _find(self, note_id: str) -> Note:
        found = next((note for note in self._read() if note.id == note_id), None)
        if found is None:
            raise WorkbenchError("This note is no longer there; somebody took it back.")
        return found

    def _append(self, note: Note) -> Note:
        self._rewrite(lambda lines: [*lines, _line(note)])
        return note

    def _change(self, note_id: str, change: Callable[[Note], dict[str, object]]) -> Note:
        changed: list[Note] = []

        def rewritten(line: str) -> str:
            note = _note(line)
            if note is None or note.id != note_id:
                return line
            changed.append(note.model_copy(update=change(note)))
            return _line(changed[-1])

        self._rewrite(lambda lines: list(map(rewritten, lines)))
        return changed[-1] if changed else self._find(note_id)  # which says that it is gone

    def _rewrite(self, change: Callable[[list[str]], list[str]]) -> None:
        self._team.check("note")
        with storage.lock(self._folder):
            lines = change(self._lines())
            storage.write_text(self._file, "".join(f"{line}\n" for line in lines))


def _clean(text: str) -> str:
    """A text as it is kept: nothing that only machines see, nobody's address or number.

    Raises:
        WorkbenchError: when nothing is left, or it is too long.
    """
    from workbench.tables.privacy.freetext import mask

    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\t", " "))
    # not those that control, or turn the direction in which others read; joined signs stay joined
    seen = "".join(one for one in plain if one in "\n\u200d" or unicodedata.category(one)[0] != "C")
    words = re.sub(r"\n{3,}", "\n\n", seen).strip()
    if not words:
        raise WorkbenchError("There is nothing in this note yet; write a few words.")
    if len(words) > LONGEST:
        raise WorkbenchError(
            "This note has {n:count} letters and may have {most:count}: leave some out, or write two notes.",
            n=len(words),
            most=LONGEST,
        )
    return mask(words)


def _line(note: Note) -> str:
    said = {name: value for name, value in note.model_dump(mode="json").items() if value or name == "text"}
    return json.dumps(said, ensure_ascii=False)


def _note(line: str) -> Note | None:
    try:
        return Note.model_validate_json(line)
    except ValidationError:
        return None


def _without(lines: list[str], note_id: str) -> list[str]:
    """The lines without a note; where something was said to it, its place is kept without its words."""
    found = [(line, _note(line)) for line in lines]
    answered = {note.to for _, note in found if note and note.id != note_id}
    left = []
    for line, note in found:
        if note is None or (note.id != note_id and note.text):
            left.append(line)
        elif note.id in answered:
            left.append(_line(note.model_copy(update={"text": ""})))
    return left
