"""Changing a message that was sent: other words, none at all, and what others feel about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from greenroom.actors.batch import Batch
from greenroom.actors.commands import DeleteMessage, EditMessage, SetReaction
from greenroom.actors.working_copies import Talk
from greenroom.schema.errors import (
    EditWindowClosed,
    MessageDeleted,
    PermissionDenied,
    TooManyReactions,
    VersionMismatch,
)
from greenroom.schema.event_json import message_created_json, message_json
from greenroom.schema.events import ReactionChanged
from greenroom.schema.reactions import emoji_of, with_reaction, without_reaction
from greenroom.schema.records import Message, MessageEdit, MessageReaction
from greenroom.schema.wire import ReactionOut, to_json

REACTIONS_MAX: Final = 20
"""Different emoji one user may put on one message: more is decoration, and each is sent with every copy of the message."""


def edit(batch: Batch, command: EditMessage) -> Message:
    """Say something else instead; what was said before is kept.

    Raises:
        MessageNotFound, PermissionDenied, MessageDeleted, VersionMismatch, EditWindowClosed
    """
    talk, message = _own(batch, command)
    if message.deleted_at is not None:
        raise MessageDeleted("The message was deleted.")
    if command.content == message.content and command.if_version in {None, message.version, message.version - 1}:
        # It says so already; where the version is the next one, this very edit did it and its answer was lost.
        return message
    if command.if_version not in {None, message.version}:
        raise VersionMismatch(message.version)
    if batch.now - message.created_at > batch.edit_window:
        minutes = batch.edit_window.total_seconds() / 60
        raise EditWindowClosed(f"A message can be edited for {minutes:g} minutes after it was sent.")
    written_at = message.edited_at or message.created_at
    batch.edits.append(MessageEdit(message.id, message.version, message.content, written_at))
    edited = replace(message, content=command.content, version=message.version + 1, edited_at=batch.now)
    _change(batch, talk, edited, "message.updated")
    return edited


def delete(batch: Batch, command: DeleteMessage) -> Message:
    """Take the content away for everybody, with its former versions and reactions; the row keeps its place.

    Raises:
        MessageNotFound, PermissionDenied
    """
    talk, message = _own(batch, command)
    if message.deleted_at is not None:
        return message
    deleted = replace(
        message, content="", version=message.version + 1, deleted_at=batch.now, edited_at=None, reactions=()
    )
    _change(batch, talk, deleted, "message.deleted")
    return deleted


def set_reaction(batch: Batch, command: SetReaction) -> None:
    """Put one's emoji on a message or take it off; what is so already stays so, and nobody is told.

    Raises:
        MessageNotFound, MessageDeleted, TooManyReactions
    """
    talk = batch.talk_of(command, command.user_id)
    message = batch.message(command.message_id, command.conversation_id)
    if message.deleted_at is not None:
        raise MessageDeleted("The message was deleted.")
    mine = emoji_of(message.reactions, command.user_id)
    if (command.emoji in mine) is command.is_added:
        return
    if command.is_added and len(mine) == REACTIONS_MAX:
        raise TooManyReactions(f"One can put {REACTIONS_MAX} different emoji on a message.")
    change = with_reaction if command.is_added else without_reaction
    changed = replace(message, reactions=change(message.reactions, command.emoji, command.user_id))
    reaction = MessageReaction(message.id, command.emoji, command.user_id)
    batch.change_reaction(reaction, changed, is_added=command.is_added)
    _show_as_last(talk, changed)
    shown = to_json(
        ReactionChanged(
            conversation_id=command.conversation_id,
            message_id=message.id,
            emoji=command.emoji,
            user_id=command.user_id,
            added=command.is_added,
            reactions=[ReactionOut.of(r) for r in changed.reactions],
        )
    )
    for user_id in talk.sides:
        batch.tell(user_id, "reaction.changed", shown)


def _own(batch: Batch, command: EditMessage | DeleteMessage) -> tuple[Talk, Message]:
    talk = batch.talk_of(command, command.user_id)
    message = batch.message(command.message_id, command.conversation_id)
    if message.sender_id != command.user_id:
        raise PermissionDenied("Only who sent a message may change it.")
    return talk, message


def _change(batch: Batch, talk: Talk, after: Message, name: str) -> None:
    batch.change_message(after)
    _show_as_last(talk, after)
    shown = message_json(after)
    for user_id, side in talk.sides.items():
        total = batch.streams[user_id].total_unread
        text = message_created_json(shown, unread_count=side.unread_count, total_unread=total)
        batch.tell(user_id, name, text)


def _show_as_last(talk: Talk, after: Message) -> None:
    """Conversations that are shown later in this batch show the message as it is now."""
    if talk.last_message is not None and talk.last_message.id == after.id:
        talk.last_message = after
