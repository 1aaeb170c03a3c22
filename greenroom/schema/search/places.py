"""Places: the regions of a city, the names they go by, and which of them a text means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from math import asin, cos, radians, sin, sqrt
from typing import ClassVar, Final, NewType

RegionId = NewType("RegionId", str)
"""A slug path, the parent's first: ``nyc/brooklyn/park-slope``. Stable over imports: it is the external id."""

AliasId = NewType("AliasId", int)
"""Given by the store, in the order in which aliases came."""

EARTH_RADIUS_KM: Final = 6_371.0088
"""Mean radius. Source: IUGG, GRS 80."""


class RegionKind(StrEnum):
    CITY = "city"
    BOROUGH = "borough"
    NEIGHBOURHOOD = "neighbourhood"


class RegionSource(StrEnum):
    """Where a region comes from; a later source of the same id replaces the earlier one."""

    GAZETTEER = "gazetteer"
    """Greenroom's own, which comes with the code."""

    IMPORT = "import"
    GEONAMES = "geonames"


class AliasSource(StrEnum):
    GAZETTEER = "gazetteer"
    OPERATOR = "operator"
    LEARNED = "learned"


class AliasState(StrEnum):
    """Only those that are ``ACTIVE`` are looked up."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    REVOKED = "revoked"


class Tier(IntEnum):
    """How a place was found, cheapest first."""

    EXACT = 1
    ALIAS = 2
    FUZZY = 3
    EMBEDDING = 4
    MODEL = 5


@dataclass(frozen=True, slots=True)
class Point:
    """WGS 84 degrees."""

    lat: float
    lng: float

    def distance_km(self, other: Point) -> float:
        """The great circle's length, by the haversine formula (R. W. Sinnott, Sky and Telescope 68, 1984)."""
        lat = sin(radians(other.lat - self.lat) / 2) ** 2
        lng = sin(radians(other.lng - self.lng) / 2) ** 2
        return 2 * EARTH_RADIUS_KM * asin(sqrt(lat + cos(radians(self.lat)) * cos(radians(other.lat)) * lng))


@dataclass(frozen=True, slots=True)
class Region:
    """
    Attributes:
        city: the id of the city it lies in, its own for a city.
        parent_id: None for a city only.
        timezone: IANA name, of its city.
        prior: how likely it is meant where a name fits several, 0 to 1.
    """

    id: RegionId
    city: RegionId
    parent_id: RegionId | None
    kind: RegionKind
    name: str
    centroid: Point
    timezone: str
    prior: float = 0.5


Ring = tuple[Point, ...]
"""Corners of a closed line, in order; the first is not repeated at the end."""


@dataclass(frozen=True, slots=True)
class Polygon:
    outer: Ring
    holes: tuple[Ring, ...] = ()


@dataclass(frozen=True, slots=True)
class Boundary:
    """An area of one or more parts. It never crosses the antimeridian."""

    polygons: tuple[Polygon, ...]


@dataclass(frozen=True, slots=True)
class MappedRegion:
    """A region as it is stored. ``boundary`` None: only its centroid is known."""

    region: Region
    boundary: Boundary | None
    source: RegionSource


@dataclass(frozen=True, slots=True)
class NewAlias:
    """Another name of a region.

    Attributes:
        name: as people write it.
        weight: how surely it means this region, 0 to 1: what a match of it counts.
    """

    name: str
    region_id: RegionId
    source: AliasSource
    weight: float = 1.0
    state: AliasState = AliasState.ACTIVE


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias as operators see it. ``decided_at`` is when one of them last approved or revoked it, ``decided_by`` who."""

    id: AliasId
    name: str
    region_id: RegionId
    source: AliasSource
    state: AliasState
    weight: float
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class AliasFilter:
    """Which aliases are meant: those for which everything holds that is not None.

    Attributes:
        text: in normal form, not empty: part of the name, or of the region's own name; if it is shorter than
            CONTAINED_LENGTH_MIN, what either begins with.
    """

    CONTAINED_LENGTH_MIN: ClassVar[int] = 3
    """Anything shorter is in half of all names, and has no trigram to be found by."""

    state: AliasState | None = None
    source: AliasSource | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceCandidate:
    """A region that a text may mean. ``confidence`` is 0 to 1, comparable within one tier."""

    region: Region
    tier: Tier
    confidence: float
    matched_name: str


class PlaceOutcome(StrEnum):
    NOT_ASKED = "not_asked"
    """The sentence names no place."""

    NOT_LOOKED_UP = "not_looked_up"
    """There was no time to look for the place that is named: whether it is known is not, and nothing is found."""

    RESOLVED = "resolved"
    AMBIGUOUS = "ambiguous"
    """Several regions fit about as well: the search goes on in their union, and all of them are shown."""

    UNKNOWN = "unknown"
    """No region of ours; the search is not narrowed to one, and says so."""


@dataclass(frozen=True, slots=True)
class PlaceAnswer:
    """
    Attributes:
        regions: what to search in: when resolved one, or each that the text names ("soho or tribeca"), all in one city; several when
            ambiguous; none else.
        candidates: what came into question, likeliest first; at most 10.
        excluded: regions where it must not be, whatever the text of the place says.
        tier: the one that decided; None if none did.
    """

    text: str | None
    outcome: PlaceOutcome
    regions: tuple[Region, ...] = ()
    tier: Tier | None = None
    confidence: float = 0.0
    candidates: tuple[PlaceCandidate, ...] = ()
    excluded: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class TierTrial:
    """What one tier did. ``result`` is a word for people: ``resolved``, ``ambiguous``, ``miss``, ``skipped: budget``, ``timeout`` …"""

    tier: Tier
    tried: bool
    confidence: float | None
    duration_ms: float
    result: str
