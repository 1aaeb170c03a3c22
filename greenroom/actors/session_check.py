"""The session check: every few seconds, one query asks whether the sessions this worker believes in still hold.

A session's end is told over the bus, which may lose it; a stream once opened asks nobody again, and a session seen lately
is believed from memory. This finds out: even with a dead bus, whoever signed out elsewhere is out here as well before
:data:`SESSION_CHECK_S` has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from greenroom.actors.feeds import LocalFeeds
from greenroom.actors.session_cache import SessionCache
from greenroom.schema.errors import Unavailable
from greenroom.schema.events import ClosingReason
from greenroom.storage.ports import Accounts
from greenroom.supervisor import Actor

SESSION_CHECK_S: Final = (3.0, 5.0)
"""Jittered between these, so that workers do not ask in step."""

SESSIONS_PER_QUERY: Final = 1_000


@dataclass(frozen=True, slots=True)
class SessionCheckDue:
    """To itself: the next turn has come."""


class SessionCheck(Actor[SessionCheckDue]):
    """Closes the streams of sessions that have ended, and forgets them, whoever ended them and however."""

    def __init__(
        self, *, accounts: Accounts, feeds: LocalFeeds, sessions: SessionCache, wall: Callable[[], datetime]
    ) -> None:
        self._accounts = accounts
        self._feeds = feeds
        self._sessions = sessions
        self._wall = wall
        self._checks = 0
        self._found_ended = 0

    async def init(self) -> None:
        self._schedule()

    async def handle(self, message: SessionCheckDue) -> None:
        self._schedule()
        await self.run_once()

    def view(self) -> Mapping[str, object]:
        return {"checks": self._checks, "found_ended": self._found_ended}

    async def run_once(self) -> None:
        """Check all sessions of streams and those in memory, in pages; a database that is away is asked again at the next turn.

        Nobody is cut off for that: an open stream shows nothing new while there is no database to commit to.
        """
        self._checks += 1
        owners = {session_id: user_id for user_id, session_id in self._feeds.sessions()}
        wanted = list(dict.fromkeys([*owners, *self._sessions.ids()]))
        for start in range(0, len(wanted), SESSIONS_PER_QUERY):
            try:
                ended = await self._accounts.ended_sessions(
                    wanted[start : start + SESSIONS_PER_QUERY], self._wall()
                )
            except Unavailable:
                return
            for end in ended:
                self._found_ended += 1
                self._sessions.forget(end.session_id)
                if owner := owners.get(end.session_id):
                    reason = ClosingReason.EXPIRED if end.has_expired else ClosingReason.REVOKED
                    self._feeds.close_session(owner, end.session_id, reason)

    def _schedule(self) -> None:
        self.ctx.tell_after(self.ctx.rng.uniform(*SESSION_CHECK_S), SessionCheckDue())
