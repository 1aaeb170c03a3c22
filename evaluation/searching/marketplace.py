"""The marketplace in which is searched: invented instructors, the gazetteer, the index and the models that a server without a key has.

All of it is drawn from a seed and the time stands still, so the same searches have the same answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from greenroom.actors.core import open_core
from greenroom.actors.identity import Identity
from greenroom.actors.search.answer import SearchAnswer
from greenroom.actors.search.board import SearchBoard
from greenroom.actors.search.desk import SearchDesk
from greenroom.actors.search.indexing import Indexing
from greenroom.actors.search.places.loading import load_gazetteer
from greenroom.actors.search.request import SearchRequest
from greenroom.actors.search.room import SearchPlan
from greenroom.data.gazetteer.geonames import MOST, settlements
from greenroom.marketplace import address, fill_marketplace
from greenroom.models.opening import open_models
from greenroom.schema.bookings import DURATION_MAX, Booking, BookingStatus
from greenroom.schema.catalogue import Profile
from greenroom.schema.ids import BookingId, ConversationId, Ids, RandomIds, ServiceId, UserId
from greenroom.schema.records import Conversation, Role, Service
from greenroom.schema.search.places import Region, RegionId
from greenroom.schema.search.taxonomy import load_taxonomy
from greenroom.schema.search_settings import SearchSettings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.passwords import SimulatedPasswords
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import Pool, postgres_storage

NOW: Final = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
"""A Monday, nine in the morning in New York."""

SEED: Final = 71
"""Not the demo's, nor the one of the load tests: rules that were looked at there are judged elsewhere."""

BOOKED_DAY: Final = date(2026, 11, 28)
BOOKED_EVERY: Final = 3
"""The Saturday on which every third of those who are free then has no time left."""

BATCH: Final = 200
BUDGET_MS: Final = 10_000
"""Not what a search may take, but enough that nothing is left out on a slow machine: what is measured here is the answer."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A service as the catalogue has it. ``booked`` are begins and ends of its instructor's lessons."""

    service: Service
    profile: Profile
    booked: tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True, slots=True)
class Marketplace:
    offered: Mapping[ServiceId, Offered]
    regions: Mapping[RegionId, Region]
    asker: Identity
    desk: SearchDesk

    async def search(self, text: str, *, asked_from: RegionId | None) -> SearchAnswer:
        near = None if asked_from is None else self.regions[asked_from].centroid
        return await self.desk.search(self.asker, SearchRequest(self.asker.user.id, text, near=near))


@asynccontextmanager
async def open_marketplace(pool: Pool, *, instructors: int) -> AsyncIterator[Marketplace]:
    """Fill a migrated, empty database and search in it as a server does."""
    ids = RandomIds(Random(SEED), lambda: NOW)  # noqa: S311 - no secret
    storage = postgres_storage(pool, bus=LocalBus())
    cities = await load_gazetteer(storage.gazetteer, now=NOW, settlements=settlements(MOST))
    regions = {mapped.region.id: mapped.region for city in cities for mapped in city.regions}
    await fill_marketplace(
        storage.catalogue,
        regions.values(),
        seed=SEED,
        count=instructors,
        # Nobody signs in as one of them.
        password_hash="!",  # noqa: S106
        ids=ids,
        now=NOW - timedelta(days=30),
    )
    settings = SearchSettings.model_construct(search_budget_ms=BUDGET_MS)
    board = SearchBoard(settings.config())
    rng = Random(SEED)  # noqa: S311 - no secret
    async with open_models(settings, config=lambda: board.config, rng=rng) as models:
        indexing = Indexing(storage.search_index, models.embedders, load_taxonomy())
        await indexing.prepare()
        await indexing.index_all()
        await indexing.fill()
        async with open_core(
            storage,
            passwords=SimulatedPasswords(),
            ids=ids,
            wall=lambda: NOW,
            seed=SEED,
            search=SearchPlan(settings=settings, board=board, models=models),
        ) as core:
            signed_in = await core.sign_in.register(
                email="maya@example.com",
                password="correct horse",  # noqa: S106 - of an account that lives for minutes
                display_name="Maya",
                role=Role.STUDENT,
            )
            offered = await _offered(storage, instructors)
            offered = await _booked_out(storage, offered, signed_in.identity.user.id, ids)
            yield Marketplace(offered, regions, signed_in.identity, core.search)


async def _offered(storage: Storage, instructors: int) -> dict[ServiceId, Offered]:
    found: dict[ServiceId, Offered] = {}
    for number in range(instructors):
        credentials = await storage.accounts.credentials(address(number))
        assert credentials is not None  # noqa: S101 - it was stored just before
        listed = await storage.directory.instructor(credentials.user.id)
        profile = await storage.catalogue.profile(credentials.user.id)
        for service in () if listed is None else listed.services:
            found[service.id] = Offered(service, profile, ())
    return found


async def _booked_out(
    storage: Storage, offered: Mapping[ServiceId, Offered], student_id: UserId, ids: Ids
) -> dict[ServiceId, Offered]:
    """Book all of one Saturday of some; the same services with that."""
    firsts: dict[UserId, Offered] = {}
    for one in offered.values():
        if any(slot.weekday == BOOKED_DAY.isoweekday() for slot in one.profile.availability):
            firsts.setdefault(one.service.instructor_id, one)
    chosen = list(firsts.values())[::BOOKED_EVERY]
    times = {one.service.instructor_id: _saturday(one.profile) for one in chosen}
    for start in range(0, len(chosen), BATCH):
        await _store(storage, chosen[start : start + BATCH], times, student_id, ids)
    return {
        service_id: Offered(one.service, one.profile, times.get(one.service.instructor_id, ()))
        for service_id, one in offered.items()
    }


def _saturday(profile: Profile) -> tuple[tuple[datetime, datetime], ...]:
    """The free times of the day, each from its begin for as long as a lesson may be."""
    times = []
    for slot in profile.availability:
        if slot.weekday == BOOKED_DAY.isoweekday():
            midnight = datetime.combine(BOOKED_DAY, time(), ZoneInfo(profile.timezone))
            begin = (midnight + timedelta(minutes=slot.from_minute)).astimezone(UTC)
            end = (midnight + timedelta(minutes=slot.to_minute)).astimezone(UTC)
            times.append((begin, min(end, begin + DURATION_MAX)))
    return tuple(times)


async def _store(
    storage: Storage,
    some: Sequence[Offered],
    times: Mapping[UserId, Sequence[tuple[datetime, datetime]]],
    student_id: UserId,
    ids: Ids,
) -> None:
    conversations = {
        one.service.instructor_id: Conversation(
            ConversationId(ids.ulid()), student_id, one.service.instructor_id, 0, NOW, NOW
        )
        for one in some
    }
    async with storage.writes.transaction() as tx:
        await tx.open_conversations(tuple(conversations.values()))
    bookings = [
        Booking(
            id=BookingId(ids.ulid()),
            conversation_id=conversations[one.service.instructor_id].id,
            student_id=student_id,
            instructor_id=one.service.instructor_id,
            service_id=one.service.id,
            title=one.service.title,
            starts_at=begin,
            ends_at=end,
            status=BookingStatus.BOOKED,
            note=None,
            price_cents=one.service.price_cents,
            currency=one.service.currency,
            version=1,
            created_at=NOW,
            updated_at=NOW,
        )
        for one in some
        for begin, end in times[one.service.instructor_id]
    ]
    async with storage.writes.transaction() as tx:
        await tx.lock(conversations=sorted(conversation.id for conversation in conversations.values()))
        await tx.save_bookings(bookings)
