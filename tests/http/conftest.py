from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import structlog

from greenroom.logs import configure_logging
from tests.http.world import World, a_world, some_settings


@pytest.fixture(autouse=True)
def quiet_logs(_logging_as_it_was: None) -> None:
    configure_logging(some_settings(log_level="error", log_format="json"))


@pytest.fixture(autouse=True)
def _clean_context() -> None:
    structlog.contextvars.clear_contextvars()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as running:
        yield running
