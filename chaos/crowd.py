"""Connections that are made and then just stay, to use up what a server has."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import trio


class Crowd:
    """Makes connections and keeps them; leaving the block cuts them all."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: list[trio.SocketStream] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.leave()

    async def come(self, count: int, opening: bytes = b"") -> int:
        """Add connections that say ``opening`` and no more; return how many the kernel made."""
        made = 0
        for _ in range(count):
            with trio.move_on_after(1.0):
                try:
                    stream = await trio.open_tcp_stream("127.0.0.1", self._port)
                    self._streams.append(stream)
                    await stream.send_all(opening)
                    made += 1
                except (OSError, trio.BrokenResourceError):
                    pass
        return made

    async def leave(self) -> None:
        while self._streams:
            await trio.aclose_forcefully(self._streams.pop())
