"""Memory that something idle occupies: growth of the resident set over 10,000 of it, each having handled one message.

An actor under a dynamic supervisor, found by its key, beside a Trio task parked on a memory channel, found by its key
in a dict. Each is measured in a process of its own, because memory that one has given back would be used by the other.

``python -m bench.memory actors|tasks`` prints bytes per piece.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Final

import trio
import trio.testing

from bench.figures import Better, Figure
from bench.kernel import CAPACITY, Counting, Tally, count_by_hand
from greenroom.supervisor import DynamicSpec, SupervisorSpec, open_system

COUNT: Final = 10_000
ROUNDS: Final = 2
PROCESS_TIMEOUT_S: Final = 20.0
_STATM: Final = Path("/proc/self/statm")


async def memory_figures() -> list[Figure]:
    """About 4 s. Empty where there is no ``/proc`` to read it from."""
    if not _STATM.exists():
        return []
    actors, tasks = [], []
    for _ in range(ROUNDS):
        actors.append(await _in_own_process("actors"))
        tasks.append(await _in_own_process("tasks"))
    name = f"memory of an idle actor, {COUNT:,} of them"
    return [Figure(name, "bytes", Better.LESS, "a task parked on a channel", tuple(actors), tuple(tasks))]


async def _in_own_process(what: str) -> float:
    command = [sys.executable, "-m", "bench.memory", what]
    with trio.fail_after(PROCESS_TIMEOUT_S):
        ended = await trio.run_process(command, capture_stdout=True, cwd=Path(__file__).parents[1])
    return float(ended.stdout)


async def _actors() -> float:
    tally = Tally()
    tree = SupervisorSpec("bench", (DynamicSpec("receivers", "receiver", lambda _: Counting(tally)),))
    async with open_system(tree) as system:
        before = _resident_bytes()
        tally.expect(COUNT)
        for n in range(COUNT):
            system.virtual("receiver", str(n)).tell(n)
        await tally.wait()
        return await _grown_each(before)


async def _tasks() -> float:
    tally = Tally()
    senders = {}
    async with trio.open_nursery() as nursery:
        before = _resident_bytes()
        tally.expect(COUNT)
        for n in range(COUNT):
            senders[str(n)], incoming = trio.open_memory_channel[int](CAPACITY)
            nursery.start_soon(count_by_hand, incoming, tally)
            senders[str(n)].send_nowait(n)
        await tally.wait()
        grown = await _grown_each(before)
        nursery.cancel_scope.cancel()
    return grown


async def _grown_each(before: int) -> float:
    await trio.testing.wait_all_tasks_blocked()
    gc.collect()
    return (_resident_bytes() - before) / COUNT


def _resident_bytes() -> int:
    gc.collect()
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    print(trio.run(_actors if sys.argv[1] == "actors" else _tasks))
