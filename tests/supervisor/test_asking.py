"""Asking and telling: who gets an answer, when, and what they are told when there is none."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.supervisor import (
    ActorDied,
    AskTimeout,
    CallCycle,
    ChildSpec,
    MailboxFull,
    MailboxSpec,
    NoSuchActor,
    Overflow,
    Overloaded,
    Reply,
    TellOutcome,
    open_system,
    origin,
)
from tests.supervisor.behaviours import Crash, Do, Echo, Journal, NotToday, Script, Work, script, tree


async def test_an_ask_returns_what_the_handler_returns(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        with trio.fail_after(1):
            assert await system.address("/root/script").ask(Echo(7), timeout=1) == 7


async def test_a_refusal_reaches_the_asker_as_itself_and_the_actor_goes_on(autojump_clock: MockClock) -> None:
    refusal = NotToday("come back tomorrow")
    async with open_system(tree(script())) as system:
        address = system.address("/root/script")
        with pytest.raises(NotToday) as caught:
            await address.ask(Crash(refusal), timeout=1)
        assert caught.value is refusal
        assert system.inspect("/root/script").node.restarts == 0


async def test_a_crash_tells_the_asker_at_once_and_chains_the_cause(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        with pytest.raises(ActorDied) as caught:
            await system.address("/root/script").ask(Crash(KeyError("gone")), timeout=60)
        assert isinstance(caught.value.__cause__, KeyError)
        assert system.now() == 0


async def test_a_timeout_says_how_long_the_request_queued_and_was_handled(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        address = system.address("/root/script")
        address.tell(Work(2))
        start = trio.current_time()
        with pytest.raises(AskTimeout) as caught:
            await address.ask(Work(10), timeout=5)
        assert trio.current_time() - start == pytest.approx(5)
        assert caught.value.queue_s == pytest.approx(2)
        assert caught.value.handler_s == pytest.approx(3)
        assert caught.value.message_type == "Work"
        assert caught.value.target_state == "handling"


async def test_the_timeout_covers_the_time_in_the_mailbox(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        address = system.address("/root/script")
        address.tell(Work(5))
        with pytest.raises(AskTimeout) as caught:
            await address.ask(Echo(), timeout=0.2)
        assert caught.value.handler_s is None
        assert trio.current_time() == pytest.approx(0.2)


async def test_an_expired_request_is_never_handled(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal))) as system:
        address = system.address("/root/script")
        address.tell(Work(5, "first"))
        with pytest.raises(AskTimeout):
            await address.ask(Work(1, "late"), timeout=1)
        await trio.sleep(10)
        assert "done first" in journal
        assert "done late" not in journal
        assert system.dead_letters.counts["expired"] == 1


async def test_an_abandoned_request_is_never_handled(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal))) as system:
        address = system.address("/root/script")
        address.tell(Work(5, "first"))
        with trio.move_on_after(1):
            await address.ask(Work(1, "late"), timeout=30)
        await trio.sleep(10)
        assert "done late" not in journal
        assert system.dead_letters.counts["abandoned"] == 1


async def test_a_running_handler_finishes_although_its_asker_gave_up(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal))) as system:
        with trio.move_on_after(1):
            await system.address("/root/script").ask(Work(5, "write"), timeout=30)
        await trio.sleep(10)
        assert "done write" in journal
        assert system.statistics().late_replies == 1


@pytest.mark.parametrize("gives_up", ["by its deadline", "by cancellation"])
async def test_a_cancellable_handler_is_cancelled_when_its_asker_gives_up(
    autojump_clock: MockClock, gives_up: str
) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal, cancellable=(Work,)))) as system:
        address = system.address("/root/script")
        if gives_up == "by its deadline":
            with pytest.raises(AskTimeout):
                await address.ask(Work(5, "search"), timeout=1)
        else:
            with trio.move_on_after(1):
                await address.ask(Work(5, "search"), timeout=30)
        with trio.fail_after(0.1):
            assert await address.ask(Echo("free"), timeout=1) == "free"
        assert "done search" not in journal
        assert system.inspect("/root/script").node.restarts == 0


async def test_a_callers_own_tighter_scope_applies_as_always(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        address = system.address("/root/script")
        with trio.move_on_after(1) as scope:
            await address.ask(Work(5), timeout=3)
        assert scope.cancelled_caught


async def test_a_nested_ask_has_no_more_time_than_what_is_left(autojump_clock: MockClock) -> None:
    async def relay(actor: Script) -> float:
        await trio.sleep(1)
        other = actor.ctx.system.address("/root/below")
        return await other.ask(Do(lambda below: below.ctx.deadline), timeout=60)

    async with open_system(tree(script("above"), script("below"))) as system:
        asked_at = system.now()
        deadline = await system.address("/root/above").ask(Do(relay), timeout=5)
        assert deadline == pytest.approx(asked_at + 5)


async def test_the_trace_id_travels_with_every_message_a_message_causes(autojump_clock: MockClock) -> None:
    async def relay(actor: Script) -> list[str]:
        other = actor.ctx.system.address("/root/below")
        return [actor.ctx.trace_id, await other.ask(Do(lambda below: below.ctx.trace_id), timeout=1)]

    async with open_system(tree(script("above"), script("below"))) as system:
        above = system.address("/root/above")
        here, there = await above.ask(Do(relay), timeout=1)
        assert here == there != ""
        with origin("request-1"):
            assert await above.ask(Do(relay), timeout=1) == ["request-1", "request-1"]


async def test_a_call_that_would_wait_for_itself_is_refused_at_once(autojump_clock: MockClock) -> None:
    async def back(actor: Script) -> object:
        return await actor.ctx.system.address("/root/above").ask(Echo(), timeout=60)

    async def there(actor: Script) -> object:
        return await actor.ctx.system.address("/root/below").ask(Do(caught), timeout=60)

    async def caught(actor: Script) -> object:
        with pytest.raises(CallCycle) as cycle:
            await back(actor)
        return cycle.value.chain

    async with open_system(tree(script("above"), script("below"))) as system:
        chain = await system.address("/root/above").ask(Do(there), timeout=5)
        assert chain == ("/root/above", "/root/below", "/root/above")
        assert system.now() == 0


async def test_a_background_task_may_be_asked_back(autojump_clock: MockClock) -> None:
    """Nobody waits for a background task, so what looks like a cycle is none."""
    answers: list[object] = []

    async def ask_myself(actor: Script) -> None:
        answers.append(await actor.ctx.address.ask(Echo("me"), timeout=1))

    async with open_system(tree(script())) as system:
        await system.address("/root/script").ask(Do(lambda a: a.ctx.start_task(ask_myself, a)), timeout=1)
        await wait_all_tasks_blocked()
        assert answers == ["me"]


async def test_a_deferred_reply_is_given_later_while_the_actor_goes_on(autojump_clock: MockClock) -> None:
    owed: list[Reply] = []
    async with open_system(tree(script())) as system, trio.open_nursery() as nursery:
        address = system.address("/root/script")
        answers: list[object] = []

        async def asker() -> None:
            answers.append(await address.ask(Do(lambda a: owed.append(a.ctx.defer())), timeout=5))

        nursery.start_soon(asker)
        await wait_all_tasks_blocked()
        assert await address.ask(Echo("meanwhile"), timeout=1) == "meanwhile"
        assert owed[0].is_awaited
        assert owed[0].send("later") is True
        await wait_all_tasks_blocked()
        assert answers == ["later"]


async def test_a_late_deferred_reply_is_counted_and_harms_nobody(autojump_clock: MockClock) -> None:
    owed: list[Reply] = []
    async with open_system(tree(script())) as system:
        with pytest.raises(AskTimeout):
            await system.address("/root/script").ask(Do(lambda a: owed.append(a.ctx.defer())), timeout=1)
        assert owed[0].send("too late") is False
        assert system.statistics().late_replies == 1


async def test_a_deferred_reply_dies_with_its_incarnation(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        address = system.address("/root/script")

        def defer_and_crash_soon(actor: Script) -> None:
            actor.ctx.defer()
            actor.ctx.address.tell(Crash())

        with pytest.raises(ActorDied):
            await address.ask(Do(defer_and_crash_soon), timeout=60)
        assert system.now() == 0


async def test_a_forwarded_request_is_answered_by_the_other_actor(autojump_clock: MockClock) -> None:
    def pass_on(actor: Script) -> None:
        actor.ctx.forward(actor.ctx.system.address("/root/below"), Do(lambda b: (b.ctx.name, b.ctx.deadline)))

    async with open_system(tree(script("above"), script("below"))) as system:
        assert await system.address("/root/above").ask(Do(pass_on), timeout=3) == ("below", 3.0)


async def test_forwarding_to_nobody_fails_the_asker_at_once(autojump_clock: MockClock) -> None:
    def pass_on(actor: Script) -> None:
        actor.ctx.forward(actor.ctx.system.address("/root/nobody"), Echo())

    async with open_system(tree(script())) as system:
        with pytest.raises(NoSuchActor):
            await system.address("/root/script").ask(Do(pass_on), timeout=60)


async def test_a_full_mailbox_refuses_at_once_and_says_when_to_retry(autojump_clock: MockClock) -> None:
    async with open_system(tree(script(mailbox=MailboxSpec(capacity=1)))) as system:
        address = system.address("/root/script")
        address.tell(Work(5))
        await wait_all_tasks_blocked()
        assert address.tell(Echo()) is TellOutcome.ACCEPTED
        assert address.tell(Echo()) is TellOutcome.REJECTED
        with pytest.raises(Overloaded) as caught:
            await address.ask(Echo(), timeout=60)
        assert caught.value.retry_after_s > 0
        assert system.now() == 0


async def test_send_waits_for_room(autojump_clock: MockClock) -> None:
    async with open_system(tree(script(mailbox=MailboxSpec(capacity=1)))) as system:
        address = system.address("/root/script")
        address.tell(Work(5))
        await wait_all_tasks_blocked()
        await address.send(Echo(), timeout=1)
        await address.send(Echo(), timeout=10)
        assert system.now() == pytest.approx(5)


async def test_send_gives_up_at_its_deadline_and_leaves_nothing_behind(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal, mailbox=MailboxSpec(capacity=1)))) as system:
        address = system.address("/root/script")
        address.tell(Work(5))
        await wait_all_tasks_blocked()
        address.tell("second")
        with pytest.raises(MailboxFull):
            await address.send("third", timeout=1)
        await trio.sleep(10)
        assert "told second" in journal
        assert "told third" not in journal


async def test_an_ask_waits_for_room_where_the_mailbox_blocks(autojump_clock: MockClock) -> None:
    async with open_system(tree(script(mailbox=MailboxSpec(capacity=1, overflow=Overflow.BLOCK)))) as system:
        address = system.address("/root/script")
        address.tell(Work(5))
        await wait_all_tasks_blocked()
        assert address.tell(Echo()) is TellOutcome.ACCEPTED
        assert address.tell(Echo()) is TellOutcome.REJECTED
        with pytest.raises(AskTimeout):
            await address.ask(Echo(1), timeout=1)
        assert await address.ask(Echo(2), timeout=10) == 2


async def test_nobody_there_is_said_at_once(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        nobody = system.address("/root/nobody")
        assert nobody.tell("hello") is TellOutcome.DEAD
        with pytest.raises(NoSuchActor):
            await nobody.ask(Echo(), timeout=60)
        with pytest.raises(NoSuchActor):
            await system.address("/root").ask(Echo(), timeout=60)
        assert system.dead_letters.counts["no_such_actor"] == 1


async def test_addresses_are_equal_by_path(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        own: Any = await system.address("/root/script").ask(Do(lambda actor: actor.ctx.address), timeout=1)
        assert own == system.address("/root/script")
        assert len({own, system.address("/root/script")}) == 1
        assert math.isinf(await own.ask(Do(lambda a: a.ctx.deadline), timeout=math.inf))


async def test_an_actor_does_not_keep_the_context_of_whoever_woke_it(autojump_clock: MockClock) -> None:
    from contextvars import ContextVar

    request: ContextVar[str] = ContextVar("request", default="none")
    async with open_system(tree(script())) as system:
        request.set("mine")
        await system.address("/root/script").ask(Do(lambda a: a.ctx.stop()), timeout=1)
        await wait_all_tasks_blocked()
        assert await system.address("/root/script").ask(Do(lambda _: request.get()), timeout=1) == "none"


async def test_a_long_burst_does_not_keep_others_from_running(autojump_clock: MockClock) -> None:
    order: list[str] = []

    class Busy(Script):
        async def handle(self, message: Any) -> object:
            order.append("busy")
            return None

    class Brief(Script):
        async def handle(self, message: Any) -> object:
            order.append("brief")
            return None

    busy = ChildSpec("busy", Busy, batch_max=10)
    async with open_system(tree(busy, ChildSpec("brief", Brief))) as system:
        for _ in range(200):
            system.address("/root/busy").tell("x")
        system.address("/root/brief").tell("x")
        await wait_all_tasks_blocked()
        assert order.index("brief") <= 20
        assert len(order) == 201
