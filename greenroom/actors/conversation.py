"""A conversation: one actor per conversation in use, which authorises and orders what is done to it.

It hands durable commands on to the committer together with the asker's reply, so that several of its own commands can
be in one commit; their order is the order in which they arrived here. Typing never leaves memory and the bus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

import trio

from greenroom.actors.addresses import committer
from greenroom.actors.announcing import announce
from greenroom.actors.commands import (
    CancelBooking,
    CompleteBooking,
    ConversationCommand,
    DeleteMessage,
    EditMessage,
    MarkDelivered,
    MarkRead,
    RescheduleBooking,
    SendMessage,
    SetReaction,
    SetState,
)
from greenroom.schema.errors import ConversationNotFound, DomainError
from greenroom.schema.events import Typing
from greenroom.schema.ids import ConversationId, UserId
from greenroom.schema.wire import to_json
from greenroom.storage.ports import Bus, Conversations, Ephemeral
from greenroom.supervisor import Actor, Request, Timer

TYPING_S: Final = 6.0
"""A typing mark that is not renewed for this long has ended."""

TYPING_RENEWAL_S: Final = 2.0
"""A renewal sooner than this after the last is not announced again: the peer's mark still stands."""


@dataclass(frozen=True, slots=True)
class SetTyping(Request[None]):
    user_id: UserId
    is_typing: bool


@dataclass(frozen=True, slots=True)
class TypingLapsed:
    """To itself: the mark set at ``since`` may have run out."""

    user_id: UserId
    since: float


@dataclass(frozen=True, slots=True)
class _Typing:
    since: float
    lapse: Timer


ConversationMessage = ConversationCommand | SetTyping | TypingLapsed


class Conversation(Actor[ConversationMessage]):
    """Authorises, orders and hands on.

    Args:
        is_alone: no other worker may have an actor of the same conversation. Only then it is told that a mark ran out: it may
            have been renewed elsewhere, and peers know by ``expires_at``.
    """

    refusals = (DomainError,)

    def __init__(
        self,
        conversation_id: ConversationId,
        *,
        conversations: Conversations,
        bus: Bus,
        wall: Callable[[], datetime],
        is_alone: bool,
    ) -> None:
        self._is_alone = is_alone
        self._id = conversation_id
        self._conversations = conversations
        self._bus = bus
        self._wall = wall
        self._peers: Mapping[UserId, UserId] | None = None
        self._typing: dict[UserId, _Typing] = {}

    async def handle(self, message: ConversationMessage) -> None:
        match message:
            case SendMessage(sender_id=sender_id):
                await self._peer_of(sender_id)
                await self._stop_typing(sender_id)
                self.ctx.forward(committer(self.ctx.system), message)
            case (
                MarkRead(user_id=user_id)
                | MarkDelivered(user_id=user_id)
                | SetState(user_id=user_id)
                | EditMessage(user_id=user_id)
                | DeleteMessage(user_id=user_id)
                | SetReaction(user_id=user_id)
                | CancelBooking(user_id=user_id)
                | RescheduleBooking(user_id=user_id)
                | CompleteBooking(user_id=user_id)
            ):
                await self._peer_of(user_id)
                self.ctx.forward(committer(self.ctx.system), message)
            case SetTyping(user_id, is_typing):
                await self._peer_of(user_id)
                if is_typing:
                    await self._start_typing(user_id)
                else:
                    await self._stop_typing(user_id)
            case TypingLapsed(user_id, since):
                mark = self._typing.get(user_id)
                if mark is not None and mark.since == since:
                    if self._is_alone:
                        await self._stop_typing(user_id)
                    else:
                        del self._typing[user_id]
            case _:
                assert_never(message)

    def view(self) -> Mapping[str, object]:
        return {"participants": sorted(self._peers or ()), "typing": sorted(self._typing)}

    async def _peer_of(self, user_id: UserId) -> UserId:
        """Return the other participant; participants never change, so they are read once.

        Raises:
            ConversationNotFound: there is no such conversation, or ``user_id`` is not in it.
        """
        if self._peers is None:
            pair = await self._conversations.participants(self._id)
            if pair is None:
                self.ctx.passivate()
                raise ConversationNotFound("There is no such conversation.")
            self._peers = {pair[0]: pair[1], pair[1]: pair[0]}
        peer = self._peers.get(user_id)
        if peer is None:
            raise ConversationNotFound("There is no such conversation.")
        return peer

    async def _start_typing(self, user_id: UserId) -> None:
        now = trio.current_time()
        mark = self._typing.get(user_id)
        if mark is not None:
            if now - mark.since < TYPING_RENEWAL_S:
                return
            mark.lapse.cancel()
        self._typing[user_id] = _Typing(now, self.ctx.tell_after(TYPING_S, TypingLapsed(user_id, now)))
        await self._publish_typing(user_id, is_typing=True)

    async def _stop_typing(self, user_id: UserId) -> None:
        mark = self._typing.pop(user_id, None)
        if mark is not None:
            mark.lapse.cancel()
            await self._publish_typing(user_id, is_typing=False)

    async def _publish_typing(self, user_id: UserId, *, is_typing: bool) -> None:
        expires_at = self._wall() + (timedelta(seconds=TYPING_S) if is_typing else timedelta())
        typing = Typing(conversation_id=self._id, user_id=user_id, is_typing=is_typing, expires_at=expires_at)
        note = Ephemeral(
            user_ids=(await self._peer_of(user_id),),
            name="typing",
            key=f"typing:{self._id}:{user_id}",
            data=to_json(typing),
        )
        await announce(self._bus, [note])
