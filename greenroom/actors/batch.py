"""A batch of commands while it is decided: the locked rows, and what is to become of them.

Nothing here awaits, reads a clock or knows a database. The rules of the commands are in :mod:`greenroom.actors.rules`;
they work on this, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from greenroom.actors.commands import ConversationCommand, Unread, WorkerCommand
from greenroom.actors.working_copies import Side, Stream, Talk
from greenroom.schema.bookings import UPCOMING_MAX, Booking, BookingStatus, Slot
from greenroom.schema.errors import BookingNotFound, ConversationNotFound, MessageNotFound
from greenroom.schema.events import ConversationChanged
from greenroom.schema.ids import BookingId, ConversationId, Ids, MessageId, UserId
from greenroom.schema.outbox import NewJob
from greenroom.schema.records import (
    Conversation,
    ConversationView,
    Message,
    MessageEdit,
    MessageReaction,
    Participant,
    StoredEvent,
    User,
)
from greenroom.schema.wire import ConversationOut, to_json
from greenroom.storage.ports import ClientKey, Locked, OpenedConversation


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides besides the rows.

    Attributes:
        ids: names for new messages.
        now: the moment of this batch, aware.
        is_online: whether a user is known to be connected, for the conversations shown in events.
        edit_window: for how long a message may be edited after it was sent.
        reminder_lead: how long before a lesson both are reminded of it.
    """

    ids: Ids
    now: datetime
    is_online: Callable[[UserId], bool]
    edit_window: timedelta
    reminder_lead: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Known:
    """What was read under the locks before deciding.

    Attributes:
        opened: for each command of the batch that opens a conversation, in order, the one its pair now has.
        users, last_messages, upcoming: of the conversations whose view the batch shows to somebody.
    """

    opened: Sequence[OpenedConversation]
    locked: Locked
    users: Mapping[UserId, User]
    last_messages: Mapping[ConversationId, Message]
    upcoming: Mapping[ConversationId, Sequence[Booking]] = field(default_factory=dict)


