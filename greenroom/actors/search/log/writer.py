"""The search log's writer: puts down what others tell it, if that is no burden to anybody.

1. Whoever tells it never waits: a full mailbox drops what comes.
2. It has one statement under way at most, and gives up on it after a short time: it can't take the pool's connections, nor
   keep one of them.
3. Under load it writes nothing. What was not written is counted, and gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import structlog
import trio

from greenroom.actors.addresses import ROOT
from greenroom.schema.errors import DomainError
from greenroom.schema.search.log import NewClick, SearchRecord
from greenroom.storage.ports import SearchLog
from greenroom.supervisor import ActorSystem, Address, BatchActor, Delivery

NAME: Final = "search-log"

MAILBOX: Final = 1_000
"""Searches of some seconds at full load; 10 MB."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class LogCounts:
    """What became of searches and clicks since the start; outlives the actor.

    Attributes:
        recorded, clicked: written.
        unmatched: clicks that don't count: on what the user was not shown, or shown by no recorded search, or again.
        skipped: not written because of load. dropped: the mailbox was full. timed_out, failed: the database's fault.
    """

    recorded: int = 0
    clicked: int = 0
    unmatched: int = 0
    skipped: int = 0
    dropped: int = 0
    timed_out: int = 0
    failed: int = 0


def search_log(system: ActorSystem) -> Address[Any]:
    """Takes a SearchRecord or a NewClick."""
    return system.address(f"/{ROOT}/{NAME}")


class SearchLogWriter(BatchActor[SearchRecord | NewClick]):
    """
    Args:
        timeout_s: of one batch.
        is_loaded: whether others need the database more.
    """

    def __init__(
        self, *, log: SearchLog, counts: LogCounts, timeout_s: float, is_loaded: Callable[[], bool]
    ) -> None:
        self._log = log
        self._counts = counts
        self._timeout_s = timeout_s
        self._is_loaded = is_loaded
        self._is_failing = False

    async def handle_batch(self, batch: Sequence[Delivery[SearchRecord | NewClick]]) -> None:
        if self._is_loaded():
            self._counts.skipped += len(batch)
            return
        messages = [delivery.message for delivery in batch]
        records = [message for message in messages if isinstance(message, SearchRecord)]
        clicks = [message for message in messages if isinstance(message, NewClick)]
        left = len(batch)
        try:
            with trio.fail_after(self._timeout_s):
                await self._log.add_searches(records)
                self._counts.recorded += len(records)
                left -= len(records)
                # After them: somebody may have clicked what was shown a moment ago.
                kept = await self._log.add_clicks(clicks)
                self._counts.clicked += kept
                self._counts.unmatched += len(clicks) - kept
        except trio.TooSlowError:
            self._counts.timed_out += left
            self._tell("it took too long")
        except DomainError as exc:
            self._counts.failed += left
            self._tell(str(exc))
        else:
            self._is_failing = False

    def view(self) -> Mapping[str, object]:
        return asdict(self._counts)

    def _tell(self, reason: str) -> None:
        # Once: the rest is in the counts.
        if not self._is_failing:
            _log.warning("searches are not recorded", reason=reason)
        self._is_failing = True
