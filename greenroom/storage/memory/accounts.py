"""Users and sessions, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.schema.errors import Conflict, EmailTaken, UserNotFound
from greenroom.schema.ids import SessionId, UserId
from greenroom.schema.records import Session, StreamHead, User
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.ports import Credentials, EndedSession


class MemoryAccounts:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def create_user(self, user: User, password_hash: str) -> None:
        async with self._database.operation("accounts.create_user"):
            tables = self._database.tables
            if user.id in tables.users:
                raise Conflict(f"User {user.id} exists.")
            if user.email.lower() in tables.emails:
                raise EmailTaken("This e-mail address is taken.")
            tables.users[user.id] = user
            tables.password_hashes[user.id] = password_hash
            tables.emails[user.email.lower()] = user.id
            tables.streams[user.id] = StreamHead(user_id=user.id, last_seq=0, floor_seq=0)

    async def credentials(self, email: str) -> Credentials | None:
        async with self._database.operation("accounts.credentials"):
            tables = self._database.tables
            user_id = tables.emails.get(email.lower())
            return None if user_id is None else Credentials(tables.users[user_id], tables.password_hashes[user_id])

    async def set_password_hash(self, user_id: UserId, password_hash: str) -> None:
        async with self._database.operation("accounts.set_password_hash"):
            if user_id not in self._database.tables.users:
                raise UserNotFound("No such user.")
            self._database.tables.password_hashes[user_id] = password_hash

    async def renew_password_hash(self, user_id: UserId, password_hash: str, *, former: str) -> bool:
        async with self._database.operation("accounts.renew_password_hash"):
            hashes = self._database.tables.password_hashes
            if hashes.get(user_id) != former:
                return False
            hashes[user_id] = password_hash
            return True

    async def user(self, user_id: UserId) -> User | None:
        async with self._database.operation("accounts.user"):
            return self._database.tables.users.get(user_id)

    async def create_session(self, session: Session) -> None:
        async with self._database.operation("accounts.create_session"):
            tables = self._database.tables
            if session.user_id not in tables.users:
                raise UserNotFound("No such user.")
            if session.id in tables.sessions or session.token_hash in tables.sessions_by_token:
                raise Conflict(f"Session {session.id} or its token exists.")
            tables.sessions[session.id] = session
            tables.sessions_by_token[session.token_hash] = session.id

    async def session(self, token_hash: bytes) -> tuple[Session, User] | None:
        async with self._database.operation("accounts.session"):
            session_id = self._database.tables.sessions_by_token.get(token_hash)
            return None if session_id is None else self._session(session_id)

    async def session_by_id(self, session_id: SessionId) -> tuple[Session, User] | None:
        async with self._database.operation("accounts.session_by_id"):
            return self._session(session_id)

    def _session(self, session_id: SessionId) -> tuple[Session, User] | None:
        session = self._database.tables.sessions.get(session_id)
        return None if session is None else (session, self._database.tables.users[session.user_id])

    async def ended_sessions(self, session_ids: Sequence[SessionId], now: datetime) -> list[EndedSession]:
        async with self._database.operation("accounts.ended_sessions"):
            ended = []
            for session_id in session_ids:
                found = self._session(session_id)
                is_held = found is not None and found[0].revoked_at is None and found[1].is_active
                if found is None or not is_held or found[0].expires_at <= now:
                    ended.append(EndedSession(session_id, has_expired=is_held))
            return ended

    async def revoke_session(self, session_id: SessionId, now: datetime) -> bool:
        async with self._database.operation("accounts.revoke_session"):
            session = self._database.tables.sessions.get(session_id)
            if session is None or session.revoked_at is not None:
                return False
            self._database.tables.sessions[session_id] = replace(session, revoked_at=now)
            return True

    async def delete_sessions_expired_before(self, moment: datetime, *, limit: int) -> int:
        async with self._database.operation("accounts.delete_sessions_expired_before"):
            tables = self._database.tables
            expired = [s for s in tables.sessions.values() if s.expires_at < moment]
            deleted = sorted(expired, key=lambda session: session.expires_at)[:limit]
            for session in deleted:
                del tables.sessions[session.id], tables.sessions_by_token[session.token_hash]
            return len(deleted)
