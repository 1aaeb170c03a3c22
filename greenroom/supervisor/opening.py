"""The span of a system: opened with a block, up while it runs, and gone after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import trio

from greenroom.supervisor.crashes import split_fatal
from greenroom.supervisor.specs import SupervisorSpec
from greenroom.supervisor.system import ActorSystem


@asynccontextmanager
async def open_system(
    root: SupervisorSpec,
    *,
    seed: int = 0,
    wall: Callable[[], datetime] | None = None,
    name: str = "greenroom",
    shutdown_s: float = 30.0,
    vary_turns: bool = False,
) -> AsyncIterator[ActorSystem]:
    """Run a tree of actors for the length of the block.

    On entry all static children are up. On leaving the block the system is shut down within ``shutdown_s``; if the
    block is cancelled, everything is cancelled at once instead, and ``terminate`` still runs. No task outlives it.

    Args:
        root: the root supervisor; paths begin with its name.
        seed: of all randomness in the kernel and in ``ctx.rng``. The same seed gives the same run, where Trio's
            scheduler does too.
        wall: the wall clock, read once, to show times of day.
        name: of the system's own tasks.
        vary_turns: draw the length of every turn from the seed, for simulation: what depends on batch size shows.

    Raises:
        StartFailed: a static child did not start. What was started has been stopped.
        RootExited: the root supervisor gave up while the block ran; the block was cancelled.
    """
    system = ActorSystem(name, root, seed, wall, vary_turns)
    try:
        async with trio.open_nursery() as nursery:
            await system.run(nursery)
            try:
                yield system
            finally:
                await system.shutdown(shutdown_s)
                system.timers.stop()
    except BaseExceptionGroup as group:
        # A nursery wraps even a lone exception of its body; callers should see what their block raised.
        fatal, other = split_fatal(group)
        if fatal is None and other is not None and not isinstance(other, BaseExceptionGroup):
            raise other from other.__cause__
        if other is None and fatal is not None and not isinstance(fatal, BaseExceptionGroup):
            raise fatal from fatal.__cause__
        raise
    system.close()
