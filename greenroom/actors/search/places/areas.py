"""The regions in which a search for a place looks for lessons."""

from __future__ import annotations

from typing import Final

from greenroom.schema.search.places import PlaceAnswer, RegionId, RegionKind
from greenroom.storage.ports import Places

NEAR_KM: Final = 2.5
"""Between centroids: half an hour's walk. Neighbourhoods of a city lie about 1 km apart."""

NEIGHBOURS_MAX: Final = 12

WITH_NEIGHBOURS_MAX: Final = 3
"""Neighbourhoods whose neighbours are looked for, a query each; where more are in question, they are many already."""


class NearbyAreas:
    """Stands behind :class:`~greenroom.actors.search.places.decision.SearchAreas`."""

    def __init__(self, places: Places) -> None:
        self._places = places

    async def __call__(self, answer: PlaceAnswer, *, is_near: bool) -> tuple[RegionId, ...]:
        """The regions that the answer means, then, with ``is_near``, the nearest neighbourhoods of those that are neighbourhoods.

        What lies in these regions, or they in, is for retrieval to add. At most NEIGHBOURS_MAX neighbours in all, none where more than
        WITH_NEIGHBOURS_MAX neighbourhoods are in question; empty without a place.
        """
        areas = dict.fromkeys(region.id for region in answer.regions)
        if is_near:
            small = [region for region in answer.regions if region.kind is RegionKind.NEIGHBOURHOOD]
            for region in small if len(small) <= WITH_NEIGHBOURS_MAX else ():
                share = NEIGHBOURS_MAX // len(small)
                near = await self._places.near(region.centroid, within_km=NEAR_KM, limit=share + 1)
                areas |= dict.fromkeys([other.id for other in near if other.id != region.id][:share])
        return tuple(areas)
