"""Everything a person can do wrong, each in one clear sentence: what, where, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.locale import Message, say


class WorkbenchError(Exception):
    """A mistake or a missing thing that a person can put right; its text is shown as it stands.

    Attributes:
        message: What is wrong, where, and what to do, before it is put into a language.

    >>> str(WorkbenchError("{file} has no rows.", file="a.csv"))
    'a.csv has no rows.'
    """

    def __init__(self, text: str | Message, **values: Any) -> None:
        self.message = text if isinstance(text, Message) else Message(text, values)
        super().__init__(str(self.message))


class ProjectError(WorkbenchError):
    """The project folder is missing, is not one, cannot be written, or is damaged."""


class DataError(WorkbenchError):
    """A file or a table cannot be read, or lacks what the question needs."""


class RuleError(WorkbenchError):
    """A segment rule does not parse or names a column that does not exist."""


class ModelError(WorkbenchError):
    """A model cannot be computed from these data, or its result fails its own diagnostics."""


class Cancelled(WorkbenchError):  # noqa: N818 - it is a wish, not a mistake
    """Somebody stopped what was going on."""


class Tampered(ProjectError):  # noqa: N818 — a state of a page, raised to be told to its reader
    """A version that is not what was published."""


def check_choice(value: str, choices: Iterable[str], what: Message) -> str:
    """Return `value` when it is one of `choices`.

    Raises:
        WorkbenchError: naming `what` was asked for and the choices there are.

    >>> check_choice("day", ["event", "unit"], say("grain"))
    Traceback (most recent call last):
    workbench.errors.WorkbenchError: There is no grain “day”; choose one of: event, unit.
    """
    known = list(choices)
    if value not in known:
        raise WorkbenchError(
            "There is no {what} “{value}”; choose one of: {known}.",
            what=what,
            value=value,
            known=", ".join(known),
        )
    return value


def check_between(
    value: float, low: float, high: float, what: Message, *, open_low: bool = False, open_high: bool = False
) -> float:
    """Return `value` when it lies between `low` and `high`; `open_` ends exclude the end itself.

    Raises:
        WorkbenchError: naming `what`, the value and the range.

    >>> check_between(0.95, 0, 1, say("level"), open_low=True, open_high=True)
    0.95
    >>> check_between(95, 0, 1, say("level"), open_high=True)
    Traceback (most recent call last):
    workbench.errors.WorkbenchError: The level is 95; it has to be at least 0 and below 1.
    """
    above = value > low if open_low else value >= low
    below = value < high if open_high else value <= high
    if not (above and below):
        raise WorkbenchError(
            "The {what} is {value:plain}; it has to be {least} and {most}.",
            what=what,
            value=value,
            least=say("above {end:plain}", end=low) if open_low else say("at least {end:plain}", end=low),
            most=say("below {end:plain}", end=high) if open_high else say("at most {end:plain}", end=high),
        )
    return value
