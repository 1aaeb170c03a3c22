"""What instructors show of themselves, and how they change it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from greenroom.actors.identity import Identity
from greenroom.actors.rules.offering import offer
from greenroom.schema.catalogue import Profile
from greenroom.schema.clock import WallClock
from greenroom.schema.errors import UserNotFound
from greenroom.schema.ids import Ids, UserId
from greenroom.schema.lessons import OfferLessons
from greenroom.schema.search.places import Region, RegionId
from greenroom.storage.ports import Catalogue, Directory, InstructorProfile, Places


@dataclass(frozen=True, slots=True)
class Teacher:
    """An instructor as shown. ``regions``: the areas that still exist, by id."""

    listed: InstructorProfile
    told: Profile
    regions: dict[RegionId, Region]


@dataclass(frozen=True, slots=True)
class NamedRegion:
    """A region, and the names of those that it lies in, the nearest first."""

    region: Region
    within: tuple[str, ...]


class Teaching:
    """Reading and changing instructors' profiles."""

    def __init__(
        self, *, directory: Directory, catalogue: Catalogue, places: Places, ids: Ids, wall: WallClock
    ) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._places = places
        self._ids = ids
        self._wall = wall

    async def teacher(self, identity: Identity, user_id: UserId) -> Teacher:
        """Read one instructor's profile; raises UserNotFound."""
        identity.require("directory:read")
        listed = await self._directory.instructor(user_id)
        if listed is None:
            raise UserNotFound("There is no such instructor.")
        told = await self._catalogue.profile(user_id)
        return Teacher(listed, told, await self._regions(told.areas))

    async def replace(self, identity: Identity, wanted: OfferLessons) -> Teacher:
        """Put what an instructor wants to offer in the place of what was offered; the search follows within seconds.

        Raises:
            PermissionDenied: only instructors offer lessons.
            UserNotFound: the instructor was deactivated.
            InvalidInput: see :func:`greenroom.actors.rules.offering.offer`; nothing was changed.
            Conflict: the same profile was changed at the same moment; nothing was changed.
        """
        identity.require("lessons:write")
        me = identity.user.id
        listed = await self._directory.instructor(me)
        if listed is None:
            raise UserNotFound("There is no such instructor.")
        decided = offer(
            me,
            wanted,
            told=await self._catalogue.profile(me),
            offered=listed.services,
            regions=await self._regions(wanted.areas),
            ids=self._ids,
        )
        await self._catalogue.replace(me, decided, now=self._wall())
        return await self.teacher(identity, me)

    async def regions_named(self, identity: Identity, name: str, *, limit: int) -> list[NamedRegion]:
        """Regions that ``name`` may mean, likeliest first."""
        identity.require("directory:read")
        found = await self._places.look_up(name, cities=[])
        inside = (candidate for rows in found.within for candidate in (*rows.rows.exact, *rows.rows.alias))
        candidates = (*found.exact, *inside, *found.alias, *found.fuzzy)
        regions = list({candidate.region.id: candidate.region for candidate in candidates}.values())[:limit]
        around = await self._regions({part for region in regions for part in _above(region)})
        return [
            NamedRegion(region, tuple(around[part].name for part in _above(region) if part in around))
            for region in regions
        ]

    async def _regions(self, region_ids: Collection[RegionId]) -> dict[RegionId, Region]:
        found = await self._places.regions(list(region_ids)) if region_ids else []
        return {region.id: region for region in found}


def _above(region: Region) -> tuple[RegionId, ...]:
    """The region's parent and its city; nothing for a city."""
    if region.parent_id is None:
        return ()
    return (region.parent_id,) if region.parent_id == region.city else (region.parent_id, region.city)
