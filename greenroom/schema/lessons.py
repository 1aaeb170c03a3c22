"""How lessons, ages and free times are written, by clients and in files alike."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Annotated, Final, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from greenroom.schema.bookings import DURATION_MAX, DURATION_MIN
from greenroom.schema.catalogue import (
    AGE_MAX,
    AREAS_MAX,
    BIO_LENGTH_MAX,
    DESCRIPTION_LENGTH_MAX,
    PRICE_CENTS_MAX,
    SERVICES_MAX,
    SLOTS_MAX,
    TITLE_LENGTH_MAX,
    WeeklySlot,
)
from greenroom.schema.fields import SingleLine, Ulid, plain_text
from greenroom.schema.ids import ServiceId
from greenroom.schema.request_models import Body
from greenroom.schema.search.places import RegionId
from greenroom.schema.search.taxonomy import load_taxonomy, nearest_kind
from greenroom.schema.search.understood import Level, Weekday

REGION_ID_LENGTH_MAX: Final = 200

_TIME: Final = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_SLUG_PATH: Final = r"^[a-z0-9-]+(/[a-z0-9-]+)*$"
_MINUTE: Final = timedelta(minutes=1)


def _known_category(slug: str) -> str:
    if slug not in load_taxonomy().kinds:
        nearest = nearest_kind(slug)
        hint = "" if nearest is None else f"; {nearest} is the nearest that is"
        raise ValueError(f"{slug!r} is no kind of lesson known here{hint}")
    return slug


@cache
def _timezones() -> frozenset[str]:
    # Read from some hundred files, so once.
    return frozenset(available_timezones())


def _known_timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError("is no IANA time zone")
    return name


def _distinct(levels: list[Level]) -> list[Level]:
    if len(set(levels)) < len(levels):
        raise ValueError("must not name a level twice")
    return levels


TimeOfDay = Annotated[str, StringConstraints(pattern=_TIME)]
"""``HH:MM``, up to ``24:00`` for midnight at a day's end."""

RegionName = Annotated[RegionId, StringConstraints(max_length=REGION_ID_LENGTH_MAX, pattern=_SLUG_PATH)]
Category = Annotated[str, StringConstraints(max_length=60), AfterValidator(_known_category)]
Levels = Annotated[list[Level], Field(max_length=len(Level)), AfterValidator(_distinct)]
Title = Annotated[SingleLine, StringConstraints(max_length=TITLE_LENGTH_MAX)]
Description = Annotated[str, StringConstraints(max_length=DESCRIPTION_LENGTH_MAX), AfterValidator(plain_text)]
Bio = Annotated[str, StringConstraints(max_length=BIO_LENGTH_MAX), AfterValidator(plain_text)]
Timezone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_known_timezone)]
Age = Annotated[int, Field(ge=0, le=AGE_MAX)]


class Ages(Body):
    """The learner's age in years, both inclusive; null for no bound."""

    min: Age | None = None
    max: Age | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("must not have a min above the max")
        return self


class FreeTime(Body):
    """A time that is free every week, in the instructor's time zone."""

    weekday: Weekday
    starts: TimeOfDay
    ends: TimeOfDay

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.starts >= self.ends:
            raise ValueError("must start before it ends, within one day")
        return self

    def slot(self) -> WeeklySlot:
        return WeeklySlot(list(Weekday).index(self.weekday) + 1, _minutes(self.starts), _minutes(self.ends))


class Lesson(Body):
    """What a lesson is: ``levels`` empty for whatever level, ``ages`` null for any age."""

    title: Title
    description: Description
    price_cents: Annotated[int, Field(ge=0, le=PRICE_CENTS_MAX)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    duration_minutes: Annotated[int, Field(ge=DURATION_MIN // _MINUTE, le=DURATION_MAX // _MINUTE)]
    category: Category | None = None
    levels: Levels = Field(default_factory=list)
    ages: Ages | None = None
    online: bool = False
    in_person: bool = True

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.online and not self.in_person:
            raise ValueError("must be online, in person, or both")
        return self

    @property
    def levels_in_order(self) -> tuple[Level, ...]:
        return tuple(level for level in Level if level in self.levels)


class OfferedLesson(Lesson):
    """Without ``id``, the service with the same title and length, else a new one."""

    id: Annotated[ServiceId, Ulid] | None = None


class OfferLessons(Body):
    """All that an instructor offers: what is left out is offered no more.

    ``bio`` and ``timezone`` may be left out to stay as they are; a time zone that was never told is that of the areas' city.
    """

    services: Annotated[list[OfferedLesson], Field(max_length=SERVICES_MAX)]
    areas: Annotated[list[RegionName], Field(max_length=AREAS_MAX)]
    availability: Annotated[list[FreeTime], Field(max_length=SLOTS_MAX)]
    bio: Bio | None = None
    timezone: Timezone | None = None


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)
