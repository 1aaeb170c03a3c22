"""How a worker stops serving: its streams are told to close, then its actors have what is left of the time."""

from __future__ import annotations

import math
from typing import Final

import trio

from greenroom.actors.feeds import LocalFeeds
from greenroom.schema.events import ClosingReason

STREAMS_CLOSED_WITHIN_S: Final = 5.0
"""When draining: with what clients wait before they come back, thousands are spread over ten seconds."""

STREAMS_CLOSED_EVERY_S: Final = 0.05
STREAMS_CLOSED_AT_ONCE: Final = 10
"""At least: where there are few, they need not be kept for long."""

STOP_S_MIN: Final = 2.0
"""For actors to commit what they have, although connections took all of the time."""


class Draining:
    """One worker's end. It begins once; beginning it again is fine.

    Args:
        bound_s: for everything, from its beginning.
    """

    def __init__(self, feeds: LocalFeeds, *, bound_s: float) -> None:
        self._feeds = feeds
        self._bound_s = bound_s
        self._by = math.inf
        self.has_begun = False

    def begin(self) -> None:
        """Tell every stream to close and to come back elsewhere."""
        self._note_beginning()
        self._feeds.close_all(ClosingReason.DRAINING)

    async def begin_gently(self) -> None:
        """Do what :meth:`begin` does, a few streams at a time, so that they don't all come back in one instant.

        It takes at most STREAMS_CLOSED_WITHIN_S and half of the bound. Cancelled, it leaves the rest open.
        """
        self._note_beginning()
        self._feeds.close_newcomers(ClosingReason.DRAINING)
        waiting = self._feeds.everybodys()
        within_s = min(STREAMS_CLOSED_WITHIN_S, self._bound_s / 2)
        at_once = max(STREAMS_CLOSED_AT_ONCE, math.ceil(len(waiting) * STREAMS_CLOSED_EVERY_S / within_s))
        while waiting:
            for feed in waiting[-at_once:]:
                feed.close(ClosingReason.DRAINING)
            del waiting[-at_once:]
            await trio.sleep(STREAMS_CLOSED_EVERY_S)

    @property
    def stop_budget_s(self) -> float:
        """What is left of the bound for actors to stop in, and at least a little."""
        return max(STOP_S_MIN, self._by - trio.current_time())

    def _note_beginning(self) -> None:
        self.has_begun = True
        self._by = min(self._by, trio.current_time() + self._bound_s)
