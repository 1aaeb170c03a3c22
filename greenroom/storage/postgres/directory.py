"""Instructors and services in Postgres."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from greenroom.schema.ids import UserId
from greenroom.schema.names import folded_name
from greenroom.schema.records import Service, User
from greenroom.storage.ports import InstructorProfile
from greenroom.storage.postgres import rows
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.service_columns import service_columns

ADD_SERVICES: Final = """
-- add_services: all or none.
INSERT INTO services (id, instructor_id, title, description, price_cents, currency, duration_minutes, category, levels,
                      age_min, age_max, is_online, is_in_person)
SELECT n.id, n.instructor_id, n.title, n.description, n.price_cents, n.currency, n.duration_minutes, n.category,
       string_to_array(n.levels, ','), n.age_min, n.age_max, n.is_online, n.is_in_person
  FROM unnest(%(ids)s::text[], %(instructor_ids)s::text[], %(titles)s::text[], %(descriptions)s::text[],
              %(prices_cents)s::integer[], %(currencies)s::text[], %(durations_minutes)s::integer[],
              %(categories)s::text[], %(levels)s::text[], %(ages_min)s::smallint[], %(ages_max)s::smallint[],
              %(are_online)s::boolean[], %(are_in_person)s::boolean[])
       AS n (id, instructor_id, title, description, price_cents, currency, duration_minutes, category, levels, age_min,
             age_max, is_online, is_in_person)
"""

INSTRUCTOR: Final = """
-- instructor: an active one by id.
SELECT id, email, display_name, role, is_active, created_at FROM users
 WHERE id = %(id)s AND role = 'instructor' AND is_active
"""

INSTRUCTORS_PAGE: Final = """
-- instructors_page: active instructors by (display_name, id) after a key; walks users_instructors.
SELECT id, email, display_name, role, is_active, created_at FROM users
 WHERE role = 'instructor' AND is_active AND (display_name, id) > (%(name)s, %(id)s)
 ORDER BY display_name, id LIMIT %(limit)s
"""

NAMED_PAGE: Final = r"""
-- named_instructors_page: the same of those whose name has a part in it; looked up in users_instructor_names, then sorted.
SELECT id, email, display_name, role, is_active, created_at FROM users
 WHERE role = 'instructor' AND is_active AND (display_name, id) > (%(name)s, %(id)s)
   AND lower(regexp_replace(normalize(display_name, NFD), '[\u0300-\u036f]', '', 'g')) LIKE %(pattern)s
 ORDER BY display_name, id LIMIT %(limit)s
"""

SERVICES_OF: Final = """
-- services_of: what some instructors offer, by title.
SELECT id, instructor_id, title, description, price_cents, currency, duration_minutes, category, levels, age_min, age_max,
       is_online, is_in_person
  FROM services WHERE instructor_id = ANY(%(instructor_ids)s::text[]) AND retired_at IS NULL ORDER BY title, id
"""


class PostgresDirectory:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add_services(self, services: Sequence[Service]) -> None:
        await self._pool.run(ADD_SERVICES, service_columns(services))

    async def instructor(self, user_id: UserId) -> InstructorProfile | None:
        found = await self._profiles(await self._pool.fetch(INSTRUCTOR, {"id": user_id}, rows.user))
        return found[0] if found else None

    async def instructors_page(
        self, *, after: tuple[str, UserId] | None, limit: int, name: str | None = None
    ) -> list[InstructorProfile]:
        # No name sorts before the empty one, and no id is empty.
        after_name, user_id = after or ("", UserId(""))
        params = {"name": after_name, "id": user_id, "limit": limit}
        if name is None:
            return await self._profiles(await self._pool.fetch(INSTRUCTORS_PAGE, params, rows.user))
        params["pattern"] = _containing(folded_name(name))
        return await self._profiles(await self._pool.fetch(NAMED_PAGE, params, rows.user))

    async def _profiles(self, users: Sequence[User]) -> list[InstructorProfile]:
        if not users:
            return []
        offered: defaultdict[UserId, list[Service]] = defaultdict(list)
        params = {"instructor_ids": [user.id for user in users]}
        for service in await self._pool.fetch(SERVICES_OF, params, rows.service):
            offered[service.instructor_id].append(service)
        return [InstructorProfile(user, tuple(offered[user.id])) for user in users]


def _containing(text: str) -> str:
    """A pattern of LIKE for whatever has ``text`` in it, taken literally."""
    return "%" + re.sub(r"[\\%_]", r"\\\g<0>", text) + "%"
