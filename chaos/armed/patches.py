"""Puts a fuse at every point of a message's way, from outside: each function is replaced by one that passes the point.

Most are passed by every batch as they are. Two need help, at the pass that ends the worker only: the server hands all statements
and COMMIT to Postgres in one write, so what lies between two of them is done apart; and it publishes in the moment in which
it answers, so publishing is held up until the answers are on the wire.
"""

from __future__ import annotations

import select
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any, Final, cast

import trio

from chaos.armed.fuse import Fuse
from chaos.armed.points import Point
from greenroom.actors import commit as commit_module
from greenroom.actors import committer as committer_module
from greenroom.actors.batch import Batch
from greenroom.actors.commands import SendMessage
from greenroom.actors.committer import Committer
from greenroom.actors.conversation import Conversation, ConversationMessage
from greenroom.storage.bus_shared import SharedBus
from greenroom.storage.bus_wire import Link, Payload
from greenroom.storage.ports import Bus, BusNote, Hint, WriteTransaction
from greenroom.storage.postgres.session import Params, Query, Sent, Session

ON_THE_WIRE_S: Final = 0.05
"""Until answers that were handed over have been written to their sockets: some turns of the event loop."""

_has_messages: ContextVar[bool] = ContextVar("this task commits messages", default=False)


def attach(fuse: Fuse) -> None:
    """Put the fuse at every point, for the rest of this process."""
    _receiving(fuse)
    _writing(fuse)
    _committing(fuse)
    _answering(fuse)
    _publishing(fuse)


def _receiving(fuse: Fuse) -> None:
    handle = Conversation.handle

    async def armed(self: Conversation, message: ConversationMessage) -> None:
        if isinstance(message, SendMessage) and fuse.is_due(Point.RECEIVED):
            fuse.blow(Point.RECEIVED)
        await handle(self, message)

    Conversation.handle = armed  # type: ignore[method-assign]


def _writing(fuse: Fuse) -> None:
    write = commit_module._write

    async def armed(tx: WriteTransaction, batch: Batch) -> None:
        _has_messages.set(bool(batch.messages))
        if batch.messages and fuse.is_due(Point.DRAFTED):
            fuse.blow(Point.DRAFTED)
        await write(tx, batch)

    commit_module._write = armed


def _committing(fuse: Fuse) -> None:
    send = Session.send

    async def armed(self: Session, query: Query, params: Params = None) -> Sent[tuple[Any, ...]]:
        if query != "COMMIT" or not _has_messages.get():
            return await send(self, query, params)
        _has_messages.set(False)
        if fuse.is_due(Point.WRITTEN):
            await self._arrive()
            fuse.blow(Point.WRITTEN)
        sent = await send(self, query, params)
        if fuse.is_due(Point.COMMIT_SENT):
            await _write_all(self)
            fuse.blow(Point.COMMIT_SENT)
        return sent

    Session.send = armed  # type: ignore[method-assign]


async def _write_all(session: Session) -> None:
    """Have the kernel take everything that was kept, as leaving the pipeline would, and wait for no answer."""
    await session._send_kept()
    pipeline = cast(Any, session._pipeline)
    pipeline._enqueue_sync()
    while pipeline.command_queue:
        pipeline.command_queue.popleft()()
    pgconn = session._connection.pgconn
    while pgconn.flush():
        select.select([], [pgconn.socket], [])


def _answering(fuse: Fuse) -> None:
    answer = Committer._answer
    announce = committer_module.announce  # type: ignore[attr-defined]

    def armed(batch: Sequence[Any], committed: commit_module.Committed) -> None:
        has_messages = any(isinstance(delivery.message, SendMessage) for delivery in batch)
        if has_messages and fuse.is_due(Point.COMMITTED):
            fuse.blow(Point.COMMITTED)
        answer(batch, committed)
        if has_messages and fuse.is_due(Point.ANSWERED):
            fuse.blow(Point.ANSWERED)

    async def armed_announce(bus: Bus, notes: Sequence[BusNote]) -> None:
        if notes and fuse.is_due(Point.ACKNOWLEDGED):
            await trio.sleep(ON_THE_WIRE_S)
            fuse.blow(Point.ACKNOWLEDGED)
        await announce(bus, notes)

    Committer._answer = staticmethod(armed)  # type: ignore[method-assign]
    committer_module.announce = armed_announce  # type: ignore[attr-defined]


def _publishing(fuse: Fuse) -> None:
    pack = SharedBus._payloads
    send: Callable[[SharedBus, Link], Awaitable[None]] = SharedBus._send
    has_hints = False

    def armed_pack(self: SharedBus, notes: Sequence[BusNote], *, with_beats: bool) -> list[Payload]:
        nonlocal has_hints
        has_hints = any(isinstance(note, Hint) for note in notes)
        return pack(self, notes, with_beats=with_beats)

    class Armed:
        def __init__(self, link: Link) -> None:
            self._link = link

        async def send(self, payloads: Sequence[Payload]) -> None:
            await self._link.send(payloads)
            if has_hints and fuse.is_due(Point.PUBLISHED):
                fuse.blow(Point.PUBLISHED)

        async def receive(self) -> Sequence[Payload]:
            return await self._link.receive()

    async def armed_send(self: SharedBus, link: Link) -> None:
        await send(self, Armed(link))

    SharedBus._payloads = armed_pack  # type: ignore[method-assign]
    SharedBus._send = armed_send  # type: ignore[method-assign]
