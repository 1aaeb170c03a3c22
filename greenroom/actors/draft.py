"""Decides what a batch of commands does, without waiting for anything.

A :class:`Draft` is given the locked rows and what else the commands need to know, applies the commands in order to
working copies, and ends up with the rows to write, the events to append and the answers. A command that can't be
carried out answers with its error and leaves no trace. Nothing here awaits, reads a clock or knows a database, so every
rule can be tested by calling it.

Working copies are changed in place and become records once, at the end: of a batch into one conversation, all but the
last state of each row would be thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from greenroom.actors.commands import (
    Command,
    ConversationCommand,
    MarkDelivered,
    MarkRead,
    NoteSessionEnd,
    OpenConversation,
    Opened,
    SendMessage,
    Sent,
    SetState,
    Unread,
)
from greenroom.schema.errors import ConversationNotFound, DomainError, FieldError, InvalidInput
from greenroom.schema.event_json import conversation_marked_json, message_created_json, message_json
from greenroom.schema.events import ConversationChanged, SessionRevoked
from greenroom.schema.ids import ConversationId, Ids, MessageId, UserId
from greenroom.schema.records import (
    Conversation,
    ConversationState,
    ConversationView,
    LockedConversation,
    Message,
    MessageKind,
    Participant,
    StoredEvent,
    User,
)
from greenroom.schema.wire import ConversationOut, to_json
from greenroom.storage.ports import ClientKey, Locked, MarkQuery, OpenedConversation


@dataclass(frozen=True, slots=True)
class Known:
    """What was read under the locks before deciding.

    Attributes:
        opened: for each :class:`OpenConversation` of the batch, in order, the conversation its pair now has.
        users, last_messages: of the conversations whose view the batch shows to somebody.
    """

    opened: Sequence[OpenedConversation]
    locked: Locked
    users: Mapping[UserId, User]
    last_messages: Mapping[ConversationId, Message]


@dataclass(slots=True)
class _Side:
    """One participant while the batch is applied."""

    before: Participant
    state: ConversationState
    received_ordinal: int
    read_ordinal: int
    read_seq: int
    delivered_seq: int

    @classmethod
    def of(cls, before: Participant) -> _Side:
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
class _Talk:
    """One conversation while the batch is applied."""

    before: Conversation
    sides: dict[UserId, _Side]
    last_seq: int
    last_message_at: datetime
    last_message: Message | None
    appended: list[Message] = field(default_factory=list)

    @classmethod
    def of(cls, locked: LockedConversation, last_message: Message | None) -> _Talk:
        before = locked.conversation
        sides = {p.user_id: _Side.of(p) for p in (locked.student, locked.instructor)}
        return cls(before, sides, before.last_seq, before.last_message_at, last_message)

    def record(self) -> Conversation:
        return replace(self.before, last_seq=self.last_seq, last_message_at=self.last_message_at)


@dataclass(slots=True)
class _Stream:
    """One user's stream while the batch is applied: both numbers are as the next event will find them."""

    last_seq: int
    total_unread: int


