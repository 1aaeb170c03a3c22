"""What instructors tell of themselves and of their lessons, beyond what a booking needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.records import Service
from greenroom.schema.search.places import RegionId
from greenroom.schema.search.understood import Level

TITLE_LENGTH_MAX: Final = 120
DESCRIPTION_LENGTH_MAX: Final = 2_000
BIO_LENGTH_MAX: Final = 2_000
EXTERNAL_ID_LENGTH_MAX: Final = 100
"""Characters each."""

PRICE_CENTS_MAX: Final = 1_000_000
"""Of one lesson: 10,000 in a currency with cents."""

AGE_MAX: Final = 120

SERVICES_MAX: Final = 50
AREAS_MAX: Final = 100
SLOTS_MAX: Final = 70
"""Per instructor; of weekly slots, ten a day."""

DAY_MINUTES: Final = 1_440


@dataclass(frozen=True, order=True, slots=True)
class WeeklySlot:
    """A time that is free every week, in the instructor's own time zone.

    Attributes:
        weekday: as in ISO 8601, 1 for Monday to 7 for Sunday.
        from_minute, to_minute: after local midnight, 0 to 1440, the second exclusive. A night goes on in the next day's slot.
    """

    weekday: int
    from_minute: int
    to_minute: int

    def __post_init__(self) -> None:
        if not 1 <= self.weekday <= 7:
            raise ValueError("a weekday is 1 to 7")
        if not 0 <= self.from_minute < self.to_minute <= DAY_MINUTES:
            raise ValueError("a slot begins before it ends, within one day")


def joined(slots: Iterable[WeeklySlot]) -> tuple[WeeklySlot, ...]:
    """The same times in order, with slots that overlap or touch made one: then none hides a lesson that spans two."""
    kept: list[WeeklySlot] = []
    for slot in sorted(slots):
        last = kept[-1] if kept else None
        if last is not None and last.weekday == slot.weekday and slot.from_minute <= last.to_minute:
            kept[-1] = WeeklySlot(last.weekday, last.from_minute, max(last.to_minute, slot.to_minute))
        else:
            kept.append(slot)
    return tuple(kept)


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """What is known of an instructor; the defaults are of one who told nothing yet.

    Attributes:
        rating: mean of ``rating_count`` ratings from 1 to 5; 0.0 of none.
        response_minutes: median time to a first answer; None if unknown.
        home_city: None where it is not known, or lessons are online only.
        timezone: IANA name; ``availability`` is told in it.
        areas: ids of the regions where lessons are given, in order.
        availability: in order, without overlap.
    """

    bio: str = ""
    rating: float = 0.0
    rating_count: int = 0
    response_minutes: int | None = None
    home_city: RegionId | None = None
    timezone: str = "UTC"
    areas: tuple[RegionId, ...] = ()
    availability: tuple[WeeklySlot, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What instructors say of themselves, all of it: what is not in it is offered no more.

    Attributes:
        services: with ids, those kept under their old ones.
    """

    bio: str
    home_city: RegionId | None
    timezone: str
    services: tuple[Service, ...]
    areas: tuple[RegionId, ...]
    availability: tuple[WeeklySlot, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedService:
    """A service as a file tells it; ``external_id`` is unique per instructor."""

    external_id: str
    title: str
    description: str
    price_cents: int
    currency: str
    duration_minutes: int
    category: str | None = None
    levels: tuple[Level, ...] = ()
    age_min: int | None = None
    age_max: int | None = None
    is_online: bool = False
    is_in_person: bool = True
    is_retired: bool = False

    def as_service(self, service_id: ServiceId, instructor_id: UserId) -> Service:
        return Service(
            id=service_id,
            instructor_id=instructor_id,
            title=self.title,
            description=self.description,
            price_cents=self.price_cents,
            currency=self.currency,
            duration_minutes=self.duration_minutes,
            category=self.category,
            levels=self.levels,
            age_min=self.age_min,
            age_max=self.age_max,
            is_online=self.is_online,
            is_in_person=self.is_in_person,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """An instructor with services as a file tells them; what is None is left as it is, or at its default.

    Attributes:
        external_id: what the file calls the instructor; unique.
        email: of a new account; None for one that nobody can write to.
        rating: given together with ``rating_count`` or not at all.
        services: those not in it are left as they are.
    """

    external_id: str
    display_name: str
    email: str | None = None
    bio: str | None = None
    rating: float | None = None
    rating_count: int | None = None
    response_minutes: int | None = None
    home_city: RegionId | None = None
    timezone: str | None = None
    areas: tuple[RegionId, ...] | None = None
    availability: tuple[WeeklySlot, ...] | None = None
    services: tuple[ListedService, ...] = ()

    def over(self, known: Profile) -> Profile:
        """What is known of the instructor after this."""
        return Profile(
            bio=known.bio if self.bio is None else self.bio,
            rating=known.rating if self.rating is None else self.rating,
            rating_count=known.rating_count if self.rating_count is None else self.rating_count,
            response_minutes=known.response_minutes if self.response_minutes is None else self.response_minutes,
            home_city=known.home_city if self.home_city is None else self.home_city,
            timezone=known.timezone if self.timezone is None else self.timezone,
            areas=known.areas if self.areas is None else self.areas,
            availability=known.availability if self.availability is None else self.availability,
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """What became of a listing.

    Attributes:
        user_id: the instructor's; None if it was refused.
        is_new: an account was made.
        refusal: what is the matter with its e-mail address, so that nothing was stored; None if it was.
    """

    external_id: str
    user_id: UserId | None
    is_new: bool = False
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What is kept beside a service.

    Attributes:
        is_dirty: it is not indexed as it is now; see the migration that made the column.
    """

    service_id: ServiceId
    external_id: str | None
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None = None
    is_dirty: bool = True
