"""What a city's file lacks and GeoNames has: further neighbourhoods, and further names of those there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from greenroom.data.gazetteer.cells import KM_PER_DEGREE
from greenroom.data.gazetteer.geonames import Settlement
from greenroom.schema.search.geometry import Box, ring_contains
from greenroom.schema.search.place_names import compact, normal_place_name
from greenroom.schema.search.places import Point

SAME_PLACE_KM: Final = 0.5
"""A settlement that near to a neighbourhood's centroid is a part of it, or all of it under another name."""

REACH_KM: Final = 2.0
"""Of the neighbourhood nearest to it; what is farther off lies outside of the city as far as its file knows."""

OTHER_NAME_KM: Final = 3.0
"""Names repeat: a settlement is a known place under another name only that near to it."""

PRIOR: Final = 0.3
"""Below any neighbourhood that somebody thought of when writing the file."""

OTHER_NAME_WEIGHT: Final = 0.8


@dataclass(frozen=True, slots=True)
class _Known:
    """An entry of the file, by its names in normal form. ``borough`` is the one it lies in, None for a borough itself."""

    entry: dict[str, Any]
    borough: dict[str, Any] | None
    at: Point
    names: frozenset[str]


def complete(city: dict[str, Any], settlements: Iterable[Settlement]) -> None:
    """Write into a city's file, as read, what it lacks; settlements elsewhere are passed over.

    One whose name the file has is known. One that the file has under another of its names, or half a kilometre from a neighbourhood of the
    file, becomes another name of that. Any other becomes a neighbourhood of the borough of its nearest, if it is in reach of it and
    within what outlines the file has.
    Names that join two, or that say the city's own, are those of wards and districts, not what people call a place.
    """
    known = list(_known(city))
    around = _around([place.at for place in known])
    taken = frozenset[str]().union(*(place.names for place in known), {_key(city["name"])}, _aliases(city))
    near = [settlement for settlement in settlements if around.contains(settlement.at)]
    for settlement in sorted(near, key=lambda found: (-found.population, found.name, found.at.lat)):
        name = _key(settlement.name)
        nearest = min(
            (place for place in known if place.borough is not None),
            key=lambda place: place.at.distance_km(settlement.at),
        )
        distance_km = nearest.at.distance_km(settlement.at)
        if distance_km > REACH_KM or name in taken or not _is_one_name(settlement.name, city["name"]):
            continue
        taken |= {name}
        under_another_name = _under_another_name(settlement, known)
        if under_another_name is not None:
            _name_also(under_another_name.entry, settlement.name)
        elif distance_km <= SAME_PLACE_KM:
            _name_also(nearest.entry, settlement.name)
        elif nearest.borough is not None and _is_inside(settlement.at, nearest.borough, city):
            nearest.borough["neighbourhoods"].append(
                {
                    "name": settlement.name,
                    "at": [settlement.at.lat, settlement.at.lng],
                    "prior": PRIOR,
                    "is_geonames": True,
                }
            )


def _known(city: dict[str, Any]) -> Iterator[_Known]:
    for borough in city["boroughs"]:
        yield _Known(borough, None, Point(*borough["at"]), _names(borough))
        for entry in borough["neighbourhoods"]:
            yield _Known(entry, borough, Point(*entry["at"]), _names(entry))


def _around(points: list[Point]) -> Box:
    """A box that holds all that is in reach; a degree of longitude is at least half as long as one of latitude up to 60 degrees."""
    lats, lngs = [point.lat for point in points], [point.lng for point in points]
    reach = REACH_KM / KM_PER_DEGREE
    return Box(min(lats) - reach, min(lngs) - 2 * reach, max(lats) + reach, max(lngs) + 2 * reach)


def _is_inside(at: Point, borough: dict[str, Any], city: dict[str, Any]) -> bool:
    outlines = borough.get("outlines") or city.get("outlines") or ()
    return not outlines or any(ring_contains(tuple(Point(*corner) for corner in ring), at) for ring in outlines)


def _under_another_name(settlement: Settlement, known: list[_Known]) -> _Known | None:
    others = {_key(name) for name in settlement.other_names} - {""}
    return next(
        (
            place
            for place in known
            if place.names & others and place.at.distance_km(settlement.at) <= OTHER_NAME_KM
        ),
        None,
    )


def _name_also(entry: dict[str, Any], name: str) -> None:
    entry.setdefault("aliases", {})[name] = OTHER_NAME_WEIGHT


def _is_one_name(name: str, city_name: str) -> bool:
    return " and " not in name and _key(city_name) not in _key(name)


def _names(entry: dict[str, Any]) -> frozenset[str]:
    return _aliases(entry) | {_key(entry["name"])}


def _aliases(entry: dict[str, Any]) -> frozenset[str]:
    return frozenset(map(_key, entry.get("aliases", {})))


def _key(name: str) -> str:
    return compact(normal_place_name(name))