class Draft:
    """Applies commands to locked conversations and streams.

    Args:
        known: what was read under the locks.
        ids: names for new messages.
        now: the moment of this batch, aware.
        is_online: whether a user is known to be connected, for the conversations shown in events.

    Attributes:
        messages: to insert, in order.
        events: to append, in order; each in its place of its user's stream.
        replies: the answer to each applied command, in order; a :class:`DomainError` for one that was refused.
    """

    def __init__(self, known: Known, *, ids: Ids, now: datetime, is_online: Callable[[UserId], bool]) -> None:
        self.messages: list[Message] = []
        self.events: list[StoredEvent] = []
        self.replies: list[object | DomainError] = []
        self._known = known
        self._ids = ids
        self._now = now
        self._is_online = is_online
        self._opened = iter(known.opened)
        self._talks = {
            conversation_id: _Talk.of(locked, known.last_messages.get(conversation_id))
            for conversation_id, locked in known.locked.conversations.items()
        }
        self._streams = {
            user_id: _Stream(position.last_seq, position.total_unread)
            for user_id, position in known.locked.streams.items()
        }
        self._sent = dict(known.locked.sent)
        self._changed_talks: dict[ConversationId, _Talk] = {}
        self._changed_sides: dict[tuple[ConversationId, UserId], _Side] = {}

    def apply(self, command: Command) -> None:
        """Carry out one command, or note its error as its answer."""
        try:
            self.replies.append(self._decide(command))
        except DomainError as error:
            self.replies.append(error)

    @property
    def conversations(self) -> list[Conversation]:
        """Conversations whose row changed, at their final values."""
        return [talk.record() for talk in self._changed_talks.values()]

    @property
    def participants(self) -> list[Participant]:
        """Participants whose row changed, at their final values."""
        return [side.record() for side in self._changed_sides.values()]

    # The rules, one per command.

    def _decide(self, command: Command) -> object:
        match command:
            case SendMessage():
                return self._send(self._find(command, command.sender_id), command)
            case MarkRead():
                return self._mark_read(command)
            case MarkDelivered():
                return self._mark_delivered(command)
            case OpenConversation():
                return self._open(command)
            case SetState():
                return self._set_state(command)
            case NoteSessionEnd():
                self._tell(command.user_id, "session.revoked", to_json(SessionRevoked(reason=command.reason)))
                return None
            case _:
                assert_never(command)

    def _open(self, command: OpenConversation) -> Opened:
        opened = next(self._opened)
        talk = self._talks[opened.conversation_id]
        if opened.created:
            for user_id in talk.sides:
                self._show(talk, "conversation.created", to=user_id)
        message = None
        if command.first is not None:
            send = SendMessage(
                opened.conversation_id, command.opened_by, command.first.content, command.first.client_id
            )
            message = self._send(talk, send).message
        return Opened(self._view(talk, command.opened_by), created=opened.created, message=message)

    def _send(self, talk: _Talk, command: SendMessage) -> Sent:
        key = command.client_id and ClientKey(command.conversation_id, command.sender_id, command.client_id)
        if key and (first := self._sent.get(key)):
            return Sent(message=first, created=False)

        sender_id = command.sender_id
        sender = talk.sides[sender_id]
        recipient_id = sender.before.peer_id
        recipient = talk.sides[recipient_id]
        message = Message(
            id=MessageId(self._ids.ulid()),
            conversation_id=command.conversation_id,
            seq=talk.last_seq + 1,
            version=1,
            kind=MessageKind.USER,
            sender_id=sender_id,
            sender_ordinal=recipient.received_ordinal + 1,
            content=command.content,
            client_id=command.client_id,
            booking_id=None,
            created_at=self._now,
        )
        if key:
            self._sent[key] = message
        self.messages.append(message)
        talk.appended.append(message)
        talk.last_message = message
        talk.last_seq = message.seq
        talk.last_message_at = self._now
        self._changed_talks[command.conversation_id] = talk
        recipient.received_ordinal = message.sender_ordinal
        self._changed_sides[command.conversation_id, recipient_id] = recipient
        if recipient.state is not ConversationState.TRASHED:
            self._streams[recipient_id].total_unread += 1

        sides = ((sender_id, sender), (recipient_id, recipient))
        for user_id, side in sides:
            if side.state is ConversationState.ARCHIVED:
                side.state = ConversationState.ACTIVE
                self._changed_sides[command.conversation_id, user_id] = side
                self._show(talk, "conversation.updated", to=user_id)
        shown = message_json(message)
        for user_id, side in sides:
            total = self._streams[user_id].total_unread
            text = message_created_json(shown, unread_count=side.unread_count, total_unread=total)
            self._tell(user_id, "message.created", text)
        return Sent(message=message, created=True)

    def _mark_read(self, command: MarkRead) -> Unread:
        talk = self._find(command, command.user_id)
        self._check_seq(command.seq, talk)
        reader = talk.sides[command.user_id]
        if command.seq > reader.read_seq:
            counted_before = reader.counted
            reader.read_seq = command.seq
            reader.read_ordinal = max(reader.read_ordinal, self._ordinal_at(talk, command))
            reader.delivered_seq = max(reader.delivered_seq, command.seq)
            self._streams[command.user_id].total_unread += reader.counted - counted_before
            self._marked(talk, "conversation.read", command)
        return self._unread(talk, command.user_id)

    def _ordinal_at(self, talk: _Talk, command: MarkRead) -> int:
        """How far among the other's messages the mark reaches, those of this batch included."""
        peer_id = talk.sides[command.user_id].before.peer_id
        for message in reversed(talk.appended):
            if message.sender_id == peer_id and message.seq <= command.seq:
                return message.sender_ordinal
        query = MarkQuery(command.conversation_id, command.user_id, command.seq)
        return self._known.locked.ordinals.get(query, 0)

    def _mark_delivered(self, command: MarkDelivered) -> Unread:
        talk = self._find(command, command.user_id)
        self._check_seq(command.seq, talk)
        receiver = talk.sides[command.user_id]
        if command.seq > receiver.delivered_seq:
            receiver.delivered_seq = command.seq
            self._marked(talk, "conversation.delivered", command)
        return self._unread(talk, command.user_id)

    def _set_state(self, command: SetState) -> ConversationView:
        talk = self._find(command, command.user_id)
        side = talk.sides[command.user_id]
        if side.state is not command.state:
            counted_before = side.counted
            side.state = command.state
            self._changed_sides[command.conversation_id, command.user_id] = side
            self._streams[command.user_id].total_unread += side.counted - counted_before
            self._show(talk, "conversation.updated", to=command.user_id)
        return self._view(talk, command.user_id)

    # What the rules share.

    def _find(self, command: ConversationCommand, user_id: UserId) -> _Talk:
        talk = self._talks.get(command.conversation_id)
        if talk is None or user_id not in talk.sides:
            raise ConversationNotFound("There is no such conversation.")
        return talk

    @staticmethod
    def _check_seq(seq: int, talk: _Talk) -> None:
        if not 1 <= seq <= talk.last_seq:
            raise InvalidInput(
                FieldError(("body", "seq"), f"no message has this seq; the newest is {talk.last_seq}")
            )

    def _view(self, talk: _Talk, user_id: UserId) -> ConversationView:
        me = talk.sides[user_id]
        peer_id = me.before.peer_id
        return ConversationView(
            conversation=talk.record(),
            me=me.record(),
            other=talk.sides[peer_id].record(),
            other_user=self._known.users[peer_id],
            last_message=talk.last_message,
        )

    def _show(self, talk: _Talk, name: str, *, to: UserId) -> None:
        view = self._view(talk, to)
        shown = ConversationOut.of(view, is_online=self._is_online(view.other.user_id))
        self._tell(to, name, to_json(ConversationChanged(conversation=shown)))

    def _marked(self, talk: _Talk, name: str, command: MarkRead | MarkDelivered) -> None:
        """Note whose mark has moved, and tell both."""
        marker = talk.sides[command.user_id]
        self._changed_sides[command.conversation_id, command.user_id] = marker
        for user_id, side in talk.sides.items():
            text = conversation_marked_json(
                command.conversation_id,
                command.user_id,
                seq=command.seq,
                unread_count=side.unread_count,
                total_unread=self._streams[user_id].total_unread,
            )
            self._tell(user_id, name, text)

    def _unread(self, talk: _Talk, user_id: UserId) -> Unread:
        return Unread(talk.sides[user_id].unread_count, self._streams[user_id].total_unread)

    def _tell(self, user_id: UserId, name: str, data: str) -> None:
        stream = self._streams[user_id]
        stream.last_seq += 1
        self.events.append(StoredEvent(user_id, stream.last_seq, name, data, self._now))
