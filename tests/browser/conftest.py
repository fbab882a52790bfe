"""A real browser, published pages and a JupyterLab for it to open; every address outside is blocked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.servers import jupyterlab
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
LOCAL = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; without one the tests fail, they are never left out."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        names = ("chromium", "chromium-browser", "google-chrome")
        found = [os.environ.get("CHROMIUM"), *map(shutil.which, names), playwright.chromium.executable_path]
        program = next((path for path in found if path and Path(path).exists()), None)
        if program is None:
            pytest.fail("There is no Chromium for the browser tests: run `make browser`.", pytrace=False)
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """An empty tab, 1280 wide, in English. A JavaScript error, or a request to the outside, fails the test.

    `page.outside` lists the outside addresses asked for so far.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    tab = context.new_page()
    tab.outside, errors = [], []

    def block(route: Any) -> None:
        tab.outside.append(route.request.url)
        route.abort()

    context.route(lambda url: not url.startswith(LOCAL), block)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    context.close()
    assert not errors
    assert tab.outside == []


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
