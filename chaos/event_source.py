"""One connection to the event stream, on a plain socket: so that it can stop reading, which no HTTP client does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import h11
import trio

from chaos.sse import ServerEvent, SseParser

PIECE_BYTES: Final = 64 * 1024
CONNECT_TIMEOUT_S: Final = 10.0
SILENCE_S: Final = 30.0
"""Two heartbeats of 15 s: a connection that is silent for longer is dead."""


class StreamEnded(Exception):
    """The connection is over; ``str(error)`` is how it ended. Come back with the cursor."""


class EventSource:
    """An open event stream."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.CLIENT)
        self._parser = SseParser()

    @property
    def local_port(self) -> int:
        port: int = self._stream.socket.getsockname()[1]
        return port

    async def ask(self, *, host: str, token: str, cursor: str | None) -> None:
        """Send the request; the answer is read by :meth:`receive`."""
        headers = [("Host", host), ("Authorization", f"Bearer {token}"), ("Accept", "text/event-stream")]
        if cursor is not None:
            headers.append(("Last-Event-ID", cursor))
        request = h11.Request(method="GET", target="/api/v1/events", headers=headers)
        try:
            await self._stream.send_all(self._http.send(request) + self._http.send(h11.EndOfMessage()))
        except trio.BrokenResourceError as exc:
            raise StreamEnded("reset") from exc

    def widen(self, receive_buffer_bytes: int) -> None:
        """Read on through a larger buffer.

        With one of a few KiB the kernel, avoiding silly windows (RFC 9293, 3.8.6.2), never announces that there is room
        again. So it would send nothing to a server that has given up, get no RST back, and look open until silence ends
        it: half a minute in which only this socket is at fault.
        """
        self._stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, receive_buffer_bytes)

    async def receive(self) -> list[ServerEvent]:
        """Wait for the next events.

        Raises:
            StreamEnded: the server ended the stream, refused it, or was cut off.
        """
        while True:
            events = self._parse()
            if events:
                return events
            try:
                with trio.fail_after(SILENCE_S):
                    piece = await self._stream.receive_some(PIECE_BYTES)
            except trio.TooSlowError as exc:
                raise StreamEnded("silent") from exc
            except trio.BrokenResourceError as exc:
                raise StreamEnded("reset") from exc
            if not piece:
                raise StreamEnded("closed")
            self._http.receive_data(piece)

    def _parse(self) -> list[ServerEvent]:
        events: list[ServerEvent] = []
        while True:
            try:
                part = self._http.next_event()
            except h11.RemoteProtocolError as exc:
                raise StreamEnded("cut") from exc
            match part:
                case h11.NEED_DATA:
                    return events
                case h11.Response(status_code=status) if status != 200:
                    raise StreamEnded(str(status))
                case h11.Data(data=data):
                    events += self._parser.feed(bytes(data))
                case h11.EndOfMessage() | h11.ConnectionClosed():
                    if events:
                        return events
                    raise StreamEnded("closed")
                case _:
                    pass


@asynccontextmanager
async def open_events(
    port: int, *, token: str, cursor: str | None, receive_buffer_bytes: int | None = None
) -> AsyncIterator[EventSource]:
    """Connect on loopback and ask for the events after ``cursor``.

    Args:
        receive_buffer_bytes: SO_RCVBUF, for a reader that wants to be full soon; set before connecting, as the window is
            agreed on then.

    Raises:
        StreamEnded: nobody listens, or not in time.
    """
    socket = trio.socket.socket()
    if receive_buffer_bytes is not None:
        socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, receive_buffer_bytes)
    try:
        with trio.fail_after(CONNECT_TIMEOUT_S):
            await socket.connect(("127.0.0.1", port))
    except (OSError, trio.TooSlowError) as exc:
        socket.close()
        raise StreamEnded("refused") from exc
    except BaseException:
        socket.close()
        raise
    stream = trio.SocketStream(socket)
    try:
        source = EventSource(stream)
        await source.ask(host=f"127.0.0.1:{port}", token=token, cursor=cursor)
        yield source
    finally:
        # No farewell: whoever is cut off in the middle is the very client this is about.
        await trio.aclose_forcefully(stream)
