"""Profiles of instructors and what they offer, in Postgres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from greenroom.schema.catalogue import Listed, Listing, Offer, Profile, WeeklySlot
from greenroom.schema.errors import Conflict
from greenroom.schema.ids import Ids, ServiceId, UserId
from greenroom.schema.records import Role, Service
from greenroom.schema.search.places import RegionId
from greenroom.storage.catalogue_owners import AddressHolder, address_of, owners
from greenroom.storage.postgres.columns import texts
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.service_columns import service_columns
from greenroom.storage.postgres.session import Session
from greenroom.storage.postgres.transactions import in_transaction

PROFILES: Final = """
-- profiles: of those who have one. Walks the primary keys.
SELECT p.user_id, p.bio, p.rating_mean, p.rating_count, p.response_minutes, p.home_city, p.timezone,
       ARRAY(SELECT region_id FROM instructor_service_areas WHERE instructor_id = p.user_id ORDER BY region_id),
       ARRAY(SELECT ARRAY[weekday, from_minute, to_minute] FROM instructor_availability
              WHERE instructor_id = p.user_id ORDER BY weekday, from_minute)
  FROM instructor_profiles p WHERE p.user_id = ANY(%(user_ids)s::text[])
"""

LOCK_IMPORT: Final = """
-- lock_import: one file at a time, until the end of this transaction: two would make the same account twice.
SELECT pg_advisory_xact_lock(hashtextextended('greenroom: catalogue import', 0))
"""

LOCK_PROFILES: Final = """
-- lock_profiles: in the order of their keys.
SELECT user_id FROM instructor_profiles WHERE user_id = ANY(%(user_ids)s::text[]) ORDER BY user_id FOR UPDATE
"""

KNOWN: Final = """
-- known_instructors: by external id.
SELECT p.external_id, p.user_id FROM instructor_profiles p WHERE p.external_id = ANY(%(external_ids)s::text[])
"""

KNOWN_SERVICES: Final = """
-- known_services: those of some instructors that came from files.
SELECT instructor_id, external_id, id FROM services
 WHERE instructor_id = ANY(%(user_ids)s::text[]) AND external_id IS NOT NULL
"""

HOLDERS: Final = """
-- address_holders: who has these e-mail addresses, each as it was asked for. Walks users_email_key.
SELECT e.email, u.id, u.role, p.external_id
  FROM unnest(%(emails)s::text[]) AS e (email)
  JOIN users u ON lower(u.email) = lower(e.email)
  LEFT JOIN instructor_profiles p ON p.user_id = u.id
"""

ADD_INSTRUCTORS: Final = """
-- add_instructors: new accounts, each with an empty stream.
WITH created AS (
    INSERT INTO users (id, email, display_name, role, is_active, created_at, password_hash)
    SELECT n.id, n.email, n.display_name, 'instructor', true, %(now)s, %(password_hash)s
      FROM unnest(%(ids)s::text[], %(emails)s::text[], %(display_names)s::text[]) AS n (id, email, display_name)
    RETURNING id)
INSERT INTO user_streams (user_id) SELECT id FROM created
"""

RENAME: Final = """
-- rename_instructors: those called something else by now.
UPDATE users u SET display_name = n.display_name
  FROM unnest(%(ids)s::text[], %(display_names)s::text[]) AS n (id, display_name)
 WHERE u.id = n.id AND u.display_name <> n.display_name
"""

SAVE_PROFILES: Final = """
-- save_profiles: those that tell something new, in the order of their keys.
INSERT INTO instructor_profiles AS p (user_id, external_id, bio, rating_mean, rating_count, response_minutes, home_city,
                                      timezone, created_at, updated_at)
SELECT n.*, %(now)s, %(now)s
  FROM unnest(%(user_ids)s::text[], %(external_ids)s::text[], %(bios)s::text[], %(ratings)s::double precision[],
              %(rating_counts)s::integer[], %(response_minutes)s::integer[], %(home_cities)s::text[],
              %(timezones)s::text[])
       AS n (user_id, external_id, bio, rating_mean, rating_count, response_minutes, home_city, timezone)
 ORDER BY n.user_id
    ON CONFLICT (user_id) DO UPDATE
   SET external_id = EXCLUDED.external_id, bio = EXCLUDED.bio, rating_mean = EXCLUDED.rating_mean,
       rating_count = EXCLUDED.rating_count, response_minutes = EXCLUDED.response_minutes,
       home_city = EXCLUDED.home_city, timezone = EXCLUDED.timezone, updated_at = EXCLUDED.updated_at
 WHERE (p.external_id, p.bio, p.rating_mean, p.rating_count, p.response_minutes, p.home_city, p.timezone)
       IS DISTINCT FROM
       (EXCLUDED.external_id, EXCLUDED.bio, EXCLUDED.rating_mean, EXCLUDED.rating_count, EXCLUDED.response_minutes,
        EXCLUDED.home_city, EXCLUDED.timezone)
