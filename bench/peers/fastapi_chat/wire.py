"""What goes over the wire, and over the broadcast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi.sse import ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Registration(Body):
    email: Annotated[str, Field(pattern=r"^\S+@\S+$", max_length=254)]
    password: Annotated[str, Field(min_length=8, max_length=128)]
    display_name: Annotated[str, Field(min_length=1, max_length=80)]
    role: Literal["student", "instructor"]


class Login(Body):
    email: str
    password: str


class Opening(Body):
    participant_id: str


class Sending(Body):
    content: Annotated[str, Field(min_length=1, max_length=5000)]
    client_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class UserOut(BaseModel):
    id: str
    email: str
    display_name: str
    role: str


class SignedIn(BaseModel):
    user: UserOut
    access_token: str
    token_type: str = "bearer"


class ConversationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: str
    student_id: str
    instructor_id: str
    last_seq: int
    created_at: datetime


class Opened(BaseModel):
    conversation: ConversationOut


class MessageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: str
    conversation_id: str
    seq: int
    sender_id: str
    content: str
    client_id: str | None
    created_at: datetime


class MessageCreated(BaseModel):
    message: MessageOut
    unread_count: int
    total_unread: int


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """What the broadcast carries, and what a replay reads."""

    seq: int
    name: str
    data: str

    def frame(self) -> ServerSentEvent:
        return ServerSentEvent(id=cursor(self.seq), event=self.name, raw_data=self.data)


def cursor(seq: int) -> str:
    return f"v1.peer.{seq}"


class NoSuchConversation(Exception):
    """There is none, or not for this user."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a send came to.

    Attributes:
        events: for whom, and what; none if the message had been sent before under its client id.
    """

    message: MessageOut
    events: list[tuple[str, StreamEvent]]


def message_created(message: MessageOut, seq: int, *, unread_count: int, total_unread: int) -> StreamEvent:
    """The event of a message, as one user sees it."""
    data = MessageCreated.model_construct(message=message, unread_count=unread_count, total_unread=total_unread)
    return StreamEvent(seq, "message.created", data.model_dump_json())
