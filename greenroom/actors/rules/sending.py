"""Sending a message."""

from __future__ import annotations

from greenroom.actors.batch import Batch
from greenroom.actors.commands import PostSystemMessage, SendMessage, Sent
from greenroom.actors.working_copies import Talk
from greenroom.schema.errors import BookingNotFound, FieldError, InvalidInput
from greenroom.schema.event_json import message_created_json, message_json
from greenroom.schema.ids import MessageId
from greenroom.schema.records import ConversationState, Message, MessageKind
from greenroom.storage.ports import ClientKey


def send(batch: Batch, talk: Talk, command: SendMessage) -> Sent:
    """Append a message, unless one was sent under this client id before; bring the conversation back from archives.

    Raises:
        InvalidInput: the booking is none of this conversation.
    """
    key = command.client_id and ClientKey(command.conversation_id, command.sender_id, command.client_id)
    if key and (first := batch.sent.get(key)):
        return Sent(message=first, created=False)
    _check_booking(batch, command)

    sender_id = command.sender_id
    recipient_id = talk.sides[sender_id].before.peer_id
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
        booking_id=command.booking_id,
        created_at=batch.now,
    )
    if key:
        batch.sent[key] = message
    recipient.received_ordinal = message.sender_ordinal
    batch.touch_side(recipient)
    if recipient.state is not ConversationState.TRASHED:
        batch.streams[recipient_id].total_unread += 1
    _append(batch, talk, message)
    return Sent(message=message, created=True)


def post(batch: Batch, command: PostSystemMessage) -> Sent:
    """Append what happened, unless it was before; nobody has to read it, so it counts as unread for nobody.

    Raises:
        ConversationNotFound
    """
    talk = batch.talk_between(command)
    key = ClientKey(command.conversation_id, None, command.event_id)
    if first := batch.sent.get(key):
        return Sent(message=first, created=False)
    message = batch.sent[key] = Message(
        id=MessageId(batch.ids.ulid()),
        conversation_id=command.conversation_id,
        seq=talk.last_seq + 1,
        version=1,
        kind=MessageKind.SYSTEM,
        sender_id=None,
        sender_ordinal=0,
        content=command.content,
        client_id=command.event_id,
        booking_id=command.booking_id,
        created_at=batch.now,
    )
    _append(batch, talk, message)
    return Sent(message=message, created=True)


def _check_booking(batch: Batch, command: SendMessage) -> None:
    if command.booking_id is not None:
        try:
            batch.booking(command.booking_id, command.conversation_id)
        except BookingNotFound as exc:
            reason = "there is no such booking in this conversation"
            raise InvalidInput(FieldError(("body", "booking_id"), reason)) from exc


def _append(batch: Batch, talk: Talk, message: Message) -> None:
    """Put a message at the end, and tell both."""
    batch.messages.append(message)
    talk.appended.append(message)
    talk.last_message = message
    talk.last_seq = message.seq
    talk.last_message_at = batch.now
    batch.touch(talk)
    # Who sent it is told first.
    sides = sorted(talk.sides.items(), key=lambda item: item[0] != message.sender_id)
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
