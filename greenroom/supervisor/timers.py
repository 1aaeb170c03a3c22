"""Every deadline of a system, on one heap and in one task.

An actor that waits for an idle limit, an ask that waits for its reply and a child that waits out its backoff are
entries here, not tasks and not cancel scopes. The task sleeps until the next real deadline and nothing else wakes
it, so an idle system under a virtual clock lets that clock jump.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Protocol

import trio


class Timed(Protocol):
    """An entry of the heap: ``expire()`` is called once at its time, unless it ``is_over`` by then."""

    @property
    def is_over(self) -> bool:
        """True once nothing is to happen any more; the heap may forget it."""

    def expire(self) -> None:
        """The time has come. Must not raise, and not wait."""


class Timer:
    """A callback at a time. ``cancel()`` is idempotent and free; the heap drops the entry when it gets there."""

    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    @property
    def is_over(self) -> bool:
        return self._callback is None

    def cancel(self) -> None:
        self._callback = None

    def expire(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


class Timers:
    """A heap of deadlines ordered by time, then by the order they were set: a run is the same every time."""

    # Below this many entries a sweep is not worth its while.
    SWEEP_MIN = 1024

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timed]] = []
        self._count = 0
        self._sweep_at = self.SWEEP_MIN
        self._scope = trio.CancelScope()
        self._wakes_at = math.inf
        self._is_stopped = False

    def __len__(self) -> int:
        """Entries still on the heap, those already over included."""
        return len(self._heap)

    def at(self, deadline: float, entry: Timed) -> None:
        """Call ``entry.expire()`` at ``deadline``; never, when that is infinite. Never calls it before returning."""
        if deadline == math.inf:
            return
        self._count += 1
        heap = self._heap
        heapq.heappush(heap, (deadline, self._count, entry))
        if deadline < self._wakes_at:
            self._wakes_at = self._scope.deadline = deadline
        if len(heap) >= self._sweep_at:
            self._sweep()

    def call_at(self, deadline: float, callback: Callable[[], None]) -> Timer:
        """Like :meth:`at` with a plain callback, which must not raise."""
        timer = Timer(callback)
        self.at(deadline, timer)
        return timer

    def stop(self) -> None:
        """Let :meth:`run` return; nothing fires any more."""
        self._is_stopped = True
        self._heap.clear()
        self._scope.cancel("the system is closed")

    async def run(self) -> None:
        """Fire what is due until stopped."""
        while not self._is_stopped:
            self._fire(trio.current_time())
            with trio.CancelScope(deadline=self._wakes_at) as self._scope:
                await trio.sleep_forever()

    def _fire(self, now: float) -> None:
        heap = self._heap
        while heap and (heap[0][0] <= now or heap[0][2].is_over):
            _, _, entry = heapq.heappop(heap)
            if not entry.is_over:
                entry.expire()
        self._wakes_at = heap[0][0] if heap else math.inf

    def _sweep(self) -> None:
        """Drop entries that are over. An answered ask leaves its deadline behind; without this, a busy system would
        hold one entry for every ask of the last few seconds."""
        live = [item for item in self._heap if not item[2].is_over]
        heapq.heapify(live)
        self._heap[:] = live
        self._sweep_at = max(self.SWEEP_MIN, 2 * len(live))
