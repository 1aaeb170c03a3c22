"""What clients did and saw while the server was being broken: plain frozen records, written by the clients alone.

Nothing here was asked of the server's insides. A message is named by its sender's ``client_id``, which its sender never
uses for another one; positions are ``seq`` in a conversation (dense from 1) and the stream's ``seq`` inside a cursor.
Times are seconds of Trio's clock.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was done to the server.

    Attributes:
        at: when it began.
        over_at: when the harness had undone it: from then on the server is expected to heal. What kills at once is over at
            once, so that healing includes starting again.
        cut: the clients' ports of the connections that it had to end: those of a worker that was killed.
    """

    what: str
    at: float
    over_at: float
    cut: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of a sender.

    Attributes:
        answer: a status (``"503"``), or how the connection ended instead (``"reset"``).
        retry_after_s: what the answer asked for; None if it did not.
        port: the client's, of the connection that it was made on; 0 if there was none.
    """

    at: float
    ended_at: float
    answer: str
    retry_after_s: float | None = None
    port: int = 0

    @property
    def is_success(self) -> bool:
        return self.answer.startswith("2")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a client began to send, however that ended; ``at`` is when it did."""

    conversation_id: str
    sender_id: str
    client_id: str
    at: float
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Acked:
    """A 2xx: from here on the server owes the message to everybody, for ever."""

    conversation_id: str
    sender_id: str
    client_id: str
    message_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Persisted:
    """A message as the API returns it after everything has healed."""

    conversation_id: str
    sender_id: str
    client_id: str | None
    message_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """The message inside a ``message.created`` event."""

    conversation_id: str
    message_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """One durable event as it came in.

    Attributes:
        stream_seq: its place in the user's stream.
        connection: which of the listener's connections that brought anything, counted from 1.
        message: None for an event that brings no new message.
    """

    stream_seq: int
    at: float
    connection: int
    message: ShownMessage | None


@dataclass(frozen=True, slots=True)
class Connection:
    """One of a listener's connections.

    Attributes:
        ready_at: when its first event had come; None if none came.
        ended_at: None if it was open to the end.
        end: how it ended: ``"closed"``, ``"cut"``, ``"silent"``, ``"refused"``, the reason the server gave, or ``"left"``:
            by the listener itself.
        port: the client's; 0 if nobody was reached.
    """

    begun_at: float
    ready_at: float | None
    ended_at: float | None
    end: str
    port: int = 0


@dataclass(frozen=True, slots=True)
class ListenerLog:
    """Everything one listener was given, over all its connections, in the order of arrival and unfiltered.

    Attributes:
        start: its first cursor's seq; it is owed every later event of its user's stream. A listener's first connection
            comes before the first message, so it is owed every message of its conversations.
        resets: how often it was told that its cursor can't be served, which never may happen here.
    """

    name: str
    user_id: str
    conversation_ids: frozenset[str]
    start: int
    resets: int
    delivered: tuple[Delivered, ...]
    connections: tuple[Connection, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """One run. ``acked`` keeps, per sender and conversation, the order of sending: a sender waits for each answer."""

    sent: tuple[Sent, ...]
    acked: tuple[Acked, ...]
    persisted: tuple[Persisted, ...]
    listeners: tuple[ListenerLog, ...]
    faults: tuple[Fault, ...] = ()
