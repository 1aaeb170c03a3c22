"""Opening a conversation, and filing it."""

from __future__ import annotations

from greenroom.actors.batch import Batch
from greenroom.actors.commands import OpenConversation, Opened, SendMessage, SetState
from greenroom.actors.rules.sending import send
from greenroom.schema.records import ConversationView


def open_conversation(batch: Batch, command: OpenConversation) -> Opened:
    """Show both a conversation that is new, and send the first message if there is one."""
    opened = next(batch.opened)
    talk = batch.talk(opened.conversation_id)
    if opened.created:
        for user_id in talk.sides:
            batch.show(talk, "conversation.created", to=user_id)
    message = None
    if command.first is not None:
        first = SendMessage(
            opened.conversation_id, command.opened_by, command.first.content, command.first.client_id
        )
        message = send(batch, talk, first).message
    return Opened(batch.view(talk, command.opened_by), created=opened.created, message=message)


def set_state(batch: Batch, command: SetState) -> ConversationView:
    """File the conversation for one of the two; what is trashed does not count as unread."""
    talk = batch.talk_of(command, command.user_id)
    side = talk.sides[command.user_id]
    if side.state is not command.state:
        counted_before = side.counted
        side.state = command.state
        batch.touch_side(side)
        batch.streams[command.user_id].total_unread += side.counted - counted_before
        batch.show(talk, "conversation.updated", to=command.user_id)
    return batch.view(talk, command.user_id)
