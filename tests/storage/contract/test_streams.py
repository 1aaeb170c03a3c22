import re
from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.schema.cursor import EPOCH_PATTERN
from greenroom.schema.errors import UserNotFound
from greenroom.schema.records import ConversationState, StreamHead, SyncSnapshot
from greenroom.storage.ports import Storage
from tests.storage.builders import (
    ANN,
    BEN,
    CLEO,
    NOBODY,
    NOW,
    a_conversation,
    add_users,
    an_event,
    append_events,
    conversation_id,
    file,
    open_all,
    send,
)

WEEK = timedelta(weeks=1)


async def test_the_epoch_is_fit_for_a_cursor_and_stays(storage: Storage) -> None:
    epoch = await storage.streams.epoch()
    assert re.fullmatch(EPOCH_PATTERN, epoch)
    assert await storage.streams.epoch() == epoch


async def test_a_head_follows_the_newest_event(storage: Storage) -> None:
    await add_users(storage, ANN, BEN)
    await append_events(storage, [an_event(ANN, 1), an_event(BEN, 1), an_event(ANN, 2)])
    assert await storage.streams.head(ANN) == StreamHead(ANN, 2, 0)
    assert await storage.streams.heads([BEN, NOBODY, ANN]) == {
        ANN: StreamHead(ANN, 2, 0),
        BEN: StreamHead(BEN, 1, 0),
    }


async def test_nobody_has_no_stream(storage: Storage) -> None:
    with pytest.raises(UserNotFound):
        await storage.streams.head(NOBODY)
    with pytest.raises(UserNotFound):
        await storage.streams.snapshot(NOBODY, conversations_max=9, now=NOW)
    assert await storage.streams.heads([NOBODY]) == {}
    assert await storage.streams.events_after(NOBODY, 0, limit=9) == []


async def test_events_are_read_in_pages_in_order(storage: Storage) -> None:
    await add_users(storage, ANN, BEN)
    events = [an_event(ANN, seq) for seq in range(1, 6)]
    await append_events(storage, [*events, an_event(BEN)])
    assert await storage.streams.events_after(ANN, 0, limit=2) == events[:2]
    assert await storage.streams.events_after(ANN, 3, limit=9) == events[3:]
    assert await storage.streams.events_after(ANN, 5, limit=9) == []


async def test_an_events_text_is_kept_to_the_letter(storage: Storage) -> None:
    await add_users(storage, ANN)
    data = '{"b":  1, "a": "\\u00e9é\\u0000", "a": 1e2}'
    await append_events(storage, [replace(an_event(ANN, data=data), name="session.revoked")])
    (event,) = await storage.streams.events_after(ANN, 0, limit=9)
    assert event.data == data


async def test_events_older_than_a_week_boundary_are_dropped_and_the_floor_says_so(storage: Storage) -> None:
    await add_users(storage, ANN, BEN)
    await storage.streams.keep_events_since(NOW, NOW)
    old, older_same_week, kept = (
        an_event(ANN, 1),
        an_event(ANN, 2, at=NOW + timedelta(days=1)),
        an_event(ANN, 3, at=NOW + WEEK),
    )
    await append_events(storage, [old, older_same_week, kept, an_event(BEN, 1, at=NOW + WEEK)])

    dropped = await storage.streams.keep_events_since(NOW + WEEK, NOW + WEEK)

    assert dropped == 1
    assert await storage.streams.events_after(ANN, 0, limit=9) == [kept]
    assert await storage.streams.heads([ANN, BEN]) == {ANN: StreamHead(ANN, 3, 2), BEN: StreamHead(BEN, 1, 0)}


async def test_events_of_the_week_that_holds_the_moment_are_kept(storage: Storage) -> None:
    await add_users(storage, ANN)
    await storage.streams.keep_events_since(NOW, NOW)
    await append_events(storage, [an_event(ANN)])
    assert await storage.streams.keep_events_since(NOW + timedelta(days=6), NOW + WEEK) == 0
    assert await storage.streams.head(ANN) == StreamHead(ANN, 1, 0)


