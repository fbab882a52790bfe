"""Work that may take long, beside the page: how far it is, how long yet, a way to end it.

A question is asked in a thread. The page waits for it for a moment, so that what is quick is answered at
once and by one redraw; after that the page goes on, shows how far the work is, and takes the answer when it
comes. All that the work does to a page is done where the page's own events are (`Turn.show`), never in the
thread itself. Where no page can go on meanwhile, in a script or a test, it is done at once.

Only the last work counts: a new one ends the one before, whose answer is no longer taken.
"""

from __future__ import annotations

import asyncio
import math
import queue
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from traitlets import Bool, Float, HasTraits, Instance

from workbench.engines import cancelling
from workbench.errors import Cancelled
from workbench.locale import Message, say

PATIENCE = 0.7  # seconds that a page waits for an answer
_HASTE = 0.1  # the same, where the question before was given up for this one
_EVERY = 1.0  # seconds between two looks at the clock
_STEP = 0.005  # of the share; finer steps only make the page work
_SURE = 2.0  # seconds after which a share says how long it takes
_LEAST = 0.02  # of the share, for the same

type Do = Callable[[Turn], Any]
type Done = Callable[[Any, Exception | None], None]


class Work(HasTraits):
    """What goes on beside a page.

    Attributes:
        active: Whether something is going on.
        long: Whether it goes on for so long already that the page should tell.
        stopping: Whether somebody wants it to end and it has not yet.
        share: The share that is done; None where nobody knows.
        doing: What it does now, in words; None where that goes without saying.
        clock: How long it has taken, how long it still takes, as far as that is known.
        usual: How many seconds such work took last time; None where nobody knows.
        ends: Whether it can be stopped.
    """

    active = Bool(False)
    long = Bool(False)
    stopping = Bool(False)
    share = Float(None, allow_none=True)
    doing = Instance(Message, allow_none=True)
    clock = Instance(Message, allow_none=True)
    usual = Float(None, allow_none=True)
    ends = Bool(True)

    def __init__(self) -> None:
        super().__init__()
        self._turn: Turn | None = None
        self._thread: threading.Thread | None = None
        self._seen = True
        self._haste = False
        self.seconds = 0.0
        """How long what was done last has taken."""
        self._lock = threading.RLock()  # for work beside a script, whose thread does what it does by itself

    def begin(self, do: Do, done: Done, *, patience: float = PATIENCE, thread: bool = False) -> None:
        """Do something; what was going on ends, and nothing comes of it.

        Args:
            do: Does it, in a thread, `under` the `cancel` of the turn that it is given.
            done: Takes what came of it, or the error.
            patience: Seconds for which the caller waits for it.
            thread: Whether it is done beside the caller even where there is no page that could go on.
        """
        self.drop()
        loop = on_a_page()
        if self._haste:
            patience = min(patience, _HASTE)
        turn = self._turn = Turn(self, do, done, loop)
        self.share = self.doing = self.clock = None
        self.active, self.stopping = True, False
        if loop is None and not thread:
            turn.run()
            return
        self._thread = threading.Thread(target=copy_context().run, args=(turn.run,), daemon=True)
        self._thread.start()
        if loop is not None:
            turn.wait(patience)
            if turn is self._turn:
                self.long = True
                self._look(turn)
        else:
            self.long = True

    def stop(self) -> None:
        """Ask it to end; what came of it is told when it has, as of any error: `Cancelled`."""
        if self._turn is not None and not self.stopping:
            self.stopping = True
            self._turn.cancel.set()

    def drop(self) -> None:
        """End it; nothing comes of it."""
        with self._lock:
            if self._turn is not None:
                turn, self._turn = self._turn, None
                turn.cancel.set()
                self._haste = self.long
                self._rest()

    def wait(self, seconds: float) -> None:
        """Wait until what is going on, if anything, has ended."""
        if self._thread is not None:
            self._thread.join(seconds)

    # --- the page ---------------------------------------------------------------------------------------

    def unseen(self) -> None:
        """Say that a page is being made: what it would be told before it is on screen may never reach it."""
        self._seen = False

    def seen(self) -> None:
        """Say that the page is on screen."""
        self._seen = True
        if self._turn is not None:
            self._turn.drain()

    # --- inside -----------------------------------------------------------------------------------------

    def _rest(self) -> None:
        self.active = self.long = self.stopping = False

    def _ended(self, turn: Turn, found: Any, error: Exception | None) -> None:
        self.seconds, self._turn, self._haste = turn.seconds, None, False
        try:
            turn.done(found, error)
        finally:
            if self._turn is None:  # nothing else was begun
                self._rest()

    def _told(self, share: float | None, doing: Message | None) -> None:
        self.doing = doing or self.doing
        self.share = self.share if share is None else min(1.0, max(0.0, share))

    def _look(self, turn: Turn) -> None:
        if turn is self._turn:
            self.clock = time_left(turn.seconds, turn.pace, self.share, self.usual)
            assert turn.loop is not None
            turn.loop.call_later(_EVERY, self._look, turn)


