"""One task waiting to be woken, at the price of nothing but the task switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio
from trio.lowlevel import Abort, current_task, reschedule, wait_task_rescheduled

from greenroom.supervisor.errors import BrokenInvariant


class ParkSlot:
    """Lets one task sleep until somebody wakes it.

    There is no memory of a wake-up: the sleeper looks at its own queue before it parks, and since no other task can
    run between that look and the park, no wake-up is lost. A ``trio.Event`` per message would allocate; a memory
    channel would keep a second queue.
    """

    __slots__ = ("_task",)

    def __init__(self) -> None:
        self._task: trio.lowlevel.Task | None = None

    async def park(self) -> None:
        """Sleep until :meth:`wake`. A checkpoint; at most one task at a time."""
        if self._task is not None:
            raise BrokenInvariant("one task parks here at a time")
        self._task = current_task()
        await wait_task_rescheduled(self._abort)

    def wake(self) -> None:
        """Wake the sleeper, if there is one."""
        task = self._task
        if task is not None:
            self._task = None
            reschedule(task)

    def _abort(self, _raise_cancel: Callable[[], Any]) -> Abort:
        self._task = None
        return Abort.SUCCEEDED
