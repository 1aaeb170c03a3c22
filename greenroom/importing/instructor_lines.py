"""Instructors with services, from lines of JSON and from rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, BinaryIO, Final, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from greenroom.importing.faults import BadLine, LineFault, faults_of
from greenroom.importing.table import Row, rows
from greenroom.importing.text_lines import read_lines
from greenroom.schema.catalogue import (
    AREAS_MAX,
    EXTERNAL_ID_LENGTH_MAX,
    SERVICES_MAX,
    SLOTS_MAX,
    ListedService,
    Listing,
    joined,
)
from greenroom.schema.fields import Email, SingleLine
from greenroom.schema.lessons import Bio, FreeTime, Lesson, RegionName, Timezone
from greenroom.schema.request_models import Body

RESPONSE_MINUTES_MAX: Final = 43_200
"""A month."""

ExternalId = Annotated[SingleLine, StringConstraints(max_length=EXTERNAL_ID_LENGTH_MAX)]
_Name = Annotated[SingleLine, StringConstraints(max_length=80)]


class ServiceEntry(Lesson):
    external_id: ExternalId
    retired: bool = False

    def listed(self) -> ListedService:
        return ListedService(
            external_id=self.external_id,
            title=self.title,
            description=self.description,
            price_cents=self.price_cents,
            currency=self.currency,
            duration_minutes=self.duration_minutes,
            category=self.category,
            levels=self.levels_in_order,
            age_min=None if self.ages is None else self.ages.min,
            age_max=None if self.ages is None else self.ages.max,
            is_online=self.online,
            is_in_person=self.in_person,
            is_retired=self.retired,
        )


class InstructorLine(Body):
    external_id: ExternalId
    display_name: _Name
    email: Email | None = None
    bio: Bio | None = None
    rating: Annotated[float | None, Field(ge=1, le=5)] = None
    rating_count: Annotated[int | None, Field(ge=0, le=2**31 - 1)] = None
    response_minutes: Annotated[int | None, Field(ge=0, le=RESPONSE_MINUTES_MAX)] = None
    home_city: RegionName | None = None
    timezone: Timezone | None = None
    areas: Annotated[list[RegionName] | None, Field(max_length=AREAS_MAX)] = None
    availability: Annotated[list[FreeTime] | None, Field(max_length=SLOTS_MAX)] = None
    services: Annotated[list[ServiceEntry], Field(max_length=SERVICES_MAX)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _rated_by_somebody(self) -> Self:
        if (self.rating is None) is not (not self.rating_count):
            raise ValueError("rating and a rating_count above 0 must be given together")
        return self

    @model_validator(mode="after")
    def _services_distinct(self) -> Self:
        ids = [service.external_id for service in self.services]
        if len(set(ids)) < len(ids):
            raise ValueError("services must not have the same external_id twice")
        return self

    def listing(self) -> Listing:
        return Listing(
            external_id=self.external_id,
            display_name=self.display_name,
            email=self.email,
            bio=self.bio,
            rating=0.0 if self.rating_count == 0 else self.rating,
            rating_count=self.rating_count,
            response_minutes=self.response_minutes,
            home_city=self.home_city,
            timezone=self.timezone,
            areas=None if self.areas is None else tuple(sorted(set(self.areas))),
            availability=None if self.availability is None else joined(free.slot() for free in self.availability),
            services=tuple(service.listed() for service in self.services),
        )


@dataclass(frozen=True, slots=True)
class ListedAt:
    """A listing and the line that it begins in."""

    line: int
    listing: Listing


def from_json_lines(file: BinaryIO) -> Iterator[ListedAt | BadLine]:
    """Read an instructor per line of JSON."""
    return read_lines(file, _listed)


def _listed(text: str, number: int) -> ListedAt:
    try:
        return ListedAt(number, InstructorLine.model_validate_json(text).listing())
    except ValidationError as exc:
        raise faults_of(exc, number) from None


_INSTRUCTOR_COLUMNS: Final = {
    "instructor_id": "external_id",
    "instructor_name": "display_name",
    "email": "email",
    "bio": "bio",
    "rating": "rating",
    "rating_count": "rating_count",
    "response_minutes": "response_minutes",
    "home_city": "home_city",
    "timezone": "timezone",
    "areas": "areas",
    "availability": "availability",
}
_SERVICE_COLUMNS: Final = {
    "service_id": "external_id",
    "title": "title",
    "description": "description",
    "price_cents": "price_cents",
    "currency": "currency",
    "duration_minutes": "duration_minutes",
    "category": "category",
    "levels": "levels",
    "age_min": "ages.min",
    "age_max": "ages.max",
    "online": "online",
    "in_person": "in_person",
    "retired": "retired",
}
COLUMNS: Final = (*_INSTRUCTOR_COLUMNS, *_SERVICE_COLUMNS)
REQUIRED: Final = (
    "instructor_id",
    "instructor_name",
    "service_id",
    "title",
    "price_cents",
    "currency",
    "duration_minutes",
)

_NUMBERS: Final = {"rating_count", "response_minutes", "price_cents", "duration_minutes", "age_min", "age_max"}
_YES: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_COLUMN_OF: Final = {field: column for column, field in _INSTRUCTOR_COLUMNS.items()} | {
    f"services[0].{field}": column for column, field in _SERVICE_COLUMNS.items()
}


def from_table(file: BinaryIO) -> Iterator[ListedAt | BadLine]:
    """Read a service per row, with its instructor; rows of one instructor that follow on each other become one listing.

    Raises:
        FileUnusable: see :func:`greenroom.importing.table.rows`.
    """
    held: ListedAt | None = None
    for row in rows(file, columns=COLUMNS, required=REQUIRED):
        try:
            if isinstance(row, BadLine):
                raise row
            listing = _listing(row)
            if held is None or held.listing.external_id != listing.external_id:
                if held is not None:
                    yield held
                held = ListedAt(row.line, listing)
            else:
                held = replace(held, listing=_with_service(held.listing, listing, row.line))
        except BadLine as exc:
            yield exc
    if held is not None:
        yield held


def _with_service(held: Listing, more: Listing, line: int) -> Listing:
    """One listing of two rows of an instructor.

    Raises:
        BadLine: they say different things of the instructor, or the service is there already, or there are too many.
    """
    for column, name in _INSTRUCTOR_COLUMNS.items():
        told = getattr(more, name)
        if told is not None and told != getattr(held, name):
            raise BadLine(LineFault(line, column, "differs from the row above, of the same instructor"))
    if any(service.external_id == more.services[0].external_id for service in held.services):
        raise BadLine(LineFault(line, "service_id", "is there twice for this instructor"))
    if len(held.services) == SERVICES_MAX:
        raise BadLine(LineFault(line, "service_id", f"is one more than {SERVICES_MAX} services of an instructor"))
    return replace(held, services=held.services + more.services)


def _listing(row: Row) -> Listing:
    """
    Raises:
        BadLine: a cell can't be read, or what it says can't be accepted.
    """
    faults: list[LineFault] = []
    told = {
        field: _cell(row, column, faults) for column, field in _INSTRUCTOR_COLUMNS.items() if column in row.cells
    }
    service: dict[str, Any] = {"description": ""}
    ages: dict[str, Any] = {}
    for column, field in _SERVICE_COLUMNS.items():
        if column in row.cells:
            holder, name = (ages, field.removeprefix("ages.")) if field.startswith("ages.") else (service, field)
            holder[name] = _cell(row, column, faults)
    if ages:
        service["ages"] = ages
    if faults:
        raise BadLine(*faults)
    try:
        return InstructorLine.model_validate_json(json.dumps({**told, "services": [service]})).listing()
    except ValidationError as exc:
        raise BadLine(*map(_named_by_column, faults_of(exc, row.line).faults)) from None


def _cell(row: Row, column: str, faults: list[LineFault]) -> Any:
    """A cell as JSON would have it; what can't be read is added to ``faults``."""
    value = row.cells[column]
    match column:
        case "areas" | "levels":
            return [part.strip() for part in value.split(";") if part.strip()]
        case "availability":
            return [_free_time(part) for part in value.split(";") if part.strip()]
        case "online" | "in_person" | "retired":
            if value.lower() not in _YES:
                faults.append(LineFault(row.line, column, "must be true or false"))
            return _YES.get(value.lower())
        case "rating":
            return _number(value, float, row.line, column, faults)
        case _ if column in _NUMBERS:
            return _number(value, int, row.line, column, faults)
    return value


def _number(
    value: str, kind: type[int] | type[float], line: int, column: str, faults: list[LineFault]
) -> int | float | None:
    try:
        if not value.isascii() or "_" in value:
            raise ValueError(value)
        return kind(value)
    except ValueError:
        faults.append(LineFault(line, column, "must be a whole number" if kind is int else "must be a number"))
        return None


def _free_time(text: str) -> dict[str, str]:
    """``sat 09:00-12:00``; whatever else there may be is told by the checks that follow."""
    weekday, _, times = text.strip().partition(" ")
    starts, _, ends = times.partition("-")
    return {"weekday": weekday.lower(), "starts": starts.strip(), "ends": ends.strip()}


def _named_by_column(fault: LineFault) -> LineFault:
    """The column is what somebody with a table knows."""
    path = fault.field.partition("[")[0]
    if path == "services":
        path = fault.field.removeprefix("services[0]").removeprefix(".")
        path = f"services[0].{path.partition('[')[0]}"
    return replace(fault, field=_COLUMN_OF.get(path, path.removeprefix("services[0].")))
