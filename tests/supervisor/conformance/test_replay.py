"""A whole system replayed from a seed: the same steps at the same times, in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import trio

from greenroom.supervisor import (
    Actor,
    AskError,
    Backoff,
    ChildSpec,
    DynamicSpec,
    LifecycleEvent,
    Request,
    SupervisorSpec,
    open_system,
)
from tests.supervisor.scheduling import Trace, run_seeded


@dataclass(frozen=True, slots=True)
class Roll(Request[int]):
    number: int


class Gambler(Actor[Roll]):
    """Rolls its own dice, and crashes on a one."""

    async def handle(self, message: Roll) -> int:
        rolled = self.ctx.rng.randint(1, 6)
        await trio.sleep(rolled / 10)
        if rolled == 1:
            raise ValueError(message)
        return rolled


async def play(system_seed: int) -> list[str]:
    """An evening of crashes, backoff with jitter and passivation. The result is all there is to see of it."""
    many = 1_000_000
    root = SupervisorSpec(
        "root",
        (
            ChildSpec("banker", Gambler),
            DynamicSpec(
                "players", "player", lambda _: Gambler(), passivate_after_s=0.5, consecutive_failures_max=many
            ),
        ),
        intensity=many,
        consecutive_failures_max=many,
        backoff=Backoff(free=0, jitter=0.5),
    )
    seen: list[str] = []
    async with open_system(root, seed=system_seed, vary_turns=True) as system, system.subscribe() as events:

        async def ask(path: str, number: int) -> None:
            try:
                seen.append(f"{path} {number}: {await system.address(path).ask(Roll(number), timeout=1.0)}")
            except AskError as error:
                seen.append(f"{path} {number}: {error}")

        async with trio.open_nursery() as nursery:
            for number in range(60):
                path = ("/root/banker", "/root/players/x", "/root/players/y")[number % 3]
                nursery.start_soon(ask, path, number, name=f"asker {number}")
                await trio.sleep(0.0 if number % 4 else 0.25)
        await trio.sleep(5.0)
        while (event := next_event(events)) is not None:
            seen.append(f"{event.at:.6f} {event.event} {event.path} {event.incarnation} {event.reason}")
        seen.extend(
            f"{letter.at:.6f} {letter.path} {letter.reason} {letter.trace_id}" for letter in system.dead_letters
        )
    return seen


def next_event(events: object) -> LifecycleEvent | None:
    try:
        return events.receive_nowait()  # type: ignore[attr-defined]
    except IndexError:
        return None


def play_traced(scheduler_seed: int, system_seed: int) -> tuple[str, list[str]]:
    trace = Trace()
    seen = run_seeded(play, system_seed, seed=scheduler_seed, trace=trace)
    return trace.digest(), seen


def test_the_same_seeds_replay_the_same_evening_in_every_process() -> None:
    program = "from tests.supervisor.conformance.test_replay import play_traced; print(play_traced(1, 2))"

    def elsewhere(hash_seed: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout.strip()

    here = play_traced(1, 2)

    assert "actor.passivated" in str(here)
    assert "actor.restarted" in str(here)
    assert elsewhere("1") == elsewhere("2") == str(here)


def test_either_seed_changes_the_evening() -> None:
    evenings = [play_traced(scheduler, system)[0] for scheduler, system in [(1, 1), (1, 2), (2, 1), (2, 2)]]

    assert len(set(evenings)) == 4
