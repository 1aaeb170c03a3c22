"""The JSON of the events that every message causes, put together from ready pieces.

A message is rendered once, however many are told of it; what differs between them, their counts, is spliced in behind.
The text is what :func:`~greenroom.schema.wire.to_json` makes of the models in :mod:`greenroom.schema.events`, to the byte,
for a fifth of the time; a test holds the two together. Events that come seldom are rendered by their models.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring as _quoted

from greenroom.schema.clock import rfc3339
from greenroom.schema.ids import ConversationId, UserId
from greenroom.schema.records import Message, Reaction


def message_json(message: Message) -> str:
    """The message as ``MessageOut``."""
    return (
        f'{{"id":"{message.id}","conversation_id":"{message.conversation_id}","seq":{message.seq},'
        f'"version":{message.version},"kind":"{message.kind.value}","sender_id":{_nullable(message.sender_id)},'
        f'"content":{_quoted(message.content)},"client_id":{_nullable(message.client_id)},'
        f'"booking_id":{_nullable(message.booking_id)},'
        f'"reactions":[{",".join(map(_reaction, message.reactions))}],'
        f'"created_at":{_moment(message.created_at)},"edited_at":{_moment(message.edited_at)},'
        f'"deleted_at":{_moment(message.deleted_at)}}}'
    )


def message_created_json(message: str, *, unread_count: int, total_unread: int) -> str:
    """``MessageCreated`` or ``MessageChanged``, which look the same, of what :func:`message_json` made."""
    return f'{{"message":{message},"unread_count":{unread_count},"total_unread":{total_unread}}}'


def conversation_marked_json(
    conversation_id: ConversationId, user_id: UserId, *, seq: int, unread_count: int, total_unread: int
) -> str:
    """``ConversationMarked``."""
    return (
        f'{{"conversation_id":"{conversation_id}","user_id":"{user_id}","seq":{seq},'
        f'"unread_count":{unread_count},"total_unread":{total_unread}}}'
    )


def _nullable(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


def _reaction(reaction: Reaction) -> str:
    return f'{{"emoji":{_quoted(reaction.emoji)},"user_ids":[{",".join(map(_quoted, reaction.user_ids))}]}}'


@lru_cache(maxsize=16)
def _moment(moment: datetime | None) -> str:
    """All messages of a batch are of one moment."""
    return "null" if moment is None else f'"{rfc3339(moment)}"'