class Turn:
    """One piece of work, as its thread sees it.

    Attributes:
        cancel: Set once nobody wants it any more.
        loop: Where the events of the page are; None where there is no page.
    """

    def __init__(self, work: Work, do: Do, done: Done, loop: asyncio.AbstractEventLoop | None) -> None:
        self.cancel = cancelling.Cancel()
        self.loop = loop
        self.done = done
        self._work, self._do = work, do
        self._posts: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._begun = time.monotonic()
        self._share = 0.0
        self._first: tuple[float, float] | None = None  # when a share was known first, and which

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._begun

    @property
    def pace(self) -> float | None:
        """Share a second, since there is one: what comes before, such as getting ready, is not repeated."""
        if self._first is None:
            return None
        seconds, share = self.seconds - self._first[0], self._share - self._first[1]
        return share / seconds if seconds >= _SURE and share >= _LEAST else None

    def began(self, seconds: float) -> None:
        """Say that it was begun before, by another page."""
        self._begun -= seconds

    @property
    def closed(self) -> bool:
        """Whether the page is gone."""
        return self.loop is not None and self.loop.is_closed()

    def tell(self, share: float | None = None, doing: Message | None = None) -> None:
        """Say how far it is.

        Args:
            share: The share that is done, between 0 and 1.
            doing: What is done now, in words.
        """
        if share is not None:
            if doing is None and share < 1 and share - self._share < _STEP:
                return
            self._share = share
            if share > 0 and self._first is None:
                self._first = self.seconds, share
        self.show(lambda: self._work._told(share, doing))

    def show(self, change: Callable[[], None]) -> None:
        """Have something changed on the page, unless something else is wanted by now."""
        self._post(lambda: change() if self._work._turn is self else None)

    def run(self) -> None:
        """Do it, and say what came of it."""
        found, error = None, None
        try:
            with cancelling.under(self.cancel):
                found = self._do(self)
        except Exception as caught:
            error = Cancelled("Stopped.") if self.cancel.is_set() else caught
        outcome = found, error
        self.show(lambda: self._work._ended(self, *outcome))

    def _post(self, what: Callable[[], None]) -> None:
        if self.loop is None:
            with self._work._lock:
                what()
            return
        self._posts.put(what)
        try:
            self.loop.call_soon_threadsafe(self.drain)
        except RuntimeError:  # the page is gone
            return

    def wait(self, seconds: float) -> None:
        """Do what is posted, until it has ended or that time is over."""
        end = time.monotonic() + seconds
        while self._work._turn is self and (left := end - time.monotonic()) > 0:
            try:
                self._posts.get(timeout=left)()
            except queue.Empty:
                return

    def drain(self) -> None:
        """Do what was posted, once there is a page to be told."""
        while self._work._seen and not self._posts.empty():
            self._posts.get()()


def time_left(seconds: float, pace: float | None, share: float | None, usual: float | None) -> Message:
    """How long it still takes, as far as that is known; else how long it has taken.

    Args:
        seconds: How long it has taken so far.
        pace: Share a second; None where it is not known.
        share: The share that is done; None where it is not known.
        usual: Seconds that it took last time; None where nobody knows.

    >>> time_left(30, 0.01, 0.25, None).text
    'about {left} left'
    """
    if share is not None and pace is not None:
        return say("about {left} left", left=duration((1 - share) / pace))
    minutes, rest = divmod(max(1, round(seconds)), 60)
    so_far = say("{n:count} s", n=rest)
    if minutes:
        so_far = say("{clock} min", clock=f"{minutes}:{rest:02}")
    if usual is not None:
        return say("{time} so far; it took {usual} last time", time=so_far, usual=duration(usual))
    return say("{time} so far", time=so_far)


def duration(seconds: float) -> Message:
    """A stretch of time that is not known exactly, rounded up, the coarser the longer it is.

    >>> [duration(seconds).values["n"] for seconds in (3.2, 23, 41, 95, 340)]
    [5, 25, 50, 2, 6]
    """
    step = 5 if seconds < 30 else 10
    whole = max(1, math.ceil(seconds / step)) * step
    return say("{n:count} s", n=whole) if whole < 60 else say("{n:count} min", n=math.ceil(whole / 60))


def on_a_page() -> asyncio.AbstractEventLoop | None:
    """Where the events of the page are that could go on meanwhile; None in a script or a test."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
