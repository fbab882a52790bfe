"""An answer that PyMC samples once more in the background, while the page can be used."""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets
from traitlets import Bool, Float

from workbench.locale import Texts, say
from workbench.project import Project
from workbench.screens import controls
from workbench.screens.answering import AnsweringState
from workbench.screens.state import worded


class ConfirmingState(AnsweringState):
    """A screen whose `record` can be confirmed: its settings have `confirm`.

    Attributes:
        confirming: Whether PyMC is at work on the question that `record` answers.
        progress: The share of that work that is done.
    """

    confirming = Bool(False)
    progress = Float(0.0)

    def __init__(self, project: Project) -> None:
        self._work: threading.Thread | None = None
        self._cancel = threading.Event()
        super().__init__(project)

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

    def answer(self) -> None:
        self.stop()
        super().answer()

    def confirm(self) -> None:
        """Let PyMC sample the same posterior; the page can be used meanwhile, and `stop` ends it."""
        if not self.confirmable or self.confirming:
            return
        self.problem, self.notice, self.progress, self.confirming = None, None, 0.0, True
        self._cancel = threading.Event()
        wanted = self.settings().model_copy(update={"confirm": True})
        self._work = threading.Thread(target=self._confirm, args=(wanted, self._cancel), daemon=True)
        self._work.start()

    def _confirm(self, wanted: Any, cancel: threading.Event) -> None:
        def tell(share: float) -> None:
            if not cancel.is_set():
                self.progress = share

        record, problem = None, None
        try:
            # an engine of its own: a connection is for one thread
            project = Project.open(self.project.path)
            record = self.ask(project, wanted, progress=tell, cancel=cancel)
        except Exception as error:
            problem = worded(error)
        if cancel.is_set():  # something else is asked by now
            return
        if record is not None:
            self.record, self.kept = record, record.id in self.project.records
            self.notice = say("PyMC is done; see what was checked.")
        self.problem = problem
        self.confirming = False

    def stop(self) -> None:
        """End the confirmation; what was known before stays."""
        self._cancel.set()
        self.confirming = False

    def wait(self, seconds: float) -> None:
        """Wait until the confirmation has ended."""
        if self._work is not None:
            self._work.join(seconds)


def confirmation(state: ConfirmingState, t: Texts, label: str, done: str) -> ipywidgets.Widget:
    """The button that lets PyMC confirm, and while it does, how far it is and the button that ends it.

    Args:
        state: The screen.
        t: The reader's words.
        label: What the button is called.
        done: What it is called when that has been done.
    """
    begin = controls.button(label, state.confirm)
    end = controls.button(t("Stop"), state.stop)
    bar = ipywidgets.FloatProgress(max=1.0, description=t("PyMC is sampling"))

    def show(_change: object = None) -> None:
        begin.disabled = state.confirmed
        begin.description = done if state.confirmed else label
        begin.layout.display = "" if state.confirmable and not state.confirming else "none"
        end.layout.display = bar.layout.display = "" if state.confirming else "none"
        bar.value = state.progress

    show()
    state.observe(show, ["record", "confirming", "progress"])
    return ipywidgets.VBox([begin, bar, end])
