"""The bound of connections, where several listeners share it."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from greenroom.http.serving.room import Room


async def test_a_place_given_back_is_told_to_all_who_wait_as_not_every_one_has_somebody_at_the_door(
    nursery: trio.Nursery,
) -> None:
    room = Room(1)
    room.take()
    awake: list[int] = []

    async def wait(n: int) -> None:
        await room.wait()
        awake.append(n)

    for n in range(3):
        nursery.start_soon(wait, n)
    await wait_all_tasks_blocked()
    assert awake == []

    room.give_back()

    with trio.fail_after(5):
        await wait_all_tasks_blocked()
    assert sorted(awake) == [0, 1, 2]
