"""The home of a project: what is known, what is out, what is new, what needs somebody, and where to go.

It opens as fast as a page: it reads what the project has stored and asks nothing of the data but where they
end. The checks of the data are remembered (`publish.data_checks`), or gone through beside the page.
"""

from __future__ import annotations

import json
import os
import shlex
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import ipywidgets
from traitlets import Bool, Instance, Int, List, Unicode

from workbench.definitions import Mute
from workbench.errors import ProjectError
from workbench.locale import Message, Texts, say
from workbench.project import Project
from workbench.publish.data_checks import looked_over, remembered
from workbench.publish.library import Library
from workbench.publish.news import News, news
from workbench.publish.publications import Publication, moved, publications
from workbench.publish.site import LESSONS, SCREENS, notebooks_folder
from workbench.publish.versions import question
from workbench.records import AnyRecord
from workbench.screens.checking import Overview, first_look
from workbench.screens.home_digest import DigestState
from workbench.screens.home_results import matching
from workbench.screens.notes import NotesState, Written, start
from workbench.screens.state import ScreenState, worded
from workbench.screens.teaming import TeamState
from workbench.settings import read_settings

_MOST_NEIGHBOURS = 20
_FIRST_RESULTS = 10
NOTES = "notes"  # where open questions are put right: further down on the home itself


@dataclass(frozen=True)
class Attention:
    """Something that somebody should look at; `way` is the screen where."""

    status: Literal["warn", "fail"]
    detail: Message
    way: str


@dataclass(frozen=True)
class Lesson:
    """A lesson: the name of its notebook, its title and what it teaches, each by language."""

    stem: str
    title: dict[str, str]
    summary: dict[str, str]


@dataclass(frozen=True)
class Neighbour:
    """Another project, and the command that serves it."""

    name: str
    command: str


