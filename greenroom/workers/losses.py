"""How long to wait before a place is filled again."""

from __future__ import annotations

from typing import Final

STEADY_S: Final = 10.0
"""A worker that served this long was well; its death begins a new row."""

PAUSE_FIRST_S: Final = 0.25
PAUSE_MAX_S: Final = 5.0


class Losses:
    """Counts workers of one place that died soon after they began."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def note(self, *, lived_s: float) -> float:
        """Take the death of a worker that lived so long; return the seconds to wait before the next is begun.

        The first is replaced at once; if that one dies soon, and the next, the wait doubles up to a bound.
        """
        self._in_a_row = 1 if lived_s >= STEADY_S else self._in_a_row + 1
        if self._in_a_row == 1:
            return 0.0
        return min(PAUSE_MAX_S, PAUSE_FIRST_S * 2.0 ** min(self._in_a_row - 2, 10))
