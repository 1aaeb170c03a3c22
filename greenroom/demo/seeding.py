"""Filling an empty marketplace: the people first, then their past, then the crowd around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import trio

from greenroom.actors.search.places.loading import load_gazetteer
from greenroom.data.gazetteer.geonames import MOST, Settlement
from greenroom.data.gazetteer.geonames import settlements as settlements_of_geonames
from greenroom.demo.history import live_through
from greenroom.demo.people import INSTRUCTORS, OPERATOR_EMAIL, PASSWORD, STUDENTS
from greenroom.marketplace import address, fill_marketplace
from greenroom.schema.catalogue import Listing, Offer
from greenroom.schema.ids import Ids, ServiceId, UserId
from greenroom.schema.records import Role, User
from greenroom.storage.passwords import Passwords
from greenroom.storage.patience import patiently
from greenroom.storage.ports import Storage

HISTORY_BEGINS_BEFORE: Final = timedelta(days=5)

CROWD: Final = 3_000
"""Invented instructors besides the eight: enough that every search of a city finds some, few enough to be there in seconds."""

CROWD_SEED: Final = 2026


async def seed_demo(
    storage: Storage,
    *,
    passwords: Passwords,
    ids: Ids,
    now: datetime,
    crowd: int = CROWD,
    settlements: Callable[[], Iterable[Settlement]] = lambda: settlements_of_geonames(MOST),
) -> bool:
    """Fill an empty marketplace; return False and change nothing if that was done before.

    Each part has a mark that it is there, which is made last; everything before it may be done twice. So a start that was
    interrupted is completed by the next one, and so is a demo of an earlier version.

    Args:
        crowd: how many instructors there are besides those with a past.
        settlements: reads what the map is completed with.
    """
    has_past = await _is_there(storage, OPERATOR_EMAIL)
    has_crowd = not crowd or await _is_there(storage, address(crowd - 1))
    if has_past and has_crowd:
        return False
    begin = now - HISTORY_BEGINS_BEFORE
    encoded = await passwords.hash(PASSWORD)
    # Reading them takes most of a second, in which the event loop has others to serve.
    known = await trio.to_thread.run_sync(lambda: tuple(settlements()))
    cities = await load_gazetteer(storage.gazetteer, now=begin, settlements=known)
    users = await _add_people(storage, ids, encoded, begin)
    if not has_past:
        await live_through(storage, users, passwords=passwords, ids=ids, begin=begin, now=now)
        await _add_person(storage, ids, encoded, OPERATOR_EMAIL, "The operator", Role.ADMIN, now)
    regions = [mapped.region for city in cities for mapped in city.regions]
    await fill_marketplace(
        storage.catalogue, regions, seed=CROWD_SEED, count=crowd, password_hash=encoded, ids=ids, now=begin
    )
    return True


async def _is_there(storage: Storage, email: str) -> bool:
    return await patiently(partial(storage.accounts.credentials, email)) is not None


async def _add_people(storage: Storage, ids: Ids, encoded: str, now: datetime) -> dict[str, User]:
    # Accounts and profiles first and what they offer second, by its title: so services that were booked keep their ids.
    accounts = [replace(listing, services=()) for listing in INSTRUCTORS]
    await patiently(partial(storage.catalogue.upsert, accounts, password_hash=encoded, ids=ids, now=now))
    users = {}
    for listing in INSTRUCTORS:
        found = await patiently(partial(storage.accounts.credentials, listing.email or ""))
        assert found is not None  # noqa: S101 - it was stored just before
        users[found.user.email] = found.user
        await patiently(partial(_offer, storage, found.user.id, listing, ids, now))
    for email, name in STUDENTS:
        users[email] = await _add_person(storage, ids, encoded, email, name, Role.STUDENT, now)
    return users


async def _offer(storage: Storage, user_id: UserId, listing: Listing, ids: Ids, now: datetime) -> None:
    listed = await storage.directory.instructor(user_id)
    known = {} if listed is None else {service.title: service.id for service in listed.services}
    told = listing.over(await storage.catalogue.profile(user_id))
    offer = Offer(
        bio=told.bio,
        home_city=told.home_city,
        timezone=told.timezone,
        services=tuple(
            service.as_service(known.get(service.title) or ServiceId(ids.ulid()), user_id)
            for service in listing.services
        ),
        areas=told.areas,
        availability=told.availability,
    )
    await storage.catalogue.replace(user_id, offer, now=now)


async def _add_person(
    storage: Storage, ids: Ids, encoded: str, email: str, name: str, role: Role, now: datetime
) -> User:
    async def find_or_add() -> User:
        if found := await storage.accounts.credentials(email):
            return found.user
        user = User(UserId(ids.ulid()), email, name, role, is_active=True, created_at=now)
        await storage.accounts.create_user(user, encoded)
        return user

    return await patiently(find_or_add)
