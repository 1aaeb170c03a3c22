"""Keeping N places filled with workers that serve.

1. A worker that dies is replaced at once; one that keeps dying, after a wait that grows.
2. A spare process has everything imported and waits for orders, so that a replacement serves in a fraction of a second. It
   costs the memory of one idle process. When it is taken the next is begun at once, so that a second loss soon after the
   first finds one that is at least under way.
3. A worker that is to go in order (it has answered its share of requests, or everything is rolled over) gets a successor
   first and drains when that one serves. One place at a time.
4. A worker whose event loop has not turned for half a minute is killed, which leads to 1.
5. When all are to stop, all drain at once, and together serve what waits in the sockets' queues.

The decisions are here, the processes behind the :class:`~greenroom.workers.process.Worker` port.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

import structlog
import trio

from greenroom.workers.control import Orders
from greenroom.workers.losses import Losses
from greenroom.workers.process import Worker

READY_TIMEOUT_S: Final = 60.0
"""From its orders to serving; half a second is usual."""

WEDGED_S: Final = 30.0
"""A worker speaks every second."""

LOOK_S: Final = 1.0

FIRST_STARTS_MAX: Final = 3
"""Attempts to fill a place for the first time: what keeps a worker from ever serving should be told, not tried for ever."""

STOP_GRACE_S: Final = 5.0
"""Beyond its own bound on draining, before a worker is killed."""

KILL_TIMEOUT_S: Final = 5.0
"""For a killed worker to be gone. One that waits in the kernel for a disk or a network file system may not go."""

_log = structlog.get_logger(__name__)


class WorkersDoNotStart(Exception):
    """Every first attempt to fill a place failed."""


@dataclass(slots=True)
class _Place:
    """One of the N. ``current`` serves, or is about to; None while there is nobody."""

    name: str
    current: Worker | None = None
    begun_at: float = 0.0
    requests_max: float = 0.0
    is_rolling: bool = False
    losses: Losses = field(default_factory=Losses)
    changed: trio.Event = field(default_factory=trio.Event)


class Crew:
    """See the module.

    Args:
        spawn: starts a worker that waits for orders; may raise OSError.
        orders: what to tell the worker of a place, by its name.
        drain_s: how long a worker may drain.
        requests_max: after about how many requests a worker is replaced; 0 for never.
        rng: spreads that number, so that workers do not come due together.
    """

    def __init__(
        self,
        *,
        size: int,
        spawn: Callable[[], Worker],
        orders: Callable[[str], Orders],
        drain_s: float,
        requests_max: int,
        rng: Random,
    ) -> None:
        self._places = [_Place(str(number)) for number in range(1, size + 1)]
        self._spawn = spawn
        self._orders = orders
        self._drain_s = drain_s
        self._requests_max = requests_max
        self._rng = rng
        self._spare: Worker | None = None
        self._living: set[Worker] = set()
        self._due, self._to_roll = trio.open_memory_channel[_Place](size)
        self._stopping = trio.Event()
        self._nursery: trio.Nursery | None = None
        self.restarts = 0

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Fill the places and keep them filled until :meth:`stop`; ``task_status`` is told once all serve.

        Raises:
            WorkersDoNotStart: a place could not be filled to begin with; in a group.
        """
        async with trio.open_nursery() as self._nursery:
            try:
                async with trio.open_nursery() as keeping:
                    keeping.start_soon(self._stop_keeping, keeping.cancel_scope)
                    async with trio.open_nursery() as filling:
                        for place in self._places:
                            filling.start_soon(self._fill, place, FIRST_STARTS_MAX)
                    task_status.started()
                    for place in self._places:
                        keeping.start_soon(self._keep, place)
                    keeping.start_soon(self._look_after)
                    keeping.start_soon(self._roll_one_by_one)
                # Only stop() ends that.
                await self._end_all()
                # Nobody is waited for who would not even be killed.
                self._nursery.cancel_scope.cancel()
            except BaseException:
                self.kill()
                raise

    def stop(self) -> None:
        """Have all workers drain and end; stopping twice is fine."""
        self._stopping.set()

    def kill(self) -> None:
        """End all workers at once."""
        for worker in self._living:
            worker.kill()

    def roll(self) -> None:
        """Replace every worker in order, one at a time; those that are being replaced are not replaced again."""
        if self._spare is not None:
            # It has read the settings and the code that are to be replaced.
            self._spare.kill()
            self._spare = None
        for place in self._places:
            self._roll(place)

    # Filling places.

    async def _fill(self, place: _Place, attempts: int | None = None) -> None:
        """Have somebody serve at a place, however many attempts it takes unless told otherwise."""
        while attempts is None or attempts > 0:
            attempts = None if attempts is None else attempts - 1
            worker = await self._start(place)
            if worker is not None and place.current is not None:
                # Its predecessor died while a successor was on its way in order, and that one came first.
                worker.kill()
                return
            if worker is not None:
                self._put(place, worker)
                return
            await trio.sleep(place.losses.note(lived_s=0.0))
        raise WorkersDoNotStart

    async def _start(self, place: _Place) -> Worker | None:
        """Start a worker for a place and wait until it serves; None if it does not come to that."""
        try:
            worker = self._take_spare() or self._spawn_listened()
        except OSError as exc:
            _log.error("worker_not_started", worker=place.name, reason=str(exc))
            return None
        began = trio.current_time()
        is_ready = False
        try:
            with trio.move_on_after(READY_TIMEOUT_S):
                await worker.begin(self._orders(place.name))
                is_ready = await worker.wait_ready()
        finally:
            if not is_ready:
                worker.kill()
        if not is_ready:
            _log.error("worker_not_ready", worker=place.name, pid=worker.pid)
            return None
        _log.info("worker_ready", worker=place.name, pid=worker.pid, after_s=round(trio.current_time() - began, 2))
        return worker

    def _put(self, place: _Place, worker: Worker) -> None:
        place.current = worker
        place.begun_at = trio.current_time()
        place.requests_max = self._requests_max * self._rng.uniform(0.8, 1.2)
        place.changed.set()
        place.changed = trio.Event()

    async def _keep(self, place: _Place) -> None:
        """Fill the place again whenever its worker ends unasked."""
        while True:
            worker = place.current
            if worker is None or not await self._is_lost(place, worker):
                if worker is None:
                    await self._fill(place)
                continue
            place.current = None
            self.restarts += 1
            pause_s = place.losses.note(lived_s=trio.current_time() - place.begun_at)
            status = await worker.wait_end()
            _log.warning("worker_lost", worker=place.name, pid=worker.pid, status=status, again_in_s=pause_s)
            await trio.sleep(pause_s)

    async def _is_lost(self, place: _Place, worker: Worker) -> bool:
        """Wait until the worker has ended (True), or another has taken its place."""
        changed = place.changed
        is_lost = False
        async with trio.open_nursery() as nursery:

            async def until_end() -> None:
                nonlocal is_lost
                await worker.wait_end()
                is_lost = place.current is worker
                nursery.cancel_scope.cancel()

            nursery.start_soon(until_end)
            await changed.wait()
            nursery.cancel_scope.cancel()
        return is_lost

    # Replacing in order.

    def _roll(self, place: _Place) -> None:
        if not place.is_rolling:
            place.is_rolling = True
            self._due.send_nowait(place)

    async def _roll_one_by_one(self) -> None:
        async for place in self._to_roll:
            try:
                successor = await self._start(place)
                if successor is None:
                    continue  # the old one stays, and may come due again
                predecessor = place.current
                self._put(place, successor)
                if predecessor is not None:
                    await self._end(predecessor, is_last=False)
                    _log.info("worker_replaced", worker=place.name, pid=successor.pid)
            finally:
                place.is_rolling = False

    async def _look_after(self) -> None:
        while True:
            now = trio.current_time()
            for place in self._places:
                worker = place.current
                if worker is None:
                    continue
                if now - worker.heard_at > WEDGED_S:
                    _log.error("worker_wedged", worker=place.name, pid=worker.pid)
                    worker.kill()
                elif self._requests_max and worker.requests >= place.requests_max:
                    self._roll(place)
            if self._spare is None:
                self._make_spare()  # at the start, after a roll, and if the last one died or could not be had
            await trio.sleep(LOOK_S)

    # The spare.

    def _make_spare(self) -> None:
        try:
            self._spare = self._spawn_listened()
        except OSError as exc:
            _log.warning("no_spare_worker", reason=str(exc))

    def _take_spare(self) -> Worker | None:
        spare, self._spare = self._spare, None
        if spare is not None:
            self._make_spare()
        return spare

    def _spawn_listened(self) -> Worker:
        worker = self._spawn()
        if self._nursery is None:
            raise RuntimeError("run() first")
        self._living.add(worker)
        self._nursery.start_soon(self._listen, worker)
        return worker

    async def _listen(self, worker: Worker) -> None:
        await worker.listen()
        self._living.discard(worker)  # not if this was cancelled: then it lives, and has to be killed
        if self._spare is worker:
            self._spare = None

    # Stopping.

    async def _stop_keeping(self, keeping: trio.CancelScope) -> None:
        await self._stopping.wait()
        keeping.cancel()

    async def _end_all(self) -> None:
        """End everybody, those included who were being replaced when the stop came."""
        if self._spare is not None:
            self._spare.kill()
        async with trio.open_nursery() as nursery:
            for worker in self._living:
                nursery.start_soon(self._end_last, worker)

    async def _end_last(self, worker: Worker) -> None:
        await self._end(worker, is_last=True)

    async def _end(self, worker: Worker, *, is_last: bool) -> None:
        with trio.move_on_after(self._drain_s + STOP_GRACE_S):
            await worker.stop(is_last=is_last)
            await worker.wait_end()
            return
        _log.error("worker_killed", pid=worker.pid, reason="it did not end in time")
        worker.kill()
        with trio.move_on_after(KILL_TIMEOUT_S):
            await worker.wait_end()
            return
        _log.error("worker_not_ended", pid=worker.pid)
