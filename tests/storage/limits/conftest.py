"""The homes: every test of the contract runs against each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing

import pytest

from greenroom.storage.limits import LimitHome, MemoryHome
from greenroom.storage.limits.postgres import PostgresHome
from greenroom.storage.limits.redis import RedisHome
from greenroom.storage.postgres import open_pool
from greenroom.storage.redis import RedisUrl, connection


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A home gives its Redis a quarter of a second, and is away else. That is not what is tried here."""
    for timeout in ("CONNECT_TIMEOUT_S", "ANSWER_TIMEOUT_S"):
        monkeypatch.setattr(connection, timeout, 20.0)


@pytest.fixture(params=["memory", "redis", "postgres"])
def kind(request: pytest.FixtureRequest) -> tuple[str, object]:
    needs = {"memory": None, "redis": "redis", "postgres": "database"}[request.param]
    return request.param, None if needs is None else request.getfixturevalue(needs)


@pytest.fixture
async def home(kind: tuple[str, object]) -> AsyncIterator[LimitHome]:
    name, server = kind
    async with AsyncExitStack() as stack:
        if name == "memory":
            yield MemoryHome()
        elif name == "redis":
            url = RedisUrl.parse(server.url)  # type: ignore[attr-defined]
            yield await stack.enter_async_context(aclosing(RedisHome(url, namespace="test")))
        else:
            yield PostgresHome(await stack.enter_async_context(open_pool(server)))  # type: ignore[arg-type]
