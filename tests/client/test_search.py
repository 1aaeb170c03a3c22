"""Looking for lessons with the client library, and from a terminal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from io import StringIO
from random import Random
from typing import Any

import pytest
import trio
from rich.console import Console

from greenroom.client import Greenroom, Refused, connect
from greenroom.schema.search.diagnostics import BudgetUse, Skip, SkipReason, StageName, StageStatus
from greenroom.schema.search.diagnostics_wire import (
    BudgetOut,
    DiagnosticsOut,
    FunnelOut,
    PromptOut,
    SkipOut,
    StageOut,
    TierOut,
)
from greenroom.schema.search.places import PlaceOutcome
from greenroom.schema.search.requests import SkippedStage
from greenroom.schema.search.understood import NoticeKind
from greenroom.schema.search.wire import NoticeOut, PlaceCandidateOut, RegionOut, SearchOut
from greenroom.search_terminal import Look, search, show
from tests.http.world import PASSWORD, WAIT_S, World, a_world
from tests.storage.places_builders import a_region

SENTENCE = "piano under $80 online"


def lesson(title: str) -> dict[str, Any]:
    return {
        "title": title,
        "description": "First pieces.",
        "price_cents": 7_000,
        "currency": "USD",
        "duration_minutes": 45,
        "category": "piano",
        "online": True,
    }


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Tomas gives three kinds of piano lessons online."""
    async with a_world() as running:
        await running.storage.gazetteer.upsert_regions([a_region("nyc", "New York")])
        services = [lesson(f"Piano {level}") for level in ("one", "two", "three")]
        offer = {"services": services, "areas": [], "availability": []}
        (await running.tomas.api.put("/api/v1/instructors/me", json=offer)).raise_for_status()
        yield running


@pytest.fixture
async def maya(world: World) -> AsyncIterator[Greenroom]:
    async with connect(world.url, token=world.maya.token, random=Random(1)) as client:
        yield client


async def test_lessons_are_found_in_ones_own_words(maya: Greenroom) -> None:
    found = await maya.search(SENTENCE, near=(40.668, -0.00001))

    assert {result.title for result in found.results} == {"Piano one", "Piano two", "Piano three"}
    assert found.meta.parsed.price is not None
    assert found.meta.parsed.price.max_cents == 8_000
    assert found.meta.parsed.online is True


async def test_pages_follow_one_another_to_the_end_without_a_lesson_twice(maya: Greenroom) -> None:
    pages = [page async for page in maya.search_pages(SENTENCE, limit=2)]

    assert [len(page.results) for page in pages] == [2, 1]
    assert len({result.service_id for page in pages for result in page.results}) == 3


async def test_a_result_that_is_opened_is_counted(world: World, maya: Greenroom) -> None:
    found = await maya.search(SENTENCE)
    await maya.click_result(found.query_id, found.results[1].service_id, position=1)

    with trio.fail_after(WAIT_S):
        while not (clicks := await clicks_on(world, found.query_id)):  # noqa: ASYNC110 - it is noted, and nobody told
            await trio.sleep(0.01)
    assert [(click["service_id"], click["position"]) for click in clicks] == [(found.results[1].service_id, 1)]


async def clicks_on(world: World, query_id: str) -> list[dict[str, Any]]:
    answer = await world.operator.get(f"/api/v1/admin/search/queries/{query_id}")
    clicks: list[dict[str, Any]] = answer.json()["clicks"]
    return clicks


async def test_the_cities_are_what_a_search_may_be_bound_to(maya: Greenroom) -> None:
    [city] = (await maya.cities()).items
    assert (await maya.search(SENTENCE, city=city.id)).meta.total_candidates >= 0

    with pytest.raises(Refused) as refused:
        await maya.search(SENTENCE, city="atlantis")
    assert refused.value.status == 422


async def test_leaving_something_out_is_for_admins(maya: Greenroom) -> None:
    with pytest.raises(Refused) as refused:
        await maya.search(SENTENCE, skip={SkippedStage.VECTOR, SkippedStage.TIER5}, simulate_high_load=True)
    assert refused.value.status == 403


# In a terminal.


def a_console() -> Console:
    return Console(file=StringIO(), width=120, color_system=None)


