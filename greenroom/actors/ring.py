"""The newest events of one user's stream, in memory: a client that was away for seconds resumes without a query."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from greenroom.schema.events import Frame

RING_EVENTS: Final = 128

RING_BYTES: Final = 256 * 1024
"""As the events would take on the wire. The usual ones have less than 1 KiB, so this bounds the unusual."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A durable event at its place in a stream, as connections write it: made once, shared by all of them.

    Attributes:
        size: bytes of its data.
    """

    seq: int
    frame: Frame
    size: int


class Ring:
    """Events without a gap between them, up to the newest. The oldest go first when it is full.

    It is filled by the user's stream actor and read by that user's connections, whenever they want.
    """

    def __init__(self) -> None:
        self._events: deque[Placed] = deque()
        self._size = 0

    def __len__(self) -> int:
        return len(self._events)

    def extend(self, events: Sequence[Placed]) -> None:
        """Append contiguous events; what is there already is let go if they do not continue it."""
        if self._events and events[0].seq != self._events[-1].seq + 1:
            self.clear()
        for event in events:
            self._events.append(event)
            self._size += event.size
        while len(self._events) > RING_EVENTS or self._size > RING_BYTES:
            self._size -= self._events.popleft().size

    def clear(self) -> None:
        self._events.clear()
        self._size = 0

    def after(self, seq: int) -> list[Placed] | None:
        """Everything above ``seq``; None if the first of it is not here."""
        if not self._events or not self._events[0].seq - 1 <= seq <= self._events[-1].seq:
            return None
        return list(islice(self._events, seq + 1 - self._events[0].seq, None))
