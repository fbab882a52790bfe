"""What a screen finds again when it is opened once more: how it was left, and answers that took long.

Both lie in the project's folder, both may be deleted. `screens/` has one file a screen, with what was asked
there last and is other than usual; only the analyst's screens write it, and none that asks about one person.
Answers lie in `cache/` under the hash of all they depend on: what was asked, tables, definitions, packages.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from workbench import storage
from workbench.errors import ProjectError
from workbench.project import Project
from workbench.records import AnyRecord, from_json, package_versions

LONG = 1.0  # seconds after which an answer is worth finding again
_DEFINITIONS = ("*.toml", "*.json", "protocols/*.json", "scores/*.json")
_NONE_OF_THEM = ("looks.json", "alarms.json", "scores.json", "team.toml")  # no answer depends on them


class LastAsked:
    """What a screen was asked last.

    Args:
        project: The project's folder.
        screen: The name of the screen's state.

    Attributes:
        asked: Trait → value, of those that are other than usual.
        seconds: How long it took last time, where that was long, by what was done.
    """

    def __init__(self, project: Path, screen: str) -> None:
        self._file = project / "screens" / f"{screen.removesuffix('State').lower()}.json"
        self._writing = threading.Lock()
        self.asked: dict[str, Any] = {}
        self.seconds: dict[str, float] = {}
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"), object_hook=_from_plain)
            self.asked, self.seconds = dict(found["asked"]), dict(found["seconds"])
        except (OSError, ValueError, KeyError, TypeError):  # there is none, or none that can be read
            pass
        self._written = self.asked, dict(self.seconds)

    def took(self, what: str, seconds: float) -> None:
        """Note how long something took; `write` keeps it."""
        if seconds > LONG:
            self.seconds[what] = round(seconds, 1)

    def write(self, asked: Mapping[str, Any]) -> None:
        """Note what was asked, beside the page; a folder that cannot be written forgets it."""
        self.asked = dict(asked)
        if self._written != (self.asked, self.seconds):
            self._written = self.asked, dict(self.seconds)
            threading.Thread(target=self._write, daemon=True).start()

    def _write(self) -> None:
        with self._writing:  # whoever comes last writes what was asked last
            content = {"asked": self.asked, "seconds": self.seconds}
            try:
                self._file.parent.mkdir(exist_ok=True)
                storage.write_text(self._file, json.dumps(content, default=_as_plain, indent=1))
            except (OSError, ProjectError):
                return


def _as_plain(value: Any) -> Any:
    if isinstance(value, date):
        return {"day": value.isoformat()}
    raise TypeError(value)


def _from_plain(found: dict[str, Any]) -> Any:
    return date.fromisoformat(found["day"]) if found.keys() == {"day"} else found


class Answers:
    """Records that took long to make, by what was asked.

    Nothing is found in a project whose tables are somebody else's: they may change without a word.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._folder = project.path / "cache"

    def get(self, asked: Any) -> AnyRecord | None:
        """The answer to these settings, as it would be made now; None where it has to be made."""
        if self._project.in_place:
            return None
        try:
            record = from_json(self._place(asked).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        content = record.model_copy(update={"id": ""})
        content.model_post_init(None)
        return record if content.id == record.id else None  # it is as it was written

    def add(self, asked: Any, record: AnyRecord) -> None:
        """Keep an answer; a folder that cannot be written costs time later, not the answer."""
        if self._project.in_place:
            return
        try:
            self._folder.mkdir(exist_ok=True)
            storage.write_text(self._place(asked), record.model_dump_json())
        except (OSError, ProjectError):
            return

    def _place(self, asked: Any) -> Path:
        return self._folder / f"answer-{self.name(asked)}.json"

    def name(self, asked: Any) -> str:
        """The hash of all that the answer to these settings depends on."""
        question = hashlib.sha256()
        known = {"asked": type(asked).__name__, "packages": package_versions()}
        question.update(json.dumps(known, sort_keys=True).encode())
        question.update(asked.model_dump_json(exclude={"looks"}).encode())
        folder = self._project.path
        for file in sorted(file for pattern in _DEFINITIONS for file in folder.glob(pattern)):
            if file.name not in _NONE_OF_THEM:
                question.update(f"\0{file.relative_to(folder)}\0".encode())
                question.update(file.read_bytes())
        return question.hexdigest()[:32]
