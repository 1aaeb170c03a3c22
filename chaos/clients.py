"""Clients as greenroom asks them to be, and no cleverer: a sender that repeats itself until it is answered, a listener
that comes back with its cursor. Both write down everything that happens to them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import httpx
import trio

from chaos.event_source import EventSource, StreamEnded, open_events
from chaos.ledger import Acked, Delivered, ListenerLog, Sent, ShownMessage
from chaos.sse import ServerEvent
from greenroom.schema.cursor import Cursor

RETRY_S: Final = (0.03, 0.15)
"""Between two attempts, drawn anew each time. Far less than the server asks for: impatience is part of the test."""

FROZEN_BYTES: Final = 4 * 1024
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
        pause_s: between an answer and the next message.
        content: what every message says.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        person: Person,
        conversation_id: str,
        *,
        random: Random,
        pause_s: float,
        content: str,
    ) -> None:
        self.sent: list[Sent] = []
        self.acked: list[Acked] = []
        self.content = content
        self.pause_s = pause_s
        self._http = http
        self._person = person
        self._conversation_id = conversation_id
        self._random = random
        self._is_stopping = False
        self._grew = trio.Event()

    def stop(self) -> None:
        """Begin no further message; the one under way is seen through."""
        self._is_stopping = True

    async def wait_acked(self, count: int) -> None:
        """Wait until so many messages have been answered with a 2xx."""
        while len(self.acked) < count:
            await self._grew.wait()

    async def run(self) -> None:
        """Send until told to stop. Cancelled, it leaves a message that was sent and not acknowledged."""
        while not self._is_stopping:
            await self._send(f"c{len(self.sent)}")
            await trio.sleep(self.pause_s * self._random.uniform(0.5, 1.5))

    async def _send(self, client_id: str) -> None:
        began = trio.current_time()
        answers: list[str] = []
        try:
            while True:
                message = await self._attempt(client_id, answers)
                if message is not None:
                    break
                await trio.sleep(self._random.uniform(*RETRY_S))
            acked = Acked(
                self._conversation_id,
                self._person.user_id,
                client_id,
                message_id=message["id"],
                seq=message["seq"],
            )
            self.acked.append(acked)
            grew, self._grew = self._grew, trio.Event()
            grew.set()
        finally:
            self.sent.append(
                Sent(self._conversation_id, self._person.user_id, client_id, at=began, answers=tuple(answers))
            )

    async def _attempt(self, client_id: str, answers: list[str]) -> dict[str, Any] | None:
        body = {"content": self.content, "client_id": client_id}
        path = f"/api/v1/conversations/{self._conversation_id}/messages"
        try:
            answer = await self._http.post(path, json=body, headers=self._person.headers)
        except httpx.TransportError as exc:
            answers.append(type(exc).__name__)
            return None
        answers.append(str(answer.status_code))
        message: dict[str, Any] | None = answer.json() if answer.is_success else None
        return message


class Gate:
    """Holds listeners back, so that they can be let loose all at once. Open at first."""

    def __init__(self) -> None:
        self._opened = trio.Event()
        self._opened.set()

    def close(self) -> None:
        self._opened = trio.Event()

    def open(self) -> None:
        self._opened.set()

    async def wait(self) -> None:
        await self._opened.wait()


class Listener:
    """Follows its user's events on one connection after another, each from the cursor of the last event it was given."""

    def __init__(
        self, name: str, person: Person, conversation_ids: frozenset[str], *, port: int, gate: Gate, random: Random
    ) -> None:
        self.delivered: list[Delivered] = []
        self.connections = 0
        self._name = name
        self._person = person
        self._conversation_ids = conversation_ids
        self._port = port
        self._gate = gate
        self._random = random
        self._start: int | None = None
        self._resets = 0
        self._cursor: Cursor | None = None
        self._grew = trio.Event()

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
        )

    async def wait_reached(self, stream_seq: int) -> None:
        """Wait until its cursor is at ``stream_seq`` or later; 0: until it has one at all."""
        while self._cursor is None or self._cursor.seq < stream_seq:
            await self._grew.wait()

    async def run(self, *, frozen_until: trio.Event | None = None) -> None:
        """Follow until cancelled.

        Args:
            frozen_until: read only the first event of the first connection, through a small buffer, then nothing until
                this is set, and on from there.
        """
        if frozen_until is not None:
            await self._listen(frozen_until)
        while True:
            await self._gate.wait()
            await self._listen(None)
            await trio.sleep(self._random.uniform(*RETRY_S))

    async def _listen(self, frozen_until: trio.Event | None) -> None:
        cursor = None if self._cursor is None else str(self._cursor)
        buffer_bytes = None if frozen_until is None else FROZEN_BYTES
        try:
            async with open_events(
                self._port, token=self._person.token, cursor=cursor, receive_buffer_bytes=buffer_bytes
            ) as source:
                await self._follow(source, frozen_until)
        except StreamEnded:
            return

    async def _follow(self, source: EventSource, frozen_until: trio.Event | None) -> None:
        self.connections += 1
        while True:
            events = await source.receive()
            for event in events:
                self._take(event)
            grew, self._grew = self._grew, trio.Event()
            grew.set()
            if frozen_until is not None:
                await frozen_until.wait()
                source.widen(THAWED_BYTES)

    def _take(self, event: ServerEvent) -> None:
        if event.id is None:
            return
        cursor = Cursor.parse(event.id)
        match event.name:
            case "ready" if self._start is None:
                self._start = cursor.seq
            case "ready" | "heartbeat":
                # Not durable: they only repeat where the stream stands.
                pass
            case "reset":
                self._resets += 1
            case _:
                self.delivered.append(
                    Delivered(cursor.seq, trio.current_time(), self.connections, _shown_message(event))
                )
        self._cursor = cursor


def _shown_message(event: ServerEvent) -> ShownMessage | None:
    if event.name != "message.created":
        return None
    message = json.loads(event.data)["message"]
    return ShownMessage(message["conversation_id"], message["id"], message["seq"])
