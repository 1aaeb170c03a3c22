"""The rules of the durable commands, decided without a database, an actor or a clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random

from greenroom.actors.commands import (
    Command,
    MarkDelivered,
    MarkRead,
    NoteSessionEnd,
    SendMessage,
    Sent,
    SetState,
    Unread,
)
from greenroom.actors.draft import Draft, Known
from greenroom.schema.errors import ConversationNotFound, InvalidInput
from greenroom.schema.ids import ConversationId, RandomIds, UserId
from greenroom.schema.records import (
    Conversation,
    ConversationState,
    LockedConversation,
    Message,
    Participant,
    Role,
    StoredEvent,
    User,
)
from greenroom.storage.ports import ClientKey, Locked, MarkQuery, StreamPosition

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
STUDENT, INSTRUCTOR = UserId("01HSTUDENT0000000000000000"), UserId("01HTEACHER0000000000000000")
TALK = ConversationId("01HTA1K0000000000000000000")


def user(user_id: UserId, role: Role) -> User:
    return User(user_id, f"{role}@example.com", role.title(), role, is_active=True, created_at=NOW)


def locked(
    *, last_seq: int = 0, student: Participant | None = None, instructor: Participant | None = None
) -> LockedConversation:
    return LockedConversation(
        Conversation(TALK, STUDENT, INSTRUCTOR, last_seq, NOW, NOW),
        student or Participant(TALK, STUDENT, INSTRUCTOR),
        instructor or Participant(TALK, INSTRUCTOR, STUDENT),
    )


def drafted(
    *commands: Command,
    conversation: LockedConversation | None = None,
    sent: dict[ClientKey, Message] | None = None,
    ordinals: dict[MarkQuery, int] | None = None,
    student: tuple[int, int] = (0, 0),
    instructor: tuple[int, int] = (0, 0),
) -> Draft:
    """Apply commands; ``student`` and ``instructor`` are where their streams stand: last seq and total unread."""
    draft = Draft(
        Known(
            opened=(),
            locked=Locked(
                conversations={TALK: conversation or locked()},
                streams={STUDENT: StreamPosition(*student), INSTRUCTOR: StreamPosition(*instructor)},
                sent=sent or {},
                ordinals=ordinals or {},
            ),
            users={STUDENT: user(STUDENT, Role.STUDENT), INSTRUCTOR: user(INSTRUCTOR, Role.INSTRUCTOR)},
            last_messages={},
        ),
        ids=RandomIds(Random(1), lambda: NOW),
        now=NOW,
        is_online=lambda _: False,
    )
    for command in commands:
        draft.apply(command)
    return draft


def say(text: str, sender: UserId = STUDENT, client_id: str | None = None) -> SendMessage:
    return SendMessage(TALK, sender, text, client_id)


def shown(events: list[StoredEvent], user_id: UserId) -> list[tuple[int, str, dict[str, object]]]:
    return [(e.seq, e.name, json.loads(e.data)) for e in events if e.user_id == user_id]


def test_messages_of_one_batch_get_consecutive_seqs_and_each_sender_their_own_ordinals() -> None:
    draft = drafted(say("a"), say("b", INSTRUCTOR), say("c"), conversation=locked(last_seq=7))

    assert [(m.seq, m.sender_id, m.sender_ordinal) for m in draft.messages] == [
        (8, STUDENT, 1),
        (9, INSTRUCTOR, 1),
        (10, STUDENT, 2),
    ]
    assert draft.conversations[0].last_seq == 10


def test_both_streams_grow_densely_and_show_each_user_their_own_unread() -> None:
    events = drafted(say("a"), say("b"), student=(4, 0), instructor=(9, 0)).events

    assert [(seq, name, data["unread_count"]) for seq, name, data in shown(events, INSTRUCTOR)] == [
        (10, "message.created", 1),
        (11, "message.created", 2),
    ]
    assert [(seq, name, data["unread_count"]) for seq, name, data in shown(events, STUDENT)] == [
        (5, "message.created", 0),
        (6, "message.created", 0),
    ]


def test_each_event_shows_the_total_unread_of_its_own_moment_within_the_batch() -> None:
    events = drafted(say("a"), say("b"), instructor=(0, 10)).events

    assert [data["total_unread"] for _, _, data in shown(events, INSTRUCTOR)] == [11, 12]


def test_a_repeated_client_id_in_one_batch_returns_the_first_message_and_adds_nothing() -> None:
    draft = drafted(say("once", client_id="c1"), say("once", client_id="c1"))

    first, second = draft.replies

    assert isinstance(first, Sent)
    assert isinstance(second, Sent)
    assert (first.created, second.created) == (True, False)
    assert second.message == first.message
    assert len(draft.messages) == 1


def test_a_client_id_that_was_stored_before_returns_that_message_and_no_event() -> None:
    stored = drafted(say("hello", client_id="c1")).messages[0]
    draft = drafted(
        say("other text", client_id="c1"),
        sent={ClientKey(TALK, STUDENT, "c1"): stored},
        conversation=locked(last_seq=1),
    )

    assert draft.replies == [Sent(message=stored, created=False)]
    assert draft.events == []
    assert draft.messages == []


def test_reading_clears_what_was_received_up_to_that_seq_and_tells_both_sides() -> None:
    conversation = locked(last_seq=5, instructor=Participant(TALK, INSTRUCTOR, STUDENT, received_ordinal=3))
    draft = drafted(
        MarkRead(TALK, INSTRUCTOR, 4),
        conversation=conversation,
        ordinals={MarkQuery(TALK, INSTRUCTOR, 4): 2},
        instructor=(0, 3),
    )

    assert draft.replies == [Unread(unread_count=1, total_unread=1)]
    assert [(e.user_id, e.name) for e in draft.events] == [
        (STUDENT, "conversation.read"),
        (INSTRUCTOR, "conversation.read"),
    ]


def test_reading_in_the_same_batch_as_the_message_counts_that_message() -> None:
    draft = drafted(say("a"), MarkRead(TALK, INSTRUCTOR, 1))

    assert draft.replies[1] == Unread(unread_count=0, total_unread=0)


def test_a_read_mark_never_moves_back() -> None:
    conversation = locked(
        last_seq=5,
        instructor=Participant(
            TALK, INSTRUCTOR, STUDENT, received_ordinal=3, read_ordinal=3, read_seq=5, delivered_seq=5
        ),
    )
    draft = drafted(MarkRead(TALK, INSTRUCTOR, 2), MarkDelivered(TALK, INSTRUCTOR, 3), conversation=conversation)

    assert draft.participants == []
    assert draft.events == []


def test_marking_beyond_the_newest_message_is_refused_and_changes_nothing() -> None:
    draft = drafted(MarkRead(TALK, INSTRUCTOR, 6), conversation=locked(last_seq=5))

    (reply,) = draft.replies
    assert isinstance(reply, InvalidInput)
    assert "newest is 5" in str(reply)
    assert (draft.events, draft.participants) == ([], [])


def test_a_stranger_is_told_that_there_is_no_such_conversation() -> None:
    stranger = UserId("01HSTRANGER000000000000000")

    (reply,) = drafted(say("hi", stranger)).replies

    assert isinstance(reply, ConversationNotFound)


def test_one_refused_command_does_not_disturb_its_neighbours() -> None:
    draft = drafted(say("a"), MarkRead(TALK, INSTRUCTOR, 99), say("b"))

    assert [type(r).__name__ for r in draft.replies] == ["Sent", "InvalidInput", "Sent"]
    assert [m.seq for m in draft.messages] == [1, 2]


def test_a_new_message_brings_an_archived_conversation_back() -> None:
    archived = Participant(TALK, INSTRUCTOR, STUDENT, state=ConversationState.ARCHIVED)
    draft = drafted(say("a"), conversation=locked(instructor=archived))

    names = [name for _, name, _ in shown(draft.events, INSTRUCTOR)]

    assert names == ["conversation.updated", "message.created"]
    assert {p.user_id: p.state for p in draft.participants}[INSTRUCTOR] is ConversationState.ACTIVE


def test_a_trashed_conversation_stays_in_the_trash_and_counts_nothing() -> None:
    trashed = Participant(TALK, INSTRUCTOR, STUDENT, state=ConversationState.TRASHED)
    draft = drafted(say("a"), conversation=locked(instructor=trashed))

    ((_, _, data),) = shown(draft.events, INSTRUCTOR)

    assert (data["unread_count"], data["total_unread"]) == (1, 0)
    assert {p.user_id: p.state for p in draft.participants}[INSTRUCTOR] is ConversationState.TRASHED


def test_trashing_takes_the_conversation_out_of_the_total_and_shows_it_to_that_user_only() -> None:
    unread = Participant(TALK, INSTRUCTOR, STUDENT, received_ordinal=3)
    trash = SetState(TALK, INSTRUCTOR, ConversationState.TRASHED)

    draft = drafted(
        trash,
        MarkDelivered(TALK, INSTRUCTOR, 1),
        conversation=locked(last_seq=3, instructor=unread),
        instructor=(0, 5),
    )

    told = [(e.user_id, e.name) for e in draft.events if e.name == "conversation.updated"]
    assert told == [(INSTRUCTOR, "conversation.updated")]
    assert draft.replies[1] == Unread(unread_count=3, total_unread=2)


def test_filing_a_conversation_where_it_is_already_changes_nothing() -> None:
    draft = drafted(SetState(TALK, INSTRUCTOR, ConversationState.ACTIVE))

    assert draft.events == []
    assert draft.participants == []


def test_the_end_of_a_session_is_told_to_its_user_alone() -> None:
    events = drafted(NoteSessionEnd(STUDENT, "logout")).events

    assert [(e.user_id, e.name, e.data) for e in events] == [(STUDENT, "session.revoked", '{"reason":"logout"}')]
