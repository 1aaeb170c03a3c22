"""What storage keeps of edits, deletions and reactions; both twins alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.schema.errors import Conflict
from greenroom.schema.ids import MessageId
from greenroom.schema.records import Message, MessageEdit, MessageReaction, Reaction
from greenroom.storage.lock_ledger import LockRuleBroken
from greenroom.storage.ports import ClientKey, Storage, WriteTransaction
from tests.storage.builders import (
    ANN,
    BEN,
    CLEO,
    NOW,
    a_conversation,
    add_users,
    an_event,
    append_events,
    conversation_id,
    open_all,
    send,
)

LATER = NOW + timedelta(minutes=1)
LIKE, PARTY = "\U0001f44d", "\U0001f389"


@pytest.fixture
async def said(storage: Storage) -> Message:
    """Ann said something to Ben."""
    await add_users(storage, ANN, BEN, CLEO)
    await open_all(storage)
    [message] = await send(storage, client_id="c1")
    return message


async def locked(tx: WriteTransaction, *ids: MessageId) -> dict[MessageId, Message]:
    return dict((await tx.lock(conversations=[conversation_id(1)], messages=ids)).messages)


async def change(storage: Storage, after: Message, *edits: MessageEdit) -> None:
    async with storage.writes.transaction() as tx:
        await locked(tx, after.id)
        if edits:
            await tx.append_edits(edits)
        await tx.save_messages([after])


async def react(
    storage: Storage,
    message: Message,
    *,
    added: Sequence[tuple[str, str]] = (),
    removed: Sequence[tuple[str, str]] = (),
) -> None:
    async with storage.writes.transaction() as tx:
        await locked(tx, message.id)
        if removed:
            await tx.remove_reactions([MessageReaction(message.id, e, u) for e, u in removed])  # type: ignore[arg-type]
        if added:
            await tx.add_reactions([MessageReaction(message.id, e, u) for e, u in added])  # type: ignore[arg-type]


async def read(storage: Storage, message: Message) -> Message:
    """The message, which is the same whichever way it is asked for."""
    found = await storage.conversations.message(message.id, ANN)
    assert found is not None
    [listed] = await storage.conversations.messages_after(conversation_id(1), 0, limit=10)
    assert listed == found
    assert await storage.conversations.messages_before(conversation_id(1), None, limit=10) == [found]
    view = await storage.conversations.view(conversation_id(1), BEN, now=NOW)
    assert view is not None
    assert view.last_message == found
    async with storage.writes.transaction() as tx:
        assert await tx.last_messages([conversation_id(1)]) == {conversation_id(1): found}
    return found


async def test_a_message_is_found_by_its_id_by_the_two_and_nobody_else(storage: Storage, said: Message) -> None:
    assert await storage.conversations.conversation_of(said.id) == conversation_id(1)
    assert await storage.conversations.message(said.id, BEN) == said
    assert await storage.conversations.message(said.id, CLEO) is None
    assert await storage.conversations.conversation_of(MessageId("01NOTHING00000000000000000")) is None


async def test_an_edited_message_is_the_new_one_everywhere_and_keeps_what_it_was(
    storage: Storage, said: Message
) -> None:
    edited = replace(said, content="Hello again", version=2, edited_at=LATER)
    former = MessageEdit(said.id, 1, said.content, NOW)

    await change(storage, edited, former)

    assert await read(storage, said) == edited
    assert await storage.conversations.edits(said.id) == [former]


async def test_former_versions_come_oldest_first_and_each_once(storage: Storage, said: Message) -> None:
    edits = [MessageEdit(said.id, n, f"version {n}", NOW) for n in (1, 2, 3)]
    await change(storage, replace(said, version=4, content="now", edited_at=LATER), *edits)

    assert await storage.conversations.edits(said.id) == edits
    with pytest.raises(Conflict):
        await change(storage, replace(said, version=5, content="x", edited_at=LATER), edits[1])
    assert (await read(storage, said)).version == 4


async def test_a_deleted_message_loses_its_words_old_and_new_and_its_reactions(
    storage: Storage, said: Message
) -> None:
    await change(
        storage, replace(said, content="b", version=2, edited_at=LATER), MessageEdit(said.id, 1, "a", NOW)
    )
    await react(storage, said, added=[(LIKE, BEN)])

    gone = replace(said, content="", version=3, edited_at=None, deleted_at=LATER)
    await change(storage, gone)

    assert await read(storage, said) == gone
    assert await storage.conversations.edits(said.id) == []


async def test_reactions_are_one_per_user_and_emoji_in_one_order(storage: Storage, said: Message) -> None:
    await react(storage, said, added=[(LIKE, BEN), (PARTY, BEN), (LIKE, ANN)])
    await react(storage, said, added=[(LIKE, BEN)])

    assert (await read(storage, said)).reactions == (Reaction(PARTY, (BEN,)), Reaction(LIKE, (ANN, BEN)))

    await react(storage, said, removed=[(PARTY, BEN), (LIKE, ANN), (PARTY, ANN)])

    assert (await read(storage, said)).reactions == (Reaction(LIKE, (BEN,)),)


async def test_a_send_that_is_repeated_finds_the_message_as_it_is_now(storage: Storage, said: Message) -> None:
    edited = replace(said, content="Hello again", version=2, edited_at=LATER)
    await change(storage, edited, MessageEdit(said.id, 1, said.content, NOW))
    await react(storage, said, added=[(LIKE, BEN)])

    key = ClientKey(conversation_id(1), ANN, "c1")
    async with storage.writes.transaction() as tx:
        sent = (await tx.lock(conversations=[conversation_id(1)], keys=[key])).sent

    assert sent == {key: replace(edited, reactions=(Reaction(LIKE, (BEN,)),))}


async def test_a_message_is_locked_with_its_own_conversation_only(storage: Storage, said: Message) -> None:
    await open_all(storage, a_conversation(CLEO, BEN, 2))

    async with storage.writes.transaction() as tx:
        held = await tx.lock(conversations=[conversation_id(2)], messages=[said.id])
        assert held.messages == {}


@pytest.mark.parametrize("write", ["edit", "save", "react"])
async def test_what_was_not_locked_is_not_changed(storage: Storage, said: Message, write: str) -> None:
    async def act() -> None:
        async with storage.writes.transaction() as tx:
            await tx.lock(conversations=[conversation_id(1)])
            if write == "edit":
                await tx.append_edits([MessageEdit(said.id, 1, "a", NOW)])
            elif write == "save":
                await tx.save_messages([replace(said, content="x")])
            else:
                await tx.add_reactions([MessageReaction(said.id, LIKE, BEN)])

    with pytest.raises(LockRuleBroken):
        await act()
    assert await read(storage, said) == said


async def test_a_transaction_that_fails_leaves_the_message_as_it_was(storage: Storage, said: Message) -> None:
    class Told(Exception):
        pass

    async def act() -> None:
        async with storage.writes.transaction() as tx:
            await locked(tx, said.id)
            await tx.add_reactions([MessageReaction(said.id, LIKE, BEN)])
            await tx.append_edits([MessageEdit(said.id, 1, "a", NOW)])
            await tx.save_messages([replace(said, content="x", version=2)])
            raise Told

    with pytest.raises(Told):
        await act()
    assert await read(storage, said) == said
    assert await storage.conversations.edits(said.id) == []


@pytest.mark.parametrize(
    ("name", "shape"),
    [("message.created", "message"), ("message.updated", "message"), ("conversation.updated", "conversation")],
)
async def test_events_of_before_tell_a_deleted_message_without_its_words(
    storage: Storage, said: Message, name: str, shape: str
) -> None:
    shown = {"id": said.id, "content": "Grüße", "reactions": [{}], "edited_at": None, "deleted_at": None}
    data = {"message": shown} if shape == "message" else {"conversation": {"last_message": shown}}
    event = replace(an_event(BEN, 2), name=name, data=json.dumps(data, ensure_ascii=False))
    await append_events(storage, [event])
    assert await storage.streams.events_after(BEN, 1, limit=9) == [event]

    await change(storage, replace(said, content="", version=2, deleted_at=LATER))

    [told] = await storage.streams.events_after(BEN, 1, limit=9)
    assert "Grüße" not in told.data
    assert "2026-03-02T09:31:00.000Z" in told.data
    assert told == replace(event, data=told.data)
