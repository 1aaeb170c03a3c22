"""A user's events as they happen: each durable one once and in order, across every reconnect."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any, Final, TypeVar

import anyio
import httpx
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse
from pydantic import ValidationError

from greenroom.client.calls import PASSING_STATUSES, Calls
from greenroom.client.errors import ClientError, NotGreenroom, StreamClosed, refusal
from greenroom.client.pauses import jittered_pause_s
from greenroom.schema import events
from greenroom.schema.event_kinds import EVENT_KINDS
from greenroom.schema.wire import Wire

W = TypeVar("W", bound=Wire)

SILENCE_S: Final = 35.0
"""Two heartbeats of 15 s and some: a connection that is silent for longer is dead."""

PENDING_MAX: Final = 100
"""Events read ahead of whoever iterates; beyond, reading stops and the server's own bounds apply."""

UNWIND_S: Final = 1.0

RETRY_DEFAULT_S: Final = 3.0
"""Until the server says what it wishes."""

_ABOUT_THE_STREAM: Final = frozenset({"ready", "heartbeat"})
"""Events that only say where the stream stands. They take the way of the others, so that the cursor never overtakes one."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        cursor: where a client that has taken this event is; None for what is never stored (typing, presence).
        data: a model of :mod:`greenroom.schema.events`, or plain JSON for an event this version does not know.
    """

    name: str
    data: Wire | Mapping[str, Any]
    cursor: str | None


class StreamState(Enum):
    """What a person should be told about the stream."""

    CONNECTING = "connecting"
    LIVE = "live"
    RECONNECTING = "reconnecting"


StateListener = Callable[[StreamState], None]


class EventStream:
    """Iterate it: ``async for event in stream``.

    A ``reset`` event says that what lies between can't be told any more: read the state anew (``sync``), and go on
    iterating.

    Attributes:
        cursor: of the newest event handed out; open another stream with it to go on from here.
        state: whether events are arriving just now.
    """

    def __init__(self, received: MemoryObjectReceiveStream[Event | ClientError], cursor: str | None) -> None:
        self._received = received
        self.cursor = cursor
        self._state = StreamState.CONNECTING
        self._is_live = anyio.Event()

    @property
    def state(self) -> StreamState:
        return self._state

    async def wait_live(self) -> None:
        """Wait until events arrive: what happens from then on is seen by this stream as it happens."""
        await self._is_live.wait()

    def enter(self, state: StreamState) -> None:
        self._state = state
        if state is StreamState.LIVE:
            self._is_live.set()
        elif self._is_live.is_set():
            self._is_live = anyio.Event()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        """Wait for the next event.

        Raises:
            StreamClosed: the session ended, or the like; a new sign-in is needed.
            Refused, NotGreenroom: the stream can't be opened, now or ever.
        """
        while True:
            item = await self._received.receive()
            if isinstance(item, ClientError):
                self._received.close()
                raise item
            if item.cursor is not None:
                self.cursor = item.cursor
            if item.name not in _ABOUT_THE_STREAM:
                return item


@asynccontextmanager
async def open_event_stream(
    http: httpx.AsyncClient, calls: Calls, *, cursor: str | None, random: Random, on_state: StateListener | None
) -> AsyncIterator[EventStream]:
    """Follow events until the block ends, coming back by itself after every disconnect."""
    send, receive = anyio.create_memory_object_stream[Event | ClientError](PENDING_MAX)
    stream = EventStream(receive, cursor)
    reader = _Reader(http, calls, stream, send, random=random, on_state=on_state)
    raised: Exception | None = None
    try:
        async with send, receive, anyio.create_task_group() as tasks:
            # A task of its own: cancelling it unwinds the response whole, which leaving an iterator half-way does not.
            tasks.start_soon(reader.run)
            try:
                yield stream
            except Exception as exc:
                raised = exc
                raise
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        # The task group is no business of whoever iterates: their own error leaves as it came.
        if raised is not None and group.exceptions == (raised,):
            raise raised from raised.__cause__
        raise