"""

TELL: Final = """
-- tell: what an instructor may say of herself. The row is also the lock on all that she offers.
INSERT INTO instructor_profiles (user_id, bio, home_city, timezone, created_at, updated_at)
VALUES (%(user_id)s, %(bio)s, %(home_city)s, %(timezone)s, %(now)s, %(now)s)
    ON CONFLICT (user_id) DO UPDATE
   SET bio = EXCLUDED.bio, home_city = EXCLUDED.home_city, timezone = EXCLUDED.timezone, updated_at = EXCLUDED.updated_at
"""

SAVE_SERVICES: Final = """
-- save_services: new ones whole; of known ones of the same instructor what changed, if anything did.
INSERT INTO services AS s (id, instructor_id, title, description, price_cents, currency, duration_minutes, category, levels,
                           age_min, age_max, is_online, is_in_person, external_id, created_at, updated_at, retired_at)
SELECT n.id, n.instructor_id, n.title, n.description, n.price_cents, n.currency, n.duration_minutes, n.category,
       string_to_array(n.levels, ','), n.age_min, n.age_max, n.is_online, n.is_in_person, n.external_id, %(now)s, %(now)s,
       CASE WHEN n.is_retired THEN %(now)s::timestamptz END
  FROM unnest(%(ids)s::text[], %(instructor_ids)s::text[], %(titles)s::text[], %(descriptions)s::text[],
              %(prices_cents)s::integer[], %(currencies)s::text[], %(durations_minutes)s::integer[],
              %(categories)s::text[], %(levels)s::text[], %(ages_min)s::smallint[], %(ages_max)s::smallint[],
              %(are_online)s::boolean[], %(are_in_person)s::boolean[], %(external_ids)s::text[], %(are_retired)s::boolean[])
       AS n (id, instructor_id, title, description, price_cents, currency, duration_minutes, category, levels, age_min,
             age_max, is_online, is_in_person, external_id, is_retired)
 ORDER BY n.id
    ON CONFLICT (id) DO UPDATE
   SET title = EXCLUDED.title, description = EXCLUDED.description, price_cents = EXCLUDED.price_cents,
       currency = EXCLUDED.currency, duration_minutes = EXCLUDED.duration_minutes, category = EXCLUDED.category,
       levels = EXCLUDED.levels, age_min = EXCLUDED.age_min, age_max = EXCLUDED.age_max, is_online = EXCLUDED.is_online,
       is_in_person = EXCLUDED.is_in_person, updated_at = EXCLUDED.updated_at,
       retired_at = CASE WHEN EXCLUDED.retired_at IS NOT NULL THEN COALESCE(s.retired_at, EXCLUDED.retired_at) END,
       search_dirty = s.search_dirty OR (s.title, s.description, s.category, s.retired_at IS NULL) IS DISTINCT FROM
                      (EXCLUDED.title, EXCLUDED.description, EXCLUDED.category, EXCLUDED.retired_at IS NULL)
 WHERE s.instructor_id = EXCLUDED.instructor_id
   AND (s.title, s.description, s.price_cents, s.currency, s.duration_minutes, s.category, s.levels, s.age_min, s.age_max,
        s.is_online, s.is_in_person, s.retired_at IS NULL)
       IS DISTINCT FROM
       (EXCLUDED.title, EXCLUDED.description, EXCLUDED.price_cents, EXCLUDED.currency, EXCLUDED.duration_minutes,
        EXCLUDED.category, EXCLUDED.levels, EXCLUDED.age_min, EXCLUDED.age_max, EXCLUDED.is_online, EXCLUDED.is_in_person,
        EXCLUDED.retired_at IS NULL)
"""

DELETE_OTHERS: Final = """
-- delete_other_services: that were never booked. Each is looked up by itself: joined, all bookings would be read.
DELETE FROM services s
 WHERE s.instructor_id = %(user_id)s AND s.id <> ALL(%(kept)s::text[])
   AND (SELECT true FROM bookings WHERE service_id = s.id LIMIT 1) IS NULL
"""

RETIRE_OTHERS: Final = """
-- retire_other_services: what is left of them.
UPDATE services SET retired_at = %(now)s, updated_at = %(now)s, search_dirty = true
 WHERE instructor_id = %(user_id)s AND id <> ALL(%(kept)s::text[]) AND retired_at IS NULL
