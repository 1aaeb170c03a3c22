"""Writes a batch of commands in one transaction: lock and read, decide, write.

The order of the locks is the delivery guarantee. Conversations are locked in id order; the users' stream rows last, in
user id order, and they stay locked until the commit: so a stream's sequence is dense and its commit order is its
sequence order, and whoever sees event n can be sure that n - 1 is visible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from greenroom.actors.batch import Batch, Circumstances, Known
from greenroom.actors.commands import (
    BookLesson,
    CancelBooking,
    Command,
    CompleteBooking,
    DeleteMessage,
    EditMessage,
    MarkDelivered,
    MarkRead,
    NoteSessionEnd,
    OpenConversation,
    OpeningCommand,
    PostSystemMessage,
    RemindBooking,
    RescheduleBooking,
    SendMessage,
    SetReaction,
    SetState,
)
from greenroom.actors.draft import Draft
from greenroom.schema.bookings import UPCOMING_MAX, Slot
from greenroom.schema.errors import DomainError
from greenroom.schema.ids import BookingId, ConversationId, Ids, MessageId, UserId
from greenroom.schema.outbox import NewJob
from greenroom.schema.records import Conversation, ConversationState, LockedConversation, StoredEvent
from greenroom.storage.ports import ClientKey, Locked, MarkQuery, OpenedConversation, Writes, WriteTransaction


@dataclass(frozen=True, slots=True)
class Committed:
    """``replies`` answer the commands in order; ``events`` are what their users' streams grew by; ``jobs`` are to follow."""

    replies: Sequence[object | DomainError]
    events: Sequence[StoredEvent]
    jobs: Sequence[NewJob]


async def commit(
    writes: Writes,
    commands: Sequence[Command],
    circumstances: Circumstances,
) -> Committed:
    """Carry out ``commands`` in order, in one transaction; return only after it is durable.

    A command that is refused by a rule answers with its :class:`DomainError` and the others go on.

    Raises:
        Unavailable: the database is away or its pool exhausted; the outcome of a commit that was under way is unknown.
        UserNotFound, SlotTaken, Conflict: one of the commands can't be stored; nothing of the batch was.
    """
    async with writes.transaction() as tx:
        known = await _read(tx, commands, circumstances.ids, circumstances.now)
        draft = Draft(known, circumstances)
        for command in commands:
            draft.apply(command)
        await _write(tx, draft.batch)
    return Committed(replies=draft.replies, events=draft.batch.events, jobs=draft.batch.jobs)


async def _write(tx: WriteTransaction, batch: Batch) -> None:
    # Before what refers to them.
    if batch.bookings:
        await tx.save_bookings(batch.bookings)
    if batch.messages:
        await tx.append_messages(batch.messages)
    if batch.edits:
        await tx.append_edits(batch.edits)
    if removed := batch.reactions(added=False):
        await tx.remove_reactions(removed)
    if added := batch.reactions(added=True):
        await tx.add_reactions(added)
    # After what it takes away with a message that is deleted.
    if changed := batch.changed_messages:
        await tx.save_messages(changed)
    if conversations := batch.conversations:
        await tx.save_conversations(conversations)
    if participants := batch.participants:
        await tx.save_participants(participants)
    if batch.jobs:
        await tx.append_jobs(batch.jobs)
    if batch.events:
        await tx.append_events(batch.events)


async def _read(tx: WriteTransaction, commands: Sequence[Command], ids: Ids, now: datetime) -> Known:
    openings = [c for c in commands if isinstance(c, OpeningCommand)]
    opened = await tx.open_conversations([_new_conversation(c, ids, now) for c in openings]) if openings else []
    locked = await _lock(tx, commands, openings, opened)
    shown = _shown(commands, opened, locked.conversations)
    pairs = [locked.conversations[i].conversation for i in shown]
    users = [user_id for pair in pairs for user_id in (pair.student_id, pair.instructor_id)]
    return Known(
        opened=opened,
        locked=locked,
        users=await tx.users(list(dict.fromkeys(users))) if users else {},
        last_messages=await tx.last_messages(shown) if shown else {},
        # Each command may make one of them go, and another take its place.
        upcoming=await tx.upcoming_bookings(shown, now=now, limit=UPCOMING_MAX + len(commands)) if shown else {},
    )


