"""Presence: who is connected, told to the people they share a conversation with.

A short linger after the last disconnect keeps a reconnect from flapping; presence is a courtesy, so it is never
stored and may be a little late. While one batch of changes is announced the next one gathers, so a storm of reconnects
costs a query per batch and not one per user.

With several workers, each tells the others by leases who is connected to it (:mod:`greenroom.actors.peer_leases`). A user
who is on another worker too neither comes online here nor leaves; whoever has the user last tells the peers, and for a worker
that died the first of those that live does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import trio

from greenroom.actors.announcing import announce
from greenroom.actors.feeds import LocalFeeds
from greenroom.actors.peer_leases import PeerLeases
from greenroom.schema.errors import Unavailable
from greenroom.schema.events import Presence as PresenceEvent
from greenroom.schema.ids import UserId
from greenroom.schema.wire import to_json
from greenroom.storage.ports import Bus, Conversations, Ephemeral, Present, RollCall
from greenroom.supervisor import BatchActor, Delivery, Timer

LINGER_S: Final = 8.0
PEERS_MAX: Final = 200
"""Peers who are told; those with the most recent activity come first. The others see it when they next read."""

BATCH_MAX: Final = 100
"""Users whose changes are announced with one query."""

RECONCILE_S: Final = (20.0, 40.0)
"""Between two comparisons of the board with the feeds, jittered: longest that a change nobody told of goes unnoticed."""

LEASE_S: Final = 30.0
"""How long a worker is believed without a word: two renewals may be lost."""

RENEW_S: Final = (8.0, 10.0)
RENEW_AGAIN_S: Final = 1.0
"""At least between two renewals, however many ask for one."""

LEASE_USERS_MAX: Final = 250
"""Users per note, so that it fits into what the narrowest wire carries."""

ROLL_CALL_S: Final = 5.0
"""At least between two calls: a bus that loses something all the time would have everybody speak all the time."""

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


@dataclass(frozen=True, slots=True)
class RenewDue:
    """To itself: time to renew our word, and to look whose is no longer good."""


@dataclass(frozen=True, slots=True)
class NewsMissed:
    """Words of other workers may have been lost."""


PresenceMessage = ConnectionsChanged | LingerOver | ReconcileDue | RenewDue | NewsMissed | Present | RollCall


def changed_user(message: object) -> UserId | None:
    """Which queued message a new one replaces: only the latest news of a user's connections matters."""
    return message.user_id if isinstance(message, ConnectionsChanged) else None


class PresenceBoard:
    """What this worker knows about presence, readable by anybody at once.

    It may be :data:`LINGER_S` stale, and :data:`LEASE_S` about users of a worker that died or can't be heard.
    """

    def __init__(self) -> None:
        self.peers = PeerLeases()
        self._online: dict[UserId, None] = {}
        self._last_active: dict[UserId, datetime] = {}

    def is_online(self, user_id: UserId) -> bool:
        """Whether the user is connected, to whatever worker."""
        return user_id in self._online or self.peers.holds(user_id)

    def is_here(self, user_id: UserId) -> bool:
        """Whether the user is connected to this worker, or left it just now."""
        return user_id in self._online

    def last_active_at(self, user_id: UserId) -> datetime | None:
        """When a user was last seen leaving; None if that is not remembered, or while online."""
        return None if self.is_online(user_id) else self._last_active.get(user_id)

    def note_online(self, user_id: UserId) -> None:
        self._online[user_id] = None

    def note_offline(self, user_id: UserId, now: datetime) -> None:
        self._online.pop(user_id, None)
        self._last_active.pop(user_id, None)
        if len(self._last_active) >= LAST_ACTIVE_MAX:
            del self._last_active[next(iter(self._last_active))]
        self._last_active[user_id] = now

    def online(self) -> list[UserId]:
        """Those who are here."""
        return list(self._online)

    def __len__(self) -> int:
        return len(self._online)


