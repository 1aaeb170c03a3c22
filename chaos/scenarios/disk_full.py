"""The disk under Postgres fills up and is freed again: refusals meanwhile, no answer without a row, and no restart of ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

from chaos.bars import heals_within, polite_refusals, streams_stay
from chaos.broken import PromiseBroken
from chaos.database import exhaust_wal
from chaos.figures import Figure
from chaos.launch import Launch, NotHere
from chaos.ledger import Ledger
from chaos.scenario import Scenario
from chaos.stage import Cast, Stage

SIZE_MIB: Final = 256
"""Of the disk: a new cluster takes about 60 MiB of it, its log up to two files of 16 MiB more in this time."""

FULL_S: Final = 3.0
"""How long it stays full: with Postgres up, and again with its log unable to grow."""

FILL_EVERY_S: Final = 0.02

REFUSED_TIMEOUT_S: Final = 20.0
HEALTHY_S_MAX: Final = 10.0
PIECE: Final = bytes(1024 * 1024)


@asynccontextmanager
async def on_a_small_disk(folder: Path) -> AsyncIterator[Launch]:
    """A file system in memory as the data folder.

    Raises:
        NotHere: mounting is not allowed.
    """
    disk = folder / "disk"
    disk.mkdir()
    try:
        mounted = await trio.run_process(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0755", "tmpfs", str(disk)],
            check=False,
            capture_stderr=True,
        )
    except OSError as exc:
        raise NotHere("there is no mount") from exc
    if mounted.returncode != 0:
        raise NotHere(f"a small disk can't be mounted: {mounted.stderr.decode().strip()}")
    try:
        yield Launch(data=disk / "data")
    finally:
        # Lazily: a process of Postgres may take a moment longer to let go of it. Nothing here can wait any more.
        subprocess.run(["umount", "--lazy", str(disk)], check=False)  # noqa: S603, S607, ASYNC221


async def disk_full(stage: Stage, rounds: int) -> Sequence[Figure]:
    pid = stage.server.pid
    ballast = stage.server.data.parent / "ballast"
    expect_small(ballast.parent)
    deaths = 0
    for _ in range(rounds):
        await stage.let_flow(3)
        refused = _refusals(stage)
        with stage.fault("disk full"):
            with trio.move_on_after(REFUSED_TIMEOUT_S) as patience:
                while _refusals(stage) == refused:
                    # Again and again: Postgres frees and recycles files of its own.
                    _fill(ballast)
                    await trio.sleep(FILL_EVERY_S)
            if patience.cancelled_caught:
                raise PromiseBroken("nobody was refused: the disk did not fill")
            await _stay_full(ballast)
            # So far statements failed. Now the log can't be written, which Postgres does not survive.
            await exhaust_wal(stage.server.database_folder())
            await _stay_full(ballast)
            died = stage.server.accepting_postmaster_pid() is None
            ballast.unlink()
        await stage.let_flow(1)
        if not stage.server.is_running or stage.server.pid != pid:
            raise PromiseBroken(f"the server ended with its disk full:\n{stage.server.log_tail()}")
        deaths += died
    return [Figure("times full", rounds), Figure("of which Postgres died", deaths)]


def expect_small(disk: Path) -> None:
    """See that it is the disk which was made to be filled, and not the machine's own.

    Raises:
        PromiseBroken: it has room for more than that.
    """
    room = os.statvfs(disk)
    if room.f_blocks * room.f_frsize > SIZE_MIB * 1024 * 1024:
        raise PromiseBroken(f"{disk} is no small disk: it is not filled")


async def _stay_full(ballast: Path) -> None:
    until = trio.current_time() + FULL_S
    while trio.current_time() < until:
        _fill(ballast)
        await trio.sleep(FILL_EVERY_S)


def _fill(ballast: Path) -> None:
    with ballast.open("ab", buffering=0) as file:
        piece = PIECE
        while piece:
            try:
                file.write(piece)
            except OSError:
                piece = piece[: len(piece) // 2]


def _refusals(stage: Stage) -> int:
    return sum(sender.refused for sender in stage.senders)


def judge(ledger: Ledger) -> Sequence[Figure]:
    return [heals_within(ledger, HEALTHY_S_MAX), streams_stay(ledger), *polite_refusals(ledger)]


DISK_FULL: Final = Scenario(
    "disk_full",
    "Postgres has no disk left",
    Cast(pairs=4, pause_s=0.005, content="x" * 5_000),
    rounds=1,
    rounds_long=10,
    timeout_s=90.0,
    disturb=disk_full,
    judge=judge,
    prepare=on_a_small_disk,
)
