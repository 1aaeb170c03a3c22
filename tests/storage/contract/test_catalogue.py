"""What storage keeps of instructors and their lessons; both twins alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from greenroom.schema.catalogue import ListedService, Listing, Offer, Profile, WeeklySlot
from greenroom.schema.errors import Conflict, UserNotFound
from greenroom.schema.ids import RandomIds, ServiceId, UserId
from greenroom.schema.records import Role, Service
from greenroom.schema.search.places import RegionId
from greenroom.schema.search.understood import Level
from greenroom.storage.ports import Storage
from tests.storage.builders import (
    ANN,
    BEN,
    CLEO,
    NOBODY,
    NOW,
    a_booking,
    a_conversation,
    a_service,
    a_user,
    open_all,
    save_bookings,
)

LATER = NOW + timedelta(hours=1)
SLOPE, HARLEM = RegionId("nyc/brooklyn/park-slope"), RegionId("nyc/manhattan/harlem")
SATURDAY, SUNDAY = WeeklySlot(6, 540, 720), WeeklySlot(7, 600, 1_440)
IDS = RandomIds(Random(4), lambda: NOW)

PIANO = ListedService(
    external_id="piano",
    title="Piano",
    description="For children.",
    price_cents=7_000,
    currency="USD",
    duration_minutes=45,
    category="piano",
    levels=(Level.BEGINNER, Level.INTERMEDIATE),
    age_min=6,
    age_max=12,
    is_online=True,
)
DRUMS = replace(PIANO, external_id="drums", title="Drums", levels=(), age_min=None, age_max=None)
LISTING = Listing(
    external_id="t-1",
    display_name="Tomás Herrera",
    email="Tomas@example.org",
    bio="Plays.",
    rating=4.7,
    rating_count=31,
    response_minutes=25,
    home_city=RegionId("nyc"),
    timezone="America/New_York",
    areas=(SLOPE, HARLEM),
    availability=(SATURDAY, SUNDAY),
    services=(PIANO, DRUMS),
)


@pytest.fixture
async def storage(storage: Storage) -> Storage:
    """Ann learns; Ben and Cleo teach."""
    await storage.accounts.create_user(a_user(ANN), "hash")
    await storage.accounts.create_user(a_user(BEN, role=Role.INSTRUCTOR), "hash")
    await storage.accounts.create_user(a_user(CLEO, role=Role.INSTRUCTOR), "hash")
    return storage


def an_offer(*services: Service, **changes: object) -> Offer:
    offer = Offer(
        bio="I teach.",
        home_city=RegionId("nyc"),
        timezone="America/New_York",
        services=services,
        areas=(SLOPE,),
        availability=(SATURDAY,),
    )
    return replace(offer, **changes)  # type: ignore[arg-type]


async def tell(storage: Storage, *listings: Listing, later: bool = False) -> list[UserId | None]:
    now = LATER if later else NOW
    outcomes = await storage.catalogue.upsert(listings, password_hash="unknown", ids=IDS, now=now)
    return [outcome.user_id for outcome in outcomes]


async def told(storage: Storage, listing: Listing = LISTING) -> UserId:
    [user_id] = await tell(storage, listing)
    assert user_id is not None
    return user_id


async def titles(storage: Storage, user_id: UserId) -> list[str]:
    found = await storage.directory.instructor(user_id)
    assert found is not None
    return [service.title for service in found.services]


async def test_who_told_nothing_has_an_empty_profile(storage: Storage) -> None:
    assert await storage.catalogue.profile(BEN) == Profile()
    assert await storage.catalogue.profile(NOBODY) == Profile()


async def test_a_listing_makes_an_account_with_a_profile_and_services(storage: Storage) -> None:
    user_id = await told(storage)

    assert await storage.catalogue.profile(user_id) == Profile(
        bio="Plays.",
        rating=4.7,
        rating_count=31,
        response_minutes=25,
        home_city=RegionId("nyc"),
        timezone="America/New_York",
        areas=(SLOPE, HARLEM),
        availability=(SATURDAY, SUNDAY),
    )
    found = await storage.directory.instructor(user_id)
    assert found is not None
    assert (found.user.display_name, found.user.email) == ("Tomás Herrera", "Tomas@example.org")
    ids = [service.id for service in found.services]
    assert found.services == (DRUMS.as_service(ids[0], user_id), PIANO.as_service(ids[1], user_id))
    credentials = await storage.accounts.credentials("tomas@EXAMPLE.org")
    assert credentials is not None
    assert credentials.password_hash == "unknown"


async def test_a_new_account_can_be_told_of_what_happens(storage: Storage) -> None:
    user_id = await told(storage)
    await open_all(storage, a_conversation(ANN, user_id, 1))
    async with storage.writes.transaction() as tx:
        locked = await tx.lock(users=[user_id])
        assert locked.streams[user_id].last_seq == 0


async def test_a_listing_without_an_address_gets_one_that_can_not_exist(storage: Storage) -> None:
    first, second = await tell(
        storage, replace(LISTING, email=None), replace(LISTING, external_id="t-2", email=None)
    )

    assert first is not None
    user = await storage.accounts.user(first)
    assert user is not None
    assert user.email.endswith("@imported.invalid")
    assert first != second


async def test_a_listing_that_is_told_again_changes_what_it_tells_and_nothing_else(storage: Storage) -> None:
    user_id = await told(storage)
    before = await storage.directory.instructor(user_id)
    assert before is not None

    again = Listing(
        external_id="t-1",
        display_name="Tomás H.",
        response_minutes=5,
        areas=(HARLEM,),
        services=(replace(PIANO, price_cents=9_000),),
    )
    outcomes = await storage.catalogue.upsert([again], password_hash="other", ids=IDS, now=LATER)

    assert [(o.user_id, o.is_new, o.refusal) for o in outcomes] == [(user_id, False, None)]
    after = await storage.directory.instructor(user_id)
    assert after is not None
    assert after.user == replace(before.user, display_name="Tomás H.")
    assert after.services == (before.services[0], replace(before.services[1], price_cents=9_000))
    profile = await storage.catalogue.profile(user_id)
    assert (profile.bio, profile.response_minutes, profile.areas) == ("Plays.", 5, (HARLEM,))
    assert profile.availability == (SATURDAY, SUNDAY)


async def test_a_service_that_a_file_retires_is_offered_no_more_and_comes_back_under_its_id(
    storage: Storage,
) -> None:
    user_id = await told(storage)
    before = await storage.directory.instructor(user_id)

    await tell(storage, replace(LISTING, services=(replace(PIANO, is_retired=True),)))
    assert await titles(storage, user_id) == ["Drums"]

    await tell(storage, LISTING)
    assert await storage.directory.instructor(user_id) == before


async def test_an_account_of_an_instructor_is_taken_over_by_the_listing_with_its_address(storage: Storage) -> None:
    ben = await storage.accounts.user(BEN)
    assert ben is not None
    await storage.directory.add_services([a_service(BEN, title="Choir")])

    assert await told(storage, replace(LISTING, email=ben.email.upper())) == BEN
    assert await titles(storage, BEN) == ["Choir", "Drums", "Piano"]
    assert (await storage.accounts.credentials(ben.email)).password_hash == "hash"  # type: ignore[union-attr]


@pytest.mark.parametrize("holder", ["a student", "an instructor of another listing"])
async def test_a_listing_with_somebody_elses_address_is_refused_and_the_others_are_stored(
    storage: Storage, holder: str
) -> None:
    if holder == "a student":
        ann = await storage.accounts.user(ANN)
        assert ann is not None
        taken = ann.email
    else:
        await told(storage)
        taken = "tomas@example.org"

    refused, stored = await storage.catalogue.upsert(
        [
            replace(LISTING, external_id="t-2", email=taken),
            replace(LISTING, external_id="t-3", email="other@example.org"),
        ],
        password_hash="unknown",
        ids=IDS,
        now=NOW,
    )

    assert refused.user_id is None
    assert refused.refusal is not None
    assert stored.user_id is not None
    assert stored.is_new


async def test_services_of_two_instructors_may_be_called_the_same(storage: Storage) -> None:
    first, second = await tell(storage, LISTING, replace(LISTING, external_id="t-2", email=None))
    assert first is not None
    assert second is not None
    assert await titles(storage, first) == await titles(storage, second) == ["Drums", "Piano"]


async def test_an_offer_takes_the_place_of_all_that_was_offered(storage: Storage) -> None:
    kept, dropped, added = (a_service(BEN, n, title=t) for n, t in ((1, "Piano"), (2, "Drums"), (3, "Organ")))
    await storage.directory.add_services([kept, dropped])
    changed = replace(kept, title="Grand piano", levels=(Level.ADVANCED,), age_min=16, is_online=True)

    await storage.catalogue.replace(BEN, an_offer(changed, added), now=NOW)

    found = await storage.directory.instructor(BEN)
    assert found is not None
    assert found.services == (changed, added)
    assert await storage.catalogue.profile(BEN) == Profile(
        bio="I teach.",
        home_city=RegionId("nyc"),
        timezone="America/New_York",
        areas=(SLOPE,),
        availability=(SATURDAY,),
    )


async def test_a_booked_service_is_retired_and_can_come_back(storage: Storage) -> None:
    piano, drums = a_service(BEN, 1), a_service(BEN, 2, title="Drums")
    await storage.directory.add_services([piano, drums])
    await open_all(storage, a_conversation(ANN, BEN, 1))
    await save_bookings(storage, a_booking(service=1))

    await storage.catalogue.replace(BEN, an_offer(), now=NOW)
    assert await titles(storage, BEN) == []
    assert await storage.bookings.booking(a_booking().id, ANN) == a_booking(service=1)

    await storage.catalogue.replace(BEN, an_offer(piano), now=LATER)
    assert await titles(storage, BEN) == ["Piano"]


async def test_ratings_and_what_files_know_survive_an_offer(storage: Storage) -> None:
    user_id = await told(storage)

    await storage.catalogue.replace(user_id, an_offer(bio="New."), now=LATER)

    profile = await storage.catalogue.profile(user_id)
    assert (profile.bio, profile.rating, profile.rating_count, profile.response_minutes) == ("New.", 4.7, 31, 25)
    assert await tell(storage, LISTING) == [user_id]


async def test_nobody_takes_somebody_elses_service(storage: Storage) -> None:
    cleos = a_service(CLEO, 1)
    await storage.directory.add_services([cleos, a_service(BEN, 2)])

    with pytest.raises(Conflict):
        await storage.catalogue.replace(BEN, an_offer(replace(cleos, instructor_id=BEN, title="Mine")), now=NOW)

    assert await titles(storage, CLEO) == ["Piano"]
    assert await titles(storage, BEN) == ["Piano"]
    assert await storage.catalogue.profile(BEN) == Profile()


async def test_an_offer_of_nobody_is_refused(storage: Storage) -> None:
    with pytest.raises(UserNotFound):
        await storage.catalogue.replace(NOBODY, an_offer(), now=NOW)


async def test_a_service_may_be_for_any_level_and_age_and_of_no_category(storage: Storage) -> None:
    plain = Service(ServiceId("01SERVICE00000000000000009"), BEN, "Chess", "", 0, "EUR", 30)
    await storage.catalogue.replace(BEN, an_offer(plain, areas=(), availability=()), now=NOW)
    found = await storage.directory.instructor(BEN)
    assert found is not None
    assert found.services == (plain,)
