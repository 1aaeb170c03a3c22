"""Decides what a batch of commands does, without waiting for anything.

A :class:`Draft` is given the locked conversations and what else the commands need to know, applies the commands in
order to working copies, and ends up with the rows to write and the events to append. A command that can't be carried
out answers with its error and leaves no trace. Nothing here awaits, reads a clock or knows a database, so every rule
can be tested by calling it.

Two numbers are known only once the users' stream rows are locked, after the rows were written: an event's ``seq`` and
a user's total unread. So each event is drafted with the user's change of unread *within this batch* so far; the total
it must show is the total at the end, minus what changed after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
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
from greenroom.schema.events import ConversationChanged, ConversationMarked, MessageCreated, SessionRevoked
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
from greenroom.schema.wire import ConversationOut, MessageOut, Wire, to_json
from greenroom.storage.ports import ClientKey, MarkQuery, OpenedConversation, StreamPosition

Reply = Callable[[int], object]
"""Makes a command's answer from the asking user's total unread at that point of the batch."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was read under the locks before deciding.

    Attributes:
        opened: for each :class:`OpenConversation` of the batch, in order, the conversation its pair now has.
        sent: messages already stored under the batch's client ids.
        ordinals: for each :class:`MarkRead`, the ordinal its seq reaches among the messages stored before this batch.
        users, last_messages: of the conversations whose view the batch shows to somebody.
    """

    opened: Sequence[OpenedConversation]
    conversations: Mapping[ConversationId, LockedConversation]
    sent: Mapping[ClientKey, Message]
    ordinals: Mapping[MarkQuery, int]
    users: Mapping[UserId, User]
    last_messages: Mapping[ConversationId, Message]


@dataclass(slots=True)
class _Working:
    """One conversation while the batch is applied to it."""

    conversation: Conversation
    participants: dict[UserId, Participant]
    last_message: Message | None
    appended: list[Message] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _DraftedEvent:
    user_id: UserId
    name: str
    unread_change: int
    build: Callable[[int], Wire]


@dataclass(frozen=True, slots=True)
class _DraftedReply:
    user_id: UserId
    unread_change: int
    build: Reply


class Draft:
    """Applies commands to locked conversations.

    Args:
        known: what was read under the locks.
        ids: names for new messages.
        now: the moment of this batch, aware.
        is_online: whether a user is known to be connected, for the conversations shown in events.
    """

    def __init__(self, known: Known, *, ids: Ids, now: datetime, is_online: Callable[[UserId], bool]) -> None:
        self._known = known
        self._ids = ids
        self._now = now
        self._is_online = is_online
        self._opened = iter(known.opened)
        self._working = {
            conversation_id: _Working(
                conversation=locked.conversation,
                participants={p.user_id: p for p in (locked.student, locked.instructor)},
                last_message=known.last_messages.get(conversation_id),
            )
            for conversation_id, locked in known.conversations.items()
        }
        self._sent = dict(known.sent)
        self._messages: list[Message] = []
        self._changed_conversations: dict[ConversationId, None] = {}
        self._changed_participants: dict[tuple[ConversationId, UserId], None] = {}
        self._unread_changes: dict[UserId, int] = {}
        self._events: list[_DraftedEvent] = []
        self._replies: list[_DraftedReply | DomainError] = []

    def apply(self, command: Command) -> None:
        """Carry out one command, or note its error as its answer."""
        try:
            self._replies.append(self._decide(command))
        except DomainError as error:
            self._replies.append(error)

    @property
    def messages(self) -> Sequence[Message]:
        """Messages to insert, in order."""
        return self._messages

    @property
    def conversations(self) -> list[Conversation]:
        """Conversations whose row changed, at their final values."""
        return [self._working[key].conversation for key in self._changed_conversations]

    @property
    def participants(self) -> list[Participant]:
        """Participants whose row changed, at their final values."""
        return [self._working[key].participants[user_id] for key, user_id in self._changed_participants]

    @property
    def recipients(self) -> list[UserId]:
        """Users whose stream or total unread is needed, each once."""
        users = [event.user_id for event in self._events]
        users += [reply.user_id for reply in self._replies if isinstance(reply, _DraftedReply)]
        return list(dict.fromkeys(users))

    def events(self, streams: Mapping[UserId, StreamPosition]) -> list[StoredEvent]:
        """Give every drafted event its place in its user's locked stream, in order."""
        last_seqs = {user_id: position.last_seq for user_id, position in streams.items()}
        stored = []
        for event in self._events:
            last_seqs[event.user_id] += 1
            total = self._total(event.user_id, event.unread_change, streams)
            stored.append(
                StoredEvent(
                    user_id=event.user_id,
                    seq=last_seqs[event.user_id],
                    name=event.name,
                    data=to_json(event.build(total)),
                    at=self._now,
                )
            )
        return stored

    def replies(self, streams: Mapping[UserId, StreamPosition]) -> list[object | DomainError]:
        """The answer to each applied command, in order; a :class:`DomainError` for one that was refused."""
        return [
            reply
            if isinstance(reply, DomainError)
            else reply.build(self._total(reply.user_id, reply.unread_change, streams))
            for reply in self._replies
        ]

    def _total(self, user_id: UserId, change_so_far: int, streams: Mapping[UserId, StreamPosition]) -> int:
        changed_later = self._unread_changes.get(user_id, 0) - change_so_far
        return streams[user_id].total_unread - changed_later

    # The rules, one per command.

    def _decide(self, command: Command) -> _DraftedReply:
        match command:
            case OpenConversation():
                return self._open(command)
            case SendMessage():
                sent = self._send(self._find(command, command.sender_id), command)
                return self._reply(command.sender_id, lambda _: sent)
            case MarkRead():
                return self._mark_read(command)
            case MarkDelivered():
                return self._mark_delivered(command)
            case SetState():
                return self._set_state(command)
            case NoteSessionEnd():
                self._event(command.user_id, "session.revoked", lambda _: SessionRevoked(reason=command.reason))
                return self._reply(command.user_id, lambda _: None)
            case _:
                assert_never(command)

    def _open(self, command: OpenConversation) -> _DraftedReply:
        opened = next(self._opened)
        working = self._working[opened.conversation_id]
        if opened.created:
            self._show(working, "conversation.created")
        message = None
        if command.first is not None:
            send = SendMessage(
                opened.conversation_id, command.opened_by, command.first.content, command.first.client_id
            )
            message = self._send(working, send).message
        view = self._view(working, command.opened_by)
        return self._reply(command.opened_by, lambda _: Opened(view=view, created=opened.created, message=message))

    def _send(self, working: _Working, command: SendMessage) -> Sent:
        conversation = working.conversation
        key = command.client_id and ClientKey(conversation.id, command.sender_id, command.client_id)
        if key and (first := self._sent.get(key)):
            return Sent(message=first, created=False)

        sender = working.participants[command.sender_id]
        recipient = working.participants[sender.peer_id]
        message = Message(
            id=MessageId(self._ids.ulid()),
            conversation_id=conversation.id,
            seq=conversation.last_seq + 1,
            version=1,
            kind=MessageKind.USER,
            sender_id=command.sender_id,
            sender_ordinal=recipient.received_ordinal + 1,
            content=command.content,
            client_id=command.client_id,
            booking_id=None,
            created_at=self._now,
        )
        self._messages.append(message)
        working.appended.append(message)
        working.last_message = message
        if key:
            self._sent[key] = message
        working.conversation = replace(conversation, last_seq=message.seq, last_message_at=self._now)
        self._changed_conversations[conversation.id] = None
        self._change(working, replace(recipient, received_ordinal=message.sender_ordinal))

        for user_id in (sender.user_id, recipient.user_id):
            side = working.participants[user_id]
            if side.state is ConversationState.ARCHIVED:
                self._change(working, replace(side, state=ConversationState.ACTIVE))
                self._show(working, "conversation.updated", to=user_id)
        shown = MessageOut.of(message)
        for user_id in (sender.user_id, recipient.user_id):
            unread = working.participants[user_id].unread_count
            self._event(user_id, "message.created", partial(_message_created, shown, unread))
        return Sent(message=message, created=True)

    def _mark_read(self, command: MarkRead) -> _DraftedReply:
        working = self._find(command, command.user_id)
        reader = working.participants[command.user_id]
        self._check_seq(command.seq, working.conversation)
        if command.seq > reader.read_seq:
            query = MarkQuery(command.conversation_id, reader.peer_id, command.seq)
            reached = max(
                self._known.ordinals.get(query, 0),
                *(
                    m.sender_ordinal
                    for m in working.appended
                    if m.sender_id == reader.peer_id and m.seq <= command.seq
                ),
                reader.read_ordinal,
            )
            self._change(
                working,
                replace(
                    reader,
                    read_seq=command.seq,
                    read_ordinal=reached,
                    delivered_seq=max(reader.delivered_seq, command.seq),
                ),
            )
            self._marked(working, "conversation.read", command.user_id, command.seq)
        return self._unread(working, command.user_id)

    def _mark_delivered(self, command: MarkDelivered) -> _DraftedReply:
        working = self._find(command, command.user_id)
        receiver = working.participants[command.user_id]
        self._check_seq(command.seq, working.conversation)
        if command.seq > receiver.delivered_seq:
            self._change(working, replace(receiver, delivered_seq=command.seq))
            self._marked(working, "conversation.delivered", command.user_id, command.seq)
        return self._unread(working, command.user_id)

    def _set_state(self, command: SetState) -> _DraftedReply:
        working = self._find(command, command.user_id)
        side = working.participants[command.user_id]
        if side.state is not command.state:
            self._change(working, replace(side, state=command.state))
            self._show(working, "conversation.updated", to=command.user_id)
        view = self._view(working, command.user_id)
        return self._reply(command.user_id, lambda _: view)

    # What the rules share.

    def _find(self, command: ConversationCommand, user_id: UserId) -> _Working:
        working = self._working.get(command.conversation_id)
        if working is None or user_id not in working.participants:
            raise ConversationNotFound("There is no such conversation.")
        return working

    @staticmethod
    def _check_seq(seq: int, conversation: Conversation) -> None:
        if not 1 <= seq <= conversation.last_seq:
            raise InvalidInput(
                FieldError(("body", "seq"), f"no message has this seq; the newest is {conversation.last_seq}")
            )

    def _change(self, working: _Working, after: Participant) -> None:
        before = working.participants[after.user_id]
        working.participants[after.user_id] = after
        self._changed_participants[(after.conversation_id, after.user_id)] = None
        change = _counted(after) - _counted(before)
        self._unread_changes[after.user_id] = self._unread_changes.get(after.user_id, 0) + change

    def _view(self, working: _Working, user_id: UserId) -> ConversationView:
        me = working.participants[user_id]
        return ConversationView(
            conversation=working.conversation,
            me=me,
            other=working.participants[me.peer_id],
            other_user=self._known.users[me.peer_id],
            last_message=working.last_message,
        )

    def _show(self, working: _Working, name: str, *, to: UserId | None = None) -> None:
        for user_id in working.participants if to is None else (to,):
            view = self._view(working, user_id)
            shown = ConversationOut.of(view, is_online=self._is_online(view.other.user_id))
            self._event(user_id, name, partial(_conversation_changed, shown))

    def _marked(self, working: _Working, name: str, marker: UserId, seq: int) -> None:
        for user_id, side in working.participants.items():
            self._event(
                user_id,
                name,
                partial(_conversation_marked, working.conversation.id, marker, seq, side.unread_count),
            )

    def _unread(self, working: _Working, user_id: UserId) -> _DraftedReply:
        unread = working.participants[user_id].unread_count
        return self._reply(user_id, lambda total: Unread(unread_count=unread, total_unread=total))

    def _event(self, user_id: UserId, name: str, build: Callable[[int], Wire]) -> None:
        self._events.append(_DraftedEvent(user_id, name, self._unread_changes.get(user_id, 0), build))

    def _reply(self, user_id: UserId, build: Reply) -> _DraftedReply:
        return _DraftedReply(user_id, self._unread_changes.get(user_id, 0), build)


def _message_created(shown: MessageOut, unread: int, total: int) -> Wire:
    return MessageCreated(message=shown, unread_count=unread, total_unread=total)


def _conversation_changed(shown: ConversationOut, _total: int) -> Wire:
    return ConversationChanged(conversation=shown)


def _conversation_marked(
    conversation_id: ConversationId, marker: UserId, seq: int, unread: int, total: int
) -> Wire:
    return ConversationMarked(
        conversation_id=conversation_id, user_id=marker, seq=seq, unread_count=unread, total_unread=total
    )


def _counted(participant: Participant) -> int:
    """What a conversation adds to its user's total unread; a trashed one adds nothing."""
    return 0 if participant.state is ConversationState.TRASHED else participant.unread_count
