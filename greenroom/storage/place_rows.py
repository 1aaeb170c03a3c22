"""What both twins do with places: ranking candidates, measuring distances, and what may be stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.search.place_names import NAME_LENGTH_MAX, normal_place_name
from greenroom.schema.search.places import NewAlias, PlaceCandidate, Point, Region, RegionId, Tier
from greenroom.storage.ports import PlaceRows, RowsWithin

ROWS_MAX: Final = 20
"""Regions of tiers 1 and 2."""

SIMILAR_NAMES_MAX: Final = 40
"""Names of tier 3."""

NEAREST_WITHOUT_BOUNDARY_KM: Final = 3.0
"""How far from a centroid a point still belongs to a region whose boundary does not contain it: boundaries are approximate."""


def rows_of(candidates: Iterable[PlaceCandidate], within: tuple[RowsWithin, ...] = ()) -> PlaceRows:
    """Candidates by tier, likeliest first: by confidence, then prior, then id."""
    ranked = sorted(candidates, key=lambda c: (-c.confidence, -c.region.prior, c.region.id, c.matched_name))
    exact, alias, fuzzy = (
        [candidate for candidate in ranked if candidate.tier is tier]
        for tier in (Tier.EXACT, Tier.ALIAS, Tier.FUZZY)
    )
    return PlaceRows(_one_per_region(exact), _one_per_region(alias), tuple(fuzzy[:SIMILAR_NAMES_MAX]), within)


def _one_per_region(candidates: Iterable[PlaceCandidate]) -> tuple[PlaceCandidate, ...]:
    by_id: dict[RegionId, PlaceCandidate] = {}
    for candidate in candidates:
        by_id.setdefault(candidate.region.id, candidate)
    return tuple(by_id.values())[:ROWS_MAX]


def nearest_first(regions: Iterable[Region], centre: Point, within_km: float) -> list[Region]:
    """Those within a distance, by it; ties by id."""
    measured = sorted((region.centroid.distance_km(centre), region.id, region) for region in regions)
    return [region for distance_km, _, region in measured if distance_km <= within_km]


def storable(aliases: Sequence[NewAlias]) -> list[tuple[str, NewAlias]]:
    """Aliases with their normal form, one per name and region, the last given; without those that can't name anything."""
    by_key = {}
    for alias in aliases:
        normal = normal_place_name(alias.name)
        if normal and len(normal) <= NAME_LENGTH_MAX:
            by_key[normal, alias.region_id] = (normal, alias)
    return list(by_key.values())


def one_dimension(vectors: Iterable[Sequence[float]]) -> int:
    """The length that all vectors have.

    Raises:
        InvalidInput: they differ.
    """
    lengths = {len(vector) for vector in vectors}
    if len(lengths) != 1:
        raise InvalidInput(FieldError(("vectors",), "must all be of one length"))
    return lengths.pop()
