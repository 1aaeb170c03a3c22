"""Presence: who is connected, told to the people they share a conversation with.

A short linger after the last disconnect keeps a reconnect from flapping; presence is a courtesy, so it is never
stored and may be a little late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import trio

from greenroom.actors.announcing import announce
from greenroom.actors.feeds import LocalFeeds
from greenroom.schema.errors import Unavailable
from greenroom.schema.events import Presence as PresenceEvent
from greenroom.schema.ids import UserId
from greenroom.schema.wire import to_json
from greenroom.storage.ports import Bus, Conversations, Ephemeral
from greenroom.supervisor import Actor

LINGER_S: Final = 8.0
PEERS_MAX: Final = 1_000
"""Peers who are told; those with the most recent activity come first."""

LAST_ACTIVE_MAX: Final = 10_000
"""Users whose last moment of activity is remembered; the one who left longest ago is forgotten first."""


@dataclass(frozen=True, slots=True)
class ConnectionsChanged:
    """A user's connections on this worker became more or fewer."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class LingerOver:
    """To itself: the user who left longest ago may be gone for good."""


def changed_user(message: object) -> UserId | None:
    """Which queued message a new one replaces: only the latest news of a user's connections matters."""
    return message.user_id if isinstance(message, ConnectionsChanged) else None


class PresenceBoard:
    """What this worker knows about presence, readable by anybody at once; it may be :data:`LINGER_S` stale."""

    def __init__(self) -> None:
        self._online: dict[UserId, None] = {}
        self._last_active: dict[UserId, datetime] = {}

    def is_online(self, user_id: UserId) -> bool:
        return user_id in self._online

    def last_active_at(self, user_id: UserId) -> datetime | None:
        """When a user was last seen leaving; None if that is not remembered, or while online."""
        return None if user_id in self._online else self._last_active.get(user_id)

    def note_online(self, user_id: UserId) -> None:
        self._online[user_id] = None

    def note_offline(self, user_id: UserId, now: datetime) -> None:
        self._online.pop(user_id, None)
        self._last_active.pop(user_id, None)
        if len(self._last_active) >= LAST_ACTIVE_MAX:
            del self._last_active[next(iter(self._last_active))]
        self._last_active[user_id] = now

    def online(self) -> list[UserId]:
        return list(self._online)

    def __len__(self) -> int:
        return len(self._online)


class Presence(Actor[ConnectionsChanged | LingerOver]):
    """Keeps the board and announces its changes."""

    def __init__(
        self,
        *,
        board: PresenceBoard,
        feeds: LocalFeeds,
        conversations: Conversations,
        bus: Bus,
        wall: Callable[[], datetime],
    ) -> None:
        self._board = board
        self._feeds = feeds
        self._conversations = conversations
        self._bus = bus
        self._wall = wall
        self._left_at: dict[UserId, float] = {}  # in the order of leaving, so one timer does for all
        self._is_armed = False

    async def init(self) -> None:
        # An incarnation before this one may have left users lingering, or not have heard of some.
        for user_id in self._board.online():
            if not self._feeds.is_connected(user_id):
                self._linger(user_id)
        for user_id in self._feeds.users():
            if self._feeds.is_connected(user_id):
                self._board.note_online(user_id)
        await self._let_go()

    async def handle(self, message: ConnectionsChanged | LingerOver) -> None:
        match message:
            case ConnectionsChanged(user_id):
                await self._connections_changed(user_id)
            case LingerOver():
                self._is_armed = False
        await self._let_go()

    async def _connections_changed(self, user_id: UserId) -> None:
        self._left_at.pop(user_id, None)
        if not self._feeds.is_connected(user_id):
            self._linger(user_id)
        elif not self._board.is_online(user_id):
            self._board.note_online(user_id)
            await self._announce(user_id, online=True)

    async def _let_go(self) -> None:
        """Note offline whoever has lingered long enough, and look again when the next one will have."""
        while self._left_at:
            user_id, since = next(iter(self._left_at.items()))
            left_s = since + LINGER_S - trio.current_time()
            if left_s > 0:
                if not self._is_armed:
                    self._is_armed = True
                    self.ctx.tell_after(left_s, LingerOver())
                return
            del self._left_at[user_id]
            self._board.note_offline(user_id, self._wall())
            await self._announce(user_id, online=False)

    def view(self) -> Mapping[str, object]:
        return {"online": len(self._board), "lingering": len(self._left_at)}

    def _linger(self, user_id: UserId) -> None:
        if self._board.is_online(user_id):
            self._left_at[user_id] = trio.current_time()

    async def _announce(self, user_id: UserId, *, online: bool) -> None:
        try:
            peers = await self._conversations.peers(user_id, limit=PEERS_MAX)
        except Unavailable:
            return  # peers see it when they next read a conversation
        if not peers:
            return
        event = PresenceEvent(user_id=user_id, online=online, last_active_at=self._board.last_active_at(user_id))
        note = Ephemeral(user_ids=tuple(peers), name="presence", key=f"presence:{user_id}", data=to_json(event))
        await announce(self._bus, [note])
