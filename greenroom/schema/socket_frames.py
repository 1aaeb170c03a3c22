"""What clients send over a WebSocket: one command per frame, checked as strictly as a REST body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, TypeAdapter

from greenroom.schema.answers import UnreadOut
from greenroom.schema.fields import ClientId, Content, Seq, Text, Ulid
from greenroom.schema.ids import BookingId, ConversationId, MessageId
from greenroom.schema.request_models import Body
from greenroom.schema.wire import MessageOut

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


@dataclass(frozen=True, slots=True)
class CommandKind:
    """What all commands of one name have in common.

    Attributes:
        reply: what a reply holds when it went well; None for nothing.
    """

    model: type[SocketCommand]
    reply: type[BaseModel] | None
    meaning: str


COMMAND_KINDS: Final[Mapping[str, CommandKind]] = MappingProxyType(
    {
        "send": CommandKind(SocketSend, MessageOut, "Send a message; with a `client_id`, sending again is safe."),
        "edit": CommandKind(SocketEdit, MessageOut, "Let a message of one's own say something else."),
        "delete": CommandKind(
            SocketDelete, None, "Take the content of a message of one's own away for everybody."
        ),
        "react": CommandKind(SocketReact, None, "Put an emoji on a message."),
        "unreact": CommandKind(SocketReact, None, "Take one's emoji off a message."),
        "read": CommandKind(SocketMark, UnreadOut, "Mark everything up to a `seq` as read."),
        "delivered": CommandKind(SocketMark, UnreadOut, "Mark everything up to a `seq` as received on a device."),
        "typing": CommandKind(SocketTyping, None, "Tell the other participant that one is typing, or no longer."),
        "ack": CommandKind(SocketAck, None, "Say that every event up to `cursor` has arrived."),
        "ping": CommandKind(SocketPing, None, "Ask for a reply and nothing else."),
    }
)
"""By ``cmd``."""
