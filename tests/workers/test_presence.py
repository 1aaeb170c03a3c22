"""Who is online, when people are connected to different workers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from trio.testing import MockClock

from greenroom.actors.core import Core
from greenroom.actors.identity import Identity
from greenroom.actors.presence import LEASE_S, LINGER_S, RENEW_S
from greenroom.schema.ids import UserId
from greenroom.storage.ports import Present
from tests.actors.world import Listener, data
from tests.workers.cores import Cores, two_cores

SOON_S = 0.5


@asynccontextmanager
async def connected(core: Core, who: Identity) -> AsyncIterator[Listener]:
    listener = Listener()
    async with trio.open_nursery() as nursery:
        await nursery.start(listener.run, core, who, None)
        yield listener
        nursery.cancel_scope.cancel()


def told(listener: Listener) -> list[bool]:
    """What a client was told about presence, in order."""
    return [data(frame)["online"] for frame in listener.named("presence")]


def is_online(cores: Cores, who: Identity) -> list[bool]:
    """What each worker says of a user."""
    return [core.board.is_online(who.user.id) for core in (cores.first, cores.second)]


async def test_a_user_of_one_worker_is_online_on_the_other(autojump_clock: MockClock) -> None:
    async with two_cores() as cores, connected(cores.first, cores.tomas) as tomas:
        async with connected(cores.second, cores.maya):
            await trio.sleep(SOON_S)
            assert is_online(cores, cores.maya) == [True, True]
            assert told(tomas) == [True]
        await trio.sleep(LINGER_S + SOON_S)
        assert is_online(cores, cores.maya) == [False, False]
        assert told(tomas) == [True, False]


async def test_moving_to_another_worker_is_no_news(autojump_clock: MockClock) -> None:
    async with two_cores() as cores, connected(cores.first, cores.tomas) as tomas:
        async with connected(cores.first, cores.maya):
            await trio.sleep(SOON_S)
        await trio.sleep(3)
        async with connected(cores.second, cores.maya):
            await trio.sleep(3 * LINGER_S)
            assert is_online(cores, cores.maya) == [True, True]
            assert told(tomas) == [True]


async def test_a_user_on_two_workers_leaves_with_the_last(autojump_clock: MockClock) -> None:
    async with two_cores() as cores, connected(cores.first, cores.tomas) as tomas:
        async with connected(cores.second, cores.maya):
            async with connected(cores.first, cores.maya):
                await trio.sleep(SOON_S)
            await trio.sleep(2 * LINGER_S)
            assert told(tomas) == [True]
        await trio.sleep(LINGER_S + SOON_S)
        assert told(tomas) == [True, False]


async def test_a_lease_is_renewed_for_as_long_as_the_user_stays(autojump_clock: MockClock) -> None:
    async with two_cores() as cores, connected(cores.second, cores.maya):
        await trio.sleep(10 * LEASE_S)
        assert is_online(cores, cores.maya) == [True, True]


async def test_the_users_of_a_worker_that_was_killed_go_offline_when_their_lease_ends(
    autojump_clock: MockClock,
) -> None:
    async with two_cores() as cores, connected(cores.first, cores.tomas) as tomas, trio.open_nursery() as nursery:
        await nursery.start(Listener().run, cores.second, cores.maya, None)
        await trio.sleep(SOON_S)
        cores.kill_second()
        await trio.sleep(LEASE_S / 2)
        assert cores.first.board.is_online(cores.maya.user.id)
        await trio.sleep(LEASE_S / 2 + RENEW_S[1] + SOON_S)
        assert not cores.first.board.is_online(cores.maya.user.id)
        assert told(tomas) == [True, False]
        nursery.cancel_scope.cancel()


async def test_peers_are_told_of_a_worker_that_died_just_after_speaking_of_somebody_else(
    autojump_clock: MockClock,
) -> None:
    """It comes first by name: if its last word let it count as living, nobody would tell."""
    async with two_cores() as cores, connected(cores.second, cores.tomas) as tomas:
        await cores.bus.publish([Present("worker-0", (cores.maya.user.id,), LEASE_S)])
        await trio.sleep(RENEW_S[1] - SOON_S)
        await cores.bus.publish([Present("worker-0", (UserId("01ARZ3NDEKTSV4RRFFQ69G5FAV"),), LEASE_S)])
        await trio.sleep(LEASE_S + RENEW_S[1] + SOON_S)
        assert is_online(cores, cores.maya) == [False, False]
        assert told(tomas) == [False]


async def test_a_word_that_was_lost_is_said_again(autojump_clock: MockClock) -> None:
    lost: list[Present] = []

    def arrives(note: object) -> bool:
        if isinstance(note, Present) and note.user_ids and not lost:
            lost.append(note)
            return False
        return True

    async with two_cores(arrives=arrives) as cores, connected(cores.second, cores.maya):
        await trio.sleep(RENEW_S[1] + SOON_S)
        assert lost
        assert is_online(cores, cores.maya) == [True, True]


async def test_missing_news_is_asked_for_at_once(autojump_clock: MockClock) -> None:
    is_cut = False
    async with two_cores(arrives=lambda note: not (is_cut and isinstance(note, Present))) as cores:
        await trio.sleep(RENEW_S[1])
        is_cut = True
        async with connected(cores.second, cores.maya):
            await trio.sleep(2)
            assert is_online(cores, cores.maya) == [False, True]
            is_cut = False
            cores.bus.interrupt()
            await trio.sleep(1 + SOON_S)
            assert is_online(cores, cores.maya) == [True, True]


async def test_typing_reaches_the_other_worker(autojump_clock: MockClock) -> None:
    async with two_cores() as cores, connected(cores.second, cores.tomas) as tomas:
        await cores.first.messaging.set_typing(cores.maya, cores.talk, is_typing=True)
        await trio.sleep(SOON_S)
        assert [data(frame)["is_typing"] for frame in tomas.named("typing")] == [True]
