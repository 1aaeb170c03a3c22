"""What operators see and change of the search."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from greenroom.actors.audit_trail import AuditTrail
from greenroom.actors.search.board import SearchBoard
from greenroom.schema.audit import OperatorName, SearchAction
from greenroom.schema.clock import WallClock
from greenroom.schema.errors import Conflict
from greenroom.schema.search.config import ConfigValue, SearchConfig, StoredConfig, check_changes
from greenroom.storage.ports.search import SearchConfigs

TRIES: Final = 5
"""For a change that does not say which revision it is based on: it goes on top of whatever was changed meanwhile."""


class SearchOperating:
    def __init__(self, *, board: SearchBoard, configs: SearchConfigs, trail: AuditTrail, wall: WallClock) -> None:
        self._board = board
        self._trail = trail
        self._configs = configs
        self._wall = wall

    async def config(self) -> SearchConfig:
        """The configuration as it is stored now, which this worker goes by from now on."""
        self._board.take_config(await self._configs.read())
        return self._board.config

    async def change(
        self,
        operator: OperatorName,
        changes: Mapping[str, ConfigValue | None],
        *,
        revision: int | None,
        request_id: str,
    ) -> SearchConfig:
        """Change some values on all workers, on the record; None goes back to what the settings say.

        Args:
            revision: the change is made only if the configuration is still this one; None for in any case.

        Raises:
            InvalidInput: a name that can't be changed, or a value out of its bounds; nothing was changed.
            Conflict: the configuration is another by now.
            Unavailable: it could not be recorded, so nothing was done; or the database went away.
        """
        check_changes({name: value for name, value in changes.items() if value is not None})
        reason = json.dumps(dict(changes))
        async with self._trail.recorded(
            operator, SearchAction.CONFIGURE, "search-config", reason=reason, request_id=request_id
        ):
            self._board.take_config(await self._written(changes, revision))
        return self._board.config

    async def _written(self, changes: Mapping[str, ConfigValue | None], revision: int | None) -> StoredConfig:
        for attempt in range(1, TRIES + 1):
            stored = await self._configs.read()
            if revision is not None and revision != stored.revision:
                raise Conflict(f"The configuration has revision {stored.revision} by now.")
            wanted = {**stored.changes, **changes}
            kept = {name: value for name, value in wanted.items() if value is not None}
            try:
                return await self._configs.write(kept, expected_revision=stored.revision, now=self._wall())
            except Conflict:
                if revision is not None or attempt == TRIES:
                    raise
        raise AssertionError("unreachable")
