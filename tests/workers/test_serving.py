"""Several real workers: killed, rolled over and stopped while people talk."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic

import httpx
import psutil
import pytest
import trio

from greenroom.storage.postgres import PostgresOptions
from tests.workers.people import a_pair, listening
from tests.workers.server import WorkersServer, workers_server

WAIT_S = 30.0


@contextmanager
def serving(database: PostgresOptions, tmp_path: Path, **settings: str) -> Iterator[WorkersServer]:
    with workers_server(database.conninfo, tmp_path, settings=settings) as server:
        yield server


async def until_longer(said: list[str], *, by: int) -> None:
    wanted = len(said) + by
    with trio.fail_after(2 * WAIT_S):
        while len(said) < wanted:  # noqa: ASYNC110 - who talks sets no event
            await trio.sleep(0.02)


async def until_gone(pids: list[int], *, within_s: float) -> None:
    with trio.fail_after(within_s):
        while any(psutil.pid_exists(pid) for pid in pids):  # noqa: ASYNC110
            await trio.sleep(0.02)


class Caller:
    """Asks for something again and again, each time over a connection of its own, and never twice."""

    def __init__(self, url: str) -> None:
        self.answers = 0
        self.refusals: list[str] = []
        self.failures: list[str] = []
        self._url = url
        self._answered = trio.Event()

    async def until_answered(self, count: int) -> None:
        """Wait for so many answers more."""
        wanted = self.answers + count
        with trio.fail_after(WAIT_S):
            while self.answers < wanted:
                await self._answered.wait()

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_keepalive_connections=0)) as http:
            while True:
                try:
                    answer = await http.get(f"{self._url}/health/live")
                except httpx.ConnectError:
                    self.refusals.append("refused")
                    await trio.sleep(0.01)
                except httpx.HTTPError as exc:
                    self.failures.append(repr(exc))
                else:
                    if answer.status_code == 200:
                        self.answers += 1
                        self._answered.set()
                        self._answered = trio.Event()
                    else:
                        self.failures.append(str(answer.status_code))


async def test_a_killed_worker_is_replaced_and_nothing_is_lost_or_repeated(
    database: PostgresOptions, tmp_path: Path
) -> None:
    with serving(database, tmp_path) as server:
        async with a_pair(server.url) as pair, listening(pair.instructor) as ear, listening(pair.student) as own:
            said: list[str] = []
            async with trio.open_nursery() as nursery:
                is_over = trio.Event()
                nursery.start_soon(pair.keep_talking, said, is_over)
                for _ in range(2):
                    await until_longer(said, by=100)
                    killed_at = monotonic()
                    os.kill(server.serving()[0], signal.SIGKILL)
                    await trio.to_thread.run_sync(partial(server.wait_line, "worker_ready", since=killed_at))
                await until_longer(said, by=50)
                is_over.set()
            await ear.until(said, within_s=WAIT_S)
            await own.until(said, within_s=WAIT_S)
        assert ear.heard == said
        assert own.heard == said


async def test_a_second_loss_right_after_the_first_finds_a_spare_under_way(
    database: PostgresOptions, tmp_path: Path
) -> None:
    with serving(database, tmp_path) as server:
        server.wait_line("worker_ready", count=2)
        with trio.fail_after(WAIT_S):
            while len(server.workers) < 3:  # noqa: ASYNC110 - a spare says nothing to anybody
                await trio.sleep(0.02)
        [spare] = set(server.workers) - set(server.serving())
        for place in (0, 1):
            killed_at = monotonic()
            next_spares = set(server.workers) - set(server.serving())
            os.kill(server.serving()[place], signal.SIGKILL)
            await trio.to_thread.run_sync(partial(server.wait_line, "worker_ready", since=killed_at))
            assert server.serving()[place] in next_spares
        assert spare in server.serving()


async def test_the_others_serve_while_a_worker_is_replaced(database: PostgresOptions, tmp_path: Path) -> None:
    with serving(database, tmp_path) as server:
        caller = Caller(server.url)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(caller.run)
            await caller.until_answered(20)
            killed_at = monotonic()
            os.kill(server.serving()[0], signal.SIGKILL)
            await trio.to_thread.run_sync(partial(server.wait_line, "worker_ready", since=killed_at))
            await caller.until_answered(20)
            nursery.cancel_scope.cancel()
    # At most what the killed worker had accepted.
    assert len(caller.failures) <= 1
    assert caller.refusals == []


async def test_a_rolling_restart_loses_no_request_and_no_event(database: PostgresOptions, tmp_path: Path) -> None:
    with serving(database, tmp_path) as server:
        before = server.serving()
        caller = Caller(server.url)
        async with a_pair(server.url) as pair, listening(pair.instructor) as ear:
            said: list[str] = []
            async with trio.open_nursery() as nursery:
                nursery.start_soon(caller.run)
                async with trio.open_nursery() as talking:
                    is_over = trio.Event()
                    talking.start_soon(pair.keep_talking, said, is_over)
                    await caller.until_answered(20)
                    await until_longer(said, by=20)
                    server.signal(signal.SIGHUP)
                    await trio.to_thread.run_sync(partial(server.wait_line, "worker_replaced", count=2))
                    await until_longer(said, by=20)
                    is_over.set()
                nursery.cancel_scope.cancel()
            await ear.until(said, within_s=WAIT_S)
        assert ear.heard == said
        assert (caller.failures, caller.refusals) == ([], [])
        assert not set(before) & set(server.serving())
        await until_gone(before, within_s=WAIT_S)


async def test_stopping_under_load_resets_nobody_and_leaves_nobody(
    database: PostgresOptions, tmp_path: Path
) -> None:
    with serving(database, tmp_path) as server:
        callers = [Caller(server.url) for _ in range(8)]
        async with a_pair(server.url) as pair, listening(pair.instructor), trio.open_nursery() as nursery:
            for caller in callers:
                nursery.start_soon(caller.run)
            for caller in callers:
                await caller.until_answered(10)
            workers = server.workers
            server.signal(signal.SIGTERM)
            assert await trio.to_thread.run_sync(server.wait_end) == 0
            nursery.cancel_scope.cancel()
        assert [failure for caller in callers for failure in caller.failures] == []
        assert not any(psutil.pid_exists(pid) for pid in workers)


async def test_workers_end_with_a_parent_that_was_killed(database: PostgresOptions, tmp_path: Path) -> None:
    with serving(database, tmp_path) as server:
        server.wait_line("worker_ready", count=2)
        workers = server.workers
        assert len(workers) >= 2
        os.kill(server.process.pid, signal.SIGKILL)
        await until_gone(workers, within_s=WAIT_S)


async def test_a_worker_is_replaced_after_its_share_of_requests(database: PostgresOptions, tmp_path: Path) -> None:
    with serving(database, tmp_path, GREENROOM_WORKER_REQUESTS_MAX="200") as server:
        caller = Caller(server.url)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(caller.run)
            await trio.to_thread.run_sync(partial(server.wait_line, "worker_replaced", timeout_s=2 * WAIT_S))
            nursery.cancel_scope.cancel()
        assert (caller.failures, caller.refusals) == ([], [])


async def test_a_second_signal_ends_everything_at_once(database: PostgresOptions, tmp_path: Path) -> None:
    # Longer than the end is waited for: without the second signal the frozen worker would have that long.
    with serving(database, tmp_path, GREENROOM_DRAIN_TIMEOUT_S="120") as server:
        server.wait_line("worker_ready", count=2)
        async with a_pair(server.url) as pair, listening(pair.instructor):
            workers = server.workers
            os.kill(server.serving()[1], signal.SIGSTOP)
            server.signal(signal.SIGTERM)
            await trio.to_thread.run_sync(partial(server.wait_line, "draining"))
            server.signal(signal.SIGTERM)
            await trio.to_thread.run_sync(server.wait_end)
        assert not any(psutil.pid_exists(pid) for pid in workers)


def test_workers_that_can_never_serve_end_the_server_with_the_reason(
    database: PostgresOptions, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="GREENROOM_BUS"), serving(database, tmp_path, GREENROOM_BUS="local"):
        pass
