"""Each variable about the search itself does what it says."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.search.answer import SearchAnswer
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome, Tier
from tests.actors.search.world import SlowModels, a_market, reasons, search
from tests.storage.market_builders import a_teacher

PLACES_ARE_EMBEDDED_S = 1.0
"""After the start, on the virtual clock."""

PIANO = a_teacher(1, "Piano for children")


async def answered(**settings: object) -> tuple[SearchAnswer, float]:
    """An answer whose embedding never comes, and how long it took."""
    models = SlowModels()
    models.embedder.takes_s = models.sentence.takes_s = 3_600
    async with a_market(PIANO, models=models, **settings) as world:
        began = trio.current_time()
        answer = await search(world, "piano")
        return answer, trio.current_time() - began


@pytest.mark.parametrize("budget_ms", [100, 500, 1_500])
async def test_a_search_takes_no_longer_than_its_budget(autojump_clock: MockClock, budget_ms: int) -> None:
    answer, took_s = await answered(search_budget_ms=budget_ms)

    assert answer.budget.limit_ms == budget_ms
    assert took_s <= budget_ms / 1000


async def test_from_the_threshold_on_the_budget_is_that_of_high_load(autojump_clock: MockClock) -> None:
    below, _ = await answered(search_high_load_threshold=2, search_high_load_budget_ms=200)
    at, took_s = await answered(search_high_load_threshold=1, search_high_load_budget_ms=200)

    assert below.budget.limit_ms == 500
    assert at.budget.limit_ms == 200
    assert took_s <= 0.2


@pytest.mark.parametrize(("score", "hits", "is_skipped"), [(0.1, 1, True), (0.1, 2, False), (1.0, 1, False)])
async def test_meaning_is_left_out_where_words_find_enough_that_fits_well_enough(
    autojump_clock: MockClock, score: float, hits: int, is_skipped: bool
) -> None:
    answer, _ = await answered(
        nl_search_text_skip_vector_score_threshold=score, nl_search_text_skip_vector_min_results=hits
    )

    assert (reasons(answer).get("vector") == "text_strong") is is_skipped


async def place_of(sentence: str, **settings: object) -> tuple[PlaceAnswer, list[int]]:
    """Which place a sentence is taken to mean, and among how many the model was asked to choose."""
    models = SlowModels()
    async with a_market(PIANO, models=models, **settings) as world:
        await trio.sleep(PLACES_ARE_EMBEDDED_S)
        answer = await search(world, sentence)
        return answer.place, models.place.offered


@pytest.mark.parametrize(("confidence", "tier"), [(0.74, Tier.EMBEDDING), (0.76, Tier.MODEL)])
async def test_a_name_that_is_near_enough_in_meaning_ends_the_search_for_a_place(
    autojump_clock: MockClock, confidence: float, tier: Tier
) -> None:
    # To the mock it is 0.75 like Park Slope.
    place, _ = await place_of("piano near slope of the park", location_tier4_high_confidence=confidence)

    assert place.tier is tier


@pytest.mark.parametrize(("threshold", "is_asked"), [(0.11, 1), (0.12, 0)])
async def test_a_model_chooses_only_among_names_that_are_near_enough_in_meaning(
    autojump_clock: MockClock, threshold: float, is_asked: int
) -> None:
    # To the mock it is 0.118 like the nearest, and no name is like it.
    place, offered = await place_of("piano in astor qqq", location_llm_embedding_threshold=threshold)

    assert len(offered) == is_asked
    assert (place.outcome is PlaceOutcome.RESOLVED) is bool(is_asked)


@pytest.mark.parametrize("top", [1, 3])
async def test_a_model_chooses_among_no_more_places_than_are_set(autojump_clock: MockClock, top: int) -> None:
    _, offered = await place_of("piano in astor qqq", location_llm_embedding_threshold=0.0, location_llm_top_k=top)

    assert offered == [top]
