"""Boundaries as GeoJSON geometries (RFC 7946): Polygon and MultiPolygon, positions as [longitude, latitude]."""

from __future__ import annotations

from typing import Any

from greenroom.schema.search.places import Boundary, Point, Polygon, Ring


def geometry_of(boundary: Boundary) -> dict[str, Any]:
    """A geometry whose rings are closed: the first position is repeated as the last."""
    parts = [[_positions(ring) for ring in (part.outer, *part.holes)] for part in boundary.polygons]
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}


def boundary_of(geometry: dict[str, Any]) -> Boundary:
    """Read what :func:`geometry_of` wrote. Nothing is checked: it is for what was stored, not for what was received."""
    coordinates = geometry["coordinates"]
    parts = [coordinates] if geometry["type"] == "Polygon" else coordinates
    return Boundary(tuple(Polygon(_ring(rings[0]), tuple(map(_ring, rings[1:]))) for rings in parts))


def _positions(ring: Ring) -> list[list[float]]:
    return [[point.lng, point.lat] for point in (*ring, ring[0])]


def _ring(positions: list[list[float]]) -> Ring:
    return tuple(Point(lat=position[1], lng=position[0]) for position in positions[:-1])
