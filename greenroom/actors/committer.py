"""The committer: one actor per worker that writes what many conversations have for it, in one transaction.

Group commit by natural batching: while a commit is under way new commands queue, and the next transaction takes them
all, up to a bound. There is no timer, so an idle server adds no delay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

import trio

from greenroom.actors.addresses import event_worker, mail_worker
from greenroom.actors.announcing import announce
from greenroom.actors.batch import Circumstances
from greenroom.actors.commands import Command
from greenroom.actors.commit import Committed, commit
from greenroom.actors.event_worker import WorkAwaits
from greenroom.schema.errors import DomainError, StorageUnavailable, Unavailable
from greenroom.schema.ids import Ids, UserId
from greenroom.schema.records import StoredEvent
from greenroom.storage.ports import Bus, Hint, Writes
from greenroom.supervisor import BatchActor, Delivery

BATCH_MAX: Final = 200
"""Commands per transaction: enough to spread the cost of a commit thin, few enough to keep row locks short. With 400 askers,
50 committed a third fewer messages per second; 100, 200 and 400 could not be told apart."""

COMMIT_TIMEOUT_S: Final = 5.0

EDIT_WINDOW: Final = timedelta(minutes=15)
"""For how long a message may be edited, unless the server is told otherwise: time for a slip of the pen, not to rewrite what
was agreed on."""


REMINDER_LEAD: Final = timedelta(hours=24)
"""How long before a lesson both are reminded of it, unless the server is told otherwise."""


class Committer(BatchActor[Command]):
    """Commits batches, answers each command after the commit returned, then publishes hints.

    A crash between commit and publish costs delay only: the streams' sweep finds what was not announced.
    """

    refusals = (DomainError,)

    def __init__(
        self,
        *,
        writes: Writes,
        bus: Bus,
        epoch: str,
        ids: Ids,
        wall: Callable[[], datetime],
        is_online: Callable[[UserId], bool],
        edit_window: timedelta = EDIT_WINDOW,
        reminder_lead: timedelta = REMINDER_LEAD,
    ) -> None:
        self._writes = writes
        self._bus = bus
        self._epoch = epoch
        self._ids = ids
        self._wall = wall
        self._is_online = is_online
        self._edit_window = edit_window
        self._reminder_lead = reminder_lead
        self._commits = 0
        self._commands = 0
        self._split_batches = 0

    async def handle_batch(self, batch: Sequence[Delivery[Command]]) -> None:
        try:
            committed = await self._commit([delivery.message for delivery in batch])
        except Unavailable as error:
            for delivery in batch:
                delivery.fail(error)
            return
        except Exception as error:
            await self._try_apart(batch, error)
            return
        self._answer(batch, committed)
        if committed.jobs:
            for worker in (event_worker, mail_worker):
                worker(self.ctx.system).tell(WorkAwaits())
        await self._announce(committed.events)

    def view(self) -> Mapping[str, object]:
        return {"commits": self._commits, "commands": self._commands, "split_batches": self._split_batches}

    async def _commit(self, commands: Sequence[Command]) -> Committed:
        try:
            with trio.fail_after(COMMIT_TIMEOUT_S):
                committed = await commit(self._writes, commands, circumstances=self._circumstances())
        except trio.TooSlowError as exc:
            raise StorageUnavailable("The database took too long to commit.") from exc
        self._commits += 1
        self._commands += len(commands)
        return committed

    def _circumstances(self) -> Circumstances:
        return Circumstances(
            ids=self._ids,
            now=self._wall(),
            is_online=self._is_online,
            edit_window=self._edit_window,
            reminder_lead=self._reminder_lead,
        )

    async def _try_apart(self, batch: Sequence[Delivery[Command]], error: Exception) -> None:
        """Give the bad command its error and its neighbours their due; a bug is raised once all are served."""
        if len(batch) == 1:
            batch[0].fail(error)
            if not isinstance(error, DomainError):
                raise error
            return
        self._split_batches += 1
        bug: Exception | None = None
        for delivery in batch:
            if delivery.deadline <= trio.current_time():
                delivery.fail(Unavailable("It could not be committed in time."))
                continue
            try:
                await self.handle_batch([delivery])
            except Exception as exc:
                bug = bug or exc
        if bug is not None:
            raise bug

    @staticmethod
    def _answer(batch: Sequence[Delivery[Command]], committed: Committed) -> None:
        for delivery, reply in zip(batch, committed.replies, strict=True):
            if isinstance(reply, DomainError):
                delivery.fail(reply)
            else:
                delivery.reply(reply)

    async def _announce(self, events: Sequence[StoredEvent]) -> None:
        await announce(self._bus, [Hint(u, self._epoch, run) for u, run in _by_user(events)])


def _by_user(events: Iterable[StoredEvent]) -> list[tuple[UserId, tuple[StoredEvent, ...]]]:
    """Group events by user; a stable sort keeps each user's events in order."""
    ordered = sorted(events, key=lambda event: event.user_id)
    return [(user_id, tuple(run)) for user_id, run in groupby(ordered, key=lambda event: event.user_id)]
