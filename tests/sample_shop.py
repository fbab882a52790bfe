"""The sample shop as a project, for tests of what people see: loaded once, copied for each who asks."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from workbench import Project
from workbench.demo import load_sample
from workbench.storage import TEMPORARY

EXPERIMENT, OFFERS = "personalised-home", "personalised-offers"


def make(folder: Path) -> Project:
    """The sample shop with a segment and three kept results."""
    return copy(_loaded(), folder)


@cache
def _loaded() -> Project:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    project = Project.create(folder / "shop", name="Sample shop", timezone="Europe/Madrid")
    load_sample(project)
    project.segments["loyal"] = "orders_12m >= 2"
    project.effect(EXPERIMENT, "conversion", by="device")
    project.effect(OFFERS, "revenue")
    project.lifetime_value(by=EXPERIMENT)
    return project


def copy(project: Project, folder: Path) -> Project:
    """A copy that a test may change, without what is being written at this moment."""
    shutil.copytree(project.path, folder, ignore=shutil.ignore_patterns("*" + TEMPORARY))
    return Project.open(folder)
