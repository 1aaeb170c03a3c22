"""Writes a batch of commands in one transaction: read under locks, decide, write.

The order of the statements is the delivery guarantee. Conversations are locked in id order; the users' stream rows
last, in user id order, and they stay locked until the commit: so a stream's sequence is dense and its commit order is
its sequence order, and whoever sees event n can be sure that n - 1 is visible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from greenroom.actors.commands import Command, MarkRead, NoteSessionEnd, OpenConversation, SendMessage, SetState
from greenroom.actors.draft import Draft, Known
from greenroom.schema.errors import DomainError
from greenroom.schema.ids import ConversationId, Ids, UserId
from greenroom.schema.records import Conversation, ConversationState, LockedConversation, StoredEvent
from greenroom.storage.ports import ClientKey, MarkQuery, OpenedConversation, Writes, WriteTransaction


@dataclass(frozen=True, slots=True)
class Committed:
    """``replies`` answer the commands in order; ``events`` are what their users' streams grew by."""

    replies: Sequence[object | DomainError]
    events: Sequence[StoredEvent]


async def commit(
    writes: Writes,
    commands: Sequence[Command],
    *,
    ids: Ids,
    now: datetime,
    is_online: Callable[[UserId], bool],
) -> Committed:
    """Carry out ``commands`` in order, in one transaction; return only after it is durable.

    A command that is refused by a rule answers with its :class:`DomainError` and the others go on.

    Raises:
        Unavailable: the database is away or its pool exhausted; the outcome of a commit that was under way is unknown.
        UserNotFound, Conflict: one of the commands can't be stored; nothing of the batch was.
    """
    async with writes.transaction() as tx:
        known = await _read(tx, commands, ids, now)
        draft = Draft(known, ids=ids, now=now, is_online=is_online)
        for command in commands:
            draft.apply(command)
        if draft.messages:
            await tx.append_messages(draft.messages)
        if conversations := draft.conversations:
            await tx.save_conversations(conversations)
        if participants := draft.participants:
            await tx.save_participants(participants)
        recipients = draft.recipients
        streams = await tx.lock_streams(recipients) if recipients else {}
        events = draft.events(streams)
        if events:
            await tx.append_events(events)
    return Committed(replies=draft.replies(streams), events=events)


async def _read(tx: WriteTransaction, commands: Sequence[Command], ids: Ids, now: datetime) -> Known:
    opened: list[OpenedConversation] = []
    if openings := [c for c in commands if isinstance(c, OpenConversation)]:
        opened = await tx.open_conversations([_new_conversation(c, ids, now) for c in openings])

    touched = [c.conversation_id for c in commands if not isinstance(c, OpenConversation | NoteSessionEnd)]
    touched += [o.conversation_id for o in opened]
    locked = await tx.lock_conversations(list(dict.fromkeys(touched))) if touched else {}

    keys = [
        ClientKey(c.conversation_id, c.sender_id, c.client_id)
        for c in commands
        if isinstance(c, SendMessage) and c.client_id is not None
    ]
    keys += [
        ClientKey(o.conversation_id, c.opened_by, c.first.client_id)
        for c, o in zip(openings, opened, strict=True)
        if c.first is not None and c.first.client_id is not None
    ]
    marks = [
        MarkQuery(c.conversation_id, side.peer_id, c.seq)
        for c in commands
        if isinstance(c, MarkRead)
        and (conversation := locked.get(c.conversation_id)) is not None
        and (side := conversation.participant(c.user_id)) is not None
    ]
    shown = _shown(commands, opened, locked)
    users = [p for c in shown for p in (locked[c].student.user_id, locked[c].instructor.user_id)]
    return Known(
        opened=opened,
        conversations=locked,
        sent=await tx.sent_messages(keys) if keys else {},
        ordinals=dict(zip(marks, await tx.ordinals_at(marks), strict=True)) if marks else {},
        users=await tx.users(list(dict.fromkeys(users))) if users else {},
        last_messages=await tx.last_messages(shown) if shown else {},
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
        if isinstance(c, SetState) or (isinstance(c, SendMessage) and _is_archived(locked.get(c.conversation_id)))
    ]
    return [c for c in dict.fromkeys(shown) if c in locked]


def _is_archived(conversation: LockedConversation | None) -> bool:
    return conversation is not None and ConversationState.ARCHIVED in (
        conversation.student.state,
        conversation.instructor.state,
    )


def _new_conversation(command: OpenConversation, ids: Ids, now: datetime) -> Conversation:
    return Conversation(
        id=ConversationId(ids.ulid()),
        student_id=command.student_id,
        instructor_id=command.instructor_id,
        last_seq=0,
        created_at=now,
        last_message_at=now,
    )
