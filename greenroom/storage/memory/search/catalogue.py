"""Profiles of instructors and what they offer, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.schema.catalogue import Listed, Listing, Offer, Profile, ServiceState
from greenroom.schema.errors import Conflict, UserNotFound
from greenroom.schema.ids import Ids, ServiceId, UserId
from greenroom.schema.records import Role, Service, StreamHead, User
from greenroom.storage.catalogue_owners import AddressHolder, address_of, owners
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.memory.tables import ProfileRow


class MemoryCatalogue:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def profile(self, user_id: UserId) -> Profile:
        async with self._database.operation("catalogue.profile"):
            return self._profile(user_id)

    async def replace(self, user_id: UserId, offer: Offer, *, now: datetime) -> None:
        async with self._database.operation("catalogue.replace"):
            tables = self._database.tables
            if user_id not in tables.users:
                raise UserNotFound("No such user.")
            kept = {service.id for service in offer.services}
            if any(tables.services[i].instructor_id != user_id for i in kept & tables.services.keys()):
                raise Conflict("One of the services is somebody else's.")
            row = tables.profiles.get(user_id, ProfileRow(Profile(), None))
            told = replace(
                row.profile,
                bio=offer.bio,
                home_city=offer.home_city,
                timezone=offer.timezone,
                areas=offer.areas,
                availability=offer.availability,
            )
            tables.profiles[user_id] = replace(row, profile=told)
            for service in offer.services:
                self._save(service, external_id=None, is_retired=False, now=now)
            booked = {booking.service_id for booking in tables.bookings.values()}
            others = [s for s in tables.services.values() if s.instructor_id == user_id and s.id not in kept]
            for service in others:
                if service.id in booked:
                    self._save(service, external_id=None, is_retired=True, now=now)
                else:
                    del tables.services[service.id], tables.service_states[service.id]

    async def upsert(
        self, listings: Sequence[Listing], *, password_hash: str, ids: Ids, now: datetime
    ) -> list[Listed]:
        async with self._database.operation("catalogue.upsert"):
            tables = self._database.tables
            known = {row.external_id: i for i, row in tables.profiles.items() if row.external_id is not None}
            service_ids = {
                (tables.services[state.service_id].instructor_id, state.external_id): state.service_id
                for state in tables.service_states.values()
            }
            outcomes = list(owners(listings, known=known, holders=self._holders(listings), ids=ids))
            for outcome, listing in zip(outcomes, listings, strict=True):
                if outcome.user_id is None:
                    continue
                if outcome.is_new:
                    self._add_account(outcome.user_id, listing, password_hash, now)
                user = tables.users[outcome.user_id]
                tables.users[user.id] = replace(user, display_name=listing.display_name)
                told = listing.over(self._profile(user.id))
                tables.profiles[user.id] = ProfileRow(told, listing.external_id)
                for service in listing.services:
                    service_id = service_ids.get((user.id, service.external_id)) or ServiceId(ids.ulid())
                    self._save(
                        service.as_service(service_id, user.id),
                        external_id=service.external_id,
                        is_retired=service.is_retired,
                        now=now,
                    )
            return outcomes

    def _profile(self, user_id: UserId) -> Profile:
        row = self._database.tables.profiles.get(user_id)
        return Profile() if row is None else row.profile

    def _holders(self, listings: Sequence[Listing]) -> Mapping[str, AddressHolder]:
        tables, found = self._database.tables, {}
        for email in filter(None, (listing.email for listing in listings)):
            user_id = tables.emails.get(email.lower())
            if user_id is not None:
                row = tables.profiles.get(user_id)
                external_id = None if row is None else row.external_id
                found[email] = AddressHolder(user_id, tables.users[user_id].role, external_id)
        return found

    def _add_account(self, user_id: UserId, listing: Listing, password_hash: str, now: datetime) -> None:
        tables, email = self._database.tables, address_of(listing, user_id)
        tables.users[user_id] = User(
            user_id, email, listing.display_name, Role.INSTRUCTOR, is_active=True, created_at=now
        )
        tables.emails[email.lower()] = user_id
        tables.password_hashes[user_id] = password_hash
        tables.streams[user_id] = StreamHead(user_id=user_id, last_seq=0, floor_seq=0)

    def _save(self, service: Service, *, external_id: str | None, is_retired: bool, now: datetime) -> None:
        tables = self._database.tables
        former, state = tables.services.get(service.id), tables.service_states.get(service.id)
        tables.services[service.id] = service
        if former is None or state is None:
            tables.service_states[service.id] = ServiceState(
                service.id, external_id, created_at=now, updated_at=now, retired_at=now if is_retired else None
            )
        elif former != service or (state.retired_at is not None) is not is_retired:
            found_by = (former.title, former.description, former.category, state.retired_at is not None)
            tables.service_states[service.id] = replace(
                state,
                updated_at=now,
                retired_at=(state.retired_at or now) if is_retired else None,
                is_dirty=state.is_dirty
                or found_by != (service.title, service.description, service.category, is_retired),
            )
