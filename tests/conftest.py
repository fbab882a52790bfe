"""What holds for every test: nothing here needs, or may use, another computer."""

from __future__ import annotations

import gc
import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.servers import new_tab
from tools.browser import find

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


APART = ("engines", "sampling", "long")
"""Marks of tests that are left out unless they are asked for (`make test-engines` and so on)."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = str(config.getoption("-m"))
    apart = [name for name in APART if name not in asked]
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in apart)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    gc.freeze()  # what was imported stays, and need not be looked through again and again
    gc.set_threshold(50_000, 20, 20)


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):  # a socket file
        return True
    if address[0] in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def keys_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the keys of the tests' projects away from the person's."""
    patch = pytest.MonkeyPatch()
    patch.setenv("WORKBENCH_KEYS", str(tmp_path_factory.mktemp("keys")))
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def no_other_computer() -> Iterator[None]:
    """Make every connection to another computer fail, at once and by name."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if not _is_here(address):
            raise AssertionError(f"a test tried to reach another computer: {address}")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; without one the tests fail, they are never left out.

    One a module: as long as it is there an event loop runs, by which screens believe that they are on a page.
    """
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
