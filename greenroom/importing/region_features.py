"""Regions, from features of GeoJSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from greenroom.importing.faults import BadLine, LineFault, faults_of
from greenroom.importing.features import Feature
from greenroom.importing.rings import BadRing, centroid_of, point_of, ring_of
from greenroom.schema.fields import SingleLine
from greenroom.schema.lessons import RegionName, Timezone
from greenroom.schema.search.geometry import ring_contains
from greenroom.schema.search.places import (
    AliasSource,
    Boundary,
    MappedRegion,
    NewAlias,
    Point,
    Polygon,
    Region,
    RegionId,
    RegionKind,
    RegionSource,
)

ALIASES_MAX: Final = 100
"""Of one region."""

DEPTH_MAX: Final = 4
"""Slashes in an id: a part of a part of a neighbourhood."""

_Alias = Annotated[SingleLine, StringConstraints(max_length=120)]


class _Properties(BaseModel):
    """What is read of a feature's properties; maps tend to say more, which is not of interest here."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    id: RegionName | None = None
    name: Annotated[SingleLine, StringConstraints(max_length=120)]
    kind: RegionKind | None = Field(default=None, strict=False)
    parent: RegionName | None = None
    timezone: Timezone | None = None
    prior: Annotated[float, Field(ge=0, le=1)] = 0.5
    centroid: list[float] | None = None
    aliases: Annotated[list[_Alias], Field(max_length=ALIASES_MAX)] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RegionAt:
    """A region of a file, before its city's time zone is known.

    Attributes:
        line: where its feature begins.
        timezone: None for that of its city.
    """

    line: int
    id: RegionId
    kind: RegionKind
    name: str
    centroid: Point
    timezone: str | None
    prior: float
    boundary: Boundary | None
    aliases: tuple[str, ...]

    @property
    def depth(self) -> int:
        """How many regions it lies in."""
        return self.id.count("/")

    @property
    def parent_id(self) -> RegionId | None:
        return RegionId(self.id.rpartition("/")[0]) if self.depth else None

    def mapped(self, timezone: str) -> MappedRegion:
        region = Region(
            id=self.id,
            city=RegionId(self.id.partition("/")[0]),
            parent_id=self.parent_id,
            kind=self.kind,
            name=self.name,
            centroid=self.centroid,
            timezone=timezone,
            prior=self.prior,
        )
        return MappedRegion(region, self.boundary, RegionSource.IMPORT)

    def new_aliases(self) -> list[NewAlias]:
        return [NewAlias(alias, self.id, AliasSource.OPERATOR) for alias in self.aliases]


def region_of(feature: Feature) -> RegionAt:
    """Read a region.

    Raises:
        BadLine: what is wrong with it.
    """
    line = feature.line
    told = feature.members.get("properties")
    try:
        properties = _Properties.model_validate(told if isinstance(told, dict) else {})
    except ValidationError as exc:
        raise _within_properties(faults_of(exc, line)) from None
    region_id = properties.id or feature.members.get("id")
    if not isinstance(region_id, str) or not region_id:
        raise BadLine(LineFault(line, "properties.id", "is required"))
    region_id = _checked_id(region_id, line)
    kind = properties.kind or _kind_of(region_id)
    if (kind is RegionKind.CITY) is not ("/" not in region_id):
        raise BadLine(
            LineFault(line, "properties.kind", "is city for what lies in nothing else, and only for that")
        )
    if properties.parent is not None and properties.parent != region_id.rpartition("/")[0]:
        raise BadLine(LineFault(line, "properties.parent", "must be what the id begins with"))
    if kind is RegionKind.CITY and properties.timezone is None:
        raise BadLine(LineFault(line, "properties.timezone", "is required of a city"))
    boundary, point = _geometry(feature.members.get("geometry"), line)
    if properties.centroid is not None:
        try:
            point = point_of(properties.centroid)
        except BadRing as exc:
            raise BadLine(LineFault(line, "properties.centroid", str(exc))) from None
    elif boundary is not None:
        point = centroid_of(boundary.polygons)
    if point is None:
        raise BadLine(LineFault(line, "geometry", "is required, or a centroid among the properties"))
    return RegionAt(
        line=line,
        id=RegionId(region_id),
        kind=kind,
        name=properties.name,
        centroid=point,
        timezone=properties.timezone,
        prior=properties.prior,
        boundary=boundary,
        aliases=tuple(dict.fromkeys(properties.aliases)),
    )


def _within_properties(error: BadLine) -> BadLine:
    return BadLine(
        *(LineFault(fault.line, f"properties.{fault.field}".rstrip("."), fault.reason) for fault in error.faults)
    )


class _Id(BaseModel):
    id: RegionName


def _checked_id(region_id: str, line: int) -> str:
    try:
        _Id(id=RegionId(region_id))
    except ValidationError as exc:
        raise _within_properties(faults_of(exc, line)) from None
    if region_id.count("/") > DEPTH_MAX:
        raise BadLine(LineFault(line, "properties.id", f"must have at most {DEPTH_MAX} slashes"))
    return region_id


def _kind_of(region_id: str) -> RegionKind:
    """By how deep it lies, as in a city with boroughs."""
    return (
        (RegionKind.CITY, RegionKind.BOROUGH)[region_id.count("/")]
        if region_id.count("/") < 2
        else RegionKind.NEIGHBOURHOOD
    )


def _geometry(geometry: Any, line: int) -> tuple[Boundary | None, Point | None]:
    """The boundary of an area, or the point that stands for one."""
    try:
        match geometry:
            case None:
                return None, None
            case {"type": "Point", "coordinates": position}:
                return None, point_of(position)
            case {"type": "Polygon", "coordinates": [_, *_] as rings}:
                return Boundary((_polygon(rings),)), None
            case {"type": "MultiPolygon", "coordinates": [_, *_] as parts}:
                return Boundary(tuple(map(_polygon, parts))), None
    except BadRing as exc:
        raise BadLine(LineFault(line, "geometry.coordinates", str(exc))) from None
    raise BadLine(LineFault(line, "geometry", "must be a Polygon, MultiPolygon or Point with coordinates"))


def _polygon(rings: object) -> Polygon:
    if not isinstance(rings, list) or not rings:
        raise BadRing("must be polygons of rings")
    outer, *holes = map(ring_of, rings)
    if any(not ring_contains(outer, hole[0]) for hole in holes):
        raise BadRing("must have its holes inside")
    return Polygon(outer, tuple(holes))
