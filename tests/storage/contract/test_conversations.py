from dataclasses import replace
from datetime import timedelta

from greenroom.schema.ids import UserId
from greenroom.schema.records import ConversationState, ConversationView, Participant
from greenroom.storage.ports import ConversationPageKey, Storage
from tests.storage.builders import (
    ANN,
    BEN,
    CLEO,
    DAN,
    NOBODY,
    NOW,
    a_conversation,
    a_user,
    add_users,
    conversation_id,
    file,
    open_all,
    send,
)

ACTIVE = ConversationState.ACTIVE


async def page_ids(storage: Storage, user_id: UserId, state: ConversationState = ACTIVE) -> list[str]:
    page = await storage.conversations.page(user_id, state=state, before=None, limit=50, now=NOW)
    return [view.conversation.id for view in page]


async def three_conversations(storage: Storage) -> None:
    """Ann talks to three people; the third conversation was active last, the first and second tie."""
    await add_users(storage, ANN, BEN, CLEO, DAN)
    await open_all(
        storage,
        a_conversation(ANN, BEN, 1),
        a_conversation(CLEO, ANN, 2),
        a_conversation(ANN, DAN, 3, at=NOW + timedelta(minutes=1)),
    )


async def test_the_conversation_of_two_is_found_whichever_way_round(storage: Storage) -> None:
    await three_conversations(storage)

    between = storage.conversations.conversation_between
    assert (await between(ANN, CLEO), await between(CLEO, ANN)) == (conversation_id(2), conversation_id(2))
    assert await between(BEN, DAN) is None


async def test_a_view_shows_both_sides_and_the_last_message(storage: Storage) -> None:
    await add_users(storage)
    await open_all(storage)
    later = NOW + timedelta(seconds=5)
    *_, last = await send(storage, ANN, count=2, at=later)

    seen = await storage.conversations.view(conversation_id(1), BEN, now=NOW)

    assert seen == ConversationView(
        conversation=replace(a_conversation(), last_seq=2, last_message_at=later),
        me=Participant(conversation_id(1), BEN, ANN, received_ordinal=2),
        other=Participant(conversation_id(1), ANN, BEN),
        other_user=a_user(ANN),
        last_message=last,
    )
    assert seen.me.unread_count == 2


async def test_a_view_of_an_empty_conversation_has_no_last_message(storage: Storage) -> None:
    await add_users(storage)
    await open_all(storage)
    seen = await storage.conversations.view(conversation_id(1), ANN, now=NOW)
    assert seen is not None
    assert seen.last_message is None


async def test_a_stranger_sees_nothing(storage: Storage) -> None:
    await add_users(storage, ANN, BEN, CLEO)
    await open_all(storage)
    assert await storage.conversations.view(conversation_id(1), CLEO, now=NOW) is None
    assert await storage.conversations.view(conversation_id(2), ANN, now=NOW) is None


async def test_participants_come_as_student_and_instructor(storage: Storage) -> None:
    await add_users(storage)
    await open_all(storage)
    assert await storage.conversations.participants(conversation_id(1)) == (ANN, BEN)
    assert await storage.conversations.participants(conversation_id(2)) is None


async def test_a_page_is_newest_activity_first_and_ties_by_id_descending(storage: Storage) -> None:
    await three_conversations(storage)
    assert await page_ids(storage, ANN) == [conversation_id(3), conversation_id(2), conversation_id(1)]


async def test_a_message_brings_its_conversation_to_the_front(storage: Storage) -> None:
    await three_conversations(storage)
    await send(storage, BEN, conversation=1, at=NOW + timedelta(hours=1))
    assert await page_ids(storage, ANN) == [conversation_id(1), conversation_id(3), conversation_id(2)]


async def test_pages_follow_each_other_without_gap_or_repeat(storage: Storage) -> None:
    await three_conversations(storage)
    seen: list[str] = []
    before: ConversationPageKey | None = None
    while page := await storage.conversations.page(ANN, state=ACTIVE, before=before, limit=1, now=NOW):
        last = page[-1].conversation
        seen += [last.id]
        before = ConversationPageKey(last.last_message_at, last.id)
    assert seen == await page_ids(storage, ANN)


async def test_a_page_shows_one_state_and_only_mine(storage: Storage) -> None:
    await three_conversations(storage)
    await file(storage, ANN, ConversationState.ARCHIVED, conversation=2)
    await file(storage, ANN, ConversationState.TRASHED, conversation=3)
    assert await page_ids(storage, ANN) == [conversation_id(1)]
    assert await page_ids(storage, ANN, ConversationState.ARCHIVED) == [conversation_id(2)]
    assert await page_ids(storage, ANN, ConversationState.TRASHED) == [conversation_id(3)]
    assert await page_ids(storage, CLEO) == [conversation_id(2)]


async def test_nobody_has_an_empty_page(storage: Storage) -> None:
    assert await page_ids(storage, NOBODY) == []
    assert await storage.conversations.total_unread(NOBODY) == 0
    assert await storage.conversations.peers([NOBODY], limit=9) == {}


async def test_the_total_unread_leaves_out_what_is_trashed_but_not_what_is_archived(storage: Storage) -> None:
    await three_conversations(storage)
    await send(storage, BEN, conversation=1, count=2)
    await send(storage, CLEO, conversation=2, count=3)
    await send(storage, DAN, conversation=3, count=5)
    await file(storage, ANN, ConversationState.ARCHIVED, conversation=2)
    await file(storage, ANN, ConversationState.TRASHED, conversation=3)
    assert await storage.conversations.total_unread(ANN) == 5
    assert await storage.conversations.total_unread(BEN) == 0


async def test_messages_are_read_backwards_from_the_newest(storage: Storage) -> None:
    await add_users(storage)
    await open_all(storage)
    sent = await send(storage, count=5)
    assert await storage.conversations.messages_before(conversation_id(1), None, limit=2) == sent[3:]
    assert await storage.conversations.messages_before(conversation_id(1), 4, limit=2) == sent[1:3]
    assert await storage.conversations.messages_before(conversation_id(1), 2, limit=2) == sent[:1]
    assert await storage.conversations.messages_before(conversation_id(1), 1, limit=2) == []


async def test_messages_are_read_forwards_from_a_seq(storage: Storage) -> None:
    await add_users(storage)
    await open_all(storage)
    sent = await send(storage, count=5)
    assert await storage.conversations.messages_after(conversation_id(1), 0, limit=2) == sent[:2]
    assert await storage.conversations.messages_after(conversation_id(1), 3, limit=9) == sent[3:]
    assert await storage.conversations.messages_after(conversation_id(1), 5, limit=9) == []
    assert await storage.conversations.messages_after(conversation_id(2), 0, limit=9) == []


async def test_peers_are_most_recently_active_first(storage: Storage) -> None:
    await three_conversations(storage)
    await send(storage, BEN, conversation=1, at=NOW + timedelta(hours=1))
    peers = await storage.conversations.peers([ANN, BEN, NOBODY], limit=9)
    assert peers == {ANN: [BEN, DAN, CLEO], BEN: [ANN]}
    assert await storage.conversations.peers([ANN], limit=1) == {ANN: [BEN]}
    assert await storage.conversations.peers([], limit=9) == {}
