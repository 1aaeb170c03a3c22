"""What an operator changes about searching on one worker holds on the others soon after."""

from __future__ import annotations

from pathlib import Path

import httpx
import trio

from greenroom.actors.search.board import POLL_S
from greenroom.storage.postgres import PostgresOptions
from tests.workers.server import workers_server

KEY = "an operator's key, long enough"
CONFIG = "/api/v1/admin/search-config"
BOARD = "/api/v1/admin/actors/greenroom/search-board"
WAIT_S = 30.0


async def revisions(operator: httpx.AsyncClient) -> list[int]:
    """The configuration each worker goes by."""
    return [
        (await operator.get(BOARD, params={"worker": worker})).json()["view"]["revision"] for worker in ("1", "2")
    ]


async def test_a_change_of_the_configuration_reaches_all_workers_as_soon_as_they_look_again(
    database: PostgresOptions, tmp_path: Path
) -> None:
    with (
        trio.fail_after(2 * WAIT_S),
        workers_server(database.conninfo, tmp_path, settings={"GREENROOM_ADMIN_API_KEY": KEY}) as server,
    ):
        async with httpx.AsyncClient(base_url=server.url, headers={"X-API-Key": KEY}, timeout=WAIT_S) as operator:
            before = await revisions(operator)
            changed = await operator.put(CONFIG, json={"budget_ms": 777})
            while await revisions(operator) != [1, 1]:  # noqa: ASYNC110 - workers say it to nobody
                await trio.sleep(0.02)

    assert before == [0, 0]
    assert changed.json()["budget_ms"] == 777
    assert 2 * POLL_S <= 1.0  # soon is within a second
