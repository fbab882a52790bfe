"""Published pages and a JupyterLab for a browser to open."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.servers import jupyterlab
from workbench.publish.serve import Server, serving

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parents[1] / "notebooks"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def publish() -> Iterator[Callable[..., Server]]:
    """`publish(folder, env=None)` serves a folder of notebooks until the tests end."""
    with ExitStack() as servers:
        yield lambda folder, env=None: servers.enter_context(serving(folder, env=env))


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], str]]:
    """`laboratory(folder)` runs a JupyterLab on a copy of the folder, since it saves what it runs."""
    with ExitStack() as servers:

        def start(folder: Path) -> str:
            private = tmp_path_factory.mktemp("lab")
            notebooks = shutil.copytree(folder, private / "notebooks")
            return servers.enter_context(jupyterlab(notebooks, private))

        yield start


@pytest.fixture(scope="session")
def lab_url(laboratory: Callable[[Path], str]) -> str:
    """Where a JupyterLab runs on a copy of the workbench's own notebooks."""
    return laboratory(NOTEBOOKS)
