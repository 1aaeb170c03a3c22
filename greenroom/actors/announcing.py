"""Putting notes on the bus, for as long as that is worth waiting for: a note that is lost only delays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from greenroom.storage.ports import Bus, BusNote

PUBLISH_TIMEOUT_S: Final = 0.25


async def announce(bus: Bus, notes: Sequence[BusNote]) -> None:
    """Publish ``notes``; give up silently after a quarter of a second."""
    with trio.move_on_after(PUBLISH_TIMEOUT_S):
        await bus.publish(notes)
