"""The kept results of a project, what did not work as much as what did, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, get_args

from workbench.errors import ProjectError
from workbench.locale import Message, say
from workbench.records import AnyRecord, EffectRecord, ValueRecord

if TYPE_CHECKING:
    from workbench.project import Project

Outcome = Literal["adopt", "drop", "keep_measuring", "withheld", "association", "described"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
SIGNS: Final[dict[Outcome, str]] = {
    "adopt": "✓",
    "drop": "✕",
    "keep_measuring": "…",
    "withheld": "▲",
    "association": "≈",
    "described": "●",
}


def outcome(record: AnyRecord) -> Outcome:
    """What became of a question."""
    if record.failed:
        return "withheld"
    if isinstance(record, EffectRecord):
        return "association" if record.outcome == "describe" else record.outcome
    if isinstance(record, ValueRecord):
        associated = any(item.word == "association" for item in record.summary.differences)
        return "association" if associated else "described"
    return "association" if record.summary.word == "association" else "described"


def outcome_name(found: Outcome) -> Message:
    """What a reader calls it."""
    names = {
        "adopt": say("Adopt"),
        "drop": say("Drop"),
        "keep_measuring": say("Keep measuring"),
        "withheld": say("Withheld"),
        "association": say("Association"),
        "described": say("Description"),
    }
    return names[found]


class Library:
    """The kept results, newest first; each is read once, when it is first asked for.

    Attributes:
        damaged: How many of those that were asked for cannot be read.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._ids = list(project.records)
        self._read: list[AnyRecord] = []
        self._next = 0
        self.damaged = 0

    def __len__(self) -> int:
        return len(self._ids)

    def newest(self, most: int) -> Sequence[AnyRecord]:
        """The `most` newest."""
        while len(self._read) < most and self._more():
            pass
        return self._read[:most]

    def since(self, moment: datetime) -> Iterator[AnyRecord]:
        """Those that were kept after a moment, newest first."""
        place = 0
        while place < len(self._read) or self._more():
            if place == len(self._read):  # the next one is damaged
                continue
            if self._read[place].created <= moment:
                return
            yield self._read[place]
            place += 1

    def everything(self) -> Sequence[AnyRecord]:
        """All of them."""
        return self.newest(len(self._ids))

    def _more(self) -> bool:
        """Read the next one; False when there is none."""
        if self._next == len(self._ids):
            return False
        self._next += 1
        try:
            self._read.append(self._project.records[self._ids[self._next - 1]])
        except ProjectError:
            self.damaged += 1
        return True
