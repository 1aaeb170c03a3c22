"""When a supervisor has restarted too often."""

from __future__ import annotations

from collections import deque


class RestartWindow:
    """The recent restarts of one supervisor: more than ``intensity`` within ``period_s`` are too many.

    Source: OTP `supervisor`, "Maximum Restart Intensity"; as there, a restart exactly ``period_s`` old counts.
    """

    __slots__ = ("_times", "intensity", "period_s")

    def __init__(self, intensity: int, period_s: float) -> None:
        self.intensity = intensity
        self.period_s = period_s
        self._times: deque[float] = deque(maxlen=intensity + 1)

    def add(self, now: float) -> bool:
        """Record a restart. False when it is one too many."""
        self._times.append(now)
        return self.used(now) <= self.intensity

    def used(self, now: float) -> int:
        """Restarts inside the window, at most ``intensity + 1``."""
        while self._times and self._times[0] < now - self.period_s:
            self._times.popleft()
        return len(self._times)

    def clear(self) -> None:
        """Forget all restarts."""
        self._times.clear()
