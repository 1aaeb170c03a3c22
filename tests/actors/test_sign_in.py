"""Accounts, sessions and tickets."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.actors.core_settings import CoreSettings
from greenroom.schema.errors import (
    EmailTaken,
    InvalidCredentials,
    NotAuthenticated,
    PoolExhausted,
    StorageUnavailable,
)
from greenroom.schema.records import Role
from greenroom.storage.memory.faults import FaultPoint, Phase
from greenroom.storage.passwords import SimulatedPasswords
from tests.actors.world import PASSWORD, World, a_world


async def test_an_address_is_taken_in_any_spelling_of_case(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        with pytest.raises(EmailTaken):
            await world.core.sign_in.register(
                email="MAYA@example.com", password=PASSWORD, display_name="Other", role=Role.STUDENT
            )


@pytest.mark.parametrize(("email", "password"), [("nobody@example.com", PASSWORD), ("maya@example.com", "wrong")])
async def test_unknown_account_and_wrong_password_look_alike(
    email: str, password: str, autojump_clock: MockClock
) -> None:
    async with a_world() as world:
        with pytest.raises(InvalidCredentials, match=r"^The e-mail address or the password is wrong\.$"):
            await world.core.sign_in.login(email=email, password=password)


async def test_a_password_that_was_changed_while_a_try_waits_for_its_turn_is_the_old_one(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        login = partial(world.core.sign_in.login, email="maya@example.com")
        changed = await SimulatedPasswords().hash("another password")
        looked_up = 0
        before = world.database.faults

        async def change_it_amid_the_first(point: FaultPoint) -> None:
            nonlocal looked_up
            looked_up += point == FaultPoint("accounts.credentials", Phase.AFTER)
            if looked_up == 2:  # the first try has its turn, and the second is yet to come
                await trio.sleep(1)
                world.database.faults = before
                world.database.tables.password_hashes[world.maya.user.id] = changed
            await before(point)

        async def be_refused() -> None:
            await trio.sleep(0.5)
            with pytest.raises(InvalidCredentials):
                await login(password=PASSWORD)

        world.database.faults = change_it_amid_the_first
        async with trio.open_nursery() as nursery:
            nursery.start_soon(be_refused)
            await login(password=PASSWORD)

        assert (await login(password="another password")).identity.user == world.maya.user


async def test_a_confirmed_session_costs_no_query_for_a_minute(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        token = world.tokens[world.maya.user.id]
        await world.core.sign_in.authenticate(token)
        operations = _note_operations(world)

        await world.core.sign_in.authenticate(token)
        assert operations == []
        await trio.sleep(61)
        await world.core.sign_in.authenticate(token)
        assert "accounts.session" in operations


async def test_after_logout_the_token_is_dead_at_once(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        token = world.tokens[world.maya.user.id]
        identity = await world.core.sign_in.authenticate(token)
        await world.core.sign_in.logout(identity)
        await world.core.sign_in.logout(identity)
        with pytest.raises(NotAuthenticated):
            await world.core.sign_in.authenticate(token)


async def test_a_session_ends_when_its_life_is_over_even_if_it_was_just_confirmed(
    autojump_clock: MockClock,
) -> None:
    async with a_world(settings=CoreSettings(session_life=timedelta(hours=1))) as world:
        token = world.tokens[world.maya.user.id]
        await trio.sleep(3600 - 1)
        await world.core.sign_in.authenticate(token)
        await trio.sleep(2)
        with pytest.raises(NotAuthenticated, match="expired"):
            await world.core.sign_in.authenticate(token)


async def test_a_ticket_is_good_for_reconnects_until_it_expires(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        ticket = await world.core.sign_in.issue_ticket(world.maya)
        for _ in range(3):
            assert (await world.core.sign_in.redeem(ticket.ticket)).user == world.maya.user
        await trio.sleep(601)
        with pytest.raises(NotAuthenticated, match="expired"):
            await world.core.sign_in.redeem(ticket.ticket)


async def test_a_ticket_dies_with_its_session(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        ticket = await world.core.sign_in.issue_ticket(world.maya)
        await world.core.sign_in.logout(world.maya)
        with pytest.raises(NotAuthenticated):
            await world.core.sign_in.redeem(ticket.ticket)


@pytest.mark.parametrize(
    "change", ["", "x", "{id}", "{id}.9999999999.", "{id}.9999999999.{seal}", "\N{SNOWMAN}.1.2"]
)
async def test_a_forged_ticket_is_refused(change: str, autojump_clock: MockClock) -> None:
    async with a_world() as world:
        session_id, _, seal = (await world.core.sign_in.issue_ticket(world.maya)).ticket.split(".")
        with pytest.raises(NotAuthenticated):
            await world.core.sign_in.redeem(change.format(id=session_id, seal=seal))


async def test_a_session_read_before_it_ended_is_neither_believed_nor_kept(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        token = world.tokens[world.maya.user.id]
        at_the_database, go_on = trio.Event(), trio.Event()
        before = world.database.faults

        async def hold(point: FaultPoint) -> None:
            if point == FaultPoint("accounts.session", Phase.AFTER) and not at_the_database.is_set():
                at_the_database.set()
                await go_on.wait()
            await before(point)

        world.database.faults = hold
        async with trio.open_nursery() as nursery:

            async def be_refused() -> None:
                with pytest.raises(NotAuthenticated):
                    await world.core.sign_in.authenticate(token)

            nursery.start_soon(be_refused)
            await at_the_database.wait()
            await world.core.sign_in.logout(world.maya)
            go_on.set()

        with pytest.raises(NotAuthenticated):
            await world.core.sign_in.authenticate(token)


async def test_those_who_ask_for_the_same_session_at_once_share_one_query(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        operations = _note_operations(world)
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(world.core.sign_in.authenticate, world.tokens[world.maya.user.id])

    assert operations.count("accounts.session") == 2  # before and after: one query


async def test_whoever_waits_for_another_s_query_asks_when_that_one_left(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        token = world.tokens[world.maya.user.id]
        world.database.faults = _slowly
        async with trio.open_nursery() as nursery:
            with trio.move_on_after(0.1):
                async with trio.open_nursery() as leaving:
                    leaving.start_soon(world.core.sign_in.authenticate, token)
                    await wait_all_tasks_blocked()
                    nursery.start_soon(partial(world.core.sign_in.authenticate, token, patience_s=5))


async def test_an_unreachable_database_fails_all_who_wait_with_one_attempt(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        attempts = 0

        async def be_away(point: FaultPoint) -> None:
            nonlocal attempts
            if point.operation == "accounts.session":
                attempts += 1
                await trio.sleep(0.1)
                raise StorageUnavailable("The database is away.")
            await trio.lowlevel.checkpoint()

        world.database.faults = be_away
        async with trio.open_nursery() as nursery:

            async def be_refused() -> None:
                with pytest.raises(StorageUnavailable):
                    await world.core.sign_in.authenticate(world.tokens[world.maya.user.id])

            for _ in range(20):
                nursery.start_soon(be_refused)

        assert attempts == 1


async def test_a_stream_waits_for_its_turn_where_a_request_is_refused(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        people = [await world.join(f"student{n}", Role.STUDENT) for n in range(40)]
        world.database.faults = _slowly
        refused = 0

        async def ask(token: str) -> None:
            nonlocal refused
            try:
                await world.core.sign_in.authenticate(token)
            except PoolExhausted:
                refused += 1

        async with trio.open_nursery() as nursery:
            for person in people[:20]:
                token = world.tokens[person.user.id]
                nursery.start_soon(partial(world.core.sign_in.authenticate, token, patience_s=10))
            await wait_all_tasks_blocked()
            for person in people[20:]:
                nursery.start_soon(ask, world.tokens[person.user.id])

        assert refused == 20


async def test_a_ticket_costs_no_query_where_its_session_is_known(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        ticket = await world.core.sign_in.issue_ticket(world.maya)
        operations = _note_operations(world)
        await world.core.sign_in.redeem(ticket.ticket)

        assert operations == []


async def _slowly(point: FaultPoint) -> None:
    await trio.sleep(0.2)


def _note_operations(world: World) -> list[str]:
    operations: list[str] = []
    before = world.database.faults

    async def noting(point: object) -> None:
        operations.append(point.operation)  # type: ignore[attr-defined]
        await before(point)  # type: ignore[arg-type]

    world.database.faults = noting
    return operations
