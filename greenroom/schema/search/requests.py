"""What is sent to search, and to change how is searched."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints, model_validator

from greenroom.schema.fields import Limit, PageCursor, Ulid, plain_text
from greenroom.schema.ids import ServiceId
from greenroom.schema.refusals import refused_field
from greenroom.schema.request_models import Body, Query
from greenroom.schema.search.place_names import NAME_LENGTH_MAX, normal_place_name
from greenroom.schema.search.places import AliasSource, AliasState
from greenroom.schema.search.understood import QUERY_LENGTH_MAX

REGION_ID_LENGTH_MAX: Final = 200
POSITION_MAX: Final = 10_000
"""Far beyond the last result that can be paged to."""

_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,15})?")
_DIGITS: Final = re.compile(r"[0-9]{1,6}")
_MOMENT: Final = re.compile(
    r"20[0-9]{2}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
"""RFC 3339, section 5.6, with the years that can be meant."""

_FLAGS: Final = {"true": True, "false": False}


class SkippedStage(StrEnum):
    """What an admin may leave out of one search."""

    TIER4 = "tier4"
    TIER5 = "tier5"
    EMBEDDING = "embedding"
    VECTOR = "vector"


def _one_line(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("must not contain control characters")
    return text


def _has_a_letter(text: str) -> str:
    if not normal_place_name(text):
        raise ValueError("must have a letter or a digit")
    return text


def _degrees(value: object) -> object:
    if isinstance(value, str) and _DEGREES.fullmatch(value) is None:
        raise ValueError("must be degrees as a decimal number, e.g. 40.6681")
    return value


def _digits(value: object) -> object:
    if isinstance(value, str) and _DIGITS.fullmatch(value) is None:
        raise ValueError("must be a number of at most six digits")
    return value


def _flag(value: object) -> object:
    if isinstance(value, str):
        if value not in _FLAGS:
            raise ValueError("must be true or false")
        return _FLAGS[value]
    return value


def _stages(value: object) -> object:
    if isinstance(value, str):
        known = [stage.value for stage in SkippedStage]
        unknown = sorted({name for name in value.split(",") if name not in known})
        if unknown:
            raise ValueError(f"{unknown[0]!r} can't be skipped; known are {', '.join(known)}")
        return frozenset(SkippedStage(name) for name in value.split(","))
    return value


def _moment(value: object) -> object:
    if isinstance(value, str) and _MOMENT.fullmatch(value) is None:
        raise ValueError("must be a moment of this century in RFC 3339, e.g. 2026-03-01T09:30:00Z")
    return value


QueryMoment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Sentence = Annotated[
    str,
    StringConstraints(min_length=1, max_length=QUERY_LENGTH_MAX),
    AfterValidator(plain_text),
    AfterValidator(_one_line),
]
PlaceName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX),
    AfterValidator(plain_text),
    AfterValidator(_one_line),
]
Flag = Annotated[bool, BeforeValidator(_flag)]
CityId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=REGION_ID_LENGTH_MAX)]
Latitude = Annotated[float, Field(ge=-90, le=90), BeforeValidator(_degrees)]
Longitude = Annotated[float, Field(ge=-180, le=180), BeforeValidator(_degrees)]


class Search(Query):
    """Look for lessons in one's own words."""

    q: Annotated[
        Sentence,
        Field(description="What is looked for, in one's own words: lesson, place, price, age, level, time."),
    ]
    city: Annotated[
        CityId | None,
        Field(
            description="Search in this city only, by its id (`nyc`; all are at `/api/v1/cities`). An unknown one is refused."
        ),
    ] = None
    lat: Annotated[
        Latitude | None,
        Field(
            description="Where the asker is, in degrees north (WGS 84), with `lng`. Where the sentence names no place, distances "
            "count from there and, without `city`, the city there is searched."
        ),
    ] = None
    lng: Annotated[Longitude | None, Field(description="The same in degrees east.")] = None
    limit: Annotated[Limit, Field(description="Results of a page.")] = 20
    cursor: Annotated[
        PageCursor | None,
        Field(
            description="`next_cursor` of the page before, with the same `q`, `city`, `lat`, `lng` and overrides."
        ),
    ] = None
    debug: Annotated[Flag, Field(description="With `diagnostics`; for admins.")] = False
    skip: Annotated[
        frozenset[SkippedStage],
        BeforeValidator(_stages),
        Field(description="Stages to leave out, comma-separated; for admins."),
    ] = frozenset()
    simulate_high_load: Annotated[Flag, Field(description="As it would be under high load; for admins.")] = False

    @model_validator(mode="after")
    def _position_is_whole(self) -> Self:
        for given, missing in (("lat", "lng"), ("lng", "lat")):
            if getattr(self, given) is not None and getattr(self, missing) is None:
                raise refused_field(Search, missing, f"must be given with {given}")
        return self


class ChangeSearchConfig(Body):
    """What is to be otherwise from now on, on all workers; what is left out stays, null goes back to the settings.

    With ``revision``, only if the configuration is still that one.
    """

    parsing_model: str | None = None
    location_model: str | None = None
    parsing_timeout_ms: int | None = None
    embedding_timeout_ms: int | None = None
    location_timeout_ms: int | None = None
    budget_ms: int | None = None
    high_load_budget_ms: int | None = None
    high_load_threshold: int | None = None
    max_retries: int | None = None
    uncached_concurrency: int | None = None
    revision: Annotated[int, Field(ge=0)] | None = None


class ClickResult(Body):
    """``position`` is where the result stood, from 0, as the client saw it. It has to be told and is not relied on: what is recorded
    is where the answer had the lesson."""

    service_id: Annotated[ServiceId, Ulid]
    position: Annotated[int, Field(ge=0, le=POSITION_MAX)]


class ReadSearches(Query):
    """Without conditions, all; with several, those for which all hold."""

    degraded: Flag = False
    zero: Flag = False
    slow_ms: Annotated[int, Field(ge=0, le=60_000), BeforeValidator(_digits)] | None = None
    limit: Limit = 50
    cursor: PageCursor | None = None


class ReadSpan(Query):
    """From a moment until before another: the last 24 hours by default, at most 92 days."""

    since: Annotated[QueryMoment | None, Field(alias="from")] = None
    until: Annotated[QueryMoment | None, Field(alias="to")] = None


class ReadTexts(ReadSpan):
    limit: Limit = 20


class ReadAliases(Query):
    """Without conditions, all; with several, those for which all hold. ``q`` is part of a name, or of the region's own name; of one or
    two letters, what either begins with."""

    q: Annotated[PlaceName, AfterValidator(_has_a_letter)] | None = None
    source: AliasSource | None = None
    state: AliasState | None = None
    limit: Limit = 50
    cursor: PageCursor | None = None


class AliasDecision(StrEnum):
    APPROVE = "approve"
    REVOKE = "revoke"


class DecideAlias(Body):
    """``text`` as people write it; ``region_id`` as the gazetteer has it, e.g. ``nyc/brooklyn/park-slope``."""

    text: PlaceName
    region_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9/-]+$", max_length=REGION_ID_LENGTH_MAX)]
    action: Annotated[AliasDecision, Field(strict=False)]
