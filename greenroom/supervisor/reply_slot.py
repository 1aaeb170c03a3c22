"""Where an answer is awaited: one task, one answer, one deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import Abort, current_task, wait_task_rescheduled

from greenroom.supervisor.park_slot import wake

if TYPE_CHECKING:
    from greenroom.supervisor.cell import Cell
    from greenroom.supervisor.timers import Timers


class ReplySlot:
    """A one-shot place for an answer.

    1. It is settled once: by an answer, a failure, its deadline, or the asker going away. Whoever comes later is
       told so and nothing else happens: a late reply can neither crash nor block the one who gives it.
    2. The waiting task parks on the slot itself and the deadline is an entry of the system's timer heap. A cancel
       scope per call would cost about as much as the rest of the call.
    """

    __slots__ = ("_error", "_task", "_value", "expired", "handler_scope", "is_over", "started_at", "target")

    def __init__(self) -> None:
        self.is_over = False
        self.expired = False
        self.target: Cell | None = None  # where the request is now; forwarding moves it
        self.started_at: float | None = None  # when that target's handler took it up
        self.handler_scope: trio.CancelScope | None = None  # set while a cancellable handler works on it
        self._task: trio.lowlevel.Task | None = None
        self._value: object = None
        self._error: BaseException | None = None

    def send(self, value: object) -> bool:
        """Settle with an answer. False when it came too late."""
        if self.is_over:
            return False
        self._value = value
        self._settle()
        return True

    def fail(self, error: BaseException) -> bool:
        """Settle with an exception for the asker. False when it came too late."""
        if self.is_over:
            return False
        self._error = error
        self._settle()
        return True

    def expire(self) -> None:
        """The deadline passed (called by the timer heap)."""
        self.expired = True
        self._settle()
        self._cancel_handler("its asker's deadline passed")

    async def wait(self, timers: Timers, deadline: float) -> None:
        """Wait until settled, at most until ``deadline``. Then look at ``expired`` and call :meth:`result`."""
        if not self.is_over:
            self._task = current_task()
            timers.at(deadline, self)
            await wait_task_rescheduled(self._abandon)

    def result(self) -> Any:
        """The answer, or raise the failure."""
        if self._error is not None:
            raise self._error
        return self._value

    def _settle(self) -> None:
        self.is_over = True
        task = self._task
        if task is not None:
            self._task = None
            wake(task)

    def _abandon(self, _raise_cancel: Callable[[], Any]) -> Abort:
        self.is_over = True
        self._task = None
        self._cancel_handler("its asker went away")
        return Abort.SUCCEEDED

    def _cancel_handler(self, reason: str) -> None:
        if self.handler_scope is not None:
            self.handler_scope.cancel(reason)
