"""Finding an instructor by name: the plain list behind "new conversation"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from greenroom.actors.identity import Identity
from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.ids import UserId, is_ulid
from greenroom.storage.ports import Directory, InstructorProfile


@dataclass(frozen=True, slots=True)
class InstructorPage:
    items: Sequence[InstructorProfile]
    next_cursor: str | None


class InstructorDirectory:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def instructors(
        self, identity: Identity, *, limit: int, cursor: str | None, name: str | None = None
    ) -> InstructorPage:
        """Read one page by display name. The cursor is the id of the last instructor of the page before.

        Args:
            name: a part of the display name, without regard to case and accents; None for any.

        Raises:
            InvalidInput: the cursor names no instructor.
        """
        identity.require("directory:read")
        after = None
        if cursor is not None:
            last = await self._directory.instructor(UserId(cursor)) if is_ulid(cursor) else None
            if last is None:
                raise InvalidInput(FieldError(("query", "cursor"), "is not a next_cursor that this list returned"))
            after = (last.user.display_name, last.user.id)
        found = await self._directory.instructors_page(after=after, limit=limit + 1, name=name)
        items = found[:limit]
        return InstructorPage(items=items, next_cursor=items[-1].user.id if len(found) > limit else None)
