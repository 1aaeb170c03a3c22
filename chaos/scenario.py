"""A scenario: a cast, and a fault that is done to their server while they talk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

import trio

from chaos.checker import Verdict, check
from chaos.ledger import Ledger
from chaos.stage import Cast, Stage, a_stage


class PromiseBroken(Exception):
    """The server did what no ledger shows: it did not stop in time, was gone, answered nothing."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault.

    Attributes:
        rounds: how often it is done unless told otherwise.
        timeout_s: bound of the whole scenario at that many rounds, setting up included.
        disturb: does it, and returns what was measured, in a few words; raises PromiseBroken.
    """

    name: str
    what: str
    cast: Cast
    rounds: int
    timeout_s: float
    disturb: Callable[[Stage, int], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Played:
    """How a scenario went. ``broken`` names what was not kept; empty if all was."""

    ledger: Ledger
    verdict: Verdict
    note: str
    took_s: float
    broken: dict[str, int]


async def play(scenario: Scenario, *, seed: int, rounds: int | None) -> Played:
    """Play one scenario on a server of its own.

    The seed decides when faults come and what they are, not how the machine interleaves the processes: a replay meets
    the same faults at the same times, not at the same instructions.

    Raises:
        PromiseBroken: see there; also when time ran out.
        ServerFailed: the server could not be run at all.
    """
    rounds = scenario.rounds if rounds is None else rounds
    timeout_s = scenario.timeout_s * max(1.0, rounds / scenario.rounds)
    began = trio.current_time()
    random = Random(f"{seed} {scenario.name}")  # noqa: S311 - for replay, not for secrets
    played: Played | None = None
    with trio.move_on_after(timeout_s):
        async with a_stage(random, scenario.cast) as stage:
            note = await scenario.disturb(stage, rounds)
            ledger = await stage.conclude()
            verdict = check(ledger)
            played = Played(ledger, verdict, note, trio.current_time() - began, verdict.broken)
    if played is None:
        raise PromiseBroken(f"not over after {timeout_s:.0f} s")
    return played
