"""Each variable about the search itself does what it says."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.search.answer import SearchAnswer
from tests.actors.search.world import SlowModels, a_market, reasons, search
from tests.storage.market_builders import a_teacher

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
