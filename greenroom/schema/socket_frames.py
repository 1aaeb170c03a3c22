"""What clients send over a WebSocket: one command per frame, checked as strictly as a REST body."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from greenroom.schema.ids import BookingId, ConversationId, MessageId
from greenroom.schema.requests import Body, ClientId, Content, Seq, Text, Ulid

REF_LENGTH_MAX: Final = 64

Ref = Annotated[str, Field(max_length=REF_LENGTH_MAX)] | Annotated[int, Field(ge=0, le=2**53 - 1)]
"""Comes back with the reply; a client that sends none can't tell its replies apart."""


class SocketCommand(Body):
    ref: Ref | None = None


class SocketSend(SocketCommand):
    cmd: Literal["send"]
    conversation_id: Annotated[ConversationId, Ulid]
    content: Content
    client_id: ClientId | None = None
    booking_id: Annotated[BookingId, Ulid] | None = None


class SocketEdit(SocketCommand):
    """``if_version`` is what ``If-Match`` is in REST."""

    cmd: Literal["edit"]
    message_id: Annotated[MessageId, Ulid]
    content: Content
    if_version: Annotated[int, Field(ge=1)] | None = None


class SocketDelete(SocketCommand):
    cmd: Literal["delete"]
    message_id: Annotated[MessageId, Ulid]


class SocketReact(SocketCommand):
    cmd: Literal["react", "unreact"]
    message_id: Annotated[MessageId, Ulid]
    emoji: Annotated[str, Field(min_length=1, max_length=16)]


class SocketMark(SocketCommand):
    cmd: Literal["read", "delivered"]
    conversation_id: Annotated[ConversationId, Ulid]
    seq: Seq


class SocketTyping(SocketCommand):
    cmd: Literal["typing"]
    conversation_id: Annotated[ConversationId, Ulid]
    is_typing: bool


class SocketAck(SocketCommand):
    """Everything up to ``cursor`` has arrived. A client that once said so is expected to go on saying so."""

    cmd: Literal["ack"]
    cursor: Annotated[Text, Field(min_length=1, max_length=40)]


class SocketPing(SocketCommand):
    cmd: Literal["ping"]


AnyCommand = (
    SocketSend | SocketEdit | SocketDelete | SocketReact | SocketMark | SocketTyping | SocketAck | SocketPing
)

COMMAND: Final[TypeAdapter[AnyCommand]] = TypeAdapter(Annotated[AnyCommand, Field(discriminator="cmd")])
