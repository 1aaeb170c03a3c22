"""The server's wall clock jumps, by an hour either way and by a year: nobody is signed out, and nothing is thrown away.

Postgres keeps the right time; only the server is deceived, by a library loaded before it. With the clock a year ahead the
server is also killed and started again, as after a reboot with an empty battery.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

from chaos.bars import heals_within, polite_refusals
from chaos.broken import PromiseBroken
from chaos.clients import Person
from chaos.figures import Figure
from chaos.launch import Launch, NotHere
from chaos.ledger import Ledger
from chaos.probes import Probe, Probes, Request
from chaos.scenario import Scenario
from chaos.stage import PASSWORD, Cast, Stage

LIBRARIES: Final = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
    "/usr/local/lib/faketime/libfaketime.so.1",
)
STEPS: Final = ("+1h", "-1h", "+365d")
RESTARTED_AT: Final = "+365d"
STEP_S: Final = 2.0
HEALTHY_S_MAX: Final = 3.0
NONE: Final = "+0"


@asynccontextmanager
async def with_a_clock_to_set(folder: Path) -> AsyncIterator[Launch]:
    """A server that reads by how much its clock is wrong from a file, each time it looks at it.

    Raises:
        NotHere: the library that does this is not installed.
    """
    if _library() is None:
        raise NotHere("libfaketime is not installed; on Debian it is the package faketime")
    clock = folder / "clock"
    clock.write_text(NONE)
    yield Launch(clock=clock)


def _deceived_by(clock: Path) -> dict[str, str]:
    return {
        "LD_PRELOAD": str(_library()),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        # A step of the wall clock leaves the monotonic one alone.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _library() -> Path | None:
    return next((path for path in map(Path, LIBRARIES) if path.exists()), None)


async def clock_wrong(stage: Stage, rounds: int) -> Sequence[Figure]:
    clock = stage.server.launch.clock
    if clock is None:
        raise PromiseBroken("there is no clock to set: this is the harness's failure")
    # Not for the first start: now and then this library breaks the wait for initdb, which sleeps until a moment.
    await stage.server.kill()
    stage.server.environment |= _deceived_by(clock)
    await stage.server.start()
    probes = Probes(stage.server.port, timeout_s=10.0)
    people = [
        (f"{role}{n}", p)
        for n, pair in enumerate(stage.conversations.values())
        for role, p in zip(ROLES, pair, strict=True)
    ]
    newcomers: list[Person] = []
    for n in range(rounds):
        step = STEPS[n % len(STEPS)]
        await stage.let_flow(1)
        with stage.fault(f"clock {step}"):
            clock.write_text(step)
            await trio.sleep(STEP_S)
            await stage.let_flow(1)
            if step == RESTARTED_AT:
                await stage.server.kill()
                await stage.server.start()
                await stage.let_flow(1)
            await _ask_all(probes, people)
            newcomers.append(await _sign_in(stage, people[n % len(people)][0]))
            clock.write_text(NONE)
        await stage.let_flow(1)
        await _ask_all(probes, [*people, *((f"signed in at {step}", person) for person in newcomers)])
    probes.close()
    return [
        Figure("steps", rounds),
        Figure("asked who they are", len(probes.made)),
        Figure("signed out", sum(probe.answer == "401" for probe in probes.made), "", 0),
        Figure("answered otherwise", sum(probe.answer not in {"200", "401"} for probe in probes.made), "", 0),
    ]


ROLES: Final = ("student", "teacher")


async def _ask_all(probes: Probes, people: Sequence[tuple[str, Person]]) -> list[Probe]:
    return [await probes.ask(Request(name, "GET", "/api/v1/auth/me", person.headers)) for name, person in people]


async def _sign_in(stage: Stage, name: str) -> Person:
    answer = await stage.line.ask(
        "POST", "/api/v1/auth/login", body={"email": f"{name}@example.com", "password": PASSWORD}
    )
    if not answer.is_success:
        raise PromiseBroken(f"signing in with a wrong clock was answered {answer.status}")
    made = answer.json()
    return Person(made["user"]["id"], made["access_token"])


def judge(ledger: Ledger) -> Sequence[Figure]:
    resets = sum(log.resets for log in ledger.listeners)
    return [
        Figure("streams told that their past is gone", resets, "", 0),
        heals_within(ledger, HEALTHY_S_MAX),
        *polite_refusals(ledger),
    ]


CLOCK_WRONG: Final = Scenario(
    "clock_wrong",
    "the wall clock jumps by +1 h, -1 h, +1 y",
    Cast(pairs=3, pause_s=0.02),
    rounds=3,
    rounds_long=12,
    timeout_s=90.0,
    disturb=clock_wrong,
    judge=judge,
    prepare=with_a_clock_to_set,
)
