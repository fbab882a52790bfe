"""A folder for the server: the index, the notebook that shows any published page, and the screens and lessons
where they are wanted."""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.folder import ENVIRONMENT
from workbench.project import Project
from workbench.publish.links import Links
from workbench.publish.page import PUBLISHED
from workbench.publish.serve import HOST, Entry, Server, serve, serving

SCREENS = "WORKBENCH_SCREENS"
LESSONS = "lessons"
"""The folder of lessons, among the notebooks and among the pages that are served."""
BY_HAND = "by-hand"
_PAGE = """
from workbench.publish.guard import guarded
from workbench.publish.page import show_page
guarded(show_page())
""".strip()


def notebooks_folder() -> Path:
    """Where the screens' notebooks are: in the repository, or in the installed package."""
    package = Path(__file__).parents[1]
    for folder in (package.parent / "notebooks", package / "notebooks"):
        if folder.is_dir():
            return folder
    raise WorkbenchError("The notebooks of the screens are missing; install the workbench again.")


def build(project: Project, site: Path, *, screens: bool) -> Mapping[str, str]:
    """Write the notebooks of a project's pages into `site`.

    Returns:
        What the pages' kernels need in their environment.
    """
    _notebook(site / "index.ipynb", "from workbench.screens.home_state import show_index\nshow_index()")
    _notebook(site / "page.ipynb", _PAGE)
    env = {PUBLISHED: str((project.path / "published").resolve())}
    if not screens:
        return env
    names = _copy(notebooks_folder(), site)
    _copy(notebooks_folder() / LESSONS, site / LESSONS)
    return {**env, SCREENS: " ".join(names), ENVIRONMENT: str(project.path.resolve())}


@contextmanager
def serving_project(
    project: Project, *, port: int = 0, screens: bool = False, address: str = "/", links: bool = False
) -> Iterator[Server]:
    """Serve a project's pages while the block runs; for `links`, the analyst's token is in no file."""
    with tempfile.TemporaryDirectory(prefix="workbench-site-") as folder:
        env = build(project, Path(folder), screens=screens)
        entry, _ = _entry(project, address, links)
        with serving(Path(folder), port, env, entry=entry) as server:
            yield server


def serve_project(
    project: Project,
    *,
    port: int,
    screens: bool,
    ready: Callable[[str, Mapping[str, str | None]], None],
    open_browser: bool = False,
    address: str = "/",
    links: bool = False,
) -> None:
    """Serve a project's pages until the process is interrupted.

    Args:
        project: The project.
        port: Where to listen.
        screens: Whether the analyst's screens are served as well.
        ready: Called with the address of the first page, and with the link of each published page where they
            need one (None: it was taken back).
        open_browser: Open the first page once it is there.
        address: Where readers find the pages (see `Entry`).
        links: Whether a page opens by its link only.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-site-") as folder:
        env = build(project, Path(folder), screens=screens)
        entry, offered = _entry(project, address, links, port)

        def tell(url: str) -> None:
            shown = address if "://" in address else url
            ready(f"{shown}?token={entry.analyst}" if links else shown, offered)

        serve(Path(folder), port=port, open_browser=open_browser, env=env, entry=entry, ready=tell)


def _entry(
    project: Project, address: str, links: bool, port: int = 0
) -> tuple[Entry, Mapping[str, str | None]]:
    """Who comes in, and the links they come by."""
    published = project.path / "published"
    entry = Entry(address, published)
    if not links:
        return entry, {}
    slugs = [place.parent.name for place in sorted(published.glob("*/versions"))]
    whole = address if "://" in address else f"http://{HOST}:{port}{address}"
    offered = Links(project.path).offer(slugs, whole)
    return Entry(address, published, project.path, secrets.token_urlsafe(32)), offered


def _copy(folder: Path, site: Path) -> list[str]:
    """Copy the notebooks of a folder as pages; their names without the ending, in order."""
    names = []
    for file in sorted(folder.glob("*.ipynb")):
        content = json.loads(file.read_text(encoding="utf-8"))
        # the analysis by hand is for people who read code; a page would run it for nothing
        content["cells"] = [
            cell for cell in content["cells"] if BY_HAND not in cell["metadata"].get("tags", [])
        ]
        site.mkdir(exist_ok=True)
        (site / file.name).write_text(json.dumps(content), encoding="utf-8")
        names.append(file.stem)
    return names


def _notebook(path: Path, code: str) -> None:
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "page",
        "metadata": {},
        "outputs": [],
        "source": code,
    }
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {
        "cells": [cell],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(content), encoding="utf-8")
