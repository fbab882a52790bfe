"""The project that is shown: the sample shop with four published pages, the same whenever it is made."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Self
from unittest.mock import patch

from workbench import Project
from workbench.demo import EXPERIMENT, FILES, NAME, SEGMENTS, SELF_SELECTED, load_sample, samples_folder
from workbench.records import AnyRecord

MADE = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""The day after the last of the data."""
TAMPERED = "tampered"
_NOTE_THE_TIME = (
    "workbench.records.base",
    "workbench.publish.bundle",
    "workbench.protocol",
    "workbench.tables.privacy.access",
)


def make(folder: Path) -> Project:
    """The project, with its records, its pages and one page that somebody changed afterwards."""
    with _always_the_same():
        project = Project.create(
            folder / "shop", name=NAME, currency="EUR", timezone="Europe/Madrid", language="en"
        )
        load_sample(project)
        for name, rule in SEGMENTS.items():
            project.segments[name] = rule
        effect = project.effect(EXPERIMENT, "conversion", by="device")
        shown: dict[str, AnyRecord] = {
            "Effect": effect,
            "Association": project.not_random(SELF_SELECTED),
            "Lifetime value": project.lifetime_value(by=EXPERIMENT, margin=0.4),
            "Cohorts": project.cohorts(),
        }
        for file in FILES:  # to be seen where files are chosen
            shutil.copy(samples_folder() / "shop" / file, folder)
            os.utime(folder / file, (MADE.timestamp(), MADE.timestamp()))
        for title, record in shown.items():
            project.publish([record], title)
        changed = project.publish([effect], TAMPERED.capitalize()).path / f"{effect.id}.json"
    content = json.loads(changed.read_text(encoding="utf-8"))
    content["seed"] += 1
    changed.write_text(json.dumps(content), encoding="utf-8")
    return project


class _Then(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(MADE.timestamp(), tz)


@contextmanager
def _always_the_same() -> Iterator[None]:
    """Fix the id of a project, the key of its pseudonyms, and when its records and pages were made."""
    with ExitStack() as fixed:
        fixed.enter_context(patch("uuid.uuid4", lambda: uuid.UUID(int=1)))
        fixed.enter_context(patch("secrets.token_hex", lambda size: "5a" * size))
        for module in _NOTE_THE_TIME:
            fixed.enter_context(patch(f"{module}.datetime", _Then))
        yield
