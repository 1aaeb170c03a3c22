"""Regions and their names, as they are loaded, learned and decided on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from greenroom.schema.search.places import (
    Alias,
    AliasFilter,
    AliasId,
    AliasState,
    MappedRegion,
    NewAlias,
    Region,
    RegionId,
)


class Gazetteer(Protocol):
    """Writing regions, aliases and embeddings of names; and what operators look at."""

    async def upsert_regions(self, regions: Sequence[MappedRegion]) -> None:
        """Store regions by id, all or none; at most 500. A parent is stored already or is among them.

        Raises:
            RegionNotFound: one of the parents or cities does not exist.
        """
        ...

    async def upsert_aliases(self, aliases: Sequence[NewAlias], *, now: datetime) -> int:
        """Store aliases by name (in normal form) and region, all or none; at most 500. An alias that an operator decided on keeps
        its state and weight.

        Returns:
            how many were stored: one without any letter or digit is not.

        Raises:
            RegionNotFound: one of the regions does not exist.
        """
        ...

    async def aliases_page(self, wanted: AliasFilter, *, before: AliasId | None, limit: int) -> list[Alias]:
        """One page of aliases, newest first; ``before`` is exclusive, None for from the newest on."""
        ...

    async def alias_of(self, name: str, region_id: RegionId) -> Alias | None:
        """The alias of this name for a region, in whatever state; None if there is none."""
        ...

    async def decide_alias(self, alias_id: AliasId, state: AliasState, *, decided_by: str, now: datetime) -> Alias:
        """Approve or revoke an alias; deciding the same again changes nothing but the time.

        Raises:
            AliasNotFound: no such alias.
        """
        ...

    async def without_embedding(self, model: str, *, limit: int) -> list[Region]:
        """At most ``limit`` regions that have no embedding of ``model``, by id."""
        ...

    async def put_embeddings(self, model: str, vectors: Sequence[tuple[RegionId, Sequence[float]]]) -> None:
        """Store the embeddings of regions' names; those of regions that are gone are left out.

        Raises:
            InvalidInput: vectors of several lengths.
        """
        ...
