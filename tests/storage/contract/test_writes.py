from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
import trio

from greenroom.schema.errors import Conflict, ConversationNotFound, UserNotFound
from greenroom.schema.ids import UserId
from greenroom.schema.records import LockedConversation, Message, Participant
from greenroom.storage.lock_ledger import LockRuleBroken
from greenroom.storage.ports import (
    ClientKey,
    Locked,
    MarkQuery,
    OpenedConversation,
    Storage,
    StreamPosition,
    WriteTransaction,
)
from tests.storage.builders import (
    ANN,
    BEN,
    CLEO,
    NOBODY,
    NOW,
    a_conversation,
    a_message,
    a_user,
    add_users,
    an_event,
    append_events,
    append_messages,
    conversation_id,
    open_all,
    save_marks,
    send,
)

WAIT_S = 10


Statement = Callable[[WriteTransaction], Awaitable[object]]


class Told(Exception):
    """Something goes wrong in the middle of a transaction."""


async def run_all(storage: Storage, *statements: Statement) -> None:
    async with storage.writes.transaction() as tx:
        for statement in statements:
            await statement(tx)


@pytest.fixture
async def opened(storage: Storage) -> Storage:
    """Ann and Ben have a conversation."""
    await add_users(storage, ANN, BEN, CLEO)
    await open_all(storage)
    return storage


async def test_opening_makes_a_conversation_with_both_participants(storage: Storage) -> None:
    await add_users(storage)
    assert await open_all(storage, a_conversation()) == [OpenedConversation(conversation_id(1), created=True)]
    async with storage.writes.transaction() as tx:
        locked = await tx.lock(conversations=[conversation_id(1)])
    assert locked.conversations == {
        conversation_id(1): LockedConversation(
            a_conversation(),
            student=Participant(conversation_id(1), ANN, BEN),
            instructor=Participant(conversation_id(1), BEN, ANN),
        )
    }


async def test_a_pair_has_one_conversation_whichever_way_round(opened: Storage) -> None:
    assert await open_all(opened, a_conversation(ANN, BEN, 2), a_conversation(BEN, ANN, 3)) == [
        OpenedConversation(conversation_id(1), created=False),
        OpenedConversation(conversation_id(1), created=False),
    ]


async def test_a_pair_wanted_twice_in_one_batch_is_opened_once(opened: Storage) -> None:
    assert await open_all(opened, a_conversation(BEN, CLEO, 2), a_conversation(CLEO, BEN, 3)) == [
        OpenedConversation(conversation_id(2), created=True),
        OpenedConversation(conversation_id(2), created=False),
    ]


async def test_a_conversation_needs_two_users_who_exist(storage: Storage) -> None:
    await add_users(storage, ANN)
    with pytest.raises(UserNotFound):
        await open_all(storage, a_conversation(ANN, NOBODY))
    assert await storage.conversations.participants(conversation_id(1)) is None


async def test_nobody_talks_to_themselves(opened: Storage) -> None:
    with pytest.raises(Conflict):
        await open_all(opened, a_conversation(CLEO, CLEO, 2))


async def test_a_conversations_id_is_taken_once(opened: Storage) -> None:
    with pytest.raises(Conflict):
        await open_all(opened, a_conversation(ANN, CLEO, 1))


async def test_racing_creates_give_one_conversation(storage: Storage) -> None:
    await add_users(storage)
    answers: list[OpenedConversation] = []

    async def open_one(number: int, student: UserId, instructor: UserId) -> None:
        answers.extend(await open_all(storage, a_conversation(student, instructor, number)))

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            for number in range(1, 9):
                nursery.start_soon(open_one, number, *((ANN, BEN) if number % 2 else (BEN, ANN)))

    assert len({answer.conversation_id for answer in answers}) == 1
    assert sum(answer.created for answer in answers) == 1


async def test_only_existing_conversations_are_locked(opened: Storage) -> None:
    async with opened.writes.transaction() as tx:
        locked = await tx.lock(conversations=[conversation_id(2), conversation_id(1)])
    assert list(locked.conversations) == [conversation_id(1)]


async def test_what_was_sent_is_read_back_as_it_was(opened: Storage) -> None:
    message = a_message(content='"quotes", {braces}, \\ and \t 𝄞\n', client_id="c-1")
    await append_messages(opened, message, a_message(None, seq=2, content="Booked."))
    assert await opened.conversations.messages_after(conversation_id(1), 0, limit=9) == [
        message,
        a_message(None, seq=2, content="Booked."),
    ]


