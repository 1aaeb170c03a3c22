"""Conversations and their messages."""

from __future__ import annotations

from greenroom.actors.commands import FirstMessage, Unread
from greenroom.actors.core import Core
from greenroom.actors.identity import Identity
from greenroom.http.call import Call
from greenroom.http.declaring import Operations
from greenroom.http.operations import Answer
from greenroom.http.response import Response, json_reply, reply
from greenroom.schema.answers import ConversationsOut, MessagesOut, OpenedOut, UnreadOut
from greenroom.schema.errors import ConversationNotFound, UserNotFound
from greenroom.schema.event_json import message_json
from greenroom.schema.ids import ConversationId
from greenroom.schema.records import ConversationView
from greenroom.schema.requests import (
    FileConversation,
    ListConversations,
    ListMessages,
    MarkUpTo,
    OpenConversation,
    SendMessage,
    SetTyping,
)
from greenroom.schema.wire import ConversationOut, MessageOut

operations = Operations("Conversations")

PATH = "/api/v1/conversations/{conversation_id}"


@operations.serve("GET", "/api/v1/conversations", answers={200: ConversationsOut})
async def list_conversations(call: Call, identity: Identity, query: ListConversations) -> Response:
    """List one's conversations, newest activity first."""
    page = await call.core.messaging.conversations(
        identity, state=query.state, limit=query.limit, cursor=query.cursor
    )
    return reply(
        200,
        ConversationsOut(
            items=[render_conversation(call.core, view) for view in page.items],
            next_cursor=page.next_cursor,
            total_unread=page.total_unread,
        ),
    )


@operations.serve(
    "POST",
    "/api/v1/conversations",
    answers={
        201: Answer(OpenedOut, "application/json", "The conversation is new"),
        200: Answer(OpenedOut, "application/json", "The conversation existed"),
    },
    refusals=[UserNotFound],
)
async def open_conversation(call: Call, identity: Identity, body: OpenConversation) -> Response:
    """Get or create the conversation with another user.

    It may carry a first message; no booking is needed.
    """
    first = (
        None
        if body.message is None
        else FirstMessage(body.message.content, call.client_id(body.message.client_id))
    )
    opened = await call.core.messaging.open_conversation(identity, body.participant_id, first)
    return reply(
        201 if opened.created else 200,
        OpenedOut(
            conversation=render_conversation(call.core, opened.view),
            message=None if opened.message is None else MessageOut.of(opened.message),
        ),
    )


@operations.serve("GET", PATH, answers={200: ConversationOut}, refusals=[ConversationNotFound])
async def get_conversation(call: Call, identity: Identity, conversation_id: ConversationId) -> Response:
    """Read one conversation."""
    view = await call.core.messaging.conversation(identity, conversation_id)
    return reply(200, render_conversation(call.core, view))


@operations.serve("PATCH", PATH, answers={200: ConversationOut}, refusals=[ConversationNotFound])
async def file_conversation(
    call: Call, identity: Identity, conversation_id: ConversationId, body: FileConversation
) -> Response:
    """File the conversation as active, archived or trashed, for oneself only."""
    view = await call.core.messaging.set_state(identity, conversation_id, body.state)
    return reply(200, render_conversation(call.core, view))


@operations.serve("GET", f"{PATH}/messages", answers={200: MessagesOut}, refusals=[ConversationNotFound])
async def list_messages(
    call: Call, identity: Identity, conversation_id: ConversationId, query: ListMessages
) -> Response:
    """Read a page of messages, oldest first.

    With before, the page that ends there; with after, the page that begins there; with neither, the newest.
    """
    page = await call.core.messaging.messages(
        identity, conversation_id, before=query.before, after=query.after, limit=query.limit
    )
    return reply(200, MessagesOut(items=[MessageOut.of(item) for item in page.items], has_more=page.has_more))


@operations.serve(
    "POST",
    f"{PATH}/messages",
    answers={
        201: Answer(MessageOut, "application/json", "The message was sent"),
        200: Answer(
            MessageOut, "application/json", "It had been sent under this client_id; the first message again"
        ),
    },
    refusals=[ConversationNotFound],
)
async def send_message(
    call: Call, identity: Identity, conversation_id: ConversationId, body: SendMessage
) -> Response:
    """Send a message; it is durable when this answers.

    With a client_id, sending again after a doubtful answer is safe: it is answered with the first message that was sent
    under it, whatever this one says; the contents are not compared. Without one, an Idempotency-Key does the same.
    """
    sent = await call.core.messaging.send(
        identity,
        conversation_id,
        content=body.content,
        client_id=call.client_id(body.client_id),
        booking_id=body.booking_id,
    )
    return json_reply(201 if sent.created else 200, message_json(sent.message).encode())


@operations.serve("POST", f"{PATH}/read", answers={200: UnreadOut}, refusals=[ConversationNotFound])
async def mark_read(call: Call, identity: Identity, conversation_id: ConversationId, body: MarkUpTo) -> Response:
    """Mark everything up to a seq as read."""
    return _unread(await call.core.messaging.mark_read(identity, conversation_id, body.seq))


@operations.serve("POST", f"{PATH}/delivered", answers={200: UnreadOut}, refusals=[ConversationNotFound])
async def mark_delivered(
    call: Call, identity: Identity, conversation_id: ConversationId, body: MarkUpTo
) -> Response:
    """Mark everything up to a seq as received on a device."""
    return _unread(await call.core.messaging.mark_delivered(identity, conversation_id, body.seq))


@operations.serve(
    "POST",
    f"{PATH}/typing",
    answers={204: Answer(description="Passed on")},
    refusals=[ConversationNotFound],
)
async def set_typing(call: Call, identity: Identity, conversation_id: ConversationId, body: SetTyping) -> Response:
    """Tell the other participant that one is typing, or no longer.

    It expires by itself after some seconds.
    """
    await call.core.messaging.set_typing(identity, conversation_id, body.is_typing)
    return reply(204)


@operations.serve("GET", "/api/v1/unread", answers={200: UnreadOut})
async def unread(call: Call, identity: Identity) -> Response:
    """Count what is unread in all conversations."""
    return _unread(await call.core.messaging.unread(identity))


def render_conversation(core: Core, view: ConversationView) -> ConversationOut:
    return ConversationOut.of(view, is_online=core.board.is_online(view.other_user.id))


def _unread(unread: Unread) -> Response:
    return reply(200, UnreadOut(unread_count=unread.unread_count, total_unread=unread.total_unread))
