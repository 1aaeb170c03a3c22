"""The indexer: makes services findable by what they say now, a second or two after they say it.

Filters don't wait for it; see the port.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog
import trio

from greenroom.actors.search.indexing.indexing import Indexing
from greenroom.models.ports import ModelError
from greenroom.schema.errors import Unavailable
from greenroom.storage.ports import SearchIndex
from greenroom.supervisor import Actor, ExitReason

LOOK_S: Final = (1.0, 2.0)
"""Jittered between these, so that workers do not look in step: one small read of an index that is mostly empty."""

AGAIN_S: Final = 0.05
"""After a full batch, of several: others use the database too."""

HOLD_S: Final = 60.0
"""Longer than the slowest batch; so long another worker waits if this one dies."""

FILL_S: Final = 60.0
"""Between two looks for services and places without a vector, which a model failed to make: that reads through all of them."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IndexDue:
    """To itself: the next turn has come."""


class SearchIndexer(Actor[IndexDue]):
    """Runs all the time, on one of the workers.

    Args:
        worker: names this one among those that share the database.
        embed_places: gives the names of regions that have none a vector, and tells how many; done when no service waits.
    """

    def __init__(
        self,
        *,
        index: SearchIndex,
        indexing: Indexing,
        worker: str,
        embed_places: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self._index = index
        self._indexing = indexing
        self._worker = worker
        self._embed_places = embed_places
        self._fill_at = 0.0
        self._is_prepared = False
        self._is_holder = False
        self._indexed = 0
        self._filled = 0

    async def init(self) -> None:
        self.ctx.tell_after(0, IndexDue())

    async def handle(self, message: IndexDue) -> None:
        pause_s = self.ctx.rng.uniform(*LOOK_S)
        try:
            if await self.run_once():
                pause_s = AGAIN_S
        except Unavailable:
            pass  # the database is away; what changed stays marked
        except ModelError as exc:
            _log.warning("vectors_missing", reason=str(exc))
        finally:
            self.ctx.tell_after(pause_s, IndexDue())

    async def run_once(self) -> int:
        """Do one batch if it is this worker's turn; return how many services that was."""
        await self._prepare()
        self._is_holder = await self._index.hold(self._worker, for_s=HOLD_S)
        if not self._is_holder:
            return 0
        count = await self._indexing.index_changes()
        self._indexed += count
        if not count and trio.current_time() >= self._fill_at:
            self._fill_at = trio.current_time() + FILL_S
            self._filled += sum((await self._indexing.fill()).values())
            if self._embed_places is not None:
                self._filled += await self._embed_places()
        return count

    async def terminate(self, reason: ExitReason) -> None:
        """Give up the right to index, so that the next one need not wait for this one's time to run out."""
        if self._is_holder:
            with suppress(Unavailable):
                await self._index.hold(self._worker, for_s=-1)

    def view(self) -> Mapping[str, object]:
        return {
            "models": list(self._indexing.models),
            "is_holder": self._is_holder,
            "indexed": self._indexed,
            "filled": self._filled,
        }

    async def _prepare(self) -> None:
        if not self._is_prepared:
            for model in await self._indexing.prepare():
                _log.error("embedding_dimensions_changed", model=model)
            self._is_prepared = True