async def test_a_system_message_is_found_by_its_event_and_written_once(opened: Storage) -> None:
    message = a_message(None, client_id="E-1", content="Booked.")
    await append_messages(opened, message)

    key, other = ClientKey(conversation_id(1), None, "E-1"), ClientKey(conversation_id(1), ANN, "E-1")
    async with opened.writes.transaction() as tx:
        assert (await tx.lock(conversations=[conversation_id(1)], keys=[key, other])).sent == {key: message}
    with pytest.raises(Conflict):
        await append_messages(opened, a_message(None, seq=2, client_id="E-1"))


async def test_a_transaction_sees_what_it_wrote(opened: Storage) -> None:
    async with opened.writes.transaction() as tx:
        await tx.lock(conversations=[conversation_id(1)])
        await tx.append_messages([a_message(client_id="c-1")])
        assert await tx.last_messages([conversation_id(1), conversation_id(2)]) == {
            conversation_id(1): a_message(client_id="c-1")
        }


async def test_nothing_is_seen_before_it_is_committed(opened: Storage) -> None:
    async with opened.writes.transaction() as tx:
        await tx.lock(conversations=[conversation_id(1)])
        await tx.append_messages([a_message()])
        assert await tx.last_messages([conversation_id(1)])
        assert await opened.conversations.messages_after(conversation_id(1), 0, limit=9) == []


async def test_a_failed_transaction_leaves_nothing(opened: Storage) -> None:
    before = await opened.streams.snapshot(BEN, conversations_max=9, now=NOW)

    async def write_and_fail() -> None:
        async with opened.writes.transaction() as tx:
            await tx.open_conversations([a_conversation(BEN, CLEO, 2)])
            locked = (await tx.lock(conversations=[conversation_id(1)])).conversations[conversation_id(1)]
            await tx.append_messages([a_message()])
            await tx.save_conversations([replace(locked.conversation, last_seq=1)])
            await tx.save_participants([replace(locked.instructor, received_ordinal=1)])
            await tx.append_events([an_event(BEN)])
            raise Told

    with pytest.raises(Told):
        await write_and_fail()

    assert await opened.streams.snapshot(BEN, conversations_max=9, now=NOW) == before
    assert await opened.streams.events_after(BEN, 0, limit=9) == []
    assert await opened.conversations.messages_after(conversation_id(1), 0, limit=9) == []
    assert await opened.conversations.participants(conversation_id(2)) is None


async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nobody(opened: Storage) -> None:
    with trio.fail_after(WAIT_S):
        with trio.CancelScope() as scope:
            async with opened.writes.transaction() as tx:
                await tx.lock(conversations=[conversation_id(1)])
                await tx.append_messages([a_message()])
                scope.cancel()
                await trio.lowlevel.checkpoint()

        assert await opened.conversations.messages_after(conversation_id(1), 0, limit=9) == []
        await send(opened)


async def test_the_same_client_id_is_stored_once(opened: Storage) -> None:
    await send(opened, client_id="c-1")
    with pytest.raises(Conflict):
        await send(opened, client_id="c-1")
    assert len(await opened.conversations.messages_after(conversation_id(1), 0, limit=9)) == 1


async def test_a_client_id_belongs_to_its_sender(opened: Storage) -> None:
    await send(opened, ANN, client_id="c-1")
    await send(opened, BEN, client_id="c-1")
    assert len(await opened.conversations.messages_after(conversation_id(1), 0, limit=9)) == 2


async def test_messages_are_found_by_client_id(opened: Storage) -> None:
    (sent,) = await send(opened, client_id="c-1")
    found, missing = (ClientKey(conversation_id(1), ANN, client_id) for client_id in ("c-1", "c-2"))
    async with opened.writes.transaction() as tx:
        assert (await tx.lock(conversations=[conversation_id(1)], keys=[missing, found])).sent == {found: sent}


async def test_ordinals_count_what_a_reader_got_up_to_a_seq(opened: Storage) -> None:
    await send(opened, ANN, count=2)
    await send(opened, BEN, count=1)
    await send(opened, ANN, count=1)
    target = conversation_id(1)
    expected = {MarkQuery(target, BEN, seq): ordinal for seq, ordinal in enumerate([0, 1, 2, 2, 3, 3])}
    expected |= {MarkQuery(target, ANN, 2): 0, MarkQuery(target, ANN, 3): 1}
    a_strangers = MarkQuery(target, CLEO, 3)
    async with opened.writes.transaction() as tx:
        assert (await tx.lock(conversations=[target], marks=[*expected, a_strangers])).ordinals == expected


