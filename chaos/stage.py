"""What every scenario plays on: a fresh server, people in pairs who write to each other, and listeners on all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import trio

from chaos.broken import PromiseBroken
from chaos.clients import RETRY_S, Gate, Listener, Person, Sender
from chaos.launch import Prepare, prepare_nothing
from chaos.ledger import Fault, Ledger, Persisted
from chaos.line import Line, NoAnswer
from chaos.pulse import Pulse
from chaos.server import ServerFailed, ServerProcess, a_server
from chaos.sockets import holder
from greenroom.schema.cursor import Cursor

SETUP_TIMEOUT_S: Final = 30.0
SETTLE_TIMEOUT_S: Final = 15.0
"""For a message that is under way to be answered after the last fault is over."""

HEAL_TIMEOUT_S: Final = 10.0
"""For every listener to be given what is stored; later is undelivered."""

ATTEMPT_TIMEOUT_S: Final = 5.0
PAGE: Final = 100
PASSWORD: Final = "correct horse"  # noqa: S105 - of people who live for a minute


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part.

    Attributes:
        pairs: conversations, each with a student and an instructor of its own who both write.
        listeners_per_person: streams that each of them holds.
        pause_s: mean pause of a sender between two messages.
        content: what every message says.
        fast_pairs: further conversations, whose senders hardly pause and write ``fast_content``. Their students have
            listeners with small buffers, which read only while ``Stage.reading`` is open.
        fast_listeners: how many of them each; a person may hold 20 streams in all.
        is_patient: senders wait as long as ``Retry-After`` says.
        attempt_timeout_s: how long a sender waits for one answer.
    """

    pairs: int = 3
    listeners_per_person: int = 1
    pause_s: float = 0.02
    content: str = "Is Saturday still all right?"
    fast_pairs: int = 0
    fast_listeners: int = 1
    fast_pause_s: float = 0.05
    fast_content: str = "x" * 5_000
    is_patient: bool = False
    attempt_timeout_s: float = ATTEMPT_TIMEOUT_S


