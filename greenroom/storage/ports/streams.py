"""Users' event streams, as they are read and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from greenroom.schema.ids import UserId
from greenroom.schema.records import StoredEvent, StreamHead, SyncSnapshot


class Streams(Protocol):
    """Reads of users' event streams, and their retention."""

    async def epoch(self) -> str:
        """The name of this database's history, part of every cursor."""
        ...

    async def head(self, user_id: UserId) -> StreamHead:
        """Where the user's stream stands.

        Raises:
            UserNotFound: no such user.
        """
        ...

    async def heads(self, user_ids: Sequence[UserId]) -> Mapping[UserId, StreamHead]:
        """The heads of many users in one query; unknown users are absent."""
        ...

    async def events_after(self, user_id: UserId, after: int, *, limit: int) -> list[StoredEvent]:
        """The ``limit`` oldest kept events with ``seq`` > ``after``, in order, without a gap between them.

        If the first one is not ``after + 1``, the floor has passed ``after``. What was stored of a message that has been
        deleted since is told without its words.
        """
        ...

    async def snapshot(self, user_id: UserId, *, conversations_max: int, now: datetime) -> SyncSnapshot:
        """Conversations (newest activity first, trashed ones left out), total unread and head, from one snapshot.

        Raises:
            UserNotFound: no such user.
        """
        ...

    async def keep_events_since(self, moment: datetime, now: datetime) -> int:
        """Drop what is wholly older than ``moment``, raising the floors, and prepare storage for what comes after ``now``.

        Returns how many partitions were dropped. Safe to run on several workers at once.
        """
        ...
