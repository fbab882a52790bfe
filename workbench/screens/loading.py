"""Load and check: files, what they seem to hold, and their way into the project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from traitlets import Instance, List, Unicode

from workbench.errors import DataError, WorkbenchError
from workbench.project import Project
from workbench.screens.browsing import FolderBrowser
from workbench.screens.checking import CheckState
from workbench.screens.inbox import Inbox, Sent
from workbench.screens.load_run import LoadRun
from workbench.screens.people import PeopleState
from workbench.screens.reading import EACH, ReadingState
from workbench.screens.recipe_list import RecipeList
from workbench.screens.work import on_a_page
from workbench.tables.load import preview
from workbench.tables.sources import expand, open_source

_COMPARED = 12


class LoadState(ReadingState):
    """Files on their way into the project.

    Attributes:
        path: What is typed: a file, a folder or a pattern on the computer that runs this.
        files: The files that are looked at; `file` is the first.
        kinds: Where the files are of several kinds: a file of each, and what it seems to hold.
        recipe: The recipe of the project that the file is read by; None when it is read as it looks.
        browser: The folders of the computer that runs this.
        run: The load that is going on, or went last.
        recipes: The recipes of the project.
        checks: What the project holds, and what looking over it brought.
        people: What can be asked about one person.
    """

    path = Unicode("")
    files = List(Instance(Path))
    kinds = List()
    recipe = Unicode(None, allow_none=True)

    def __init__(self, project: Project) -> None:
        self._inbox = Inbox()
        self.run = LoadRun()
        self.recipes = RecipeList(project)
        self.checks = CheckState(project)
        self.people = PeopleState(project, self.checks.refresh, lambda: self.run.active)
        self.browser = FolderBrowser(project.path.resolve().parent, self.look)
        super().__init__(project)
        self.work = self.run.work
        self._follow("path", self._open)
        self._follow("recipe", self._apply)
        self.run.observe(lambda _: self._came_in(), "report")
        self.run.observe(lambda _: self._tidy(), "active")
        if on_a_page() is not None:
            self.run.resume(project.path)

    def refresh(self) -> None:
        super().refresh()
        self.recipes.refresh()
        self.checks.refresh()

    def wait(self, seconds: float = 60) -> None:
        """Wait until what goes on in the background has ended."""
        self.run.wait(seconds)
        self.checks.wait(seconds)

    def receive(self, files: Sequence[Sent]) -> None:
        """Take files that were sent through the page."""
        with self.working():
            self.look(self._inbox.put(files))

    def look(self, files: Sequence[str | Path]) -> None:
        """Look at files and propose how to read them; at none, to begin anew."""
        with self.working():
            self.path = ""
            self._look(files)

    def _open(self) -> None:
        typed = self.path.strip()
        self._look([self.browser.checked(typed)] if typed else [])

    def _look(self, files: Sequence[str | Path]) -> None:
        self.files, self.kinds, self.recipe, self.notice = [], [], None, None
        self._begin(None)
        if files:
            self.run.forget()
            self.recipes.offered = None
            found = expand(files)
            self.files = [file if file in self._inbox else self.browser.checked(file) for file in found]
        self._tidy()
        if not self.files:
            return
        self._begin(self.files[0])
        assert self.found is not None
        if kinds := self._kinds():
            self.kinds, self.holds = kinds, EACH
            self._take(None)
        elif name := self.recipes.fitting(self.found.columns):
            self.recipe = name
            self._apply()

    def _tidy(self) -> None:
        """Remove what was sent through the page and is neither looked at nor being loaded."""
        self._inbox.keep_only([*self.files, *(self.run.files if self.run.active else ())])

    def _kinds(self) -> list[tuple[str, str | None]]:
        """A file of each kind and what it holds, where some of the files do not look like the first."""
        assert self.found is not None
        step = max(1, len(self.files) // _COMPARED)
        alike = {frozenset(self.found.columns): self.files[0]}
        try:
            for file in self.files[step::step]:
                alike.setdefault(frozenset(open_source(file).columns), file)
            if len(alike) == 1:
                return []
            looked = [(file.name, preview(file, rows=1)) for file in alike.values()]
        except WorkbenchError:
            return []  # the load will say what is wrong with that file
        kinds = [
            (name, one.vendor.name if one.vendor else one.proposal.table if one.proposal else None)
            for name, one in looked
        ]
        return kinds if len({kind for _, kind in kinds}) > 1 else []

    def _propose(self) -> None:
        self.recipe = None
        super()._propose()

    def _edit(self) -> None:
        self.run.problem = self.run.notice = None  # they were about what has changed now
        super()._edit()

    def _apply(self) -> None:
        """Read the file as the chosen recipe says, or as it looks when there is none."""
        if self.recipe is None:
            self._again()
        elif self.file is not None:
            self._read_by(self.recipes[self.recipe])

    def load(self) -> None:
        """Begin to bring the files into the project; the page can be used meanwhile, and `run` tells."""
        with self.working():
            self.notice = None
            if not self.files:
                raise DataError("Choose a file first.")
            name = None if self.edited else self.recipe
            open_files = self._inbox.keep() if any(file in self._inbox for file in self.files) else ()
            self.run.start(self.project.path, self.files, self.chosen(), name, open_files)

    def stop(self) -> None:
        """Stop the load."""
        self.run.stop()

    def _came_in(self) -> None:
        """Put the loaded files away, and look over the tables again."""
        report, how = self.run.report, self.run.how
        if report is None or how is None:
            return
        with self.working():
            if self.files == self.run.files:
                self.files, self.kinds, self.recipe, self.path = [], [], None, ""
                self._begin(None)
            super().refresh()
        self.checks.refresh()
        if self.run.recipe is None and (how.mapping or how.vendor):
            self.recipes.offer(report.recipe, self.run.files[0].name)
