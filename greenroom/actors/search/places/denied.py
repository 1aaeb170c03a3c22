"""Places where a lesson must not be: "not in brooklyn"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from greenroom.actors.search.places.by_name import decide_by_name
from greenroom.actors.search.places.spelling import is_misspelling
from greenroom.schema.search.place_names import normal_place_name
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome, Region, RegionId, Tier
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
    """The regions that these texts name, by what was found for each. Of an ambiguous name all are: none of them is wanted.

    A name or an alias, or the misspelt name of one region: "the river" may be short for several and "north brooklyn" is less than
    Brooklyn, so that leaving these out would leave out what nobody denied.

    Args:
        rows: by text.
        cities: where the lesson is asked for, else where the asker is; empty if unknown.
    """
    regions: dict[RegionId, Region] = {}
    unknown = []
    for text in texts:
        answer = decide_by_name(text, rows[text], cities)
        if not _is_named(answer, rows[text], is_placed=bool(cities)):
            unknown.append(text)
        else:
            regions |= {region.id: region for region in answer.regions}
    return DeniedRegions(tuple(regions.values()), tuple(unknown))


def _is_named(answer: PlaceAnswer, rows: PlaceRows, *, is_placed: bool) -> bool:
    if answer.tier is Tier.FUZZY:
        text = normal_place_name(answer.text or "")
        return len(answer.regions) == 1 and any(
            is_misspelling(
                text, normal_place_name(like.matched_name), similarity=like.confidence, is_placed=is_placed
            )
            for like in answer.candidates
            if like.region == answer.regions[0]
        )
    by_name = (rows.exact, rows.alias, *((within.rows.exact or within.rows.alias) for within in rows.within))
    return answer.outcome is not PlaceOutcome.UNKNOWN and any(by_name)
