"""Where each kind of actor of the server is found."""

from __future__ import annotations

from typing import Any, Final

from greenroom.schema.ids import ConversationId, UserId
from greenroom.supervisor import ActorSystem, Address

ROOT: Final = "greenroom"
CONVERSATION: Final = "conversation"
STREAM: Final = "stream"


def committer(system: ActorSystem) -> Address[Any]:
    """Takes durable commands, see :mod:`greenroom.actors.commands`."""
    return system.address(f"/{ROOT}/committer")


def event_worker(system: ActorSystem) -> Address[Any]:
    """Takes :class:`~greenroom.actors.event_worker.WorkAwaits`."""
    return system.address(f"/{ROOT}/event-worker")


def mail_worker(system: ActorSystem) -> Address[Any]:
    """Takes :class:`~greenroom.actors.event_worker.WorkAwaits`."""
    return system.address(f"/{ROOT}/mail-worker")


def presence(system: ActorSystem) -> Address[Any]:
    """Takes :class:`~greenroom.actors.presence.ConnectionsChanged`."""
    return system.address(f"/{ROOT}/presence")


def sweep(system: ActorSystem) -> Address[Any]:
    """Takes :class:`~greenroom.actors.sweep.SweepNow`."""
    return system.address(f"/{ROOT}/sweep")


def conversation_of(system: ActorSystem, conversation_id: ConversationId) -> Address[Any]:
    """Takes the commands of one conversation; the first message starts its actor."""
    return system.virtual(CONVERSATION, conversation_id)


def stream_of(system: ActorSystem, user_id: UserId) -> Address[Any]:
    """Takes what concerns one user's stream; the first message starts its actor."""
    return system.virtual(STREAM, user_id)
