"""Invented instructors, one after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import Final

from greenroom.marketplace.city_map import CityMap, Home
from greenroom.marketplace.lessons import Teacher, drawn_kind, drawn_kinds, invented_bio, invented_service
from greenroom.marketplace.standing import invented_standing
from greenroom.marketplace.weeks import invented_week
from greenroom.marketplace.words import groups, kind_in, origins
from greenroom.schema.catalogue import Listing
from greenroom.schema.search.places import Region, RegionId

MIXED_SHARE: Final = 0.12
"""Of those whose family name is of another origin than the given one."""

ONLINE_ONLY_SHARE: Final = 0.15
"""Of those who teach online at all."""


def invented_instructors(regions: Iterable[Region], *, seed: int, count: int) -> Iterator[Listing]:
    """Make ``count`` instructors who live in these regions.

    Each is drawn from a source of its own, so that the first ones are the same however many there are.

    Raises:
        ValueError: there is no neighbourhood among the regions.
    """
    city_map = CityMap(regions)
    for number in range(count):
        # Not for secrets: the whole point is that anybody can draw the same.
        yield _instructor(Random(f"{seed}:{number}"), city_map, number)  # noqa: S311


def address(number: int) -> str:
    """The e-mail address of the instructor of a number, counted from 0."""
    return f"instructor-{number:05}@example.com"


def _instructor(random: Random, city_map: CityMap, number: int) -> Listing:
    home = city_map.home(random)
    names = origins()
    [origin] = random.choices(names, [entry.weight for entry in names])
    of_family = (
        random.choices(names, [entry.weight for entry in names])[0] if random.random() < MIXED_SHARE else origin
    )
    given = random.choice(origin.given)
    kind = kind_in(home.city.id, drawn_kind(random, origin.languages))
    is_online = random.random() < groups()[kind.group].online
    is_in_person = not is_online or random.random() >= ONLINE_ONLY_SHARE
    years = min(45, 2 + round(random.gammavariate(2.0, 5.0)))
    teacher = Teacher(
        given=given,
        home=home,
        years=years,
        dearness=min(2.2, random.lognormvariate(0.0, 0.22) * (0.9 + min(years, 20) * 0.012)),
        is_online=is_online,
        is_in_person=is_in_person,
    )
    titles: set[str] = set()
    services = tuple(
        invented_service(random, kind_in(home.city.id, offered), teacher, number=n, besides=titles)
        for n, offered in enumerate(drawn_kinds(random, kind), start=1)
    )
    standing = invented_standing(random)
    return Listing(
        external_id=f"invented-{number:05}",
        display_name=f"{given} {random.choice(of_family.family)}",
        email=address(number),
        bio=invented_bio(random, kind, teacher),
        rating=standing.rating,
        rating_count=standing.rating_count,
        response_minutes=standing.response_minutes,
        home_city=home.city.id,
        timezone=home.city.timezone,
        areas=_areas(random, home) if any(service.is_in_person for service in services) else (),
        availability=invented_week(random),
        services=services,
    )


def _areas(random: Random, home: Home) -> tuple[RegionId, ...]:
    """Where somebody goes: the own neighbourhood and some around it, the whole part of the city, or all of it."""
    reach = random.random()
    if reach < 0.03:
        return (home.city.id,)
    if reach < 0.12 and home.area is not None:
        return (home.area.id,)
    others = min(len(home.around), random.choices((0, 1, 2, 3, 4, 6, 9), (6, 10, 16, 20, 20, 16, 12))[0])
    # The nearest twice as many come into question, as nobody's round is a perfect circle.
    return tuple(sorted({home.region.id, *random.sample(home.around[: 2 * others], others)}))