async def _lock(
    tx: WriteTransaction,
    commands: Sequence[Command],
    openings: Sequence[OpeningCommand],
    opened: Sequence[OpenedConversation],
) -> Locked:
    """Lock everything the commands touch, in one wait."""
    conversations: list[ConversationId] = []
    users: list[UserId] = []
    keys: list[ClientKey] = []
    marks: list[MarkQuery] = []
    messages: list[MessageId] = []
    bookings: list[BookingId] = []
    slots: list[Slot] = []
    for command in commands:
        match command:
            case SendMessage(conversation_id, sender_id, _, client_id, booking_id):
                conversations.append(conversation_id)
                if client_id is not None:
                    keys.append(ClientKey(conversation_id, sender_id, client_id))
                if booking_id is not None:
                    bookings.append(booking_id)
            case CancelBooking() | CompleteBooking() | RemindBooking():
                conversations.append(command.conversation_id)
                bookings.append(command.booking_id)
            case RescheduleBooking():
                conversations.append(command.conversation_id)
                bookings.append(command.booking_id)
                slots.append(command.slot)
            case PostSystemMessage(conversation_id, event_id):
                conversations.append(conversation_id)
                keys.append(ClientKey(conversation_id, None, event_id))
            case BookLesson():
                slots.append(command.slot)  # its conversation may be another's; see below
            case MarkRead(conversation_id, user_id, seq):
                conversations.append(conversation_id)
                marks.append(MarkQuery(conversation_id, user_id, seq))
            case MarkDelivered() | SetState():
                conversations.append(command.conversation_id)
            case EditMessage() | DeleteMessage() | SetReaction():
                conversations.append(command.conversation_id)
                messages.append(command.message_id)
            case NoteSessionEnd():
                users.append(command.user_id)
            case OpenConversation():
                pass  # its conversation may be another's; see below
            case _:
                assert_never(command)
    for opening, there in zip(openings, opened, strict=True):
        conversations.append(there.conversation_id)
        if isinstance(opening, OpenConversation) and opening.first and opening.first.client_id is not None:
            keys.append(ClientKey(there.conversation_id, opening.opened_by, opening.first.client_id))
    return await tx.lock(
        conversations=list(dict.fromkeys(conversations)),
        users=users,
        keys=keys,
        marks=marks,
        messages=list(dict.fromkeys(messages)),
        bookings=list(dict.fromkeys(bookings)),
        slots=slots,
    )


def _shown(
    commands: Sequence[Command],
    opened: Sequence[OpenedConversation],
    locked: Mapping[ConversationId, LockedConversation],
) -> list[ConversationId]:
    """Conversations that somebody will be shown whole: opened, refiled, or brought back from the archive by a send."""
    shown = [o.conversation_id for o in opened]
    shown += [
        c.conversation_id
        for c in commands
        if isinstance(c, SetState)
        or (isinstance(c, SendMessage | PostSystemMessage) and _is_archived(locked.get(c.conversation_id)))
    ]
    return [c for c in dict.fromkeys(shown) if c in locked]


def _is_archived(conversation: LockedConversation | None) -> bool:
    return conversation is not None and ConversationState.ARCHIVED in (
        conversation.student.state,
        conversation.instructor.state,
    )


def _new_conversation(command: OpeningCommand, ids: Ids, now: datetime) -> Conversation:
    return Conversation(
        id=ConversationId(ids.ulid()),
        student_id=command.student_id,
        instructor_id=command.instructor_id,
        last_seq=0,
        created_at=now,
        last_message_at=now,
    )
