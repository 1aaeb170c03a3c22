"""What becomes of what an instructor wants to offer: pure, with everything it depends on given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from greenroom.schema.catalogue import Offer, Profile, joined
from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.ids import Ids, ServiceId, UserId
from greenroom.schema.lessons import OfferedLesson, OfferLessons
from greenroom.schema.records import Service
from greenroom.schema.search.places import Region, RegionId


def offer(
    instructor_id: UserId,
    wanted: OfferLessons,
    *,
    told: Profile,
    offered: Sequence[Service],
    regions: Mapping[RegionId, Region],
    ids: Ids,
) -> Offer:
    """Decide what is stored.

    Args:
        told: what was known of the instructor before.
        offered: the instructor's services until now.
        regions: those that exist, of the areas wanted.

    Raises:
        InvalidInput: an area that is not known, a service that is not the instructor's, or the same one twice;
            each is named.
    """
    faults = [
        FieldError(("body", "areas", place), f"{region_id} is no region known here")
        for place, region_id in enumerate(wanted.areas)
        if region_id not in regions
    ]
    services = _services(instructor_id, wanted.services, offered, faults, ids)
    if faults:
        raise InvalidInput(*faults)
    areas = tuple(sorted(set(wanted.areas)))
    home_city = _city_of(areas, regions) or told.home_city
    timezone = wanted.timezone
    if timezone is None:
        # One who never chose a time zone, and gives lessons in a city, means that city's.
        is_told = told != Profile() and told.timezone != Profile().timezone
        timezone = regions[areas[0]].timezone if areas and not is_told else told.timezone
    return Offer(
        bio=told.bio if wanted.bio is None else wanted.bio,
        home_city=home_city,
        timezone=timezone,
        services=services,
        areas=areas,
        availability=joined(free.slot() for free in wanted.availability),
    )


def _services(
    instructor_id: UserId,
    lessons: Sequence[OfferedLesson],
    offered: Sequence[Service],
    faults: list[FieldError],
    ids: Ids,
) -> tuple[Service, ...]:
    """Each lesson under the id it had, or a new one; what is wrong is added to ``faults``."""
    known = {service.id for service in offered}
    by_look = {(service.title, service.duration_minutes): service.id for service in reversed(offered)}
    taken: set[ServiceId] = set()
    for place, lesson in enumerate(lessons):
        if lesson.id is None:
            continue
        loc = ("body", "services", place, "id")
        if lesson.id not in known:
            faults.append(FieldError(loc, "is no service of yours"))
        elif lesson.id in taken:
            faults.append(FieldError(loc, "is there twice"))
        taken.add(lesson.id)
    services = []
    for place, lesson in enumerate(lessons):
        service_id = lesson.id
        if service_id is None:
            alike = by_look.get((lesson.title, lesson.duration_minutes))
            if alike is not None and alike not in taken:
                service_id = alike
                taken.add(alike)
        services.append(_service(service_id or ServiceId(ids.ulid()), instructor_id, lesson))
        look = (lesson.title, lesson.duration_minutes)
        if any((other.title, other.duration_minutes) == look for other in services[:-1]):
            faults.append(FieldError(("body", "services", place, "title"), "is there twice, with the same length"))
    return tuple(services)


def _service(service_id: ServiceId, instructor_id: UserId, lesson: OfferedLesson) -> Service:
    return Service(
        id=service_id,
        instructor_id=instructor_id,
        title=lesson.title,
        description=lesson.description,
        price_cents=lesson.price_cents,
        currency=lesson.currency,
        duration_minutes=lesson.duration_minutes,
        category=lesson.category,
        levels=lesson.levels_in_order,
        age_min=None if lesson.ages is None else lesson.ages.min,
        age_max=None if lesson.ages is None else lesson.ages.max,
        is_online=lesson.online,
        is_in_person=lesson.in_person,
    )


def _city_of(areas: Sequence[RegionId], regions: Mapping[RegionId, Region]) -> RegionId | None:
    """The city that most of the areas lie in; of several, the first by id."""
    if not areas:
        return None
    counted = Counter(regions[area].city for area in areas)
    return min(counted, key=lambda city: (-counted[city], city))
