"""A student who writes and an instructor who listens, by the client library."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from greenroom.client import ClientError, Greenroom, connect
from greenroom.schema.events import MessageCreated

PASSWORD = "correct horse battery"
SENT_WITHIN_S = 60.0
"""Though all workers may have been killed and none may have started again yet."""


@dataclass
class Pair:
    """Two users with a conversation."""

    student: Greenroom
    instructor: Greenroom
    student_id: str
    instructor_id: str
    talk: str

    async def say(self, count: int, *, pause_s: float = 0.0, said: list[str] | None = None) -> list[str]:
        """Send messages one after the other, each until it is acknowledged; return their texts."""
        said = [] if said is None else said
        for _ in range(count):
            text = f"m{len(said)}"
            await self._send(text)
            said.append(text)
            if pause_s:
                await trio.sleep(pause_s)
        return said

    async def keep_talking(self, said: list[str], is_over: trio.Event) -> None:
        while not is_over.is_set():
            await self.say(1, pause_s=0.02, said=said)

    async def _send(self, text: str) -> None:
        # The same client id each time: whatever became of an attempt, there is one message.
        with trio.fail_after(SENT_WITHIN_S):
            while True:
                try:
                    await self.student.send(self.talk, text, client_id=f"{self.talk}-{text}")
                except ClientError:
                    await trio.sleep(0.2)
                else:
                    return


@asynccontextmanager
async def a_pair(url: str, name: str = "maya") -> AsyncIterator[Pair]:
    async with connect(url, timeout_s=15) as student, connect(url, timeout_s=15) as instructor:
        first = await student.register(f"{name}@example.com", PASSWORD, display_name=name.title(), role="student")
        second = await instructor.register(
            f"{name}-teacher@example.com", PASSWORD, display_name="Teacher", role="instructor"
        )
        opened = await student.open_conversation(second.user.id)
        yield Pair(student, instructor, first.user.id, second.user.id, opened.conversation.id)


class Ear:
    """Texts that one stream brought, in the order they came, over all its reconnects."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._changed = trio.Event()

    async def until(self, texts: list[str], *, within_s: float) -> None:
        """Wait until as many texts were heard."""
        with trio.fail_after(within_s):
            while len(self.heard) < len(texts):
                self._changed = trio.Event()
                await self._changed.wait()

    async def listen(self, who: Greenroom, *, task_status: trio.TaskStatus[None]) -> None:
        async with who.events() as stream:
            await stream.wait_live()
            task_status.started()
            async for event in stream:
                if isinstance(event.data, MessageCreated):
                    self.heard.append(event.data.message.content)
                    self._changed.set()


@asynccontextmanager
async def listening(who: Greenroom) -> AsyncIterator[Ear]:
    """An open stream for the length of the block."""
    ear = Ear()
    async with trio.open_nursery() as nursery:
        await nursery.start(ear.listen, who)
        yield ear
        nursery.cancel_scope.cancel()
