"""What both twins do with places: ranking candidates, measuring distances, and what may be stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.search.place_names import NAME_LENGTH_MAX, normal_place_name
from greenroom.schema.search.places import NewAlias, PlaceCandidate, Point, Region, RegionId, Tier
from greenroom.storage.ports import PlaceRows, RowsWithin

ROWS_MAX: Final = 20
"""Candidates per tier."""

NEAREST_WITHOUT_BOUNDARY_KM: Final = 3.0
"""How far from a centroid a point still belongs to a region whose boundary does not contain it: boundaries are approximate."""


def rows_of(candidates: Iterable[PlaceCandidate], within: tuple[RowsWithin, ...] = ()) -> PlaceRows:
    """Candidates by tier, one per region, likeliest first: by confidence, then prior, then id."""
    tiers: dict[Tier, dict[RegionId, PlaceCandidate]] = {Tier.EXACT: {}, Tier.ALIAS: {}, Tier.FUZZY: {}}
    ranked = sorted(candidates, key=lambda c: (-c.confidence, -c.region.prior, c.region.id, c.matched_name))
    for candidate in ranked:
        tiers[candidate.tier].setdefault(candidate.region.id, candidate)
    exact, alias, fuzzy = (tuple(tiers[tier].values())[:ROWS_MAX] for tier in tiers)
    return PlaceRows(exact, alias, fuzzy, within)


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
