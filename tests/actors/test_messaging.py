"""Conversations and messages as signed-in users deal with them."""

from __future__ import annotations

from random import Random

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from greenroom.actors.commands import FirstMessage
from greenroom.schema.errors import (
    ConversationNotFound,
    FieldError,
    InvalidInput,
    PermissionDenied,
    UserNotFound,
)
from greenroom.schema.ids import ConversationId, UserId
from greenroom.schema.records import ConversationState, MessageKind, Role
from tests.actors.world import World, a_world, data, listening

NOBODY = UserId("01ARZ3NDEKTSV4RRFFQ69G5FAV")


async def test_racing_opens_get_one_conversation(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        ids: list[str] = []
        created: list[bool] = []

        async def open_it(by_student: bool) -> None:
            me, other = (world.maya, world.tomas) if by_student else (world.tomas, world.maya)
            opened = await world.core.messaging.open_conversation(me, other.user.id, None)
            ids.append(opened.view.conversation.id)
            created.append(opened.created)

        async with trio.open_nursery() as nursery:
            for n in range(10):
                nursery.start_soon(open_it, n % 2 == 0)

        assert len(set(ids)) == 1
        assert created.count(True) == 1


async def test_opening_can_carry_the_first_message_and_tells_both_sides(autojump_clock: MockClock) -> None:
    async with a_world() as world, listening(world, world.tomas) as tomas:
        opened = await world.core.messaging.open_conversation(
            world.maya, world.tomas.user.id, FirstMessage("Hello!", "c1")
        )
        again = await world.core.messaging.open_conversation(
            world.maya, world.tomas.user.id, FirstMessage("Hello!", "c1")
        )
        await tomas.until(lambda c: bool(c.contents))

        assert (opened.created, again.created) == (True, False)
        assert opened.message is not None
        assert again.message == opened.message
        assert [f.event for f in tomas.durable] == ["conversation.created", "message.created"]
        assert data(tomas.durable[0])["conversation"]["other"]["display_name"] == "Maya"


@pytest.mark.parametrize("role", [Role.STUDENT, Role.ADMIN])
async def test_a_conversation_needs_a_student_and_an_instructor(role: Role, autojump_clock: MockClock) -> None:
    async with a_world() as world:
        other = await world.join("other", role)
        with pytest.raises(InvalidInput) as caught:
            await world.core.messaging.open_conversation(world.maya, other.user.id, None)
        assert caught.value.errors[0].loc == ("body", "participant_id")


async def test_a_conversation_with_nobody_is_refused(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        with pytest.raises(UserNotFound):
            await world.core.messaging.open_conversation(world.maya, NOBODY, None)


async def test_strangers_and_admins_can_neither_read_nor_write(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        stranger, admin = await world.join("eve", Role.STUDENT), await world.join("root", Role.ADMIN)
        messaging = world.core.messaging
        for action in (
            lambda who: messaging.conversation(who, talk),
            lambda who: messaging.messages(who, talk, limit=10),
            lambda who: messaging.send(who, talk, content="hi", client_id=None),
            lambda who: messaging.mark_read(who, talk, 1),
            lambda who: messaging.set_state(who, talk, ConversationState.TRASHED),
            lambda who: messaging.set_typing(who, talk, is_typing=True),
        ):
            with pytest.raises(ConversationNotFound):
                await action(stranger)
            with pytest.raises(PermissionDenied):
                await action(admin)
        assert (await messaging.messages(world.maya, talk, limit=10)).items == []


async def test_a_send_to_no_conversation_is_refused_and_leaves_no_actor_behind(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        with pytest.raises(ConversationNotFound):
            await world.say(ConversationId(NOBODY), "hello?")
        await trio.testing.wait_all_tasks_blocked()

        (branch,) = [c for c in world.core.system.tree().children if c.path.endswith("/conversations")]
        assert list(branch.children) == []


async def test_concurrent_retries_of_one_send_store_one_message(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        seen: list[int] = []

        async def send() -> None:
            seen.append(await world.say(talk, "once", client_id="c1"))

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(send)

        assert set(seen) == {1}


async def test_the_same_client_id_of_the_other_participant_is_another_message(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        assert await world.say(talk, "mine", world.maya, "c1") == 1
        assert await world.say(talk, "mine", world.tomas, "c1") == 2


async def test_messages_page_both_ways_without_overlap(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        for n in range(1, 26):
            await world.say(talk, str(n))
        read = world.core.messaging.messages

        newest = await read(world.maya, talk, limit=10)
        older = await read(world.maya, talk, before=newest.items[0].seq, limit=10)
        oldest = await read(world.maya, talk, before=older.items[0].seq, limit=10)
        onward = await read(world.maya, talk, after=20, limit=10)

        assert [m.seq for m in newest.items] == list(range(16, 26))
        assert [m.seq for m in older.items] == list(range(6, 16))
        assert [m.seq for m in oldest.items] == list(range(1, 6))
        assert [m.seq for m in onward.items] == list(range(21, 26))
        assert [p.has_more for p in (newest, older, oldest, onward)] == [True, True, False, False]
        with pytest.raises(InvalidInput):
            await read(world.maya, talk, before=5, after=1, limit=10)


async def test_conversations_page_by_newest_activity_without_repeating_one(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talks = []
        for n in range(7):
            student = await world.join(f"student{n}", Role.STUDENT)
            opened = await world.core.messaging.open_conversation(
                student, world.tomas.user.id, FirstMessage(f"hi {n}", None)
            )
            talks.append(opened.view.conversation.id)
            await trio.sleep(1)
        pages, cursor = [], None
        while True:
            page = await world.core.messaging.conversations(
                world.tomas, state=ConversationState.ACTIVE, limit=3, cursor=cursor
            )
            pages.append([view.conversation.id for view in page.items])
            assert page.total_unread == 7
            if (cursor := page.next_cursor) is None:
                break

        assert [talk for page in pages for talk in page] == talks[::-1]
        assert [len(p) for p in pages] == [3, 3, 1]


@pytest.mark.parametrize("cursor", ["", "!", "MjAyNg", "a" * 500, "\N{SNOWMAN}"])
async def test_a_page_cursor_we_never_gave_out_is_refused(cursor: str, autojump_clock: MockClock) -> None:
    async with a_world() as world:
        with pytest.raises(InvalidInput) as caught:
            await world.core.messaging.conversations(
                world.maya, state=ConversationState.ACTIVE, limit=3, cursor=cursor
            )
        assert caught.value.errors[0] == FieldError(
            ("query", "cursor"), "is not a next_cursor that this list returned"
        )


async def test_a_booking_that_does_not_exist_is_named_as_the_reason(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        with pytest.raises(InvalidInput) as caught:
            await world.core.messaging.send(world.maya, talk, content="hi", client_id=None, booking_id=NOBODY)
        assert caught.value.errors[0].loc == ("body", "booking_id")


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_unread_equals_a_recount_from_the_messages_after_any_history(seed: int) -> None:
    trio.run(_random_history, seed, clock=MockClock(autojump_threshold=0))


async def _random_history(seed: int) -> None:
    rng = Random(seed)
    async with a_world(seed=seed) as world:
        people = [world.maya, world.tomas, await world.join("eve", Role.STUDENT)]
        talks = [
            (await world.core.messaging.open_conversation(student, world.tomas.user.id, None)).view.conversation
            for student in (people[0], people[2])
        ]

        async def act(step: int) -> None:
            talk = rng.choice(talks)
            who = next(p for p in rng.sample(people, 3) if p.user.id in (talk.student_id, talk.instructor_id))
            match rng.randrange(5):
                case 0 | 1 | 2:
                    await world.say(talk.id, f"line {step}", who)
                case 3:
                    newest = (await world.core.messaging.conversation(who, talk.id)).conversation.last_seq
                    if newest:
                        await world.core.messaging.mark_read(who, talk.id, rng.randint(1, newest))
                case 4:
                    state = rng.choice(list(ConversationState))
                    await world.core.messaging.set_state(who, talk.id, state)

        for start in range(0, 60, 6):
            async with trio.open_nursery() as nursery:
                for step in range(start, start + 6):
                    nursery.start_soon(act, step)
        for who in people:
            await _check_unread(world, who.user.id)


async def _check_unread(world: World, user_id: UserId) -> None:
    tables, total = world.database.tables, 0
    for participant in tables.participants_of(user_id):
        recount = sum(
            1
            for m in tables.messages_above(participant.conversation_id, participant.read_seq, 1000)
            if m.kind is MessageKind.USER and m.sender_id != user_id
        )
        assert participant.unread_count == recount
        if participant.state is not ConversationState.TRASHED:
            total += recount
    (identity,) = [i for i in (world.maya, world.tomas) if i.user.id == user_id] or [None]
    if identity is not None:
        assert (await world.core.messaging.unread(identity)).total_unread == total