async def test_a_stream_goes_on_from_where_it_was_when_all_its_events_are_gone(storage: Storage) -> None:
    await add_users(storage, ANN)
    await storage.streams.keep_events_since(NOW, NOW)
    await append_events(storage, [an_event(ANN, 1), an_event(ANN, 2)])
    await storage.streams.keep_events_since(NOW + 3 * WEEK, NOW + 3 * WEEK)
    await append_events(storage, [an_event(ANN, 3, at=NOW + 3 * WEEK)])
    assert await storage.streams.head(ANN) == StreamHead(ANN, 3, 2)
    assert [event.seq for event in await storage.streams.events_after(ANN, 0, limit=9)] == [3]


async def test_an_event_below_the_floor_is_gone_even_if_its_own_clock_was_ahead(storage: Storage) -> None:
    await add_users(storage, ANN)
    await storage.streams.keep_events_since(NOW, NOW)
    await append_events(
        storage, [an_event(ANN, 1, at=NOW + WEEK), an_event(ANN, 2, at=NOW), an_event(ANN, 3, at=NOW + WEEK)]
    )
    await storage.streams.keep_events_since(NOW + WEEK, NOW + WEEK)
    assert [event.seq for event in await storage.streams.events_after(ANN, 0, limit=9)] == [3]
    assert (await storage.streams.head(ANN)).floor_seq == 2


async def test_events_are_stored_and_dropped_without_any_preparation(storage: Storage) -> None:
    await add_users(storage, ANN)
    await append_events(storage, [an_event(ANN, 1), an_event(ANN, 2, at=NOW + WEEK)])
    assert await storage.streams.keep_events_since(NOW + WEEK, NOW + WEEK) == 0
    assert [event.seq for event in await storage.streams.events_after(ANN, 0, limit=9)] == [2]


async def test_upkeep_is_repeatable(storage: Storage) -> None:
    await add_users(storage, ANN)
    await storage.streams.keep_events_since(NOW, NOW)
    await append_events(storage, [an_event(ANN)])
    assert await storage.streams.keep_events_since(NOW + 2 * WEEK, NOW + 2 * WEEK) == 2
    assert await storage.streams.keep_events_since(NOW + 2 * WEEK, NOW + 2 * WEEK) == 0


async def test_a_snapshot_holds_everything_at_one_place_of_the_stream(storage: Storage) -> None:
    await add_users(storage, ANN, BEN, CLEO)
    await open_all(storage, a_conversation(ANN, BEN, 1), a_conversation(ANN, CLEO, 2))
    await send(storage, BEN, conversation=1, count=2)
    await send(storage, CLEO, conversation=2, at=NOW + timedelta(hours=1))
    await file(storage, ANN, ConversationState.ARCHIVED, conversation=1)
    views = [await storage.conversations.view(conversation_id(n), ANN, now=NOW) for n in (2, 1)]
    assert await storage.streams.snapshot(ANN, conversations_max=9, now=NOW) == SyncSnapshot(
        conversations=tuple(view for view in views if view is not None),
        total_unread=3,
        head=StreamHead(ANN, 3, 0),
    )


async def test_a_snapshot_leaves_out_what_is_trashed_and_is_bounded(storage: Storage) -> None:
    await add_users(storage, ANN, BEN, CLEO)
    await open_all(storage, a_conversation(ANN, BEN, 1), a_conversation(ANN, CLEO, 2))
    one = await storage.streams.snapshot(ANN, conversations_max=1, now=NOW)
    await file(storage, ANN, ConversationState.TRASHED, conversation=2)
    rest = await storage.streams.snapshot(ANN, conversations_max=9, now=NOW)
    assert [view.conversation.id for view in one.conversations] == [conversation_id(2)]
    assert [view.conversation.id for view in rest.conversations] == [conversation_id(1)]


async def test_the_storage_answers(storage: Storage) -> None:
    await storage.health.ping()
