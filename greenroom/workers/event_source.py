"""Reading one worker's stream of events over its Unix socket.

With h11 and a socket, and not with an HTTP client: those hand out their bodies as async generators, which nobody closes in time
when the reader is cancelled between two parts.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, of which workers write ``event`` and ``data`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import h11
import trio

EVENT_BYTES_MAX: Final = 4 * 1024 * 1024
"""A tree of the largest size that can be asked for is below one."""

READ_BYTES: Final = 64 * 1024


class SourceLost(Exception):
    """The stream could not be had, or broke off."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it came: its name and its JSON, an object."""

    name: str
    data: str

    def of_worker(self, worker: str) -> bytes:
        """The event as it is passed on, with the name of its worker in its data."""
        rest = self.data.removeprefix("{")
        comma = "" if rest == "}" else ","
        return f'event: {self.name}\ndata: {{"worker":{json.dumps(worker)}{comma}{rest}\n\n'.encode()


async def read_events(
    path: Path,
    target: str,
    *,
    headers: Mapping[str, str],
    take: Callable[[Event], Awaitable[None]],
    silence_s: float,
) -> None:
    """Hand every event to ``take``; returns when the other side ends the stream in order.

    Args:
        path: of the Unix socket.
        target: path and query.
        headers: ``host`` among them.
        silence_s: how long the other side may say nothing.

    Raises:
        SourceLost: see there.
    """
    try:
        with trio.fail_after(silence_s):
            socket = await trio.open_unix_socket(path)
        async with socket:
            await _read(socket, target, headers, take, silence_s)
    except (OSError, trio.BrokenResourceError, trio.TooSlowError, h11.RemoteProtocolError) as exc:
        raise SourceLost(str(exc)) from exc


async def _read(
    socket: trio.SocketStream,
    target: str,
    headers: Mapping[str, str],
    take: Callable[[Event], Awaitable[None]],
    silence_s: float,
) -> None:
    http = h11.Connection(h11.CLIENT)
    request = h11.Request(method="GET", target=target, headers=list(headers.items()))
    lines = _Lines()
    with trio.fail_after(silence_s) as patience:
        await socket.send_all((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
        while True:
            said = http.next_event()
            match said:
                case h11.NEED_DATA:
                    http.receive_data(await socket.receive_some(READ_BYTES))
                case h11.Response(status_code=status) if status != 200:
                    raise SourceLost(f"status {status}")
                case h11.Data():
                    for event in lines.feed(bytes(said.data)):
                        patience.deadline = float("inf")  # how long whoever takes it needs is another matter
                        await take(event)
                    patience.deadline = trio.current_time() + silence_s
                case h11.EndOfMessage():
                    return
                case h11.ConnectionClosed():
                    raise SourceLost("closed")


class _Lines:
    """Makes events of bytes as they come."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""

    def feed(self, data: bytes) -> Iterable[Event]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > EVENT_BYTES_MAX:
            raise SourceLost("an event is too long")
        for line in lines:
            if line.startswith(b"event: "):
                self._name = line.removeprefix(b"event: ").decode()
            elif line.startswith(b"data: "):
                yield Event(self._name, line.removeprefix(b"data: ").decode())
