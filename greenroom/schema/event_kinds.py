"""Every event there is: the one table that the documentation, the OpenAPI document and the client library are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from greenroom.schema import events
from greenroom.schema.wire import Wire


class Nature(StrEnum):
    """What becomes of an event that a client misses."""

    DURABLE = "durable"
    """Stored, numbered, and sent again to whoever resumes before it."""

    EPHEMERAL = "ephemeral"
    """Told to whoever is connected, and to nobody later."""

    ABOUT_THE_STREAM = "about the stream"
    """Says where this one connection stands; no state is kept from it but the cursor."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """What all events of one name have in common.

    Attributes:
        model: of its data.
        meaning: when it comes, in a sentence or two.
    """

    name: str
    model: type[Wire]
    nature: Nature
    meaning: str


_Meanings = Mapping[str, tuple[type[Wire], str]]

_DURABLE: Final[_Meanings] = {
    "message.created": (
        events.MessageCreated,
        "Either participant, or the server, wrote a message; both get it, who sent it too.",
    ),
    "message.updated": (events.MessageChanged, "A message says something else now; `version` has grown."),
    "message.deleted": (
        events.MessageChanged,
        "A message lost its content and its reactions; it keeps its place.",
    ),
    "reaction.changed": (events.ReactionChanged, "Somebody put an emoji on a message, or took it off."),
    "conversation.created": (
        events.ConversationChanged,
        "Somebody opened a conversation with this user, or this user did.",
    ),
    "conversation.updated": (
        events.ConversationChanged,
        "This user filed a conversation elsewhere, or a new message took it out of the archive.",
    ),
    "conversation.read": (events.ConversationMarked, "One of the two has read further; both get it."),
    "conversation.delivered": (
        events.ConversationMarked,
        "More has arrived at a device of one of the two; both get it.",
    ),
    "booking.created": (events.BookingChanged, "A lesson was booked."),
    "booking.cancelled": (events.BookingChanged, "A lesson was cancelled."),
    "booking.rescheduled": (events.BookingChanged, "A lesson was moved to another time."),
    "booking.completed": (events.BookingChanged, "The instructor says that a lesson took place."),
    "booking.reminder": (events.BookingChanged, "A lesson is near."),
    "session.revoked": (events.SessionRevoked, "One of this user's sessions ended, on this device or another."),
}

_EPHEMERAL: Final[_Meanings] = {
    "typing": (
        events.Typing,
        "The other participant types, or stopped; unless it is told again, it is over at `expires_at`.",
    ),
    "presence": (events.Presence, "Somebody this user has a conversation with came or left."),
}

_ABOUT_THE_STREAM: Final[_Meanings] = {
    "ready": (events.Ready, "The first event of every connection."),
    "heartbeat": (events.Heartbeat, "Every 15 s, whether anything happens or not."),
    "reset": (
        events.Reset,
        "The cursor can't be served: what lies between is not told any more, and the stream goes on live from `current`.",
    ),
    "closing": (events.Closing, "The last event of a stream that the server ends."),
}


def _kinds(nature: Nature, meanings: _Meanings) -> dict[str, EventKind]:
    return {name: EventKind(name, model, nature, meaning) for name, (model, meaning) in meanings.items()}


EVENT_KINDS: Final[Mapping[str, EventKind]] = MappingProxyType(
    _kinds(Nature.DURABLE, _DURABLE)
    | _kinds(Nature.EPHEMERAL, _EPHEMERAL)
    | _kinds(Nature.ABOUT_THE_STREAM, _ABOUT_THE_STREAM)
)
"""By name."""
