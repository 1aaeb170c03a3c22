"""Instructors and services, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from greenroom.schema.catalogue import ServiceState
from greenroom.schema.errors import Conflict, UserNotFound
from greenroom.schema.ids import UserId
from greenroom.schema.names import folded_name
from greenroom.schema.records import Role, Service, User
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.ports import InstructorProfile


class MemoryDirectory:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def add_services(self, services: Sequence[Service]) -> None:
        async with self._database.operation("directory.add_services"):
            tables = self._database.tables
            added = {service.id: service for service in services}
            if len(added) < len(services) or added.keys() & tables.services.keys():
                raise Conflict("A service with one of these ids exists.")
            if any(service.instructor_id not in tables.users for service in services):
                raise UserNotFound("No such instructor.")
            tables.services.update(added)
            now = self._database.clock()
            for service_id in added:
                tables.service_states[service_id] = ServiceState(service_id, None, created_at=now, updated_at=now)

    async def instructor(self, user_id: UserId) -> InstructorProfile | None:
        async with self._database.operation("directory.instructor"):
            user = self._database.tables.users.get(user_id)
            return self._profile(user) if user is not None and _is_listed(user) else None

    async def instructors_page(
        self, *, after: tuple[str, UserId] | None, limit: int, name: str | None = None
    ) -> list[InstructorProfile]:
        async with self._database.operation("directory.instructors_page"):
            listed = sorted(filter(_is_listed, self._database.tables.users.values()), key=_page_key)
            sought = "" if name is None else folded_name(name)
            page = [
                user
                for user in listed
                if (after is None or _page_key(user) > after) and sought in folded_name(user.display_name)
            ]
            return [self._profile(user) for user in page[:limit]]

    def _profile(self, user: User) -> InstructorProfile:
        tables = self._database.tables
        offered = (
            service
            for service in tables.services.values()
            if service.instructor_id == user.id and tables.service_states[service.id].retired_at is None
        )
        return InstructorProfile(user, tuple(sorted(offered, key=lambda service: (service.title, service.id))))


def _is_listed(user: User) -> bool:
    return user.role is Role.INSTRUCTOR and user.is_active


def _page_key(user: User) -> tuple[str, UserId]:
    return user.display_name, user.id
