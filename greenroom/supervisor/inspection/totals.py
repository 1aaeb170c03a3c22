"""Totals by kind of actor and type of message, and of the system; never by actor, so their number is the code's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greenroom.supervisor.meter import BUCKET_BOUNDS_S

if TYPE_CHECKING:
    from greenroom.supervisor.system import ActorSystem


@dataclass(frozen=True, slots=True)
class MessageStatistics:
    """Totals of one message type for one kind of actor. ``buckets[i]`` counts handler times below ``bounds_s[i]``."""

    message: str
    count: int
    failures: int
    expired: int
    queue_s: float
    handler_s: float
    buckets: tuple[int, ...]
    bounds_s: tuple[float, ...] = BUCKET_BOUNDS_S


@dataclass(frozen=True, slots=True)
class KindStatistics:
    """Totals of one kind of actor; ``live`` is of now, the others count since the system was opened."""

    kind: str
    live: int
    activations: int
    passivations: int
    messages: tuple[MessageStatistics, ...]


@dataclass(frozen=True, slots=True)
class SystemStatistics:
    """Totals of a system; ``actors`` and ``timers`` are of now, the others count since it was opened."""

    kinds: tuple[KindStatistics, ...]
    dead_letters: Mapping[str, int]
    restarts: int
    escalations: int
    wedged: int
    late_replies: int
    actors: int
    timers: int
    last_escalation: str


def statistics(system: ActorSystem) -> SystemStatistics:
    """Totals by kind and message type, and of the system."""
    counters = system.counters
    return SystemStatistics(
        kinds=tuple(kind_statistics(system, kind) for kind in system.kinds),
        dead_letters=system.dead_letters.counts,
        restarts=counters.restarts,
        escalations=counters.escalations,
        wedged=counters.wedged,
        late_replies=counters.late_replies,
        actors=sum(meter.live for meter in system.kinds.values()),
        timers=len(system.timers),
        last_escalation=system.last_escalation,
    )


def kind_statistics(system: ActorSystem, kind: str) -> KindStatistics:
    """Totals of one kind, turns that go on now included."""
    meter = system.kind_meter(kind)
    meter.count_turns()
    messages = tuple(
        MessageStatistics(
            message_type.__name__,
            sum(totals.buckets),
            totals.failures,
            totals.expired,
            totals.queue_s,
            totals.handler_s,
            tuple(totals.buckets),
        )
        for message_type, totals in meter.types.items()
    )
    return KindStatistics(kind, meter.live, meter.activations, meter.passivations, messages)
