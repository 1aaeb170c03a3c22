"""Notes to put on a bus, and somebody who reads one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random

import trio

from greenroom.schema.ids import SessionId, UserId
from greenroom.schema.records import StoredEvent
from greenroom.storage.bus_shared import SharedBus, open_shared_bus
from greenroom.storage.bus_wire import Wire
from greenroom.storage.ports import Bus, BusNote, Ephemeral, Hint, Present, Revocation, RollCall

WAIT_S = 20
KEY = b"a key that only the database knows"
EPOCH = "epoch"
AT = datetime(2026, 3, 2, 9, 30, 0, 123_456, tzinfo=UTC)

MAYA = UserId("01JNB3N5Z0M4YA00000000000A")
TOMAS = UserId("01JNB3N5Z0T0MAS000000000AB")


def a_hint(seq: int, *, user_id: UserId = MAYA, events: int = 1, text: str = 'hello — \u2028 \\ "quoted"') -> Hint:
    """A hint of ``events`` events, the last of which is ``seq``."""
    numbers = range(seq - events + 1, seq + 1)
    made = [
        StoredEvent(user_id, n, "message.created", f'{{"content":"{text}"}}', AT + timedelta(seconds=n))
        for n in numbers
    ]
    return Hint(user_id, EPOCH, tuple(made))


ONE_OF_EACH: tuple[BusNote, ...] = (
    a_hint(3, events=3),
    Ephemeral((MAYA, TOMAS), "typing", "typing:c", '{"is_typing":true}'),
    Revocation(MAYA, SessionId("01JNB3N5Z0SESS10N00000000A")),
    Present("worker-a.1", (MAYA, TOMAS), 30.0),
    RollCall("worker-b.1"),
)


class Reader:
    """Reads a subscription and remembers what came."""

    def __init__(self) -> None:
        self.notes: list[BusNote] = []
        self.suspicions = 0
        self._changed = trio.Event()

    @property
    def seqs(self) -> list[int]:
        """Sequences of the events in the hints that came, in the order they came."""
        return [event.seq for note in self.notes if isinstance(note, Hint) for event in note.events]

    def forget(self) -> None:
        self.notes.clear()
        self.suspicions = 0

    async def until(self, condition: Callable[[Reader], bool]) -> None:
        with trio.fail_after(WAIT_S):
            while not condition(self):
                self._changed = trio.Event()
                await self._changed.wait()

    async def read(self, bus: Bus, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with bus.subscribe() as subscription:
            task_status.started()
            while True:
                batch = await subscription.receive()
                self.notes += batch.notes
                self.suspicions += batch.is_suspect
                self._changed.set()


@asynccontextmanager
async def reading(bus: Bus) -> AsyncIterator[Reader]:
    """Somebody who reads the bus for the length of the block."""
    reader = Reader()
    async with trio.open_nursery() as nursery:
        await nursery.start(reader.read, bus)
        yield reader
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def a_worker(wire: Wire, name: str, *, key: bytes = KEY) -> AsyncIterator[SharedBus]:
    """The bus of one worker."""
    async with open_shared_bus(wire, worker=name, key=key, rng=Random(name)) as bus:
        yield bus


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what sets no event: another process's doing."""
    with trio.fail_after(WAIT_S):
        while not condition():  # noqa: ASYNC110
            await trio.sleep(0.01)
