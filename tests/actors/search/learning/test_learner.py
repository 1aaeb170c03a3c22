"""From clicks to a name that searches go by, with an operator in between. On the virtual clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import product

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.search.learning.ballot import LearningRules
from greenroom.actors.search.learning.learner import FIRST_S, LEARN_S, PROPOSED_PER_TURN, AliasLearner
from greenroom.schema.audit import AuditOutcome, OperatorKind, OperatorName, SearchAction
from greenroom.schema.errors import AliasNotFound, InvalidInput, RegionNotFound
from greenroom.schema.ids import UserId
from greenroom.schema.search.places import AliasFilter, AliasSource, AliasState, PlaceOutcome, RegionId, Tier
from greenroom.storage.memory import MemoryDatabase, memory_storage
from greenroom.storage.ports import Storage
from greenroom.supervisor import ActorSystem, ChildSpec, SupervisorSpec, open_system
from tests.actors.search.world import a_market, search
from tests.storage.builders import NOW
from tests.storage.market_builders import a_teacher, lesson_id, store
from tests.storage.places_builders import PARK_SLOPE, add_places, an_alias
from tests.storage.search_builders import a_click, a_search, nowhere

PIANO = a_teacher(1, "Piano", areas=("nyc/brooklyn/park-slope",))
LESSON = lesson_id(10)
RULES = LearningRules(users_min=3, clicks_min=3.0)
OPERATOR = OperatorName(OperatorKind.KEY, "abcd1234")


@asynccontextmanager
async def learning(storage: Storage, rules: LearningRules = RULES, workers: int = 1) -> AsyncIterator[ActorSystem]:
    def a_learner(worker: str) -> ChildSpec:
        return ChildSpec(
            f"alias-learner-{worker}",
            lambda: AliasLearner(
                evidence=storage.alias_evidence,
                places=storage.places,
                gazetteer=storage.gazetteer,
                rules=rules,
                wall=lambda: NOW,
                worker=worker,
            ),
        )

    tree = SupervisorSpec("greenroom", tuple(a_learner(str(n)) for n in range(workers)))
    async with open_system(tree, seed=1, wall=lambda: NOW) as system:
        yield system
        await system.shutdown(1.0)


async def a_storage_where_people_say(*names: str, users: int = 3) -> Storage:
    storage = memory_storage()
    await add_places(storage)
    await store(storage, PIANO)
    for number, (name, user) in enumerate(product(names, range(users))):
        user_id = UserId(f"01USER{user:020}")
        await storage.search_log.add_searches(
            [a_search(number, user_id=user_id, place=nowhere(name), shown=[LESSON])]
        )
        await storage.search_log.add_clicks([a_click(number, LESSON, user_id=user_id)])
    return storage


def views(system: ActorSystem) -> list[Mapping[str, object]]:
    return [system.inspect(node.path).view for node in system.tree().children]


async def states(storage: Storage, name: str) -> list[tuple[AliasSource, AliasState]]:
    found = await storage.gazetteer.aliases_page(AliasFilter(), before=None, limit=500)
    return [(alias.source, alias.state) for alias in found if alias.name == name]


async def test_what_people_agree_on_is_proposed(autojump_clock: MockClock) -> None:
    storage = await a_storage_where_people_say("the gulch")

    async with learning(storage, workers=2) as system:
        await trio.sleep(FIRST_S + 3 * LEARN_S[1])
        learned = sorted(view["learned"] for view in views(system))  # type: ignore[type-var]

    assert learned == [0, 1]
    assert await states(storage, "gulch") == [(AliasSource.LEARNED, AliasState.PROPOSED)]
    assert (await storage.places.look_up("the gulch", cities=())).alias == ()


async def test_where_the_server_is_told_so_it_holds_at_once(autojump_clock: MockClock) -> None:
    storage = await a_storage_where_people_say("the gulch")

    async with learning(storage, LearningRules(users_min=3, clicks_min=3.0, is_automatic=True)):
        await trio.sleep(FIRST_S + 1)

    (found,) = (await storage.places.look_up("the gulch", cities=())).alias
    assert found.region.id == PARK_SLOPE
    assert found.confidence == 0.95


@pytest.mark.parametrize("name", ["Park Slope", "LES", "zz", "11215"])
async def test_a_name_that_means_a_region_already_and_what_is_no_name_are_never_learned(
    autojump_clock: MockClock, name: str
) -> None:
    storage = await a_storage_where_people_say(name)
    before = await storage.gazetteer.aliases_page(AliasFilter(), before=None, limit=500)

    async with learning(storage):
        await trio.sleep(FIRST_S + 1)

    assert await storage.gazetteer.aliases_page(AliasFilter(), before=None, limit=500) == before


async def test_what_an_operator_revoked_is_not_proposed_again(autojump_clock: MockClock) -> None:
    storage = await a_storage_where_people_say("the gulch")
    await storage.gazetteer.upsert_aliases([an_alias("gulch", PARK_SLOPE)], now=NOW)
    alias = await storage.gazetteer.alias_of("gulch", PARK_SLOPE)
    assert alias is not None
    await storage.gazetteer.decide_alias(alias.id, AliasState.REVOKED, decided_by="user:me", now=NOW)

    async with learning(storage, LearningRules(users_min=3, clicks_min=3.0, is_automatic=True)) as system:
        await trio.sleep(FIRST_S + 1)
        learned = [view["learned"] for view in views(system)]

    assert learned == [0]
    assert await states(storage, "gulch") == [(AliasSource.GAZETTEER, AliasState.REVOKED)]


async def test_no_more_names_are_learned_in_a_turn_than_somebody_would_look_through(
    autojump_clock: MockClock,
) -> None:
    storage = await a_storage_where_people_say(*(f"gulch {number}" for number in range(PROPOSED_PER_TURN + 5)))

    async with learning(storage):
        await trio.sleep(FIRST_S + 1)
        first = await storage.alias_evidence.undecided()
        await trio.sleep(LEARN_S[1])
        second = await storage.alias_evidence.undecided()

    assert (first, second) == (PROPOSED_PER_TURN, PROPOSED_PER_TURN + 5)


async def test_nothing_is_learned_while_as_many_names_wait_for_an_operator_as_may(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greenroom.actors.search.learning.learner.LEARNED_MAX", 2)
    storage = await a_storage_where_people_say("gulch one", "gulch two", "gulch three")

    async with learning(storage):
        await trio.sleep(FIRST_S + 3 * LEARN_S[1])

    assert await storage.alias_evidence.undecided() == 2


async def test_a_decision_is_felt_by_the_very_next_search_and_on_the_record(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()
    async with a_market(PIANO, database=database) as world:
        before = await search(world, "piano in the gulch")

        alias = await world.core.alias_review.approve(OPERATOR, "The Gulch", PARK_SLOPE, request_id="r1")
        here = await search(world, "piano in the gulch")
        await world.core.alias_review.revoke(OPERATOR, "the gulch", PARK_SLOPE, request_id="r2")
        after = await search(world, "piano in the gulch")

    assert (alias.source, alias.state, alias.decided_by) == (
        AliasSource.OPERATOR,
        AliasState.ACTIVE,
        "key:abcd1234",
    )
    assert (here.place.outcome, here.place.tier) == (PlaceOutcome.RESOLVED, Tier.ALIAS)
    assert before.place.tier is not Tier.ALIAS
    assert after.place.tier is not Tier.ALIAS
    audit = database.tables.audit.values()
    assert [(entry.action, entry.path, entry.reason, entry.outcome) for entry in audit] == [
        (SearchAction.APPROVE_ALIAS, PARK_SLOPE, "The Gulch", AuditOutcome.DONE),
        (SearchAction.REVOKE_ALIAS, PARK_SLOPE, "the gulch", AuditOutcome.DONE),
    ]


async def test_what_another_worker_decided_is_felt_within_seconds(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()
    gazetteer = memory_storage(database).gazetteer
    async with a_market(PIANO, database=database) as world:
        await search(world, "piano in the gulch")

        await gazetteer.upsert_aliases([an_alias("the gulch", PARK_SLOPE)], now=NOW)
        await trio.sleep(6)
        answer = await search(world, "piano in the gulch")

    assert answer.place.tier is Tier.ALIAS


async def test_what_can_not_be_decided_is_refused_and_changes_nothing(autojump_clock: MockClock) -> None:
    async with a_market() as world:
        review = world.core.alias_review
        before = dict(world.database.tables.aliases)

        with pytest.raises(RegionNotFound):
            await review.approve(OPERATOR, "the gulch", RegionId("atlantis"), request_id="r")
        with pytest.raises(AliasNotFound):
            await review.revoke(OPERATOR, "the gulch", PARK_SLOPE, request_id="r")
        with pytest.raises(InvalidInput):
            await review.approve(OPERATOR, "!!!", PARK_SLOPE, request_id="r")

        assert world.database.tables.aliases == before
