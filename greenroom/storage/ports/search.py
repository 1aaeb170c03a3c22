"""Ports of the search: places, retrieval, the catalogue's files, and what was searched.

What :mod:`greenroom.storage.ports` says of errors and connections holds here too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from greenroom.schema.ids import ServiceId
from greenroom.schema.search.candidates import Card, RetrievalQuery, Retrieved, TextStrength
from greenroom.schema.search.config import ConfigValue, StoredConfig
from greenroom.schema.search.places import PlaceCandidate, Point, Region, RegionId


@dataclass(frozen=True, slots=True)
class PlaceRows:
    """What tiers 1 to 3 found for a text, each likeliest first and at most 20."""

    exact: tuple[PlaceCandidate, ...] = ()
    alias: tuple[PlaceCandidate, ...] = ()
    fuzzy: tuple[PlaceCandidate, ...] = ()


class Places(Protocol):
    """Regions and their names. Texts are compared in normal form: NFKC, case-folded, no accents, no punctuation, single spaces."""

    async def look_up(self, text: str, *, cities: Sequence[RegionId]) -> PlaceRows:
        """Regions that ``text`` may name, in one query.

        Args:
            cities: only regions of these; empty for all.
        """
        ...

    async def nearest(
        self, vector: Sequence[float], *, model: str, cities: Sequence[RegionId], limit: int
    ) -> list[PlaceCandidate]:
        """Regions whose names mean something like it, by cosine of embeddings of ``model``; its confidence is the cosine."""
        ...

    async def regions(self, region_ids: Sequence[RegionId]) -> list[Region]:
        """Those that exist, in no order."""
        ...

    async def cities(self) -> list[Region]: ...

    async def near(self, centre: Point, *, within_km: float, limit: int) -> list[Region]:
        """Neighbourhoods whose centroid is within a distance, nearest first."""
        ...

    async def containing(self, point: Point) -> Region | None:
        """The smallest region whose boundary contains the point, else the nearest neighbourhood within 3 km."""
        ...


class Retrieval(Protocol):
    async def text_strength(self, text: str) -> TextStrength:
        """How well these words alone find something; part of the first burst."""
        ...

    async def retrieve(self, query: RetrievalQuery) -> Retrieved:
        """Find services: every one that is returned passed every hard filter of the query."""
        ...

    async def cards(self, service_ids: Sequence[ServiceId]) -> list[Card]:
        """What is shown of these, in no order; constant number of queries."""
        ...

    async def embedding_models(self) -> list[str]:
        """Names of the models that services have vectors of."""
        ...


class SearchConfigs(Protocol):
    """What operators changed about searching."""

    async def read(self) -> StoredConfig: ...

    async def write(
        self, changes: Mapping[str, ConfigValue], *, expected_revision: int, now: datetime
    ) -> StoredConfig:
        """Replace all that was changed, if nobody else did so since.

        Raises:
            Conflict: the revision is not ``expected_revision``; nothing was stored.
        """
        ...
