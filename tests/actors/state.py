"""What a client makes of a snapshot and the events after it: nothing but what the contract says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from greenroom.actors.event_streams import Sync
from greenroom.schema.event_kinds import EVENT_KINDS
from greenroom.schema.ids import UserId
from greenroom.schema.records import ConversationView, StoredEvent
from greenroom.schema.wire import ConversationOut

Json = dict[str, Any]


class ClientState:
    """Conversations and unread counts as one user's client holds them."""

    def __init__(self, me: UserId, snapshot: Sync) -> None:
        self._me = me
        self.conversations = {view.conversation.id: shown(view) for view in snapshot.conversations}
        self.total_unread = snapshot.total_unread

    def take(self, events: Iterable[StoredEvent]) -> None:
        """Apply events in order, each of which is of its kind's model and nothing more."""
        for event in events:
            EVENT_KINDS[event.name].model.model_validate_json(event.data)
            self._apply(event.name, json.loads(event.data))

    def comparable(self) -> tuple[Json, int]:
        """Conversations that are not trashed, as a snapshot has them, and the total."""
        kept = {i: c for i, c in self.conversations.items() if c["state"] != "trashed"}
        return kept, self.total_unread

    def _apply(self, name: str, data: Json) -> None:
        self.total_unread = data.get("total_unread", self.total_unread)
        match name:
            case "conversation.created" | "conversation.updated":
                conversation = without_presence(data["conversation"])
                # What is filed under another state counts or ceases to count; one that was not known was trashed.
                self.total_unread += counted(conversation) - counted(self.conversations.get(conversation["id"]))
                self.conversations[conversation["id"]] = conversation
            case "message.created":
                message = data["message"]
                known = self.conversations.get(message["conversation_id"])
                if known is not None:
                    known["last_message"] = message
                    known["last_seq"] = message["seq"]
                    known["last_message_at"] = message["created_at"]
                    known["unread_count"] = data["unread_count"]
            case "message.updated" | "message.deleted":
                message = data["message"]
                known = self.conversations.get(message["conversation_id"])
                if known is not None:
                    known["unread_count"] = data["unread_count"]
                    if known["last_message"]["id"] == message["id"]:
                        known["last_message"] = message
            case "reaction.changed":
                known = self.conversations.get(data["conversation_id"])
                if known is not None and known["last_message"]["id"] == data["message_id"]:
                    known["last_message"]["reactions"] = data["reactions"]
            case "conversation.read" | "conversation.delivered":
                known = self.conversations.get(data["conversation_id"])
                if known is not None:
                    known["unread_count"] = data["unread_count"]
                    if name == "conversation.read":
                        whose = "last_read_seq" if data["user_id"] == self._me else "other_last_read_seq"
                        known[whose] = data["seq"]
            case _:
                pass


def shown(view: ConversationView) -> Json:
    return without_presence(ConversationOut.of(view, is_online=False).model_dump(mode="json"))


def without_presence(conversation: Json) -> Json:
    """Presence is no part of the durable state."""
    other = {name: value for name, value in conversation["other"].items() if name != "online"}
    return {**conversation, "other": other}


def counted(conversation: Json | None) -> int:
    """What a conversation adds to the total unread."""
    if conversation is None or conversation["state"] == "trashed":
        return 0
    return int(conversation["unread_count"])
