"""What travels between actors, and what comes back from sending it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from greenroom.supervisor.address import Address
    from greenroom.supervisor.exits import ExitReason

R_co = TypeVar("R_co", covariant=True)


class Request(Generic[R_co]):
    """Base of messages that are asked; its parameter is the type of the reply.

    ::

        @dataclass(frozen=True, slots=True)
        class Deposit(Request[int]):
            amount: int

    A message that is only told can be any frozen dataclass. Messages are shared between tasks, never copied:
    freeze them.
    """

    __slots__ = ()


class TellOutcome(Enum):
    """What became of a message that was told. Only the first two mean that the actor will see it."""

    ACCEPTED = "accepted"
    CONFLATED = "conflated"  # took the place of a queued message with the same key
    DROPPED = "dropped"  # the mailbox was full and its policy drops the newest
    REJECTED = "rejected"  # the mailbox was full and its policy refuses
    DEAD = "dead"  # nobody lives at this address


@dataclass(frozen=True, slots=True)
class MonitorRef:
    """One watch of one incarnation; pass it to :meth:`Context.demonitor`."""

    id: int
    path: str
    incarnation: int  # 0 when nothing was alive to be watched


@dataclass(frozen=True, slots=True)
class Down:
    """The watched incarnation ended. Delivered exactly once per monitor, ahead of ordinary mail."""

    ref: MonitorRef
    address: Address[Any]
    reason: ExitReason
