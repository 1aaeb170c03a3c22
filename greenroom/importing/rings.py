"""Whether a closed line is a fit boundary: corners on the globe, closed, of some size, not crossing itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from greenroom.schema.search.places import Point, Polygon, Ring

CORNERS_MAX: Final = 20_000
"""Of one ring. The check for crossings looks at pairs that overlap in longitude, which for a coast is a fraction of all."""


class BadRing(Exception):
    """Not a boundary; ``str(error)`` says why."""


def ring_of(positions: object) -> Ring:
    """Read a ring of GeoJSON positions: [longitude, latitude], the last one equal to the first.

    Raises:
        BadRing: it is none, or crosses or touches itself.
    """
    if not isinstance(positions, list) or len(positions) < 4:
        raise BadRing("must be a ring of at least four positions")
    if len(positions) > CORNERS_MAX:
        raise BadRing(f"must be a ring of at most {CORNERS_MAX:,} positions")
    points = [point_of(position) for position in positions]
    if points[0] != points[-1]:
        raise BadRing("must be closed: its last position is its first")
    corners = [point for point, after in pairwise(points) if point != after]
    if len(set(corners)) < 3 or abs(signed_area(corners)) < 1e-12:
        raise BadRing("must enclose an area")
    if (crossing := _crossing(corners)) is not None:
        raise BadRing(f"crosses itself near {crossing.lng:.5f}, {crossing.lat:.5f}")
    return tuple(corners)


def point_of(position: object) -> Point:
    """
    Raises:
        BadRing: it is no position on the globe.
    """
    match position:
        case [int() | float() as lng, int() | float() as lat, *_]:
            if -180 <= lng <= 180 and -90 <= lat <= 90:  # as NaN and infinity are not
                return Point(lat=float(lat), lng=float(lng))
            raise BadRing("must have longitudes from -180 to 180, then latitudes from -90 to 90")
    raise BadRing("must be positions of a longitude and a latitude")


def signed_area(ring: Sequence[Point]) -> float:
    """In square degrees; above 0 where the corners go counter-clockwise. Source: the shoelace formula."""
    return math.fsum(a.lng * b.lat - b.lng * a.lat for a, b in zip(ring, (*ring[1:], ring[0]), strict=True)) / 2


def centroid_of(polygons: Sequence[Polygon]) -> Point:
    """The centre of gravity of areas, holes taken out. Source: P. Bourke, "Calculating the area and centroid of a polygon", 1988."""
    area = lng = lat = 0.0
    for polygon in polygons:
        for ring, sign in ((polygon.outer, 1), *((hole, -1) for hole in polygon.holes)):
            weight = sign * abs(signed_area(ring))
            centre = _ring_centroid(ring)
            area, lng, lat = area + weight, lng + weight * centre.lng, lat + weight * centre.lat
    return Point(lat=lat / area, lng=lng / area)


def _ring_centroid(ring: Ring) -> Point:
    # Measured from a corner: the products of whole coordinates would swallow the digits that matter.
    base, area = ring[0], signed_area(ring)
    lng = lat = 0.0
    for a, b in zip(ring, (*ring[1:], ring[0]), strict=True):
        ax, ay, bx, by = a.lng - base.lng, a.lat - base.lat, b.lng - base.lng, b.lat - base.lat
        cross = ax * by - bx * ay
        lng, lat = lng + (ax + bx) * cross, lat + (ay + by) * cross
    return Point(lat=base.lat + lat / (6 * area), lng=base.lng + lng / (6 * area))


def _crossing(corners: Sequence[Point]) -> Point | None:
    """A corner of one of two sides that are no neighbours and meet; None if none do.

    A sweep over the sides by their western end, against those that reach as far east.
    """
    count = len(corners)
    sides = sorted(
        (min(a.lng, b.lng), max(a.lng, b.lng), index)
        for index, (a, b) in enumerate(zip(corners, (*corners[1:], corners[0]), strict=True))
    )
    open_sides: list[tuple[float, int]] = []
    for west, east, index in sides:
        open_sides = [side for side in open_sides if side[0] >= west]
        a, b = corners[index], corners[(index + 1) % count]
        for _, other in open_sides:
            if (index - other) % count in {1, count - 1}:
                continue
            if _meet(a, b, corners[other], corners[(other + 1) % count]):
                return a
        open_sides.append((east, index))
    return None


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two sides have a point in common. Source: T. Cormen et al., "Introduction to Algorithms", section 33.1."""
    if max(a.lat, b.lat) < min(c.lat, d.lat) or max(c.lat, d.lat) < min(a.lat, b.lat):
        return False
    turns = _turn(c, d, a), _turn(c, d, b), _turn(a, b, c), _turn(a, b, d)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = ((c, d, a), (c, d, b), (a, b, c), (a, b, d))
    return any(turn == 0 and _within(*end) for turn, end in zip(turns, ends, strict=True))


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b.lng - a.lng) * (c.lat - a.lat) - (b.lat - a.lat) * (c.lng - a.lng)


def _within(a: Point, b: Point, c: Point) -> bool:
    return min(a.lng, b.lng) <= c.lng <= max(a.lng, b.lng) and min(a.lat, b.lat) <= c.lat <= max(a.lat, b.lat)
