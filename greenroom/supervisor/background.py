"""Background tasks of one incarnation: its nursery, opened by the first of them.

Most actors have no background task, and a nursery costs several times the memory and the start-up of the actor
itself. So an incarnation runs without one; the first ``start_task`` starts a keeper task in the supervisor's
nursery, and the keeper holds the nursery for as long as the incarnation lives.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import trio

from greenroom.supervisor.calls import Aside, caller
from greenroom.supervisor.crashes import split_fatal

if TYPE_CHECKING:
    from greenroom.supervisor.cell import Cell

Job = tuple[Callable[..., Awaitable[object]], tuple[object, ...], str, Aside]


class BackgroundTasks:
    """A nursery whose life is that of an incarnation: a crash in it crashes the incarnation, and the end of the
    incarnation cancels it and waits for it."""

    __slots__ = ("_cell", "_incarnation", "_is_over", "_nursery", "_pending", "_scope", "count")

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._incarnation = cell.incarnation
        self._scope = trio.CancelScope()
        self._nursery: trio.Nursery | None = None
        self._pending: list[Job] = []
        self._is_over = trio.Event()
        self.count = 0
        cell.spawn(self._keep, f"{cell.path} background")

    def start(self, fn: Callable[..., Awaitable[object]], args: tuple[object, ...], name: str | None) -> None:
        """Run ``fn(*args)`` on behalf of the message in hand; at once, or as soon as the nursery is open."""
        current = self._cell.current
        # Taken here, because the message in hand may be done before the task runs.
        behalf = Aside(current.trace if current else None, is_inside=True, path=self._cell.path)
        job = (fn, args, f"{self._cell.path} {name or getattr(fn, '__name__', 'task')}", behalf)
        self.count += 1
        if self._nursery is None:
            self._pending.append(job)
        else:
            self._start(self._nursery, job)

    def cancel(self) -> None:
        """Cancel every task, those yet to be started too. Doing it twice is fine."""
        self._scope.cancel("its incarnation ended")

    @property
    def is_over(self) -> bool:
        """True once nothing of it runs any more."""
        return self._is_over.is_set()

    async def wait_over(self) -> None:
        """Wait until nothing of it runs any more. Unbounded: a task may shield itself."""
        await self._is_over.wait()

    async def _keep(self) -> None:
        """Hold the nursery. Failures are handed to the incarnation, so nothing but cancellation leaves this task."""
        try:
            with self._scope:
                async with trio.open_nursery() as self._nursery:
                    for job in self._pending:
                        self._start(self._nursery, job)
                    await trio.sleep_forever()
        except BaseException as error:
            fatal, failure = split_fatal(error)
            if failure is not None:
                self._cell.crash(self._incarnation, failure)
            if fatal is not None:
                raise fatal from None
        finally:
            self._is_over.set()

    def _start(self, nursery: trio.Nursery, job: Job) -> None:
        fn, args, name, behalf = job
        nursery.start_soon(self._run, fn, args, behalf, name=name)

    async def _run(self, fn: Callable[..., Awaitable[object]], args: tuple[object, ...], behalf: Aside) -> None:
        caller.set(behalf)
        try:
            await fn(*args)
        finally:
            self.count -= 1
