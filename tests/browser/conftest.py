"""A real browser, published pages and a JupyterLab for it to open; every address outside is blocked."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.servers import jupyterlab, new_tab
from tools.browser import find
from workbench.publish.serve import Server, serving

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parents[1] / "notebooks"
ARGUMENTS = [
    "--no-sandbox",  # containers have no user namespaces
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; without one the tests fail, they are never left out."""
    from playwright.sync_api import sync_playwright

    program = find()
    if program is None:
        pytest.fail(
            "There is no Chromium for these tests: `python -m tools.browser` installs one.", pytrace=False
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """An empty tab, 1280 wide, in English. A JavaScript error, or a request to the outside, fails the test.

    `page.outside` lists the outside addresses asked for so far.
    """
    with new_tab(browser) as tab:
        yield tab


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
