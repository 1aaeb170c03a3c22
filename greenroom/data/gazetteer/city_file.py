"""Reading a city's file: ``<city>.json`` beside this module.

A file holds the city (``country``: ISO 3166-1 alpha-2) with its boroughs, and they their neighbourhoods, each with ``name``, ``at`` (latitude, longitude), ``prior`` and
``aliases`` (name to weight). ``outlines`` are rough shores and borders that cells are cut to, of the city or of each borough;
``radius_km`` is how far from a centroid its neighbourhood reaches at most; ``suffixes`` is what people put behind a
borough's name ("brooklyn ny").

``postcodes.json`` has the postcodes of these cities by the region that most of each lies in: zip codes, and the outward halves of London's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from typing import Any, Final

from greenroom.data.gazetteer.cells import cell, union
from greenroom.data.gazetteer.completing import complete
from greenroom.data.gazetteer.geonames import Settlement
from greenroom.schema.search.place_names import compact, normal_place_name
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
    Ring,
)

CITY_IDS: Final = (RegionId("nyc"), RegionId("london"), RegionId("chicago"))
"""Those there is a file of, largest first."""


@dataclass(frozen=True, slots=True)
class GazetteerCity:
    """Parents come before their children."""

    regions: tuple[MappedRegion, ...]
    aliases: tuple[NewAlias, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A place of the file, and what its id begins with."""

    written: dict[str, Any]
    parent: RegionId | None

    @property
    def id(self) -> RegionId:
        if self.parent is None:
            return RegionId(self.written["id"])
        return RegionId(f"{self.parent}/{slug(self.written['name'])}")

    @property
    def centroid(self) -> Point:
        lat, lng = self.written["at"]
        return Point(lat, lng)

    def inside(self, key: str) -> list[_Entry]:
        return [_Entry(written, self.id) for written in self.written[key]]

    def outlines(self) -> tuple[Ring, ...]:
        return tuple(tuple(Point(lat, lng) for lat, lng in ring) for ring in self.written.get("outlines", ()))


def city_of_gazetteer(city_id: RegionId, settlements: Iterable[Settlement] = ()) -> GazetteerCity:
    """Read one of CITY_IDS and work out its boundaries: some tenths of a second, so for imports and not for a request.

    Args:
        settlements: what the file lacks is taken from these; see :func:`greenroom.data.gazetteer.completing.complete`.
    """
    written = _read(city_id)
    complete(written, settlements)
    city = _Entry(written, None)
    boroughs = city.inside("boroughs")
    bounded = [(borough, list(_neighbourhoods(city, borough, boroughs))) for borough in boroughs]
    parts = [(borough, _whole(borough, boroughs, regions), regions) for borough, regions in bounded]
    rows = [_mapped(city, city, RegionKind.CITY, union(boundary for _, boundary, _ in parts))]
    for borough, boundary, regions in parts:
        rows += [_mapped(city, borough, RegionKind.BOROUGH, boundary), *regions]
    return GazetteerCity(tuple(rows), (*_aliases(city, boroughs), *_postcodes(city_id)))


def find_in_gazetteer(name: str, *, country: str | None = None) -> RegionId | None:
    """The one of CITY_IDS that a name surely means.

    Args:
        country: ISO 3166-1 alpha-2, in any case; None for any.
    """
    key = _key(name)
    for city_id in CITY_IDS:
        city = _read(city_id)
        sure = [city["name"], *(alias for alias, weight in city["aliases"].items() if weight == 1)]
        if key in map(_key, sure) and country in (None, city["country"], city["country"].lower()):
            return city_id
    return None


def _read(city_id: RegionId) -> dict[str, Any]:
    return _written(str(city_id))


def _written(name: str) -> dict[str, Any]:
    path = files("greenroom.data.gazetteer").joinpath(f"{name}.json")
    written: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return written


def slug(name: str) -> str:
    """ "St. Albans" to "st-albans"."""
    plain = name.replace("'", "").replace("\u2019", "")
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def _neighbourhoods(city: _Entry, borough: _Entry, boroughs: list[_Entry]) -> Iterator[MappedRegion]:
    # A borough with an outline of its own shares its points among its own neighbourhoods alone.
    rivals = [borough] if borough.outlines() else [other for other in boroughs if not other.outlines()]
    centroids = [entry.centroid for rival in rivals for entry in rival.inside("neighbourhoods")]
    outlines = borough.outlines() or city.outlines()
    for entry in borough.inside("neighbourhoods"):
        boundary = cell(entry.centroid, centroids, radius_km=borough.written["radius_km"], outlines=outlines)
        yield _mapped(city, entry, RegionKind.NEIGHBOURHOOD, boundary)


def _whole(borough: _Entry, boroughs: list[_Entry], neighbourhoods: list[MappedRegion]) -> Boundary | None:
    """Its outline, else its neighbourhoods and what is around its own centre, of which they may have left a part."""
    outlines = borough.outlines()
    if outlines:
        return Boundary(tuple(map(Polygon, outlines)))
    others = [other for other in boroughs if other.id != borough.id]
    centroids = [entry.centroid for other in others for entry in (other, *other.inside("neighbourhoods"))]
    centre = cell(borough.centroid, centroids, radius_km=borough.written["radius_km"], outlines=())
    return union([centre, *(mapped.boundary for mapped in neighbourhoods)])


def _mapped(city: _Entry, entry: _Entry, kind: RegionKind, boundary: Boundary | None) -> MappedRegion:
    region = Region(
        id=entry.id,
        city=city.id,
        parent_id=entry.parent,
        kind=kind,
        name=entry.written["name"],
        centroid=entry.centroid,
        timezone=city.written["timezone"],
        prior=entry.written["prior"],
    )
    source = RegionSource.GEONAMES if entry.written.get("is_geonames") else RegionSource.GAZETTEER
    return MappedRegion(region, boundary, source)


def _aliases(city: _Entry, boroughs: list[_Entry]) -> Iterator[NewAlias]:
    for entry in [city, *boroughs, *chain.from_iterable(borough.inside("neighbourhoods") for borough in boroughs)]:
        known = {_key(entry.written["name"])}
        for name, weight in entry.written.get("aliases", {}).items():
            # One that differs by nothing but how it is written is found already.
            if _key(name) not in known:
                known.add(_key(name))
                yield NewAlias(name, entry.id, AliasSource.GAZETTEER, weight)
    for borough in boroughs:
        for suffix in city.written["suffixes"]:
            yield NewAlias(f"{borough.written['name']} {suffix}", borough.id, AliasSource.GAZETTEER)


def _postcodes(city_id: RegionId) -> Iterator[NewAlias]:
    codes_by_region: dict[str, str] = _written("postcodes").get(city_id, {})
    for path, codes in codes_by_region.items():
        for code in codes.split():
            yield NewAlias(code, RegionId(f"{city_id}/{path}"), AliasSource.GAZETTEER)


def _key(name: str) -> str:
    return compact(normal_place_name(name))
