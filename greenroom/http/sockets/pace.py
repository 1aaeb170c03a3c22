"""How fast a client may send commands."""

from __future__ import annotations

import trio


class Pace:
    """A token bucket on Trio's clock: ``burst`` at once, then ``per_s`` each second.

    Source: Turner, "New directions in communications", IEEE Communications Magazine 24(10), 1986.
    """

    def __init__(self, *, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at = trio.current_time()

    def take(self) -> float:
        """Take a token: 0 if there was one, else the seconds until there will be."""
        now = trio.current_time()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._per_s
