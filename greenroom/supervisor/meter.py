"""What an actor has done: counts, times, and the last few messages. Every message passes through here, so it is plain
arithmetic on preallocated lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from greenroom.supervisor.delivery import Delivery, format_trace

# Bucket i holds durations below 2 ** i microseconds; the last one holds all that is longer (over an hour).
BUCKETS = 33
BUCKET_BOUNDS_S: tuple[float, ...] = tuple(2.0**i / 1e6 for i in range(BUCKETS))
RECENT_MAX = 8
BUSY_WINDOW_S = 10.0


@dataclass(frozen=True, slots=True)
class MessageHeader:
    """One handled message, without its body."""

    at: float  # when its handler was done, Trio's clock
    message_type: str
    queue_s: float
    handler_s: float
    failed: bool
    trace_id: str


class KindMeter:
    """Totals of one kind of actor. Metrics are kept per kind and message type, never per actor: their number is
    bounded by the code, not by the traffic."""

    __slots__ = ("activations", "failures", "live", "passivations", "types")

    def __init__(self) -> None:
        self.live = 0
        self.activations = 0
        self.passivations = 0
        self.failures = 0
        self.types: dict[type, TypeMeter] = {}

    def of(self, message: object) -> TypeMeter:
        meter = self.types.get(type(message))
        if meter is None:
            meter = self.types[type(message)] = TypeMeter()
        return meter


class TypeMeter:
    """Totals of one message type for one kind of actor."""

    __slots__ = ("buckets", "expired", "failures", "handler_s", "queue_s")

    def __init__(self) -> None:
        self.failures = 0
        self.expired = 0
        self.handler_s = 0.0
        self.queue_s = 0.0
        self.buckets = [0] * BUCKETS  # one entry per handled message, so their sum is the count


class Meter:
    """What one actor has done since its cell was made."""

    __slots__ = (
        "_busy_at_window",
        "_busy_before",
        "_recent",
        "_types",
        "_window_ends",
        "buckets",
        "busy_s",
        "expired",
        "failed",
        "handled",
        "kind",
        "last_active",
        "refused",
    )

    def __init__(self, kind: KindMeter, now: float) -> None:
        self.kind = kind
        self.handled = 0
        self.failed = 0
        self.expired = 0
        self.refused = 0  # rejected, dropped or displaced for want of room
        self.busy_s = 0.0
        self.last_active = now
        # Made with the first message: most actors of a large population are idle.
        self.buckets: list[int] | None = None
        self._recent: list[tuple[float, type, float, float, bool, Any]] | None = None
        self._types = kind.types  # held here too: every message looks its type up
        # Windows of BUSY_WINDOW_S follow each other; what was spent in the one before fades out of the share.
        self._window_ends = now + BUSY_WINDOW_S
        self._busy_at_window = 0.0
        self._busy_before = 0.0

    def note(self, delivery: Delivery[Any], started: float, finished: float, failed: bool) -> None:
        """Count one handled message."""
        handler_s = finished - started
        queue_s = started - delivery.enqueued_at
        bucket = int(handler_s * 1e6).bit_length()
        if bucket >= BUCKETS:
            bucket = BUCKETS - 1
        message_type = type(delivery.message)
        if self.buckets is None or self._recent is None:
            self.buckets = [0] * BUCKETS
            self._recent = []
        header = (finished, message_type, queue_s, handler_s, failed, delivery.trace)
        if len(self._recent) < RECENT_MAX:
            self._recent.append(header)
        else:
            self._recent[self.handled % RECENT_MAX] = header
        self.buckets[bucket] += 1
        self.handled += 1
        if started >= self._window_ends:
            self._roll_window(started)
        self.busy_s += handler_s
        if not delivery.is_timer:
            self.last_active = finished
        totals = self._types.get(message_type) or self.kind.of(delivery.message)
        totals.handler_s += handler_s
        totals.queue_s += queue_s
        totals.buckets[bucket] += 1
        if failed:
            self.failed += 1
            totals.failures += 1

    def note_expired(self, message: object) -> None:
        self.expired += 1
        self.kind.of(message).expired += 1

    def recent(self) -> list[MessageHeader]:
        """The last messages, oldest first."""
        ring = self._recent or []
        start = self.handled % RECENT_MAX if len(ring) == RECENT_MAX else 0
        return [
            MessageHeader(at, kind.__name__, queue_s, handler_s, failed, format_trace(trace))
            for at, kind, queue_s, handler_s, failed, trace in ring[start:] + ring[:start]
        ]

    def mean_s(self) -> float:
        """Mean time in the handler, 0.0 before the first message."""
        return self.busy_s / self.handled if self.handled else 0.0

    def busy_share(self, now: float) -> float:
        """Share of about the last ten seconds spent in handlers, 0 to 1; finished messages only."""
        if now >= self._window_ends:
            self._roll_window(now)
        left = self._window_ends - now
        lately = self.busy_s - self._busy_at_window + self._busy_before * left / BUSY_WINDOW_S
        return min(1.0, lately / BUSY_WINDOW_S)

    def _roll_window(self, now: float) -> None:
        is_next = now < self._window_ends + BUSY_WINDOW_S
        self._busy_before = self.busy_s - self._busy_at_window if is_next else 0.0
        self._busy_at_window = self.busy_s
        self._window_ends = (self._window_ends if is_next else now) + BUSY_WINDOW_S


def percentile_s(buckets: Sequence[int] | None, share: float) -> float | None:
    """Upper bound of the bucket in which this share of durations ends; None when there are none.

    Powers of two, so the answer is at most twice the true value.
    """
    total = sum(buckets or ())
    if not buckets or not total:
        return None
    seen = 0
    for bound, count in zip(BUCKET_BOUNDS_S, buckets, strict=True):
        seen += count
        if seen >= share * total:
            return bound
    return BUCKET_BOUNDS_S[-1]
