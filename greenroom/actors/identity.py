"""Who is asking, and what that role may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from greenroom.schema.errors import PermissionDenied
from greenroom.schema.ids import SessionId
from greenroom.schema.records import Role, User

_TALKING: Final = frozenset(
    {
        "conversations:read",
        "conversations:write",
        "directory:read",
        "bookings:read",
        "bookings:write",
        "search:read",
    }
)

PERMISSIONS: Final[Mapping[Role, frozenset[str]]] = MappingProxyType(
    {
        Role.STUDENT: _TALKING | {"bookings:create"},
        Role.INSTRUCTOR: _TALKING | {"lessons:write"},
        Role.ADMIN: frozenset({"directory:read", "search:read", "operations:read", "operations:write"}),
    }
)
"""Permissions by role. An admin operates the server; being one opens nobody's conversation."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A user behind a session that was valid when it was looked up.

    Attributes:
        is_unlimited: whether this user's limits do not hold for what is asked, as a load test asks it.
    """

    user: User
    session_id: SessionId
    expires_at: datetime
    is_unlimited: bool = False

    @property
    def permissions(self) -> frozenset[str]:
        return PERMISSIONS[self.user.role]

    def require(self, permission: str) -> None:
        """Raise PermissionDenied unless this role has ``permission``."""
        if permission not in self.permissions:
            raise PermissionDenied(
                f"This needs the permission {permission}, which the role {self.user.role} lacks."
            )
