"""Marking messages as read or received. A mark never moves back."""

from __future__ import annotations

from greenroom.actors.batch import Batch
from greenroom.actors.commands import MarkDelivered, MarkRead, Unread
from greenroom.actors.working_copies import Talk
from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.event_json import conversation_marked_json
from greenroom.storage.ports import MarkQuery


def mark_read(batch: Batch, command: MarkRead) -> Unread:
    talk = batch.talk_of(command, command.user_id)
    _check_seq(command.seq, talk)
    reader = talk.sides[command.user_id]
    if command.seq > reader.read_seq:
        counted_before = reader.counted
        reader.read_seq = command.seq
        reader.read_ordinal = max(reader.read_ordinal, _ordinal_at(batch, talk, command))
        reader.delivered_seq = max(reader.delivered_seq, command.seq)
        batch.streams[command.user_id].total_unread += reader.counted - counted_before
        _tell_both(batch, talk, "conversation.read", command)
    return batch.unread(talk, command.user_id)


def mark_delivered(batch: Batch, command: MarkDelivered) -> Unread:
    talk = batch.talk_of(command, command.user_id)
    _check_seq(command.seq, talk)
    receiver = talk.sides[command.user_id]
    if command.seq > receiver.delivered_seq:
        receiver.delivered_seq = command.seq
        _tell_both(batch, talk, "conversation.delivered", command)
    return batch.unread(talk, command.user_id)


def _check_seq(seq: int, talk: Talk) -> None:
    if not 1 <= seq <= talk.last_seq:
        raise InvalidInput(FieldError(("body", "seq"), f"no message has this seq; the newest is {talk.last_seq}"))


def _ordinal_at(batch: Batch, talk: Talk, command: MarkRead) -> int:
    """How far among the other's messages the mark reaches, those of this batch included."""
    peer_id = talk.sides[command.user_id].before.peer_id
    for message in reversed(talk.appended):
        if message.sender_id == peer_id and message.seq <= command.seq:
            return message.sender_ordinal
    query = MarkQuery(command.conversation_id, command.user_id, command.seq)
    return batch.known.locked.ordinals.get(query, 0)


def _tell_both(batch: Batch, talk: Talk, name: str, command: MarkRead | MarkDelivered) -> None:
    """Note whose mark has moved, and tell both."""
    batch.touch_side(talk.sides[command.user_id])
    for user_id, side in talk.sides.items():
        text = conversation_marked_json(
            command.conversation_id,
            command.user_id,
            seq=command.seq,
            unread_count=side.unread_count,
            total_unread=batch.streams[user_id].total_unread,
        )
        batch.tell(user_id, name, text)
