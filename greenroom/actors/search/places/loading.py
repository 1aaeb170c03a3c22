"""Putting greenroom's own gazetteer into the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, TypeVar

import trio

from greenroom.data.gazetteer import CITY_IDS, city_of_gazetteer
from greenroom.schema.search.places import RegionId
from greenroom.storage.ports import Gazetteer

T = TypeVar("T")

BATCH: Final = 500
"""As many as one call of the port takes."""


async def load_gazetteer(
    gazetteer: Gazetteer, *, now: datetime, city_ids: Sequence[RegionId] = CITY_IDS
) -> tuple[int, int]:
    """Store the gazetteer's cities; what is stored already is brought up to date, except what an operator decided.

    Returns:
        how many regions and how many aliases there are.
    """
    regions, aliases = 0, 0
    for city_id in city_ids:
        # Working out boundaries takes some tenths of a second, in which the event loop has others to serve.
        city = await trio.to_thread.run_sync(city_of_gazetteer, city_id)
        for region_batch in _batches(city.regions):
            await gazetteer.upsert_regions(region_batch)
        for alias_batch in _batches(city.aliases):
            await gazetteer.upsert_aliases(alias_batch, now=now)
        regions, aliases = regions + len(city.regions), aliases + len(city.aliases)
    return regions, aliases


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
