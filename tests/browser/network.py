"""What lies between a browser and its server, and can be cut."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


class Network:
    """Hands bytes on between a port of its own and that of a server.

    Attributes:
        port: Where the browser goes.
    """

    port: int

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._open.set()
        self._lines: set[asyncio.StreamWriter] = set()
        self._listener: asyncio.Server | None = None

    def swallow(self) -> None:
        """From now on nothing arrives, in either direction, and nobody is told."""
        self._do(self._set(False))

    def refuse(self) -> None:
        """End every connection, and take no new one."""
        self._do(self._refuse())

    def restore(self, *, forgotten: bool = False) -> None:
        """Hand on again, what was held back as well.

        Args:
            forgotten: What was open before is not known any more: nothing arrives there, for ever.
        """
        self._do(self._restore(forgotten))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _set(self, opened: bool) -> None:
        (self._open.set if opened else self._open.clear)()

    async def _refuse(self) -> None:
        assert self._listener
        self._listener.close()
        for line in self._lines:
            line.transport.abort()

    async def _end(self) -> None:
        await self._refuse()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _restore(self, forgotten: bool) -> None:
        if forgotten:
            self._open = asyncio.Event()
        self._open.set()
        if not (self._listener and self._listener.is_serving()):
            await self._listen(self.port)

    async def _listen(self, port: int) -> None:
        self._listener = await asyncio.start_server(self._connect, "127.0.0.1", port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = self._open  # of this connection, for as long as it lasts
        self._lines.add(writer)
        try:
            await way.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._lines.add(back)
        await asyncio.gather(self._hand_on(reader, back, way), self._hand_on(there, writer, way))
        self._lines -= {writer, back}

    async def _hand_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: asyncio.Event
    ) -> None:
        try:
            while data := await source.read(65536):
                await way.wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        await way.wait()
        sink.close()


@contextmanager
def network(target: int) -> Iterator[Network]:
    """A network before the server at a port of this computer."""
    between = Network(target)
    thread = threading.Thread(target=between._loop.run_forever, daemon=True)
    thread.start()
    between._do(between._listen(0))
    try:
        yield between
    finally:
        between._do(between._end())
        between._loop.call_soon_threadsafe(between._loop.stop)
        thread.join(10)
        between._loop.close()
