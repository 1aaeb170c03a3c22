"""Typed events: the one place where an event's name and data are put together.

A durable event is drafted per recipient, because its numbers are absolute *as that user sees them*; it becomes a
:class:`~greenroom.schema.records.StoredEvent` when the stream's row lock gives it a sequence. An ephemeral event is
never stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from greenroom.schema.wire import BookingOut, ConversationOut, MessageOut, Moment, ReactionOut, Wire


class ResetReason(StrEnum):
    """Why a cursor can't be served."""

    CURSOR_EXPIRED = "cursor_expired"
    EPOCH_CHANGED = "epoch_changed"
    CURSOR_AHEAD = "cursor_ahead"
    MALFORMED = "malformed"


class ClosingReason(StrEnum):
    """Why the server ends a stream."""

    SLOW_CONSUMER = "slow_consumer"
    DRAINING = "draining"
    REVOKED = "revoked"
    EVICTED = "evicted"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Frame:
    """One event as a connection writes it.

    Attributes:
        id: the cursor a client has reached with it; None for what is never stored.
        event: its name.
        data: one line of JSON.
    """

    id: str | None
    event: str
    data: str


# Durable events.


class MessageCreated(Wire):
    """``message.created``"""

    message: MessageOut
    unread_count: int
    total_unread: int


class MessageChanged(Wire):
    """``message.updated`` and ``message.deleted``"""

    message: MessageOut
    unread_count: int
    total_unread: int


class ReactionChanged(Wire):
    """``reaction.changed``: ``reactions`` are all there are on the message now."""

    conversation_id: str
    message_id: str
    emoji: str
    user_id: str
    added: bool
    reactions: list[ReactionOut]


class ConversationChanged(Wire):
    """``conversation.created`` and ``conversation.updated``"""

    conversation: ConversationOut


class ConversationMarked(Wire):
    """``conversation.read`` and ``conversation.delivered``: ``user_id`` has read (received) everything up to ``seq``."""

    conversation_id: str
    user_id: str
    seq: int
    unread_count: int
    total_unread: int


class BookingChanged(Wire):
    """``booking.created``, ``.cancelled``, ``.rescheduled``, ``.completed`` and ``.reminder``"""

    booking: BookingOut


class SessionRevoked(Wire):
    """``session.revoked``: one of the user's sessions ended."""

    reason: str


# Ephemeral events.


class Typing(Wire):
    """``typing``"""

    conversation_id: str
    user_id: str
    is_typing: bool
    expires_at: Moment


class Presence(Wire):
    """``presence``"""

    user_id: str
    online: bool
    last_active_at: Moment | None


# Events about the stream itself.


class Ready(Wire):
    """``ready``: ``cursor`` is where this stream starts, ``tail`` where the user's stream stands."""

    user_id: str
    cursor: str
    tail: str


class Heartbeat(Wire):
    """``heartbeat``: ``cursor`` is what this connection has written, ``tail`` where the user's stream stands."""

    cursor: str
    tail: str


class Reset(Wire):
    """``reset``: the cursor can't be served; read ``sync_url`` and go on from the cursor it returns."""

    reason: ResetReason
    oldest: str
    current: str
    sync_url: str = "/api/v1/sync"


class Closing(Wire):
    """``closing``: ``reconnect`` says whether coming back makes sense."""

    reason: ClosingReason
    reconnect: bool