class Presence(BatchActor[PresenceMessage]):
    """Keeps the board and announces its changes.

    Args:
        worker: names this process among several; None if there are no others.
    """

    def __init__(
        self,
        *,
        board: PresenceBoard,
        feeds: LocalFeeds,
        conversations: Conversations,
        bus: Bus,
        wall: Callable[[], datetime],
        worker: str | None = None,
    ) -> None:
        self._board = board
        self._feeds = feeds
        self._conversations = conversations
        self._bus = bus
        self._wall = wall
        self._left_at: dict[UserId, float] = {}  # in the order of leaving, so one timer does for all
        self._is_armed = False
        self._reconciled = 0
        self._worker = worker
        self._renewal: Timer | None = None
        self._renewed_at = -RENEW_AGAIN_S
        self._called_at = -ROLL_CALL_S

    async def init(self) -> None:
        # An incarnation before this one may have left users lingering, or not have heard of some.
        self._look_again(self._strangers())
        self._schedule()
        if self._worker is not None:
            await self._call_roll()
            await self._renew()

    async def handle_batch(self, batch: Sequence[Delivery[PresenceMessage]]) -> None:
        come: set[UserId] = set()
        changed: set[UserId] = set()
        for delivery in batch:
            match delivery.message:
                case ConnectionsChanged(user_id):
                    come |= self._look_again([user_id])
                case LingerOver():
                    self._is_armed = False
                case ReconcileDue():
                    strangers = self._strangers()
                    self._reconciled += len(strangers)
                    come |= self._look_again(strangers)
                    self._schedule()
                case Present(worker, user_ids, lease_s):
                    self._believe(worker, user_ids, lease_s)
                case RollCall(worker):
                    if worker != self._worker:
                        await self._renew()
                case NewsMissed():
                    await self._call_roll()
                case RenewDue():
                    changed |= self._expire()
                    await self._renew()
        gone = self._let_go()
        await self._give_word(come, LEASE_S)
        await self._give_word(gone, 0.0)
        # Whoever is with another worker too has not changed for anybody.
        changed |= {user_id for user_id in come | gone if not self._board.peers.holds(user_id)}
        # Sorted, so that a simulation is the same in every process.
        wanted = sorted(changed)
        for start in range(0, len(wanted), BATCH_MAX):
            await self._announce(wanted[start : start + BATCH_MAX])

    def view(self) -> Mapping[str, object]:
        return {
            "online": len(self._board),
            "lingering": len(self._left_at),
            "reconciled": self._reconciled,
            "elsewhere": len(self._board.peers),
            "other_workers": len(self._board.peers.workers()),
        }

    def _look_again(self, user_ids: Iterable[UserId]) -> set[UserId]:
        """Note who is connected here and let linger who is not; return who has come."""
        come = set()
        for user_id in user_ids:
            self._left_at.pop(user_id, None)
            if not self._feeds.is_connected(user_id):
                if self._board.is_here(user_id):
                    self._left_at[user_id] = trio.current_time()
            elif not self._board.is_here(user_id):
                self._board.note_online(user_id)
                come.add(user_id)
        self._arm()
        return come

    def _strangers(self) -> list[UserId]:
        """Users whom the board and the feeds tell different things about, unless that is known."""
        gone = [u for u in self._board.online() if u not in self._left_at and not self._feeds.is_connected(u)]
        come = [u for u in self._feeds.users() if self._feeds.is_connected(u) and not self._board.is_here(u)]
        return gone + come

    def _let_go(self) -> set[UserId]:
        """Note gone whoever has lingered long enough; return them."""
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

    # What workers tell each other.

    def _believe(self, worker: str, user_ids: Sequence[UserId], lease_s: float) -> None:
        """Take another worker's word; it tells the peers itself."""
        if self._worker is None or worker == self._worker:
            return
        if lease_s > 0:
            self._board.peers.renew(worker, user_ids, until=trio.current_time() + min(lease_s, LEASE_S))
        else:
            self._note_gone(self._board.peers.end(worker, user_ids))

    def _expire(self) -> set[UserId]:
        """Forget words that are no longer good; return the users whose peers we are to tell."""
        gone = self._board.peers.expire(trio.current_time())
        self._note_gone(gone)
        is_first = self._worker is not None and all(self._worker < other for other in self._board.peers.workers())
        return {user_id for user_id in gone if not self._board.is_here(user_id)} if is_first else set()

    def _note_gone(self, user_ids: Set[UserId]) -> None:
        for user_id in sorted(user_ids):
            if not self._board.is_here(user_id):
                self._board.note_offline(user_id, self._wall())

    async def _renew(self) -> None:
        """Say who is here; the next time soon if it was just said, for whoever came to listen since."""
        if self._worker is None:
            return
        again_at = self._renewed_at + RENEW_AGAIN_S
        now = trio.current_time()
        if self._renewal is not None:
            self._renewal.cancel()
        if now < again_at:
            self._renewal = self.ctx.tell_after(again_at - now, RenewDue())
            return
        self._renewed_at = now
        self._renewal = self.ctx.tell_after(self.ctx.rng.uniform(*RENEW_S), RenewDue())
        # With nobody here too: that we live is news.
        await self._give_word(self._board.online() or None, LEASE_S)

    async def _give_word(self, user_ids: Iterable[UserId] | None, lease_s: float) -> None:
        """Tell the other workers about these users; about none if None is given, and nothing if it is empty."""
        if self._worker is None:
            return
        ordered = [()] if user_ids is None else _chunks(sorted(user_ids))
        if ordered:
            await announce(self._bus, [Present(self._worker, part, lease_s) for part in ordered])

    async def _call_roll(self) -> None:
        now = trio.current_time()
        if self._worker is not None and now >= self._called_at + ROLL_CALL_S:
            self._called_at = now
            await announce(self._bus, [RollCall(self._worker)])

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


def _chunks(user_ids: Sequence[UserId]) -> list[tuple[UserId, ...]]:
    return [tuple(user_ids[at : at + LEASE_USERS_MAX]) for at in range(0, len(user_ids), LEASE_USERS_MAX)]
