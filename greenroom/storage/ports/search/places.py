"""Regions and their names, as searches look them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from greenroom.schema.search.places import PlaceCandidate, Point, Region, RegionId


@dataclass(frozen=True, slots=True)
class PlaceRows:
    """What tiers 1 to 3 found for a text, each likeliest first; at most 20 regions, or 40 names that are similar.

    Attributes:
        exact: regions of this name; confidence 1.
        alias: regions with an active alias of this name; its confidence is the alias' weight.
        fuzzy: regions whose name or alias is similar, under each such name; its confidence is the trigram similarity, at least 0.3.
            Not looked for where something is exact or an alias, nor for fewer than four characters.
        within: the same for what is left of the text beside the name of a city or borough, looked for in that one alone.
    """

    exact: tuple[PlaceCandidate, ...] = ()
    alias: tuple[PlaceCandidate, ...] = ()
    fuzzy: tuple[PlaceCandidate, ...] = ()
    within: tuple[RowsWithin, ...] = ()


@dataclass(frozen=True, slots=True)
class RowsWithin:
    """``rest`` of a text as a name within ``container``. Its rows have no ``within`` of their own."""

    rest: str
    container: Region
    rows: PlaceRows


class Places(Protocol):
    """Regions and their names. Texts are compared in normal form: see :mod:`greenroom.schema.search.place_names`."""

    async def look_up(self, text: str, *, cities: Sequence[RegionId]) -> PlaceRows:
        """Regions that ``text`` may name, in one round trip.

        Args:
            cities: only regions of these; empty for all.
        """
        ...

    async def nearest(
        self, vector: Sequence[float], *, model: str, cities: Sequence[RegionId], limit: int
    ) -> list[PlaceCandidate]:
        """Regions whose names mean something like it, likeliest first, at most ``limit``; the confidence is the cosine, -1 to 1.

        Args:
            vector: of unit length, by ``model``. Nothing is near to one of another dimension than that model's.
            cities: only regions of these; empty for all.
        """
        ...

    async def regions(self, region_ids: Sequence[RegionId]) -> list[Region]:
        """Those of these that exist, each once, in no order."""
        ...

    async def cities(self) -> list[Region]:
        """All regions that are cities, by id; a handful."""
        ...

    async def known_names(self, *, limit: int) -> frozenset[str]:
        """Names that mean a region, active aliases included, in normal form; the shortest ``limit`` of them."""
        ...

    async def names_version(self) -> str:
        """Something that is another whenever operators, or learning, had a name mean a region or no longer."""
        ...

    async def near(self, centre: Point, *, within_km: float, limit: int) -> list[Region]:
        """Neighbourhoods whose centroid is within a distance, inclusive, nearest first, at most ``limit``."""
        ...

    async def containing(self, point: Point) -> Region | None:
        """The neighbourhood whose boundary contains the point, else the nearest one whose centroid is within 3 km, else the
        smallest region whose boundary contains it; None if there is none of these."""
        ...