def seen(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


async def test_the_terminal_shows_what_was_understood_and_found(world: World) -> None:
    console = a_console()
    await search(world.url, world.maya.email, PASSWORD, Look(SENTENCE, limit=2), console=console, as_json=False)

    assert "service piano · price under $80 · online online" in seen(console)
    assert "3 lessons found" in seen(console)
    assert "the first 2 here" in seen(console)
    assert "70.00 USD / 45 min" in seen(console)


async def test_the_terminal_shows_the_day_that_is_denied_and_programs_get_it(
    world: World, maya: Greenroom
) -> None:
    console = a_console()
    found = await maya.search("piano not tomorrow after 5")

    show(found, console)

    assert "service piano · when not tomorrow after 5" in seen(console)
    [denied] = found.meta.parsed.denied_times
    assert (denied.relative, denied.from_minute, denied.to_minute) == ("tomorrow", 1_020, None)
    assert found.meta.parsed.times == []


async def test_the_terminal_tells_what_was_corrected_and_how_to_search_for_what_was_written(
    maya: Greenroom,
) -> None:
    found = await maya.search(SENTENCE)
    parsed = found.meta.parsed.model_copy(
        update={"notices": [NoticeOut(kind=NoticeKind.CORRECTED, text="voilin", taken="violin")]}
    )
    console = a_console()

    show(found.model_copy(update={"meta": found.meta.model_copy(update={"parsed": parsed})}), console)

    assert "Searched for 'violin': no lesson has 'voilin'." in seen(console)
    assert "'\"voilin\"'" in seen(console)


async def test_programs_get_the_answer_as_it_is(world: World) -> None:
    console = a_console()
    await search(world.url, world.maya.email, PASSWORD, Look(SENTENCE), console=console, as_json=True)

    assert len(json.loads(seen(console))["results"]) == 3


async def test_diagnostics_are_refused_to_who_is_no_admin(world: World) -> None:
    look = Look(SENTENCE, wants_diagnostics=True)
    with pytest.raises(Refused) as refused:
        await search(world.url, world.maya.email, PASSWORD, look, console=a_console(), as_json=False)
    assert refused.value.status == 403


async def test_a_degraded_answer_says_so_and_a_place_that_may_be_several_names_them(maya: Greenroom) -> None:
    skip = SkipOut(stage=StageName.VECTOR, reason=SkipReason.HIGH_LOAD, detail="")
    harmless = SkipOut(stage=StageName.TIER5, reason=SkipReason.NOT_NEEDED, detail="")
    budget = BudgetOut(limit_ms=300, used_ms=299, degraded=True, skipped=[skip, harmless])
    regions = [RegionOut.of(a_region(f"nyc/{name}/chinatown", "Chinatown").region) for name in ("a", "b")]
    candidates = [
        PlaceCandidateOut(region=each, tier=1, confidence=1, matched_name="Chinatown") for each in regions
    ]
    found = await maya.search(SENTENCE)
    location = found.meta.location.model_copy(
        update={"text": "chinatown", "outcome": PlaceOutcome.AMBIGUOUS, "candidates": candidates}
    )
    found = with_meta(found, budget=budget, location=location)
    console = a_console()

    show(found, console)

    assert "Degraded: lessons were found by words, not by meaning (high load)." in seen(console)
    assert "not_needed" not in seen(console)
    assert "'chinatown' may be Chinatown (nyc, a) or Chinatown (nyc, b)" in seen(console)


async def test_the_terminal_tells_a_place_without_time_to_look_it_up_from_one_that_is_unknown(
    maya: Greenroom,
) -> None:
    skip = SkipOut(stage=StageName.BURST1, reason=SkipReason.TIMEOUT, detail="")
    budget = BudgetOut(limit_ms=50, used_ms=50, degraded=True, skipped=[skip])
    found = await maya.search(SENTENCE)
    place = {"text": "harlem", "outcome": PlaceOutcome.NOT_LOOKED_UP, "regions": [], "region": None}
    found = with_meta(found, budget=budget, location=found.meta.location.model_copy(update=place))
    console = a_console()

    show(found, console)

    assert "There was no time to look up where 'harlem' is" in seen(console)
    assert "Degraded: not all of the sentence was looked up (timeout)." in seen(console)
    assert "is known" not in seen(console)


async def test_the_terminal_says_that_it_does_not_know_what_is_near(maya: Greenroom) -> None:
    console = a_console()

    show(await maya.search("piano near me"), console)

    assert 'Where you are is not known here, so "near me" was left out' in seen(console)


def test_who_searches_is_told_why_a_part_is_missing_in_fixed_phrases_only() -> None:
    inside = "ModelUnavailable: can't be reached: all attempts to connect to 127.0.0.1:9 failed"
    use = BudgetUse(
        limit_ms=500, used_ms=20, skipped=tuple(Skip(StageName.VECTOR, why, inside) for why in SkipReason)
    )

    told = BudgetOut.of(use, with_details=False)

    assert all(skip.detail and inside not in skip.detail for skip in told.skipped)
    assert {skip.detail for skip in BudgetOut.of(use).skipped} == {inside}


async def test_what_others_write_cannot_command_the_terminal(maya: Greenroom) -> None:
    found = await maya.search(SENTENCE)
    hostile = found.results[0].model_copy(update={"title": "\x1b[2J[bold]Piano[/bold]"})
    found = found.model_copy(update={"results": [hostile]})
    console = a_console()

    show(found, console)

    assert "\N{REPLACEMENT CHARACTER}[2J[bold]Piano[/bold]" in seen(console)


async def test_diagnostics_are_shown_on_the_budgets_axis(maya: Greenroom) -> None:
    diagnostics = DiagnosticsOut(
        stages=[
            StageOut(name=StageName.PARSE, start_ms=0, duration_ms=250, status=StageStatus.OK),
            StageOut(name=StageName.BURST2, start_ms=250, duration_ms=250, status=StageStatus.TIMEOUT),
        ],
        tiers=[TierOut(tier=3, tried=True, confidence=0.79, duration_ms=1.5, result="resolved")],
        funnel=FunnelOut(text=120, vector=80, fused=150, filtered=90, final=50),
        prompts=[PromptOut(purpose="parse", model="gpt", request="Read this", response=None, error="timeout")],
    )
    found = await maya.search(SENTENCE)
    budget = BudgetOut(limit_ms=500, used_ms=500, degraded=True, skipped=[])
    meta = found.meta.model_copy(update={"budget": budget})
    found = found.model_copy(update={"meta": meta, "diagnostics": diagnostics})
    console = a_console()

    show(found, console)

    lines = seen(console).splitlines()
    [parse] = [line for line in lines if line.startswith("parse ")]
    [burst] = [line for line in lines if line.startswith("burst2 ")]
    assert parse.count("━") == burst.count("━") == 20
    assert burst.index("━") - parse.index("━") == 20
    assert "words 120 + meaning 80 > together 150 > within bounds 90 > ranked 50" in seen(console)
    assert "parse, gpt" in seen(console)


def narrow(columns: int) -> Console:
    """A terminal of so many columns, without colours."""
    return Console(file=StringIO(), width=columns, color_system=None, force_terminal=True)


async def test_in_a_narrow_terminal_no_word_is_broken(maya: Greenroom) -> None:
    console = narrow(60)

    show(await maya.search(SENTENCE), console)

    for words in ("Piano one", "Piano three", "70.00 USD / 45 min", "Tomas", "online"):
        assert words in seen(console)
    [facts] = [line for line in seen(console).splitlines() if line.strip().startswith("Tomas")][:1]
    assert len(facts) <= 60


async def test_in_a_narrow_terminal_the_last_stage_is_seen_on_the_axis(maya: Greenroom) -> None:
    stage = StageOut(name=StageName.HYDRATION, start_ms=480, duration_ms=20, status=StageStatus.OK)
    funnel = FunnelOut(text=1, vector=0, fused=1, filtered=1, final=1)
    diagnostics = DiagnosticsOut(stages=[stage], tiers=[], funnel=funnel, prompts=[])
    console = narrow(60)

    show((await maya.search(SENTENCE)).model_copy(update={"diagnostics": diagnostics}), console)

    [line] = [line for line in seen(console).splitlines() if line.startswith("hydration ")]
    assert "━" in line


async def test_where_nothing_fits_it_is_said_what_could_be_left_out(maya: Greenroom) -> None:
    found = await maya.search("piano under $1 online")
    console = a_console()

    show(found, console)

    assert "no lessons found" in seen(console)
    assert "Try it without one of these: under $1 · online" in seen(console)


async def test_where_there_was_no_time_to_look_nobody_is_told_to_ask_for_less(maya: Greenroom) -> None:
    skip = SkipOut(stage=StageName.BURST2, reason=SkipReason.BUDGET, detail="")
    budget = BudgetOut(limit_ms=50, used_ms=50, degraded=True, skipped=[skip])
    console = a_console()

    show(with_meta(await maya.search("piano under $1 online"), budget=budget), console)

    assert "search again" in seen(console)
    assert "Try it without" not in seen(console)


async def test_the_terminal_names_the_places_that_are_left_out(maya: Greenroom) -> None:
    found = await maya.search(SENTENCE)
    excluded = [RegionOut.of(a_region(f"nyc/{name.lower()}", name).region) for name in ("Brooklyn", "Queens")]
    console = a_console()

    show(with_meta(found, location=found.meta.location.model_copy(update={"excluded": excluded})), console)

    assert "Left out is what can only be had in Brooklyn or Queens." in seen(console)


def with_meta(found: SearchOut, **changes: Any) -> SearchOut:
    return found.model_copy(update={"meta": found.meta.model_copy(update=changes)})