async def test_last_messages_and_users_are_read_by_id(opened: Storage) -> None:
    *_, last = await send(opened, count=3)
    async with opened.writes.transaction() as tx:
        assert await tx.last_messages([conversation_id(2), conversation_id(1)]) == {conversation_id(1): last}
        assert await tx.users([NOBODY, ANN]) == {ANN: a_user(ANN)}


async def test_empty_batches_do_nothing(opened: Storage) -> None:
    async with opened.writes.transaction() as tx:
        assert await tx.open_conversations([]) == []
        assert await tx.lock() == Locked({}, {}, {}, {}, {})
        assert await tx.last_messages([]) == {}
        assert await tx.users([]) == {}
        await tx.append_messages([])
        await tx.save_messages([])
        await tx.append_edits([])
        await tx.add_reactions([])
        await tx.remove_reactions([])
        await tx.save_conversations([])
        await tx.save_participants([])
        await tx.append_events([])


async def test_a_conversations_saved_place_is_absolute(opened: Storage) -> None:
    later = NOW + timedelta(hours=1)
    async with opened.writes.transaction() as tx:
        await tx.lock(conversations=[conversation_id(1)])
        await tx.save_conversations([replace(a_conversation(), last_seq=7, last_message_at=later)])
    async with opened.writes.transaction() as tx:
        read = await tx.lock(conversations=[conversation_id(1)])
    assert read.conversations[conversation_id(1)].conversation == replace(
        a_conversation(), last_seq=7, last_message_at=later
    )


@pytest.mark.parametrize("content", ["", "x" * 5_001], ids=["empty", "too long"])
async def test_a_message_has_1_to_5000_characters(opened: Storage, content: str) -> None:
    with pytest.raises(Conflict):
        await append_messages(opened, a_message(content=content))


async def test_a_message_of_5000_characters_outside_ascii_is_stored(opened: Storage) -> None:
    await append_messages(opened, a_message(content="𝄞" * 5_000))
    (stored,) = await opened.conversations.messages_after(conversation_id(1), 0, limit=9)
    assert len(stored.content) == 5_000


async def test_a_stranger_can_not_be_a_sender(opened: Storage) -> None:
    with pytest.raises(ConversationNotFound):
        await append_messages(opened, a_message(CLEO))


@pytest.mark.parametrize(
    "marks",
    [{"read_ordinal": 1}, {"read_seq": 2, "delivered_seq": 1}, {"read_seq": -1}],
    ids=["read beyond received", "read beyond delivered", "below zero"],
)
async def test_marks_out_of_order_are_refused(opened: Storage, marks: dict[str, int]) -> None:
    with pytest.raises(Conflict):
        await save_marks(opened, ANN, **marks)


async def test_a_hole_in_a_conversation_is_refused(opened: Storage) -> None:
    with pytest.raises(Conflict):
        await append_messages(opened, a_message(seq=2))


async def test_a_hole_in_a_stream_is_refused(opened: Storage) -> None:
    with pytest.raises(Conflict):
        await append_events(opened, [an_event(ANN, 1), an_event(ANN, 3)])


@pytest.mark.parametrize(
    "write",
    [
        lambda tx: tx.append_messages([a_message()]),
        lambda tx: tx.save_conversations([a_conversation()]),
        lambda tx: tx.save_participants([Participant(conversation_id(1), ANN, BEN)]),
        lambda tx: tx.append_events([an_event()]),
    ],
    ids=["messages", "conversations", "participants", "events"],
)
async def test_what_was_not_locked_is_not_written(opened: Storage, write: Statement) -> None:
    with pytest.raises(LockRuleBroken):
        await run_all(opened, write)


@pytest.mark.parametrize(
    "statements",
    [
        (
            lambda tx: tx.lock(conversations=[conversation_id(1)]),
            lambda tx: tx.open_conversations([a_conversation()]),
        ),
        (lambda tx: tx.lock(users=[BEN]), lambda tx: tx.lock(users=[ANN])),
        (
            lambda tx: tx.open_conversations([a_conversation(BEN, CLEO, 2)]),
            lambda tx: tx.open_conversations([a_conversation(ANN, CLEO, 3)]),
        ),
    ],
    ids=["locking before opening", "locking twice", "opening twice"],
)
async def test_locks_are_taken_in_one_order(opened: Storage, statements: tuple[Statement, Statement]) -> None:
    with pytest.raises(LockRuleBroken):
        await run_all(opened, *statements)


