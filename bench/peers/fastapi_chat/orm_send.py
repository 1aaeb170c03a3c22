"""Sending as SQLAlchemy's documentation teaches it: a session, objects that are changed, and a unit of work."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from ulid import ULID

from bench.peers.fastapi_chat.database import sessions
from bench.peers.fastapi_chat.tables import Conversation, Event, Message, Participant, Stream
from bench.peers.fastapi_chat.wire import (
    MessageOut,
    NoSuchConversation,
    Sending,
    Sent,
    StreamEvent,
    message_created,
)


async def send(conversation_id: str, sender_id: str, body: Sending) -> Sent:
    """Send a message.

    Raises:
        NoSuchConversation: there is none with this user in it.
    """
    async with sessions.begin() as session:
        # Under the conversation's lock: whoever writes in it stands in line, so that its sequence is dense.
        conversation = await session.get(Conversation, conversation_id, with_for_update={"key_share": True})
        if conversation is None or sender_id not in (conversation.student_id, conversation.instructor_id):
            raise NoSuchConversation(conversation_id)
        if body.client_id is not None and (before := await _sent_before(session, conversation, sender_id, body)):
            return Sent(MessageOut.model_validate(before), events=[])
        conversation.last_seq += 1
        conversation.last_message_at = datetime.now(UTC)
        message = Message(
            conversation_id=conversation_id,
            seq=conversation.last_seq,
            id=str(ULID()),
            sender_id=sender_id,
            content=body.content,
            client_id=body.client_id,
            created_at=conversation.last_message_at,
        )
        session.add(message)
        sent = MessageOut.model_validate(message)
        return Sent(sent, await _append_events(session, conversation, sent))


async def _sent_before(
    session: AsyncSession, conversation: Conversation, sender_id: str, body: Sending
) -> Message | None:
    return await session.scalar(
        select(Message).where(
            Message.conversation_id == conversation.id,
            Message.sender_id == sender_id,
            Message.client_id == body.client_id,
        )
    )


async def _append_events(
    session: AsyncSession, conversation: Conversation, sent: MessageOut
) -> list[tuple[str, StreamEvent]]:
    """Count the message as unread, and append an event to both streams."""
    both = [conversation.student_id, conversation.instructor_id]
    participants = await session.scalars(select(Participant).where(Participant.conversation_id == conversation.id))
    unread = {}
    for participant in participants:
        participant.unread_count += participant.user_id != sent.sender_id
        unread[participant.user_id] = participant.unread_count
    # Locked in order of ids, so that two who write to each other's streams never wait in a circle.
    streams = await session.scalars(
        select(Stream).where(Stream.user_id.in_(both)).order_by(Stream.user_id).with_for_update(key_share=True)
    )
    # After the streams are locked and in a statement of its own, so that it sees what was committed until then.
    counting = await session.execute(
        select(Participant.user_id, func.sum(Participant.unread_count))
        .where(Participant.user_id.in_(both))
        .group_by(Participant.user_id)
    )
    totals = {user_id: int(total) for user_id, total in counting}
    events = []
    for stream in streams:
        stream.last_seq += 1
        event = message_created(
            sent, stream.last_seq, unread_count=unread[stream.user_id], total_unread=totals[stream.user_id]
        )
        row = Event(user_id=stream.user_id, seq=event.seq, at=sent.created_at, name=event.name, data=event.data)
        session.add(row)
        events.append((stream.user_id, event))
    return events
