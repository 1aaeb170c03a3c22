"""What becomes of a message after it was sent."""

from __future__ import annotations

import re
from typing import Final

from greenroom.actors.identity import Identity
from greenroom.http.call import Call
from greenroom.http.declaring import Operations
from greenroom.http.operations import Answer
from greenroom.http.request import Request
from greenroom.http.response import Response, json_reply, reply
from greenroom.schema.answers import MessageVersionOut, MessageVersionsOut
from greenroom.schema.emoji import Emoji
from greenroom.schema.errors import (
    EditWindowClosed,
    FieldError,
    InvalidInput,
    MessageDeleted,
    MessageNotFound,
    TooManyReactions,
    VersionMismatch,
)
from greenroom.schema.event_json import message_json
from greenroom.schema.ids import MessageId
from greenroom.schema.requests import EditMessage
from greenroom.schema.wire import MessageOut

operations = Operations("Messages")

PATH: Final = "/api/v1/messages/{message_id}"

_VERSION_TAG: Final = re.compile(r'"([1-9][0-9]{0,8})"')


@operations.serve(
    "PATCH",
    PATH,
    answers={200: MessageOut},
    refusals=[MessageNotFound, MessageDeleted, EditWindowClosed, VersionMismatch],
    headers={"If-Match": 'The version that is to be edited, quoted as in "1"; without it, whichever there is'},
)
async def edit_message(call: Call, identity: Identity, message_id: MessageId, body: EditMessage) -> Response:
    """Say something else instead, within some minutes after sending.

    Only the sender may. What was said before is kept and can be read by both.
    """
    message = await call.core.messaging.edit(
        identity, message_id, content=body.content, if_version=_if_version(call.request)
    )
    return json_reply(200, message_json(message).encode())


@operations.serve(
    "DELETE",
    PATH,
    answers={204: Answer(description="Deleted, now or before")},
    refusals=[MessageNotFound],
)
async def delete_message(call: Call, identity: Identity, message_id: MessageId) -> Response:
    """Take the content away for everybody.

    Only the sender may. The message keeps its place, without content, former versions and reactions.
    """
    await call.core.messaging.delete(identity, message_id)
    return reply(204)


@operations.serve("GET", f"{PATH}/edits", answers={200: MessageVersionsOut}, refusals=[MessageNotFound])
async def list_edits(call: Call, identity: Identity, message_id: MessageId) -> Response:
    """Read what a message has said, oldest first, the current version last.

    Nothing is left of a deleted message.
    """
    versions = await call.core.messaging.versions(identity, message_id)
    return reply(200, MessageVersionsOut(items=[MessageVersionOut.of(version) for version in versions]))


@operations.serve(
    "PUT",
    f"{PATH}/reactions/{{emoji}}",
    answers={204: Answer(description="It is there, now or before")},
    refusals=[MessageNotFound, MessageDeleted, TooManyReactions],
)
async def add_reaction(call: Call, identity: Identity, message_id: MessageId, emoji: Emoji) -> Response:
    """Put an emoji on a message."""
    await call.core.messaging.set_reaction(identity, message_id, emoji, is_added=True)
    return reply(204)


@operations.serve(
    "DELETE",
    f"{PATH}/reactions/{{emoji}}",
    answers={204: Answer(description="It is not there, now or before")},
    refusals=[MessageNotFound, MessageDeleted],
)
async def remove_reaction(call: Call, identity: Identity, message_id: MessageId, emoji: Emoji) -> Response:
    """Take one's emoji off a message."""
    await call.core.messaging.set_reaction(identity, message_id, emoji, is_added=False)
    return reply(204)


def _if_version(request: Request) -> int | None:
    """Read If-Match (RFC 9110, 13.1.1); None if any version will do.

    Raises:
        InvalidInput: it is not one version of ours.
    """
    given = request.header(b"if-match")
    if given is None or given.strip() == "*":
        return None
    tag = _VERSION_TAG.fullmatch(given.strip())
    if tag is None:
        raise InvalidInput(FieldError(("header", "If-Match"), 'must be one quoted version, as in "1", or *'))
    return int(tag[1])
