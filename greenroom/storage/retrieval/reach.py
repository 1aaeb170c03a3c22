"""Where and how a lesson is had, told so that one look says whether that is what was asked for.

The migrations that made ``search_documents.reach`` write the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from greenroom.schema.search.candidates import HardFilters
from greenroom.schema.search.places import RegionId

ONLINE: Final = "~"
ANYWHERE: Final = "*"
"""In the place of a city: of a lesson online by somebody who is at home nowhere and serves no region."""


def reach_of(
    areas: Iterable[RegionId], home_city: RegionId | None, *, is_online: bool, is_in_person: bool
) -> frozenset[str]:
    """``@`` and each city of the instructor, by home or by areas; ``~`` alone and with each city of a lesson online. Of a lesson in
    person ``=`` and each region that is served, ``<`` and each that one of these lies in."""
    served = tuple(areas)
    cities = {area.split("/")[0] for area in served} | ({home_city} if home_city is not None else set())
    tokens = {f"@{city}" for city in cities}
    if is_online:
        tokens |= {ONLINE, *(f"~{city}" for city in cities or {ANYWHERE})}
        tokens |= set() if cities else {f"@{ANYWHERE}"}
    if is_in_person:
        tokens |= {f"={area}" for area in served}
        tokens |= {f"<{above}" for area in served for above in ancestors(area)}
    return frozenset(tokens)


def asked_reach(filters: HardFilters) -> list[str] | None:
    """A lesson is to have one of these; None if it may have any. Whether it is had online or in person is asked for besides.

    To serve a region is to serve it, one that it lies in, or one that lies in it. Lessons online are not bound to an area, but to a
    city, unless their instructor has none.
    """
    if filters.areas and filters.online is not True:
        areas = [area for area in filters.areas if not filters.cities or area.split("/")[0] in filters.cities]
        tokens = set(_serving(areas))
        if filters.online is None:
            tokens |= {f"~{city}" for city in (*filters.cities, ANYWHERE)} if filters.cities else {ONLINE}
        return sorted(tokens)
    if not filters.cities:
        return None
    if filters.online is True:
        return sorted(f"~{city}" for city in (*filters.cities, ANYWHERE))
    anywhere = () if filters.online is False else (ANYWHERE,)
    return sorted(f"@{city}" for city in (*filters.cities, *anywhere))


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What a lesson in person has to be had in, where some regions are barred: one of its tokens with a slash behind begins with none of
    ``barred``, and, unless ``serving`` and ``within`` are empty, is one of ``serving`` or begins with one of ``within``."""

    barred: tuple[str, ...]
    serving: tuple[str, ...]
    within: tuple[str, ...]

    def has(self, reach: Iterable[str]) -> bool:
        return any(
            not f"{token}/".startswith(self.barred)
            and (not self.serving or token in self.serving or f"{token}/".startswith(self.within))
            for token in reach
            if token.startswith("=")
        )


def asked_elsewhere(filters: HardFilters) -> Elsewhere | None:
    """Where else lessons in person have to be had; None if no region is barred, or only lessons online are asked for.

    Whose regions are not known might give it anywhere, also where it must not be: they don't pass. If all that is asked for lies in
    what is barred, nobody does, though they serve more than both: they would give it there, or where it is not asked for.
    """
    if not filters.barred_areas or filters.online is True:
        return None
    barred = tuple(f"={area}/" for area in filters.barred_areas)
    asked = [area for area in filters.areas if not filters.cities or area.split("/")[0] in filters.cities]
    asked = asked or list(filters.cities)
    left = [area for area in asked if not f"={area}/".startswith(barred)]
    if asked and not left:
        return Elsewhere(barred=("=",), serving=(), within=())
    return Elsewhere(
        barred=barred,
        serving=tuple(f"={region}" for area in left for region in (area, *ancestors(area))),
        within=tuple(f"={area}/" for area in left),
    )


def _serving(regions: Iterable[RegionId]) -> Iterator[str]:
    for region in regions:
        yield f"={region}"
        yield f"<{region}"
        for above in ancestors(region):
            yield f"={above}"


def ancestors(region: RegionId) -> Iterator[RegionId]:
    """The regions that it lies in, the city first."""
    parts = region.split("/")
    for depth in range(1, len(parts)):
        yield RegionId("/".join(parts[:depth]))


def is_local(filters: HardFilters) -> bool:
    """Whether only a part of a city is asked for, which few of all lessons are given in."""
    return bool(filters.areas) and filters.online is not True and all("/" in area for area in filters.areas)
