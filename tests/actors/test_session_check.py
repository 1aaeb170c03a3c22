"""Streams of sessions that ended while nobody told this worker."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.session_check import SESSION_CHECK_S
from greenroom.schema.errors import NotAuthenticated, StorageUnavailable
from greenroom.schema.records import Role
from greenroom.storage.memory.faults import FaultPoint
from greenroom.storage.ports import BusNote, Revocation
from tests.actors.world import EPOCH, Listener, World, a_world, data, listening

INTERVAL_S = SESSION_CHECK_S[1]


def no_revocations(note: BusNote) -> bool:
    return not isinstance(note, Revocation)


async def end_elsewhere(world: World) -> None:
    """End Tomás' session as another worker would: here only the database knows."""
    tables = world.database.tables
    tables.sessions[world.tomas.session_id] = replace(
        tables.sessions[world.tomas.session_id], revoked_at=EPOCH + timedelta(seconds=trio.current_time())
    )


async def test_a_stream_ends_within_the_interval_when_the_note_of_its_revocation_is_lost(
    autojump_clock: MockClock,
) -> None:
    async with a_world(arrives=no_revocations) as world:
        token = world.tokens[world.tomas.user.id]
        await world.core.sign_in.authenticate(token)
        async with listening(world, world.tomas) as tomas, listening(world, world.maya) as maya:
            await end_elsewhere(world)
            ended_at = trio.current_time()
            await tomas.until(lambda c: bool(c.named("closing")))

            assert data(tomas.frames[-1]) == {"reason": "revoked", "reconnect": False}
            assert trio.current_time() - ended_at <= INTERVAL_S
            assert not maya.named("closing")
        with pytest.raises(NotAuthenticated):  # not even from memory
            await world.core.sign_in.authenticate(token)


async def test_a_session_that_ended_elsewhere_is_not_believed_from_memory_for_longer_than_the_interval(
    autojump_clock: MockClock,
) -> None:
    async with a_world(arrives=no_revocations) as world:
        token = world.tokens[world.tomas.user.id]
        await world.core.sign_in.authenticate(token)
        await end_elsewhere(world)
        await trio.sleep(INTERVAL_S + 1)

        with pytest.raises(NotAuthenticated):
            await world.core.sign_in.authenticate(token)


async def test_signing_out_here_ends_the_stream_at_once_without_any_bus(autojump_clock: MockClock) -> None:
    async with a_world(arrives=lambda note: False) as world, listening(world, world.tomas) as tomas:
        ended_at = trio.current_time()
        await world.core.sign_in.logout(world.tomas)
        await tomas.until(lambda c: bool(c.named("closing")))

        assert data(tomas.frames[-1]) == {"reason": "revoked", "reconnect": False}
        assert trio.current_time() == ended_at


async def test_deactivating_a_user_ends_their_streams(autojump_clock: MockClock) -> None:
    async with a_world() as world, listening(world, world.tomas) as tomas:
        users = world.database.tables.users
        users[world.tomas.user.id] = replace(users[world.tomas.user.id], is_active=False)
        with trio.fail_after(INTERVAL_S + 1):
            await tomas.until(lambda c: bool(c.named("closing")))

        assert data(tomas.frames[-1])["reason"] == "revoked"


async def test_a_session_that_was_shortened_ends_its_stream_as_expired(autojump_clock: MockClock) -> None:
    async with a_world() as world, listening(world, world.tomas) as tomas:
        sessions = world.database.tables.sessions
        sessions[world.tomas.session_id] = replace(sessions[world.tomas.session_id], expires_at=EPOCH)
        with trio.fail_after(INTERVAL_S + 1):
            await tomas.until(lambda c: bool(c.named("closing")))

        assert data(tomas.frames[-1])["reason"] == "expired"


async def test_all_sessions_of_a_worker_are_checked_with_one_query(autojump_clock: MockClock) -> None:
    async with a_world() as world, trio.open_nursery() as nursery:
        for n in range(50):
            person = await world.join(f"student{n}", Role.STUDENT)
            await nursery.start(Listener().run, world.core, person)
        queries = 0

        async def count(point: FaultPoint) -> None:
            nonlocal queries
            queries += point.operation == "accounts.ended_sessions"
            await trio.lowlevel.checkpoint()

        world.database.faults = count
        await trio.sleep(INTERVAL_S * 10)

        assert 20 <= queries <= 2 * 10 * INTERVAL_S / SESSION_CHECK_S[0] + 2  # each is noted before and after
        nursery.cancel_scope.cancel()


async def test_a_database_that_is_away_ends_no_stream_and_the_check_goes_on_when_it_is_back(
    autojump_clock: MockClock,
) -> None:
    async with a_world(arrives=no_revocations) as world, listening(world, world.tomas) as tomas:

        async def be_away(point: FaultPoint) -> None:
            raise StorageUnavailable("The database is away.")

        before, world.database.faults = world.database.faults, be_away
        await end_elsewhere(world)
        await trio.sleep(60)
        assert not tomas.named("closing")
        world.database.faults = before
        with trio.fail_after(INTERVAL_S + 1):
            await tomas.until(lambda c: bool(c.named("closing")))
