"""What each command asks of the core, and what its reply holds: the same as the REST call of that name."""

from __future__ import annotations

from typing import assert_never

from pydantic import BaseModel

from greenroom.actors.commands import Unread
from greenroom.actors.identity import Identity
from greenroom.actors.messaging import Messaging
from greenroom.schema.answers import UnreadOut
from greenroom.schema.emoji import is_emoji
from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.socket_frames import (
    AnyCommand,
    SocketAck,
    SocketDelete,
    SocketEdit,
    SocketMark,
    SocketPing,
    SocketReact,
    SocketSend,
    SocketTyping,
)
from greenroom.schema.wire import MessageOut


async def carry_out(command: AnyCommand, identity: Identity, messaging: Messaging) -> BaseModel | None:
    """Do what a command says and return what the reply holds.

    Raises:
        DomainError: as the REST call does.
    """
    match command:
        case SocketSend():
            sent = await messaging.send(
                identity,
                command.conversation_id,
                content=command.content,
                client_id=command.client_id,
                booking_id=command.booking_id,
            )
            return MessageOut.of(sent.message)
        case SocketEdit():
            message = await messaging.edit(
                identity, command.message_id, content=command.content, if_version=command.if_version
            )
            return MessageOut.of(message)
        case SocketDelete():
            await messaging.delete(identity, command.message_id)
            return None
        case SocketReact():
            if not is_emoji(command.emoji):
                raise InvalidInput(FieldError(("frame", "emoji"), "must be one emoji"))
            is_added = command.cmd == "react"
            await messaging.set_reaction(identity, command.message_id, command.emoji, is_added=is_added)
            return None
        case SocketMark():
            mark = messaging.mark_read if command.cmd == "read" else messaging.mark_delivered
            return _unread(await mark(identity, command.conversation_id, command.seq))
        case SocketTyping():
            await messaging.set_typing(identity, command.conversation_id, command.is_typing)
            return None
        case SocketAck() | SocketPing():
            return None
        case _:
            assert_never(command)


def _unread(unread: Unread) -> UnreadOut:
    return UnreadOut(unread_count=unread.unread_count, total_unread=unread.total_unread)
