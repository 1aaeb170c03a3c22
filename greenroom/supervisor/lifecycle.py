"""What happens to actors, as a stream of events for operators, and as log lines for those that matter."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.supervisor.exits import ExitKind, ExitReason
from greenroom.supervisor.meter import MessageHeader
from greenroom.supervisor.park_slot import ParkSlot

if TYPE_CHECKING:
    from greenroom.supervisor.cell import Cell
    from greenroom.supervisor.child import Child
    from greenroom.supervisor.system import ActorSystem

BUFFER_MAX = 1000  # events kept for one slow subscriber; a few hundred kilobytes

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LifecycleEvent:
    """One thing that happened to an actor or a supervisor.

    ``event`` is ``actor.started``, ``actor.restarted``, ``actor.failed``, ``actor.stopped``, ``actor.passivated``,
    ``actor.wedged``, ``actor.message`` (of a traced actor), ``supervisor.gave_up``, or ``lagged``: the subscriber
    was too slow and ``missed`` events are gone.
    """

    event: str
    at: float  # Trio's clock
    path: str = ""
    kind: str = ""
    key: str | None = None
    incarnation: int = 0
    reason: ExitReason | None = None
    header: MessageHeader | None = None
    missed: int = 0


class Subscription:
    """One reader's bounded buffer: ``async for event in subscription``. One reader per subscription."""

    def __init__(self, system: ActorSystem) -> None:
        self._system = system
        self._events: deque[LifecycleEvent] = deque(maxlen=BUFFER_MAX)
        self._missed = 0
        self._parking = ParkSlot()

    def __aiter__(self) -> AsyncIterator[LifecycleEvent]:
        return self

    async def __anext__(self) -> LifecycleEvent:
        return await self.receive()

    async def receive(self) -> LifecycleEvent:
        """The next event, waited for; a ``lagged`` marker comes first if any were lost."""
        while not self._events:
            await self._parking.park()
        return self.receive_nowait()

    def receive_nowait(self) -> LifecycleEvent:
        """The next event.

        Raises:
            IndexError: there is none yet.
        """
        if self._missed:
            missed, self._missed = self._missed, 0
            return LifecycleEvent("lagged", self._system.now(), missed=missed)
        return self._events.popleft()

    def push(self, event: LifecycleEvent) -> None:
        """Add an event; when the buffer is full the oldest makes room and is counted as missed."""
        if len(self._events) == BUFFER_MAX:
            self._missed += 1
        self._events.append(event)
        self._parking.wake()


class Lifecycle:
    """Publishes events to whoever subscribed. Costs next to nothing when nobody did."""

    def __init__(self, system: ActorSystem) -> None:
        self._system = system
        self._subscriptions: list[Subscription] = []

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """Follow what happens for the length of the block, from its beginning on."""
        subscription = Subscription(self._system)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)

    def started(self, child: Child) -> None:
        self._publish("actor.restarted" if child.is_restart else "actor.started", child)

    def failed(self, child: Child, reason: ExitReason) -> None:
        # Being cancelled from above is no news: a whole tree of them ends so when its block is cancelled.
        level = logging.INFO if reason.kind is ExitKind.KILLED else logging.WARNING
        _log.log(level, "%s failed: %s", child.path, reason, exc_info=reason.exception)
        self._publish("actor.failed", child, reason)

    def stopped(self, child: Child, reason: ExitReason) -> None:
        self._publish("actor.stopped", child, reason)

    def passivated(self, child: Child) -> None:
        self._publish("actor.passivated", child)

    def wedged(self, child: Child) -> None:
        _log.error("%s is wedged: told to stop and cancelled, and still alive", child.path)
        self._publish("actor.wedged", child, child.kill_reason)

    def gave_up(self, supervisor: Child, why: str) -> None:
        _log.error("%s gave up: %s", supervisor.path, why)
        self._publish("supervisor.gave_up", supervisor, ExitReason.shutdown(why))

    def message(self, cell: Cell, header: MessageHeader) -> None:
        self._publish("actor.message", cell, header=header)

    def _publish(
        self, event: str, child: Child, reason: ExitReason | None = None, header: MessageHeader | None = None
    ) -> None:
        if self._subscriptions:
            now, incarnation = self._system.now(), child.incarnation
            record = LifecycleEvent(event, now, child.path, child.kind, child.key, incarnation, reason, header)
            for subscription in self._subscriptions:
                subscription.push(record)
