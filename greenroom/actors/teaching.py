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

    async def _regions(self, region_ids: Collection[RegionId]) -> dict[RegionId, Region]:
        found = await self._places.regions(list(region_ids)) if region_ids else []
        return {region.id: region for region in found}
