"""What an actor has done: counts, times, and the last few messages. Every message passes through here, so it is plain
arithmetic on preallocated lists."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import sub
from typing import Any

from greenroom.supervisor.delivery import Delivery, format_trace

# Bucket i holds durations below 2 ** i microseconds; the last one holds all that is longer (over an hour).
BUCKETS = 33
BUCKET_BOUNDS_S: tuple[float, ...] = tuple(2.0**i / 1e6 for i in range(BUCKETS))
_BOUNDED = BUCKET_BOUNDS_S[:-1]
RECENT_MAX = 8
_FIELDS = 6  # of one recent message
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

    __slots__ = ("activations", "failures", "in_turns", "live", "passivations", "types")

    def __init__(self) -> None:
        self.live = 0
        self.activations = 0
        self.passivations = 0
        self.failures = 0
        self.types: dict[type, TypeMeter] = {}
        self.in_turns: dict[Meter, None] = {}  # those with messages handled and not counted yet

    def count_turns(self) -> None:
        """Count what is not counted yet, before anybody looks."""
        for meter in self.in_turns:
            meter.count_turn()

    def of(self, message: object) -> TypeMeter:
        """The totals of this message's type."""
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


class Turn:
    """Messages of one turn, handled one right after the other and not counted yet: together they are counted for a
    third of what they cost one by one. At most ``batch_max``, and no longer than the turn."""

    __slots__ = ("deliveries", "ends", "started")

    def __init__(self, started: float) -> None:
        self.started = started
        self.deliveries: list[Delivery[Any]] = []
        self.ends: list[float] = []  # when each was done and the next was begun


