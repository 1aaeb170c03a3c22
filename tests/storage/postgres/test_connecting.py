"""Connecting: bounded from the look-up of the name on, and every bound of a session is set in the server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import psycopg
import pytest
import trio
from psycopg.conninfo import make_conninfo

from greenroom.schema.errors import StorageUnavailable
from greenroom.storage.postgres import PostgresOptions, open_pool, trio_connection
from greenroom.storage.postgres.trio_connection import LOOK_UPS_MAX, TrioConnection

WAIT_S = 10
TIMEOUT_S = 0.05
BY_NAME = "host=database.example.org dbname=x"


@dataclass
class HangingResolver:
    """Answers nobody before it is let go."""

    let_go: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def look_up(self, params: object) -> list[dict[str, object]]:
        self.asked += 1
        assert self.let_go.wait(WAIT_S)
        return []


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingResolver]:
    resolver = HangingResolver()
    monkeypatch.setattr(trio_connection, "conninfo_attempts", resolver.look_up)
    yield resolver
    resolver.let_go.set()


async def test_a_name_that_is_not_looked_up_in_time_is_given_up(resolver: HangingResolver) -> None:
    before = trio.current_time()
    with trio.fail_after(WAIT_S), pytest.raises(psycopg.errors.ConnectionTimeout):
        await TrioConnection.open(BY_NAME, timeout_s=TIMEOUT_S, prepare=True)
    waited_s = trio.current_time() - before

    assert waited_s < WAIT_S / 2
    resolver.let_go.set()


async def test_a_resolver_that_hangs_takes_a_bounded_number_of_threads(resolver: HangingResolver) -> None:
    with trio.fail_after(WAIT_S):
        for _ in range(LOOK_UPS_MAX + 3):
            with pytest.raises(psycopg.errors.ConnectionTimeout):
                await TrioConnection.open(BY_NAME, timeout_s=TIMEOUT_S, prepare=True)

    assert resolver.asked == LOOK_UPS_MAX
    resolver.let_go.set()


async def test_a_borrower_is_told_that_the_database_is_away_while_its_name_is_looked_up_in_vain(
    resolver: HangingResolver,
) -> None:
    options = PostgresOptions(BY_NAME, pool_timeout_s=0.2, connect_timeout_s=TIMEOUT_S)
    async with open_pool(options) as pool:
        with trio.fail_after(WAIT_S), pytest.raises(StorageUnavailable):
            await pool.fetch("SELECT 1", None, int)
    resolver.let_go.set()


async def test_every_wait_of_a_session_is_bounded_in_the_server(database: PostgresOptions) -> None:
    async def shown(setting: str) -> str:
        (value,) = await pool.fetch("SELECT current_setting(%(name)s)", {"name": setting}, str)
        return value

    async with open_pool(database) as pool:
        assert await shown("statement_timeout") == "2s"
        assert await shown("lock_timeout") == "500ms"
        assert await shown("idle_in_transaction_session_timeout") == "5s"
        assert await shown("client_connection_check_interval") == "1s"


def test_a_peer_that_vanished_is_noticed_within_ten_seconds() -> None:
    given = psycopg.conninfo.conninfo_to_dict(PostgresOptions(BY_NAME).session_conninfo())

    assert given["tcp_user_timeout"] == "10000"
    # An idle connection sends nothing that could time out; the first probe and those after it may go unanswered.
    idle_s, interval_s, count = (int(str(given[f"keepalives_{name}"])) for name in ("idle", "interval", "count"))
    assert idle_s + interval_s * count <= 10


def test_what_the_url_says_of_a_bound_goes_before_our_default() -> None:
    url = make_conninfo(BY_NAME, tcp_user_timeout=3_000, options="-c lock_timeout=1s")

    given = psycopg.conninfo.conninfo_to_dict(replace(PostgresOptions(""), conninfo=url).session_conninfo())

    assert given["tcp_user_timeout"] == "3000"
    assert str(given["options"]).endswith("-c lock_timeout=1s")
