"""Sending a message."""

from __future__ import annotations

from greenroom.actors.batch import Batch
from greenroom.actors.commands import SendMessage, Sent
from greenroom.actors.working_copies import Talk
from greenroom.schema.event_json import message_created_json, message_json
from greenroom.schema.ids import MessageId
from greenroom.schema.records import ConversationState, Message, MessageKind
from greenroom.storage.ports import ClientKey


def send(batch: Batch, talk: Talk, command: SendMessage) -> Sent:
    """Append a message, unless one was sent under this client id before; bring the conversation back from archives."""
    key = command.client_id and ClientKey(command.conversation_id, command.sender_id, command.client_id)
    if key and (first := batch.sent.get(key)):
        return Sent(message=first, created=False)

    sender_id = command.sender_id
    sender = talk.sides[sender_id]
    recipient_id = sender.before.peer_id
    recipient = talk.sides[recipient_id]
    message = Message(
        id=MessageId(batch.ids.ulid()),
        conversation_id=command.conversation_id,
        seq=talk.last_seq + 1,
        version=1,
        kind=MessageKind.USER,
        sender_id=sender_id,
        sender_ordinal=recipient.received_ordinal + 1,
        content=command.content,
        client_id=command.client_id,
        booking_id=None,
        created_at=batch.now,
    )
    if key:
        batch.sent[key] = message
    batch.messages.append(message)
    talk.appended.append(message)
    talk.last_message = message
    talk.last_seq = message.seq
    talk.last_message_at = batch.now
    batch.touch(talk)
    recipient.received_ordinal = message.sender_ordinal
    batch.touch_side(recipient)
    if recipient.state is not ConversationState.TRASHED:
        batch.streams[recipient_id].total_unread += 1

    sides = ((sender_id, sender), (recipient_id, recipient))
    for user_id, side in sides:
        if side.state is ConversationState.ARCHIVED:
            side.state = ConversationState.ACTIVE
            batch.touch_side(side)
            batch.show(talk, "conversation.updated", to=user_id)
    shown = message_json(message)
    for user_id, side in sides:
        total = batch.streams[user_id].total_unread
        text = message_created_json(shown, unread_count=side.unread_count, total_unread=total)
        batch.tell(user_id, "message.created", text)
    return Sent(message=message, created=True)
