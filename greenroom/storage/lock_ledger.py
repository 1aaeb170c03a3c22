"""The rules of a write transaction, kept by both twins: what may be locked when, and what may be written then.

1. Rows are locked in one order: pairs of users being opened, then conversations, then streams; each in ascending order,
   and each all at once. Two transactions that keep one order can't wait for each other in a circle (Havender, "Avoiding
   deadlock in multitasking systems", 1968). A transaction sorts what it is asked to lock; what is left to its writer is
   to open first, then to lock, and to do neither twice.
2. Only locked rows are written.
3. A sequence continues where the locked row left it, without a hole.

A breach of 1 or 2 is a bug of the caller and is reported as one. It is reported the same by the in-memory twin, where
it would do no harm, so that a simulation finds it before a database does. Whatever was refused, nothing of the transaction is
committed, even if its writer goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

from greenroom.schema.bookings import Booking
from greenroom.schema.errors import Conflict
from greenroom.schema.ids import ConversationId, MessageId, UserId
from greenroom.schema.outbox import NewJob
from greenroom.schema.records import Conversation, Message, Participant, StoredEvent
from greenroom.storage.ports import Locked


class LockRuleBroken(RuntimeError):
    """A transaction locked out of order, or wrote what it had not locked."""


class _Step(IntEnum):
    NOTHING = 0
    OPENED = 1
    LOCKED = 2


Pair = tuple[UserId, UserId]


def pair_of(conversation: Conversation) -> Pair:
    """Return the two users in ascending order: what identifies a conversation whichever way round they are given."""
    first, second = sorted((conversation.student_id, conversation.instructor_id))
    return first, second


class LockLedger:
    """What one write transaction has locked so far, and how far its sequences have come."""

    def __init__(self) -> None:
        self._step = _Step.NOTHING
        self._message_tails: dict[ConversationId, int] = {}
        self._stream_tails: dict[UserId, int] = {}
        self._messages: set[MessageId] = set()
        self._has_refused = False

    def before_opening(self) -> None:
        self._advance(_Step.OPENED)

    def opened(self, created: Iterable[ConversationId]) -> None:
        """A row this transaction inserted is its own: nobody else can see it, let alone lock it."""
        self._message_tails.update((conversation_id, 0) for conversation_id in created)

    def before_locking(self) -> None:
        self._advance(_Step.LOCKED)

    def locked(self, rows: Locked) -> None:
        for conversation_id, locked in rows.conversations.items():
            self._message_tails.setdefault(conversation_id, locked.conversation.last_seq)
        for user_id, position in rows.streams.items():
            self._stream_tails[user_id] = position.last_seq
        self._messages.update(rows.messages)

    def before_saving(
        self, rows: Sequence[Conversation] | Sequence[Participant] | Sequence[Booking] | Sequence[NewJob]
    ) -> None:
        """Check that every row belongs to a locked conversation."""
        for row in rows:
            match row:
                case Conversation():
                    conversation_id = row.id
                case NewJob():
                    conversation_id = ConversationId(row.aggregate_id)
                case _:
                    conversation_id = row.conversation_id
            if conversation_id not in self._message_tails:
                raise self._refusal(
                    LockRuleBroken, f"conversation {conversation_id} is written but was not locked"
                )

    def before_changing(self, messages: Sequence[Message]) -> None:
        """Check that every message was read under the lock of its conversation."""
        self.before_annotating(message.id for message in messages)

    def before_annotating(self, message_ids: Iterable[MessageId]) -> None:
        """Check that every message that something is added to was read under the lock of its conversation."""
        for message_id in message_ids:
            if message_id not in self._messages:
                raise self._refusal(LockRuleBroken, f"message {message_id} is changed but was not locked")

    def before_appending_messages(self, messages: Sequence[Message]) -> None:
        """Check and count messages in.

        Raises:
            Conflict: a message's ``seq`` is not the next one of its conversation.
        """
        for message in messages:
            tail = self._message_tails.get(message.conversation_id)
            if tail is None:
                raise self._refusal(
                    LockRuleBroken, f"conversation {message.conversation_id} is appended to but was not locked"
                )
            if message.seq != tail + 1:
                raise self._refusal(
                    Conflict, f"Message {message.seq} does not follow {tail} in {message.conversation_id}."
                )
            self._message_tails[message.conversation_id] = message.seq
            self._messages.add(message.id)

    def before_appending_events(self, events: Sequence[StoredEvent]) -> None:
        """Check and count events in.

        Raises:
            Conflict: an event's ``seq`` is not the next one of its stream.
        """
        for event in events:
            tail = self._stream_tails.get(event.user_id)
            if tail is None:
                raise self._refusal(
                    LockRuleBroken, f"the stream of user {event.user_id} is appended to but was not locked"
                )
            if event.seq != tail + 1:
                raise self._refusal(
                    Conflict, f"Event {event.seq} does not follow {tail} in the stream of {event.user_id}."
                )
            self._stream_tails[event.user_id] = event.seq

    def before_commit(self) -> None:
        """Check that nothing was refused.

        Raises:
            Conflict: something was, and its refusal was swallowed.
        """
        if self._has_refused:
            raise Conflict("A statement of this transaction was refused; it can only be rolled back.")

    def _refusal(self, kind: type[Exception], sentence: str) -> Exception:
        self._has_refused = True
        return kind(sentence)

    def _advance(self, step: _Step) -> None:
        if step <= self._step:
            raise self._refusal(LockRuleBroken, f"{step.name.lower()} after {self._step.name.lower()}")
        self._step = step
