"""A load that goes on while the page is used: how far it is, a way to stop it, and what came of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from traitlets import Bool, Float, Instance, List, Unicode

from workbench.errors import Cancelled
from workbench.locale import say
from workbench.project import Project
from workbench.screens.state import Guarded, worded
from workbench.tables.recipe import Recipe
from workbench.tables.report import LoadReport

_STEP = 0.005  # of the progress; finer steps only make the page work


class LoadRun(Guarded):
    """Files on their way into a project.

    Attributes:
        active: Whether files are being loaded.
        stopping: Whether somebody wants it to end; what is written by then may still come in.
        progress: The share that is done.
        files: What is being loaded, or was last.
        how: How it is read.
        recipe: The name of the recipe of the project that this is; None when it is none, or not quite.
        report: What came of it; None while there is nothing to say.
    """

    active = Bool(False)
    stopping = Bool(False)
    progress = Float(0.0)
    files = List(Instance(Path))
    how = Instance(Recipe, allow_none=True)
    recipe = Unicode(None, allow_none=True)
    report = Instance(LoadReport, allow_none=True)

    def __init__(self) -> None:
        super().__init__()
        self._work: threading.Thread | None = None
        self._cancel = threading.Event()

    def start(self, project: Path, files: Sequence[Path], how: Recipe, recipe: str | None = None) -> None:
        """Begin to load files, unless some are being loaded.

        Args:
            project: The project's folder.
            files: The files.
            how: How to read them.
            recipe: The name of the recipe that this is, if it is one of the project.
        """
        if self.active:
            return
        self.forget()
        self.progress, self.stopping = 0.0, False
        self.how, self.recipe = how, recipe
        self.files, self.active = list(files), True
        self._cancel = threading.Event()
        self._work = threading.Thread(target=self._load, args=(project, tuple(files), how, self._cancel))
        self._work.start()

    def forget(self) -> None:
        """Say no more of the last load."""
        if not self.active:
            self.problem = self.notice = self.report = None

    def stop(self) -> None:
        """Ask the load to end; whether it did before it took effect is said when it has."""
        if self.active:
            self._cancel.set()
            self.stopping = True

    def wait(self, seconds: float) -> None:
        """Wait until the load has ended."""
        if self._work is not None:
            self._work.join(seconds)

    def _load(self, folder: Path, files: Sequence[Path], how: Recipe, cancel: threading.Event) -> None:
        def tell(share: float) -> None:
            if share - self.progress >= _STEP or share >= 1:
                self.progress = min(1.0, share)

        report = problem = notice = None
        try:
            # an engine of its own: a connection is for one thread
            report = Project.open(folder).load(files, recipe=how, progress=tell, cancel=cancel)
        except Cancelled:
            notice = say("Stopped; nothing has changed.")
        except Exception as error:
            problem = worded(error)
        self.problem, self.notice, self.report = problem, notice, report
        self.active = False
