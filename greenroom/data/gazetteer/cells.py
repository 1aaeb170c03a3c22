"""Approximate boundaries of neighbourhoods, of which nobody agrees on the exact ones.

A neighbourhood gets the points that are nearer to its centroid than to any other's (its Voronoi cell), at most some distance from
it, and within the outline of its borough. All is done in a plane: over a city, degrees scaled by the cosine of the latitude
are off by less than a part in a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from math import cos, hypot, pi, radians, sin
from typing import Final

from greenroom.schema.search.places import Boundary, Point, Polygon, Ring

KM_PER_DEGREE: Final = 111.2
CORNERS: Final = 16
"""Of the polygon that stands for a circle: its sides stay within 2 % of it."""

DIGITS: Final = 5
"""Of a degree: about a metre."""

_Spot = tuple[float, float]
"""East and north of the centre, in km."""


def cell(centre: Point, others: Sequence[Point], *, radius_km: float, outlines: Sequence[Ring]) -> Boundary | None:
    """The area that belongs to ``centre``.

    Args:
        others: centroids of all the others.
        outlines: areas it is cut to, of any shape; empty for no cut.

    Returns:
        None if nothing is left, as when the centre lies outside every outline.
    """
    spots = sorted((_spot(other, centre) for other in others if other != centre), key=lambda spot: hypot(*spot))
    corners = _circle(radius_km)
    for spot in spots:
        if hypot(*spot) > 2 * radius_km:
            break
        corners = _nearer_half(corners, spot)
    if not outlines:
        return Boundary((Polygon(_ring(corners, centre)),))
    cut = [_cut([_spot(point, centre) for point in outline], corners) for outline in outlines]
    polygons = tuple(Polygon(_ring(part, centre)) for part in cut if len(part) >= 3)
    return Boundary(polygons) if polygons else None


def union(boundaries: Iterable[Boundary | None]) -> Boundary | None:
    """All areas together, as parts that may overlap; None if there are none."""
    polygons = tuple(chain.from_iterable(boundary.polygons for boundary in boundaries if boundary is not None))
    return Boundary(polygons) if polygons else None


def _spot(point: Point, centre: Point) -> _Spot:
    east = (point.lng - centre.lng) * KM_PER_DEGREE * cos(radians(centre.lat))
    return east, (point.lat - centre.lat) * KM_PER_DEGREE


def _ring(spots: Sequence[_Spot], centre: Point) -> Ring:
    east_degree = KM_PER_DEGREE * cos(radians(centre.lat))
    return tuple(
        Point(round(centre.lat + north / KM_PER_DEGREE, DIGITS), round(centre.lng + east / east_degree, DIGITS))
        for east, north in spots
    )


def _circle(radius_km: float) -> list[_Spot]:
    """Anticlockwise, about the origin."""
    angles = [2 * pi * corner / CORNERS for corner in range(CORNERS)]
    return [(radius_km * cos(angle), radius_km * sin(angle)) for angle in angles]


def _nearer_half(corners: list[_Spot], other: _Spot) -> list[_Spot]:
    """What of a polygon is nearer to the origin than to ``other``."""
    limit = (other[0] ** 2 + other[1] ** 2) / 2
    return _keep(corners, (-other[0], -other[1], limit))


def _cut(outline: list[_Spot], corners: list[_Spot]) -> list[_Spot]:
    """What of an outline lies in a convex polygon. Parts that fall apart stay connected by edges of no width.

    Source: I. Sutherland, G. Hodgman, Reentrant Polygon Clipping, Communications of the ACM 17, 1974.
    """
    for (x1, y1), (x2, y2) in pairwise([*corners, corners[0]]):
        # Anticlockwise: inside is to the left of each edge.
        outline = _keep(outline, (y1 - y2, x2 - x1, y2 * x1 - y1 * x2))
    return outline


def _keep(corners: list[_Spot], half: tuple[float, float, float]) -> list[_Spot]:
    """What of a polygon has ``a * x + b * y + c >= 0``."""
    a, b, c = half
    kept = []
    for here, there in pairwise([*corners, *corners[:1]]):
        at_here, at_there = a * here[0] + b * here[1] + c, a * there[0] + b * there[1] + c
        if at_here >= 0:
            kept.append(here)
        if (at_here >= 0) != (at_there >= 0):
            share = at_here / (at_here - at_there)
            kept.append((here[0] + share * (there[0] - here[0]), here[1] + share * (there[1] - here[1])))
    return kept
