"""Taking the words of a deleted message out of events that were stored before it was deleted.

Events are kept as they were sent, for weeks; a message that is deleted must be gone for everybody at once. So what was
stored earlier is told without the words, as if the message had been without them from the start.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from greenroom.schema.clock import rfc3339

TELLING: Final = frozenset({"message.created", "message.updated", "conversation.created", "conversation.updated"})
"""Names of events that hold a message: as ``message``, or as their conversation's ``last_message``."""


def message_in(name: str, data: str) -> str | None:
    """The id of the message that an event holds, if it holds one."""
    if name not in TELLING:
        return None
    message = _message(json.loads(data))
    return None if message is None else str(message["id"])


def without_words(data: str, deleted_at: datetime) -> str:
    """The event without what its message said, and what was felt about it."""
    event = json.loads(data)
    message = _message(event)
    if message is not None:
        message |= {"content": "", "reactions": [], "edited_at": None, "deleted_at": rfc3339(deleted_at)}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def _message(event: dict[str, Any]) -> dict[str, Any] | None:
    """The message itself, so that changing it changes the event."""
    found: dict[str, Any] | None = event.get("message") or (event.get("conversation") or {}).get("last_message")
    return found
