from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.search.learning import Vote
from greenroom.schema.search.places import AliasSource, AliasState, PlaceAnswer, RegionId, Tier
from greenroom.storage.ports import Storage
from tests.storage.builders import ANN, BEN, NOW
from tests.storage.market_builders import Teacher, a_teacher, lesson_id, store
from tests.storage.places_builders import NYC, PARK_SLOPE, add_places, an_alias
from tests.storage.search_builders import a_click, a_search, in_park_slope, nowhere

PIANO, VIOLIN = lesson_id(10), lesson_id(20)
AREAS = ("nyc", "nyc/brooklyn", "nyc/brooklyn/park-slope", "atlantis")
DAY = timedelta(days=1)


async def a_market(storage: Storage, *teachers: Teacher) -> None:
    await add_places(storage)
    for teacher in teachers or (a_teacher(1, "Piano", areas=AREAS),):
        await store(storage, teacher)


async def clicked(
    storage: Storage,
    number: int,
    place: PlaceAnswer,
    user_id: UserId = ANN,
    services: Sequence[ServiceId] = (PIANO,),
) -> None:
    await storage.search_log.add_searches([a_search(number, user_id=user_id, place=place, shown=services)])
    await storage.search_log.add_clicks([a_click(number, one, user_id=user_id) for one in services])


async def votes(storage: Storage, *, users_min: int = 1, names_max: int = 10, limit: int = 10) -> list[Vote]:
    return await storage.alias_evidence.votes(
        since=NOW - DAY, users_min=users_min, names_max=names_max, limit=limit
    )


async def test_a_click_votes_for_the_regions_where_its_instructor_teaches_whole_cities_aside(
    storage: Storage,
) -> None:
    await a_market(storage)

    await clicked(storage, 1, nowhere("The Slope!"))

    assert await votes(storage) == [Vote("slope", ANN, NOW, (RegionId("nyc/brooklyn"), PARK_SLOPE))]


async def test_only_clicks_after_an_uncertain_place_teach_anything(storage: Storage) -> None:
    await a_market(storage)

    await clicked(storage, 1, in_park_slope(tier=Tier.EXACT))
    await clicked(storage, 2, in_park_slope(tier=Tier.FUZZY, text="park slop", confidence=0.7))

    assert [vote.name for vote in await votes(storage)] == ["park slop"]


async def test_names_that_too_few_people_used_are_left_out(storage: Storage) -> None:
    await a_market(storage)
    await clicked(storage, 1, nowhere("the slope"), ANN)
    await clicked(storage, 2, nowhere("the slope"), BEN)
    await clicked(storage, 3, nowhere("narnia"), ANN)
    await clicked(storage, 4, nowhere("narnia"), ANN)

    assert {vote.name for vote in await votes(storage, users_min=2)} == {"slope"}


async def test_the_most_clicked_names_and_their_newest_clicks_are_read(storage: Storage) -> None:
    await a_market(storage)
    await clicked(storage, 1, nowhere("the slope"))
    await clicked(storage, 2, nowhere("the slope"))
    await clicked(storage, 3, nowhere("narnia"))

    assert [vote.name for vote in await votes(storage, names_max=1)] == ["slope", "slope"]
    assert len(await votes(storage, limit=1)) == 1


async def test_old_clicks_and_those_on_instructors_without_areas_teach_nothing(storage: Storage) -> None:
    await a_market(storage, a_teacher(1, "Piano", areas=(NYC,)))
    await clicked(storage, 1, nowhere("the slope"))

    assert await votes(storage) == []
    assert await storage.alias_evidence.votes(since=NOW + DAY, users_min=1, names_max=9, limit=9) == []


async def test_one_worker_learns_at_a_time(storage: Storage) -> None:
    evidence = storage.alias_evidence

    taken = [await evidence.hold(worker, for_s=60) for worker in ("one", "two", "one")]

    assert taken == [True, False, True]


async def test_a_worker_that_is_gone_loses_its_right_with_time(storage: Storage) -> None:
    await storage.alias_evidence.hold("one", for_s=0)

    assert await storage.alias_evidence.hold("two", for_s=60)


async def test_undecided_are_learned_names_that_nobody_looked_at(storage: Storage) -> None:
    await add_places(storage)
    before = await storage.alias_evidence.undecided()
    names = {"one": AliasState.PROPOSED, "two": AliasState.ACTIVE, "three": AliasState.PROPOSED}
    new = [an_alias(n, PARK_SLOPE, source=AliasSource.LEARNED, state=state) for n, state in names.items()]
    await storage.gazetteer.upsert_aliases(new, now=NOW)
    alias = await storage.gazetteer.alias_of("Three", PARK_SLOPE)
    assert alias is not None

    await storage.gazetteer.decide_alias(alias.id, AliasState.ACTIVE, decided_by="user:me", now=NOW)

    assert (before, await storage.alias_evidence.undecided()) == (0, 2)


async def test_an_alias_is_found_by_its_name_and_region_in_any_state(storage: Storage) -> None:
    await add_places(storage)
    new = an_alias("The Gulch", PARK_SLOPE, state=AliasState.PROPOSED)
    await storage.gazetteer.upsert_aliases([new], now=NOW)

    found = await storage.gazetteer.alias_of("the gulch", PARK_SLOPE)

    assert found is not None
    assert (found.name, found.state) == ("The Gulch", AliasState.PROPOSED)
    assert await storage.gazetteer.alias_of("the gulch", NYC) is None


async def test_the_version_of_names_changes_with_every_decision(storage: Storage) -> None:
    await add_places(storage)
    new = an_alias("The Gulch", PARK_SLOPE, state=AliasState.PROPOSED)
    await storage.gazetteer.upsert_aliases([new], now=NOW)
    alias = await storage.gazetteer.alias_of("the gulch", PARK_SLOPE)
    assert alias is not None

    seen = [await storage.places.names_version()]
    for hours, state in enumerate((AliasState.ACTIVE, AliasState.ACTIVE, AliasState.REVOKED, AliasState.ACTIVE)):
        at = NOW + timedelta(hours=hours)
        await storage.gazetteer.decide_alias(alias.id, state, decided_by="user:me", now=at)
        seen.append(await storage.places.names_version())

    assert all(before != after for before, after in pairwise(seen))