@pytest.mark.parametrize("refused", [a_message(content=""), a_message(seq=2)], ids=["by a check", "by the ledger"])
async def test_a_swallowed_failure_is_not_committed(opened: Storage, refused: Message) -> None:
    async def write_regardless() -> None:
        async with opened.writes.transaction() as tx:
            await tx.lock(conversations=[conversation_id(1)])
            with suppress(Conflict):
                await tx.append_messages([refused])
                await tx.last_messages([conversation_id(1)])
            await tx.append_events([an_event()])

    with pytest.raises(Conflict):
        await write_regardless()
    assert await opened.streams.events_after(ANN, 0, limit=9) == []


async def test_a_locked_conversation_comes_with_its_participants_streams_and_their_unread_totals(
    opened: Storage,
) -> None:
    await send(opened, ANN, count=2)
    async with opened.writes.transaction() as tx:
        locked = await tx.lock(conversations=[conversation_id(1)], users=[NOBODY, CLEO])
    assert locked.streams == {ANN: StreamPosition(2, 0), BEN: StreamPosition(2, 2), CLEO: StreamPosition(0, 0)}


async def test_a_conversation_just_opened_is_locked_with_its_streams(opened: Storage) -> None:
    async with opened.writes.transaction() as tx:
        await tx.open_conversations([a_conversation(BEN, CLEO, 2)])
        locked = await tx.lock(conversations=[conversation_id(2)])
        await tx.append_messages([a_message(BEN, conversation=2)])
        await tx.append_events([an_event(CLEO)])
    assert set(locked.streams) == {BEN, CLEO}


async def test_racing_writers_keep_every_sequence_dense(opened: Storage) -> None:
    async def talk(sender: UserId) -> None:
        for _ in range(5):
            await send(opened, sender)

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            for sender in (ANN, BEN, ANN, BEN):
                nursery.start_soon(talk, sender)

    messages = await opened.conversations.messages_after(conversation_id(1), 0, limit=99)
    assert [message.seq for message in messages] == list(range(1, 21))
    for user_id in (ANN, BEN):
        events = await opened.streams.events_after(user_id, 0, limit=99)
        assert [event.seq for event in events] == list(range(1, 21))
        assert await opened.conversations.total_unread(user_id) == 10


async def test_a_readers_stream_never_has_a_hole_while_others_write(opened: Storage) -> None:
    """Commit order is sequence order: whoever sees n sees everything before n."""
    done = trio.Event()

    async def write() -> None:
        async with trio.open_nursery() as writers:
            for _ in range(4):
                writers.start_soon(talk)
        done.set()

    async def talk() -> None:
        for _ in range(6):
            await send(opened, ANN)

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            while not done.is_set():
                seen = [event.seq for event in await opened.streams.events_after(BEN, 0, limit=99)]
                assert seen == list(range(1, len(seen) + 1))


async def test_writers_of_the_same_rows_in_any_order_do_not_deadlock(storage: Storage) -> None:
    users = [ANN, BEN, CLEO]
    await add_users(storage, *users)
    await open_all(
        storage, a_conversation(ANN, BEN, 1), a_conversation(BEN, CLEO, 2), a_conversation(CLEO, ANN, 3)
    )
    ids = [conversation_id(n) for n in (1, 2, 3)]

    async def lock_all(turn: int) -> None:
        for _ in range(5):
            async with storage.writes.transaction() as tx:
                locked = await tx.lock(conversations=ids[turn:] + ids[:turn], users=users[turn:] + users[:turn])
                await tx.append_events([an_event(u, locked.streams[u].last_seq + 1) for u in users])

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            for turn in (0, 1, 2):
                nursery.start_soon(lock_all, turn)

    heads = await storage.streams.heads(users)
    assert [heads[user].last_seq for user in users] == [15, 15, 15]


async def test_totals_stay_right_when_one_user_is_written_to_from_everywhere(storage: Storage) -> None:
    """What a transaction finds under its locks is what the one before it left."""
    await add_users(storage, ANN, BEN, CLEO)
    await open_all(storage, a_conversation(ANN, BEN, 1), a_conversation(CLEO, BEN, 2))
    told: list[StreamPosition] = []

    async def write_to_ben(number: int) -> None:
        target = conversation_id(number)
        for _ in range(8):
            async with storage.writes.transaction() as tx:
                locked = await tx.lock(conversations=[target])
                ben = locked.conversations[target].instructor
                await tx.save_participants([replace(ben, received_ordinal=ben.received_ordinal + 1)])
                position = locked.streams[BEN]
                await tx.append_events([an_event(BEN, position.last_seq + 1)])
                told.append(position)

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write_to_ben, 1)
            nursery.start_soon(write_to_ben, 2)

    assert sorted((p.last_seq, p.total_unread) for p in told) == [(n, n) for n in range(16)]
