"""Where streams stand, read for many at once: what is asked for while a query is under way shares the next one.

A thousand streams that come back in the same instant cost some ten queries, and none of them is refused because a
thousand others asked for a database connection at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

import trio

from greenroom.schema.errors import DomainError, PoolExhausted, UserNotFound
from greenroom.schema.ids import UserId
from greenroom.schema.records import StreamHead
from greenroom.storage.ports import Streams

HEADS_MAX: Final = 1_000
"""Users per query."""

PATIENCE_S: Final = 5.0
"""For a database connection to come free; a stream that is refused is one that an EventSource gives up for good."""

PAUSE_S: Final = 0.1


@dataclass(slots=True)
class _Wanted:
    """Somebody's head; ``outcome`` is None until it was read, or failed to be."""

    user_id: UserId
    outcome: StreamHead | DomainError | None = None


class StreamHeads:
    """Reads heads, one query at a time."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._wanted: list[_Wanted] = []
        self._turn = trio.CapacityLimiter(1)

    async def read(self, user_id: UserId) -> StreamHead:
        """Where the user's stream stands, at some moment after this was called.

        Raises:
            UserNotFound: no such user.
            Unavailable: the database does not answer.
        """
        mine = _Wanted(user_id)
        self._wanted.append(mine)
        try:
            async with self._turn:
                # Whoever had the turn before may have read ours as well.
                while mine.outcome is None:
                    await self._read_wanted()
        finally:
            if mine.outcome is None:
                self._wanted.remove(mine)
        if isinstance(mine.outcome, DomainError):
            raise mine.outcome.with_traceback(None)
        return mine.outcome

    async def _read_wanted(self) -> None:
        # They stay wanted meanwhile: if this is cancelled, the next in turn reads for all of them.
        batch = list(islice(self._wanted, HEADS_MAX))
        found: Mapping[UserId, StreamHead] = {}
        failure: DomainError = UserNotFound("No such user.")
        try:
            found = await self._patiently(list(dict.fromkeys(wanted.user_id for wanted in batch)))
        except DomainError as error:
            failure = error
        for wanted in batch:
            wanted.outcome = found.get(wanted.user_id, failure)
        self._wanted = [wanted for wanted in self._wanted if wanted.outcome is None]

    async def _patiently(self, user_ids: list[UserId]) -> Mapping[UserId, StreamHead]:
        give_up_at = trio.current_time() + PATIENCE_S
        while True:
            try:
                return await self._streams.heads(user_ids)
            except PoolExhausted:
                if trio.current_time() >= give_up_at:
                    raise
                await trio.sleep(PAUSE_S)
