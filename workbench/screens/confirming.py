"""An answer that PyMC samples once more in the background, while the page can be used."""

from __future__ import annotations

from typing import Any

import ipywidgets
from traitlets import Bool

from workbench.errors import Cancelled
from workbench.locale import Texts, say
from workbench.project import Project
from workbench.records import from_json
from workbench.screens import apart, controls
from workbench.screens.answering import AnsweringState
from workbench.screens.remembering import Answers
from workbench.screens.state import worded
from workbench.screens.work import Turn, on_a_page


class ConfirmingState(AnsweringState):
    """A screen whose `record` can be confirmed: its settings have `confirm`.

    Attributes:
        confirming: Whether PyMC is at work on the question that `record` answers.
    """

    confirming = Bool(False)

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self.work.observe(self._ended, "active")

    @property
    def confirmed(self) -> bool:
        """Whether PyMC is in the record already."""
        raise NotImplementedError

    @property
    def confirmable(self) -> bool:
        """Whether there is something that PyMC could confirm."""
        return self.record is not None

    def same(self, answered: Any, wanted: Any) -> bool:
        """Whether it answers the question, confirmed or not."""
        return super().same(answered.model_copy(update={"confirm": False}), wanted)

    def alike(self, wanted: Any) -> list[Any]:
        """One that is confirmed is an answer, too."""
        return [wanted.model_copy(update={"confirm": True}), wanted]

    def confirm(self) -> None:
        """Let PyMC sample the same posterior; the page can be used meanwhile, and `stop` ends it."""
        if not self.confirmable or self.busy or self.confirming:
            return
        self.problem, self.notice, self.confirming = None, None, True
        wanted = self._to_confirm()

        def find(turn: Turn) -> Any:
            turn.tell(doing=say("PyMC is sampling"))
            if turn.loop is None:
                return self.ask(self.project, wanted, turn)
            return from_json(apart.follow(self.project.path, self.record.kind, self._apart(wanted), turn))

        self.work.usual, self.work.ends = self._seconds("confirm"), True
        self.work.begin(find, self._confirmed, patience=0, thread=True)

    def _to_confirm(self) -> Any:
        return self.settings().model_copy(update={"confirm": True})

    def _apart(self, wanted: Any) -> dict[str, str]:
        return {"settings": wanted.model_dump_json(), "of": Answers(self.project).name(wanted)}

    def _take(self, record: Any) -> None:
        super()._take(record)
        loop = on_a_page()
        if loop is None or record is None or self.confirmed or not self.confirmable:
            return
        going_on = apart.standing(self.project.path, record.kind)
        if going_on and self._apart(self._to_confirm()) in [asked for _, asked in going_on]:
            loop.call_soon(self.confirm)  # it was begun before this page was opened

    def _confirmed(self, record: Any, error: Exception | None) -> None:
        if isinstance(error, Cancelled):
            return
        if error is not None:
            self.problem = worded(error)
            return
        self.record, self.kept = record, record.id in self.project.records
        self._settled(self.work.seconds, "confirm")
        self.notice = say("PyMC is done; see what was checked.")

    def _ended(self, _change: object) -> None:
        self.confirming = self.confirming and self.work.active

    def stop(self) -> None:
        """End what is going on; what was known before stays."""
        if self.confirming:
            self.drop()
        else:
            super().stop()

    def wait(self, seconds: float) -> None:
        """Wait until the confirmation has ended."""
        self.work.wait(seconds)


def confirmation(state: ConfirmingState, t: Texts, label: str, done: str) -> ipywidgets.Widget:
    """The button that lets PyMC confirm; how far that is is told where all work is.

    Args:
        state: The screen.
        t: The reader's words.
        label: What the button is called.
        done: What it is called when that has been done.
    """
    begin = controls.button(label, state.confirm)

    def show(_change: object = None) -> None:
        begin.disabled = state.confirmed or state.confirming
        begin.description = done if state.confirmed else label
        begin.layout.display = "" if state.confirmable else "none"

    show()
    state.observe(show, ["record", "confirming"])
    return controls.allowed(begin, state.project, "ask", t)
