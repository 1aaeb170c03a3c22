"""What bodies may hold together: some can always be read to their end, whatever the others do."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from greenroom.http.serving.body_room import BodyRoom, BodyShare

KIB = 1024
PIECE = 16 * KIB
LONGEST = 64 * KIB


async def read(share: BodyShare, size: int) -> None:
    with trio.fail_after(60):
        for _ in range(size // PIECE):
            await share.wait()
            share.take(PIECE)


def a_room(*, places: int = 2) -> BodyRoom:
    return BodyRoom(4 * places * LONGEST, longest=LONGEST)


async def test_bodies_that_have_all_begun_end_one_after_the_other(autojump_clock: MockClock) -> None:
    room = a_room()
    most = 0
    ended: list[int] = []

    async def one(number: int) -> None:
        nonlocal most
        share = room.share()
        for _ in range(LONGEST // PIECE):
            await share.wait()
            share.take(PIECE)
            most = max(most, room.held)
            await trio.sleep(0.1)  # all come equally far
        ended.append(number)
        await trio.sleep(1)
        share.give_back()

    with trio.fail_after(600):
        async with trio.open_nursery() as nursery:
            for number in range(40):
                nursery.start_soon(one, number)

    assert sorted(ended) == list(range(40))
    assert most <= 8 * LONGEST
    assert room.held == 0


async def test_nobody_begins_in_the_part_kept_for_those_that_have_begun(autojump_clock: MockClock) -> None:
    room = a_room(places=1)
    shares = [room.share() for _ in range(3)]
    for share in shares:
        await read(share, LONGEST)

    with trio.move_on_after(60) as late:
        await room.share().wait()

    assert late.cancelled_caught
    assert room.held == 3 * LONGEST


async def test_a_place_is_free_again_once_its_request_is_answered(autojump_clock: MockClock) -> None:
    room = a_room(places=1)
    stalled, first, second = (room.share() for _ in range(3))
    stalled.take(3 * LONGEST - 2 * PIECE)
    await read(first, PIECE)
    await read(second, PIECE)
    await read(first, 3 * PIECE)  # the only place

    with trio.move_on_after(60) as late:
        await second.wait()
    first.give_back()
    await read(second, 3 * PIECE)

    assert late.cancelled_caught


async def test_who_waits_may_be_cancelled_and_leaves_nothing_behind(autojump_clock: MockClock) -> None:
    room = a_room(places=1)
    full = room.share()
    full.take(4 * LONGEST)
    with trio.move_on_after(1):
        await room.share().wait()

    full.give_back()

    assert room.held == 0
    await read(room.share(), LONGEST)
