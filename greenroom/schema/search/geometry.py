"""Plane geometry on boundaries: what a point lies in, and the box around an area.

Degrees are taken as plane coordinates, which is right for a city: no edge of ours is longer than some 50 km.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from greenroom.schema.search.places import Boundary, Point, Polygon, Ring


@dataclass(frozen=True, slots=True)
class Box:
    """Bounds, inclusive."""

    min_lat: float
    min_lng: float
    max_lat: float
    max_lng: float

    def contains(self, point: Point) -> bool:
        return self.min_lat <= point.lat <= self.max_lat and self.min_lng <= point.lng <= self.max_lng


def box_of(boundary: Boundary) -> Box:
    points = list(chain.from_iterable(polygon.outer for polygon in boundary.polygons))
    lats, lngs = [point.lat for point in points], [point.lng for point in points]
    return Box(min(lats), min(lngs), max(lats), max(lngs))


def contains(boundary: Boundary, point: Point) -> bool:
    """Whether a point lies in one of the parts and in none of its holes; a point on an edge may be told either way."""
    return any(_polygon_contains(polygon, point) for polygon in boundary.polygons)


def _polygon_contains(polygon: Polygon, point: Point) -> bool:
    return ring_contains(polygon.outer, point) and not any(ring_contains(hole, point) for hole in polygon.holes)


def ring_contains(ring: Ring, point: Point) -> bool:
    """By the even-odd rule. Source: M. Shimrat, Algorithm 112, Communications of the ACM 5, 1962."""
    inside = False
    before = ring[-1]
    for corner in ring:
        if (corner.lat > point.lat) != (before.lat > point.lat):
            share = (point.lat - corner.lat) / (before.lat - corner.lat)
            if point.lng < corner.lng + share * (before.lng - corner.lng):
                inside = not inside
        before = corner
    return inside
