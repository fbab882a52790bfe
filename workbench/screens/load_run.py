"""A load that goes on while the page is used, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from traitlets import Bool, Instance, List, Unicode

from workbench.errors import Cancelled
from workbench.locale import say
from workbench.project import Project
from workbench.records import message
from workbench.screens import apart
from workbench.screens.state import Guarded, worded
from workbench.screens.work import Turn
from workbench.tables.recipe import Recipe
from workbench.tables.report import LoadReport

_KIND = "load"
_LARGE = 20 * 2**20  # bytes; what is smaller is read before a process of its own would have begun


class LoadRun(Guarded):
    """Files on their way into a project.

    Attributes:
        active: Whether files are being loaded.
        files: What is being loaded, or was last.
        how: How it is read.
        recipe: The name of the recipe of the project that this is; None when it is none, or not quite.
        report: What came of it; None while there is nothing to say.
    """

    active = Bool(False)
    files = List(Instance(Path))
    how = Instance(Recipe, allow_none=True)
    recipe = Unicode(None, allow_none=True)
    report = Instance(LoadReport, allow_none=True)

    def start(
        self,
        project: Path,
        files: Sequence[Path],
        how: Recipe,
        recipe: str | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        """Begin to load files, unless some are being loaded; what is large goes on when the page is closed.

        Args:
            project: The project's folder.
            files: The files.
            how: How to read them.
            recipe: The name of the recipe that this is, if it is one of the project.
            keep_open: Numbers of open files without which the files are not there.
        """
        if self.active:
            return
        self.forget()
        self.how, self.recipe = how, recipe
        self.files, self.active = list(files), True
        doing = say("Loading {file}", file=files[0].name)
        if len(files) > 1:
            doing = say("Loading {n:count} files", n=len(files))

        asked: dict[str, Any] = {
            "files": [str(file.resolve()) for file in files],
            "recipe": how.model_dump_json(),
            "name": recipe,
        }

        def load(turn: Turn) -> LoadReport:
            turn.tell(0.0, doing)
            if turn.loop is not None and (_large(files) or asked in going_on(project)):
                return _report(apart.follow(project, _KIND, asked, turn, keep_open))
            return Project.open(project).load(files, recipe=how, progress=turn.tell, cancel=turn.cancel)

        self.work.begin(load, self._ended, patience=0, thread=True)

    def resume(self, project: Path) -> None:
        """Follow a load that was begun on a page that is closed, or say what came of it."""
        for asked in going_on(project)[:1]:
            files = [Path(file) for file in asked["files"]]
            self.start(project, files, Recipe.model_validate_json(asked["recipe"]), asked["name"])

    def forget(self) -> None:
        """Say no more of the last load."""
        if not self.active:
            self.problem = self.notice = self.report = None

    def stop(self) -> None:
        """Ask the load to end; whether it did before it took effect is said when it has."""
        self.work.stop()

    def wait(self, seconds: float) -> None:
        """Wait until the load has ended."""
        self.work.wait(seconds)

    def _ended(self, report: LoadReport | None, error: Exception | None) -> None:
        if isinstance(error, Cancelled):
            self.notice = say("Stopped; nothing has changed.")
        elif error is not None:
            self.problem = worded(error)
        self.report = report
        self.active = False


def going_on(project: Path) -> list[dict[str, Any]]:
    """What is asked of loads that outlived their page."""
    return [asked for _, asked in apart.standing(project, _KIND)]


def _large(files: Sequence[Path]) -> bool:
    return sum(file.stat().st_size for file in files if file.is_file()) > _LARGE


def _report(text: str) -> LoadReport:
    """A report as it was written."""
    report = LoadReport.model_validate_json(text)
    questions = [one.model_copy(update={"question": message(one.question)}) for one in report.questions]
    notes = [message(note) for note in report.notes]
    return report.model_copy(update={"notes": tuple(notes), "questions": tuple(questions)})
