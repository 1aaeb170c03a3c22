"""Sessions seen lately, so that authenticating a request costs no query.

Bounded in number and in age. What ends a session forgets it here at once, on every worker by way of the bus; should
that note be lost, the age bounds how long the session seems to live on.
"""

from __future__ import annotations

from typing import Final

import trio

from greenroom.actors.identity import Identity
from greenroom.schema.ids import SessionId

SESSIONS_MAX: Final = 10_000
SESSION_AGE_S: Final = 60.0


class SessionCache:
    def __init__(self) -> None:
        self._entries: dict[bytes, tuple[Identity, float]] = {}
        self._keys: dict[SessionId, bytes] = {}

    def get(self, token_hash: bytes) -> Identity | None:
        """Return the identity behind a token's hash if it was confirmed within the last minute."""
        entry = self._entries.get(token_hash)
        if entry is None:
            return None
        identity, kept_until = entry
        if trio.current_time() >= kept_until:
            self.forget(identity.session_id)
            return None
        return identity

    def put(self, token_hash: bytes, identity: Identity) -> None:
        self.forget(identity.session_id)
        if len(self._entries) >= SESSIONS_MAX:
            oldest, _ = next(iter(self._entries.values()))
            self.forget(oldest.session_id)
        self._entries[token_hash] = (identity, trio.current_time() + SESSION_AGE_S)
        self._keys[identity.session_id] = token_hash

    def forget(self, session_id: SessionId) -> None:
        key = self._keys.pop(session_id, None)
        if key is not None:
            del self._entries[key]

    def __len__(self) -> int:
        return len(self._entries)
