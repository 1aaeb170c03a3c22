"""Users and sessions in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from greenroom.schema.errors import UserNotFound
from greenroom.schema.ids import SessionId, UserId
from greenroom.schema.records import Session, User
from greenroom.storage.ports import Credentials, EndedSession
from greenroom.storage.postgres import rows
from greenroom.storage.postgres.pool import Pool

CREATE_USER: Final = """
-- create_user: a user and an empty stream.
WITH created AS (
    INSERT INTO users (id, email, display_name, role, is_active, created_at, password_hash)
    VALUES (%(id)s, %(email)s, %(display_name)s, %(role)s, %(is_active)s, %(created_at)s, %(password_hash)s)
    RETURNING id)
INSERT INTO user_streams (user_id) SELECT id FROM created
"""

CREDENTIALS: Final = """
-- credentials: a user by e-mail address, without regard to case.
SELECT id, email, display_name, role, is_active, created_at, password_hash
  FROM users WHERE lower(email) = lower(%(email)s)
"""

REPLACE_HASH: Final = """
-- replace_hash: of a user's password.
UPDATE users SET password_hash = %(password_hash)s WHERE id = %(id)s
"""

RENEW_HASH: Final = """
-- renew_hash: of a user's password, unless that is another one by now.
UPDATE users SET password_hash = %(password_hash)s WHERE id = %(id)s AND password_hash = %(former)s
"""

USER: Final = """
-- user: by id.
SELECT id, email, display_name, role, is_active, created_at FROM users WHERE id = %(id)s
"""

CREATE_SESSION: Final = """
-- create_session: for an existing user.
INSERT INTO sessions (id, user_id, token_hash, created_at, expires_at, revoked_at)
VALUES (%(id)s, %(user_id)s, %(token_hash)s, %(created_at)s, %(expires_at)s, %(revoked_at)s)
"""

SESSION: Final = """
-- session: a session and its user by token hash, revoked and expired ones included.
SELECT s.id, s.user_id, s.token_hash, s.created_at, s.expires_at, s.revoked_at,
       u.id, u.email, u.display_name, u.role, u.is_active, u.created_at
  FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = %(token_hash)s
"""

SESSION_BY_ID: Final = """
-- session_by_id: a session and its user by id, revoked and expired ones included.
SELECT s.id, s.user_id, s.token_hash, s.created_at, s.expires_at, s.revoked_at,
       u.id, u.email, u.display_name, u.role, u.is_active, u.created_at
  FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = %(id)s
"""

ENDED_SESSIONS: Final = """
-- ended_sessions: of many sessions, those that are good no more. Walks the primary keys.
SELECT wanted.id, s.revoked_at IS NULL AND u.is_active IS TRUE AS has_expired
  FROM unnest(%(session_ids)s::text[]) AS wanted (id)
  LEFT JOIN sessions s ON s.id = wanted.id
  LEFT JOIN users u ON u.id = s.user_id
 WHERE s.id IS NULL OR s.revoked_at IS NOT NULL OR NOT u.is_active OR s.expires_at <= %(now)s
"""

REVOKE_SESSION: Final = """
-- revoke_session: unless it was revoked before.
UPDATE sessions SET revoked_at = %(now)s WHERE id = %(id)s AND revoked_at IS NULL
"""

DELETE_EXPIRED_SESSIONS: Final = """
-- delete_expired_sessions: a bounded number; those that somebody else is deleting are left to them.
DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE expires_at < %(moment)s
     ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""


class PostgresAccounts:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create_user(self, user: User, password_hash: str) -> None:
        params = {
            "id": user.id,
            "email": user.email,
            "display_name": user.display_name,
            "role": user.role.value,
            "is_active": user.is_active,
            "created_at": user.created_at,
            "password_hash": password_hash,
        }
        await self._pool.run(CREATE_USER, params)

    async def credentials(self, email: str) -> Credentials | None:
        found = await self._pool.fetch(CREDENTIALS, {"email": email}, rows.credentials)
        return found[0] if found else None

    async def set_password_hash(self, user_id: UserId, password_hash: str) -> None:
        if not await self._pool.run(REPLACE_HASH, {"id": user_id, "password_hash": password_hash}):
            raise UserNotFound("No such user.")

    async def renew_password_hash(self, user_id: UserId, password_hash: str, *, former: str) -> bool:
        params = {"id": user_id, "password_hash": password_hash, "former": former}
        return await self._pool.run(RENEW_HASH, params) > 0

    async def user(self, user_id: UserId) -> User | None:
        found = await self._pool.fetch(USER, {"id": user_id}, rows.user)
        return found[0] if found else None

    async def create_session(self, session: Session) -> None:
        params = {
            "id": session.id,
            "user_id": session.user_id,
            "token_hash": session.token_hash,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
            "revoked_at": session.revoked_at,
        }
        await self._pool.run(CREATE_SESSION, params)

    async def session(self, token_hash: bytes) -> tuple[Session, User] | None:
        found = await self._pool.fetch(SESSION, {"token_hash": token_hash}, rows.session_and_user)
        return found[0] if found else None

    async def session_by_id(self, session_id: SessionId) -> tuple[Session, User] | None:
        found = await self._pool.fetch(SESSION_BY_ID, {"id": session_id}, rows.session_and_user)
        return found[0] if found else None

    async def ended_sessions(self, session_ids: Sequence[SessionId], now: datetime) -> list[EndedSession]:
        params = {"session_ids": list(session_ids), "now": now}
        return await self._pool.fetch(ENDED_SESSIONS, params, rows.ended_session)

    async def revoke_session(self, session_id: SessionId, now: datetime) -> bool:
        return await self._pool.run(REVOKE_SESSION, {"id": session_id, "now": now}) > 0

    async def delete_sessions_expired_before(self, moment: datetime, *, limit: int) -> int:
        return await self._pool.run(DELETE_EXPIRED_SESSIONS, {"moment": moment, "limit": limit})
