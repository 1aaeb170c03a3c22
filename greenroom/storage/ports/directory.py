"""Instructors and what they offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from greenroom.schema.ids import UserId
from greenroom.schema.records import Service, User


@dataclass(frozen=True, slots=True)
class InstructorProfile:
    """An instructor and the services on offer, by (title, id)."""

    user: User
    services: tuple[Service, ...]


class Directory(Protocol):
    """Instructors and what they offer."""

    async def add_services(self, services: Sequence[Service]) -> None:
        """Store new services, all or none.

        Raises:
            UserNotFound: one of the instructors does not exist.
            Conflict: one of the ids is taken.
        """
        ...

    async def instructor(self, user_id: UserId) -> InstructorProfile | None:
        """Return an active instructor with services by (title, id); None for anybody else."""
        ...

    async def instructors_page(
        self, *, after: tuple[str, UserId] | None, limit: int, name: str | None = None
    ) -> list[InstructorProfile]:
        """One page of active instructors by (display name, id), after the given key; two queries at any size.

        Args:
            name: a part of the display name, compared by :func:`greenroom.schema.names.folded_name`; None for any name.
        """
        ...
