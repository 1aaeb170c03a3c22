"""Memory that something idle occupies, each having handled one message: what a piece adds to the resident set, over
10,000 of it, and all that a process with 100,000 of it takes, the interpreter included.

An actor under a dynamic supervisor, found by its key, beside a Trio task parked on a memory channel, found by its key
in a dict. Each is measured in a process of its own, because memory that one has given back would be used by the other.

``python -m bench.memory actors|tasks COUNT`` prints the two in bytes.
"""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio
import trio.testing

from bench.figures import Better, Figure
from bench.kernel import CAPACITY, Counting, Tally, count_by_hand
from greenroom.supervisor import DynamicSpec, SupervisorSpec, open_system

COUNT: Final = 10_000
MANY: Final = 100_000
ROUNDS: Final = 2
PROCESS_TIMEOUT_S: Final = 60.0
_STATM: Final = Path("/proc/self/statm")


async def memory_figures() -> list[Figure]:
    """About 20 s. Empty where there is no ``/proc`` to read it from."""
    if not _STATM.exists():
        return []
    actors, tasks = [], []
    for _ in range(ROUNDS):
        actors.append((await _in_own_process("actors", COUNT)).each)
        tasks.append((await _in_own_process("tasks", COUNT)).each)
    many_actors = (await _in_own_process("actors", MANY)).process / 1e6
    many_tasks = (await _in_own_process("tasks", MANY)).process / 1e6
    baseline = "a task parked on a channel"
    return [
        Figure(
            f"memory of an idle actor, {COUNT:,} of them",
            "bytes",
            Better.LESS,
            baseline,
            tuple(actors),
            tuple(tasks),
        ),
        Figure(
            f"a process with {MANY:,} idle actors",
            "MB resident",
            Better.LESS,
            baseline,
            (many_actors,),
            (many_tasks,),
        ),
    ]


@dataclass(frozen=True, slots=True)
class Resident:
    """Bytes of memory in use."""

    each: float  # by which the process grew for each piece
    process: int  # all of it


async def _in_own_process(what: str, count: int) -> Resident:
    command = [sys.executable, "-m", "bench.memory", what, str(count)]
    with trio.fail_after(PROCESS_TIMEOUT_S):
        ended = await trio.run_process(command, capture_stdout=True, cwd=Path(__file__).parents[1])
    each, process = ended.stdout.split()
    return Resident(float(each), int(process))


async def _actors(count: int) -> Resident:
    tally = Tally()
    tree = SupervisorSpec("bench", (DynamicSpec("receivers", "receiver", lambda _: Counting(tally)),))
    async with open_system(tree) as system:
        before = _resident_bytes()
        tally.expect(count)
        for n in range(count):
            system.virtual("receiver", str(n)).tell(n)
        await tally.wait()
        return await _grown(before, count)


async def _tasks(count: int) -> Resident:
    tally = Tally()
    senders = {}
    async with trio.open_nursery() as nursery:
        before = _resident_bytes()
        tally.expect(count)
        for n in range(count):
            senders[str(n)], incoming = trio.open_memory_channel[int](CAPACITY)
            nursery.start_soon(count_by_hand, incoming, tally)
            senders[str(n)].send_nowait(n)
        await tally.wait()
        grown = await _grown(before, count)
        nursery.cancel_scope.cancel()
    return grown


async def _grown(before: int, count: int) -> Resident:
    await trio.testing.wait_all_tasks_blocked()
    gc.collect()
    after = _resident_bytes()
    return Resident((after - before) / count, after)


def _resident_bytes() -> int:
    gc.collect()
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    gc.disable()  # it is asked to collect before each look; walking all that is there would double the time this takes
    found = trio.run(_actors if sys.argv[1] == "actors" else _tasks, int(sys.argv[2]))
    print(found.each, found.process)
