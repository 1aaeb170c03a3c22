"""Finding out whose session it is: from memory, else with one query, however many ask at once.

After a restart a thousand streams come back in the same instant. They queue for their turn instead of being refused,
because an EventSource gives up for good after anything but a 200; those of the same session share one query.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

import trio

from greenroom.actors.identity import Identity
from greenroom.actors.session_cache import Known, SessionCache
from greenroom.schema.errors import DomainError, NotAuthenticated, PoolExhausted
from greenroom.schema.ids import SessionId
from greenroom.schema.records import Session, User
from greenroom.storage.ports import Accounts

SESSION_QUERIES_MAX: Final = 4
"""Sessions read at once per worker, so that a storm of reconnects leaves database connections for everything else."""

PATIENCE_S: Final = 0.5
"""A request's wait for its turn, as long as for a database connection."""
PAUSE_S: Final = 0.1
"""Before asking again for a database connection, for those who still have patience."""

_Query = Callable[[], Awaitable[tuple[Session, User] | None]]


@dataclass(slots=True)
class _Reading:
    """A query that several wait for; ``outcome`` stays None if whoever ran it was cancelled."""

    outcome: Known | DomainError | None = None
    done: trio.Event = field(default_factory=trio.Event)


class Authentication:
    """Confirms sessions, by the hash of their token or by their id.

    Both ways raise NotAuthenticated for a session that is unknown, expired or revoked, or whose user was deactivated,
    and Unavailable when no turn came within ``patience_s`` or the database does not answer.
    """

    def __init__(self, *, accounts: Accounts, sessions: SessionCache, wall: Callable[[], datetime]) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._wall = wall
        self._readings: dict[bytes | SessionId, _Reading] = {}
        self._turns = trio.CapacityLimiter(SESSION_QUERIES_MAX)

    async def by_token(self, token_hash: bytes, *, patience_s: float = PATIENCE_S) -> Known:
        """Confirm the session with this SHA-256 of its token."""
        found = self._sessions.get(token_hash)
        if found is None:
            query = partial(self._accounts.session, token_hash)
            found = await self._read(token_hash, query, patience_s)
        return self._unexpired(found)

    async def by_id(self, session_id: SessionId, *, patience_s: float = PATIENCE_S) -> Known:
        """Confirm the session with this id."""
        found = self._sessions.find(session_id)
        if found is None:
            query = partial(self._accounts.session_by_id, session_id)
            found = await self._read(session_id, query, patience_s)
        return self._unexpired(found)

    def confirm(self, session: Session, user: User) -> Identity:
        """Return who is behind a session that is good now; raise NotAuthenticated otherwise."""
        if session.revoked_at is not None or not user.is_active:
            raise NotAuthenticated("The session has ended; sign in again.")
        identity = Identity(user=user, session_id=session.id, expires_at=session.expires_at)
        return self._unexpired(Known(session.token_hash, identity)).identity

    def _unexpired(self, known: Known) -> Known:
        if known.identity.expires_at <= self._wall():
            raise NotAuthenticated("The session has expired; sign in again.")
        return known

    async def _read(self, key: bytes | SessionId, query: _Query, patience_s: float) -> Known:
        """Read with a query, or wait for the answer to one that is under way."""
        with trio.move_on_after(patience_s):
            while (under_way := self._readings.get(key)) is not None:
                await under_way.done.wait()
                match under_way.outcome:
                    case Known():
                        return under_way.outcome
                    case DomainError():
                        raise under_way.outcome.with_traceback(None)
                    case None:
                        pass  # its client left: whoever comes first asks for the others
        if key in self._readings:
            raise PoolExhausted("Too many sessions are being looked up.")
        reading = self._readings[key] = _Reading()
        try:
            reading.outcome = known = await self._in_turn(query, patience_s)
        except DomainError as error:
            reading.outcome = error
            raise
        finally:
            del self._readings[key]
            reading.done.set()
        return known

    async def _in_turn(self, query: _Query, patience_s: float) -> Known:
        give_up_at = trio.current_time() + patience_s
        with trio.move_on_at(give_up_at) as waiting:
            await self._turns.acquire()
        if waiting.cancelled_caught:
            raise PoolExhausted("Too many sessions are being looked up.")
        try:
            while True:
                try:
                    return await self._look_up(query)
                except PoolExhausted:
                    if trio.current_time() + PAUSE_S >= give_up_at:
                        raise
                    await trio.sleep(PAUSE_S)
        finally:
            self._turns.release()

    async def _look_up(self, query: _Query) -> Known:
        since = self._sessions.now
        known = await self._ask(query)
        if not self._sessions.put(known, read_since=since):
            # It was forgotten while it was being read, which may have begun before it ended; what ends a session does so
            # in the database first, so a second look tells.
            known = await self._ask(query)
        return known

    async def _ask(self, query: _Query) -> Known:
        found = await query()
        if found is None:
            raise NotAuthenticated("The session is unknown; sign in again.")
        return Known(found[0].token_hash, self.confirm(*found))
