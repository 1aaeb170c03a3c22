"""What operators changed about searching."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from greenroom.schema.search.config import ConfigValue, StoredConfig


class SearchConfigs(Protocol):
    """What operators changed about searching."""

    async def read(self) -> StoredConfig:
        """What was changed last, and its revision; nothing, at revision 0, if nobody changed anything yet."""
        ...

    async def write(
        self, changes: Mapping[str, ConfigValue], *, expected_revision: int, now: datetime
    ) -> StoredConfig:
        """Replace all that was changed, if nobody else did so since; return it under the next revision.

        Raises:
            Conflict: the revision is not ``expected_revision``; nothing was stored.
        """
        ...
