"""How long to wait before trying again."""

from __future__ import annotations

from random import Random
from typing import Final

PAUSE_MAX_S: Final = 20.0
"""Between two tries to come back; a person notices half a minute, a server that just started must not be drowned."""

_DOUBLINGS_MAX: Final = 8


def jittered_pause_s(attempt: int, *, base_s: float, random: Random) -> float:
    """A pause drawn evenly from 0 to ``base_s`` * 2^``attempt``, capped.

    Args:
        attempt: tries that failed since the last success, from 0.

    Source: "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), its "full jitter".
    """
    return random.uniform(0.0, min(PAUSE_MAX_S, base_s * 2 ** min(attempt, _DOUBLINGS_MAX)))
