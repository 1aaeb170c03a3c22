"""The shapes in which operators see names of places."""

from __future__ import annotations

from typing import Self

from greenroom.schema.search.places import Alias, AliasSource, AliasState
from greenroom.schema.wire import Moment, Wire


class AliasOut(Wire):
    """``weight`` is how surely it means the region; ``decided_by`` is the operator who last approved or revoked it."""

    id: str
    text: str
    region_id: str
    source: AliasSource
    state: AliasState
    weight: float
    created_at: Moment
    decided_at: Moment | None
    decided_by: str | None

    @classmethod
    def of(cls, alias: Alias) -> Self:
        return cls(
            id=str(alias.id),
            text=alias.name,
            region_id=alias.region_id,
            source=alias.source,
            state=alias.state,
            weight=round(alias.weight, 3),
            created_at=alias.created_at,
            decided_at=alias.decided_at,
            decided_by=alias.decided_by,
        )


class AliasesOut(Wire):
    """Newest first; ``next_cursor`` is null on the last page."""

    items: list[AliasOut]
    next_cursor: str | None
