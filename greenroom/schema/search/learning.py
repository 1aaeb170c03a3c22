"""What clicks tell about names of places."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from greenroom.schema.ids import UserId
from greenroom.schema.search.places import RegionId


@dataclass(frozen=True, slots=True)
class Vote:
    """Somebody who searched for ``name``, in normal form, opened lessons by an instructor who teaches in ``regions``."""

    name: str
    user_id: UserId
    at: datetime
    regions: tuple[RegionId, ...]
