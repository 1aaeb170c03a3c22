"""The embedded server lives and dies with greenroom, and never with somebody else's data."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import trio

from greenroom.storage.postgres import PostgresOptions, open_pool
from greenroom.storage.postgres.embedded import (
    DataFolderInUse,
    EmbeddedPostgres,
    EmbeddedPostgresFailed,
    ServerLoss,
    open_embedded,
)
from greenroom.storage.postgres.embedded.postmaster import SERVER_SETTINGS
from tests.postgres import PostgresServer, fast_data_dir, running_server

WAIT_S = 30

HOLD = """
import sys, trio
from pathlib import Path
from greenroom.storage.postgres.embedded import open_embedded

async def main():
    async with open_embedded(Path(sys.argv[1])) as server:
        print(server.cluster.postmaster_pid(), flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


async def ask(server: EmbeddedPostgres, query: str) -> list[str]:
    async with open_pool(PostgresOptions(server.conninfo)) as pool:
        return await pool.fetch(query, None, str)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


async def wait_ended(pid: int) -> None:
    while is_running(pid):  # noqa: ASYNC110 - a process that is not our child sets no event
        await trio.sleep(0.01)


def pid_of(server: EmbeddedPostgres) -> int:
    pid = server.cluster.postmaster_pid()
    assert pid is not None
    return pid


async def test_what_was_stored_is_there_after_a_restart(new_data_dir: Path) -> None:
    with trio.fail_after(WAIT_S):
        async with open_embedded(new_data_dir) as server, open_pool(PostgresOptions(server.conninfo)) as pool:
            await pool.run("CREATE TABLE kept AS SELECT 'yes' AS answer", None)
        async with open_embedded(new_data_dir) as server:
            assert await ask(server, "SELECT answer FROM kept") == ["yes"]


async def test_it_is_gone_when_greenroom_stops(data_dir: Path) -> None:
    async with open_embedded(data_dir) as server:
        pid = pid_of(server)
        assert is_running(pid)
    assert not is_running(pid)
    assert server.cluster.postmaster_pid() is None


async def test_it_is_gone_when_greenroom_is_cancelled(data_dir: Path) -> None:
    with trio.CancelScope() as scope:
        async with open_embedded(data_dir) as server:
            pid = pid_of(server)
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert not is_running(pid)


async def test_open_sessions_do_not_keep_it_from_stopping(data_dir: Path) -> None:
    with trio.fail_after(WAIT_S):
        async with open_embedded(data_dir) as server:
            pool = open_pool(PostgresOptions(server.conninfo))
            async with pool as opened, opened.session() as session:
                await session.send("BEGIN")
                await session.send("CREATE TABLE unfinished ()")
                os.kill(pid_of(server), signal.SIGINT)
                await wait_ended(pid_of(server))


async def test_it_follows_a_greenroom_that_was_killed(data_dir: Path) -> None:
    with trio.fail_after(WAIT_S):
        command = [sys.executable, "-c", HOLD, str(data_dir)]
        async with trio.open_nursery() as nursery:
            holder = await nursery.start(start_holder, command)
            pid = int((await holder.stdout.receive_some()).decode())
            holder.kill()
        async with open_embedded(data_dir) as server:
            assert pid_of(server) != pid
            assert not is_running(pid)


async def start_holder(command: list[str], task_status: trio.TaskStatus[trio.Process]) -> None:
    await trio.run_process(
        command, stdout=subprocess.PIPE, capture_stdout=False, check=False, task_status=task_status
    )


async def test_a_folder_in_use_is_refused_by_the_process_that_has_it(data_dir: Path) -> None:
    async with open_embedded(data_dir) as server:
        with pytest.raises(DataFolderInUse, match=str(os.getpid())):
            await open_embedded(data_dir).__aenter__()
        assert await ask(server, "SELECT 'unharmed'") == ["unharmed"]


@pytest.mark.parametrize("pid", [os.getpid(), 2**22 - 7], ids=["of another process", "of nobody"])
async def test_a_stale_pid_file_does_not_keep_it_from_starting(data_dir: Path, pid: int) -> None:
    with trio.fail_after(WAIT_S):
        async with open_embedded(data_dir) as server:
            pid_file = server.cluster.folder / "postmaster.pid"
            lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(pid), *lines[1:]]) + "\n")
        async with open_embedded(data_dir) as server:
            assert await ask(server, "SELECT 'up'") == ["up"]


