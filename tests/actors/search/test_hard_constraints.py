"""However little time there was and whatever failed: nothing that was asked for firmly is ever broken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from greenroom.actors.search.answer import SearchAnswer
from greenroom.actors.search.request import Overrides, SearchRequest
from greenroom.models.ports import ModelAnswerInvalid, ModelBusy, ModelRefused, ModelTimeout, ModelUnavailable
from greenroom.schema.catalogue import WeeklySlot
from greenroom.schema.errors import PoolExhausted, Unavailable
from greenroom.schema.records import Role, Service
from greenroom.schema.search.understood import Level
from greenroom.storage.memory import FaultPoint, MemoryDatabase, Phase, memory_storage, no_faults
from tests.actors.search.world import SlowModels, a_market, reasons
from tests.storage.builders import NOW
from tests.storage.market_builders import Teacher, a_teacher, an_offer_of

SATURDAY = 6
AREAS = (
    "nyc",
    "nyc/brooklyn",
    "nyc/brooklyn/park-slope",
    "nyc/brooklyn/gowanus",
    "nyc/queens",
    "london/westminster",
)

lessons = st.fixed_dictionaries(
    {
        "price_cents": st.sampled_from([3_000, 6_000, 6_001, 12_000]),
        "ages": st.sampled_from(
            [(None, None), (5, None), (18, None), (None, 12), (None, 40), (5, 12), (9, 12), (9, 40), (18, 40)]
        ),
        "levels": st.sampled_from([(), (Level.BEGINNER,), (Level.ADVANCED,)]),
        "where": st.sampled_from([(True, False), (False, True), (True, True)]),
    }
)
markets = st.lists(
    st.tuples(st.sampled_from(AREAS), st.sampled_from([(1, 2), (SATURDAY,), tuple(range(1, 8))]), lessons),
    min_size=1,
    max_size=6,
)
asked = st.fixed_dictionaries(
    {
        "price": st.sampled_from(["", " under $60"]),
        "place": st.sampled_from(["", " in park slope", " in brooklyn"]),
        "denied": st.sampled_from(["", "", ", not in park slope", ", not in queens"]),
        "age": st.sampled_from(["", " for my 8 year old", " not for kids", " adults only", " children only"]),
        "level": st.sampled_from(["", " for beginners"]),
        "day": st.sampled_from(["", " on saturday", " next week but not on march 7"]),
        "online": st.sampled_from(["", "online "]),
    }
)
troubles = st.fixed_dictionaries(
    {
        "takes_s": st.sampled_from([0.0, 0.2, 10.0]),
        "fails": st.sampled_from(
            [
                None,
                ModelTimeout("late"),
                ModelBusy("429"),
                ModelRefused("no"),
                ModelUnavailable("gone"),
                ModelAnswerInvalid("cut"),
            ]
        ),
        "budget_ms": st.sampled_from([50, 100, 500, 3_000]),
        "places_take_s": st.sampled_from([0.0, 0.0, 0.2, 10.0, None]),
        "retrieval_takes_s": st.sampled_from([0.0, 0.0, 0.2, 10.0, None]),
        "high_load_threshold": st.sampled_from([2, 10]),
        "overrides": st.builds(
            Overrides, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans()
        ),
    }
)


def a_market_of(drawn: list[tuple[str, tuple[int, ...], dict[str, object]]]) -> list[Teacher]:
    return [
        a_teacher(
            number,
            "Piano lessons",
            areas=(area,),
            home_city=area.split("/")[0],
            availability=tuple(WeeklySlot(day, 540, 1_080) for day in days),
            lesson={
                **{name: value for name, value in lesson.items() if name not in ("where", "ages")},
                "age_min": lesson["ages"][0],  # type: ignore[index]
                "age_max": lesson["ages"][1],  # type: ignore[index]
                "is_online": lesson["where"][0],  # type: ignore[index]
                "is_in_person": lesson["where"][1],  # type: ignore[index]
            },
        )
        for number, (area, days, lesson) in enumerate(drawn, start=1)
    ]


def fits(teacher: Teacher, service: Service, told: dict[str, str]) -> bool:
    """Whether a lesson is what was asked for: written anew here, from what was typed."""
    if told["price"] and service.price_cents > 6_000:
        return False
    if "8" in told["age"] and not (service.age_min or 0) <= 8 <= (service.age_max or 200):
        return False
    if "kids" in told["age"] and (service.age_max or 200) < 18:
        return False
    if "adults" in told["age"] and (service.age_min or 0) < 18:
        return False
    if "children" in told["age"] and not ((service.age_min or 0) <= 12 and (service.age_max or 200) < 18):
        return False
    if told["level"] and service.levels and Level.BEGINNER not in service.levels:
        return False
    if "on saturday" in told["day"] and all(slot.weekday != SATURDAY for slot in teacher.availability):
        return False
    if "not on" in told["day"] and all(slot.weekday == SATURDAY for slot in teacher.availability):
        # The one saturday of next week, as it is sunday.
        return False
    if told["online"]:
        return service.is_online
    barred = {"": "-", "p": "nyc/brooklyn/park-slope", "q": "nyc/queens"}[
        told["denied"].removeprefix(", not in ")[:1]
    ]
    left = [area for area in teacher.areas if not f"{area}/".startswith(f"{barred}/")]
    if told["place"]:
        place = "nyc/brooklyn/park-slope" if "slope" in told["place"] else "nyc/brooklyn"
        near = any(f"{a}/".startswith(f"{place}/") or f"{place}/".startswith(f"{a}/") for a in left)
        return near and service.is_in_person and not f"{place}/".startswith(f"{barred}/")
    return service.is_online or bool(left)


def struck(trouble: dict[str, object]) -> Callable[[FaultPoint], Awaitable[None]]:
    """Reads of places and of lessons take as long as drawn; None: there is no connection for them."""

    async def strike(point: FaultPoint) -> None:
        room = point.operation.partition(".")[0]
        takes_s = trouble.get({"places": "places_take_s", "retrieval": "retrieval_takes_s"}.get(room, ""), 0.0)
        if point.phase is Phase.BEFORE:
            if takes_s is None:
                raise PoolExhausted("none came free", retry_after_s=0.5)
            await trio.sleep(takes_s)  # type: ignore[arg-type]

    return strike


async def offered(database: MemoryDatabase, market: list[Teacher], later: list[Teacher]) -> None:
    """What is offered becomes what these teachers offer; the others offer nothing more."""
    changed = {teacher.number: an_offer_of(teacher) for teacher in later}
    for teacher in market:
        offer = changed.get(teacher.number, replace(an_offer_of(teacher), services=()))
        await memory_storage(database).catalogue.replace(teacher.user_id, offer, now=NOW)


async def searched(
    market: list[Teacher], later: list[Teacher], told: dict[str, str], trouble: dict[str, object]
) -> tuple[list[SearchAnswer], list[SearchAnswer]]:
    """The answers to one search: as an admin, of three at once, of which two do without models, and of another after them, by which
    the models have learned what they learn; then without overrides or troubles; then after the market changed, without troubles and with
    them.

    Returns:
        those of the market as it was, and as it is later.
    """
    models, database = SlowModels(), MemoryDatabase()
    models.embedder.takes_s = models.sentence.takes_s = models.place.takes_s = trouble["takes_s"]  # type: ignore[assignment]
    models.embedder.fails = trouble["fails"]  # type: ignore[assignment]
    sentence = f"{told['online']}piano lessons{told['age']}{told['level']}{told['place']}{told['price']}{told['day']}{told['denied']}"
    answers: list[SearchAnswer] = []
    later_answers: list[SearchAnswer] = []
    async with a_market(
        *market,
        models=models,
        database=database,
        search_budget_ms=trouble["budget_ms"],
        search_high_load_threshold=trouble["high_load_threshold"],
        uncached_search_concurrency=1,
    ) as world:
        admin = replace(world.maya, user=replace(world.maya.user, role=Role.ADMIN))
        request = SearchRequest(admin.user.id, sentence, overrides=trouble["overrides"])  # type: ignore[arg-type]
        database.faults = struck(trouble)

        async def search(request: SearchRequest, into: list[SearchAnswer]) -> None:
            with suppress(Unavailable):
                into.append(await world.core.search.search(admin, request))

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(search, request, answers)
        await search(request, answers)
        plain = replace(request, overrides=Overrides())
        database.faults, models.embedder.fails = no_faults, None
        models.embedder.takes_s = models.sentence.takes_s = models.place.takes_s = 0.01
        for _ in range(2):
            await search(plain, answers)
            await trio.sleep(1)
        await offered(database, market, later)
        await search(plain, later_answers)
        database.faults = struck(trouble)
        await search(plain, later_answers)
    return answers, later_answers


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=markets, drawn_later=markets, told=asked, trouble=troubles)
def test_what_was_asked_for_holds_whatever_was_left_out_and_whatever_changed(
    drawn: list[tuple[str, tuple[int, ...], dict[str, object]]],
    drawn_later: list[tuple[str, tuple[int, ...], dict[str, object]]],
    told: dict[str, str],
    trouble: dict[str, object],
) -> None:
    market, later = a_market_of(drawn), a_market_of(drawn_later)[: len(drawn)]

    before, after = trio.run(searched, market, later, told, trouble, clock=MockClock(autojump_threshold=0))

    for answers, offering in ((before, market), (after, later)):
        lessons_by_id = {service.id: (teacher, service) for teacher in offering for service in teacher.services}
        for answer in answers:
            for hit in answer.hits:
                teacher, service = lessons_by_id[hit.ranked.candidate.service_id]
                assert fits(teacher, service, told), (answer.understood, teacher, service)
                assert hit.card is None or hit.card.price_cents == service.price_cents
                assert hit.card is not None or "hydration" in reasons(answer)