"""

OWN: Final = """
-- own_services: of some, those that are the instructor's.
SELECT id FROM services WHERE instructor_id = %(user_id)s AND id = ANY(%(kept)s::text[])
"""

CLEAR_AREAS: Final = """
-- clear_areas
DELETE FROM instructor_service_areas WHERE instructor_id = ANY(%(instructor_ids)s::text[])
"""

ADD_AREAS: Final = """
-- add_areas
INSERT INTO instructor_service_areas (instructor_id, region_id)
SELECT * FROM unnest(%(instructor_ids)s::text[], %(region_ids)s::text[])
"""

CLEAR_AVAILABILITY: Final = """
-- clear_availability
DELETE FROM instructor_availability WHERE instructor_id = ANY(%(instructor_ids)s::text[])
"""

ADD_AVAILABILITY: Final = """
-- add_availability
INSERT INTO instructor_availability (instructor_id, weekday, from_minute, to_minute)
SELECT * FROM unnest(%(instructor_ids)s::text[], %(weekdays)s::smallint[], %(from_minutes)s::smallint[],
                     %(to_minutes)s::smallint[])
"""


class PostgresCatalogue:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def profile(self, user_id: UserId) -> Profile:
        found = await self._pool.fetch(PROFILES, {"user_ids": texts([user_id])}, _profile)
        return found[0][1] if found else Profile()

    async def replace(self, user_id: UserId, offer: Offer, *, now: datetime) -> None:
        kept = {"user_id": user_id, "kept": texts(service.id for service in offer.services), "now": now}
        told = {"bio": offer.bio, "home_city": offer.home_city, "timezone": offer.timezone}
        async with in_transaction(self._pool, "BEGIN ISOLATION LEVEL READ COMMITTED") as session:
            await session.send(TELL, {**kept, **told})
            await session.send(SAVE_SERVICES, _service_params(offer.services, now=now))
            await session.send(DELETE_OTHERS, kept)
            await session.send(RETIRE_OTHERS, kept)
            await _replace_areas(session, {user_id: offer.areas})
            await _replace_availability(session, {user_id: offer.availability})
            if len(await session.fetch(OWN, kept, str)) < len(offer.services):
                raise Conflict("One of the services is somebody else's.")

    async def upsert(
        self, listings: Sequence[Listing], *, password_hash: str, ids: Ids, now: datetime
    ) -> list[Listed]:
        async with in_transaction(self._pool, "BEGIN ISOLATION LEVEL READ COMMITTED") as session:
            outcomes = await _owners(session, listings, ids)
            stored = {
                outcome.user_id: listing
                for outcome, listing in zip(outcomes, listings, strict=True)
                if outcome.user_id is not None
            }
            new = frozenset(
                outcome.user_id for outcome in outcomes if outcome.is_new and outcome.user_id is not None
            )
            before = await _before(session, [user_id for user_id in stored if user_id not in new])
            told = {
                user_id: listing.over(before.profiles.get(user_id, Profile()))
                for user_id, listing in stored.items()
            }
            await session.send(ADD_INSTRUCTORS, _account_params(stored, new, password_hash, now))
            await session.send(RENAME, _name_params(stored))
            await session.send(SAVE_PROFILES, _profile_params(told, stored, now))
            await session.send(SAVE_SERVICES, _listed_params(stored, before.service_ids, ids=ids, now=now))
            await _replace_areas(
                session, {user_id: p.areas for user_id, p in told.items() if p.areas != before.of(user_id).areas}
            )
            await _replace_availability(
                session,
                {
                    user_id: profile.availability
                    for user_id, profile in told.items()
                    if profile.availability != before.of(user_id).availability
                },
            )
        return outcomes


@dataclass(frozen=True, slots=True)
class _Before:
    """What was known of instructors, whose profiles are locked now; services by instructor and external id."""

    profiles: Mapping[UserId, Profile]
    service_ids: Mapping[tuple[UserId, str], ServiceId]

    def of(self, user_id: UserId) -> Profile:
        return self.profiles.get(user_id, Profile())


async def _owners(session: Session, listings: Sequence[Listing], ids: Ids) -> list[Listed]:
    await session.send(LOCK_IMPORT)
    known = await session.send_for(KNOWN, {"external_ids": texts(each.external_id for each in listings)}, _known)
    emails = texts(listing.email for listing in listings if listing.email is not None)
    holders = dict(await session.fetch(HOLDERS, {"emails": emails}, _holder))
    return list(owners(listings, known=dict(await known.rows()), holders=holders, ids=ids))


async def _before(session: Session, user_ids: Sequence[UserId]) -> _Before:
    params = {"user_ids": texts(user_ids)}
    await session.send(LOCK_PROFILES, params)
    services = await session.send_for(KNOWN_SERVICES, params, _known_service)
    profiles = dict(await session.fetch(PROFILES, params, _profile))
    return _Before(profiles, dict(await services.rows()))


async def _replace_areas(session: Session, areas: Mapping[UserId, Sequence[RegionId]]) -> None:
    pairs = [(user_id, region_id) for user_id, region_ids in areas.items() for region_id in region_ids]
    await session.send(CLEAR_AREAS, {"instructor_ids": texts(areas)})
    await session.send(
        ADD_AREAS,
        {"instructor_ids": texts(user for user, _ in pairs), "region_ids": texts(region for _, region in pairs)},
    )


async def _replace_availability(session: Session, slots: Mapping[UserId, Sequence[WeeklySlot]]) -> None:
    pairs = [(user_id, slot) for user_id, free in slots.items() for slot in free]
    await session.send(CLEAR_AVAILABILITY, {"instructor_ids": texts(slots)})
    await session.send(
        ADD_AVAILABILITY,
        {
            "instructor_ids": texts(user_id for user_id, _ in pairs),
            "weekdays": [slot.weekday for _, slot in pairs],
            "from_minutes": [slot.from_minute for _, slot in pairs],
            "to_minutes": [slot.to_minute for _, slot in pairs],
        },
    )


def _account_params(
    stored: Mapping[UserId, Listing], new: frozenset[UserId], password_hash: str, now: datetime
) -> dict[str, Any]:
    accounts = [(user_id, listing) for user_id, listing in stored.items() if user_id in new]
    return {
        "ids": texts(user_id for user_id, _ in accounts),
        "emails": texts(address_of(listing, user_id) for user_id, listing in accounts),
        "display_names": texts(listing.display_name for _, listing in accounts),
        "password_hash": password_hash,
        "now": now,
    }


def _name_params(stored: Mapping[UserId, Listing]) -> dict[str, Any]:
    return {"ids": texts(stored), "display_names": texts(listing.display_name for listing in stored.values())}


def _profile_params(
    profiles: Mapping[UserId, Profile], stored: Mapping[UserId, Listing], now: datetime
) -> dict[str, Any]:
    told = profiles.values()
    return {
        "user_ids": texts(profiles),
        "external_ids": texts(stored[user_id].external_id for user_id in profiles),
        "bios": texts(profile.bio for profile in told),
        "ratings": [profile.rating for profile in told],
        "rating_counts": [profile.rating_count for profile in told],
        "response_minutes": [profile.response_minutes for profile in told],
        "home_cities": texts(profile.home_city for profile in told),
        "timezones": texts(profile.timezone for profile in told),
        "now": now,
    }


def _listed_params(
    stored: Mapping[UserId, Listing],
    known: Mapping[tuple[UserId, str], ServiceId],
    *,
    ids: Ids,
    now: datetime,
) -> dict[str, Any]:
    listed = [(user_id, service) for user_id, listing in stored.items() for service in listing.services]
    services = [
        service.as_service(known.get((user_id, service.external_id)) or ServiceId(ids.ulid()), user_id)
        for user_id, service in listed
    ]
    return {
        **_service_params(services, now=now),
        "external_ids": texts(service.external_id for _, service in listed),
        "are_retired": [service.is_retired for _, service in listed],
    }


def _service_params(services: Sequence[Service], *, now: datetime) -> dict[str, Any]:
    return {
        **service_columns(services),
        "external_ids": texts(None for _ in services),
        "are_retired": [False for _ in services],
        "now": now,
    }


def _profile(
    user_id: str,
    bio: str,
    rating: float,
    rating_count: int,
    response_minutes: int | None,
    home_city: str | None,
    timezone: str,
    areas: list[str],
    availability: list[list[int]],
) -> tuple[UserId, Profile]:
    return UserId(user_id), Profile(
        bio=bio,
        rating=rating,
        rating_count=rating_count,
        response_minutes=response_minutes,
        home_city=None if home_city is None else RegionId(home_city),
        timezone=timezone,
        areas=tuple(RegionId(area) for area in areas),
        availability=tuple(WeeklySlot(*slot) for slot in availability),
    )


def _known(external_id: str, user_id: str) -> tuple[str, UserId]:
    return external_id, UserId(user_id)


def _known_service(user_id: str, external_id: str, service_id: str) -> tuple[tuple[UserId, str], ServiceId]:
    return (UserId(user_id), external_id), ServiceId(service_id)


def _holder(email: str, user_id: str, role: str, external_id: str | None) -> tuple[str, AddressHolder]:
    return email, AddressHolder(UserId(user_id), Role(role), external_id)
