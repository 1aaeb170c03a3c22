"""Decides what a batch of commands does, without waiting for anything.

A :class:`Draft` is given the locked rows and what else the commands need to know, applies the commands in order to
working copies, and ends up with the rows to write, the events to append and the answers. A command that can't be
carried out answers with its error and leaves no trace. So every rule can be tested by calling it.
"""

from __future__ import annotations

from typing import assert_never

from greenroom.actors.batch import Batch, Circumstances, Known
from greenroom.actors.commands import (
    BookLesson,
    CancelBooking,
    Command,
    CompleteBooking,
    DeleteMessage,
    EditMessage,
    MarkDelivered,
    MarkRead,
    NoteSessionEnd,
    OpenConversation,
    PostSystemMessage,
    RemindBooking,
    RescheduleBooking,
    SendMessage,
    SetReaction,
    SetState,
)
from greenroom.actors.rules import booking, changing, conversations, marking, sending
from greenroom.schema.errors import DomainError
from greenroom.schema.events import SessionRevoked
from greenroom.schema.wire import to_json


class Draft:
    """Applies commands to locked conversations and streams.

    Attributes:
        batch: what they have led to.
        replies: the answer to each applied command, in order; a :class:`DomainError` for one that was refused.
    """

    def __init__(self, known: Known, circumstances: Circumstances) -> None:
        self.batch = Batch(known, circumstances)
        self.replies: list[object | DomainError] = []

    def apply(self, command: Command) -> None:
        """Carry out one command, or note its error as its answer."""
        try:
            self.replies.append(_decide(self.batch, command))
        except DomainError as error:
            self.replies.append(error)


def _decide(batch: Batch, command: Command) -> object:
    match command:
        case SendMessage():
            return sending.send(batch, batch.talk_of(command, command.sender_id), command)
        case MarkRead():
            return marking.mark_read(batch, command)
        case MarkDelivered():
            return marking.mark_delivered(batch, command)
        case OpenConversation():
            return conversations.open_conversation(batch, command)
        case SetState():
            return conversations.set_state(batch, command)
        case EditMessage():
            return changing.edit(batch, command)
        case DeleteMessage():
            return changing.delete(batch, command)
        case SetReaction():
            changing.set_reaction(batch, command)
            return None
        case BookLesson():
            return booking.book(batch, command)
        case CancelBooking():
            return booking.cancel(batch, command)
        case RescheduleBooking():
            return booking.reschedule(batch, command)
        case CompleteBooking():
            return booking.complete(batch, command)
        case RemindBooking():
            return booking.remind(batch, command)
        case PostSystemMessage():
            return sending.post(batch, command)
        case NoteSessionEnd():
            batch.tell(command.user_id, "session.revoked", to_json(SessionRevoked(reason=command.reason)))
            return None
        case _:
            assert_never(command)
