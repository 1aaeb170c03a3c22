"""Where a page of results ended: opaque to clients, and bound to the search it belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from greenroom.actors.search.answer import Ranked
from greenroom.schema.errors import FieldError, InvalidInput

_CURSOR: Final = re.compile(r"s1\.([0-9a-f]{24})\.([0-9]{1,3})\.([0-9A-Z]{26})")


def cursor_after(fingerprint: str, ranked: Sequence[Ranked], end: int) -> str | None:
    """What continues after the first ``end`` results; None at the end of all."""
    if end >= len(ranked) or end < 1:
        return None
    return f"s1.{fingerprint}.{end}.{ranked[end - 1].candidate.service_id}"


def position_of(cursor: str | None, fingerprint: str, ranked: Sequence[Ranked]) -> int:
    """How many results come before the page.

    If the results changed since, the page begins after the last result that was shown, wherever that is now; if it is
    gone, at the place where it was.

    Raises:
        InvalidInput: the cursor is none of ours, or belongs to another search.
    """
    if cursor is None:
        return 0
    match = _CURSOR.fullmatch(cursor)
    if match is None or match[1] != fingerprint:
        raise InvalidInput(FieldError(("query", "cursor"), "is not a next_cursor that this search returned"))
    for position, each in enumerate(ranked):
        if each.candidate.service_id == match[3]:
            return position + 1
    return int(match[2])
