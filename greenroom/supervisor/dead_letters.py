"""What could not be delivered, and why: counts for ever, the last thousand in detail."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from greenroom.supervisor.delivery import TraceId, format_trace
from greenroom.supervisor.errors import ActorRestarting, AskError, Draining, Overloaded
from greenroom.supervisor.messages import TellOutcome

RING_MAX = 1000  # enough to see what a burst was made of; about 200 bytes each


class DeadLetterReason(Enum):
    """Why a message was not handled."""

    NO_SUCH_ACTOR = "no_such_actor"
    DEAD = "dead"  # its actor is stopped, or was when mail was left in its mailbox
    REJECTED = "rejected"  # mailbox full, refused
    DROPPED = "dropped"  # mailbox full, the newest dropped
    DISPLACED = "displaced"  # mailbox full, the oldest dropped
    EXPIRED = "expired"  # its asker's deadline passed before a handler took it up
    ABANDONED = "abandoned"  # its asker went away before a handler took it up
    RESTART = "restart"  # dropped by the mailbox's on_restart policy
    RESTARTING = "restarting"  # its actor would not be back in time
    DRAINING = "draining"  # came from outside while the system drains
    CHILDREN = "children"  # would have activated one child too many


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One undelivered message, without its body."""

    at: float  # Trio's clock
    path: str
    message_type: str
    reason: DeadLetterReason
    trace: TraceId

    @property
    def trace_id(self) -> str:
        return format_trace(self.trace)


class DeadLetters:
    """A bounded record. Iterating gives the kept letters, oldest first."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ring: deque[DeadLetter] = deque(maxlen=RING_MAX)
        self._counts = dict.fromkeys(DeadLetterReason, 0)

    def __iter__(self) -> Iterator[DeadLetter]:
        return iter(tuple(self._ring))

    def __len__(self) -> int:
        return len(self._ring)

    @property
    def counts(self) -> Mapping[str, int]:
        """Since the system opened, by reason; reasons that never occurred are 0."""
        return {reason.value: count for reason, count in self._counts.items()}

    @property
    def total(self) -> int:
        """Since the system opened, for whatever reason."""
        return sum(self._counts.values())

    def add(self, path: str, message: object, reason: DeadLetterReason, trace: TraceId) -> None:
        """Count a message and keep its type; beyond RING_MAX the oldest is forgotten, the counts never are."""
        self._counts[reason] += 1
        self._ring.append(DeadLetter(self._now(), path, type(message).__name__, reason, trace))


def reason_of(error: AskError) -> DeadLetterReason:
    """The dead letter's reason for a message refused with ``error``."""
    match error:
        case Draining():
            return DeadLetterReason.DRAINING
        case Overloaded():
            return DeadLetterReason.CHILDREN
        case ActorRestarting():
            return DeadLetterReason.RESTARTING
        case _:
            return DeadLetterReason.NO_SUCH_ACTOR


def outcome_of(error: AskError) -> TellOutcome:
    """What the teller of a message refused with ``error`` is told."""
    return TellOutcome.REJECTED if isinstance(error, Overloaded) else TellOutcome.DEAD
