"""A screen that asks one question at a time: every change of what is asked is answered.

An `AnsweringState` is answered by a record, which can be kept; a `FindingState` by what is only looked at.
The last question counts: one that is still being answered ends when another is asked. Nothing is ever shown
beside controls that it does not answer, but dimmed while the next is on its way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from traitlets import Bool, TraitError

from workbench.errors import WorkbenchError
from workbench.locale import say
from workbench.project import Project
from workbench.publish.library import Library
from workbench.screens.remembering import LONG, Answers, LastAsked
from workbench.screens.state import ScreenState
from workbench.screens.work import Turn, on_a_page


class AskingState(ScreenState):
    """A screen whose answer follows what is asked.

    On a page it opens as it was left, see `remembering`.

    Attributes:
        asked: The traits that make the question.
        changed: Whether what is asked is other than when the screen is opened for the first time.
    """

    asked: ClassVar[tuple[str, ...]]
    changed = Bool(False)

    def __init__(self, project: Project) -> None:
        self._settling = False
        self._answered: dict[str, Any] | None = None
        super().__init__(project)
        there = self.ready and self.missing is None
        self._usual = self._standing() if there else None
        self._memory = LastAsked(project.path, type(self).__name__) if on_a_page() else None
        self._recalled = there and self._memory is not None and bool(self._memory.asked)
        if self._recalled and self._memory is not None:
            with self.working():
                self._put(self._memory.asked)
        self.observe(self._changed, self.asked)
        self.answer()

    def refresh(self) -> None:
        super().refresh()
        self._answered = None

    def answer(self) -> None:
        """Ask the project."""
        raise NotImplementedError

    def fit(self) -> None:
        """Let what is asked fit together; its changes ask nothing."""

    def settle(self) -> None:
        """Let what is asked fit together, unless that is just being done."""
        if self._settling:
            return
        self._settling = True
        try:
            self.fit()
        finally:
            self._settling = False

    def _changed(self, _change: object) -> None:
        if self._settling:
            return
        with self.working():  # one stretch of work, whatever it consists of: the page dims once
            self.drop()
            try:
                self.settle()
            finally:
                self.answer()

    # --- what is asked, and what was --------------------------------------------------------------------

    def start_again(self) -> None:
        """Ask what the screen asks when it is opened for the first time."""
        with self.working():
            self.drop()
            self._put(self._usual or {})
            self.answer()

    def stop(self) -> None:
        """End the question; what was known before stays, and what is asked is that again."""
        if not self.busy:
            return
        self.drop()
        self.problem = None
        if self._answered is None:
            self.notice = say("Stopped before there was an answer; change what is asked to ask again.")
            return
        self._put(self._answered)
        self.notice = say("Stopped. You see what is known so far, and the controls stand as they did for it.")

    def _standing(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.asked}

    def _put(self, values: Mapping[str, Any]) -> None:
        """Ask with these values, as far as they still can be, without asking the project."""
        self._settling = True
        try:
            for _ in range(2):  # what may be asked follows from what is asked: the second time all may be
                for name in values.keys() & set(self.asked):
                    try:
                        setattr(self, name, values[name])
                    except TraitError:
                        continue
                self.fit()
        finally:
            self._settling = False
        self.changed = self._usual is not None and self._standing() != self._usual

    def _seconds(self, what: str = "answer") -> float | None:
        return None if self._memory is None else self._memory.seconds.get(what)

    def _settled(self, seconds: float = 0.0, what: str = "answer") -> None:
        """What is shown answers what is asked; to find it took so many seconds."""
        self._answered = self._standing()
        self._recalled = False
        self._usual = self._usual or self._answered  # the first answer, where there were no data before
        self.changed = self._answered != self._usual
        if self._memory is not None:
            self._memory.took(what, seconds)
            self._memory.write(self._answered if self.changed else {})

    def mended(self, error: Exception) -> bool:
        """What the screen was left with may no longer be there: then it opens as for the first time."""
        if not self._recalled:
            return False
        self._recalled = False
        self._put(self._usual or {})
        self.answer()
        return True


class AnsweringState(AskingState):
    """A screen whose `record` answers `settings`.

    Attributes:
        record: The answer; None while there is none.
        kept: Whether the project has it.
    """

    record: Any
    kept = Bool(False)

    def __init__(self, project: Project) -> None:
        self._stale = True
        super().__init__(project)

    def refresh(self) -> None:
        super().refresh()
        self._stale = True

    def settings(self) -> Any:
        """What is asked now."""
        raise NotImplementedError

    def ask(self, project: Project, settings: Any, turn: Turn) -> Any:
        """The record that answers `settings`, not kept; asked in a thread, so that it changes no trait."""
        raise NotImplementedError

    def same(self, answered: Any, wanted: Any) -> bool:
        """Whether the answer to some settings is that to others, too."""
        return bool(answered == wanted)

    def answer(self) -> None:
        """Ask the project, unless it was asked the same a moment ago."""
        if self.missing is not None or not self.ready:
            return
        self.drop()
        with self.working():
            try:
                wanted = self.settings()
            except Exception as error:
                self._take(None)
                if self.mended(error):
                    return
                raise
            if self.record is not None and not self._stale and self.same(self.record.settings, wanted):
                self._settled()
                return
            self._stale = True  # until all of the answer is there
            self.wait_for(partial(self._find, wanted), self._take, usual=self._seconds())

    def _find(self, wanted: Any, turn: Turn) -> Any:
        """The answer, as it was found before if that took long, and nothing has changed since."""
        if not self.project.team.may("ask"):
            return self._known(wanted)
        if turn.loop is None:
            return self.ask(self.project, wanted, turn)
        answers = Answers(self.project)
        record = next((found for one in self.alike(wanted) if (found := answers.get(one))), None)
        if record is None:
            record = self.ask(self.project, wanted, turn)
            if turn.seconds > LONG:
                answers.add(wanted, record)
        return record

    def _known(self, wanted: Any) -> Any:
        """What others asked and kept: for whoever may look and not ask."""
        answers = Answers(self.project)
        for one in self.alike(wanted):
            if (found := answers.get(one)) is not None:
                return found
        for record in Library(self.project).everything():
            if type(record.settings) is type(wanted) and self.same(record.settings, wanted):
                return record
        self.project.team.check("ask")
        return None

    def alike(self, wanted: Any) -> list[Any]:
        """Settings whose answer is one to these, too, the best first."""
        return [wanted]

    def _take(self, record: Any) -> None:
        self.record = record
        if record is not None:
            self._stale = False
            self.kept, self.notice = record.id in self.project.records, None
            self._settled(self.work.seconds)

    def _show(self, record: Any) -> None:
        """Show a part of the answer while more is looked at, still dimmed."""
        self.record = record
        self._answered = self._standing()

    def keep(self) -> None:
        """Keep the answer in the project, so that it can be published."""
        if self.record is None or self.busy:
            return
        with self.working():
            self.project.records.add(self.record)
            self.kept = True
            self.notice = say("The result is kept; you can publish it.")


class FindingState(AskingState):
    """A screen whose answer is looked at and not kept.

    Attributes:
        awaited: Whether anybody wants to know; only then is the project asked.
        found: The answer; None while there is none.
    """

    awaited = Bool(True)
    found: Any

    def find(self, turn: Turn) -> Any:
        """What the project answers now; asked in a thread, so that it changes no trait."""
        raise NotImplementedError

    def answer(self) -> None:
        """Ask the project."""
        if self.missing is not None or not self.ready or not self.awaited:
            return
        self.drop()
        self.wait_for(self.find, self.take, usual=self._seconds())

    def take(self, found: Any) -> None:
        """Show the answer; None where there is none."""
        self.found = found
        if found is not None:
            self.notice = None
            self._settled(self.work.seconds)

    def watch(self) -> None:
        """Say that somebody watches from now on, so that there is an answer to see."""
        if not self.awaited:
            self.awaited = True
            self.answer()


def planned_split(text: str, arms: Sequence[str]) -> dict[str, float] | None:
    """Planned shares as a person types them, such as `80 / 20`, of the arms in their order; None if empty.

    Raises:
        WorkbenchError: when that is not one number above 0 for each arm.

    >>> planned_split("80 / 20", ["new", "old"])
    {'new': 80.0, 'old': 20.0}
    """
    if not text.strip():
        return None
    shares = [float(part.replace(",", ".")) for part in re.findall(r"\d+(?:[.,]\d+)?", text)]
    if len(shares) != len(arms) or min(shares, default=0) <= 0:
        raise WorkbenchError(
            "The planned split “{split}” is not one: give a number for each arm, in this order: {arms}.",
            split=text,
            arms=", ".join(arms),
        )
    return dict(zip(arms, shares, strict=True))
