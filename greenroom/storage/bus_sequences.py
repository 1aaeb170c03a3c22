"""Numbers on payloads: how a listener knows that something did not arrive.

A wire loses without a word. So every publisher numbers its payloads per channel and sends one, if only an empty one,
every half second: a hole shows at the next payload, and a publisher that falls silent shows by that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

PUBLISHERS_MAX: Final = 1_024
"""Publisher and channel pairs remembered; some dozens of workers over sixteen channels."""


class Arrival(Enum):
    """What a payload's number says."""

    NEXT = auto()
    """Nothing is missing before it."""
    AFTER_A_GAP = auto()
    """Something before it may have been lost."""
    STALE = auto()
    """It, or a later one, was here before: a repetition, which is not to be used."""


@dataclass(slots=True)
class _Place:
    number: int
    heard_at: float


class Sequences:
    """Where every publisher stands, as far as was heard."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, int], _Place] = {}

    def note(self, publisher: str, channel: int, number: int, now: float) -> Arrival:
        """Take a payload's number; ``now`` is monotonic."""
        key = (publisher, channel)
        place = self._places.pop(key, None)
        if place is None:
            if len(self._places) >= PUBLISHERS_MAX:
                del self._places[next(iter(self._places))]
            self._places[key] = _Place(number, now)
            return Arrival.NEXT if number == 1 else Arrival.AFTER_A_GAP
        # Put back last, so that they stay in the order in which they were heard of.
        self._places[key] = place
        if number <= place.number:
            return Arrival.STALE
        expected, place.number, place.heard_at = place.number + 1, number, now
        return Arrival.NEXT if number == expected else Arrival.AFTER_A_GAP

    def fallen_silent(self, *, since: float) -> set[str]:
        """Forget publishers not heard since a moment and return them: what they said last may have been lost."""
        silent = []
        for key, place in self._places.items():
            if place.heard_at >= since:
                break
            silent.append(key)
        for key in silent:
            del self._places[key]
        return {publisher for publisher, _ in silent}

    def forget(self, publisher: str, channel: int) -> None:
        """Expect nothing more from a publisher on a channel."""
        self._places.pop((publisher, channel), None)

    def heard_at(self, publisher: str, channel: int) -> float | None:
        """When the publisher was last heard on a channel."""
        place = self._places.get((publisher, channel))
        return None if place is None else place.heard_at
