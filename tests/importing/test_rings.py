from __future__ import annotations

from itertools import pairwise
from math import cos, pi, sin

import pytest

from greenroom.importing.rings import BadRing, centroid_of, ring_of
from greenroom.schema.search.places import Point, Polygon

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]


def test_a_closed_line_becomes_corners_without_the_repeated_one() -> None:
    assert ring_of(SQUARE) == (Point(0, 0), Point(0, 4), Point(4, 4), Point(4, 0))


@pytest.mark.parametrize(
    ("positions", "reason"),
    [
        ("nothing", "at least four"),
        (SQUARE[:3], "at least four"),
        (SQUARE[:4], "closed"),
        ([[0, 0], [200, 0], [4, 4], [0, 0]], "longitudes"),
        ([[0, 0], [0, 91], [4, 4], [0, 0]], "latitudes"),
        ([[0, 0], ["1", 0], [4, 4], [0, 0]], "positions"),
        ([[0, 0], [float("nan"), 0], [4, 4], [0, 0]], "longitudes"),
        ([[0, 0], [1, 1], [2, 2], [0, 0]], "area"),
        ([[0, 0], [4, 4], [4, 0], [0, 4], [0, 0]], "area|crosses"),
        ([[0, 0], [4, 0], [4, 4], [-1, 2], [2, 5], [0, 5], [0, 0]], "crosses"),
        ([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4], [0, 0]], "crosses"),
    ],
)
def test_what_is_no_boundary_is_refused_with_its_reason(positions: object, reason: str) -> None:
    with pytest.raises(BadRing, match=reason):
        ring_of(positions)


def a_star(corners: int) -> list[list[float]]:
    """Of a coast's jaggedness, without any crossing."""
    angles = [2 * pi * n / corners for n in range(corners)]
    ring = [[(1 + 0.4 * (n % 2)) * cos(a), (1 + 0.4 * (n % 2)) * sin(a)] for n, a in enumerate(angles)]
    return [*ring, ring[0]]


def test_a_jagged_coast_is_no_crossing_until_two_of_its_corners_are_swapped() -> None:
    coast = a_star(2_000)
    assert len(ring_of(coast)) == 2_000
    coast[500], coast[503] = coast[503], coast[500]
    with pytest.raises(BadRing, match="crosses"):
        ring_of(coast)
    assert all(before != after for before, after in pairwise(coast))


def test_the_centroid_is_the_centre_of_gravity_of_all_parts_without_their_holes() -> None:
    square = Polygon(ring_of(SQUARE))
    assert centroid_of([square]) == Point(2, 2)
    hole = ring_of([[0, 0], [2, 0], [2, 4], [0, 4], [0, 0]])
    far = Polygon(ring_of([[x + 10, y] for x, y in SQUARE]))
    both = centroid_of([square, far])
    assert (both.lat, both.lng) == pytest.approx((2, 7))
    left_out = centroid_of([Polygon(square.outer, (hole,))])
    assert (left_out.lat, left_out.lng) == pytest.approx((2, 3))