class Meter:
    """What one actor has done since its cell was made."""

    __slots__ = (
        "_buckets",
        "_busy_at_window",
        "_busy_before",
        "_recent",
        "_types",
        "_window_ends",
        "busy_s",
        "expired",
        "failed",
        "handled",
        "kind",
        "last_active",
        "refused",
        "turn",
    )

    def __init__(self, kind: KindMeter, now: float) -> None:
        self.kind = kind
        self.handled = 0
        self.failed = 0
        self.expired = 0
        self.refused = 0  # rejected, dropped or displaced for want of room
        self.busy_s = 0.0
        self.last_active = now
        # The last RECENT_MAX messages, _FIELDS entries each, flat: a record per message would cost as much as all the
        # rest of note(), in memory taken and given back.
        self._recent: list[Any] = []
        self._buckets: list[int] | None = None  # made when there is more to know than the above tells
        self.turn: Turn | None = None
        self._types = kind.types  # held here too: every message looks its type up
        # Windows of BUSY_WINDOW_S follow each other; what was spent in the one before fades out of the share.
        self._window_ends = now + BUSY_WINDOW_S
        self._busy_at_window = 0.0
        self._busy_before = 0.0

    @property
    def last_handled(self) -> float:
        """When it was last done with a message, whoever that came from; at first, when it was made.

        ``last_active`` leaves out what an actor tells itself by timer, which must not keep it from falling asleep.
        """
        if not self._recent:
            return self.last_active
        at: float = self._recent[(self.handled - 1) % RECENT_MAX * _FIELDS]
        return at

    def note(self, delivery: Delivery[Any], started: float, finished: float, failed: bool) -> None:
        """Count one handled message."""
        handler_s = finished - started
        queue_s = started - delivery.enqueued_at
        message_type = type(delivery.message)
        bucket = bisect_right(_BOUNDED, handler_s)
        handled = self.handled
        recent = self._recent
        if handled < RECENT_MAX:
            recent += (finished, message_type, queue_s, handler_s, failed, delivery.trace)
        else:
            buckets = self._buckets
            if buckets is None:
                buckets = self._buckets = self.buckets()
            buckets[bucket] += 1
            at = handled % RECENT_MAX * _FIELDS
            recent[at] = finished
            recent[at + 1] = message_type
            recent[at + 2] = queue_s
            recent[at + 3] = handler_s
            recent[at + 4] = failed
            recent[at + 5] = delivery.trace
        self.handled = handled + 1
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

    def note_batch(
        self, deliveries: Sequence[Delivery[Any]], started: float, finished: float, failed: bool
    ) -> None:
        """Count messages that were handled together: each took all of that time, the actor only once."""
        for delivery in deliveries:
            self.note(delivery, started, finished, failed)
        self.busy_s -= max(0, len(deliveries) - 1) * (finished - started)

    def begin_turn(self, started: float) -> Turn:
        """Have several messages counted together, at the end of the turn or when somebody looks."""
        self.turn = turn = Turn(started)
        self.kind.in_turns[self] = None
        return turn

    def end_turn(self) -> None:
        """Count what the turn handled; idempotent."""
        if self.turn is not None:
            self.count_turn()
            self.turn = None
            del self.kind.in_turns[self]

    def count_turn(self) -> None:
        """Count what the present turn has handled so far."""
        turn = self.turn
        if turn is None or not turn.ends:
            return
        deliveries, ends = turn.deliveries, turn.ends
        starts = [turn.started, *ends[:-1]]
        turn.started = ends[-1]
        if len(deliveries) < RECENT_MAX or not _are_alike(deliveries):
            for delivery, start, end in zip(deliveries, starts, ends, strict=True):
                self.note(delivery, start, end, False)
        else:
            self._note_alike(deliveries, starts, ends)
        deliveries.clear()
        ends.clear()

    def _note_alike(self, deliveries: list[Delivery[Any]], starts: list[float], ends: list[float]) -> None:
        """As :meth:`note` for each of these; at least RECENT_MAX messages of one type, none of which failed."""
        self.handled += len(deliveries)
        self.last_active = ends[-1]
        if starts[0] >= self._window_ends:
            self._roll_window(starts[0])
        busy_s = ends[-1] - starts[0]
        self.busy_s += busy_s
        totals = self.kind.of(deliveries[0].message)
        totals.handler_s += busy_s
        totals.queue_s += sum(starts) - sum([delivery.enqueued_at for delivery in deliveries])
        own = self._buckets = self.buckets()
        durations = sorted(map(sub, ends, starts))
        at = 0
        while at < len(durations):
            bucket = bisect_right(_BOUNDED, durations[at])
            beyond = bisect_left(durations, _BOUNDED[bucket], at) if bucket < BUCKETS - 1 else len(durations)
            own[bucket] += beyond - at
            totals.buckets[bucket] += beyond - at
            at = beyond
        rows = [
            (end, type(delivery.message), start - delivery.enqueued_at, end - start, False, delivery.trace)
            for delivery, start, end in zip(
                deliveries[-RECENT_MAX:], starts[-RECENT_MAX:], ends[-RECENT_MAX:], strict=True
            )
        ]
        oldest = RECENT_MAX - self.handled % RECENT_MAX  # of these, the one whose place in the ring comes first
        self._recent = [field for row in rows[oldest:] + rows[:oldest] for field in row]

    def note_expired(self, message: object) -> None:
        """Count a message that was dropped as nobody waited for it any more."""
        self.expired += 1
        self.kind.of(message).expired += 1

    def recent(self) -> list[MessageHeader]:
        """The last messages, oldest first."""
        rows = [self._recent[at : at + _FIELDS] for at in range(0, len(self._recent), _FIELDS)]
        oldest = self.handled % RECENT_MAX if len(rows) == RECENT_MAX else 0
        return [
            MessageHeader(at, kind.__name__, queue_s, handler_s, failed, format_trace(trace))
            for at, kind, queue_s, handler_s, failed, trace in rows[oldest:] + rows[:oldest]
        ]

    def buckets(self) -> list[int]:
        """How many messages took how long, see :data:`BUCKET_BOUNDS_S`."""
        if self._buckets is not None:
            return self._buckets
        buckets = [0] * BUCKETS
        for handler_s in self._recent[3::_FIELDS]:
            buckets[bisect_right(_BOUNDED, handler_s)] += 1
        return buckets

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


def _are_alike(deliveries: list[Delivery[Any]]) -> bool:
    """True for messages of one type none of which comes from a timer."""
    are_told = set(map(type, deliveries)) == {Delivery}
    return are_told and len({type(delivery.message) for delivery in deliveries}) == 1


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
