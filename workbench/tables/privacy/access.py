"""Who did what with people's data, and when: `access.jsonl`, to which lines are only ever added."""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from workbench import storage
from workbench.errors import ProjectError

Action = Literal["load", "read", "export", "erase", "publish", "consent purpose"]


@dataclass(frozen=True)
class Access:
    """One entry.

    Attributes:
        time: When (ISO 8601, UTC).
        user: Who, as the operating system calls them.
        action: What.
        person: The `erasure.erased_mark` of whom it is about, if it is about one person.
        details: What else there is to say.
    """

    time: str
    user: str
    action: Action
    person: str | None
    details: Mapping[str, Any]


class AccessLog:
    """The access log of a project; any number of processes may add to it at once.

    Args:
        project: The project's folder.
    """

    def __init__(self, project: Path) -> None:
        self._file = project / "access.jsonl"

    def add(self, action: Action, *, person: str | None = None, **details: str | int | list[str]) -> None:
        """Add one line, in one write, so that lines of several processes do not mix.

        Args:
            action: What is done.
            person: `erased_mark` of whom it is about; never an id or a pseudonym.
            details: What else should be known; nothing that names a person.

        Raises:
            ProjectError: when it cannot be written; what cannot be logged should not happen.
            ValueError: when `person` is no mark.
        """
        if person is not None and not re.fullmatch("[0-9a-f]{64}", person):
            raise ValueError("a person is named by their mark in the log")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = {"time": now, "user": user(), "action": action, "person": person, "details": details}
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        with storage.disk_errors(self._file):
            handle = os.open(self._file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                if not _ends_in_a_line(handle):
                    line = b"\n" + line  # what a full disk cut short must not spoil this line too
                if os.write(handle, line) < len(line):
                    raise ProjectError("The disk is full: nothing can be logged; make room and try again.")
                os.fsync(handle)
            finally:
                os.close(handle)

    def entries(self) -> tuple[list[Access], int]:
        """What was logged, oldest first, and how many lines are damaged."""
        try:
            lines = self._file.read_bytes().splitlines()
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            raise ProjectError(
                "{path} cannot be read: {reason}.", path=str(self._file), reason=error.strerror or str(error)
            ) from error
        read = [_entry(line) for line in lines if line.strip()]
        good = [entry for entry in read if entry is not None]
        return good, len(read) - len(good)


def _entry(line: bytes) -> Access | None:
    try:
        entry = Access(**json.loads(line))
    except (ValueError, TypeError):
        return None
    return entry if entry.action in get_args(Action) else None


def _ends_in_a_line(handle: int) -> bool:
    if os.lseek(handle, 0, os.SEEK_END) == 0:
        return True
    os.lseek(handle, -1, os.SEEK_END)
    return os.read(handle, 1) == b"\n"


def user() -> str:
    """The operating system's name for whoever runs this; a number where it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for the number: usual in containers
        return str(os.getuid()) if hasattr(os, "getuid") else "?"
