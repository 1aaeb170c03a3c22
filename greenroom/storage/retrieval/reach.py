"""Where an instructor gives lessons, told so that one look says whether that is in a region that was asked for.

The migration that made ``search_documents`` writes the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from greenroom.schema.search.places import RegionId


def reach_of(areas: Iterable[RegionId], home_city: RegionId | None) -> frozenset[str]:
    """``=`` and each region that is served, ``<`` and each that one of these lies in, ``@`` and the home city."""
    tokens = {f"={area}" for area in areas}
    tokens |= {f"<{above}" for area in areas for above in ancestors(area)}
    if home_city is not None:
        tokens.add(f"@{home_city}")
    return frozenset(tokens)


def serving(regions: Iterable[RegionId]) -> list[str]:
    """Who has one of these serves one of the regions: itself, one that it lies in, or one that lies in it."""
    tokens: set[str] = set()
    for region in regions:
        tokens |= {f"={region}", f"<{region}"}
        tokens |= {f"={above}" for above in ancestors(region)}
    return sorted(tokens)


def belonging(cities: Iterable[RegionId]) -> list[str]:
    """Who has one of these is at home in one of the cities, or gives lessons there."""
    return sorted(token for city in cities for token in (f"@{city}", f"={city}", f"<{city}"))


def ancestors(region: RegionId) -> Iterator[RegionId]:
    """The regions that it lies in, the city first."""
    parts = region.split("/")
    for depth in range(1, len(parts)):
        yield RegionId("/".join(parts[:depth]))
