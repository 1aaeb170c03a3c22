"""Users, what they sign in with, and their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from greenroom.schema.ids import SessionId, UserId
from greenroom.schema.records import Session, User


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and the encoded argon2id hash of the password."""

    user: User
    password_hash: str


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that is good no more. ``has_expired``: it came to its end by itself, and nobody ended it before."""

    session_id: SessionId
    has_expired: bool


class Accounts(Protocol):
    """Users and their sessions."""

    async def create_user(self, user: User, password_hash: str) -> None:
        """Store a new user. E-mail addresses are compared without regard to case.

        Raises:
            EmailTaken: another user has the address; nothing was stored.
            Conflict: the id is taken; nothing was stored.
        """
        ...

    async def credentials(self, email: str) -> Credentials | None:
        """Find a user and the password's hash by e-mail address, without regard to case; None if nobody has it."""
        ...

    async def set_password_hash(self, user_id: UserId, password_hash: str) -> None:
        """Give a user another password.

        Raises:
            UserNotFound: no such user.
        """
        ...

    async def renew_password_hash(self, user_id: UserId, password_hash: str, *, former: str) -> bool:
        """Store the same password anew, with other parameters; False if the stored hash is ``former`` no more.

        Somebody may have changed the password meanwhile, and must not get the old one back.
        """
        ...

    async def user(self, user_id: UserId) -> User | None:
        """Find a user by id, deactivated ones included."""
        ...

    async def create_session(self, session: Session) -> None:
        """Store a new session.

        Raises:
            UserNotFound: its user does not exist.
            Conflict: its id or token hash is taken.
        """
        ...

    async def session(self, token_hash: bytes) -> tuple[Session, User] | None:
        """Find a session and its user by the SHA-256 of the token, revoked and expired ones included."""
        ...

    async def session_by_id(self, session_id: SessionId) -> tuple[Session, User] | None:
        """Find a session and its user by the session's id, revoked and expired ones included."""
        ...

    async def ended_sessions(self, session_ids: Sequence[SessionId], now: datetime) -> list[EndedSession]:
        """Of these, those that are good no more at ``now``, in one query and no order.

        They were revoked, have expired, are unknown, or belong to a user who was deactivated.
        """
        ...

    async def revoke_session(self, session_id: SessionId, now: datetime) -> bool:
        """Mark a session revoked; False if it is unknown or was revoked before."""
        ...

    async def delete_sessions_expired_before(self, moment: datetime, *, limit: int) -> int:
        """Delete at most ``limit`` sessions that expired before ``moment``; return how many."""
        ...
