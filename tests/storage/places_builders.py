"""Regions for tests of places: two cities that share some names."""

from __future__ import annotations

from dataclasses import replace

from greenroom.schema.search.places import (
    AliasSource,
    Boundary,
    MappedRegion,
    NewAlias,
    Point,
    Polygon,
    Region,
    RegionId,
    RegionKind,
    RegionSource,
)
from greenroom.storage.ports import Storage
from tests.storage.builders import NOW

NYC, LONDON = RegionId("nyc"), RegionId("london")
BROOKLYN, QUEENS = RegionId("nyc/brooklyn"), RegionId("nyc/queens")
PARK_SLOPE = RegionId("nyc/brooklyn/park-slope")


def a_region(
    region_id: str,
    name: str,
    lat: float = 40.7,
    lng: float = -74.0,
    *,
    prior: float = 0.5,
    half_width: float | None = None,
) -> MappedRegion:
    """A region whose city, parent and kind follow from its id; ``half_width`` gives it a square of a boundary, in degrees."""
    parts = region_id.split("/")
    region = Region(
        id=RegionId(region_id),
        city=RegionId(parts[0]),
        parent_id=RegionId("/".join(parts[:-1])) if parts[1:] else None,
        kind=(RegionKind.CITY, RegionKind.BOROUGH, RegionKind.NEIGHBOURHOOD)[len(parts) - 1],
        name=name,
        centroid=Point(lat, lng),
        timezone="America/New_York",
        prior=prior,
    )
    boundary = None if half_width is None else Boundary((Polygon(square(lat, lng, half_width)),))
    return MappedRegion(region, boundary, RegionSource.GAZETTEER)


def square(lat: float, lng: float, half_width: float) -> tuple[Point, ...]:
    south, north, west, east = lat - half_width, lat + half_width, lng - half_width, lng + half_width
    return Point(south, west), Point(south, east), Point(north, east), Point(north, west)


def an_alias(name: str, region_id: str, *, weight: float = 1.0, **changes: object) -> NewAlias:
    alias = NewAlias(name, RegionId(region_id), AliasSource.GAZETTEER, weight)
    return replace(alias, **changes)  # type: ignore[arg-type]


REGIONS = (
    a_region("nyc", "New York City", 40.71, -73.98, half_width=0.4),
    a_region("nyc/brooklyn", "Brooklyn", 40.65, -73.95, half_width=0.1),
    a_region("nyc/manhattan", "Manhattan", 40.78, -73.97),
    a_region("nyc/queens", "Queens", 40.74, -73.82),
    a_region("nyc/brooklyn/park-slope", "Park Slope", 40.671, -73.978, half_width=0.01),
    a_region("nyc/brooklyn/gowanus", "Gowanus", 40.674, -73.989, half_width=0.005),
    a_region("nyc/brooklyn/brooklyn-heights", "Brooklyn Heights", 40.695, -73.994),
    a_region("nyc/brooklyn/crown-heights", "Crown Heights", 40.669, -73.944),
    a_region("nyc/manhattan/murray-hill", "Murray Hill", 40.748, -73.978, prior=0.8),
    a_region("nyc/queens/murray-hill", "Murray Hill", 40.764, -73.813, prior=0.3),
    a_region("nyc/manhattan/lower-east-side", "Lower East Side", 40.715, -73.984),
    a_region("nyc/manhattan/soho", "SoHo", 40.723, -74.0),
    a_region("london", "London", 51.507, -0.128),
    a_region("london/westminster", "Westminster", 51.498, -0.137),
    a_region("london/westminster/soho", "Soho", 51.513, -0.134, prior=0.9),
)
ALIASES = (
    an_alias("NYC", NYC),
    an_alias("BK", BROOKLYN, weight=0.9),
    an_alias("LES", "nyc/manhattan/lower-east-side"),
    an_alias("Park Slop", PARK_SLOPE, weight=0.7),
)


async def add_places(storage: Storage) -> None:
    await storage.gazetteer.upsert_regions(REGIONS)
    await storage.gazetteer.upsert_aliases(ALIASES, now=NOW)
