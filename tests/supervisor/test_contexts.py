"""What an actor can do for itself: watch, stash, time, batch, hold, and how much of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.supervisor import (
    NOPROC,
    ActorDied,
    BatchActor,
    ChildSpec,
    Delivery,
    DynamicSpec,
    ExitKind,
    Holdings,
    MailboxSpec,
    Refusal,
    open_system,
)
from tests.supervisor.behaviours import Crash, Do, Echo, Journal, NotToday, Script, Work, script, tree


def watch(path: str) -> Do:
    return Do(lambda actor: actor.ctx.monitor(actor.ctx.system.address(path)))


DOWNS = Do(lambda actor: list(actor.downs))


async def test_a_watcher_is_told_once_when_an_incarnation_ends(autojump_clock: MockClock) -> None:
    async with open_system(tree(script("watcher"), script("watched"), intensity=9)) as system:
        watcher = system.address("/root/watcher")
        ref = await watcher.ask(watch("/root/watched"), timeout=1)
        for _ in range(2):
            system.address("/root/watched").tell(Crash())
            await wait_all_tasks_blocked()
        (down,) = await watcher.ask(DOWNS, timeout=1)
        assert down.ref == ref
        assert down.ref.incarnation == 1
        assert down.address == system.address("/root/watched")
        assert down.reason.kind is ExitKind.ERROR


async def test_each_of_two_monitors_gets_its_own_down(autojump_clock: MockClock) -> None:
    async with open_system(tree(script("watcher"), script("watched"))) as system:
        watcher = system.address("/root/watcher")
        refs = [await watcher.ask(watch("/root/watched"), timeout=1) for _ in range(2)]
        assert system.inspect("/root/watched").watched_by == ("/root/watcher",) * 2
        system.address("/root/watched").tell(Crash())
        await wait_all_tasks_blocked()
        assert [down.ref for down in await watcher.ask(DOWNS, timeout=1)] == refs


@pytest.mark.parametrize("path", ["/root/nobody", "/root/rooms/asleep"])
async def test_watching_nobody_is_answered_noproc_and_activates_nobody(
    autojump_clock: MockClock, path: str
) -> None:
    spec = tree(script("watcher"), DynamicSpec("rooms", "room", lambda _key: Script()))
    async with open_system(spec) as system:
        watcher = system.address("/root/watcher")
        await watcher.ask(watch(path), timeout=1)
        (down,) = await watcher.ask(DOWNS, timeout=1)
        assert down.reason == NOPROC
        assert system.statistics().actors == 1


async def test_demonitor_takes_back_even_a_down_that_is_on_its_way(autojump_clock: MockClock) -> None:
    def watch_and_think_again(actor: Script) -> None:
        ref = actor.ctx.monitor(actor.ctx.system.address("/root/nobody"))
        actor.ctx.demonitor(ref)
        actor.ctx.demonitor(ref)

    async with open_system(tree(script("watcher"))) as system:
        watcher = system.address("/root/watcher")
        await watcher.ask(Do(watch_and_think_again), timeout=1)
        await wait_all_tasks_blocked()
        assert await watcher.ask(DOWNS, timeout=1) == []


async def test_a_restarted_watcher_hears_nothing_of_what_the_last_one_watched(autojump_clock: MockClock) -> None:
    async with open_system(tree(script("watcher"), script("watched"))) as system:
        watcher = system.address("/root/watcher")
        await watcher.ask(watch("/root/watched"), timeout=1)
        watcher.tell(Crash())
        await wait_all_tasks_blocked()
        system.address("/root/watched").tell(Crash())
        await wait_all_tasks_blocked()
        assert await watcher.ask(DOWNS, timeout=1) == []
        assert system.inspect("/root/watched").watched_by == ()


async def test_a_down_overtakes_ordinary_mail(autojump_clock: MockClock) -> None:
    async with open_system(tree(script("watcher"), script("watched"))) as system:
        watcher = system.address("/root/watcher")
        await watcher.ask(watch("/root/watched"), timeout=1)
        watcher.tell(Work(1))
        await wait_all_tasks_blocked()
        seen_at_down = Do(lambda actor: len(actor.downs))
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                counts: list[int] = []

                async def ask() -> None:
                    counts.append(await watcher.ask(seen_at_down, timeout=5))

                nursery.start_soon(ask)
                await wait_all_tasks_blocked()
                system.address("/root/watched").tell(Crash())
        assert counts == [1]


class Locked(Script):
    """Puts aside whatever is not the key to it."""

    is_open = False

    async def handle(self, message: Any) -> object:
        if message == "open":
            self.is_open = True
            self.ctx.unstash_all()
        elif not self.is_open and not isinstance(message, Do):
            self.ctx.stash()
        else:
            return await super().handle(message)
        return None


async def test_stashed_messages_come_back_in_order_with_their_askers(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(ChildSpec("locked", lambda: Locked(journal)))) as system:
        address = system.address("/root/locked")
        address.tell("first")
        address.tell("second")
        async with trio.open_nursery() as nursery:
            answers: list[object] = []

            async def ask() -> None:
                answers.append(await address.ask(Echo("third"), timeout=5))

            nursery.start_soon(ask)
            await wait_all_tasks_blocked()
            assert journal == ["init locked"]
            address.tell("open")
        assert journal == ["init locked", "told first", "told second"]
        assert answers == ["third"]


async def test_stashed_messages_survive_a_crash(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(ChildSpec("locked", lambda: Locked(journal)))) as system:
        address = system.address("/root/locked")
        address.tell("first")
        await wait_all_tasks_blocked()
        with pytest.raises(ActorDied):
            await address.ask(Do(lambda _: 1 / 0), timeout=1)
        address.tell("open")
        await wait_all_tasks_blocked()
        assert "told first" in journal


async def test_a_stash_is_no_larger_than_the_mailbox(autojump_clock: MockClock) -> None:
    async with open_system(tree(ChildSpec("locked", Locked, mailbox=MailboxSpec(capacity=3)))) as system:
        address = system.address("/root/locked")
        for _ in range(4):
            address.tell("x")
            await wait_all_tasks_blocked()
        assert "MailboxFull" in system.inspect("/root/locked").exits[0].reason


async def test_a_timer_tells_the_actor_and_can_be_cancelled(autojump_clock: MockClock) -> None:
    journal = Journal()

    def set_timers(actor: Script) -> None:
        actor.ctx.tell_after(2, "two")
        actor.ctx.tell_after(1, "one")
        actor.ctx.tell_after(3, "never").cancel()

    async with open_system(tree(script(journal=journal))) as system:
        await system.address("/root/script").ask(Do(set_timers), timeout=1)
        await trio.sleep(5)
        assert journal == ["init script", "told one", "told two"]


async def test_timers_end_with_their_incarnation(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal))) as system:
        address = system.address("/root/script")
        await address.ask(Do(lambda actor: actor.ctx.tell_after(2, "ghost")), timeout=1)
        address.tell(Crash())
        await trio.sleep(5)
        assert "told ghost" not in journal


class Committer(BatchActor[Any]):
    def __init__(self) -> None:
        self.batches: list[list[Any]] = []

    async def handle_batch(self, batch: Sequence[Delivery[Any]]) -> None:
        await trio.sleep(1)
        self.batches.append([delivery.message for delivery in batch])
        for delivery in batch:
            match delivery.message:
                case Echo("refuse"):
                    delivery.fail(NotToday())
                case Echo("later"):
                    self.ctx.start_task(self._answer_later, self.ctx.defer(delivery))
                case Echo("refuse all"):
                    raise NotToday
                case Echo("crash"):
                    raise ValueError("crash")
                case Echo("silent"):
                    pass
                case Echo(value):
                    delivery.reply((value, len(batch)))

    async def _answer_later(self, reply: Any) -> None:
        await trio.sleep(1)
        reply.send("at last")


async def ask_all(address: Any, values: Sequence[str]) -> dict[str, object]:
    answers: dict[str, object] = {}

    async def ask(value: str) -> None:
        try:
            answers[value] = await address.ask(Echo(value), timeout=10)
        except (Refusal, ActorDied) as error:
            answers[value] = type(error)

    async with trio.open_nursery() as nursery:
        for value in values:
            nursery.start_soon(ask, value)
    return answers


async def test_an_actor_is_busy_with_a_batch_only_once(autojump_clock: MockClock) -> None:
    async with open_system(tree(ChildSpec("committer", Committer))) as system:
        await ask_all(system.address("/root/committer"), "abcd")
        node = system.inspect("/root/committer").node
        assert node.handled == 4
        assert node.busy_share == pytest.approx(0.1)


async def test_a_batch_is_all_that_is_pending(autojump_clock: MockClock) -> None:
    async with open_system(tree(ChildSpec("committer", Committer, batch_max=3))) as system:
        address = system.address("/root/committer")
        await ask_all(address, ["a"])
        answers = await ask_all(address, ["b", "c", "d", "e"])
        assert sorted(size for _, size in answers.values()) == [1, 3, 3, 3]  # type: ignore[misc]


async def test_each_of_a_batch_gets_its_own_answer(autojump_clock: MockClock) -> None:
    async with open_system(tree(ChildSpec("committer", Committer))) as system:
        answers = await ask_all(system.address("/root/committer"), ["refuse", "later", "silent", "x"])
        assert answers == {"refuse": NotToday, "later": "at last", "silent": None, "x": ("x", 4)}


async def test_a_refusal_answers_all_of_a_batch_and_a_crash_ends_all(autojump_clock: MockClock) -> None:
    async with open_system(tree(ChildSpec("committer", Committer))) as system:
        address = system.address("/root/committer")
        assert await ask_all(address, ["refuse all"]) == {"refuse all": NotToday}
        assert await ask_all(address, ["crash"]) == {"crash": ActorDied}
        assert system.inspect("/root/committer").node.incarnation == 2


async def test_a_message_over_its_budget_ends_the_incarnation(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal, message_budget_s=2))) as system:
        address = system.address("/root/script")
        for _ in range(3):
            await address.ask(Work(1.5), timeout=5)
        with pytest.raises(ActorDied) as caught:
            await address.ask(Work(5), timeout=60)
        assert str(caught.value.reason) == "budget(message)"
        assert system.now() == pytest.approx(6.5)
        await wait_all_tasks_blocked()
        assert system.inspect("/root/script").node.state == "running"


@pytest.mark.parametrize(
    ("budget", "holdings", "take"),
    [
        ("tasks", Holdings(tasks=2), lambda actor: actor.ctx.start_task(trio.sleep_forever)),
        ("timers", Holdings(timers=2), lambda actor: actor.ctx.tell_after(60, "x")),
        ("monitors", Holdings(monitors=2), lambda actor: actor.ctx.monitor(actor.ctx.system.address("/root/b"))),
    ],
)
async def test_an_actor_holds_no_more_than_it_may(
    autojump_clock: MockClock, budget: str, holdings: Holdings, take: Any
) -> None:
    async with open_system(tree(script(holdings=holdings), script("b"))) as system:
        address = system.address("/root/script")
        for _ in range(2):
            await address.ask(Do(lambda actor: take(actor) and None), timeout=1)
        with pytest.raises(ActorDied, match=rf"budget\({budget}\)"):
            await address.ask(Do(take), timeout=1)


async def test_replies_that_nobody_waits_for_do_not_count_as_owed(autojump_clock: MockClock) -> None:
    defer = Do(lambda actor: actor.ctx.defer() and None)
    async with open_system(tree(script(holdings=Holdings(deferred=2)))) as system:
        address = system.address("/root/script")
        for _ in range(6):
            with trio.move_on_after(1):
                await address.ask(defer, timeout=60)
        assert system.inspect("/root/script").node.restarts == 0
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(ask_and_ignore, address, defer)
            await wait_all_tasks_blocked()
            with pytest.raises(ActorDied, match=r"budget\(deferred\)"):
                await address.ask(defer, timeout=60)


async def ask_and_ignore(address: Any, request: Any) -> None:
    with pytest.raises(ActorDied):
        await address.ask(request, timeout=60)


async def test_randomness_is_the_actors_own_and_follows_the_seed(autojump_clock: MockClock) -> None:
    async def draw(seed: int, path: str, noise: int) -> float:
        async with open_system(tree(script("a"), script("b")), seed=seed) as system:
            for _ in range(noise):
                await system.address("/root/b").ask(Do(lambda actor: actor.ctx.rng.random()), timeout=1)
            number: float = await system.address(path).ask(Do(lambda actor: actor.ctx.rng.random()), timeout=1)
            return number

    assert await draw(1, "/root/a", noise=0) == await draw(1, "/root/a", noise=5)
    assert await draw(1, "/root/a", noise=0) != await draw(2, "/root/a", noise=0)
    assert await draw(1, "/root/a", noise=0) != await draw(1, "/root/b", noise=0)


async def test_what_outlives_an_incarnation_cannot_act_for_the_next(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        address = system.address("/root/script")
        old = await address.ask(Do(lambda actor: actor.ctx), timeout=1)
        address.tell(Crash())
        await wait_all_tasks_blocked()
        for act in (
            lambda: old.start_task(trio.sleep, 1),
            lambda: old.tell_after(1, "x"),
            lambda: old.monitor(address),
            old.stop,
            old.passivate,
        ):
            with pytest.raises(RuntimeError, match="is over"):
                act()
        assert await address.ask(Echo(1), timeout=1) == 1
