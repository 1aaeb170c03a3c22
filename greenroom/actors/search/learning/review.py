"""What operators see of the names that places go by, and decide about them, each decision on the record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from greenroom.actors.audit_trail import AuditTrail
from greenroom.actors.search.board import NAMES_MAX, SearchBoard
from greenroom.schema.audit import OperatorName, SearchAction
from greenroom.schema.clock import WallClock
from greenroom.schema.errors import AliasNotFound, FieldError, InvalidInput
from greenroom.schema.search.place_names import NAME_LENGTH_MAX, normal_place_name
from greenroom.schema.search.places import Alias, AliasFilter, AliasId, AliasSource, AliasState, NewAlias, RegionId
from greenroom.storage.ports import Gazetteer, Places

_CURSOR: Final = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class AliasPage:
    """Newest first. ``next_cursor`` is None on the last page."""

    items: tuple[Alias, ...]
    next_cursor: str | None


class AliasReview:
    def __init__(
        self, *, gazetteer: Gazetteer, places: Places, board: SearchBoard, trail: AuditTrail, wall: WallClock
    ) -> None:
        self._gazetteer = gazetteer
        self._places = places
        self._board = board
        self._trail = trail
        self._wall = wall

    async def page(self, wanted: AliasFilter, *, limit: int, cursor: str | None) -> AliasPage:
        """Read a page of aliases.

        Raises:
            InvalidInput: not a cursor of this list.
        """
        if cursor is not None and _CURSOR.fullmatch(cursor) is None:
            raise InvalidInput(FieldError(("query", "cursor"), "is not a next_cursor that this list returned"))
        before = None if cursor is None else AliasId(int(cursor))
        found = await self._gazetteer.aliases_page(wanted, before=before, limit=limit + 1)
        items = tuple(found[:limit])
        return AliasPage(items, str(items[-1].id) if len(found) > limit else None)

    async def approve(self, operator: OperatorName, text: str, region_id: RegionId, *, request_id: str) -> Alias:
        """Have a text mean a region from now on; it need not have been proposed.

        Raises:
            InvalidInput: the text can't be a name.
            RegionNotFound: no such region.
            Unavailable: it could not be recorded, so nothing was done; or the database went away.
        """
        normal = normal_place_name(text)
        if not 0 < len(normal) <= NAME_LENGTH_MAX:
            raise InvalidInput(
                FieldError(("body", "text"), f"must have 1 to {NAME_LENGTH_MAX} letters and digits")
            )
        async with self._trail.recorded(
            operator, SearchAction.APPROVE_ALIAS, region_id, reason=text, request_id=request_id
        ):
            alias = await self._gazetteer.alias_of(text, region_id)
            if alias is None:
                # Not active before somebody is put down as having decided it.
                new = NewAlias(text, region_id, AliasSource.OPERATOR, state=AliasState.PROPOSED)
                await self._gazetteer.upsert_aliases([new], now=self._wall())
                alias = await self._gazetteer.alias_of(text, region_id)
            return await self._decide(alias, AliasState.ACTIVE, operator)

    async def revoke(self, operator: OperatorName, text: str, region_id: RegionId, *, request_id: str) -> Alias:
        """Have a text no longer mean a region; it will not be learned again.

        Raises:
            AliasNotFound: it never did.
            Unavailable: it could not be recorded, so nothing was done; or the database went away.
        """
        async with self._trail.recorded(
            operator, SearchAction.REVOKE_ALIAS, region_id, reason=text, request_id=request_id
        ):
            alias = await self._gazetteer.alias_of(text, region_id)
            return await self._decide(alias, AliasState.REVOKED, operator)

    async def _decide(self, alias: Alias | None, state: AliasState, operator: OperatorName) -> Alias:
        if alias is None:
            raise AliasNotFound("No such alias.")
        decided_by = f"{operator.kind.value}:{operator.id}"
        decided = await self._gazetteer.decide_alias(alias.id, state, decided_by=decided_by, now=self._wall())
        # For the next search here; other workers look every few seconds.
        names = await self._places.known_names(limit=NAMES_MAX)
        version = await self._places.names_version()
        self._board.take_catalogue(models=self._board.embedding_models, names=names, names_version=version)
        return decided
