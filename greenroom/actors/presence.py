"""Presence: who is connected, told to the people they share a conversation with.

A short linger after the last disconnect keeps a reconnect from flapping; presence is a courtesy, so it is never
stored and may be a little late. While one batch of changes is announced the next one gathers, so a storm of reconnects
costs a query per batch and not one per user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from greenroom.supervisor import BatchActor, Delivery

LINGER_S: Final = 8.0
PEERS_MAX: Final = 200
"""Peers who are told; those with the most recent activity come first. The others see it when they next read."""

BATCH_MAX: Final = 100
"""Users whose changes are announced with one query."""

RECONCILE_S: Final = (20.0, 40.0)
"""Between two comparisons of the board with the feeds, jittered: longest that a change nobody told of goes unnoticed."""

LAST_ACTIVE_MAX: Final = 10_000
"""Users whose last moment of activity is remembered; the one who left longest ago is forgotten first."""


@dataclass(frozen=True, slots=True)
class ConnectionsChanged:
    """A user's connections on this worker became more or fewer."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class LingerOver:
    """To itself: the user who left longest ago may be gone for good."""


@dataclass(frozen=True, slots=True)
class ReconcileDue:
    """To itself: time to compare the board with the feeds, as news may have been lost."""


PresenceMessage = ConnectionsChanged | LingerOver | ReconcileDue


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


class Presence(BatchActor[PresenceMessage]):
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
        self._reconciled = 0

    async def init(self) -> None:
        # An incarnation before this one may have left users lingering, or not have heard of some.
        self._look_again(self._strangers())
        self._schedule()

    async def handle_batch(self, batch: Sequence[Delivery[PresenceMessage]]) -> None:
        changed: set[UserId] = set()
        for delivery in batch:
            match delivery.message:
                case ConnectionsChanged(user_id):
                    changed |= self._look_again([user_id])
                case LingerOver():
                    self._is_armed = False
                case ReconcileDue():
                    strangers = self._strangers()
                    self._reconciled += len(strangers)
                    changed |= self._look_again(strangers)
                    self._schedule()
        changed |= self._let_go()
        # Sorted, so that a simulation is the same in every process.
        wanted = sorted(changed)
        for start in range(0, len(wanted), BATCH_MAX):
            await self._announce(wanted[start : start + BATCH_MAX])

    def view(self) -> Mapping[str, object]:
        return {"online": len(self._board), "lingering": len(self._left_at), "reconciled": self._reconciled}

    def _look_again(self, user_ids: Iterable[UserId]) -> set[UserId]:
        """Note who is connected and let linger who is not; return who has come online."""
        come = set()
        for user_id in user_ids:
            self._left_at.pop(user_id, None)
            if not self._feeds.is_connected(user_id):
                if self._board.is_online(user_id):
                    self._left_at[user_id] = trio.current_time()
            elif not self._board.is_online(user_id):
                self._board.note_online(user_id)
                come.add(user_id)
        self._arm()
        return come

    def _strangers(self) -> list[UserId]:
        """Users whom the board and the feeds tell different things about, unless that is known."""
        gone = [u for u in self._board.online() if u not in self._left_at and not self._feeds.is_connected(u)]
        come = [u for u in self._feeds.users() if self._feeds.is_connected(u) and not self._board.is_online(u)]
        return gone + come

    def _let_go(self) -> set[UserId]:
        """Note offline whoever has lingered long enough; return them."""
        gone = set()
        while self._left_at:
            user_id, since = next(iter(self._left_at.items()))
            if trio.current_time() < since + LINGER_S:
                break
            del self._left_at[user_id]
            self._board.note_offline(user_id, self._wall())
            gone.add(user_id)
        self._arm()
        return gone

    def _arm(self) -> None:
        """Look again when the one who left longest ago will have lingered long enough."""
        if self._left_at and not self._is_armed:
            self._is_armed = True
            since = next(iter(self._left_at.values()))
            self.ctx.tell_after(max(0.0, since + LINGER_S - trio.current_time()), LingerOver())

    def _schedule(self) -> None:
        self.ctx.tell_after(self.ctx.rng.uniform(*RECONCILE_S), ReconcileDue())

    async def _announce(self, user_ids: Sequence[UserId]) -> None:
        try:
            peers = await self._conversations.peers(user_ids, limit=PEERS_MAX)
        except Unavailable:
            return  # peers see it when they next read a conversation
        await announce(
            self._bus, [self._note(user_id, peers[user_id]) for user_id in user_ids if user_id in peers]
        )

    def _note(self, user_id: UserId, peers: Sequence[UserId]) -> Ephemeral:
        # As it is now: whoever came and went while this waited is told of as they are.
        event = PresenceEvent(
            user_id=user_id,
            online=self._board.is_online(user_id),
            last_active_at=self._board.last_active_at(user_id),
        )
        return Ephemeral(user_ids=tuple(peers), name="presence", key=f"presence:{user_id}", data=to_json(event))
