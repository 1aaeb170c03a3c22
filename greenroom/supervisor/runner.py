"""The task of one incarnation: where an exception stops being one and becomes an exit reason.

A Trio nursery is not a supervisor: a child task that raises cancels its healthy siblings. So every incarnation runs
in here, and this is what holds:

1. What a behaviour raises ends its own scope only. It becomes an :class:`ExitReason` for the supervisor and the task
   returns normally.
2. Cancellation, KeyboardInterrupt, SystemExit and Trio's internal error are never kept, not even from inside an
   exception group: they go on to whom they belong, after the incarnation has been wound down.
3. The one shield of the kernel is here, around ``terminate()``, and it is bounded. Without a shield an await during
   cancellation is cancelled at once; with an unbounded one a system may never stop.
4. The supervisor hears of the end when everything the incarnation held has been given back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from greenroom.supervisor.crashes import reason_of, split_fatal
from greenroom.supervisor.exits import KILLED, ExitReason

if TYPE_CHECKING:
    from greenroom.supervisor.child import Child


async def run(child: Child) -> None:
    """Run one incarnation of ``child`` from start to end and report the end to its owner."""
    reason: ExitReason | None = None
    crash: BaseException | None = None
    fatal: BaseException | None = None
    child.task = trio.lowlevel.current_task()
    try:
        with child.scope:
            reason = await child.start()
            if reason is None:
                reason = await child.live()
    except GeneratorExit:
        raise  # the event loop itself is being torn down; nothing can be awaited any more
    except BaseException as error:
        fatal, crash = split_fatal(error)
    # A cancelled behaviour may raise on its way out; why it was cancelled is the better reason.
    reason = reason or child.kill_reason or (reason_of(crash) if crash is not None else KILLED)

    if child.has_loose_ends:
        also_fatal, crash = await _wind_down(child, reason)
        fatal = fatal or also_fatal
        if crash is not None and reason.is_clean:
            reason = reason_of(crash)
    child.settle(reason)
    child.ended(reason)
    if fatal is not None:
        raise fatal


async def _wind_down(child: Child, reason: ExitReason) -> tuple[BaseException | None, BaseException | None]:
    bound = trio.current_time() + child.terminate_s
    if child.stop_reason is not None:
        bound = max(bound, child.stop_by)
    child.expect_end_by(bound)
    try:
        with trio.CancelScope(deadline=bound, shield=True):
            await child.wind_down(reason)
        if child.has_loose_ends:
            # Something in there shields itself. It cannot be ended and must not be replaced while it lives, so this
            # task stays with it, unshielded: if the whole tree is cancelled, the nursery above does the waiting.
            child.mark_wedged()
            await child.wind_down(reason)
    except GeneratorExit:
        raise
    except BaseException as error:
        return split_fatal(error)
    return None, None
