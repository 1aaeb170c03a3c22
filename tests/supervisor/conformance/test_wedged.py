"""Actors that could not be ended when they should have been, and what becomes of them when they end after all."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from greenroom.supervisor import (
    Actor,
    ActorDied,
    ActorSystem,
    ChildSpec,
    DynamicSpec,
    NoSuchActor,
    Request,
    Restart,
    StartFailed,
    SupervisorSpec,
    TellOutcome,
    open_system,
)
from tests.supervisor.conformance.trees import patient
from tests.supervisor.scheduling import run_seeded

STATIC, VIRTUAL = "/root/static", "/root/virtual/x"


@dataclass(frozen=True, slots=True)
class Stick:
    """Have the actor shield itself until it is pried off; somewhere else first, perhaps."""

    in_background: bool = False


class Ping(Request[str]):
    pass


@dataclass(slots=True)
class Glue:
    pried_off: trio.Event = field(default_factory=trio.Event)
    sticks_in_start: int = 0  # the number of the start that gets stuck
    starts: int = 0

    async def hold(self) -> None:
        with trio.CancelScope(shield=True):
            await self.pried_off.wait()


class Sticky(Actor[Stick | Ping]):
    def __init__(self, glue: Glue) -> None:
        self._glue = glue

    async def init(self) -> None:
        self._glue.starts += 1
        if self._glue.starts == self._glue.sticks_in_start:
            await self._glue.hold()

    async def handle(self, message: Stick | Ping) -> str:
        match message:
            case Stick(in_background=True):
                self.ctx.start_task(self._glue.hold)
                await trio.sleep(0.1)
                raise ValueError(message)
            case Stick():
                await self._glue.hold()
        return "pong"


def tree(glue: Glue, restart: Restart = Restart.PERMANENT) -> SupervisorSpec:
    bounds = {"message_budget_s": 1.0, "init_timeout_s": 1.0, "terminate_s": 1.0, "shutdown_s": 1.0}
    return patient(
        ChildSpec("static", lambda: Sticky(glue), restart=restart, **bounds),
        DynamicSpec("virtual", "sticky", lambda _key: Sticky(glue), restart=restart, **bounds),
    )


def state(system: ActorSystem, path: str) -> str:
    try:
        return system.inspect(path).node.state
    except NoSuchActor:
        return "gone"


@pytest.mark.parametrize("path", [STATIC, VIRTUAL])
@pytest.mark.parametrize("in_background", [False, True])
@pytest.mark.parametrize(
    ("restart", "after"),
    [(Restart.PERMANENT, "running"), (Restart.TRANSIENT, "running"), (Restart.TEMPORARY, "gone")],
)
def test_what_was_wedged_by_its_own_fault_is_restarted_by_its_type_once_it_ends(
    path: str, in_background: bool, restart: Restart, after: str
) -> None:
    async def main() -> None:
        glue = Glue()
        async with open_system(tree(glue, restart)) as system:
            try:
                system.address(path).tell(Stick(in_background))
                await trio.sleep(10.0)
                assert state(system, path) == "wedged"
            finally:
                glue.pried_off.set()
            await wait_all_tasks_blocked()
            assert state(system, path) == after

    run_seeded(main, seed=1)


def test_a_restart_that_is_wedged_in_its_start_is_tried_again_once_it_ends() -> None:
    async def main() -> None:
        glue = Glue(sticks_in_start=2)
        async with open_system(tree(glue)) as system:
            try:
                with pytest.raises(StartFailed):
                    await system.restart(STATIC)
                await trio.sleep(10.0)
                assert state(system, STATIC) == "wedged"
            finally:
                glue.pried_off.set()
            await wait_all_tasks_blocked()
            assert await system.address(STATIC).ask(Ping(), timeout=1.0) == "pong"
            assert glue.starts == 3

    run_seeded(main, seed=1)


@pytest.mark.parametrize("path", [STATIC, VIRTUAL])
def test_an_actor_restarted_while_it_is_stuck_comes_back_with_its_mail_once_it_ends(path: str) -> None:
    async def main() -> None:
        glue = Glue()
        async with open_system(tree(glue)) as system, trio.open_nursery() as nursery:
            answers: list[str] = []

            async def ask() -> None:
                answers.append(await system.address(path).ask(Ping(), timeout=60.0))

            try:
                system.address(path).tell(Stick())
                await wait_all_tasks_blocked()
                nursery.start_soon(ask)
                nursery.start_soon(try_restart, system, path)
                await trio.sleep(10.0)
                assert answers == []
            finally:
                glue.pried_off.set()
            await wait_all_tasks_blocked()
            assert answers == ["pong"]
            assert glue.starts == (2 if path == STATIC else 3)  # of both actors, or of the static one alone

    run_seeded(main, seed=1)


async def try_restart(system: ActorSystem, path: str) -> None:
    with suppress(StartFailed):
        await system.restart(path)


@pytest.mark.parametrize("path", [STATIC, VIRTUAL])
def test_mail_for_a_wedged_actor_that_was_stopped_for_good_is_refused_at_once(path: str) -> None:
    async def main() -> None:
        glue = Glue()
        async with open_system(tree(glue)) as system:
            try:
                system.address(path).tell(Stick())
                await wait_all_tasks_blocked()
                await system.stop_child(path)
                stopped_at = trio.current_time()

                assert state(system, path) == "wedged"
                assert system.address(path).tell(Ping()) is TellOutcome.DEAD
                with pytest.raises(ActorDied):
                    await system.address(path).ask(Ping(), timeout=60.0)
                assert trio.current_time() == stopped_at
            finally:
                glue.pried_off.set()
            await wait_all_tasks_blocked()
            assert state(system, path) == ("stopped" if path == STATIC else "gone")

    run_seeded(main, seed=1)
