"""``greenroom add-city``: a city's map, from the gazetteer where it has one, else from GeoNames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import trio

from greenroom.actors.search.places.loading import store_city
from greenroom.app import make_data_dir, open_database_for_loading, watched
from greenroom.data.gazetteer import GazetteerCity, city_of_gazetteer, find_in_gazetteer
from greenroom.data.gazetteer.further_city import (
    NoSuchCity,
    SeveralCities,
    city_of_settlements,
    find_city,
    id_of,
    radius_of,
)
from greenroom.data.gazetteer.geonames import ALL, Settlement, settlements
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.settings import Settings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.postgres import postgres_storage
from greenroom.terminal import Steps

TOLD_MAX: Final = 8
"""Cities of one name that are told; there are dozens of some."""


class CityNotTold(Exception):
    """No city is meant, or several, or it can't be as wide as asked for; the message says what to change."""


@dataclass(frozen=True, slots=True)
class WantedCity:
    """
    Attributes:
        country: ISO 3166-1 alpha-2; None for any.
        state: GeoNames' code of the first administrative division; None for any.
        radius_km: how far it reaches; None for a guess from how many live there, and for the gazetteer's own, which have borders.
    """

    name: str
    country: str | None = None
    state: str | None = None
    radius_km: float | None = None


async def add_city(settings: Settings, wanted: WantedCity, *, steps: Steps) -> GazetteerCity:
    """Store a city's map in the database of the settings, which is migrated first; adding it again brings it up to date.

    Raises:
        CityNotTold: as its message says.
        Unavailable, EmbeddedPostgresFailed, CannotStart: as for a server.
    """
    # Some seconds without a pause: nobody else is served by this process.
    city = await trio.to_thread.run_sync(partial(map_of, wanted, tuple(settlements(ALL))))
    make_data_dir(settings)
    async with watched(steps), open_database_for_loading(settings, steps) as pool:
        await store_city(postgres_storage(pool, bus=LocalBus()).gazetteer, city, now=system_wall_clock())
    return city


def map_of(wanted: WantedCity, known: tuple[Settlement, ...]) -> GazetteerCity:
    """The city that is meant, with its parts.

    Args:
        known: the settlements of the world.

    Raises:
        CityNotTold: as its message says.
    """
    ours = find_in_gazetteer(wanted.name, country=wanted.country) if wanted.state is None else None
    if ours is not None:
        if wanted.radius_km is not None:
            raise CityNotTold(f"{wanted.name} has borders of its own: leave out --radius-km")
        return city_of_gazetteer(ours, known)
    try:
        found = find_city(known, wanted.name, country=wanted.country, state=wanted.state)
    except NoSuchCity as exc:
        raise CityNotTold(f"{_told(wanted)}: no city of that name is known") from exc
    except SeveralCities as exc:
        raise CityNotTold(_choice(wanted.name, exc.cities)) from exc
    radius_km = wanted.radius_km or radius_of(found)
    return city_of_settlements(found, known, city_id=id_of(found, known), radius_km=radius_km)


def _told(wanted: WantedCity) -> str:
    return ", ".join(filter(None, (wanted.name, wanted.state, wanted.country)))


def _choice(name: str, cities: Sequence[Settlement]) -> str:
    told = "; ".join(
        f"--country {city.country} --state {city.state} ({city.population:,} people)" for city in cities[:TOLD_MAX]
    )
    more = f"; and {len(cities) - TOLD_MAX} more" if len(cities) > TOLD_MAX else ""
    return f"{name} is the name of {len(cities)} cities, say which: {told}{more}"