@dataclass(slots=True)
class Stage:
    """A running scenario's server, people and clients; ``line`` is the harness's own connection."""

    server: ServerProcess
    line: Line
    random: Random
    gate: Gate
    reading: Gate
    nursery: trio.Nursery
    asked: Pulse = field(default_factory=Pulse)
    answered: Pulse = field(default_factory=Pulse)
    faults: list[Fault] = field(default_factory=list)
    conversations: dict[str, tuple[Person, Person]] = field(default_factory=dict)
    senders: list[Sender] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    frozen: list[Listener] = field(default_factory=list)
    _senders_running: trio.Event = field(default_factory=trio.Event)

    @contextmanager
    def fault(self, what: str) -> Iterator[set[int]]:
        """Note a fault that is done, and undone again, within the block.

        Yields a set for the clients' ports whose connections it has to end.
        """
        at = trio.current_time()
        cut: set[int] = set()
        try:
            yield cut
        finally:
            self.faults.append(Fault(what, at, trio.current_time(), frozenset(cut)))

    async def let_flow(self, messages: int) -> None:
        """Wait until every sender has been answered so many more times.

        Raises:
            PromiseBroken: not within the time in which a fault has to be over.
        """
        with trio.move_on_after(SETTLE_TIMEOUT_S) as patience:
            for sender, count in [(sender, len(sender.acked)) for sender in self.senders]:
                await sender.wait_acked(count + messages)
        if patience.cancelled_caught:
            last = ", ".join(sorted({sender.last_answer for sender in self.senders}))
            raise PromiseBroken(
                f"a sender was not answered with a 2xx for {SETTLE_TIMEOUT_S:.0f} s; last came {last}"
            )

    async def let_flow_for(self, shortest_s: float, longest_s: float) -> None:
        """Let everybody go on for a moment of random length: the fault comes at no particular point."""
        await trio.sleep(self.random.uniform(shortest_s, longest_s))

    async def stop_senders(self) -> None:
        """Have the messages under way seen through, and wait for that; a sender that can't end is cut off later."""
        for sender in self.senders:
            sender.stop()
        with trio.move_on_after(SETTLE_TIMEOUT_S):
            await self._senders_running.wait()

    async def run_senders(self) -> None:
        """Run all senders until each has stopped."""
        async with trio.open_nursery() as nursery:
            for sender in self.senders:
                nursery.start_soon(sender.run)
        self._senders_running.set()

    async def wait_caught_up(self) -> bool:
        """Wait until every listener is where its user's stream ends; False if one is not in time.

        The senders must have stopped, or the end moves on.
        """
        ends = {}
        for person in {person.user_id: person for pair in self.conversations.values() for person in pair}.values():
            answer = await self._get("/api/v1/sync", person)
            ends[person.user_id] = Cursor.parse(answer["cursor"]).seq
        with trio.move_on_after(HEAL_TIMEOUT_S) as patience:
            for listener in self.listeners:
                await listener.wait_reached(ends[listener.user_id])
        return not patience.cancelled_caught

    async def read_back(self) -> list[Persisted]:
        """Read every conversation through the API, page by page."""
        rows = []
        for conversation_id, (reader, _) in self.conversations.items():
            after, has_more = 0, True
            while has_more:
                path = f"/api/v1/conversations/{conversation_id}/messages?after={after}&limit={PAGE}"
                page = await self._get(path, reader)
                rows += [
                    Persisted(conversation_id, item["sender_id"], item["client_id"], item["id"], item["seq"])
                    for item in page["items"]
                ]
                has_more = page["has_more"]
                after = page["items"][-1]["seq"] if page["items"] else after
        return rows

    async def conclude(self) -> Ledger:
        """Stop sending, let everything heal, read back what is stored, and close the book.

        What has not come to a listener within the time to heal is missing from its log.
        """
        self.gate.open()
        self.reading.open()
        await self.stop_senders()
        await self.wait_caught_up()
        persisted = await self.read_back()
        self.nursery.cancel_scope.cancel()
        return Ledger(
            sent=tuple(sent for sender in self.senders for sent in sender.sent),
            acked=tuple(acked for sender in self.senders for acked in sender.acked),
            persisted=tuple(persisted),
            listeners=tuple(listener.log() for listener in self.listeners),
            faults=tuple(sorted(self.faults, key=lambda fault: fault.at)),
        )

    async def _get(self, path: str, person: Person) -> dict[str, Any]:
        """Read, again if need be: the server may still be on its way back.

        Raises:
            trio.TooSlowError: no 200 within the time to settle.
        """
        with trio.fail_after(SETTLE_TIMEOUT_S):
            while True:
                with suppress(NoAnswer):
                    answer = await self.line.ask("GET", path, headers=person.headers)
                    if answer.is_success:
                        return answer.json()
                await trio.sleep(self.random.uniform(*RETRY_S))

    async def _post(self, path: str, body: dict[str, Any], person: Person | None = None) -> dict[str, Any]:
        answer = await self.line.ask("POST", path, headers={} if person is None else person.headers, body=body)
        if not answer.is_success:
            raise ServerFailed(f"{path} was answered {answer.status}:\n{self.server.log_tail()}")
        return answer.json()

    async def _register(self, name: str, role: str) -> Person:
        body = {"email": f"{name}@example.com", "password": PASSWORD, "display_name": name, "role": role}
        made = await self._post("/api/v1/auth/register", body)
        return Person(made["user"]["id"], made["access_token"])

    async def set_up(self, cast: Cast) -> None:
        """Register the people and open their conversations, connect the listeners, and only then the senders."""
        for n in range(cast.pairs + cast.fast_pairs):
            is_fast = n >= cast.pairs
            student, instructor = await self._register_pair(n)
            opened = await self._post("/api/v1/conversations", {"participant_id": instructor.user_id}, student)
            conversation_id = opened["conversation"]["id"]
            self.conversations[conversation_id] = (student, instructor)
            for person in (student, instructor):
                self.senders.append(
                    Sender(
                        Line(self.server.port, timeout_s=cast.attempt_timeout_s, asked=self.asked),
                        person,
                        conversation_id,
                        random=self._fork(),
                        pause_s=cast.fast_pause_s if is_fast else cast.pause_s,
                        content=cast.fast_content if is_fast else cast.content,
                        is_patient=cast.is_patient,
                        answered=self.answered,
                    )
                )
            if is_fast:
                self._listen(student, conversation_id, cast.fast_listeners, reading=self.reading)
                self._listen(instructor, conversation_id, 1)
            else:
                self._listen(student, conversation_id, cast.listeners_per_person)
                self._listen(instructor, conversation_id, cast.listeners_per_person)
        for listener in self.listeners:
            await listener.wait_reached(0)
        self.nursery.start_soon(self.run_senders)

    async def _register_pair(self, n: int) -> tuple[Person, Person]:
        return await self._register(f"student{n}", "student"), await self._register(f"teacher{n}", "instructor")

    def _listen(self, person: Person, conversation_id: str, count: int, *, reading: Gate | None = None) -> None:
        for _ in range(count):
            listener = Listener(
                f"listener {len(self.listeners)}",
                person,
                frozenset({conversation_id}),
                port=self.server.port,
                gate=self.gate,
                reading=reading,
                random=self._fork(),
                worker_of=self._worker_of if self.server.workers.count > 1 else None,
            )
            self.listeners.append(listener)
            if reading is not None:
                self.frozen.append(listener)
            self.nursery.start_soon(listener.run)

    def _worker_of(self, port: int) -> int | None:
        return holder(self.server.port, port, self.server.workers.serving().values())

    def _fork(self) -> Random:
        """A source of its own, so that one client's draws do not depend on how many another one made."""
        return Random(self.random.getrandbits(64))  # noqa: S311 - for replay, not for secrets


@asynccontextmanager
async def a_stage(
    random: Random, cast: Cast, prepare: Prepare = prepare_nothing, *, workers: int = 1
) -> AsyncIterator[Stage]:
    """A stage with everybody on it and sending. Leaving cuts all clients off and ends the server."""
    async with a_server(prepare, workers=workers) as server, trio.open_nursery() as nursery:
        line = Line(server.port, timeout_s=ATTEMPT_TIMEOUT_S)
        stage = Stage(server, line, random, Gate(), Gate(), nursery)
        try:
            with trio.fail_after(SETUP_TIMEOUT_S):
                await stage.set_up(cast)
            yield stage
            nursery.cancel_scope.cancel()
        finally:
            line.close()
