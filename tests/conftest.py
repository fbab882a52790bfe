"""What holds for every test: nothing here needs, or may use, another computer."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest


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
