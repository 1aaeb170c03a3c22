"""Who is calling: how deadline, call chain and trace id reach a call made deep inside a handler.

A context variable names the caller of the current task. It is set once per task, not per message: an actor's task
points at its cell, and the cell knows the message in hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from greenroom.supervisor.delivery import Delivery, TraceId


class Caller(Protocol):
    """Something that sends messages."""

    @property
    def current(self) -> Delivery[Any] | None:
        """The message being handled, whose deadline, chain and trace what is sent now inherits."""

    @property
    def chain(self) -> tuple[str, ...]:
        """The paths that wait for what is asked now, the caller last. Empty when no actor waits."""

    @property
    def trace(self) -> TraceId | None: ...

    @property
    def is_inside(self) -> bool:
        """False for callers outside the actor system, which are turned away first when it drains."""


@dataclass(frozen=True, slots=True)
class Aside:
    """A caller that handles no message: a background task of an actor, or the world outside."""

    trace: TraceId | None
    is_inside: bool
    current: None = None
    chain: tuple[str, ...] = ()


caller: ContextVar[Caller | None] = ContextVar("greenroom_caller", default=None)


@contextmanager
def origin(trace_id: str) -> Iterator[None]:
    """Give what is sent in this block, from outside any actor, this trace id: a request's, for instance."""
    token = caller.set(Aside(trace_id, is_inside=False))
    try:
        yield
    finally:
        caller.reset(token)