class Batch:
    """Working copies of everything the batch's commands touch, and what they have led to.

    Attributes:
        messages: to insert, in order.
        edits: former versions to keep.
        events: to append, in order; each in its place of its user's stream.
        jobs: what is to follow, in order.
    """

    def __init__(self, known: Known, circumstances: Circumstances) -> None:
        self.known = known
        self.ids = circumstances.ids
        self.now = circumstances.now
        self.edit_window = circumstances.edit_window
        self.messages: list[Message] = []
        self.edits: list[MessageEdit] = []
        self.events: list[StoredEvent] = []
        self.jobs: list[NewJob] = []
        self.reminder_lead = circumstances.reminder_lead
        self.opened = iter(known.opened)
        self.sent: dict[ClientKey, Message] = dict(known.locked.sent)
        self.streams = {
            user_id: Stream(position.last_seq, position.total_unread)
            for user_id, position in known.locked.streams.items()
        }
        self._is_online = circumstances.is_online
        self._talks = {
            conversation_id: Talk.of(locked, known.last_messages.get(conversation_id))
            for conversation_id, locked in known.locked.conversations.items()
        }
        self._stored = dict(known.locked.messages)
        self._bookings = dict(known.locked.bookings)
        self._changed_bookings: dict[BookingId, Booking] = {}
        self._changed_messages: dict[MessageId, None] = {}
        self._reactions: dict[MessageReaction, bool] = {}
        self._changed_talks: dict[ConversationId, Talk] = {}
        self._changed_sides: dict[tuple[ConversationId, UserId], Side] = {}

    # What has changed, at its final values.

    @property
    def conversations(self) -> list[Conversation]:
        return [talk.record() for talk in self._changed_talks.values()]

    @property
    def participants(self) -> list[Participant]:
        return [side.record() for side in self._changed_sides.values()]

    @property
    def changed_messages(self) -> list[Message]:
        return [self._stored[message_id] for message_id in self._changed_messages]

    @property
    def bookings(self) -> list[Booking]:
        """Those that changed, in the order in which they did: what frees a time comes before what takes it."""
        return list(self._changed_bookings.values())

    def reactions(self, *, added: bool) -> list[MessageReaction]:
        """Reactions to add, or those to remove."""
        return [reaction for reaction, is_added in self._reactions.items() if is_added is added]

    # What the rules find.

    def talk(self, conversation_id: ConversationId) -> Talk:
        """A conversation that is known to be there."""
        return self._talks[conversation_id]

    def talk_between(self, command: WorkerCommand) -> Talk:
        """The conversation of a command that nobody gave.

        Raises:
            ConversationNotFound: there is none.
        """
        talk = self._talks.get(command.conversation_id)
        if talk is None:
            raise ConversationNotFound("There is no such conversation.")
        return talk

    def talk_of(self, command: ConversationCommand, user_id: UserId) -> Talk:
        """The command's conversation.

        Raises:
            ConversationNotFound: there is none, or the user has no part in it.
        """
        talk = self._talks.get(command.conversation_id)
        if talk is None or user_id not in talk.sides:
            raise ConversationNotFound("There is no such conversation.")
        return talk

    def message(self, message_id: MessageId, conversation_id: ConversationId) -> Message:
        """A message as the batch has left it so far.

        Raises:
            MessageNotFound: there is none in this conversation.
        """
        message = self._stored.get(message_id)
        if message is None or message.conversation_id != conversation_id:
            raise MessageNotFound("There is no such message.")
        return message

    def booking(self, booking_id: BookingId, conversation_id: ConversationId) -> Booking:
        """A booking as the batch has left it so far.

        Raises:
            BookingNotFound: there is none in this conversation.
        """
        booking = self._bookings.get(booking_id)
        if booking is None or booking.conversation_id != conversation_id:
            raise BookingNotFound("There is no such booking.")
        return booking

    def across(self, slot: Slot) -> list[Booking]:
        """What takes some of a time: of the slots asked about when the batch was read, all that does."""
        return [
            booking
            for booking in self._bookings.values()
            if booking.status is not BookingStatus.CANCELLED and booking.slot.overlaps(slot)
        ]

    def view(self, talk: Talk, user_id: UserId) -> ConversationView:
        me = talk.sides[user_id]
        peer_id = me.before.peer_id
        return ConversationView(
            conversation=talk.record(),
            me=me.record(),
            other=talk.sides[peer_id].record(),
            other_user=self.known.users[peer_id],
            last_message=talk.last_message,
            upcoming=self._upcoming(talk),
        )

    def _upcoming(self, talk: Talk) -> tuple[Booking, ...]:
        stored = {booking.id: booking for booking in self.known.upcoming.get(talk.before.id, ())}
        changed = {b.id: b for b in self._changed_bookings.values() if b.conversation_id == talk.before.id}
        upcoming = [booking for booking in (stored | changed).values() if booking.is_upcoming(self.now)]
        return tuple(sorted(upcoming, key=lambda b: (b.starts_at, b.id))[:UPCOMING_MAX])

    def unread(self, talk: Talk, user_id: UserId) -> Unread:
        return Unread(talk.sides[user_id].unread_count, self.streams[user_id].total_unread)

    # What the rules do.

    def touch(self, talk: Talk) -> None:
        """Note that the conversation's own row changes."""
        self._changed_talks[talk.before.id] = talk

    def touch_side(self, side: Side) -> None:
        """Note that a participant's row changes."""
        self._changed_sides[side.before.conversation_id, side.before.user_id] = side

    def change_message(self, message: Message) -> None:
        """Put a stored message into another form."""
        self._stored[message.id] = message
        self._changed_messages[message.id] = None

    def change_reaction(self, reaction: MessageReaction, after: Message, *, is_added: bool) -> None:
        """Add or remove a reaction; ``after`` is the message with what that makes of it."""
        self._stored[after.id] = after
        self._reactions[reaction] = is_added

    def change_booking(self, booking: Booking) -> None:
        """Add a booking, or put one into another form."""
        self._bookings[booking.id] = booking
        self._changed_bookings.pop(booking.id, None)
        self._changed_bookings[booking.id] = booking

    def tell(self, user_id: UserId, name: str, data: str) -> None:
        """Append an event to a user's stream."""
        stream = self.streams[user_id]
        stream.last_seq += 1
        self.events.append(StoredEvent(user_id, stream.last_seq, name, data, self.now))

    def show(self, talk: Talk, name: str, *, to: UserId) -> None:
        """Append an event that shows a user the whole conversation."""
        view = self.view(talk, to)
        shown = ConversationOut.of(view, is_online=self._is_online(view.other.user_id))
        self.tell(to, name, to_json(ConversationChanged(conversation=shown)))