class _Reader:
    """Keeps one connection open and hands on what it brings."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        calls: Calls,
        stream: EventStream,
        send: MemoryObjectSendStream[Event | ClientError],
        *,
        random: Random,
        on_state: StateListener | None,
    ) -> None:
        self._http = http
        self._calls = calls
        self._stream = stream
        self._send = send
        self._random = random
        self._on_state = on_state
        # What was read, not what was taken: between them are the pending ones.
        self._cursor = stream.cursor
        self._retry_s = RETRY_DEFAULT_S
        self._failures = 0

    async def run(self) -> None:
        try:
            while True:
                with suppress(httpx.TransportError, SSEError):
                    await self._follow()
                self._enter(StreamState.RECONNECTING)
                await anyio.sleep(jittered_pause_s(self._failures, base_s=self._retry_s, random=self._random))
                self._failures += 1
        except ClientError as error:
            await self._send.send(error)

    async def _follow(self) -> None:
        """Read one connection to its end.

        Raises:
            ClientError: there is no use in coming back.
        """
        headers = (
            self._calls.headers if self._cursor is None else {**self._calls.headers, "Last-Event-ID": self._cursor}
        )
        timeout = httpx.Timeout(10.0, read=SILENCE_S)
        async with aconnect_sse(self._http, "GET", "/api/v1/events", headers=headers, timeout=timeout) as source:
            response = source.response
            if response.status_code in PASSING_STATUSES:
                return
            if not response.is_success:
                body = await response.aread()
                raise refusal(response.status_code, body, retry_after=response.headers.get("Retry-After"))
            received = source.aiter_sse()
            try:
                async for event in received:
                    await self._take(event)
            finally:
                await _unwind(response, received)

    async def _take(self, event: ServerSentEvent) -> None:
        if event.retry is not None:
            self._retry_s = event.retry / 1000
        match event.event:
            case "closing":
                closing = _parse(events.Closing, event.data)
                if not closing.reconnect:
                    raise StreamClosed(closing.reason)
                return
            case "ready":
                self._failures = 0
                self._enter(StreamState.LIVE)
            case _:
                pass
        # An event without an id shows the last one's (HTML Living Standard, 9.2.6), and no two durable ones share theirs.
        cursor = event.id if event.id and event.id != self._cursor else None
        await self._send.send(Event(event.event, _data(event.event, event.data), cursor))
        self._cursor = cursor or self._cursor

    def _enter(self, state: StreamState) -> None:
        if state is not self._stream.state:
            self._stream.enter(state)
            if self._on_state is not None:
                self._on_state(state)


async def _unwind(response: httpx.Response, received: AsyncIterator[ServerSentEvent]) -> None:
    """End an iteration that was left half-way: shut the wire, and let it run into that.

    The generators of httpx and httpcore inside it then end in order, and not whenever they are collected (PEP 533 tells
    of the trouble).
    """
    wire = response.extensions.get("network_stream")
    if wire is None:
        return
    # Shut and not closed: the connection still belongs to the pool, which looks at it before it lets go.
    with suppress(OSError):
        wire.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    # Shielded as it follows a cancellation too.
    with anyio.move_on_after(UNWIND_S, shield=True), suppress(httpx.TransportError, SSEError):
        async for _ in received:
            pass


def _data(name: str, text: str) -> Wire | Mapping[str, Any]:
    kind = EVENT_KINDS.get(name)
    if kind is not None:
        return _parse(kind.model, text)
    try:
        data = json.loads(text)
    except ValueError as exc:
        raise NotGreenroom(f"a {name} event came that is no JSON") from exc
    return data if isinstance(data, dict) else {"data": data}


def _parse(model: type[W], text: str) -> W:
    try:
        # What a newer server adds is no reason to fail.
        return model.model_validate_json(text, extra="ignore")
    except ValidationError as exc:
        raise NotGreenroom(f"an event came that is no {model.__name__}") from exc
