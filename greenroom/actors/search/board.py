"""What every search on this worker goes by: the configuration, which models services have vectors of, names of places.

One actor reads it again twice a second, so what an operator changes holds on all workers within a second, whatever
becomes of the bus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
import trio

from greenroom.actors.search.known_places import KnownPlaces
from greenroom.schema.errors import Unavailable
from greenroom.schema.search.config import SearchConfig, StoredConfig
from greenroom.schema.search.places import Region, RegionId
from greenroom.storage.ports.search import Places, Retrieval, SearchConfigs
from greenroom.supervisor import Actor

POLL_S: Final = 0.5
READ_TIMEOUT_S: Final = 2.0

CATALOGUE_EVERY: Final = 10
"""Rounds between two looks at which models and places there are: they change with hours of work."""

ZONES_MAX: Final = 40
"""As many as there are offsets from UTC. A time without a place is looked for in each zone."""

NAMES_MAX: Final = 50_000
"""Of places; each takes some 100 bytes."""

_log = structlog.get_logger(__name__)


class SearchBoard:
    """Read by the searches of one worker.

    Args:
        base: the configuration by the settings.
    """

    def __init__(self, base: SearchConfig) -> None:
        self._base = base
        self._watchers: list[Callable[[], None]] = []
        self.config = base
        self.embedding_models: frozenset[str] = frozenset()
        self.timezones: tuple[str, ...] = ("UTC",)
        self.city_zones: Mapping[RegionId, str] = {}
        self.places = KnownPlaces()
        self._names_version = ""

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Have it called whenever something here changes: what was answered before may be answered otherwise now."""
        self._watchers.append(watcher)

    def take_config(self, stored: StoredConfig) -> None:
        """Go by this configuration; one that is older than the present is ignored."""
        if stored.revision > self.config.revision:
            self.config = self._base.with_stored(stored)
            self._changed()

    def take_zones(self, *, timezones: Sequence[str], cities: Sequence[Region]) -> None:
        """Go by these time zones of instructors and cities."""
        zones = tuple(timezones[:ZONES_MAX]) or ("UTC",)
        city_zones = {city.id: city.timezone for city in cities}
        if (zones, city_zones) != (self.timezones, self.city_zones):
            self.timezones, self.city_zones = zones, city_zones
            self._changed()

    def take_catalogue(self, *, models: frozenset[str], names: frozenset[str], names_version: str) -> None:
        """Go by these models and names of places; a version is another where a name means something else."""
        are_new = self.places.take(names)
        if are_new or models != self.embedding_models or names_version != self._names_version:
            self.embedding_models = models
            self._names_version = names_version
            self._changed()

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher()


@dataclass(frozen=True, slots=True)
class LookAgain:
    """To itself."""


class BoardKeeper(Actor[LookAgain]):
    """Keeps the board of its worker up to date."""

    def __init__(
        self, *, board: SearchBoard, configs: SearchConfigs, retrieval: Retrieval, places: Places
    ) -> None:
        self._board = board
        self._configs = configs
        self._retrieval = retrieval
        self._places = places
        self._rounds = 0
        self._is_failing = False

    async def init(self) -> None:
        # Before anybody searches.
        await self._look()
        self.ctx.address.tell(LookAgain())

    async def handle(self, message: LookAgain) -> None:
        await self._look()
        self.ctx.tell_after(POLL_S, LookAgain())

    def view(self) -> Mapping[str, object]:
        config = self._board.config
        return {
            "revision": config.revision,
            "embedding_models": sorted(self._board.embedding_models),
            "timezones": list(self._board.timezones),
            "names_of_places": len(self._board.places),
        }

    async def _look(self) -> None:
        try:
            with trio.fail_after(READ_TIMEOUT_S):
                self._board.take_config(await self._configs.read())
                if self._rounds % CATALOGUE_EVERY == 0:
                    self._board.take_zones(
                        timezones=await self._retrieval.timezones(), cities=await self._places.cities()
                    )
                    self._board.take_catalogue(
                        models=frozenset(await self._retrieval.embedding_models()),
                        names_version=await self._places.names_version(),
                        names=await self._places.known_names(limit=NAMES_MAX),
                    )
            self._rounds += 1
            self._is_failing = False
        except (Unavailable, trio.TooSlowError) as exc:
            # What was known goes on to hold. Told once: the database's absence is told by others.
            if not self._is_failing:
                _log.warning("search_board_unread", reason=str(exc) or "no answer in time")
            self._is_failing = True
