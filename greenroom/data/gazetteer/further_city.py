"""A city that the gazetteer has no file of, made of the settlements in and around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import pi, sqrt
from typing import Final

from greenroom.data.gazetteer.cells import cell, union
from greenroom.data.gazetteer.city_file import GazetteerCity, slug
from greenroom.data.gazetteer.geonames import Settlement
from greenroom.schema.search.place_names import compact, normal_place_name
from greenroom.schema.search.places import (
    AliasSource,
    MappedRegion,
    NewAlias,
    Region,
    RegionId,
    RegionKind,
    RegionSource,
)

PEOPLE_PER_KM2: Final = 4_000
"""Of a city in the middle between sprawl and towers: how far one reaches is guessed from how many live there."""

RADIUS_KM_MIN: Final = 5.0
RADIUS_KM_MAX: Final = 40.0

PART_RADIUS_KM: Final = 2.0
"""How far a part reaches at most from where GeoNames has it."""

CLEARLY_LARGER: Final = 5
"""Times as many people make a name mean one city rather than another."""

CITY_PRIOR: Final = 0.9
PART_PRIOR: Final = 0.5


class NoSuchCity(Exception):
    """No settlement has this name, there."""


@dataclass
class SeveralCities(Exception):
    """A name that several cities have, largest first."""

    cities: Sequence[Settlement]


def find_city(
    settlements: Iterable[Settlement], name: str, *, country: str | None = None, state: str | None = None
) -> Settlement:
    """The settlement of a name; of several the one that has five times as many people as any other.

    Args:
        country, state: as in Settlement, in any case; None for any.

    Raises:
        NoSuchCity: none has the name, in that country and state.
        SeveralCities: none of them is clearly the largest.
    """
    wanted = _key(name)
    found = [
        settlement
        for settlement in settlements
        if (country is None or settlement.country == country.upper())
        and (state is None or settlement.state == state.upper())
        and _key(settlement.name) == wanted
    ]
    if not found:
        raise NoSuchCity
    found.sort(key=lambda settlement: (-settlement.population, settlement.country, settlement.state))
    if len(found) > 1 and found[0].population < CLEARLY_LARGER * found[1].population:
        raise SeveralCities(found)
    return found[0]


def id_of(city: Settlement, settlements: Iterable[Settlement]) -> RegionId:
    """``boston`` for the one that the name means by itself, ``boston-gb-eng`` for another."""
    plain = slug(city.name)
    try:
        is_meant = find_city(settlements, city.name) == city
    except SeveralCities:
        is_meant = False
    return RegionId(plain if is_meant else f"{plain}-{city.country}-{city.state}".lower())


def radius_of(city: Settlement) -> float:
    """About how far it reaches, in km."""
    return min(max(sqrt(city.population / PEOPLE_PER_KM2 / pi), RADIUS_KM_MIN), RADIUS_KM_MAX)


def city_of_settlements(
    city: Settlement, settlements: Iterable[Settlement], *, city_id: RegionId, radius_km: float
) -> GazetteerCity:
    """A city with what lies within ``radius_km`` of its centre, in its country, as its parts.

    Of two of one name the larger is meant. Parts get the points nearest to them; the city all that its parts have, and a circle around its centre.
    """
    parts = {
        slug(part.name): part
        for part in sorted(settlements, key=lambda found: (found.population, found.at.lat))
        if part.country == city.country
        and part.at.distance_km(city.at) <= radius_km
        and slug(part.name) not in ("", slug(city.name))
    }
    named = sorted(parts.items())
    centroids = [part.at for _, part in named]
    bounded = [
        (name, part, cell(part.at, centroids, radius_km=PART_RADIUS_KM, outlines=())) for name, part in named
    ]
    whole = union([cell(city.at, [], radius_km=radius_km, outlines=()), *(boundary for *_, boundary in bounded)])
    regions = [MappedRegion(_region(city, city_id), whole, RegionSource.GEONAMES)]
    for name, part, boundary in bounded:
        region = _region(part, RegionId(f"{city_id}/{name}"), inside=city_id, timezone=city.timezone)
        regions.append(MappedRegion(region, boundary, RegionSource.GEONAMES))
    return GazetteerCity(tuple(regions), tuple(_aliases(city, city_id)))


def _region(
    settlement: Settlement, region_id: RegionId, *, inside: RegionId | None = None, timezone: str | None = None
) -> Region:
    return Region(
        id=region_id,
        city=inside or region_id,
        parent_id=inside,
        kind=RegionKind.CITY if inside is None else RegionKind.NEIGHBOURHOOD,
        name=settlement.name,
        centroid=settlement.at,
        timezone=timezone or settlement.timezone,
        prior=CITY_PRIOR if inside is None else PART_PRIOR,
    )


def _aliases(city: Settlement, city_id: RegionId) -> Iterator[NewAlias]:
    """As people write it beside its state. The names in other languages that GeoNames has are left: many are those of its streets."""
    if city.state.isalpha():
        yield NewAlias(f"{city.name} {city.state}", city_id, AliasSource.GAZETTEER)


def _key(name: str) -> str:
    return compact(normal_place_name(name))
