"""A scenario: a cast, and a fault that is done to their server while they talk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random

import trio

from chaos.broken import PromiseBroken
from chaos.checker import Verdict, check
from chaos.figures import Figure
from chaos.launch import Prepare, prepare_nothing
from chaos.ledger import Ledger
from chaos.stage import Cast, Stage, a_stage


def no_figures(ledger: Ledger) -> Sequence[Figure]:
    """No bars beside the promises."""
    return ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault.

    Attributes:
        rounds: how often it is done unless told otherwise.
        rounds_long: how often in a long run.
        timeout_s: bound of the whole scenario at ``rounds``, setting up included.
        disturb: does it, and returns what was measured; raises PromiseBroken.
        judge: what the ledger itself says about the bars of this fault.
        prepare: what its server runs on; raises NotHere where this machine can't do that.
        workers: how many the server has unless told otherwise; where it is one, it stays one.
    """

    name: str
    what: str
    cast: Cast
    rounds: int
    rounds_long: int
    timeout_s: float
    disturb: Callable[[Stage, int], Awaitable[Sequence[Figure]]]
    judge: Callable[[Ledger], Sequence[Figure]] = no_figures
    prepare: Prepare = prepare_nothing
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Played:
    """How a scenario went."""

    ledger: Ledger
    verdict: Verdict
    figures: tuple[Figure, ...]
    took_s: float

    @property
    def broken(self) -> tuple[str, ...]:
        """The promises that were not kept, in words."""
        counts = [f"{count} {promise}" for promise, count in self.verdict.broken.items()]
        return (*counts, *(str(figure) for figure in self.figures if figure.is_missed and figure.is_promise))

    @property
    def missed(self) -> tuple[str, ...]:
        """The bars of time and size that were missed, in words: a busy machine misses some of them too."""
        return tuple(str(figure) for figure in self.figures if figure.is_missed and not figure.is_promise)


async def play(scenario: Scenario, *, seed: int, rounds: int | None, workers: int | None = None) -> Played:
    """Play one scenario on a server of its own.

    The seed decides when faults come and what they are, not how the machine interleaves the processes: a replay meets
    the same faults at the same times, not at the same instructions.

    Raises:
        NotHere: it can't be played on this machine.
        PromiseBroken: see there; also when time ran out.
        ServerFailed: the server could not be run at all.
    """
    rounds = scenario.rounds if rounds is None else rounds
    timeout_s = scenario.timeout_s * max(1.0, rounds / scenario.rounds)
    workers = scenario.workers if workers is None or scenario.workers == 1 else workers
    began = trio.current_time()
    random = Random(f"{seed} {scenario.name}")  # noqa: S311 - for replay, not for secrets
    played: Played | None = None
    with trio.move_on_after(timeout_s):
        async with a_stage(random, scenario.cast, scenario.prepare, workers=workers) as stage:
            measured = await scenario.disturb(stage, rounds)
            ledger = await stage.conclude()
            figures = (*measured, *scenario.judge(ledger))
            played = Played(ledger, check(ledger), figures, trio.current_time() - began)
    if played is None:
        raise PromiseBroken(f"not over after {timeout_s:.0f} s")
    return played
