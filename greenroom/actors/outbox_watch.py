"""The outbox watch: every few seconds, how much is to be done and how late it is, for whoever looks at the metrics.

Asked here and not at each scrape: what a scrape costs the database should not be up to who scrapes, and how often.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from greenroom.schema.errors import Unavailable
from greenroom.schema.outbox import OutboxFigures
from greenroom.storage.ports import Outbox
from greenroom.supervisor import Actor, ExitReason

LOOK_S: Final = (5.0, 10.0)
"""Jittered between these, so that workers do not ask in step."""


@dataclass(frozen=True, slots=True)
class LookDue:
    """To itself: the next turn has come."""


@dataclass(slots=True)
class OutboxBoard:
    """What the watch saw last; None when it has not looked yet, or could not."""

    figures: OutboxFigures | None = None


class OutboxWatch(Actor[LookDue]):
    """Keeps a board up to date; what can't be asked is not shown, rather than as it once was."""

    def __init__(self, *, outbox: Outbox, board: OutboxBoard) -> None:
        self._outbox = outbox
        self._board = board

    async def init(self) -> None:
        self.ctx.tell_after(0, LookDue())

    async def handle(self, message: LookDue) -> None:
        self.ctx.tell_after(self.ctx.rng.uniform(*LOOK_S), LookDue())
        try:
            self._board.figures = await self._outbox.figures()
        except Unavailable:
            self._board.figures = None

    async def terminate(self, reason: ExitReason) -> None:
        self._board.figures = None

    def view(self) -> Mapping[str, object]:
        figures = self._board.figures
        return {} if figures is None else asdict(figures) | {"oldest": figures.oldest.total_seconds()}
