"""A few behaviours and builders that the kernel's tests share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import trio

from greenroom.supervisor import (
    NO_BACKOFF,
    Actor,
    ChildSpec,
    Context,
    Down,
    ExitReason,
    Refusal,
    Request,
    SupervisorSpec,
)


@dataclass(frozen=True, slots=True)
class Echo(Request[object]):
    """Answered with its value."""

    value: object = None


@dataclass(frozen=True, slots=True)
class Crash(Request[None]):
    """Raises this in the handler."""

    error: BaseException = field(default_factory=lambda: ValueError("crashed on request"))


@dataclass(frozen=True, slots=True)
class Work(Request[str]):
    """Takes this long."""

    seconds: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Do(Request[Any]):
    """Answered with what ``fn(actor)`` returns, awaited if need be."""

    fn: Callable[[Any], Any]


class NotToday(Refusal):
    pass


class Journal(list[str]):
    """What happened, in order, across incarnations."""


class Script(Actor[Any]):
    """Does what its messages say and keeps a journal."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = Journal() if journal is None else journal
        self.downs: list[Down] = []
        self.seen: list[object] = []

    async def init(self) -> None:
        self.journal.append(f"init {self.ctx.name}")

    async def handle(self, message: Any) -> object:
        self.seen.append(message)
        match message:
            case Echo(value):
                return value
            case Crash(error):
                raise error
            case Work(seconds, label):
                await trio.sleep(seconds)
                self.journal.append(f"done {label}")
                return label
            case Do(fn):
                result = fn(self)
                return await result if hasattr(result, "__await__") else result
            case _:
                self.journal.append(f"told {message}")
                return None

    async def handle_down(self, down: Down) -> None:
        self.downs.append(down)

    async def terminate(self, reason: ExitReason) -> None:
        self.journal.append(f"terminate {self.ctx.name} {reason.kind.value}")

    def view(self) -> Mapping[str, object]:
        return {"seen": len(self.seen)}


def script(name: str = "script", journal: Journal | None = None, **options: Any) -> ChildSpec:
    return ChildSpec(name, lambda: Script(journal), **options)


def tree(*children: Any, **options: Any) -> SupervisorSpec:
    """A root named ``root`` that restarts at once."""
    options.setdefault("backoff", NO_BACKOFF)
    return SupervisorSpec("root", children, **options)


def context_of(actor: Script) -> Context:
    return actor.ctx
