"""A search from its sentence to its answer, inside its budget, on a virtual clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.search.admission import SearchesBusy
from greenroom.actors.search.answer import CacheUse, SearchAnswer
from greenroom.actors.search.board import SearchBoard
from greenroom.actors.search.indexing.indexer import FILL_S
from greenroom.actors.search.reader import Reader
from greenroom.actors.search.request import Overrides, SearchRequest
from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.models.ports import ModelAnswerInvalid, ModelBusy, ModelRefused, ModelUnavailable
from greenroom.schema.catalogue import WeeklySlot
from greenroom.schema.errors import InvalidInput, PermissionDenied
from greenroom.schema.records import Role, Service
from greenroom.schema.search.places import PlaceOutcome, Point
from greenroom.schema.search.understood import AgeBounds, Notice, NoticeKind, ParseSource, ServiceGuess
from greenroom.schema.search_settings import SearchSettings
from greenroom.storage.memory import FaultPoint, MemoryDatabase, memory_storage
from tests.actors.search.world import SlowModels, a_market, reasons, search, titles
from tests.actors.world import World
from tests.storage.builders import NOW
from tests.storage.market_builders import Teacher, a_teacher, an_offer_of

PIANO = a_teacher(1, "Piano for children")
VIOLIN = a_teacher(2, "Violin", areas=("nyc/queens/astoria",))
DEAR = a_teacher(3, "Piano, advanced", lesson={"price_cents": 20_000})


async def as_admin(world: World, text: str, **overrides: bool) -> SearchAnswer:
    admin = replace(world.maya, user=replace(world.maya.user, role=Role.ADMIN))
    request = SearchRequest(admin.user.id, text, wants_diagnostics=True, overrides=Overrides(**overrides))
    return await world.core.search.search(admin, request)


async def test_a_sentence_is_answered_with_what_it_asks_for(autojump_clock: MockClock) -> None:
    async with a_market(PIANO, VIOLIN, DEAR) as world:
        answer = await search(world, "piano lessons in park slope under $80")

    assert titles(answer) == ["Piano for children"]
    assert answer.understood.place_text == "park slope"
    assert answer.place.outcome is PlaceOutcome.RESOLVED
    assert answer.place.regions[0].id == "nyc/brooklyn/park-slope"
    assert answer.cache is CacheUse.MISS
    assert answer.total == 1


async def test_who_names_a_place_is_shown_lessons_there_and_who_says_online_from_anywhere(
    autojump_clock: MockClock,
) -> None:
    far = a_teacher(4, "Piano by video", areas=("nyc/queens/astoria",), lesson={"is_online": True})
    async with a_market(PIANO, far) as world:
        there = await search(world, "piano in park slope")
        online = await search(world, "online piano in park slope")

    assert titles(there) == ["Piano for children"]
    assert titles(online) == ["Piano by video"]


async def test_the_same_search_again_comes_from_the_cache_for_ten_seconds(autojump_clock: MockClock) -> None:
    models = SlowModels()
    async with a_market(PIANO, models=models) as world:
        models.sentence.takes_s = 0.01
        await search(world, "piano")
        await trio.sleep(1)
        await search(world, "piano")
        again = await search(world, "Piano ")
        await trio.sleep(11)
        later = await search(world, "piano")

    assert again.cache is CacheUse.HIT
    assert titles(again) == ["Piano for children"]
    assert later.cache is CacheUse.MISS


async def test_a_kept_answer_shows_what_lessons_are_now_and_only_those_that_still_fit(
    autojump_clock: MockClock,
) -> None:
    dearer, older, cheaper, gone, same = (a_teacher(number, "Piano for children") for number in range(1, 6))
    database = MemoryDatabase()
    async with a_market(dearer, older, cheaper, gone, same, models=prompt_models(), database=database) as world:
        await search_until_kept(world, "piano for my 8 year old under $70")
        for teacher, change in ((dearer, {"price_cents": 9_900}), (older, {"age_min": 10})):
            await offer(database, teacher, replace(teacher.services[0], **change))  # type: ignore[arg-type]
        await offer(database, cheaper, replace(cheaper.services[0], price_cents=4_000))
        await offer(database, gone)
        again = await search(world, "piano for my 8 year old under $70", limit=2)

    assert again.cache is CacheUse.HIT
    assert {hit.card.price_cents for hit in again.hits if hit.card} == {4_000, 6_000}
    assert {hit.ranked.candidate.instructor_id for hit in again.hits} == {cheaper.user_id, same.user_id}
    assert (again.next_cursor, again.total) == (None, 2)


async def test_of_a_kept_answer_nothing_is_shown_that_could_not_be_looked_at(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()
    async with a_market(PIANO, models=prompt_models(), database=database) as world:
        await search_until_kept(world, "piano")

        async def stall(point: FaultPoint) -> None:
            if point.operation == "retrieval.cards":
                await trio.sleep_forever()

        database.faults = stall
        again = await search(world, "piano")

    assert again.cache is CacheUse.HIT
    assert again.hits == ()
    assert reasons(again)["hydration"] == "timeout"


async def test_a_lesson_that_nobody_offered_a_moment_ago_is_found_at_once(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()
    async with a_market(PIANO, models=prompt_models(), database=database) as world:
        await search_until_kept(world, "piano under $50")
        before = await search(world, "piano under $50")
        await offer(database, PIANO, replace(PIANO.services[0], price_cents=4_000))
        after = await search(world, "piano under $50")

    assert titles(before) == []
    assert titles(after) == ["Piano for children"]


def prompt_models() -> SlowModels:
    models = SlowModels()
    models.sentence.takes_s = 0.01
    return models


async def search_until_kept(world: World, text: str) -> None:
    """Twice: at first there may be no time for a model that nobody knows yet."""
    await search(world, text)
    await trio.sleep(1)
    await search(world, text)


async def offer(database: MemoryDatabase, teacher: Teacher, *services: Service) -> None:
    """Let a teacher offer these instead of what was offered before."""
    changed = replace(an_offer_of(teacher), services=services)
    await memory_storage(database).catalogue.replace(teacher.user_id, changed, now=NOW)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ModelUnavailable("gone"), "failed"),
        (ModelBusy("429"), "busy"),
        (ModelAnswerInvalid("wrong dimension"), "failed"),
        (ModelRefused("no"), "failed"),
    ],
)
async def test_a_model_that_fails_is_said_and_the_local_one_takes_its_place(
    autojump_clock: MockClock, failure: Exception, reason: str
) -> None:
    models = SlowModels()
    models.embedder.fails = failure
    async with a_market(PIANO, models=models) as world:
        answer = await search(world, "piano")

    assert titles(answer) == ["Piano for children"]
    assert answer.hits[0].ranked.candidate.vector_score is not None
    assert answer.budget.degraded
    assert [skip.reason for skip in answer.budget.skipped if skip.stage == "embedding"] == [reason, "fallback"]


async def test_a_model_that_hangs_costs_no_more_than_the_budget(autojump_clock: MockClock) -> None:
    models = SlowModels()
    models.embedder.takes_s = 3600
    async with a_market(PIANO, models=models) as world:
        began = trio.current_time()
        answer = await search(world, "piano")
        took = trio.current_time() - began

    assert took <= 0.5 + 0.02
    assert titles(answer) == ["Piano for children"]
    assert reasons(answer)["embedding"] in {"timeout", "fallback"}
    assert models.embedder.in_flight == 0


async def test_the_time_before_a_search_could_begin_is_part_of_its_budget(autojump_clock: MockClock) -> None:
    models = SlowModels()
    models.embedder.takes_s = 3600
    async with a_market(PIANO, models=models) as world:
        request = SearchRequest(world.maya.user.id, "piano")
        began = trio.current_time()
        answer = await world.core.search.search(world.maya, request, arrived_at=began - 0.2)
        took = trio.current_time() - began

    assert took <= 0.3
    assert answer.budget.used_ms == pytest.approx((took + 0.2) * 1000)


async def test_an_answer_is_made_so_early_that_it_is_rendered_in_time(autojump_clock: MockClock) -> None:
    models = SlowModels()
    async with a_market(PIANO, models=models) as world:
        for number in range(10):
            arrived_at = trio.current_time()
            answer = await search(world, f"piano {'x' * number}")
            await trio.sleep(0.06)  # a loop that is busy with others
            world.core.search.rendered(answer, arrived_at=arrived_at)
        models.embedder.takes_s = 3600
        began = trio.current_time()
        await search(world, "piano at last")
        took = trio.current_time() - began

    assert took <= 0.5 - 0.06


async def test_a_model_is_searched_by_once_every_lesson_has_its_vector_and_the_local_one_until_then(
    autojump_clock: MockClock,
) -> None:
    models, database = SlowModels(), MemoryDatabase()
    async with a_market(PIANO, VIOLIN, models=models, database=database) as world:
        models.embedder.fails = ModelUnavailable("gone")
        search_index = memory_storage(database).search_index
        await search_index.drop_model(models.embedder.model)
        await search_index.add_model(models.embedder.model, models.embedder.dimensions)
        await trio.sleep(2 * FILL_S)
        incomplete = await search(world, "piano")
        models.embedder.fails = None
        await trio.sleep(2 * FILL_S)
        complete = await search(world, "piano")

    assert titles(incomplete) == titles(complete) == ["Piano for children"]
    assert [skip.reason for skip in incomplete.budget.skipped if skip.stage == "embedding"] == ["fallback"]
    assert "embedding" not in reasons(complete)


async def test_an_answer_that_misses_something_is_not_kept(autojump_clock: MockClock) -> None:
    models = SlowModels()
    models.embedder.fails = ModelUnavailable("gone")
    async with a_market(PIANO, models=models) as world:
        await search(world, "piano")
        models.embedder.fails = None

        assert (await search(world, "piano")).cache is CacheUse.MISS


async def test_the_embedding_is_not_waited_for_beyond_its_soft_timeout(autojump_clock: MockClock) -> None:
    models = SlowModels()
    models.embedder.takes_s = 0.3
    async with a_market(PIANO, models=models, nl_search_embedding_soft_timeout_ms=100) as world:
        began = trio.current_time()
        answer = await search(world, "piano")

        assert trio.current_time() - began == pytest.approx(0.1, abs=0.01)
    assert "timeout" in [skip.reason for skip in answer.budget.skipped]


async def test_vectors_are_left_out_where_words_find_enough(autojump_clock: MockClock) -> None:
    teachers = [a_teacher(number, "Piano") for number in range(1, 12)]
    models = SlowModels()
    models.embedder.takes_s = 0.4
    async with a_market(*teachers, models=models) as world:
        began = trio.current_time()
        answer = await search(world, "piano")

        assert trio.current_time() - began < 0.1
    assert reasons(answer)["vector"] == "text_strong"
    assert all(hit.ranked.candidate.vector_score is None for hit in answer.hits)


async def test_a_model_reads_the_sentence_for_the_next_who_writes_it(autojump_clock: MockClock) -> None:
    models = SlowModels()
    models.sentence.takes_s = 0.9
    models.sentence.says = {"services": (ServiceGuess("violin", 1.0),)}
    async with a_market(PIANO, models=models) as world:
        first = await search(world, "something with strings")
        await trio.sleep(2)
        second = await search(world, "something with strings")

    assert first.understood.source is ParseSource.RULES
    assert reasons(first)["model_parse"] == "budget"
    assert second.understood.source is ParseSource.MODEL
    assert [guess.category for guess in second.understood.services] == ["violin"]
    assert models.sentence.calls == 1


async def test_a_lesson_that_a_model_takes_for_denied_or_needless_is_shown_all_the_same(
    autojump_clock: MockClock,
) -> None:
    young = a_teacher(4, "Piano for the youngest", lesson={"age_min": 5, "age_max": 5, "is_online": True})
    grown = a_teacher(5, "Piano for grown-ups", lesson={"age_min": 18})
    models = SlowModels()
    models.sentence.takes_s = 0.9
    models.sentence.says = {"age": AgeBounds(5, 5), "online": True}
    text = "piano, not for 5 year olds, doesn't have to be online"
    async with a_market(young, grown, models=models) as world:
        await search(world, text)
        await trio.sleep(2)
        read = await search(world, text)

    assert read.understood.source is ParseSource.MODEL
    assert sorted(titles(read)) == ["Piano for grown-ups", "Piano for the youngest"]
    assert read.understood.notices == (Notice(NoticeKind.NOT_HEEDED, "not for 5 year olds"),)


async def test_a_model_that_is_lately_quick_is_waited_for(autojump_clock: MockClock) -> None:
    models = SlowModels()
    models.sentence.takes_s = 0.05
    async with a_market(PIANO, models=models) as world:
        for number in range(12):
            await search(world, f"piano {'x' * number}y")
            await trio.sleep(0.2)
        answer = await search(world, "a sentence nobody wrote before")

    assert answer.understood.source is ParseSource.MODEL
    assert answer.diagnostics.prompts


async def test_many_who_write_the_same_ask_the_model_once(autojump_clock: MockClock) -> None:
    models = SlowModels()
    async with a_market(PIANO, models=models) as world, trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(search, world, "something with keys")

    assert models.sentence.calls <= 1


async def test_a_search_is_an_actor_and_shows_what_it_is_at(autojump_clock: MockClock) -> None:
    models = SlowModels()
    models.embedder.takes_s = 0.3
    async with a_market(PIANO, models=models) as world, trio.open_nursery() as nursery:
        nursery.start_soon(search, world, "piano")
        await trio.sleep(0.1)

        root = world.core.system.tree()
        (searches,) = [node for node in root.children if node.path == "/greenroom/searches"]
        (running,) = searches.children
        assert running.kind == "search"
        assert running.current is not None
        assert running.current.activity == "embedding"
        view = world.core.system.inspect(running.path).view
        assert view["stages"] == ["embedding"]


async def test_nothing_is_left_behind_by_a_client_that_left(autojump_clock: MockClock) -> None:
    models = SlowModels()
    models.embedder.takes_s = 0.4
    async with a_market(PIANO, models=models) as world:
        with trio.move_on_after(0.1):
            await search(world, "piano")
        await trio.sleep(0.05)

        (searches,) = [node for node in world.core.system.tree().children if node.path == "/greenroom/searches"]
        assert searches.children == ()
        assert models.embedder.in_flight == 0
        assert world.core.search_room.admission.statistics().in_flight == 0


async def test_beyond_the_soft_cap_searches_do_without_models(autojump_clock: MockClock) -> None:
    models = SlowModels()
    models.embedder.takes_s = 0.4
    answers: list[SearchAnswer] = []
    async with (
        a_market(PIANO, models=models, uncached_search_concurrency=2) as world,
        trio.open_nursery() as nursery,
    ):

        async def ask(number: int) -> None:
            answers.append(await search(world, f"piano {'a' * number}"))

        for number in range(4):
            nursery.start_soon(ask, number)

    said = [[skip.reason for skip in answer.budget.skipped if skip.stage == "embedding"] for answer in answers]
    assert sorted(said) == [[], [], ["high_load", "fallback"], ["high_load", "fallback"]]
    assert all(titles(answer) == ["Piano for children"] for answer in answers)


async def test_far_beyond_the_soft_cap_searches_are_refused_at_the_door(autojump_clock: MockClock) -> None:
    models = SlowModels()
    models.embedder.takes_s = 0.4
    refused: list[SearchesBusy] = []
    async with a_market(PIANO, models=models, uncached_search_concurrency=1) as world:
        async with trio.open_nursery() as nursery:

            async def ask(number: int) -> None:
                try:
                    await search(world, f"piano {'a' * number}")
                except SearchesBusy as exc:
                    refused.append(exc)

            for number in range(8):
                nursery.start_soon(ask, number)
        assert titles(await search(world, "piano")) == ["Piano for children"]

    assert refused
    assert all(exc.retry_after_s > 0 for exc in refused)


async def test_under_high_load_the_budget_shrinks(autojump_clock: MockClock) -> None:
    models = SlowModels()
    models.embedder.takes_s = 3600
    async with a_market(PIANO, models=models) as world:
        began = trio.current_time()
        answer = await as_admin(world, "piano", simulate_high_load=True)

        assert trio.current_time() - began <= 0.3 + 0.02
    assert answer.budget.limit_ms == 300
    assert answer.cache is CacheUse.BYPASS


@pytest.mark.parametrize(
    ("override", "stage"),
    [("skip_embedding", "embedding"), ("skip_vector", "vector")],
)
async def test_an_admin_can_leave_a_stage_out(autojump_clock: MockClock, override: str, stage: str) -> None:
    models = SlowModels()
    async with a_market(PIANO, models=models) as world:
        answer = await as_admin(world, "piano", **{override: True})

    assert reasons(answer)[stage] == "override"
    assert models.embedder.calls == 0
    assert titles(answer) == ["Piano for children"]


async def test_overrides_are_for_admins(autojump_clock: MockClock) -> None:
    async with a_market(PIANO) as world:
        with pytest.raises(PermissionDenied):
            await search(world, "piano", overrides=Overrides(skip_vector=True))
        with pytest.raises(PermissionDenied):
            await search(world, "piano", wants_diagnostics=True)


async def test_pages_follow_on_each_other_without_gap_or_repetition(autojump_clock: MockClock) -> None:
    teachers = [a_teacher(number, "Piano") for number in range(1, 8)]
    async with a_market(*teachers) as world:
        seen: list[str] = []
        cursor = None
        while True:
            page = await search(world, "piano", limit=3, after=cursor)
            seen += [hit.ranked.candidate.service_id for hit in page.hits]
            cursor = page.next_cursor
            if cursor is None:
                break
        whole = await search(world, "piano", limit=100)

    assert seen == [hit.ranked.candidate.service_id for hit in whole.hits]
    assert len(set(seen)) == 7


async def test_a_cursor_of_another_search_is_refused(autojump_clock: MockClock) -> None:
    teachers = [a_teacher(number, "Piano") for number in range(1, 4)]
    async with a_market(*teachers) as world:
        page = await search(world, "piano", limit=1)
        for cursor in (page.next_cursor, "s1.nonsense", "x" * 200):
            with pytest.raises(InvalidInput):
                await search(world, "violin", after=cursor)


async def test_an_unknown_city_is_refused_by_its_name(autojump_clock: MockClock) -> None:
    async with a_market(PIANO) as world:
        with pytest.raises(InvalidInput, match="city"):
            await search(world, "piano", city="atlantis")


async def test_without_a_place_lessons_are_of_the_city_where_the_asker_is_and_as_far_off_as_they_are(
    autojump_clock: MockClock,
) -> None:
    london = a_teacher(2, "Piano in London", areas=("london/westminster",), home_city="london")
    async with a_market(PIANO, london) as world:
        near = await search(world, "piano", near=Point(40.671, -73.978))
        named = await search(world, "piano in westminster", near=Point(40.671, -73.978))

    assert titles(near) == ["Piano for children"]
    assert near.hits[0].ranked.candidate.distance_km == pytest.approx(0.0, abs=0.1)
    assert titles(named) == ["Piano in London"]


async def test_a_time_of_today_that_is_over_finds_nothing_rather_than_any_time(
    autojump_clock: MockClock,
) -> None:
    async with a_market(PIANO) as world:
        answer = await search(world, "piano today from 12am to 1am")

    assert answer.hits == ()
    assert answer.understood.notices == (Notice(NoticeKind.PAST, "today from 12am to 1am"),)


@pytest.mark.parametrize("denied", ["not next saturday", "not on saturday next week", "I'm away next weekend"])
async def test_a_denied_day_is_no_time_for_a_lesson_when_found_and_when_kept(
    autojump_clock: MockClock, denied: str
) -> None:
    models = SlowModels()
    models.sentence.takes_s = 0.01
    saturdays = a_teacher(5, "Piano on saturdays", availability=(WeeklySlot(6, 540, 1_080),))
    other = a_teacher(6, "Piano all week")
    async with a_market(saturdays, other, models=models) as world:
        await search(world, f"piano next week, {denied}")
        await trio.sleep(1)
        found = await search(world, f"piano next week, {denied}")
        again = await search(world, f"piano next week, {denied}")
        any_time = await search(world, f"piano {denied}")

    assert (titles(found), titles(again), again.cache) == (["Piano all week"], ["Piano all week"], CacheUse.HIT)
    assert sorted(titles(any_time)) == ["Piano all week", "Piano on saturdays"]
    assert found.understood.notices == ()


async def test_a_denied_date_is_no_day_for_a_lesson(autojump_clock: MockClock) -> None:
    saturdays = a_teacher(5, "Piano on saturdays", availability=(WeeklySlot(6, 540, 1_080),))
    async with a_market(saturdays) as world:
        bounded = await search(world, "piano next week, except on march 7")
        later = await search(world, "piano, not on march 7")

    assert bounded.hits == ()
    assert later.hits[0].ranked.candidate.next_free_at == datetime(2026, 3, 14, 9, tzinfo=UTC)


async def test_what_is_left_of_no_day_finds_nothing_and_is_told(autojump_clock: MockClock) -> None:
    async with a_market(PIANO) as world:
        answer = await search(world, "piano this saturday but not on march 7")

    assert answer.hits == ()
    assert answer.understood.notices == (Notice(NoticeKind.NO_TIME_LEFT, "this saturday but not on march 7"),)


@pytest.mark.parametrize("day", ["on 2001-01-01", "on 3 march 2020", "last monday", "yesterday"])
async def test_a_day_that_is_over_asks_for_no_time_however_it_is_said(autojump_clock: MockClock, day: str) -> None:
    async with a_market(PIANO) as world:
        answer = await search(world, f"piano {day}")

    assert titles(answer) == ["Piano for children"]
    assert answer.understood.notices == (Notice(NoticeKind.PAST, day),)


async def test_where_it_must_not_be_nothing_is_shown_whatever_the_place_is_called(
    autojump_clock: MockClock,
) -> None:
    both = a_teacher(4, "Piano in two places", areas=("nyc/brooklyn/gowanus", "nyc/queens/astoria"))
    online = a_teacher(5, "Piano by video", areas=("nyc/brooklyn/gowanus",), lesson={"is_online": True})
    models = SlowModels()
    models.sentence.takes_s = 0.01
    async with a_market(PIANO, VIOLIN, both, online, models=models) as world:
        denied = [await search(world, f"piano {denial}") for denial in ("not in brooklyn", "not in brokolyn")]
        await trio.sleep(1)
        read = await search(world, "piano not in brooklyn")
        kept = await search(world, "piano not in brooklyn")
        in_person = await search(world, "piano in person, not in brooklyn")
        all_of_it = await search(world, "piano in queens but not queens")

    for answer in (*denied, read, kept):
        assert sorted(titles(answer)) == ["Piano by video", "Piano in two places"]
        assert [region.id for region in answer.place.excluded] == ["nyc/brooklyn"]
    assert kept.cache is CacheUse.HIT
    assert titles(in_person) == ["Piano in two places"]
    assert titles(all_of_it) == []


async def test_a_place_that_is_denied_is_that_of_the_city_that_is_asked_for(autojump_clock: MockClock) -> None:
    soho = a_teacher(4, "Piano in Soho", areas=("london/westminster/soho",))
    async with a_market(PIANO, soho) as world:
        answer = await search(world, "piano in london but not in soho", near=Point(40.671, -73.978))

    assert [region.id for region in answer.place.excluded] == ["london/westminster/soho"]
    assert titles(answer) == []


async def test_a_place_that_is_denied_and_unknown_is_told(autojump_clock: MockClock) -> None:
    async with a_market(PIANO) as world:
        answer = await search(world, "piano not in xyzzyville")

    assert titles(answer) == ["Piano for children"]
    assert answer.understood.notices == (Notice(NoticeKind.UNKNOWN_PLACE, "xyzzyville"),)


async def test_a_denied_place_that_is_only_guessed_is_told_and_leaves_nothing_out(
    autojump_clock: MockClock,
) -> None:
    async with a_market(PIANO) as world:
        answers = [
            await search(world, f"piano {denial}") for denial in ("not near the river", "not in north brooklyn")
        ]

    for answer in answers:
        assert answer.place.excluded == ()
        assert titles(answer) == ["Piano for children"]
        assert [notice.kind for notice in answer.understood.notices] == [NoticeKind.UNKNOWN_PLACE]


async def test_places_that_are_denied_beyond_those_that_are_looked_up_are_told(autojump_clock: MockClock) -> None:
    async with a_market(PIANO) as world:
        answer = await search(
            world, "piano not in queens or manhattan or gowanus or soho or westminster or park slope"
        )

    assert len(answer.place.excluded) >= 5
    assert answer.understood.notices == (Notice(NoticeKind.NOT_HEEDED, "park slope"),)


async def test_a_morning_is_that_of_the_place_or_else_of_each_instructor(autojump_clock: MockClock) -> None:
    mornings = tuple(WeeklySlot(weekday, 540, 600) for weekday in range(1, 8))
    here = a_teacher(1, "Piano here", timezone="America/New_York", availability=mornings)
    far = a_teacher(2, "Piano far off", timezone="Asia/Tokyo", availability=mornings, lesson={"is_online": True})
    async with a_market(here, far) as world:
        anywhere = await search(world, "piano at 9am")
        there = await search(world, "piano in park slope at 9am")
        evenings = await search(world, "piano at 9pm")

    assert sorted(titles(anywhere)) == ["Piano far off", "Piano here"]
    assert titles(there) == ["Piano here"]
    assert evenings.hits == ()


def test_today_is_the_searched_citys() -> None:
    late = datetime(2026, 11, 24, 2, tzinfo=UTC)
    board = SearchBoard(SearchSettings.model_construct().config())
    reader = Reader(lexicon=load_lexicon(), board=board, cache=None, wall=lambda: late)
    understood = understand("piano on nov 23", lexicon=load_lexicon(), today=late.date())

    dated = [reader.dated("piano on nov 23", understood, timezones=[zone]) for zone in ("America/New_York", "UTC")]

    assert [each.when.on for each in dated] == [date(2026, 11, 23), date(2027, 11, 23)]


def test_a_denied_date_is_that_of_the_searched_city_also_where_what_is_asked_for_is_over() -> None:
    late = datetime(2026, 11, 24, 2, tzinfo=UTC)
    reader = Reader(
        lexicon=load_lexicon(),
        board=SearchBoard(SearchSettings.model_construct().config()),
        cache=None,
        wall=lambda: late,
    )
    sentence = "piano not on nov 23"
    understood = understand(sentence, lexicon=load_lexicon(), today=late.date())

    dated = [reader.dated(sentence, understood, timezones=[zone]) for zone in ("America/New_York", "UTC")]

    assert [[each.on for each in one.denied_times] for one in dated] == [
        [date(2026, 11, 23)],
        [date(2027, 11, 23)],
    ]
    assert all(one.when.is_any for one in dated)


async def test_diagnostics_tell_each_stage_once_and_the_funnel(autojump_clock: MockClock) -> None:
    async with a_market(PIANO, VIOLIN) as world:
        answer = await as_admin(world, "piano in park slope")

    names = [stage.name.value for stage in answer.diagnostics.stages]
    assert len(names) == len(set(names))
    assert {"parse", "burst1", "location", "burst2", "ranking", "hydration"} <= set(names)
    assert answer.diagnostics.funnel.final == 1
    assert next(trial.tier for trial in answer.diagnostics.tiers) == 1
    assert answer.budget.used_ms <= answer.budget.limit_ms


@pytest.mark.parametrize(
    "sentence", ["in park slope", "park slope", "lessons in park slope", "hi, any teacher under $80 in park slope"]
)
async def test_a_sentence_that_names_no_lesson_lists_whatever_fits_the_rest(
    autojump_clock: MockClock, sentence: str
) -> None:
    judo = a_teacher(5, "Judo", areas=("nyc/brooklyn/park-slope",))
    async with a_market(PIANO, VIOLIN, judo) as world:
        answer = await search(world, sentence)

    assert sorted(titles(answer)) == ["Judo", "Piano for children"]
    assert answer.total == 2
    assert {stage: reasons(answer)[stage] for stage in ("embedding", "vector")} == {
        "embedding": "not_needed",
        "vector": "not_needed",
    }
