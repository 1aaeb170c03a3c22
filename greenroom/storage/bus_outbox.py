"""What waits to be sent: bounded, and honest about what it had to drop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from greenroom.storage.ports import BusNote

OUTBOX_NOTES_MAX: Final = 5_000
"""A few seconds of a busy worker. A wire that is further behind is better given up than queued for."""

SEND_NOTES_MAX: Final = 500
"""Notes per turn: some hundred kilobytes, a few milliseconds of writing them."""


class Outbox:
    """Notes on their way to the wire, first come first served."""

    def __init__(self, *, notes_max: int = OUTBOX_NOTES_MAX) -> None:
        self._notes_max = notes_max
        self._notes: list[BusNote] = []
        self._is_open = False
        self._has_dropped = False
        self._wake = trio.Event()

    def __len__(self) -> int:
        return len(self._notes)

    def add(self, notes: Sequence[BusNote]) -> int:
        """Queue what fits, nothing while closed; return how many notes were dropped."""
        room = self._notes_max - len(self._notes) if self._is_open else 0
        self._notes.extend(notes[:room])
        dropped = max(0, len(notes) - room)
        if dropped:
            self._has_dropped = True
        self._wake.set()
        return dropped

    def open(self) -> None:
        """Queue from now on."""
        self._is_open = True

    def close(self) -> int:
        """Drop what is queued and whatever comes; return how many notes were."""
        self._is_open = False
        dropped = len(self._notes)
        self._has_dropped = self._has_dropped or bool(dropped)
        self._notes.clear()
        return dropped

    def wake(self) -> None:
        """End one :meth:`wait` early."""
        self._wake.set()

    async def wait(self, *, until: float) -> None:
        """Wait until there is something to take, somebody wakes us, or that moment."""
        if not self._notes:
            self._wake = trio.Event()
            with trio.move_on_at(until):
                await self._wake.wait()

    def take(self) -> tuple[Sequence[BusNote], bool]:
        """Remove up to :data:`SEND_NOTES_MAX` notes; and whether any were dropped since the last time."""
        taken, self._notes = self._notes[:SEND_NOTES_MAX], self._notes[SEND_NOTES_MAX:]
        has_dropped, self._has_dropped = self._has_dropped, False
        return taken, has_dropped
