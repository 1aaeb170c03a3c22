"""How long a supervisor waits before it starts a failing child again."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential delay with jitter, counted in failures in a row.

    The first ``free`` failures in a row restart at once, as OTP does: most faults are gone with the state that
    caused them. After that the delay is ``initial_s * factor ** n``, at most ``max_s``, then spread over
    ``[1 - jitter, 1 + jitter]`` so that children of one cause do not come back in step.
    """

    free: int = 1
    initial_s: float = 0.1
    factor: float = 2.0
    max_s: float = 30.0
    jitter: float = 0.2

    def __post_init__(self) -> None:
        if self.free < 0 or self.initial_s < 0 or self.factor < 1 or self.max_s < 0 or not 0 <= self.jitter <= 1:
            raise ValueError(f"not a backoff: {self}")

    def delay_s(self, failures: int, rng: random.Random) -> float:
        """Seconds to wait after the ``failures``-th failure in a row (from 1); 0.0 for at once."""
        if failures <= self.free or self.initial_s == 0:
            return 0.0
        # The exponent is capped because a float power overflows long after max_s has taken over.
        exponent = min(failures - self.free - 1, 64)
        delay = min(self.initial_s * self.factor**exponent, self.max_s)
        return delay * rng.uniform(1 - self.jitter, 1 + self.jitter)


NO_BACKOFF = Backoff(initial_s=0.0)
