"""Places where a lesson must not be: "not in brooklyn"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from greenroom.actors.search.places.by_name import decide_by_name
from greenroom.schema.search.places import PlaceOutcome, Region, RegionId
from greenroom.storage.ports import PlaceRows

DENIED_MAX: Final = 5
"""Places of one sentence that are looked up, a query each; who names more asks for one of the others."""


@dataclass(frozen=True, slots=True)
class DeniedRegions:
    """``unknown``: texts that name no region of ours, so that nothing is left out for them."""

    regions: tuple[Region, ...] = ()
    unknown: tuple[str, ...] = ()


def denied_regions(
    texts: Sequence[str], rows: Mapping[str, PlaceRows], cities: Sequence[RegionId]
) -> DeniedRegions:
    """The regions that these texts mean, by what was found for each. Of an ambiguous name all are: none of them is wanted.

    Args:
        rows: by text.
        cities: where the lesson is asked for, else where the asker is; empty if unknown.
    """
    regions: dict[RegionId, Region] = {}
    unknown = []
    for text in texts:
        answer = decide_by_name(text, rows[text], cities)
        if answer.outcome is PlaceOutcome.UNKNOWN:
            unknown.append(text)
        else:
            regions |= {region.id: region for region in answer.regions}
    return DeniedRegions(tuple(regions.values()), tuple(unknown))
