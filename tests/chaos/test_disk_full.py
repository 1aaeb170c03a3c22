"""Filling a disk: the small one that was made for it, never the machine's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from chaos.broken import PromiseBroken
from chaos.launch import Launch
from chaos.scenarios.disk_full import expect_small
from chaos.server import a_server


def test_a_disk_that_is_not_small_is_not_filled(tmp_path: Path) -> None:
    with pytest.raises(PromiseBroken, match="no small disk"):
        expect_small(tmp_path)


async def test_what_a_server_runs_on_is_there_until_it_has_ended() -> None:
    was_running_at_the_end: list[bool] = []

    @asynccontextmanager
    async def prepare(folder: Path) -> AsyncIterator[Launch]:
        yield Launch(data=folder / "disk" / "data")
        was_running_at_the_end.append(server.is_running)

    with trio.fail_after(120):
        async with a_server(prepare) as server:
            assert was_running_at_the_end == []

    assert was_running_at_the_end == [False]