class HomeState(ScreenState):
    """What a project has to say of itself.

    Attributes:
        tables: What it holds.
        findings: How the checks of the data went, failures first; None while that is not known.
        looking: Whether the data are being checked.
        pages: Its published pages, and those that were taken down.
        news: What happened last, newest first.
        search, outcome: Which results are wanted: words, and one of `library.OUTCOMES` or nothing.
        all_results: Whether all results are looked through rather than the newest.
        kept: How many results are kept.
        written: The notes on results.
        noteable: The questions that notes can be shown of.
        noted: The one of them whose notes are shown, in English.
        neighbours: Other projects that lie beside it.
        lessons: Those that come with the workbench.
    """

    tables = List(Instance(Overview))
    findings = Instance(tuple, allow_none=True)
    looking = Bool(False)
    pages = List(Instance(Publication))
    news = List(Instance(News))
    search = Unicode("")
    outcome = Unicode("")
    all_results = Bool(False)
    kept = Int(0)
    written = Instance(Written, ())
    noteable = List(Instance(Message))
    noted = Unicode(None, allow_none=True)

    def __init__(self, project: Project) -> None:
        self._work: threading.Thread | None = None
        self.lessons: Sequence[Lesson] = list(lessons())
        self.neighbours: Sequence[Neighbour] = list(neighbours(project))
        self._library = Library(project)
        self.notes = NotesState(project)
        self.digest = DigestState(project)
        self.team = TeamState(project)
        self.observe(self._pick, "noted")
        super().__init__(project)
        self.notes.observe(self._read_notes, "threads")

    def refresh(self) -> None:
        super().refresh()
        self.team.read()
        self._library = Library(self.project)
        self.written = Written(self.project.notes.threads())
        self.offer(self._library.newest(_FIRST_RESULTS))
        self.tables = list(first_look(self.project).tables) if not self.project.in_place else self._in_place()
        found = remembered(self.project) if self.tables and not self.project.in_place else None
        self.findings = None if found is None else tuple(found)
        self.kept = len(self._library)
        self.pages = publications(self.project, self._library)
        self.news = news(self.project, self._library, self.pages)

    def _in_place(self) -> list[Overview]:
        """Tables in a database: counting their rows would be a question to it."""
        return [Overview(name, 0) for name in sorted(self.project.engine.tables())]

    # --- checks of the data -----------------------------------------------------------------------------

    def watch(self) -> None:
        """Check the data beside the page where nothing is remembered; those in a database are left alone."""
        if self.findings is None and self.tables and not (self.project.in_place or self.looking):
            self.looking = True
            self._work = threading.Thread(target=self._look)
            self._work.start()

    def wait(self, seconds: float) -> None:
        """Wait until the data have been checked."""
        if self._work is not None:
            self._work.join(seconds)

    def _look(self) -> None:
        try:
            # an engine of its own: a connection is for one thread
            self.findings = tuple(looked_over(Project.open(self.project.path)))
        except Exception as error:
            self.problem = worded(error)
        self.looking = False

    # --- what is asked ----------------------------------------------------------------------------------

    def results(self, t: Texts) -> list[AnyRecord]:
        """The kept results that are wanted, newest first: all that match, or the newest where all do."""
        if self.all_results or self.search.strip() or self.outcome:
            wanted = self.search, self.outcome
            return matching(self._library.everything(), *wanted, t, self.written.words)
        return list(self._library.newest(_FIRST_RESULTS))

    def offer(self, records: Sequence[AnyRecord]) -> None:
        """Let notes be written on these results, beside what has some: open questions come first."""
        shown = [] if self.notes.about is None else [self.notes.about]
        found = [*self.written.abouts, *map(question, records), *shown]
        self.noteable = list({str(one): one for one in found}.values())
        if self.noted is None and self.noteable:
            self.noted = str(self.noteable[0])

    def _pick(self, _change: object) -> None:
        self.notes.look_at(next((one for one in self.noteable if str(one) == self.noted), None))

    def _read_notes(self, _change: object) -> None:
        with self.working():
            self.written = Written(self.project.notes.threads())

    @property
    def damaged(self) -> int:
        """How many results could not be read of those that were looked at."""
        return self._library.damaged

    def moved(self, page: Publication, t: Texts) -> list[str]:
        """What a page says otherwise than its version before."""
        return moved(self.project, page, t)

    @property
    def muted(self) -> dict[str, Mute]:
        """The alarms that are muted today."""
        with suppress(ProjectError):
            return dict(self.project.alarms)
        return {}

    def attention(self) -> list[Attention]:
        """What somebody should look at, the worst first."""
        found = list(self._attention())
        return sorted(found, key=lambda one: ("fail", "warn").index(one.status))

    def _attention(self) -> Iterator[Attention]:
        for page in self.pages:
            named: dict[str, Any] = {"title": page.title}
            if page.problem is not None and page.shown:
                yield Attention("fail", page.problem, "9-publish")
            for reason in page.behind if page.shown else ():
                yield Attention("warn", say("“{title}”: {reason}", **named, reason=reason), "9-publish")
        asked = self.written.open
        if asked:  # the oldest speaks for all, so that they do not crowd out the rest
            said: dict[str, Any] = {"who": self.project.team.called(asked[0].by), "words": start(asked[0])}
            words = say("{question}: {who} asks “{words}”", question=asked[0].about, **said)
            if len(asked) > 1:
                words = say("{n:count} questions are open; {who} asks “{words}”", n=len(asked), **said)
            yield Attention("warn", words, NOTES)
        for check in self.findings or ():
            if check.status != "ok":
                yield Attention(check.status, check.detail, "1-load-and-check")

    def lacking(self) -> dict[str, Message]:
        """Screens that can answer nothing yet → what they need."""
        there = {one.name for one in self.tables}
        files = say("load a file under Load and check")
        needs = {
            "2-segments": ({"customers", "orders"}, say("customers")),
            "3-effect-lab": ({"exposures", "outcomes", "summaries"}, say("an experiment")),
            "4-lifetime-value": ({"orders"}, say("orders")),
            "5-cohorts": ({"orders"}, say("orders")),
            "6-engagement": ({"events", "social"}, say("events or social networks")),
            "7-one-customer": (there or {"customers"}, say("customers")),
            "8-trust": (there or {"customers"}, say("data")),
        }
        found = {
            stem: say("It needs {what}: {how}.", what=what, how=files)
            for stem, (tables, what) in needs.items()
            if not tables & there
        }
        if not (self.kept or self.pages):
            found["9-publish"] = say("It needs a result that was kept, such as one of the effect lab.")
        return found


def lessons(folder: Path | None = None) -> Iterator[Lesson]:
    """The lessons in a folder of notebooks, those of the workbench by default; sorted by name."""
    for file in sorted(((folder or notebooks_folder()) / LESSONS).glob("*.ipynb")):
        try:
            said = json.loads(file.read_text(encoding="utf-8"))["metadata"]
            yield Lesson(file.stem, dict(said["titles"]), dict(said.get("summary", {})))
        except (OSError, ValueError, KeyError, TypeError):  # not a lesson
            continue


def neighbours(project: Project) -> Iterator[Neighbour]:
    """Other projects whose folders lie beside that of the project."""
    here = project.path.resolve()
    files: list[Path] = []
    with suppress(OSError):
        files = sorted(here.parent.glob("*/project.toml"))
    for file in [file for file in files if file.parent != here][:_MOST_NEIGHBOURS]:
        with suppress(ProjectError, OSError):
            command = f"workbench serve {shlex.quote(str(file.parent))} --screens"
            yield Neighbour(read_settings(file).name, command)


def show_index() -> ipywidgets.VBox:
    """The first page of a served project: its home, or the pages where only those are served."""
    if os.environ.get(SCREENS):
        from workbench import screens

        return screens.home()
    from workbench.screens.home_readers import pages_alone

    return pages_alone()
