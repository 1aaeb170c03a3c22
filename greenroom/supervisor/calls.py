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

from greenroom.supervisor.delivery import format_trace

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
    def trace(self) -> TraceId | None:
        """What is sent now belongs to this where no message is in hand; None for a trace of its own."""

    @property
    def path(self) -> str | None:
        """Of the actor; None for the world outside."""

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
    path: str | None = None


caller: ContextVar[Caller | None] = ContextVar("greenroom_caller", default=None)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """On whose behalf the current task works: what a log line should say beside its own words.

    ``actor`` is None outside of actors, ``trace_id`` is empty where no message or request is in hand.
    """

    actor: str | None
    trace_id: str


def whereabouts() -> Whereabouts | None:
    """Where the current task stands; None outside of actors and of :func:`origin`. Works outside of Trio too."""
    now = caller.get()
    if now is None:
        return None
    trace = now.trace if now.current is None else now.current.trace
    return Whereabouts(now.path, "" if trace is None else format_trace(trace))


@contextmanager
def origin(trace_id: str) -> Iterator[None]:
    """Give what is sent in this block, from outside any actor, this trace id: a request's, for instance."""
    token = caller.set(Aside(trace_id, is_inside=False))
    try:
        yield
    finally:
        caller.reset(token)
