"""Putting greenroom's own gazetteer into the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import trio

from greenroom.data.gazetteer import CITY_IDS, GazetteerCity, city_of_gazetteer
from greenroom.data.gazetteer.geonames import Settlement
from greenroom.schema.search.places import RegionId
from greenroom.storage.patience import patiently
from greenroom.storage.ports import Gazetteer

T = TypeVar("T")

BATCH: Final = 500
"""As many as one call of the port takes."""


async def load_gazetteer(
    gazetteer: Gazetteer,
    *,
    now: datetime,
    city_ids: Sequence[RegionId] = CITY_IDS,
    settlements: Iterable[Settlement] = (),
) -> list[GazetteerCity]:
    """Store the gazetteer's cities; what is stored already is brought up to date, except what an operator decided.

    Args:
        settlements: what the gazetteer lacks is taken from these.

    Returns:
        the cities as stored.
    """
    known = tuple(settlements)
    cities = []
    for city_id in city_ids:
        # Working out boundaries takes some tenths of a second, in which the event loop has others to serve.
        city = await trio.to_thread.run_sync(city_of_gazetteer, city_id, known)
        await store_city(gazetteer, city, now=now)
        cities.append(city)
    return cities


async def store_city(gazetteer: Gazetteer, city: GazetteerCity, *, now: datetime) -> None:
    """Store a city's regions and their names, in batches: if it fails in between, doing it again completes it."""
    for regions in _batches(city.regions):
        await patiently(partial(gazetteer.upsert_regions, regions))
    for aliases in _batches(city.aliases):
        await patiently(partial(gazetteer.upsert_aliases, aliases, now=now))


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
