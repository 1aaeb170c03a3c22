"""Looking at every child without keeping anybody else waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import trio

from greenroom.supervisor.child import Child

if TYPE_CHECKING:
    from greenroom.supervisor.system import ActorSystem

SCAN_CHUNK = 500  # children looked at between two checkpoints; well below a millisecond


async def scan(system: ActorSystem, look_at: Callable[[Sequence[Child]], None]) -> None:
    """Show every child to ``look_at``, some at a time, with a checkpoint between: however many there are, nobody else
    waits for longer than a chunk takes. What starts meanwhile is not seen; what ends meanwhile still is."""
    children = system.registry.children()
    for start in range(0, len(children), SCAN_CHUNK):
        look_at(children[start : start + SCAN_CHUNK])
        await trio.lowlevel.checkpoint()
