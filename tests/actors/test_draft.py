"""The rules of the durable commands, decided without a database, an actor or a clock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from greenroom.actors.batch import Circumstances, Known
from greenroom.actors.commands import (
    Command,
    DeleteMessage,
    EditMessage,
    MarkDelivered,
    MarkRead,
    NoteSessionEnd,
    SendMessage,
    Sent,
    SetReaction,
    SetState,
    Unread,
)
from greenroom.actors.draft import Draft
from greenroom.actors.rules.changing import REACTIONS_MAX
from greenroom.schema.errors import (
    ConversationNotFound,
    EditWindowClosed,
    InvalidInput,
    MessageDeleted,
    MessageNotFound,
    PermissionDenied,
    TooManyReactions,
    VersionMismatch,
)
from greenroom.schema.ids import ConversationId, MessageId, RandomIds, UserId
from greenroom.schema.records import (
    Conversation,
    ConversationState,
    LockedConversation,
    Message,
    MessageEdit,
    MessageKind,
    MessageReaction,
    Participant,
    Reaction,
    Role,
    StoredEvent,
    User,
)
from greenroom.storage.ports import ClientKey, Locked, MarkQuery, StreamPosition

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
STUDENT, INSTRUCTOR = UserId("01HSTUDENT0000000000000000"), UserId("01HTEACHER0000000000000000")
EDIT_WINDOW = timedelta(minutes=15)
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
    messages: Sequence[Message] = (),
    now: datetime = NOW,
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
                messages={message.id: message for message in messages},
            ),
            users={STUDENT: user(STUDENT, Role.STUDENT), INSTRUCTOR: user(INSTRUCTOR, Role.INSTRUCTOR)},
            last_messages={TALK: messages[-1]} if messages else {},
        ),
        Circumstances(
            ids=RandomIds(Random(1), lambda: NOW), now=now, is_online=lambda _: False, edit_window=EDIT_WINDOW
        ),
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

    assert [(m.seq, m.sender_id, m.sender_ordinal) for m in draft.batch.messages] == [
        (8, STUDENT, 1),
        (9, INSTRUCTOR, 1),
        (10, STUDENT, 2),
    ]
    assert draft.batch.conversations[0].last_seq == 10


def test_both_streams_grow_densely_and_show_each_user_their_own_unread() -> None:
    events = drafted(say("a"), say("b"), student=(4, 0), instructor=(9, 0)).batch.events

    assert [(seq, name, data["unread_count"]) for seq, name, data in shown(events, INSTRUCTOR)] == [
        (10, "message.created", 1),
        (11, "message.created", 2),
    ]
    assert [(seq, name, data["unread_count"]) for seq, name, data in shown(events, STUDENT)] == [
        (5, "message.created", 0),
        (6, "message.created", 0),
    ]


def test_each_event_shows_the_total_unread_of_its_own_moment_within_the_batch() -> None:
    events = drafted(say("a"), say("b"), instructor=(0, 10)).batch.events

    assert [data["total_unread"] for _, _, data in shown(events, INSTRUCTOR)] == [11, 12]


def test_a_repeated_client_id_in_one_batch_returns_the_first_message_and_adds_nothing() -> None:
    draft = drafted(say("once", client_id="c1"), say("once", client_id="c1"))

    first, second = draft.replies

    assert isinstance(first, Sent)
    assert isinstance(second, Sent)
    assert (first.created, second.created) == (True, False)
    assert second.message == first.message
    assert len(draft.batch.messages) == 1


def test_a_client_id_that_was_stored_before_returns_that_message_and_no_event() -> None:
    stored = drafted(say("hello", client_id="c1")).batch.messages[0]
    draft = drafted(
        say("other text", client_id="c1"),
        sent={ClientKey(TALK, STUDENT, "c1"): stored},
        conversation=locked(last_seq=1),
    )

    assert draft.replies == [Sent(message=stored, created=False)]
    assert draft.batch.events == []
    assert draft.batch.messages == []


def test_reading_clears_what_was_received_up_to_that_seq_and_tells_both_sides() -> None:
    conversation = locked(last_seq=5, instructor=Participant(TALK, INSTRUCTOR, STUDENT, received_ordinal=3))
    draft = drafted(
        MarkRead(TALK, INSTRUCTOR, 4),
        conversation=conversation,
        ordinals={MarkQuery(TALK, INSTRUCTOR, 4): 2},
        instructor=(0, 3),
    )

    assert draft.replies == [Unread(unread_count=1, total_unread=1)]
    assert [(e.user_id, e.name) for e in draft.batch.events] == [
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

    assert draft.batch.participants == []
    assert draft.batch.events == []


def test_marking_beyond_the_newest_message_is_refused_and_changes_nothing() -> None:
    draft = drafted(MarkRead(TALK, INSTRUCTOR, 6), conversation=locked(last_seq=5))

    (reply,) = draft.replies
    assert isinstance(reply, InvalidInput)
    assert "newest is 5" in str(reply)
    assert (draft.batch.events, draft.batch.participants) == ([], [])


def test_a_stranger_is_told_that_there_is_no_such_conversation() -> None:
    stranger = UserId("01HSTRANGER000000000000000")

    (reply,) = drafted(say("hi", stranger)).replies

    assert isinstance(reply, ConversationNotFound)


def test_one_refused_command_does_not_disturb_its_neighbours() -> None:
    draft = drafted(say("a"), MarkRead(TALK, INSTRUCTOR, 99), say("b"))

    assert [type(r).__name__ for r in draft.replies] == ["Sent", "InvalidInput", "Sent"]
    assert [m.seq for m in draft.batch.messages] == [1, 2]


def test_a_new_message_brings_an_archived_conversation_back() -> None:
    archived = Participant(TALK, INSTRUCTOR, STUDENT, state=ConversationState.ARCHIVED)
    draft = drafted(say("a"), conversation=locked(instructor=archived))

    names = [name for _, name, _ in shown(draft.batch.events, INSTRUCTOR)]

    assert names == ["conversation.updated", "message.created"]
    assert {p.user_id: p.state for p in draft.batch.participants}[INSTRUCTOR] is ConversationState.ACTIVE


def test_a_trashed_conversation_stays_in_the_trash_and_counts_nothing() -> None:
    trashed = Participant(TALK, INSTRUCTOR, STUDENT, state=ConversationState.TRASHED)
    draft = drafted(say("a"), conversation=locked(instructor=trashed))

    ((_, _, data),) = shown(draft.batch.events, INSTRUCTOR)

    assert (data["unread_count"], data["total_unread"]) == (1, 0)
    assert {p.user_id: p.state for p in draft.batch.participants}[INSTRUCTOR] is ConversationState.TRASHED


def test_trashing_takes_the_conversation_out_of_the_total_and_shows_it_to_that_user_only() -> None:
    unread = Participant(TALK, INSTRUCTOR, STUDENT, received_ordinal=3)
    trash = SetState(TALK, INSTRUCTOR, ConversationState.TRASHED)

    draft = drafted(
        trash,
        MarkDelivered(TALK, INSTRUCTOR, 1),
        conversation=locked(last_seq=3, instructor=unread),
        instructor=(0, 5),
    )

    told = [(e.user_id, e.name) for e in draft.batch.events if e.name == "conversation.updated"]
    assert told == [(INSTRUCTOR, "conversation.updated")]
    assert draft.replies[1] == Unread(unread_count=3, total_unread=2)


def test_filing_a_conversation_where_it_is_already_changes_nothing() -> None:
    draft = drafted(SetState(TALK, INSTRUCTOR, ConversationState.ACTIVE))

    assert draft.batch.events == []
    assert draft.batch.participants == []


def test_the_end_of_a_session_is_told_to_its_user_alone() -> None:
    events = drafted(NoteSessionEnd(STUDENT, "logout")).batch.events

    assert [(e.user_id, e.name, e.data) for e in events] == [(STUDENT, "session.revoked", '{"reason":"logout"}')]


MESSAGE = MessageId("01HMESSAGE0000000000000000")
SAID = Message(
    id=MESSAGE,
    conversation_id=TALK,
    seq=3,
    version=1,
    kind=MessageKind.USER,
    sender_id=STUDENT,
    sender_ordinal=2,
    content="See you on Sunday",
    client_id=None,
    booking_id=None,
    created_at=NOW,
)


def edit(content: str, *, by: UserId = STUDENT, if_version: int | None = None) -> EditMessage:
    return EditMessage(TALK, by, MESSAGE, content, if_version)


def react(emoji: str, *, by: UserId = INSTRUCTOR, is_added: bool = True) -> SetReaction:
    return SetReaction(TALK, by, MESSAGE, emoji, is_added)


def changed(*commands: Command, message: Message = SAID, now: datetime = NOW) -> Draft:
    return drafted(*commands, conversation=locked(last_seq=3), messages=[message], now=now)


def refused(draft: Draft) -> type[object]:
    """The class of the last answer; what was refused must have left no trace."""
    batch = draft.batch
    assert (batch.events, batch.changed_messages, batch.edits, batch.reactions(added=True)) == ([], [], [], [])
    return type(draft.replies[-1])


def test_an_edit_keeps_what_was_said_and_tells_both() -> None:
    later = NOW + timedelta(minutes=3)
    batch = changed(edit("See you on Saturday"), now=later).batch

    [after] = batch.changed_messages
    assert (after.content, after.version, after.edited_at, after.seq) == ("See you on Saturday", 2, later, 3)
    assert batch.edits == [MessageEdit(MESSAGE, 1, "See you on Sunday", NOW)]
    for user_id in (STUDENT, INSTRUCTOR):
        [(_, name, data)] = shown(batch.events, user_id)
        assert (name, data["message"]["content"]) == ("message.updated", "See you on Saturday")  # type: ignore[index]


def test_edits_of_one_batch_follow_each_other() -> None:
    batch = changed(edit("a"), edit("b", if_version=2)).batch

    assert [(e.version, e.content) for e in batch.edits] == [(1, "See you on Sunday"), (2, "a")]
    assert [(m.version, m.content) for m in batch.changed_messages] == [(3, "b")]


def test_an_edit_to_the_same_words_changes_nothing() -> None:
    draft = changed(edit("See you on Sunday"), now=NOW + timedelta(days=1))

    assert draft.replies == [SAID]
    assert draft.batch.events == []


def test_an_edit_that_was_done_before_its_answer_was_lost_is_answered_again() -> None:
    done = replace(SAID, content="x", version=2, edited_at=NOW)

    assert changed(edit("x", if_version=1), message=done).replies == [done]
    assert refused(changed(edit("y", if_version=1), message=done)) is VersionMismatch


def test_an_edit_is_refused_of_another_version_too_late_by_somebody_else_or_of_nothing() -> None:
    assert refused(changed(edit("x", if_version=2))) is VersionMismatch
    assert refused(changed(edit("x"), now=NOW + EDIT_WINDOW + timedelta(seconds=1))) is EditWindowClosed
    assert refused(changed(edit("x", by=INSTRUCTOR))) is PermissionDenied
    assert refused(changed(edit("x", by=UserId("01HSTRANGER000000000000000")))) is ConversationNotFound
    assert refused(drafted(edit("x"))) is MessageNotFound


def test_an_edit_is_in_time_until_the_last_moment_of_the_window() -> None:
    assert changed(edit("x"), now=NOW + EDIT_WINDOW).batch.changed_messages


def test_deleting_leaves_a_place_without_content_and_does_not_change_what_is_unread() -> None:
    batch = changed(DeleteMessage(TALK, STUDENT, MESSAGE), message=replace(SAID, reactions=(LIKED,))).batch

    [after] = batch.changed_messages
    assert (after.content, after.reactions, after.deleted_at, after.seq) == ("", (), NOW, 3)
    assert batch.participants == []
    [(_, name, data)] = shown(batch.events, INSTRUCTOR)
    assert (name, data["message"]["content"]) == ("message.deleted", "")  # type: ignore[index]


def test_what_is_deleted_can_only_be_deleted_again() -> None:
    gone = replace(SAID, content="", deleted_at=NOW)

    assert refused(changed(edit("x"), message=gone)) is MessageDeleted
    assert refused(changed(react("\U0001f44d"), message=gone)) is MessageDeleted
    again = changed(DeleteMessage(TALK, STUDENT, MESSAGE), message=gone)
    assert (again.replies, again.batch.events) == ([gone], [])


def test_only_the_sender_deletes() -> None:
    assert refused(changed(DeleteMessage(TALK, INSTRUCTOR, MESSAGE))) is PermissionDenied


LIKED = Reaction("\U0001f44d", (INSTRUCTOR,))


def test_a_reaction_is_told_to_both_with_all_there_are() -> None:
    batch = changed(react("\U0001f44d"), react("\U0001f389", by=STUDENT)).batch

    assert batch.reactions(added=True) == [
        MessageReaction(MESSAGE, "\U0001f44d", INSTRUCTOR),
        MessageReaction(MESSAGE, "\U0001f389", STUDENT),
    ]
    _, (_, name, data) = shown(batch.events, STUDENT)
    assert (name, data["emoji"], data["added"], data["user_id"]) == (
        "reaction.changed",
        "\U0001f389",
        True,
        STUDENT,
    )
    assert data["reactions"] == [
        {"emoji": "\U0001f389", "user_ids": [STUDENT]},
        {"emoji": "\U0001f44d", "user_ids": [INSTRUCTOR]},
    ]


def test_a_reaction_that_is_there_or_not_already_is_nothing_new() -> None:
    liked = replace(SAID, reactions=(LIKED,))

    assert changed(react("\U0001f44d"), message=liked).batch.events == []
    assert changed(react("\U0001f44d", is_added=False)).batch.events == []


def test_a_change_of_mind_within_a_batch_ends_where_it_ends() -> None:
    batch = changed(react("\U0001f44d"), react("\U0001f44d", is_added=False)).batch

    assert batch.reactions(added=True) == []
    assert [d["reactions"] for _, _, d in shown(batch.events, STUDENT)][-1] == []


def test_there_is_a_bound_to_what_one_user_feels() -> None:
    every = tuple(Reaction(chr(0x1F600 + n), (INSTRUCTOR,)) for n in range(REACTIONS_MAX))
    full = replace(SAID, reactions=every)

    assert refused(changed(react("\U0001f44d"), message=full)) is TooManyReactions
    assert changed(react("\U0001f44d", by=STUDENT), message=full).replies == [None]


def test_a_conversation_shown_after_an_edit_shows_the_edited_words() -> None:
    draft = changed(edit("x"), SetState(TALK, INSTRUCTOR, ConversationState.ARCHIVED))

    (*_, (_, _, data)) = shown(draft.batch.events, INSTRUCTOR)
    assert data["conversation"]["last_message"]["content"] == "x"  # type: ignore[index]
