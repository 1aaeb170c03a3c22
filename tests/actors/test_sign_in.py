"""Accounts, sessions and tickets."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from greenroom.schema.errors import EmailTaken, InvalidCredentials, NotAuthenticated
from greenroom.schema.records import Role
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
    async with a_world() as world:
        token = world.tokens[world.maya.user.id]
        await trio.sleep(12 * 3600 - 1)
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


def _note_operations(world: World) -> list[str]:
    operations: list[str] = []
    before = world.database.faults

    async def noting(point: object) -> None:
        operations.append(point.operation)  # type: ignore[attr-defined]
        await before(point)  # type: ignore[arg-type]

    world.database.faults = noting
    return operations