async def test_a_server_that_dies_is_started_again_and_its_loss_is_told(data_dir: Path) -> None:
    losses: list[ServerLoss] = []
    told = trio.Event()

    def on_loss(loss: ServerLoss) -> None:
        losses.append(loss)
        told.set()

    with trio.fail_after(WAIT_S):
        async with open_embedded(data_dir, on_loss=on_loss) as server:
            os.kill(pid_of(server), signal.SIGKILL)
            await told.wait()
            async with open_pool(PostgresOptions(server.conninfo, pool_timeout_s=10)) as pool:
                assert await pool.fetch("SELECT 1", None, int) == [1]
    assert losses == [ServerLoss(-signal.SIGKILL, losses[0].restart_in_s)]


async def test_a_server_that_can_not_start_says_why(data_dir: Path) -> None:
    with trio.fail_after(WAIT_S), pytest.raises(EmbeddedPostgresFailed, match="shared_buffers"):
        await open_embedded(data_dir, settings={**SERVER_SETTINGS, "shared_buffers": "nonsense"}).__aenter__()


@pytest.fixture
def cut_short(new_data_dir: Path) -> Path:
    """What an initialisation leaves behind that was killed half-way."""
    leftover = new_data_dir / "cluster.new-cut-short"
    leftover.mkdir(parents=True)
    (leftover / "PG_VERSION").write_text("18\n")
    return leftover


async def test_an_initialisation_that_was_cut_short_is_begun_anew(new_data_dir: Path, cut_short: Path) -> None:
    async with open_embedded(new_data_dir) as server:
        assert await ask(server, "SELECT 'up'") == ["up"]
    assert not await trio.Path(cut_short).exists()


async def test_a_path_too_long_for_a_socket_is_no_trouble(new_data_dir: Path) -> None:
    async with open_embedded(new_data_dir / ("deep" * 20) / ("deeper" * 10)) as server:
        assert await ask(server, "SELECT 'up'") == ["up"]
        socket_folder = server.cluster.socket_folder
    assert not await trio.Path(socket_folder).exists()


@pytest.fixture(scope="module")
def production(initialised_data_dir: Path) -> Iterator[PostgresServer]:
    """A server as greenroom runs it, started where our environment holds a secret and variables meant for clients."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPENAI_API_KEY", "sk-canary")
        environment.setenv("PGPORT", "6543")
        with fast_data_dir(copy_of=initialised_data_dir) as folder, running_server(folder) as server:
            yield server


def setting(server: PostgresServer, name: str) -> str:
    with psycopg.connect(server.conninfo()) as connection:
        return connection.execute("SELECT current_setting(%s)", [name]).fetchone()[0]


@pytest.mark.parametrize("name", ["fsync", "synchronous_commit", "full_page_writes"])
def test_it_is_as_durable_as_postgres_is(production: PostgresServer, name: str) -> None:
    assert setting(production, name) == "on"


def test_it_listens_on_a_socket_of_its_owner_alone(production: PostgresServer) -> None:
    assert setting(production, "listen_addresses") == ""
    assert stat.S_IMODE((production.socket_folder / ".s.PGSQL.5432").stat().st_mode) == 0o700


def test_it_is_told_none_of_our_secrets(production: PostgresServer) -> None:
    assert b"canary" not in Path(f"/proc/{production.pid}/environ").read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to drop")
def test_started_by_root_it_runs_without_rights(production: PostgresServer) -> None:
    status = Path(f"/proc/{production.pid}/status").read_text()
    (uids,) = [line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")]
    assert "0" not in uids
