"""What a search asks for firmly, by what was understood and which place was meant. Decides only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from greenroom.actors.search.request import SearchRequest
from greenroom.schema.search.candidates import HardFilters, TimeWindow
from greenroom.schema.search.places import PlaceAnswer, Point, Region, RegionId
from greenroom.schema.search.understood import Understood


def hard_filters(
    request: SearchRequest,
    understood: Understood,
    place: PlaceAnswer,
    here: Region | None,
    windows: tuple[TimeWindow, ...],
) -> HardFilters:
    """All that no result may break; the areas follow, see :func:`within_areas`.

    Args:
        here: the city that was asked for, or the region where the asker is.
        windows: what the sentence's times come to.
    """
    return HardFilters(
        cities=_cities(request, place, here),
        price=understood.price,
        age=understood.age,
        levels=understood.levels,
        windows=windows,
        online=understood.online,
        barred_areas=tuple(region.id for region in place.excluded),
        barred_categories=understood.denied,
        only_ages=understood.only_ages,
    )


def _cities(request: SearchRequest, place: PlaceAnswer, here: Region | None) -> tuple[RegionId, ...]:
    if request.city is not None:
        return (request.city,)
    regions = place.regions or (() if here is None else (here,))
    cities = {region.city for region in regions}
    # A place that may be in one city or in another narrows to neither.
    return tuple(cities) if len(cities) == 1 else ()


def within_areas(filters: HardFilters, areas: tuple[RegionId, ...]) -> HardFilters:
    """Whoever names a place wants to go there, or have somebody come; whoever says "online" does not care where from."""
    if not areas or filters.online is True:
        return filters
    return replace(filters, areas=areas, online=False)


def zones_of(place: PlaceAnswer, here: Region | None) -> tuple[str, ...]:
    """Whose mornings are meant: those of the place, else of where the search is; empty where neither is known."""
    regions = place.regions or (() if here is None else (here,))
    return tuple(sorted({region.timezone for region in regions}))


def windows_in(
    zones: Sequence[str], windows_of: Callable[[str], tuple[TimeWindow, ...]]
) -> tuple[TimeWindow, ...]:
    """The windows of one zone, for everybody; of several, those of each for who lives there."""
    if len(zones) == 1:
        return windows_of(zones[0])
    return tuple(replace(window, timezone=zone) for zone in zones for window in windows_of(zone))


def is_over(windows: Sequence[TimeWindow]) -> bool:
    """Whether a time was asked for of which nothing is still to come."""
    return bool(windows) and all(window.ends_at <= window.starts_at for window in windows)


def centre_of(request: SearchRequest, place: PlaceAnswer) -> Point | None:
    """Where distances are measured from: the place that was asked for, else where the asker is.

    There is none where the place may be in one city or in another.
    """
    if not place.regions:
        return request.near
    is_one_city = len({region.city for region in place.regions}) == 1
    return place.regions[0].centroid if is_one_city else request.near


def likely_cities(request: SearchRequest, here: Region | None) -> tuple[RegionId, ...]:
    """Where a place's name is likely to lie: in the city that was asked for, else in that of the asker."""
    city = request.city
    if city is None and here is not None:
        city = here.city
    return () if city is None else (city,)
