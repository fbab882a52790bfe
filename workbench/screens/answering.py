"""A screen that asks one question at a time: every change of what is asked is answered.

An `AnsweringState` is answered by a record, which can be kept; a `FindingState` by what is only looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from traitlets import Bool

from workbench.errors import WorkbenchError
from workbench.locale import say
from workbench.project import Project
from workbench.screens.state import ScreenState


class AnsweringState(ScreenState):
    """A screen whose `record` answers `settings`.

    Attributes:
        asked: The traits that make the question.
        record: The answer; None while there is none.
        kept: Whether the project has it.
    """

    asked: ClassVar[tuple[str, ...]]
    record: Any
    kept = Bool(False)

    def __init__(self, project: Project) -> None:
        self._stale = True
        self._settling = False
        super().__init__(project)
        self.observe(self._changed, self.asked)
        self.answer()

    def refresh(self) -> None:
        super().refresh()
        self._stale = True

    def settings(self) -> Any:
        """What is asked now."""
        raise NotImplementedError

    def ask(self, project: Project, settings: Any, **also: Any) -> Any:
        """The record that answers `settings`, not kept; `also` is passed on to the project."""
        raise NotImplementedError

    def same(self, answered: Any, wanted: Any) -> bool:
        """Whether the answer to some settings is that to others, too."""
        return bool(answered == wanted)

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
            try:
                self.settle()
            finally:
                self.answer()

    def answer(self) -> None:
        """Ask the project, unless it was asked the same a moment ago."""
        if self.missing is not None or not self.ready:
            return
        with self.working():
            record = None
            try:
                wanted = self.settings()
                if self.record is not None and not self._stale and self.same(self.record.settings, wanted):
                    record = self.record
                else:
                    record = self.ask(self.project, wanted)
                    self.kept, self.notice = record.id in self.project.records, None
            finally:
                self.record, self._stale = record, False

    def keep(self) -> None:
        """Keep the answer in the project, so that it can be published."""
        if self.record is None:
            return
        with self.working():
            self.project.records.add(self.record)
            self.kept = True
            self.notice = say("The result is kept; you can publish it.")


class FindingState(ScreenState):
    """A screen whose `found` answers `settings`; it is looked at and not kept.

    Attributes:
        asked: The traits that make the question.
        found: The answer; None while there is none.
    """

    asked: ClassVar[tuple[str, ...]]
    found: Any

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self.observe(lambda _: self.answer(), self.asked)
        self.answer()

    def find(self) -> Any:
        """What the project answers now."""
        raise NotImplementedError

    def answer(self) -> None:
        """Ask the project."""
        if self.missing is not None or not self.ready:
            return
        with self.working():
            found = None
            try:
                found = self.find()
            finally:
                self.found = found
            self.notice = None


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
