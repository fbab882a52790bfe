"""Contents of pages that are made before readers come, once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from workbench.locale import Texts

_ready: dict[tuple[Any, ...], tuple[Any, Any]] = {}
_keeping = False


@contextmanager
def keeping() -> Iterator[None]:
    """While the block runs, what is made is kept for the rest of the process; what was kept before goes."""
    global _keeping
    _ready.clear()
    _keeping = True
    try:
        yield
    finally:
        _keeping = False


def made_once[R, C](make: Callable[..., C]) -> Callable[..., C]:
    """`make(record, t, trust_first=…)`, which does not make again what was kept of the same record.

    A record is the same if it is the same object: it is frozen, and kept beside what was made of it.
    """

    @wraps(make)
    def made(record: R, t: Texts, *, trust_first: bool = False) -> C:
        key = (make, id(record), t.language, t.currency, trust_first)
        if key in _ready:
            content: C = _ready[key][1]
            return content
        content = make(record, t, trust_first=trust_first)
        if _keeping:
            _ready[key] = (record, content)
        return content

    return made
