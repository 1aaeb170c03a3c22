"""The newest searches of one worker, as operators ask about them before they are written, or although they never were."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from greenroom.schema.search.log import QueryId, SearchRecord

RECENT_MAX: Final = 200
"""Records of some 10 KB, with prompts 30: 6 MB at most."""


class RecentSearches:
    """The oldest go first."""

    def __init__(self, *, kept_max: int = RECENT_MAX) -> None:
        self._kept_max = kept_max
        self._kept: OrderedDict[QueryId, SearchRecord] = OrderedDict()

    def add(self, record: SearchRecord) -> None:
        self._kept[record.query_id] = record
        if len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)

    def get(self, query_id: QueryId) -> SearchRecord | None:
        return self._kept.get(query_id)

    def __len__(self) -> int:
        return len(self._kept)
