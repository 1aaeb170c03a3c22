"""Where invented instructors live and teach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from greenroom.schema.search.places import Region, RegionId, RegionKind

SHARE: Final[dict[str, float]] = {"nyc": 3.0, "london": 1.5}
"""Of a city in all instructors, against 1 for any other: the demo is at home in New York, and enough are elsewhere to be found."""

BOROUGH_SHARE: Final[dict[str, float]] = {
    "nyc/manhattan": 3.5,
    "nyc/brooklyn": 3.5,
    "nyc/queens": 2.2,
    "nyc/bronx": 1.0,
    "nyc/staten-island": 0.5,
}

PRICE_FACTOR: Final[dict[str, float]] = {"nyc": 1.15, "sf": 1.15, "london": 0.75, "chicago": 0.9}
CURRENCY: Final[dict[str, str]] = {"london": "GBP"}
"""By city; else USD."""

NEIGHBOURS_MAX: Final = 14
"""Of a neighbourhood, nearest first, among which an instructor chooses where else to teach."""


@dataclass(frozen=True, slots=True)
class Home:
    """A neighbourhood, and those around it, nearest first. ``area`` is the part of the city that it lies in, if it has parts."""

    region: Region
    city: Region
    area: Region | None
    around: tuple[RegionId, ...]

    @property
    def price_factor(self) -> float:
        return PRICE_FACTOR.get(self.city.id, 0.9)

    @property
    def currency(self) -> str:
        return CURRENCY.get(self.city.id, "USD")


class CityMap:
    """Draws homes. Cities, their parts and neighbourhoods come in the order of their ids, so that the same map draws the same."""

    def __init__(self, regions: Iterable[Region]) -> None:
        """
        Raises:
            ValueError: there is no neighbourhood among them.
        """
        by_id = {region.id: region for region in sorted(regions, key=lambda region: region.id)}
        quarters = [region for region in by_id.values() if region.kind is RegionKind.NEIGHBOURHOOD]
        if not quarters:
            raise ValueError("a marketplace needs neighbourhoods")
        self._homes: list[Home] = []
        weights = []
        for region in quarters:
            siblings = [other for other in quarters if other.city == region.city and other is not region]
            siblings.sort(key=lambda other: (other.centroid.distance_km(region.centroid), other.id))
            parent = by_id.get(region.parent_id) if region.parent_id is not None else None
            self._homes.append(
                Home(
                    region,
                    by_id[region.city],
                    parent if parent is not None and parent.kind is RegionKind.BOROUGH else None,
                    tuple(other.id for other in siblings[:NEIGHBOURS_MAX]),
                )
            )
            same = [other for other in quarters if other.parent_id == region.parent_id]
            of_parent = BOROUGH_SHARE.get(region.parent_id or "", 1.0)
            of_all = sum(
                BOROUGH_SHARE.get(p or "", 1.0)
                for p in {other.parent_id for other in quarters if other.city == region.city}
            )
            weights.append(SHARE.get(region.city, 1.0) * of_parent / of_all * (0.3 + region.prior) / len(same))
        self._cumulative = [sum(weights[: n + 1]) for n in range(len(weights))]

    def home(self, random: Random) -> Home:
        return random.choices(self._homes, cum_weights=self._cumulative)[0]
