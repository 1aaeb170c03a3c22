"""One after the other, by name."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.actors.turns import NoTurn, Turns

LONG_S = 10.0


async def test_turns_of_one_name_come_one_after_the_other_and_those_of_another_do_not_wait(
    autojump_clock: MockClock,
) -> None:
    turns = Turns(waiting_max=5, timeout_s=LONG_S)
    seen: list[str] = []

    async def take(name: str, what: str) -> None:
        async with turns.turn(name):
            seen.append(f"{what} began")
            await trio.sleep(1)
            seen.append(f"{what} ended")

    async with trio.open_nursery() as nursery:
        for name, what in [("a", "first"), ("a", "second"), ("b", "other")]:
            nursery.start_soon(take, name, what)
            await wait_all_tasks_blocked()

    assert seen.index("first ended") < seen.index("second began")
    assert seen.index("other began") < seen.index("first ended")


async def test_one_more_than_may_wait_is_refused_at_once(autojump_clock: MockClock) -> None:
    turns = Turns(waiting_max=1, timeout_s=LONG_S)

    async def take() -> None:
        async with turns.turn("a"):
            await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        nursery.start_soon(take)
        await wait_all_tasks_blocked()
        asked_at = trio.current_time()

        with pytest.raises(NoTurn):
            async with turns.turn("a"):
                pass

        assert trio.current_time() == asked_at


async def test_a_turn_that_does_not_come_in_time_is_given_up_and_leaves_the_line(
    autojump_clock: MockClock,
) -> None:
    turns = Turns(waiting_max=5, timeout_s=1.0)
    async with turns.turn("a"):
        with pytest.raises(NoTurn):
            async with turns.turn("a"):
                pass

    async with turns.turn("a"):
        pass
    assert len(turns) == 0


async def test_whoever_is_cancelled_while_waiting_leaves_the_line(autojump_clock: MockClock) -> None:
    turns = Turns(waiting_max=5, timeout_s=LONG_S)
    async with turns.turn("a"):
        with trio.move_on_after(1) as waiting:
            async with turns.turn("a"):
                pass

    assert waiting.cancelled_caught
    assert len(turns) == 0


async def test_a_block_that_fails_gives_the_turn_back() -> None:
    turns = Turns(waiting_max=5, timeout_s=LONG_S)
    with pytest.raises(ValueError, match="no"):
        async with turns.turn("a"):
            raise ValueError("no")

    assert len(turns) == 0
