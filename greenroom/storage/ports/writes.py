"""The one way to write conversations, streams, bookings and jobs: a transaction that locks first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from greenroom.schema.bookings import Booking, Slot
from greenroom.schema.ids import BookingId, ConversationId, MessageId, UserId
from greenroom.schema.outbox import NewJob
from greenroom.schema.records import (
    Conversation,
    LockedConversation,
    Message,
    MessageEdit,
    MessageReaction,
    Participant,
    StoredEvent,
    User,
)


@dataclass(frozen=True, slots=True)
class OpenedConversation:
    """``created`` is False if the pair already had a conversation, whose id this then is."""

    conversation_id: ConversationId
    created: bool


@dataclass(frozen=True, slots=True)
class ClientKey:
    """What makes a send idempotent: the client's own id, per conversation and sender.

    A system message has no sender; its client id is the event it tells of.
    """

    conversation_id: ConversationId
    sender_id: UserId | None
    client_id: str


@dataclass(frozen=True, slots=True)
class MarkQuery:
    """Asks which ordinal among the messages ``reader_id`` got from the other lies at or below ``seq``."""

    conversation_id: ConversationId
    reader_id: UserId
    seq: int


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """A locked stream: its newest sequence, and the user's total unread."""

    last_seq: int
    total_unread: int


@dataclass(frozen=True, slots=True)
class Locked:
    """Rows that a transaction holds, and what they protect.

    Attributes:
        conversations: of those asked for, those that exist.
        streams: of both participants of each, and of the users asked for. Nobody else can change them, nor any of these
            users' unread counts, before this transaction has ended.
        sent: messages already stored under the client ids asked about.
        ordinals: for each mark asked about, the highest ``sender_ordinal`` at or below its seq (0: none); a stranger's
            is absent.
        messages: of those asked for, those that exist.
        bookings: of those asked for, those that exist; and those, not cancelled, that overlap a slot asked about.
    """

    conversations: Mapping[ConversationId, LockedConversation]
    streams: Mapping[UserId, StreamPosition]
    sent: Mapping[ClientKey, Message]
    ordinals: Mapping[MarkQuery, int]
    messages: Mapping[MessageId, Message]
    bookings: Mapping[BookingId, Booking] = field(default_factory=dict)


class WriteTransaction(Protocol):
    """One transaction of set-based statements, READ COMMITTED.

    Everybody locks in one order, so that none can deadlock: pairs being opened, then conversations in id order, streams in
    user id order last. So opening comes before locking, and each is done at most once, for everything the transaction
    needs; a breach raises :class:`~greenroom.storage.lock_ledger.LockRuleBroken`. Only locked (or just opened)
    conversations and locked streams may be written, and sequences go on where the locked row left them.

    Leaving the context normally commits; leaving it by an exception rolls everything back. Statements without a result
    may be sent together with a later one: their errors are then raised there, or on leaving, and always before anything
    was committed. After an error the transaction can only be rolled back.
    """

    async def open_conversations(self, wanted: Sequence[Conversation]) -> list[OpenedConversation]:
        """Insert each conversation with both participants, unless its pair of users has one already.

        Returns one record per element of ``wanted``, in order. Two racing transactions get one conversation.

        Raises:
            UserNotFound: the student or the instructor does not exist.
        """
        ...

    async def lock(
        self,
        *,
        conversations: Sequence[ConversationId] = (),
        users: Sequence[UserId] = (),
        keys: Sequence[ClientKey] = (),
        marks: Sequence[MarkQuery] = (),
        messages: Sequence[MessageId] = (),
        bookings: Sequence[BookingId] = (),
        slots: Sequence[Slot] = (),
    ) -> Locked:
        """Lock conversations, then the streams of their participants and of ``users``; read what they protect.

        One wait, however much is asked for. ``keys``, ``marks``, ``messages`` and ``bookings`` are of these conversations.
        A slot is of an instructor who has a part in one of them: whoever books an instructor's time holds the lock of the
        instructor's stream.
        """
        ...

    async def last_messages(self, ids: Sequence[ConversationId]) -> Mapping[ConversationId, Message]:
        """The newest message of each conversation that has one."""
        ...

    async def users(self, ids: Sequence[UserId]) -> Mapping[UserId, User]:
        """Those of these users that exist."""
        ...

    async def upcoming_bookings(
        self, ids: Sequence[ConversationId], *, now: datetime, limit: int
    ) -> Mapping[ConversationId, Sequence[Booking]]:
        """The next ``limit`` lessons of each conversation that has any, soonest first."""
        ...

    async def save_bookings(self, bookings: Sequence[Booking]) -> None:
        """Insert bookings of locked conversations, or write what may change of them, in this order.

        Raises:
            SlotTaken: the instructor has another lesson at that time.
        """
        ...

    async def append_jobs(self, jobs: Sequence[NewJob]) -> None:
        """Write what is to follow, in this order; their aggregates are locked conversations.

        Raises:
            Conflict: an event's handler has a job already.
        """
        ...

    async def append_messages(self, messages: Sequence[Message]) -> None:
        """Insert messages with the sequences and ordinals they carry.

        Raises:
            Conflict: a sequence is not the next one, or a client id is taken, which the row locks rule out for callers
                that look before they write.
            ConversationNotFound: a sender is not a participant.
        """
        ...

    async def save_messages(self, messages: Sequence[Message]) -> None:
        """Write content, version and the moments of editing and deleting, of messages of locked conversations.

        A message that is deleted loses its former versions and its reactions.
        """
        ...

    async def append_edits(self, edits: Sequence[MessageEdit]) -> None:
        """Keep former versions of messages that are saved in this transaction.

        Raises:
            Conflict: a version is kept already.
        """
        ...

    async def add_reactions(self, reactions: Sequence[MessageReaction]) -> None:
        """Add reactions to messages of locked conversations; one that is there is passed over."""
        ...

    async def remove_reactions(self, reactions: Sequence[MessageReaction]) -> None:
        """Take reactions away; one that is not there is passed over."""
        ...

    async def save_conversations(self, conversations: Sequence[Conversation]) -> None:
        """Write ``last_seq`` and ``last_message_at`` of locked conversations, as absolute values."""
        ...

    async def save_participants(self, participants: Sequence[Participant]) -> None:
        """Write state and marks of participants of locked conversations, as absolute values."""
        ...

    async def append_events(self, events: Sequence[StoredEvent]) -> None:
        """Insert events of locked streams and raise each stream's ``last_seq`` to its newest event.

        Raises:
            Conflict: an event is not the next one of its stream.
        """
        ...


class Writes(Protocol):
    """Where write transactions begin."""

    def transaction(self) -> AbstractAsyncContextManager[WriteTransaction]:
        """Open a write transaction; at most one await on a lock is bounded by the lock timeout."""
        ...
