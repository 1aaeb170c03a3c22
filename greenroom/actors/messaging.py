"""Conversations and messages as a signed-in user deals with them.

What changes something goes through the conversation's actor. A plain read is a query: sending it through a mailbox
would only queue it.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from greenroom.actors.addresses import committer, conversation_of
from greenroom.actors.asking import ask
from greenroom.actors.commands import (
    DeleteMessage,
    EditMessage,
    FirstMessage,
    MarkDelivered,
    MarkRead,
    OpenConversation,
    Opened,
    SendMessage,
    Sent,
    SetReaction,
    SetState,
    Unread,
)
from greenroom.actors.conversation import SetTyping
from greenroom.actors.identity import Identity
from greenroom.actors.limiting import Limiting
from greenroom.schema.clock import WallClock
from greenroom.schema.errors import ConversationNotFound, FieldError, InvalidInput, MessageNotFound, UserNotFound
from greenroom.schema.ids import BookingId, ConversationId, MessageId, UserId, is_ulid
from greenroom.schema.records import ConversationState, ConversationView, Message, MessageEdit, Role
from greenroom.storage.ports import Accounts, ConversationPageKey, Conversations
from greenroom.supervisor import ActorSystem, Request

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ConversationPage:
    items: Sequence[ConversationView]
    next_cursor: str | None
    total_unread: int


@dataclass(frozen=True, slots=True)
class MessagePage:
    """``items`` are oldest first; ``has_more`` in the direction that was asked for."""

    items: Sequence[Message]
    has_more: bool


class Messaging:
    """What a signed-in user can do with conversations."""

    def __init__(
        self,
        *,
        system: ActorSystem,
        accounts: Accounts,
        conversations: Conversations,
        limiting: Limiting,
        wall: WallClock,
    ) -> None:
        self._system = system
        self._accounts = accounts
        self._conversations = conversations
        self._limiting = limiting
        self._wall = wall

    async def open_conversation(
        self, identity: Identity, participant_id: UserId, first: FirstMessage | None
    ) -> Opened:
        """Get or create the conversation with another user; racing calls get the same one.

        Raises:
            UserNotFound: no such active user.
            InvalidInput: the two are not a student and an instructor.
            RateLimited: of new conversations, or of messages if there is a first one; neither exists then.
        """
        identity.require("conversations:write")
        other = await self._accounts.user(participant_id)
        if other is None or not other.is_active:
            raise UserNotFound("There is no such user.")
        me = identity.user
        match (me.role, other.role):
            case (Role.STUDENT, Role.INSTRUCTOR):
                student_id, instructor_id = me.id, other.id
            case (Role.INSTRUCTOR, Role.STUDENT):
                student_id, instructor_id = other.id, me.id
            case _:
                reason = "a conversation is between a student and an instructor"
                raise InvalidInput(FieldError(("body", "participant_id"), reason))
        if first is not None:
            await self._limiting.send(identity)
        is_counted = await self._conversations.conversation_between(student_id, instructor_id) is None
        if is_counted:
            await self._limiting.conversation(identity)
        opened = await ask(
            self._system, committer(self._system), OpenConversation(student_id, instructor_id, me.id, first)
        )
        if is_counted and not opened.created:  # the other was quicker
            self._limiting.give_back_conversation(identity)
        return opened

    async def conversation(self, identity: Identity, conversation_id: ConversationId) -> ConversationView:
        """Read one conversation; raises ConversationNotFound for a stranger."""
        identity.require("conversations:read")
        view = await self._conversations.view(conversation_id, identity.user.id, now=self._wall())
        if view is None:
            raise ConversationNotFound("There is no such conversation.")
        return view

    async def conversations(
        self, identity: Identity, *, state: ConversationState, limit: int, cursor: str | None
    ) -> ConversationPage:
        """Read one page, newest activity first.

        Raises:
            InvalidInput: the cursor was not given out by this.
        """
        identity.require("conversations:read")
        before = None if cursor is None else _parse_page_cursor(cursor)
        items = await self._conversations.page(
            identity.user.id, state=state, before=before, limit=limit + 1, now=self._wall()
        )
        page = items[:limit]
        return ConversationPage(
            items=page,
            next_cursor=_page_cursor(page[-1]) if len(items) > limit else None,
            total_unread=await self._conversations.total_unread(identity.user.id),
        )

    async def set_state(
        self, identity: Identity, conversation_id: ConversationId, state: ConversationState
    ) -> ConversationView:
        identity.require("conversations:write")
        return await self._ask(conversation_id, SetState(conversation_id, identity.user.id, state))

    async def messages(
        self,
        identity: Identity,
        conversation_id: ConversationId,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int,
    ) -> MessagePage:
        """Read one page: before a seq going back (the newest when neither is given), or after one going on.

        Raises:
            ConversationNotFound: no such conversation for this user.
            InvalidInput: both ``before`` and ``after`` were given.
        """
        if before is not None and after is not None:
            raise InvalidInput(FieldError(("query", "after"), "give either before or after, not both"))
        await self.conversation(identity, conversation_id)
        if after is not None:
            found = await self._conversations.messages_after(conversation_id, after, limit=limit + 1)
            return MessagePage(items=found[:limit], has_more=len(found) > limit)
        found = await self._conversations.messages_before(conversation_id, before, limit=limit + 1)
        return MessagePage(items=found[-limit:], has_more=len(found) > limit)

    async def send(
        self,
        identity: Identity,
        conversation_id: ConversationId,
        *,
        content: str,
        client_id: str | None,
        booking_id: BookingId | None = None,
    ) -> Sent:
        """Send a message; the reply comes after it is durable. A known ``client_id`` returns the first one again.

        Raises:
            InvalidInput: ``booking_id`` is no booking of this conversation.
            RateLimited: too many messages of this user.
        """
        identity.require("conversations:write")
        await self._limiting.send(identity)
        command = SendMessage(conversation_id, identity.user.id, content, client_id, booking_id)
        return await self._ask(conversation_id, command)

    async def edit(
        self, identity: Identity, message_id: MessageId, *, content: str, if_version: int | None
    ) -> Message:
        """Say something else instead.

        Args:
            if_version: refuse unless the message has this version.

        Raises:
            MessageNotFound: none of a conversation of this user's.
            PermissionDenied: somebody else sent it.
            MessageDeleted, VersionMismatch, EditWindowClosed
        """
        identity.require("conversations:write")
        me = identity.user.id
        return await self._ask_of_message(
            message_id, lambda c: EditMessage(c, me, message_id, content, if_version)
        )

    async def delete(self, identity: Identity, message_id: MessageId) -> None:
        """Take the content away for everybody; deleting again changes nothing.

        Raises:
            MessageNotFound: none of a conversation of this user's.
            PermissionDenied: somebody else sent it.
        """
        identity.require("conversations:write")
        await self._ask_of_message(message_id, lambda c: DeleteMessage(c, identity.user.id, message_id))

    async def set_reaction(self, identity: Identity, message_id: MessageId, emoji: str, *, is_added: bool) -> None:
        """Put one's emoji on a message or take it off; what is so already stays so.

        Raises:
            MessageNotFound: none of a conversation of this user's.
            MessageDeleted, TooManyReactions
        """
        identity.require("conversations:write")
        me = identity.user.id
        await self._ask_of_message(message_id, lambda c: SetReaction(c, me, message_id, emoji, is_added))

    async def versions(self, identity: Identity, message_id: MessageId) -> Sequence[MessageEdit]:
        """What a message has said, oldest first, the current version last; nothing of a deleted one.

        Raises:
            MessageNotFound: none of a conversation of this user's.
        """
        identity.require("conversations:read")
        message = await self._conversations.message(message_id, identity.user.id)
        if message is None:
            raise MessageNotFound("There is no such message.")
        if message.deleted_at is not None:
            return []
        current = MessageEdit(
            message.id, message.version, message.content, message.edited_at or message.created_at
        )
        # Read after the message: an edit in between is shown as former and current, so what is current is told by version.
        former = await self._conversations.edits(message_id)
        return [*(edit for edit in former if edit.version < current.version), current]

    async def mark_read(self, identity: Identity, conversation_id: ConversationId, seq: int) -> Unread:
        identity.require("conversations:write")
        return await self._ask(conversation_id, MarkRead(conversation_id, identity.user.id, seq))

    async def mark_delivered(self, identity: Identity, conversation_id: ConversationId, seq: int) -> Unread:
        identity.require("conversations:write")
        return await self._ask(conversation_id, MarkDelivered(conversation_id, identity.user.id, seq))

    async def set_typing(self, identity: Identity, conversation_id: ConversationId, is_typing: bool) -> None:
        """Pass on that this user types, or no longer.

        Raises:
            RateLimited: too many beginnings; an end is always passed on.
        """
        identity.require("conversations:write")
        if is_typing:
            await self._limiting.typing(identity)
        # Which needs no commit.
        address = conversation_of(self._system, conversation_id)
        await ask(self._system, address, SetTyping(identity.user.id, is_typing))

    async def unread(self, identity: Identity) -> Unread:
        """The total over all conversations, which is also what is unread where no conversation is named."""
        identity.require("conversations:read")
        total = await self._conversations.total_unread(identity.user.id)
        return Unread(unread_count=total, total_unread=total)

    async def _ask_of_message(self, message_id: MessageId, request: Callable[[ConversationId], Request[R]]) -> R:
        """Ask the conversation that a message is in; whoever has no part in it is told of no message."""
        not_found = MessageNotFound("There is no such message.")
        conversation_id = await self._conversations.conversation_of(message_id)
        if conversation_id is None:
            raise not_found
        try:
            return await self._ask(conversation_id, request(conversation_id))
        except ConversationNotFound as exc:
            raise not_found from exc

    async def _ask(self, conversation_id: ConversationId, request: Request[R]) -> R:
        system = self._system
        return await ask(system, conversation_of(system, conversation_id), request, through=committer(system))


def _page_cursor(view: ConversationView) -> str:
    key = f"{view.conversation.last_message_at.isoformat()}|{view.conversation.id}"
    return urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _parse_page_cursor(text: str) -> ConversationPageKey:
    refused = InvalidInput(FieldError(("query", "cursor"), "is not a next_cursor that this list returned"))
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        moment, _, conversation_id = urlsafe_b64decode(padded).decode("ascii").partition("|")
        key = ConversationPageKey(datetime.fromisoformat(moment), ConversationId(conversation_id))
    except ValueError as exc:
        raise refused from exc
    if not is_ulid(conversation_id) or key.last_message_at.tzinfo is None:
        raise refused
    return key
