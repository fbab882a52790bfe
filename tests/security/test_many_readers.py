"""Readers who come in crowds and go without a word cannot fill the computer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tornado.web import HTTPError

from workbench.publish.server import PageKernels


class Kernels(PageKernels):
    """Kernels of which only the bookkeeping is real."""

    def add(self, *names: str) -> None:
        for name in names:
            self._kernels[name] = object()
            self._kernel_connections[name] = 0

    async def shutdown_kernel(self, kernel_id: str, *_: Any, **__: Any) -> None:
        del self._kernels[kernel_id]
        self.remove_kernel(kernel_id)


def after(kernels: Kernels, *happened: str) -> set[str]:
    """The kernels that are there after connections (+name) and ends of connections (-name)."""

    async def live() -> set[str]:
        for one in happened:
            (kernels.notify_connect if one[0] == "+" else kernels.notify_disconnect)(one[1:])
        await asyncio.sleep(0.05)
        return set(kernels.list_kernel_ids())

    return asyncio.run(live())


def test_of_those_who_vanished_the_last_ones_find_their_page_as_they_left_it() -> None:
    kernels = Kernels(left=2, leave=0)
    kernels.add("a", "b", "c", "d")
    assert after(kernels, "+a", "+b", "+c", "-b", "-a", "-c") == {"a", "c", "d"}  # nobody has come to d yet


def test_whoever_is_there_or_came_back_is_left_alone() -> None:
    kernels = Kernels(left=1, leave=0)
    kernels.add("a", "b", "c")
    assert after(kernels, "+a", "-a", "+a", "+b", "+b", "-b", "+c", "-c") == {"a", "b", "c"}


def test_a_reader_too_many_is_asked_to_come_later() -> None:
    kernels = Kernels(most=2)
    kernels.add("a", "b")
    with pytest.raises(HTTPError, match="503"):
        asyncio.run(kernels.start_kernel(env={"SCRIPT_NAME": "/p/sales/live"}))
