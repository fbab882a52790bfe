"""Ending what is being asked, also while an engine is at work on it.

Whoever begins something long has a `Cancel` and does it `under` that. Engines say how a query of theirs is
stopped (`ending`); what computes for long asks now and then whether it is still wanted (`check`). It is known
by context and not by argument, so that everything between the two need not pass it on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, Lock

from workbench.errors import Cancelled


class Cancel(Event):
    """Set, it stops the queries that are being answered and lets none begin."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._ends: list[Callable[[], object]] = []

    def set(self) -> None:
        super().set()
        with self._lock:  # no query ends meanwhile: none but those of this work are stopped
            for end in self._ends:
                end()

    @contextmanager
    def _calling(self, end: Callable[[], object]) -> Iterator[None]:
        with self._lock:
            self._ends.append(end)
        try:
            yield
        finally:
            with self._lock:
                self._ends.remove(end)


_CURRENT: ContextVar[Cancel | None] = ContextVar("cancel", default=None)


@contextmanager
def under(cancel: Cancel) -> Iterator[None]:
    """What is asked in this block ends when `cancel` is set; copy the context for threads of your own."""
    token = _CURRENT.set(cancel)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def check() -> None:
    """Go no further when nobody wants it any more.

    Raises:
        Cancelled: when that is so.
    """
    cancel = _CURRENT.get()
    if cancel is not None and cancel.is_set():
        raise Cancelled("Stopped.")


@contextmanager
def ending(end: Callable[[], object]) -> Iterator[None]:
    """Answer a query in this block; `end` stops it, from another thread, and raises nothing.

    Raises:
        Cancelled: when it was stopped, or is not wanted in the first place.
    """
    cancel = _CURRENT.get()
    if cancel is None:
        yield
        return
    with cancel._calling(end):
        check()  # only now: one that is set from here on calls `end`
        try:
            yield
        except Exception:
            check()
            raise
