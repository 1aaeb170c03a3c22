"""What the stream of actors tells: events, changes of the tree, the pulse of the loop."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from greenroom.http.operator_answers.actors import ActorOut
from greenroom.schema.wire import Moment, Wire
from greenroom.supervisor import ActorSystem, LifecycleEvent


class LifecycleOut(Wire):
    """``actor.started``, ``.restarted``, ``.stopped``, ``.failed``, ``.passivated`` and the like."""

    at: Moment | None
    path: str
    kind: str
    key: str | None
    incarnation: int
    reason: str | None

    @classmethod
    def of(cls, event: LifecycleEvent, system: ActorSystem) -> Self:
        return cls(
            at=system.wall_time(event.at),
            path=event.path,
            kind=event.kind,
            key=event.key,
            incarnation=event.incarnation,
            reason=None if event.reason is None else str(event.reason),
        )


class LaggedOut(Wire):
    """``lagged``: so many events were left out, because more happened than is told, or this reader was too slow."""

    missed: int


class TreeDeltaOut(Wire):
    """``tree``: the actors that changed since the last one (at first, all), and the paths that are gone."""

    changed: list[ActorOut]
    removed: list[str] = Field(default_factory=list)


class BeatOut(Wire):
    """``heartbeat``"""

    actors: int


class PulseOut(Wire):
    """``pulse``, once a second: the loop's last whole second, and totals since the start."""

    lag_ms_p99: float
    longest_turn_ms: float
    busy_share: float
    turns: int
    tasks: int
    actors: int
    streams: int
    restarts: int
    dead_letters: int
    wedged: int
