"""Looking at many actors without keeping anybody waiting, and knowing on whose behalf a task works."""

from __future__ import annotations

from dataclasses import replace

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.supervisor import (
    Actor,
    ActorQuery,
    ChildSpec,
    DynamicSpec,
    SupervisorSpec,
    Whereabouts,
    open_system,
    origin,
    whereabouts,
)
from greenroom.supervisor.inspection import SCAN_CHUNK, Ranking
from tests.supervisor.behaviours import Script, Work, script, tree

MANY = 3 * SCAN_CHUNK
ROOMS = DynamicSpec("rooms", "room", lambda _key: Script(), max_children=MANY)


async def test_a_scan_finds_what_a_single_look_finds(autojump_clock: MockClock) -> None:
    async with open_system(tree(ROOMS, script())) as system:
        for number in range(MANY):
            system.virtual("room", f"{number:05}").tell(Work(0))
        await wait_all_tasks_blocked()

        query = ActorQuery(limit=7, key_prefix="01")
        single_look = Ranking(query, system.now())
        single_look.look_at(system.registry.children())
        at_once = single_look.page()
        by_chunks = await system.rank(query)
        onward = await system.rank(replace(query, cursor=by_chunks.cursor))

        assert [node.path for node in by_chunks.actors] == [node.path for node in at_once.actors]
        assert by_chunks.cursor == at_once.cursor
        assert not {node.path for node in onward.actors} & {node.path for node in by_chunks.actors}


async def test_others_run_while_many_actors_are_looked_at(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    async with open_system(tree(ROOMS)) as system:
        for number in range(MANY):
            system.virtual("room", f"{number:05}").tell(Work(0))
        await wait_all_tasks_blocked()
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        nursery.start_soon(count)
        await system.rank()
        assert turns >= MANY // SCAN_CHUNK
        nursery.cancel_scope.cancel()


async def test_calls_in_flight_are_the_longest_first(autojump_clock: MockClock) -> None:
    async with open_system(tree(ROOMS)) as system:
        for seconds in (3, 2, 1):
            system.virtual("room", f"started-{seconds}-s-ago").tell(Work(10))
            await trio.sleep(1)

        calls = await system.longest_calls(limit=2)

        assert [node.key for node in calls] == ["started-3-s-ago", "started-2-s-ago"]


async def test_the_stack_shows_where_an_actor_stands(autojump_clock: MockClock) -> None:
    async with open_system(tree(script("a"))) as system:
        system.address("/root/a").tell(Work(10))
        await wait_all_tasks_blocked()
        assert any("Script.handle" in frame for frame in system.stack("/root/a"))


class Witness(Actor[str]):
    """Remembers where its handler and its background task stood."""

    seen: dict[str, Whereabouts | None]

    async def init(self) -> None:
        self.seen = {}

    async def handle(self, message: str) -> dict[str, Whereabouts | None]:
        self.seen["handler"] = whereabouts()
        self.ctx.start_task(self._aside)
        await wait_all_tasks_blocked()
        return self.seen

    async def _aside(self) -> None:
        self.seen["background"] = whereabouts()


async def test_a_task_knows_for_whom_it_works() -> None:
    assert whereabouts() is None
    async with open_system(SupervisorSpec("root", (ChildSpec("witness", Witness),))) as system:
        with origin("request-1"):
            assert whereabouts() == Whereabouts(None, "request-1")
            seen = await system.address("/root/witness").ask("look", timeout=5)
        assert seen["handler"] == Whereabouts("/root/witness", "request-1")
        assert seen["background"].actor == "/root/witness"
        assert whereabouts() is None
