"""Sending, tuned: six statements, counters raised by ``UPDATE ... RETURNING``, no objects in between.

Statements are built once, as one that is put together anew for each request costs as much as running it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from bench.peers.fastapi_chat.database import engine
from bench.peers.fastapi_chat.tables import Conversation, Event, Message, Participant, Stream
from bench.peers.fastapi_chat.wire import (
    MessageOut,
    NoSuchConversation,
    Sending,
    Sent,
    StreamEvent,
    message_created,
)

TAKE_SEQ: Final = (
    update(Conversation)
    .where(
        Conversation.id == bindparam("conversation"),
        or_(Conversation.student_id == bindparam("sender"), Conversation.instructor_id == bindparam("sender")),
    )
    .values(last_seq=Conversation.last_seq + 1, last_message_at=bindparam("now"))
    .returning(Conversation.last_seq, Conversation.student_id, Conversation.instructor_id)
)
# Not the dialect's insert, which knows ON CONFLICT and is compiled anew every time (SQLAlchemy 2.0 does not cache it).
INSERT_MESSAGE: Final = insert(Message)
SENT_BEFORE: Final = select(Message.__table__).where(
    Message.conversation_id == bindparam("conversation"),
    Message.sender_id == bindparam("sender"),
    Message.client_id == bindparam("client"),
)
COUNT_UNREAD: Final = (
    update(Participant)
    .where(Participant.conversation_id == bindparam("conversation"), Participant.user_id != bindparam("sender"))
    .values(unread_count=Participant.unread_count + 1)
)
# Locked in order of ids, so that two who write to each other's streams never wait in a circle.
_LOCKED: Final = (
    select(Stream.user_id)
    .where(Stream.user_id.in_([bindparam("student"), bindparam("instructor")]))
    .order_by(Stream.user_id)
    .with_for_update(key_share=True)
    .subquery()
)
RAISE_STREAMS: Final = (
    update(Stream)
    .where(Stream.user_id == _LOCKED.c.user_id)
    .values(last_seq=Stream.last_seq + 1)
    .returning(Stream.user_id, Stream.last_seq)
)
# After the streams are locked and in a statement of its own, so that it sees what was committed until then.
UNREAD: Final = (
    select(
        Participant.user_id,
        func.sum(Participant.unread_count).filter(Participant.conversation_id == bindparam("conversation")),
        func.sum(Participant.unread_count),
    )
    .where(Participant.user_id.in_([bindparam("student"), bindparam("instructor")]))
    .group_by(Participant.user_id)
)
INSERT_EVENT: Final = insert(Event)


async def send(conversation_id: str, sender_id: str, body: Sending) -> Sent:
    """Send a message.

    Raises:
        NoSuchConversation: there is none with this user in it.
    """
    now = datetime.now(UTC)
    async with engine.connect() as connection:
        # Takes the conversation's lock: whoever writes in it stands in line, so that its sequence is dense.
        taking = await connection.execute(
            TAKE_SEQ, {"conversation": conversation_id, "sender": sender_id, "now": now}
        )
        if (taken := taking.one_or_none()) is None:
            raise NoSuchConversation(conversation_id)
        message = {
            "conversation_id": conversation_id,
            "seq": taken.last_seq,
            "id": str(ULID()),
            "sender_id": sender_id,
            "content": body.content,
            "client_id": body.client_id,
            "created_at": now,
        }
        try:
            await connection.execute(INSERT_MESSAGE, message)
        except IntegrityError:
            await connection.rollback()
            key = {"conversation": conversation_id, "sender": sender_id, "client": body.client_id}
            before = (await connection.execute(SENT_BEFORE, key)).one()
            return Sent(MessageOut.model_validate(before), events=[])
        sent = MessageOut.model_construct(**message)
        events = await _append_events(connection, sent, taken.student_id, taken.instructor_id)
        await connection.commit()
    return Sent(sent, events)


async def _append_events(
    connection: AsyncConnection, sent: MessageOut, student_id: str, instructor_id: str
) -> list[tuple[str, StreamEvent]]:
    """Count the message as unread, and append an event to both streams."""
    here = {"conversation": sent.conversation_id}
    both = {"student": student_id, "instructor": instructor_id}
    await connection.execute(COUNT_UNREAD, here | {"sender": sent.sender_id})
    seqs = {user_id: seq for user_id, seq in await connection.execute(RAISE_STREAMS, both)}  # noqa: C416 - rows
    events = [
        (user_id, message_created(sent, seqs[user_id], unread_count=int(unread), total_unread=int(total)))
        for user_id, unread, total in await connection.execute(UNREAD, here | both)
    ]
    rows = [
        {"user_id": user_id, "seq": event.seq, "at": sent.created_at, "name": event.name, "data": event.data}
        for user_id, event in events
    ]
    await connection.execute(INSERT_EVENT, rows)
    return events
