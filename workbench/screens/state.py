"""What every screen's state has: a project, what is going on, and one place where errors end.

A state holds no widget. It takes plain values, asks the project, and keeps what came back; a view binds
widgets to it, a test drives it without any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from traitlets import Bool, HasTraits, Instance
from traitlets.log import get_logger

from workbench.analyses.experiment import SEGMENTS
from workbench.engines import has, span, table
from workbench.errors import WorkbenchError
from workbench.locale import Message, say
from workbench.project import Project
from workbench.screens.work import Turn, Work


class Guarded(HasTraits):
    """Something that does things which may fail.

    Attributes:
        busy: Whether something is being done.
        problem: What went wrong last, and what to do; None when nothing did.
        notice: What was done last.
    """

    busy = Bool(False)
    problem = Instance(Message, allow_none=True)
    notice = Instance(Message, allow_none=True)

    def __init__(self) -> None:
        super().__init__()
        self.work = Work()
        self._working = False
        self._waiting = False
        self._taken: Callable[[Any], None] = lambda _: None

    @contextmanager
    def working(self) -> Iterator[None]:
        """Do something that may fail: `busy` meanwhile, `problem` afterwards. Nothing is raised to a page."""
        if self._working:  # a part of something that is being done: its errors end there
            yield
            return
        self.busy = self._working = True
        problem = None
        try:
            yield
        except Exception as error:
            problem = worded(error)
        finally:
            self._working = False
            self.problem = problem
            self.busy = self._waiting

    def wait_for[T](
        self,
        do: Callable[[Turn], T],
        take: Callable[[T | None], None],
        *,
        usual: float | None = None,
        ends: bool = True,
    ) -> None:
        """Do what may take long; `busy` until it is done, and the page can be used if that is not soon.

        Args:
            do: Does it, in a thread.
            take: Takes what came of it; None when it failed, and `problem` then says why.
            usual: How many seconds it took last time, as far as that is known.
            ends: Whether it can be stopped without a trace.
        """

        def done(found: T | None, error: Exception | None) -> None:
            self._waiting = False
            with self.working():
                take(found)
                if error is not None and not self.mended(error):
                    raise error

        self.busy = self._waiting = True
        self._taken = take
        self.work.usual, self.work.ends = usual, ends
        self.work.begin(do, done)

    def mended(self, error: Exception) -> bool:
        """Whether something else is done where this went wrong, so that nobody need know."""
        return False

    def drop(self) -> None:
        """End what is being done; nothing comes of it."""
        self.work.drop()
        self._waiting = False
        self.busy = self._working

    def stop(self) -> None:
        """End what `wait_for` waits for, as somebody wants it to; what was asked has no answer then."""
        if self._waiting:
            self.drop()
            self._taken(None)
            self.problem, self.notice = None, say("Stopped.")


class ScreenState(Guarded):
    """A screen without its widgets.

    Attributes:
        ways: Screens that can put right what is missing.
        missing: What has to be there before the screen can answer anything; None when it is there.
        ready: Whether the project could be read.
        until: The last moment of the project's data.
    """

    ways: tuple[str, ...] = ("1-load-and-check",)

    missing = Instance(Message, allow_none=True)
    ready = Bool(False)
    until = Instance(datetime, allow_none=True)

    def __init__(self, project: Project) -> None:
        super().__init__()
        self.project = project
        with self.working():
            self.refresh()
            self.ready = True

    def refresh(self) -> None:
        """Look again at what the project holds."""
        last = last_second(self.project)
        self.until = None if last is None else datetime.fromtimestamp(last, UTC)

    def answer(self) -> None:
        """Ask the project again, on screens that ask it anything."""

    @property
    def is_new(self) -> bool:
        """Whether the project holds no data: only then is the sample offered, which is never mixed in."""
        return not self.project.in_place and not self.project.manifest()

    def load_sample(self) -> None:
        """Put the sample shop into the project."""
        from workbench.demo import load_sample

        def load(_turn: Turn) -> bool:
            load_sample(self.project)
            return True

        def take(loaded: bool | None) -> None:
            if loaded:
                self.notice = say("The sample shop has been loaded.")
                self.refresh()
                self.answer()

        self.wait_for(load, take, ends=False)


def worded(error: Exception) -> Message:
    """What a page says of an error.

    What the person can put right has its own sentence. Anything else is a fault of ours: the page names its
    kind, the log has the rest.
    """
    if isinstance(error, WorkbenchError):
        return error.message
    get_logger().error("a screen failed", exc_info=error)
    return say(
        "Something went wrong that should not ({kind}). What you had is as it was; try again, and if it "
        "happens again, tell whoever looks after this workbench.",
        kind=type(error).__name__,
    )


def last_second(project: Project) -> int | None:
    """The last moment of the project's data, in seconds since 1970."""
    seconds = span(project.engine, "orders", "events", "exposures")
    return seconds[1] if seconds else None


def groups(project: Project, table_name: str = "customers") -> list[str]:
    """Columns by which people can be told apart: text and yes or no, no identifier and no time."""
    if not has(project.engine, table_name):
        return []
    fixed = {"customer_id", "experience_id", "variant", "metric", "kind"}
    schema: dict[str, Any] = dict(table(project.engine, table_name).schema().items())
    return [
        name
        for name, kind in schema.items()
        if name not in fixed and (kind.is_string() or kind.is_boolean() or kind.is_integer())
    ]


def splits(project: Project) -> list[str]:
    """What people can be split by: columns of customers, all saved segments together, and each of them."""
    saved = list(project.segments)
    return [*groups(project), *([SEGMENTS] if saved else []), *saved]
