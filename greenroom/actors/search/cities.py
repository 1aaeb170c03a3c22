"""The cities there are places of: where one may look."""

from __future__ import annotations

from greenroom.actors.identity import Identity
from greenroom.schema.search.places import Region
from greenroom.storage.ports.search import Places


class Cities:
    def __init__(self, places: Places) -> None:
        self._places = places

    async def all(self, identity: Identity) -> list[Region]:
        """Every city, by name.

        Raises:
            PermissionDenied: not for this one.
            Unavailable: the database can't answer.
        """
        identity.require("search:read")
        return sorted(await self._places.cities(), key=lambda city: (city.name, city.id))
