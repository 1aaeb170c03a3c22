"""Sessions seen lately, so that authenticating a request costs no query.

Bounded in number and in age. What ends a session forgets it here at once, on every worker by way of the bus; should
that note be lost, the session check finds out, and the age bounds how long the session seems to live on without one.

A session may be forgotten while somebody is reading it from the database, having begun before it ended. What was read
then must not be kept: so whoever reads says since when, and what was forgotten after that is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import trio

from greenroom.actors.identity import Identity
from greenroom.schema.ids import SessionId

SESSIONS_MAX: Final = 10_000
SESSION_AGE_S: Final = 60.0

FORGOTTEN_MAX: Final = 1_000
"""Forgotten sessions that are remembered by name, for a read of some seconds at most. With more of them in that time,
what was read meanwhile is not kept, whichever session it is: that costs a query."""


@dataclass(frozen=True, slots=True)
class Known:
    """A confirmed session: who is behind it, and the SHA-256 of its token."""

    token_hash: bytes
    identity: Identity


class SessionCache:
    """See the module."""

    def __init__(self) -> None:
        self._entries: dict[bytes, tuple[Known, float]] = {}
        self._keys: dict[SessionId, bytes] = {}
        self._now = 0  # counts what was forgotten, so it tells before from after
        self._forgotten: dict[SessionId, int] = {}  # when, oldest first
        self._unnamed = 0  # the newest forgetting whose session is no longer known by name

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def now(self) -> int:
        """A moment to give to :meth:`put`; take it before a session is read."""
        return self._now

    def ids(self) -> list[SessionId]:
        """Of all sessions that are kept."""
        return list(self._keys)

    def get(self, token_hash: bytes) -> Known | None:
        """Return the session with this token if it was confirmed within the last minute."""
        entry = self._entries.get(token_hash)
        if entry is None:
            return None
        known, kept_until = entry
        if trio.current_time() >= kept_until:
            self._drop(known.identity.session_id)
            return None
        return known

    def find(self, session_id: SessionId) -> Known | None:
        """Return the session with this id if it was confirmed within the last minute."""
        token_hash = self._keys.get(session_id)
        return None if token_hash is None else self.get(token_hash)

    def put(self, known: Known, *, read_since: int) -> bool:
        """Keep what was read; False, and nothing is kept, if the session may have been forgotten ``read_since``."""
        session_id = known.identity.session_id
        if max(self._forgotten.get(session_id, 0), self._unnamed) > read_since:
            return False
        self._drop(session_id)
        if len(self._entries) >= SESSIONS_MAX:
            oldest, _ = next(iter(self._entries.values()))
            self._drop(oldest.identity.session_id)
        self._entries[known.token_hash] = (known, trio.current_time() + SESSION_AGE_S)
        self._keys[session_id] = known.token_hash
        return True

    def forget(self, session_id: SessionId) -> None:
        """Note that a session has ended."""
        self._drop(session_id)
        self._now += 1
        self._forgotten.pop(session_id, None)
        self._forgotten[session_id] = self._now
        if len(self._forgotten) > FORGOTTEN_MAX:
            self._unnamed = self._forgotten.pop(next(iter(self._forgotten)))

    def _drop(self, session_id: SessionId) -> None:
        key = self._keys.pop(session_id, None)
        if key is not None:
            del self._entries[key]
