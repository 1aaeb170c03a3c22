"""Clients as greenroom asks them to be, and no cleverer: a sender that repeats itself until it is answered, a listener
that comes back with its cursor. Both write down everything that happens to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import trio

from chaos.event_source import EventSource, StreamEnded, open_events
from chaos.ledger import Acked, Attempt, Connection, Delivered, ListenerLog, Sent, ShownMessage
from chaos.line import Line, NoAnswer
from chaos.pulse import Pulse
from chaos.sse import ServerEvent
from greenroom.schema.cursor import Cursor

RETRY_S: Final = (0.03, 0.15)
"""Between two attempts, drawn anew each time. Far less than the server asks for: impatience is part of the test."""

MOVES_MAX: Final = 10
"""Connections a listener tries in a row to get away from a worker."""

SMALL_BYTES: Final = 4 * 1024
THAWED_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Person:
    """A registered user."""

    user_id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Sender:
    """Sends numbered messages to one conversation, one at a time, each until it is answered with a 2xx.

    Args:
        line: its connection.
        pause_s: between an answer and the next message.
        content: what every message says.
        is_patient: waits as long as ``Retry-After`` says, as a well-behaved client does.
        answered: beats when a message of any sender has been answered with a 2xx.
    """

    def __init__(
        self,
        line: Line,
        person: Person,
        conversation_id: str,
        *,
        random: Random,
        pause_s: float,
        content: str,
        is_patient: bool = False,
        answered: Pulse | None = None,
    ) -> None:
        self.sent: list[Sent] = []
        self.refused = 0
        self.last_answer = ""
        self.acked: list[Acked] = []
        self.content = content
        self.pause_s = pause_s
        self._line = line
        self._person = person
        self._conversation_id = conversation_id
        self._random = random
        self._is_patient = is_patient
        self._is_stopping = False
        self._answered = Pulse() if answered is None else answered
        self._grew = Pulse()

    def stop(self) -> None:
        """Begin no further message; the one under way is seen through."""
        self._is_stopping = True

    async def wait_acked(self, count: int) -> None:
        """Wait until so many messages have been answered with a 2xx."""
        while len(self.acked) < count:
            await self._grew.wait()

    async def run(self) -> None:
        """Send until told to stop. Cancelled, it leaves a message that was sent and not acknowledged."""
        try:
            # Senders that all begin at once would stay in step.
            await trio.sleep(self.pause_s * self._random.random())
            while not self._is_stopping:
                await self._send(f"c{len(self.sent)}")
                await trio.sleep(self.pause_s * self._random.uniform(0.5, 1.5))
        finally:
            self._line.close()

    async def _send(self, client_id: str) -> None:
        began = trio.current_time()
        attempts: list[Attempt] = []
        try:
            while True:
                message = await self._attempt(client_id, attempts)
                if message is not None:
                    break
                asked_s = attempts[-1].retry_after_s if self._is_patient else None
                await trio.sleep(self._random.uniform(*RETRY_S) if asked_s is None else asked_s)
            self.acked.append(
                Acked(
                    self._conversation_id,
                    self._person.user_id,
                    client_id,
                    message_id=message["id"],
                    seq=message["seq"],
                )
            )
            self._grew.beat()
            self._answered.beat()
        finally:
            self.sent.append(
                Sent(self._conversation_id, self._person.user_id, client_id, at=began, attempts=tuple(attempts))
            )

    async def _attempt(self, client_id: str, attempts: list[Attempt]) -> dict[str, Any] | None:
        body = {"content": self.content, "client_id": client_id}
        path = f"/api/v1/conversations/{self._conversation_id}/messages"
        at = trio.current_time()
        try:
            answer = await self._line.ask("POST", path, headers=self._person.headers, body=body)
        except NoAnswer as exc:
            attempts.append(Attempt(at, trio.current_time(), str(exc), port=self._line.local_port))
            self.last_answer = str(exc)
            self.refused += 1
            return None
        retry_after = answer.headers.get("retry-after")
        retry_after_s = None if retry_after is None else float(retry_after)
        attempts.append(
            Attempt(at, trio.current_time(), str(answer.status), retry_after_s, port=self._line.local_port)
        )
        self.last_answer = str(answer.status)
        if answer.is_success:
            return answer.json()
        self.refused += 1
        return None


class Gate:
    """Holds listeners back, so that they can be let loose all at once. Open at first."""

    def __init__(self) -> None:
        self._opened = trio.Event()
        self._opened.set()

    @property
    def is_open(self) -> bool:
        return self._opened.is_set()

    def close(self) -> None:
        self._opened = trio.Event()

    def open(self) -> None:
        self._opened.set()

    async def wait(self) -> None:
        await self._opened.wait()


class Listener:
    """Follows its user's events on one connection after another, each from the cursor of the last event it was given.

    Args:
        gate: a connection is begun only while it is open.
        reading: reads only while this is open, and through a small buffer, so that the server soon notices that it isn't.
        worker_of: says which worker has the connection of a client's port, for listeners that are to change workers.
    """

    def __init__(
        self,
        name: str,
        person: Person,
        conversation_ids: frozenset[str],
        *,
        port: int,
        gate: Gate,
        random: Random,
        reading: Gate | None = None,
        worker_of: Callable[[int], int | None] | None = None,
    ) -> None:
        self.delivered: list[Delivered] = []
        self.connections: list[Connection] = []
        self.heartbeats = 0
        self.cuts = 0
        self.moves = 0
        self._name = name
        self._person = person
        self._conversation_ids = conversation_ids
        self._port = port
        self._gate = gate
        self._reading = reading
        self._random = random
        self._worker_of = worker_of
        self._worker: int | None = None
        self._moves_left = 0
        self._away_s = 0.0
        self._connected = trio.CancelScope()
        self._start: int | None = None
        self._resets = 0
        self._cursor: Cursor | None = None
        self._open: Connection | None = None
        self._farewell = ""
        self._grew = Pulse()

    @property
    def user_id(self) -> str:
        return self._person.user_id

    def log(self) -> ListenerLog:
        return ListenerLog(
            self._name,
            self._person.user_id,
            self._conversation_ids,
            start=0 if self._start is None else self._start,
            resets=self._resets,
            delivered=tuple(self.delivered),
            connections=(*self.connections, *(() if self._open is None else (self._open,))),
        )

    @property
    def served(self) -> int:
        """How many of its connections have brought an event."""
        ended = sum(connection.ready_at is not None for connection in self.connections)
        return ended + (self._open is not None and self._open.ready_at is not None)

    async def wait_reached(self, stream_seq: int) -> None:
        """Wait until its cursor is at ``stream_seq`` or later; 0: until it has one at all."""
        while self._cursor is None or self._cursor.seq < stream_seq:
            await self._grew.wait()

    async def wait_connections(self, count: int) -> None:
        """Wait until so many of its connections have brought an event."""
        while self.served < count:
            await self._grew.wait()

    def cut(self, away_s: float) -> None:
        """Have it lose its connection at once, stay away so long, and come back to another worker if it can."""
        self.cuts += 1
        self._away_s = away_s
        if self._worker_of is not None and self._open is not None:
            self._worker = self._worker_of(self._open.port)
            self._moves_left = MOVES_MAX
        self._connected.cancel()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await self._gate.wait()
            with trio.CancelScope() as self._connected:
                await self._listen()
            if self._connected.cancelled_caught:
                self._note_end("left")
            away_s, self._away_s = self._away_s, 0.0
            await trio.sleep(away_s + self._random.uniform(*RETRY_S))

    def _note_end(self, how: str) -> None:
        if self._open is not None:
            self.connections.append(replace(self._open, ended_at=trio.current_time(), end=how))
            self._open = None

    async def _listen(self) -> None:
        cursor = None if self._cursor is None else str(self._cursor)
        buffer_bytes = None if self._reading is None else SMALL_BYTES
        self._open = Connection(trio.current_time(), ready_at=None, ended_at=None, end="")
        self._farewell = ""
        try:
            async with open_events(
                self._port, token=self._person.token, cursor=cursor, receive_buffer_bytes=buffer_bytes
            ) as source:
                self._open = replace(self._open, port=source.local_port)
                await self._follow(source)
        except StreamEnded as exc:
            self._note_end(self._farewell or str(exc))

    async def _follow(self, source: EventSource) -> None:
        while True:
            events = await source.receive()
            if self._open is not None and self._open.ready_at is None:
                self._open = replace(self._open, ready_at=trio.current_time())
            for event in events:
                self._take(event)
            self._grew.beat()
            self._look_where(source.local_port)
            if self._reading is not None and not self._reading.is_open:
                await self._reading.wait()
                source.widen(THAWED_BYTES)

    def _look_where(self, port: int) -> None:
        """Leave a worker that this listener is to get away from."""
        if self._worker_of is None or not self._moves_left:
            return
        if self._worker_of(port) == self._worker:
            self._moves_left -= 1
            raise StreamEnded("left")
        self.moves += 1
        self._moves_left = 0

    def _take(self, event: ServerEvent) -> None:
        if event.name == "closing":
            self._farewell = json.loads(event.data)["reason"]
        if event.id is None:
            return
        cursor = Cursor.parse(event.id)
        match event.name:
            case "ready" if self._start is None:
                self._start = cursor.seq
            # Not durable: these two only repeat where the stream stands.
            case "ready":
                pass
            case "heartbeat":
                self.heartbeats += 1
            case "reset":
                self._resets += 1
            case _:
                self.delivered.append(
                    Delivered(cursor.seq, trio.current_time(), self.served, _shown_message(event))
                )
        self._cursor = cursor


def _shown_message(event: ServerEvent) -> ShownMessage | None:
    if event.name != "message.created":
        return None
    message = json.loads(event.data)["message"]
    return ShownMessage(message["conversation_id"], message["id"], message["seq"])
