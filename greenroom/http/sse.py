"""Server-sent events: encoding frames, and a response body that writes them as they come.

Source: HTML Living Standard, 9.2 "Server-sent events".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from greenroom.http.response import Response
from greenroom.schema.events import Frame

MEDIA_TYPE = "text/event-stream; charset=utf-8"

_HEADERS: Final = (
    (b"content-type", MEDIA_TYPE.encode()),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)


def encode_retry(milliseconds: int) -> bytes:
    """Tell an EventSource how long to wait before it reconnects.

    It opens the block of the first event: some clients take a block of its own for an event without a name.
    """
    return b"retry: %d\n" % milliseconds


def encode_frames(frames: Sequence[Frame]) -> bytes:
    """Encode frames for one write.

    ``data`` is one line of JSON, which escapes line breaks inside strings, so it can't end its field early; names and
    ids are ours. ``id`` is written where there is one: an event without it leaves the client's cursor alone.
    """
    lines: list[str] = []
    for frame in frames:
        if frame.id is not None:
            lines.append(f"id: {frame.id}\n")
        lines.append(f"event: {frame.event}\ndata: {frame.data}\n\n")
    return "".join(lines).encode()


class EventStreamBody(AsyncIterator[bytes]):
    """Writes ``opening`` together with the first frames, then whatever is pending at each wake-up, until nothing comes.

    An iterator and not an async generator: it holds no ``await`` open between two writes, so a cancelled connection
    leaves nothing to be finalised later.
    """

    def __init__(self, opening: bytes, receive: Callable[[], Awaitable[Sequence[Frame]]]) -> None:
        self._opening = opening
        self._receive = receive

    async def __anext__(self) -> bytes:
        frames = await self._receive()
        if not frames:
            raise StopAsyncIteration
        written, self._opening = self._opening + encode_frames(frames), b""
        return written


def event_stream(opening: bytes, receive: Callable[[], Awaitable[Sequence[Frame]]]) -> Response:
    """Answer with a stream of events.

    What ``receive`` depends on must stay open until the response is written: enter it into the call's ``resources``.
    """
    return Response(200, EventStreamBody(opening, receive), list(_HEADERS))
