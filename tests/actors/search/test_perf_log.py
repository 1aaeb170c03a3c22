"""NL_SEARCH_PERF_LOG and NL_SEARCH_PERF_LOG_SLOW_MS: what is logged of which searches."""

from __future__ import annotations

import pytest
from structlog.testing import CapturingLogger
from trio.testing import MockClock

from greenroom.actors.search import perf_log
from tests.actors.search.world import SlowModels, a_market, search
from tests.storage.market_builders import a_teacher

PIANO = a_teacher(1, "Piano for children")


@pytest.fixture
def logger(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    """Whatever level others have configured, which holds for the whole run."""
    logger = CapturingLogger()
    monkeypatch.setattr(perf_log, "_log", logger)
    return logger


async def search_slowly(takes_s: float, **settings: object) -> None:
    """Search once, with an embedding that takes so long."""
    models = SlowModels()
    models.embedder.takes_s = takes_s
    async with a_market(PIANO, models=models, **settings) as world:
        await search(world, "zither lessons in park slope")


async def test_the_time_of_each_stage_is_logged_and_never_the_sentence(
    logger: CapturingLogger, autojump_clock: MockClock
) -> None:
    await search_slowly(0.1, nl_search_perf_log=True)

    [line] = logger.calls
    stages = line.kwargs["stages"]
    assert line.args == ("search_timed",)
    assert {"parse", "burst1", "burst2", "hydration"} <= set(stages)
    assert stages["embedding"] == pytest.approx(100, abs=1)
    assert "zither" not in str(line)
    assert "slope" not in str(line)


async def test_only_slow_searches_are_logged_where_a_bound_is_set(
    logger: CapturingLogger, autojump_clock: MockClock
) -> None:
    await search_slowly(0.1, nl_search_perf_log=True, nl_search_perf_log_slow_ms=150)
    assert not logger.calls

    await search_slowly(0.2, nl_search_perf_log=True, nl_search_perf_log_slow_ms=150)
    assert len(logger.calls) == 1


async def test_nothing_is_logged_unless_that_is_asked_for(
    logger: CapturingLogger, autojump_clock: MockClock
) -> None:
    await search_slowly(0.2, nl_search_perf_log_slow_ms=1)

    assert not logger.calls
