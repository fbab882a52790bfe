"""How the checks of a project's data went: remembered until the data, the settings or the day change.

To look over all tables takes from half a second to minutes; the home opens at once, so it looks beside that,
and once a day at most while nothing changes. How they went is noted whenever that is another than before
(`checks.jsonl`), so that it can be said later what has come to fail and what has recovered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from workbench import storage
from workbench.errors import ProjectError
from workbench.project import Project
from workbench.records import Check

FILE: Final = "checks.json"
"""In the folder of answers that may be deleted, which goes when a table changes."""
NOTED: Final = "checks.jsonl"


def remembered(project: Project) -> list[Check] | None:
    """How the checks went, failures first; None where that is not known of the data as they are."""
    try:
        kept = json.loads(_file(project).read_text(encoding="utf-8"))
        if kept["of"] != _state(project):
            return None
        return [Check.model_validate(check) for check in kept["checks"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def looked_over(project: Project) -> list[Check]:
    """Check the data, and remember how that went; what it is about is kept as a number, without examples."""
    state, found = _state(project), project.checks()
    plain = [check.model_copy(update={"examples": ()}) for check in found]
    if state == _state(project):  # nothing came in meanwhile
        _remember(project, state, plain)
    note(project, plain)
    return plain


def note(project: Project, checks: Sequence[Check]) -> None:
    """Note which checks go otherwise than when they were last noted, where the folder can be written."""
    before = noted(project, datetime.now(UTC))
    other = [check for check in checks if before.get(check.name) != check]
    if other:
        line = {"at": datetime.now(UTC).isoformat(), "checks": [one.model_dump(mode="json") for one in other]}
        with suppress(OSError), (project.path / NOTED).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def noted(project: Project, moment: datetime) -> dict[str, Check]:
    """How each check went when it was last noted before a moment, by its name."""
    found: dict[str, Check] = {}
    with suppress(OSError):
        for line in (project.path / NOTED).read_text("utf-8", "replace").splitlines():
            with suppress(ValueError, KeyError, TypeError):  # a line that a full disk cut short
                entry = json.loads(line)
                if datetime.fromisoformat(entry["at"]) <= moment:
                    checks = [Check.model_validate(check) for check in entry["checks"]]
                    found.update({check.name: check for check in checks})
    return found


def _remember(project: Project, state: str, checks: Sequence[Check]) -> None:
    kept = {"of": state, "checks": [check.model_dump(mode="json") for check in checks]}
    with suppress(OSError, ProjectError):  # a folder that cannot be written costs time later
        _file(project).parent.mkdir(exist_ok=True)
        storage.write_text(_file(project), json.dumps(kept, ensure_ascii=False))


def _file(project: Project) -> Path:
    return project.path / "cache" / FILE


def _state(project: Project) -> str:
    """All that the checks depend on."""
    zone = ZoneInfo(project.settings.timezone)
    processing = project.path / "processing.toml"
    parts = (
        project.fingerprints(*project.manifest()),
        project.settings.model_dump(mode="json", include={"timezone", "currency"}),
        processing.read_text(encoding="utf-8") if processing.is_file() else "",
        datetime.now(zone).date().isoformat(),
        metadata.version("personalization-workbench"),
    )
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
