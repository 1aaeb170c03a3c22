"""Locked rows while a batch of commands is applied to them.

They are changed in place and become records once, at the end: of a batch into one conversation, all but the last state
of each row would be thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from greenroom.schema.ids import UserId
from greenroom.schema.records import Conversation, ConversationState, LockedConversation, Message, Participant


@dataclass(slots=True)
class Side:
    """One participant while the batch is applied."""

    before: Participant
    state: ConversationState
    received_ordinal: int
    read_ordinal: int
    read_seq: int
    delivered_seq: int

    @classmethod
    def of(cls, before: Participant) -> Side:
        return cls(
            before,
            before.state,
            before.received_ordinal,
            before.read_ordinal,
            before.read_seq,
            before.delivered_seq,
        )

    @property
    def unread_count(self) -> int:
        return self.received_ordinal - self.read_ordinal

    @property
    def counted(self) -> int:
        """What the conversation adds to its user's total unread; a trashed one adds nothing."""
        return 0 if self.state is ConversationState.TRASHED else self.received_ordinal - self.read_ordinal

    def record(self) -> Participant:
        return replace(
            self.before,
            state=self.state,
            received_ordinal=self.received_ordinal,
            read_ordinal=self.read_ordinal,
            read_seq=self.read_seq,
            delivered_seq=self.delivered_seq,
        )


@dataclass(slots=True)
class Talk:
    """One conversation while the batch is applied."""

    before: Conversation
    sides: dict[UserId, Side]
    last_seq: int
    last_message_at: datetime
    last_message: Message | None
    appended: list[Message] = field(default_factory=list)

    @classmethod
    def of(cls, locked: LockedConversation, last_message: Message | None) -> Talk:
        before = locked.conversation
        sides = {p.user_id: Side.of(p) for p in (locked.student, locked.instructor)}
        return cls(before, sides, before.last_seq, before.last_message_at, last_message)

    def record(self) -> Conversation:
        return replace(self.before, last_seq=self.last_seq, last_message_at=self.last_message_at)


@dataclass(slots=True)
class Stream:
    """One user's stream while the batch is applied: both numbers are as the next event will find them."""

    last_seq: int
    total_unread: int
