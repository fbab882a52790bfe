"""What holds for every test: nothing here needs, or may use, another computer."""

from __future__ import annotations

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
