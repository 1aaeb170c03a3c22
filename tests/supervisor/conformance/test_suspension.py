"""Suspended actors: alive, visible, receptive, and doing nothing until they are resumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from greenroom.supervisor import Actor, AskTimeout, ChildSpec, Request, open_system
from tests.supervisor.conformance.trees import leftovers, patient
from tests.supervisor.scheduling import examples, run_seeded, seeds

SLEEPER = "/root/sleeper"
PATIENCE_S = 1.0


class Cue(Enum):
    TELL = "tell"
    ASK = "ask"
    CRASH = "crash"
    SUSPEND = "suspend"
    RESUME = "resume"
    RESTART = "restart"
    PAUSE = "pause"  # longer than an asker waits


@dataclass(frozen=True, slots=True)
class Note(Request[int]):
    number: int
    crashes: bool = False


class Sleeper(Actor[Note]):
    def __init__(self, begun: list[int]) -> None:
        self._begun = begun

    async def handle(self, note: Note) -> int:
        self._begun.append(note.number)
        if note.crashes:
            raise ValueError(note)
        return note.number


async def day(cues: Sequence[Cue]) -> None:
    begun: list[int] = []
    expected: list[int] = []
    waiting: list[tuple[int, bool]] = []  # mail the sleeper has not seen: number, and whether it is asked
    is_suspended = False
    answers: dict[int, str] = {}

    async def ask(number: int) -> None:
        try:
            await system.address(SLEEPER).ask(Note(number), timeout=PATIENCE_S)
            answers[number] = "answered"
        except AskTimeout as late:
            answers[number] = late.target_state

    async with open_system(patient(ChildSpec("sleeper", lambda: Sleeper(begun)))) as system:
        async with trio.open_nursery() as nursery:
            for number, cue in enumerate(cues):
                match cue:
                    case Cue.TELL | Cue.CRASH:
                        system.address(SLEEPER).tell(Note(number, crashes=cue is Cue.CRASH))
                        waiting.append((number, False))
                    case Cue.ASK:
                        nursery.start_soon(ask, number)
                        waiting.append((number, True))
                    case Cue.SUSPEND:
                        await system.suspend(SLEEPER)
                        is_suspended = True
                    case Cue.RESUME:
                        await system.resume(SLEEPER)
                        is_suspended = False
                    case Cue.RESTART:
                        await system.restart(SLEEPER)
                    case Cue.PAUSE:
                        await trio.sleep(2 * PATIENCE_S)
                        waiting = [mail for mail in waiting if not mail[1]]
                await wait_all_tasks_blocked()
                if not is_suspended:
                    expected += [mail[0] for mail in waiting]
                    waiting.clear()
                assert begun == expected
                assert system.inspect(SLEEPER).node.state == ("suspended" if is_suspended else "running")
            await system.resume(SLEEPER)
            await wait_all_tasks_blocked()
            assert begun == expected + [mail[0] for mail in waiting]
        asked = [number for number, cue in enumerate(cues) if cue is Cue.ASK]
        assert answers == {number: "answered" if number in begun else "suspended" for number in asked}
    assert leftovers(system) == []


@given(
    cues=st.lists(st.sampled_from(Cue), min_size=5, max_size=30),
    seed=seeds,
)
@examples(60)
def test_a_suspended_actor_keeps_its_mail_in_order_and_handles_none_of_it(cues: list[Cue], seed: int) -> None:
    run_seeded(day, cues, seed=seed)
